// SPDX-License-Identifier: BSD-2-Clause
/*
 * The smallest embedder: a port of three functions over one array, a guest's
 * stage-2 table, and what a hypervisor does with it on a fault.
 *
 *   cc tiny.c $(pkg-config --cflags --libs nestwalk) && ./a.out
 *
 * docs/porting.md goes through it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nestwalk/arm64.h>
#include <nestwalk/table.h>

#define PAGE 4096u
#define POOL_PAGES 16u
#define POOL_PA UINT64_C(0x40000000) /* where the machine sees the pool */
#define MIB (UINT64_C(1) << 20)

/* ---- the port ----------------------------------------------------------- */

/* Table pages come from here. A real one takes them from its allocator. */
struct pool {
	uint8_t page[POOL_PAGES][PAGE] __attribute__((aligned(16 * PAGE)));
	uint8_t taken[POOL_PAGES];
	unsigned flushes;
};

/* Aligned to the size asked for: a root of several pages needs it. */
static void *pool_alloc(void *ctx, unsigned pages_lg2)
{
	struct pool *pool = ctx;
	const unsigned n = 1u << pages_lg2;

	for (unsigned first = 0; first + n <= POOL_PAGES; first += n) {
		if (memchr(pool->taken + first, 1, n))
			continue;
		memset(pool->taken + first, 1, n);
		return pool->page[first];
	}
	return NULL;
}

static void pool_free(void *ctx, void *pages, unsigned pages_lg2)
{
	struct pool *pool = ctx;
	const size_t first = (size_t)((uint8_t *)pages - pool->page[0]) / PAGE;

	memset(pool->taken + first, 0, 1u << pages_lg2);
}

/*
 * On hardware, for each range: TLBI IPAS2E1IS (or RIPAS2E1IS); DSB ISH; TLBI
 * VMALLE1IS; DSB ISH; ISB, between a DSB ISHST and the return, with this
 * guest's VMID in VTTBR_EL2. ports/el2/tlb.c does it.
 */
static void pool_invalidate(void *ctx, const struct nw_flush_request *request)
{
	struct pool *pool = ctx;

	for (unsigned i = 0; i < request->ranges; i++)
		printf("invalidate [%#" PRIx64 ", %#" PRIx64 ") of VMID %u\n",
		       request->range[i].start, request->range[i].end,
		       request->tag);
	pool->flushes++;
}

/* ---- the hypervisor ------------------------------------------------------- */

static int failed(const char *what, const struct nw_result *r)
{
	fprintf(stderr, "%s: %s at %#" PRIx64 "%s%s: %s\n", what,
		nw_status_name(r->status), r->reached,
		r->argument ? ", argument " : "", r->argument ? r->argument : "",
		nw_status_advice(r->status));
	return 1;
}

int main(void)
{
	static struct pool pool;
	const struct nw_port_ops port = {
		.alloc_pages = pool_alloc,
		.free_pages = pool_free,
		.invalidate = pool_invalidate,
		.virt_minus_phys = (uintptr_t)pool.page - POOL_PA,
	};
	const struct nw_table_config config = {
		.ops = &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12, .ia_bits = 40, .oa_bits = 40},
		.port = &port,
		.port_ctx = &pool,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_STAGE2,
		.tag = 1,
	};
	const struct nw_attrs ram = {
		.prot = NW_PROT_RWX,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = NW_LEAF_ACCESSED,
	};
	struct nw_mapping found;
	struct nw_table table;
	struct nw_result r;

	if (nw_table_init(&table, &config, &r))
		return failed("init", &r);
	/* A fault: 6 MiB of RAM at IPA 1 GiB. Blocks where they fit. */
	if (nw_map(&table, NW_IA(1024 * MIB), 6 * MIB, NW_PA(2048 * MIB), &ram,
		   NW_LEVEL_ANY, NULL, &r))
		return failed("map", &r);
	/* The host takes one page back: the block around it is split. */
	if (nw_unmap(&table, NW_IA(1026 * MIB), PAGE, NULL, &r))
		return failed("unmap", &r);
	for (uint64_t ia = 1024 * MIB; ia < 1030 * MIB; ia += 2 * MIB) {
		if (nw_lookup(&table, NW_IA(ia), &found))
			return 1;
		printf("IPA %#" PRIx64 ": %s, level %u\n", ia,
		       found.kind == NW_ENTRY_LEAF ? "mapped" : "not mapped",
		       found.level);
	}
	nw_table_destroy(&table);
	printf("%u flushes, %s\n", pool.flushes,
	       memchr(pool.taken, 1, POOL_PAGES) ? "pages lost" : "no page lost");
	return 0;
}
