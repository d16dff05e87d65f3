/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine under the payload (QEMU's "pc"): console, end, traps, accesses
 * in ring 0, in ring 3 and in a guest, and the library's port.
 *
 * The program has its own memory below 4 GiB, each address itself. Memory that
 * the judged tables lead to, and their pages, lie at addresses that
 * tests/mmu/x86/run chooses, up to the last that the CPU has, and are seen
 * through windows.
 */
#ifndef MMU_X86_MACHINE_H
#define MMU_X86_MACHINE_H

#include <nestwalk/port.h>
#include <stddef.h>
#include <stdint.h>

#define DIMMS	      16
#define DIMM_BYTES    (UINT64_C(64) << 20)
#define ISLAND_BYTES  (UINT64_C(2) << 20)
#define ISLANDS	      64
#define ISLAND_WINDOW (UINT64_C(256) << 30)
#define POOL_WINDOW   (UINT64_C(257) << 30)
#define POOL_PAGES    16384u
#define USER_WINDOW   (UINT64_C(258) << 30)
#define GUEST_MEMORY  UINT64_C(0x10000000)
#define GUEST_BYTES   (UINT64_C(8) << 20)

/* What tests/mmu/x86/run stores before the start. */
struct params {
	uint64_t seed;
	uint64_t plant; /* enum plant */
	uint64_t addresses;
	uint64_t levels;      /* of the host's paging */
	uint64_t kinds;	      /* 1: paging, 2: nested paging, 3: both */
	uint64_t dimm[DIMMS]; /* physical addresses; the last: table pages */
};
#define PARAMS ((const struct params *)UINT64_C(0x8000000))

/* What is made wrong on purpose; 0: nothing. Those up to PLANT_FORMAT_LAST
 * only in a build with planted.h. */
enum plant {
	PLANT_NONE,
	PLANT_ADDRESS_BIT,
	PLANT_NO_NX,
	PLANT_NO_WRITE,
	PLANT_NO_USER,
	PLANT_STATE_SWAPPED,
	PLANT_TABLE_ADDRESS,
	PLANT_PAT_BIT,
	PLANT_RESERVED_IS_LEAF,
	PLANT_FORMAT_LAST = PLANT_RESERVED_IS_LEAF,
	PLANT_NXE,
	PLANT_NO_FLUSH,
};

/* Offsets are known to start.S. */
struct trap_record {
	uint64_t vector;
	uint64_t error;
	uint64_t cr2;
	uint64_t rip;
	uint64_t rax;
	uint64_t armed;
	uint64_t rsp;
};
extern volatile struct trap_record trap_record;

/* ---- console and end ---------------------------------------------------- */

/* printf with %s, %u and %x (both uint64_t), nothing else. */
void say(const char *format, ...);
__attribute__((noreturn)) void machine_exit(int failed);
__attribute__((noreturn, cold)) void
nw_port_bug(const char *what, const char *file, unsigned line);

void *memset(void *to, int byte, size_t n);

/* ---- memory ------------------------------------------------------------- */

/* Descriptor tables and windows. After this, islands_choose(). */
void machine_start(void);
unsigned machine_oa_bits(void); /* MAXPHYADDR */

/* Backing memory: pieces of the DIMMs. Seen through the island's window. */
extern uint64_t islands[ISLANDS];
void islands_choose(void);
volatile uint64_t *memory(uint64_t pa);
int is_backed(uint64_t pa);

/* ---- registers ---------------------------------------------------------- */

#define CR4_PAE	 (UINT64_C(1) << 5)
#define CR4_PGE	 (UINT64_C(1) << 7)
#define CR4_LA57 (UINT64_C(1) << 12)
#define CR4_SMEP (UINT64_C(1) << 20)
#define CR4_PKE	 (UINT64_C(1) << 22)
#define EFER_NXE (UINT64_C(1) << 11)

/* The entry that a judged root has at index 0, so that the program goes on
 * when the root is in CR3; and its own CR3. */
uint64_t own_root_entry(void);
uint64_t own_cr3(void);
void set_cr3(uint64_t cr3);
/* Of features that tables speak of (NW_FEAT_X86_*). PAT: NW_X86_PAT. */
void set_features(unsigned features);
void set_pkru(uint32_t pkru);
void flush_page(uint64_t address);
void flush_all(void);

/* ---- accesses ----------------------------------------------------------- */

enum access {
	ACCESS_LOAD,
	ACCESS_STORE,
	ACCESS_FETCH, /* of what fetch_code() made */
	ACCESS_COUNT,
};

#define VECTOR_GP 13u
#define VECTOR_PF 14u
#define EXIT_NPF  0x400u

/* What the CPU made of an access. vector 0: it went through. */
struct outcome {
	uint64_t vector;  /* of the exception; a guest's: exit code */
	uint64_t error;	  /* error code, EXITINFO1 */
	uint64_t address; /* CR2, EXITINFO2 */
	uint64_t value;	  /* what was loaded; FETCH: what the code left */
};

/* One access to a linear address, in ring 3 or 0. */
struct outcome host_access(enum access how, uint64_t address, uint64_t value,
			   int user);

/* Eight bytes of code: eax = the lower half of `value`; ret. */
uint64_t fetch_code(uint64_t value);

/* ---- the guest (svm.c) -------------------------------------------------- */

/* Its memory is GUEST_MEMORY, from guest-physical address 0. */
void guest_start(void);
/* The entry of an NPT root with index 0. */
uint64_t guest_root_entry(void);
void guest_set_ncr3(uint64_t ncr3);
/* One access to a guest-physical address, by way of the guest's own paging,
 * whose leaf there is of `level`. */
struct outcome guest_access(enum access how, uint64_t gpa, uint64_t value,
			    unsigned level);

/* ---- port of the library (pool.c) --------------------------------------- */

void pool_start(void);

extern struct nw_port_ops payload_port;
/* Table pages in use. */
uint64_t pool_pages_live(void);
/* A table page for whoever builds one by hand; virtual, filled with 0. */
uint64_t *pool_page(void);
void pool_page_free(uint64_t *page);
/* Physical address of a pool page. */
uint64_t pool_pa(const void *page);
/* invalidate() does nothing from here on. */
void flushes_leave_out(int yes);

#endif
