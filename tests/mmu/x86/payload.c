/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random tables of the library, judged by a CPU that translates with them:
 * after mapping, after each round of changes, and after everything is gone.
 *
 * The first entry of a judged root is not the library's: the program, or the
 * guest's code and tables, are behind it.
 */
#include "judge.h"

#define PAGE	     UINT64_C(4096)
#define MAPS	     120
#define ROUNDS	     6
#define CHANGES	     24
#define NX_1G	     (NW_FEAT_X86_NX | NW_FEAT_X86_1G)
#define BUDGET_PAGES 64
#define SAMPLES	     3
/* As many meet everything. */
#define ADDRESSES_FOR_ALL 500

void payload_main(void);

static struct judge judge;

#define PAGING(name, bits, clear, features)                                    \
	{                                                                      \
		name, &nw_x86_64_ops, NW_REGIME_X86, bits, clear, features     \
	}
#define NESTED(name, bits, clear, features)                                    \
	{                                                                      \
		name, &nw_x86_npt_ops, NW_REGIME_NPT, bits, clear, features    \
	}

static const struct setup four_levels[] = {
	PAGING("paging 4 levels NX 1G", 48, 1, NX_1G),
	PAGING("paging 4 levels", 48, 0, 0),
	PAGING("paging 4 levels NX 1G PKU SMEP", 48, 1,
	       NX_1G | NW_FEAT_X86_PKU | NW_FEAT_X86_SMEP),
	PAGING("paging 4 levels SMEP", 48, 0, NW_FEAT_X86_SMEP),
	PAGING("paging 40 bits NX PKU", 40, 0,
	       NW_FEAT_X86_NX | NW_FEAT_X86_PKU),
	NESTED("nested 4 levels NX 1G", 48, 1, NX_1G),
	NESTED("nested 4 levels", 48, 0, 0),
	NESTED("nested 40 bits NX", 40, 1, NW_FEAT_X86_NX),
};

static const struct setup five_levels[] = {
	PAGING("paging 5 levels NX 1G PKU SMEP", 57, 1,
	       NX_1G | NW_FEAT_X86_PKU | NW_FEAT_X86_SMEP),
	PAGING("paging 5 levels", 57, 0, 0),
	PAGING("paging 49 bits NX 1G", 49, 0, NX_1G),
	NESTED("nested 5 levels NX 1G", 52, 1, NX_1G),
	NESTED("nested 5 levels", 52, 0, 0),
	NESTED("nested 49 bits NX", 49, 1, NW_FEAT_X86_NX),
};

static int said_ok(struct judge *j, const char *what, uint64_t ia,
		   enum nw_status got, enum nw_status want)
{
	j->operations++;
	return check(j, got == want, what, ia, (uint64_t)got, (uint64_t)want);
}

/* ---- map ---------------------------------------------------------------- */

/* NW_PROT_X stands for whoever may execute such a page. */
static unsigned executors(const struct judge *j, const struct span *span)
{
	if (is_nested(j))
		return NW_PROT_X;
	if (!span->user)
		return NW_PROT_PX;
	return has(j, NW_FEAT_X86_SMEP) ? NW_PROT_UX : NW_PROT_X;
}

static struct nw_attrs attrs_of(const struct judge *j, const struct span *span)
{
	static const uint8_t memtype[] = {
		NW_MEM_NORMAL_WB,     NW_MEM_NORMAL_NC, NW_MEM_UC_MINUS,
		NW_MEM_DEVICE_nGnRnE, NW_MEM_WP,	NW_MEM_NORMAL_WT};
	struct nw_attrs attrs = {
		.prot = (uint8_t)((span->prot & NW_PROT_RW) |
				  (span->prot & NW_PROT_X ? executors(j, span)
							  : 0)),
		.memtype = memtype[random_below(sizeof(memtype))],
		.share = NW_SHARE_INNER,
		.software = (uint8_t)random_below(16),
		.hardware = span->prot >> SPAN_KEY_SHIFT,
	};

	if (!j->setup->state_clear)
		attrs.flags |= NW_LEAF_ACCESSED | NW_LEAF_DIRTY;
	if (!is_nested(j) && span->user)
		attrs.flags |= NW_LEAF_USER;
	if (!is_nested(j) && random_below(2))
		attrs.flags |= NW_LEAF_NOT_GLOBAL;
	return attrs;
}

/* A span that wants leaves of `level`; now and then with pages at its ends, or
 * with addresses that allow pages only. */
static struct span choose_span(const struct judge *j, unsigned level)
{
	static const uint8_t count[3] = {40, 3, 2};
	const unsigned lg2 = 12 + 9 * level;
	const uint64_t unit = UINT64_C(1) << lg2;
	const uint64_t units = (j->end - j->low) >> lg2;
	struct span span = {
		.ia = j->low + (random_below(units) << lg2),
		.size_bytes = (1 + random_below(count[level])) << lg2,
		.pa = islands[random_below(ISLANDS)],
		.prot = (uint8_t)(NW_PROT_R | random_below(2) * NW_PROT_W |
				  random_below(2) * NW_PROT_X),
		.user = (uint8_t)random_below(2),
	};

	if (!has(j, NW_FEAT_X86_NX))
		span.prot |= NW_PROT_X;
	if (has(j, NW_FEAT_X86_PKU))
		span.prot |= (uint8_t)(random_below(16) << SPAN_KEY_SHIFT);
	if (level)
		span.pa &= ~(unit - 1);
	else
		span.pa += random_below(ISLAND_BYTES / PAGE) * PAGE;
	/* Not two of 1 GiB where their addresses are not there. */
	if (level == 2)
		span.size_bytes = unit;
	if (level && random_below(4) == 0) {
		const uint64_t cut = (1 + random_below(511)) * PAGE;

		span.ia += cut;
		span.pa += cut;
		span.size_bytes -= cut;
	}
	if (level == 1 && random_below(4) == 0)
		span.pa += PAGE;
	return span;
}

static void map_span(struct judge *j, const struct span *span, int exists)
{
	const struct nw_attrs attrs = attrs_of(j, span);
	enum nw_status got;
	struct nw_result r;

	got = nw_map(&j->table, NW_IA(span->ia), span->size_bytes,
		     NW_PA(span->pa), &attrs, NW_LEVEL_ANY, NULL, &r);
	if (said_ok(j, "nw_map", span->ia, got, exists ? NW_E_EXISTS : NW_OK) &&
	    !exists)
		check(j, model_add(&j->model, span), "spans", 0, 0, 1);
}

static void map_some(struct judge *j, unsigned maps)
{
	const uint64_t oa_end = UINT64_C(1) << machine_oa_bits();
	unsigned first;

	for (unsigned i = 0; i < maps; i++) {
		const struct span span = choose_span(j, i % 3);

		if (span.ia + span.size_bytes > j->end ||
		    span.pa + span.size_bytes > oa_end)
			continue;
		map_span(j, &span,
			 model_meets(&j->model, span.ia,
				     span.ia + span.size_bytes, &first));
	}
}

/* ---- changes ------------------------------------------------------------ */

struct part {
	uint64_t ia;
	uint64_t end;
	uint64_t sample[SAMPLES]; /* addresses inside; the first is backed */
};

/* A random part of a random span, or all of it; 0: there is no span. */
static int choose_part(struct judge *j, struct part *p)
{
	const struct span *span;
	uint64_t pages;

	if (!j->model.spans)
		return 0;
	span = &j->model.span[random_below(j->model.spans)];
	p->ia = span->ia;
	p->end = span->ia + span->size_bytes;
	if (!address_in_span(span, &p->sample[0]))
		p->sample[0] = span->ia;
	if (random_below(4)) {
		p->ia = p->sample[0] & ~(PAGE - 1);
		pages = 1 + random_below(random_below(2) ? 8 : 1200);
		if (pages * PAGE < p->end - p->ia)
			p->end = p->ia + pages * PAGE;
	}
	for (unsigned i = 1; i < SAMPLES; i++)
		p->sample[i] =
			p->ia + (random_below(p->end - p->ia) & ~UINT64_C(7));
	return 1;
}

static void unmap_part(struct judge *j, uint64_t ia, uint64_t end)
{
	struct nw_result r;

	if (!model_cut(&j->model, ia, end))
		return;
	said_ok(j, "nw_unmap", ia,
		nw_unmap(&j->table, NW_IA(ia), end - ia, NULL, &r), NW_OK);
	model_remove(&j->model, ia, end);
}

/* The write right; and execute where it can be withheld, and (to add it) all
 * pages are of one kind: nested. */
static unsigned choose_prot(const struct judge *j, enum nw_protect how)
{
	const int x = has(j, NW_FEAT_X86_NX) &&
		      (how == NW_PROTECT_RESTRICT || is_nested(j));
	const unsigned prot = (unsigned)random_below(x ? 3 : 1);

	return prot == 0   ? NW_PROT_W
	       : prot == 1 ? NW_PROT_X
			   : NW_PROT_W | NW_PROT_X;
}

static void protect_part(struct judge *j, uint64_t ia, uint64_t end,
			 enum nw_protect how)
{
	const unsigned prot = choose_prot(j, how);
	struct model *m = &j->model;
	struct nw_result r;
	unsigned i;

	if (!model_cut(m, ia, end) || !model_meets(m, ia, end, &i))
		return;
	said_ok(j, "nw_protect", ia,
		nw_protect(&j->table, NW_IA(ia), end - ia, how, prot, NULL, &r),
		NW_OK);
	for (; i < m->spans && m->span[i].ia < end; i++)
		m->span[i].prot = how == NW_PROTECT_RELAX
					  ? m->span[i].prot | (uint8_t)prot
					  : m->span[i].prot & (uint8_t)~prot;
	/* Adding rights does not flush: who faults does. */
	if (how == NW_PROTECT_RELAX)
		flush_all();
}

static void write_protect_part(struct judge *j, uint64_t ia, uint64_t end)
{
	struct model *m = &j->model;
	struct nw_result r;
	unsigned i;

	if (!model_cut(m, ia, end) || !model_meets(m, ia, end, &i))
		return;
	said_ok(j, "nw_write_protect", ia,
		nw_write_protect(&j->table, NW_IA(ia), end - ia, NULL, NULL,
				 NULL, &r),
		NW_OK);
	for (; i < m->spans && m->span[i].ia < end; i++)
		m->span[i].prot &= (uint8_t)~NW_PROT_W;
}

static void split_at(struct judge *j, uint64_t ia)
{
	const unsigned level = (unsigned)random_below(2);
	struct nw_result r;

	said_ok(j, "nw_split", ia,
		nw_split(&j->table, NW_IA(ia & ~(PAGE - 1)), level, NULL, &r),
		NW_OK);
}

/* Everything that can be one leaf again, and tables that have become empty. */
static void fold_all(struct judge *j)
{
	enum nw_status status;
	struct nw_result r;
	uint64_t at = j->low;

	do {
		status = nw_collapse(&j->table, NW_IA(at), j->end - at,
				     NW_LEVEL_ANY, BUDGET_PAGES, &r);
		at = r.reached;
	} while (status == NW_MORE);
	said_ok(j, "nw_collapse", at, status, NW_OK);
	at = j->low;
	do {
		status = nw_reclaim_tables(&j->table, NW_IA(at), j->end - at,
					   BUDGET_PAGES, &r);
		at = r.reached;
	} while (status == NW_MORE);
	said_ok(j, "nw_reclaim_tables", at, status, NW_OK);
}

static void change(struct judge *j, const struct part *p)
{
	switch (random_below(6)) {
	case 0:
		unmap_part(j, p->ia, p->end);
		return;
	case 1:
		protect_part(j, p->ia, p->end, NW_PROTECT_RELAX);
		return;
	case 2:
	case 3:
		protect_part(j, p->ia, p->end, NW_PROTECT_RESTRICT);
		return;
	case 4:
		write_protect_part(j, p->ia, p->end);
		return;
	default:
		split_at(j, p->ia);
		return;
	}
}

/* Judged before, so that the CPU knows the old translations, and at once
 * afterwards: what has changed was flushed. */
static void change_something(struct judge *j)
{
	struct part p;

	if (!choose_part(j, &p))
		return;
	for (unsigned i = 0; i < SAMPLES; i++) {
		judge_data(j, p.sample[i]);
		judge_fetch(j, p.sample[i]);
	}
	change(j, &p);
	for (unsigned i = 0; i < SAMPLES; i++) {
		judge_data(j, p.sample[i]);
		judge_fetch(j, p.sample[i]);
	}
}

/* ---- one configuration --------------------------------------------------- */

static uint64_t *root_of(const struct judge *j)
{
	return (uint64_t *)(uintptr_t)(nw_table_root(&j->table).v +
				       payload_port.virt_minus_phys);
}

static int begin(struct judge *j, const struct setup *setup)
{
	const struct nw_table_config config = {
		.ops = setup->ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = setup->ia_bits,
			   .oa_bits = (uint8_t)machine_oa_bits(),
			   .features = setup->features},
		.port = &payload_port,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = setup->regime,
	};
	enum nw_status status;
	struct nw_result r;
	struct model *m = &j->model;

	memset(j, 0, offsetof(struct judge, model));
	memset((char *)m + sizeof(*m), 0,
	       sizeof(*j) - offsetof(struct judge, model) - sizeof(*m));
	m->spans = 0;
	j->setup = setup;
	status = nw_table_init(&j->table, &config, &r);
	if (!said_ok(j, "nw_table_init", 0, status, NW_OK))
		return 0;
	j->low = UINT64_C(1)
		 << nw_span_lg2(&j->table.geo, j->table.geo.levels - 1u);
	j->end = UINT64_C(1) << setup->ia_bits;
	/* What a guest can address. */
	if (is_nested(j) && setup->ia_bits > machine_oa_bits())
		j->end = UINT64_C(1) << machine_oa_bits();
	*root_of(j) = is_nested(j) ? guest_root_entry() : own_root_entry();
	return 1;
}

/* Was every kind of leaf and of fault met? */
static void check_coverage(struct judge *j)
{
	const unsigned leaf_levels = has(j, NW_FEAT_X86_1G) ? 3 : 2;

	if (PARAMS->addresses < ADDRESSES_FOR_ALL)
		return;
	for (unsigned level = 0; level < leaf_levels; level++)
		check(j, j->through[level] != 0, "leaves of level", level, 0,
		      1);
	for (unsigned i = 0; i < 4; i++)
		check(j, j->quarters[i] != 0, "quarter of the range", i, 0, 1);
	for (unsigned how = 0; how < ACCESS_COUNT; how++)
		check(j, j->faults[how] != 0, "faults of access", how, 0, 1);
	if (has(j, NW_FEAT_X86_PKU))
		check(j, j->key_faults != 0, "faults by key", 0, 0, 1);
	for (unsigned kind = 0; kind < WORD_KINDS; kind++)
		check(j, j->words[kind] != 0, "entries of kind", kind, 0, 1);
}

static void finish(struct judge *j)
{
	struct nw_result r;

	said_ok(j, "nw_unmap", 0,
		nw_unmap(&j->table, NW_IA(j->low), j->end - j->low, NULL, &r),
		NW_OK);
	j->model.spans = 0;
	judge_addresses(j, 500);
	set_cr3(own_cr3());
	flush_all();
	*root_of(j) = 0;
	nw_table_destroy(&j->table);
	check(j, pool_pages_live() == 0, "table pages left", 0,
	      pool_pages_live(), 0);
	say("%s: %u addresses, %u operations, %u passed, %u failed; "
	    "leaves %u %u %u; faults %u %u %u, by key %u; entries %u %u %u "
	    "%u\n",
	    j->setup->name, j->addresses, j->operations, j->passed, j->failed,
	    j->through[0], j->through[1], j->through[2], j->faults[ACCESS_LOAD],
	    j->faults[ACCESS_STORE], j->faults[ACCESS_FETCH], j->key_faults,
	    j->words[WORD_NOT_PRESENT], j->words[WORD_RESERVED],
	    j->words[WORD_LEAF], j->words[WORD_TABLE]);
}

static void judge_setup(struct judge *j, const struct setup *setup)
{
	if (!begin(j, setup))
		return;
	map_some(j, MAPS);
	judge_install(j, nw_table_root(&j->table).v);
	judge_addresses(j, PARAMS->addresses);
	flushes_leave_out(PARAMS->plant == PLANT_NO_FLUSH);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < CHANGES; i++)
			change_something(j);
		judge_addresses(j, PARAMS->addresses / 8);
		judge_state(j);
		fold_all(j);
		map_some(j, MAPS / 8);
		judge_addresses(j, PARAMS->addresses / 8);
	}
	judge_entries(j, PARAMS->addresses);
	check_coverage(j);
	judge_install(j, nw_table_root(&j->table).v);
	finish(j);
}

void payload_main(void)
{
	const int five = PARAMS->levels == 5;
	const struct setup *setup = five ? five_levels : four_levels;
	const unsigned setups =
		five ? sizeof(five_levels) / sizeof(five_levels[0])
		     : sizeof(four_levels) / sizeof(four_levels[0]);
	uint64_t passed = 0, failed = 0;

	random_seed(PARAMS->seed);
	machine_start();
	islands_choose();
	guest_start();
	say("seed %u: %u levels, %u address bits\n", PARAMS->seed,
	    PARAMS->levels, (uint64_t)machine_oa_bits());
	for (unsigned i = 0; i < setups; i++) {
		if (!(PARAMS->kinds >> (setup[i].regime == NW_REGIME_NPT) & 1))
			continue;
		judge_setup(&judge, &setup[i]);
		passed += judge.passed;
		failed += judge.failed;
	}
	say("total: %u passed, %u failed\n", passed, failed);
	machine_exit(failed != 0);
}
