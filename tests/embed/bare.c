// SPDX-License-Identifier: BSD-2-Clause
/*
 * The amalgamated library without anything below it: a table is made, mapped,
 * changed, looked at through the library and, entry by entry, without it, and
 * taken down. Ends the machine (or the process) with status 0 if all was right.
 * tests/embed/amalgam builds and runs it.
 */
#include "nestwalk.h"

#define PAGE 4096u
#define POOL_PAGES 32u
#define MIB (UINT64_C(1) << 20)

#define OPS_JOIN(format) nw_##format##_ops
#define OPS_EXPAND(format) OPS_JOIN(format)

/* ---- the machine --------------------------------------------------------- */

#if defined(__aarch64__) /* QEMU virt at EL1, semihosting */
__asm__(".section .text.start\n.global _start\n_start:\n"
	"	adrp	x0, stack_top\n	mov	sp, x0\n	bl	run\n");
static __attribute__((noreturn)) void machine_end(unsigned status)
{
	const uint64_t block[2] = {0x20026, status}; /* application exit */
	register uint64_t op __asm__("x0") = 0x18;
	register const uint64_t *arg __asm__("x1") = block;

	for (;;)
		__asm__ volatile("hlt #0xf000" ::"r"(op), "r"(arg) : "memory");
}
#elif defined(__riscv) /* QEMU virt, the test device */
__asm__(".section .text.start\n.global _start\n_start:\n"
	"	la	sp, stack_top\n	call	run\n");
static __attribute__((noreturn)) void machine_end(unsigned status)
{
	volatile uint32_t *finish = (volatile uint32_t *)(uintptr_t)0x100000;

	for (;;)
		*finish = status ? status << 16 | 0x3333 : 0x5555;
}
#else /* a Linux process with nothing linked to it */
__asm__(".section .text.start,\"ax\"\n.global _start\n_start:\n"
	"	and	$-16, %rsp\n	call	run\n");
static __attribute__((noreturn)) void machine_end(unsigned status)
{
	for (;;)
		__asm__ volatile("syscall" ::"a"(231L), "D"((long)status)
				 : "rcx", "r11", "memory");
}
#endif

__attribute__((noreturn, cold)) void
nw_port_bug(const char *what, const char *file, unsigned line)
{
	(void)what;
	(void)file;
	(void)line;
	machine_end(99);
}

/* What a compiler may call by itself. */
void *memset(void *to, int c, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);

void *memset(void *to, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = (char)c;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

/* ---- the port -------------------------------------------------------------- */

struct pool {
	unsigned char taken[POOL_PAGES];
	unsigned flushes;
};

static unsigned char pages[POOL_PAGES][PAGE]
	__attribute__((aligned(POOL_PAGES * PAGE)));

static void *pool_alloc(void *ctx, unsigned pages_lg2)
{
	struct pool *pool = ctx;
	const unsigned n = 1u << pages_lg2;

	for (unsigned first = 0; first + n <= POOL_PAGES; first += n) {
		unsigned i = 0;

		while (i < n && !pool->taken[first + i])
			i++;
		if (i < n)
			continue;
		for (i = 0; i < n; i++)
			pool->taken[first + i] = 1;
		return pages[first];
	}
	return NULL;
}

static void pool_free(void *ctx, void *page, unsigned pages_lg2)
{
	struct pool *pool = ctx;
	const size_t first = (size_t)((unsigned char *)page - pages[0]) / PAGE;

	for (unsigned i = 0; i < 1u << pages_lg2; i++)
		pool->taken[first + i] = 0;
}

static void pool_invalidate(void *ctx, const struct nw_flush_request *request)
{
	(void)request;
	((struct pool *)ctx)->flushes++;
}

/* ---- what is tried ---------------------------------------------------------- */

/* Each step has a number, which is the status where it goes wrong. */
static unsigned steps(struct nw_table *t, struct pool *pool)
{
	const struct nw_attrs ram = {
		.prot = NW_PROT_RW,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = NW_LEAF_ACCESSED,
	};
	struct nw_mapping m;

	if (nw_map(t, NW_IA(1024 * MIB), 4 * MIB + PAGE, NW_PA(2048 * MIB), &ram,
		   NW_LEVEL_ANY, NULL, NULL))
		return 2;
	if (nw_lookup(t, NW_IA(1026 * MIB + 5), &m) || m.level != 1 ||
	    m.pa.v != 2050 * MIB + 5)
		return 3;
	if (nw_unmap(t, NW_IA(1024 * MIB + PAGE), PAGE, NULL, NULL) ||
	    !pool->flushes)
		return 4;
	if (nw_lookup(t, NW_IA(1024 * MIB + PAGE), &m) ||
	    m.kind != NW_ENTRY_EMPTY || m.level)
		return 5;
	if (nw_lookup(t, NW_IA(1024 * MIB + 2 * PAGE), &m) ||
	    m.kind != NW_ENTRY_LEAF || m.pa.v != 2048 * MIB + 2 * PAGE)
		return 6;
	if (nw_map(t, NW_IA(1024 * MIB), PAGE, NW_PA(0), &ram, NW_LEVEL_ANY,
		   NULL, NULL) != NW_E_EXISTS)
		return 7;
	if (nw_map(t, NW_IA(1), PAGE, NW_PA(0), &ram, NW_LEVEL_ANY, NULL,
		   NULL) != NW_E_MISALIGNED)
		return 8;
	return 0;
}

void run(void) __attribute__((noreturn, used));

void run(void)
{
	static struct pool pool;
	const struct nw_port_ops port = {
		.alloc_pages = pool_alloc,
		.free_pages = pool_free,
		.invalidate = pool_invalidate,
		.virt_minus_phys = 0,
	};
	struct nw_table_config config = {
		.ops = &OPS_EXPAND(FORMAT),
		.format = {.granule_lg2 = 12,
			   .ia_bits = IA_BITS,
			   .oa_bits = 40,
			   .features = FEATURES},
		.port = &port,
		.port_ctx = &pool,
		.mode = NW_MODE_SHARED,
		.regime = REGIME,
	};
	struct nw_table table;
	unsigned status;

	/* One CPU, no grace period: the port has none to offer. */
	if (nw_table_init(&table, &config, NULL) != NW_E_MODE)
		machine_end(10);
	config.mode = NW_MODE_EXCLUSIVE;
	if (nw_table_init(&table, &config, NULL))
		machine_end(1);
	status = steps(&table, &pool);
	nw_table_destroy(&table);
	for (unsigned i = 0; i < POOL_PAGES; i++)
		if (pool.taken[i] && !status)
			status = 9;
	machine_end(status);
}
