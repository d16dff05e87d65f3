/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library on the EL2 port as a catcher of mutants. The port's instructions
 * arrive as text (el2_shim.h); the oracle judges them together with the
 * engine's own events, and what it has no rule for is looked at here: that
 * each invalidation stands between its barriers, that nothing returns with an
 * entry store that no barrier completed, and that the trace names the
 * instruction that was executed.
 *
 *   el2 oracle    tables in both regimes, with and without range and TTL forms
 *   el2 returns   the same; what each operation leaves open
 *   el2 local     the invalidations for this CPU alone
 *   el2 barriers  the store barrier
 */
#include <stdarg.h>

#include <nestwalk/table.h>

#include <check/check.h>

#include "../../src/table/slots.h"
#include "nw_port.h"
#include "tlb.h"

#define PAGES 6000u
#define PHYS_BASE UINT64_C(0x40000000)
#define PAGE UINT64_C(0x1000)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static struct nwv_check *check;
static uint64_t seq;

static void wrong(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	exit(1);
}

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	wrong("bug: %s (%s:%u)", what, file, line);
	abort();
}

/* ---- instructions ------------------------------------------------------- */

/* One invalidation: store barrier, TLBIs, barrier, ISB. */
static struct {
	int stores_ordered; /* a barrier since the last entry store */
	int is_open;	    /* TLBIs that no barrier has completed */
	int needs_isb;	    /* a DSB that no ISB has followed */
	int unpublished;    /* entry stores that no DSB has followed */
	int may_be_local;
	char tlbi[80];	    /* executed and not traced yet */
	char last[80];	    /* executed last */
} state;

static const char *const barriers[NW_BARRIER_AT_EL2] = {
	"dmb ishst", "dsb ish", "dsb ishst", "dsb nsh",
	"dsb nshst", "dsb sy",	"isb",
};

static const char *const tlbis[NW_TLBI_COUNT] = {
	[NW_TLBI_IPAS2E1IS] = "tlbi ipas2e1is, %0",
	[NW_TLBI_RIPAS2E1IS] = "sys #4, c8, c0, #2, %0",
	[NW_TLBI_IPAS2E1] = "tlbi ipas2e1, %0",
	[NW_TLBI_RIPAS2E1] = "sys #4, c8, c4, #2, %0",
	[NW_TLBI_VMALLS12E1] = "tlbi vmalls12e1",
	[NW_TLBI_VMALLE1IS] = "tlbi vmalle1is",
	[NW_TLBI_VMALLS12E1IS] = "tlbi vmalls12e1is",
	[NW_TLBI_ALLE1IS] = "tlbi alle1is",
	[NW_TLBI_ALLE1] = "tlbi alle1",
	[NW_TLBI_VMALLE1] = "tlbi vmalle1",
	[NW_TLBI_VAE2IS] = "tlbi vae2is, %0",
	[NW_TLBI_VALE2IS] = "tlbi vale2is, %0",
	[NW_TLBI_RVAE2IS] = "sys #4, c8, c2, #1, %0",
	[NW_TLBI_VAE1IS] = "tlbi vae1is, %0",
	[NW_TLBI_VALE1IS] = "tlbi vale1is, %0",
	[NW_TLBI_RVAE1IS] = "sys #0, c8, c2, #1, %0",
	[NW_TLBI_RVALE1IS] = "sys #0, c8, c2, #5, %0",
	[NW_TLBI_VAE2] = "tlbi vae2, %0",
	[NW_TLBI_VALE2] = "tlbi vale2, %0",
	[NW_TLBI_ALLE2IS] = "tlbi alle2is",
	[NW_TLBI_ALLE2] = "tlbi alle2",
};

static void record(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
		   const char *file, unsigned line)
{
	struct nwv_event e = {.seq = seq++,
			      .a = a,
			      .b = b,
			      .c = c,
			      .kind = (uint16_t)event,
			      .line = line,
			      .file = file};

	if (check)
		nwv_check_event(check, &e);
}

static void barrier_executed(enum nw_barrier kind)
{
	int is_wide = kind == NW_BARRIER_DSB_ISH ||
		      kind == NW_BARRIER_DSB_ISHST || kind == NW_BARRIER_DSB_SY;
	int waits = kind == NW_BARRIER_DSB_ISH || kind == NW_BARRIER_DSB_SY ||
		    kind == NW_BARRIER_DSB_NSH;

	if (kind == NW_BARRIER_ISB)
		state.needs_isb = 0;
	if (kind == NW_BARRIER_ISB || kind == NW_BARRIER_DMB_ISHST)
		return;
	state.needs_isb = 1;
	if (!is_wide && !state.may_be_local)
		return;
	state.stores_ordered = 1;
	state.unpublished = 0;
	if (waits)
		state.is_open = 0;
}

/* The literals before the first colon, joined. */
static void instruction(const char *text, char *out)
{
	int inside = 0;

	for (; *text && (inside || *text != ':'); text++)
		if (*text == '"')
			inside = !inside;
		else if (inside)
			*out++ = *text;
	*out = 0;
}

int el2_asm(const char *text)
{
	char is[200];

	instruction(text, is);
	snprintf(state.last, sizeof(state.last), "%s", is);
	if (state.tlbi[0])
		wrong("'%s' is executed, but not traced", state.tlbi);
	for (unsigned i = 0; i < NW_BARRIER_AT_EL2; i++) {
		if (strcmp(is, barriers[i]))
			continue;
		barrier_executed((enum nw_barrier)i);
		record(NW_EV_BARRIER, i, 0, 0, "instruction", 0);
		return 0;
	}
	if (!strncmp(is, "tlbi", 4) || !strncmp(is, "sys", 3)) {
		if (!state.stores_ordered)
			wrong("'%s' without a barrier after what it is about",
			      is);
		state.is_open = 1;
		snprintf(state.tlbi, sizeof(state.tlbi), "%s", is);
	}
	return 0;
}

void el2_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line)
{
	if (event == NW_EV_BARRIER)
		return; /* as executed, above */
	if (event == NW_EV_TLBI) {
		if (a >= NW_TLBI_COUNT || !tlbis[a] ||
		    strcmp(state.tlbi, tlbis[a]))
			wrong("the trace says %llu (%s), the instruction was "
			      "'%s'", (unsigned long long)a,
			      a < NW_TLBI_COUNT && tlbis[a] ? tlbis[a] : "?",
			      state.tlbi);
		state.tlbi[0] = 0;
	}
	if (event == NW_EV_ENTRY_WRITE || event == NW_EV_ENTRY_LINK ||
	    event == NW_EV_ENTRY_RMW) {
		state.stores_ordered = 0;
		state.unpublished = 1;
	}
	record(event, a, b, c, file, line);
}

/* ---- a table ------------------------------------------------------------- */

static uint8_t *pool;
static unsigned pool_used;

static void *alloc_pages(void *ctx, unsigned pages_lg2)
{
	unsigned n = 1u << pages_lg2, at = (pool_used + n - 1) & ~(n - 1);

	(void)ctx;
	if (at + n > PAGES)
		wrong("out of pages");
	pool_used = at + n;
	memset(pool + at * PAGE, 0xa5, n * PAGE);
	return pool + at * PAGE;
}

static void free_pages(void *ctx, void *pages, unsigned pages_lg2)
{
	(void)ctx;
	(void)pages;
	(void)pages_lg2;
}

static struct nw_port_ops ops = {
	.alloc_pages = alloc_pages,
	.free_pages = free_pages,
	.invalidate = nw_el2_invalidate,
	.invalidate_local = nw_el2_invalidate_local,
};
static struct nw_table table;

static void returned(const char *what)
{
	if (state.tlbi[0])
		wrong("'%s' is executed, but not traced", state.tlbi);
	if (state.is_open)
		wrong("%s returns before a barrier completes its invalidation",
		      what);
	if (state.unpublished)
		wrong("%s returns with an entry store that no DSB completed",
		      what);
	if (state.needs_isb)
		wrong("%s returns without an ISB after its last DSB", what);
}

static void must(enum nw_status status, const char *what)
{
	if (status != NW_OK && status != NW_MORE)
		wrong("%s: %s", what, nw_status_name(status));
	returned(what);
}

static void open_table(enum nw_regime regime)
{
	const struct nw_table_config config = {
		.ops = regime == NW_REGIME_EL2	  ? &nw_arm64_el2_ops
		       : regime == NW_REGIME_EL10 ? &nw_arm64_el10_ops
						  : &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12, .ia_bits = 40, .oa_bits = 40},
		.port = &ops,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = regime,
		.tag = regime == NW_REGIME_EL10 ? 9 : 0,
	};

	pool_used = 0;
	memset(&state, 0, sizeof(state));
	ops.virt_minus_phys = (uint64_t)(uintptr_t)pool - PHYS_BASE;
	must(nw_table_init(&table, &config, NULL), "table_init");
}

static void map(uint64_t ia, uint64_t bytes)
{
	const struct nw_attrs attrs = {.prot = NW_PROT_RW,
				       .memtype = NW_MEM_NORMAL_WB,
				       .share = NW_SHARE_INNER,
				       .flags = NW_LEAF_ACCESSED};

	must(nw_map(&table, NW_IA(ia), bytes, NW_PA(ia), &attrs, NW_LEVEL_ANY,
		    NULL, NULL),
	     "map");
}

static void unmap(uint64_t ia, uint64_t bytes)
{
	must(nw_unmap(&table, NW_IA(ia), bytes, NULL, NULL), "unmap");
}

static void exercise(void)
{
	nw_pteref_t slot;

	map(GIB, 4 * MIB + 16 * PAGE);
	map(8 * GIB, GIB);
	map(GIB - 8 * PAGE, 8 * PAGE);
	must(nw_protect(&table, NW_IA(GIB + 16 * PAGE), 3 * PAGE,
			NW_PROTECT_RESTRICT, NW_PROT_W, NULL, NULL), "protect");
	must(nw_protect(&table, NW_IA(GIB + 17 * PAGE), PAGE, NW_PROTECT_RELAX,
			NW_PROT_W, NULL, NULL), "protect");
	unmap(GIB + 2 * MIB + 4 * PAGE, 600 * PAGE);
	must(nw_split(&table, NW_IA(8 * GIB + 6 * MIB), 0, NULL, NULL),
	     "split");
	for (unsigned i = 0; i < 20; i++)
		unmap(8 * GIB + i * 14 * MIB, 4 * MIB + i * PAGE);
	must(nw_slot_prepare(&table, NW_IA(20 * GIB), 0, NULL, &slot),
	     "slot_prepare");
	/* A table that goes whole, by address. */
	map(40 * GIB, 8 * PAGE);
	unmap(40 * GIB, 2 * MIB);
	/* More leaves than one request may name one by one. */
	map(32 * GIB + PAGE, 8 * MIB);
	unmap(32 * GIB + PAGE, 8 * MIB - PAGE);
	unmap(8 * GIB, 512 * MIB);
	must(nw_table_teardown_step(&table, 2), "teardown_step");
	nw_table_destroy(&table);
	returned("destroy");
}

static void judge(enum nw_regime regime, unsigned features)
{
	char text[1000];

	check = nwv_check_new(NULL);
	seq = 0;
	nw_el2_tlb_init(features);
	open_table(regime);
	exercise();
	if (nwv_check_end(check) == NWV_CHECK_CLEAN) {
		nwv_check_free(check);
		check = NULL;
		return;
	}
	if (nwv_check_problem(check))
		printf("%s\n", nwv_check_problem(check));
	for (size_t i = 0; i < nwv_check_violations(check) && i < 3; i++) {
		nwv_violation_text(nwv_check_violation(check, i), text,
				   sizeof(text));
		printf("%s\n", text);
	}
	wrong("regime %d, features %#x", regime, features);
}

static void local(void)
{
	const struct nw_flush_range range = {.start = GIB,
					     .end = GIB + 3 * PAGE,
					     .leaf_levels = 1};
	const struct nw_flush_range large = {.start = GIB,
					     .end = GIB + 300 * PAGE,
					     .leaf_levels = 1};
	const struct nw_flush_request request = {.regime = NW_REGIME_EL2,
						 .granule_lg2 = 12,
						 .ranges = 1,
						 .range = &range};
	struct nw_flush_request all = request;

	all.range = &large;
	state.may_be_local = 1;
	nw_el2_invalidate_local(NULL, &request);
	returned("invalidate_local");
	state.stores_ordered = 0;
	nw_el2_invalidate_local(NULL, &all);
	returned("invalidate_local");
	state.stores_ordered = 0;
	nw_el2_invalidate_local_all();
	returned("invalidate_local_all");
	state.stores_ordered = 0;
	nw_el2_invalidate_relaxed(GIB);
	returned("invalidate_relaxed");
}

int main(int argc, char **argv)
{
	pool = aligned_alloc(2 * MIB, PAGES * PAGE / (2 * MIB) * 2 * MIB +
					      2 * MIB);
	if (!pool || argc != 2)
		return 2;
	if (!strcmp(argv[1], "local")) {
		local();
		return 0;
	}
	if (!strcmp(argv[1], "barriers")) {
		nw_port_store_barrier();
		if (strcmp(state.last, "dmb ishst"))
			wrong("no store barrier is executed");
		return 0;
	}
	for (unsigned features = 0; features < 4; features++) {
		judge(NW_REGIME_STAGE2, features);
		judge(NW_REGIME_EL2, features);
		judge(NW_REGIME_EL10, features);
	}
	return 0;
}
