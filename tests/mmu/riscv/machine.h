/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine under the payload (QEMU's "virt"): console, end, traps, the
 * instructions that translate as the guest does, and the library's port.
 */
#ifndef MMU_RISCV_MACHINE_H
#define MMU_RISCV_MACHINE_H

#include <nestwalk/port.h>
#include <stdint.h>

/* tests/mmu/riscv/run gives the machine this much memory. */
#define RAM_BASE UINT64_C(0x80000000)
#define RAM_END	 (RAM_BASE + (UINT64_C(1) << 40))

/* What tests/mmu/riscv/run stores before the start. */
struct params {
	uint64_t seed;
	uint64_t plant; /* enum plant */
	uint64_t addresses;
};
#define PARAMS ((const struct params *)UINT64_C(0x88000000))

/* What is made wrong on purpose; 0: nothing. Those up to PLANT_FORMAT_LAST
 * only in a build with planted.h. */
enum plant {
	PLANT_NONE,
	PLANT_ADDRESS_BIT,
	PLANT_NO_USER,
	PLANT_EXEC_IS_READ,
	PLANT_STATE_SWAPPED,
	PLANT_FORMAT_LAST = PLANT_STATE_SWAPPED,
	PLANT_MODE,
	PLANT_NO_FENCE,
};

enum cause {
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
	CAUSE_ECALL_VU = 8,
	CAUSE_ECALL_VS = 10,
	CAUSE_FETCH_GUEST_PAGE = 20,
	CAUSE_LOAD_GUEST_PAGE = 21,
	CAUSE_STORE_GUEST_PAGE = 23,
};

/* Offsets are known to start.S. */
struct trap_record {
	uint64_t t0;
	uint64_t t1;
	uint64_t count;
	uint64_t cause;
	uint64_t stval;
	uint64_t htval;
	uint64_t sepc;
	uint64_t guest_a0;
	uint64_t armed;
	uint64_t host[16];
};
extern struct trap_record trap_record;

/* ---- console and end ---------------------------------------------------- */

/* printf with %s, %u and %x (both uint64_t), nothing else. */
void say(const char *format, ...);
__attribute__((noreturn)) void machine_exit(int failed);

/* ---- translation -------------------------------------------------------- */

enum access {
	ACCESS_LOAD,	  /* HLV.D */
	ACCESS_STORE,	  /* HSV.D */
	ACCESS_LOAD_EXEC, /* HLVX.HU */
	ACCESS_FETCH,	  /* the guest's own, of two instructions */
	ACCESS_COUNT,
};

/* What the hart made of an access. cause 0: it went through. */
struct outcome {
	uint64_t cause;
	uint64_t stval;
	uint64_t htval;
	uint64_t value; /* what was loaded; FETCH: what the code left in a0 */
};

/* One access in the guest's address space. privileged: as VS-mode, else VU.
 * A fetch expects what fetch_code() made. */
struct outcome guest_access(enum access how, uint64_t address, uint64_t value,
			    int privileged);

/* Two instructions: a0 = (sign-extended) bits 31:12 of `value`; ecall. */
uint64_t fetch_code(uint64_t value);

/* The payload's own: each address is itself. QEMU 7.2 reports a page fault of
 * HLV and HSV in the first stage as access fault while satp is bare. */
void host_translation(void);

/* hgatp and vsatp (0: bare), and the fence of everything. */
void guest_translation(uint64_t hgatp, uint64_t vsatp);
uint64_t guest_hgatp(void);
uint64_t guest_vsatp(void);
void fence_all(void);

/* ---- port of the library ------------------------------------------------ */

extern const struct nw_port_ops payload_port;
/* Table pages in use. */
uint64_t pool_pages_live(void);
/* invalidate() does nothing from here on. */
void fences_leave_out(int yes);

#endif
