/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random tables of the library, judged by a hart that translates with them:
 * after mapping, after each round of changes, and after everything is gone.
 */
#include "judge.h"

#include <nestwalk/riscv.h>

#define PAGE	      UINT64_C(4096)
#define MAPS	      120
#define ROUNDS	      6
#define CHANGES	      24

#define FEATURES_MOST (NW_FEAT_SVADU | NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT)
#define BUDGET_PAGES  64
#define SAMPLES	      3

void payload_main(void);

static struct judge judge;

#define G_STAGE(name, bits, clear, features)                                   \
	{                                                                      \
		name, &nw_riscv_g_ops, NW_REGIME_RISCV_G, bits, clear,         \
			NW_FEAT_SVADU | (features)                             \
	}
#define FIRST_STAGE(name, bits, clear, features)                               \
	{                                                                      \
		name, &nw_riscv_s_ops, NW_REGIME_RISCV_S, bits, clear,         \
			NW_FEAT_SVADU | (features)                             \
	}

static const struct setup setups[] = {
	G_STAGE("Sv39x4", 41, 0, 0),
	G_STAGE("Sv48x4", 50, 0, 0),
	G_STAGE("Sv57x4", 59, 0, 0),
	G_STAGE("Sv39x4 Svnapot Svpbmt", 41, 1, FEATURES_MOST),
	G_STAGE("Sv48x4 Svnapot Svpbmt", 50, 1, FEATURES_MOST),
	G_STAGE("Sv57x4 Svnapot Svpbmt", 59, 1, FEATURES_MOST),
	FIRST_STAGE("Sv39", 39, 0, 0),
	FIRST_STAGE("Sv48", 48, 0, 0),
	FIRST_STAGE("Sv57", 57, 0, 0),
	FIRST_STAGE("Sv39 Svnapot Svpbmt", 39, 1, FEATURES_MOST),
	FIRST_STAGE("Sv48 Svnapot Svpbmt", 48, 1, FEATURES_MOST),
	FIRST_STAGE("Sv57 Svnapot Svpbmt", 57, 1, FEATURES_MOST),
};

static int said_ok(struct judge *j, const char *what, uint64_t ia,
		   enum nw_status got, enum nw_status want)
{
	j->operations++;
	return check(j, got == want, what, ia, (uint64_t)got, (uint64_t)want);
}

/* ---- map ---------------------------------------------------------------- */

/* NW_PROT_X stands for whoever may execute such a page. */
static unsigned prot_of(const struct judge *j, const struct span *span)
{
	unsigned x = NW_PROT_X;

	if (!is_g_stage(j))
		x = span->user ? NW_PROT_UX : NW_PROT_PX;
	return (span->prot & NW_PROT_RW) | (span->prot & NW_PROT_X ? x : 0);
}

static struct nw_attrs attrs_of(const struct judge *j, const struct span *span)
{
	static const uint8_t memtype[3] = {NW_MEM_NORMAL_WB, NW_MEM_NORMAL_NC,
					   NW_MEM_DEVICE_nGRE};
	struct nw_attrs attrs = {
		.prot = (uint8_t)prot_of(j, span),
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.software = (uint8_t)random_below(4),
	};

	if (j->setup->features & NW_FEAT_SVPBMT)
		attrs.memtype = memtype[random_below(3)];
	if (!j->setup->state_clear)
		attrs.flags |= NW_LEAF_ACCESSED | NW_LEAF_DIRTY;
	if (!is_g_stage(j) && span->user)
		attrs.flags |= NW_LEAF_USER;
	if (!is_g_stage(j) && random_below(2))
		attrs.flags |= NW_LEAF_NOT_GLOBAL;
	return attrs;
}

/* A span that wants leaves of `level`; now and then with pages at its ends, or
 * with addresses that allow pages only. */
static struct span choose_span(const struct judge *j, unsigned level)
{
	static const uint8_t prots[] = {NW_PROT_R, NW_PROT_RW, NW_PROT_X,
					NW_PROT_R | NW_PROT_X, NW_PROT_RWX};
	static const uint8_t count[NW_LEVELS_MAX] = {40, 3, 2, 1, 1};
	const unsigned lg2 = 12 + 9 * level;
	const uint64_t unit = UINT64_C(1) << lg2;
	const uint64_t units = UINT64_C(1) << (j->setup->ia_bits - lg2);
	struct span span = {
		.ia = random_below(units) << lg2,
		.size_bytes = (1 + random_below(count[level])) << lg2,
		.pa = islands[random_below(ISLANDS)],
		.prot = prots[random_below(sizeof(prots))],
		.user = (uint8_t)random_below(2),
	};

	if (level)
		span.pa &= ~(unit - 1);
	else
		span.pa += random_below(ISLAND_BYTES / PAGE) * PAGE;
	if (level && random_below(4) == 0) {
		const uint64_t cut = (1 + random_below(511)) * PAGE;

		span.ia += cut;
		span.pa += cut;
	}
	if (level == 1 && random_below(4) == 0)
		span.pa += PAGE;
	if ((j->setup->features & NW_FEAT_SVNAPOT) && level == 0 &&
	    random_below(2)) {
		span.size_bytes = RUN_PAGES * PAGE;
		span.ia &= ~(span.size_bytes - 1);
		span.pa &= ~(span.size_bytes - 1);
	}
	return span;
}

static void map_span(struct judge *j, const struct span *span, int exists)
{
	const struct nw_attrs attrs = attrs_of(j, span);
	struct nw_result r;

	if (!said_ok(j, "nw_map", span->ia,
		     nw_map(&j->table, NW_IA(span->ia), span->size_bytes,
			    NW_PA(span->pa), &attrs, NW_LEVEL_ANY, NULL, &r),
		     exists ? NW_E_EXISTS : NW_OK))
		return;
	if (!exists)
		check(j, model_add(&j->model, span), "spans", 0, 0, 1);
}

static void map_some(struct judge *j, unsigned maps)
{
	const uint64_t range = UINT64_C(1) << j->setup->ia_bits;
	unsigned first;

	for (unsigned i = 0; i < maps; i++) {
		unsigned level = i % j->table.geo.levels;
		struct span span;

		/* Of the largest leaves a few: they fill the range. */
		if (level + 1 == j->table.geo.levels && random_below(3))
			level = 0;
		span = choose_span(j, level);
		if (span.ia + span.size_bytes > range)
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

/* New rights of a span, 0 where there is no such leaf. */
static unsigned changed(unsigned old, enum nw_protect how, unsigned prot)
{
	const unsigned now = how == NW_PROTECT_RELAX ? old | prot : old & ~prot;

	return (now & NW_PROT_RW) == NW_PROT_W ? 0 : now;
}

/* Execute is added where all pages are of one kind: in the G-stage. */
static void protect_part(struct judge *j, uint64_t ia, uint64_t end,
			 enum nw_protect how)
{
	static const uint8_t prots[] = {NW_PROT_R, NW_PROT_W, NW_PROT_RW,
					NW_PROT_X, NW_PROT_R | NW_PROT_X};
	const unsigned prot = prots[random_below(sizeof(prots))];
	struct model *m = &j->model;
	unsigned first, i;
	struct nw_result r;

	if (how == NW_PROTECT_RELAX && (prot & NW_PROT_X) && !is_g_stage(j))
		return;
	if (!model_meets(m, ia, end, &first) || !model_cut(m, ia, end))
		return;
	model_meets(m, ia, end, &first);
	for (i = first; i < m->spans && m->span[i].ia < end; i++)
		if (!changed(m->span[i].prot, how, prot))
			return;
	said_ok(j, "nw_protect", ia,
		nw_protect(&j->table, NW_IA(ia), end - ia, how, prot, NULL, &r),
		NW_OK);
	for (i = first; i < m->spans && m->span[i].ia < end; i++)
		m->span[i].prot = (uint8_t)changed(m->span[i].prot, how, prot);
	/* Adding rights does not flush: who faults does. */
	if (how == NW_PROTECT_RELAX)
		fence_all();
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
	const uint64_t all = UINT64_C(1) << j->setup->ia_bits;
	enum nw_status status;
	struct nw_result r;
	uint64_t at = 0;

	do {
		status = nw_collapse(&j->table, NW_IA(at), all - at,
				     NW_LEVEL_ANY, BUDGET_PAGES, &r);
		at = r.reached;
	} while (status == NW_MORE);
	said_ok(j, "nw_collapse", at, status, NW_OK);
	at = 0;
	do {
		status = nw_reclaim_tables(&j->table, NW_IA(at), all - at,
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

/*
 * Judged before, so that the hart knows the old translations, and at once
 * afterwards: what has changed was flushed. Fetches stand outside, for entering
 * and leaving the guest may flush (in QEMU it does).
 */
static void change_something(struct judge *j)
{
	struct part p;
	unsigned i;

	if (!choose_part(j, &p))
		return;
	for (i = 0; i < SAMPLES; i++)
		judge_fetch(j, p.sample[i]);
	for (i = 0; i < SAMPLES; i++)
		judge_data(j, p.sample[i]);
	change(j, &p);
	for (i = 0; i < SAMPLES; i++)
		judge_data(j, p.sample[i]);
	for (i = 0; i < SAMPLES; i++)
		judge_fetch(j, p.sample[i]);
}

/* ---- one configuration --------------------------------------------------- */

static int begin(struct judge *j, const struct setup *setup)
{
	const struct nw_table_config config = {
		.ops = setup->ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = setup->ia_bits,
			   .oa_bits = 56,
			   .features = setup->features},
		.port = &payload_port,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = setup->regime,
		.tag = 1,
		.runs = NW_RUNS_AUTO, /* where the hart has Svnapot */
	};
	enum nw_status status;
	struct nw_result r;

	j->setup = setup;
	j->model.spans = 0;
	j->passed = j->failed = j->addresses = j->operations = j->runs = 0;
	for (unsigned i = 0; i < ACCESS_COUNT; i++)
		j->faults[i] = 0;
	for (unsigned i = 0; i < NW_LEVELS_MAX; i++)
		j->through[i] = 0;
	for (unsigned i = 0; i < 4; i++)
		j->quarters[i] = 0;
	status = nw_table_init(&j->table, &config, &r);
	return said_ok(j, "nw_table_init", 0, status, NW_OK);
}

/* Did the hart take the register, and was every kind of leaf met? */
static void check_coverage(struct judge *j)
{
	const uint64_t mode =
		(is_g_stage(j) ? guest_hgatp() : guest_vsatp()) >> 60;
	const unsigned levels = j->table.geo.levels;

	check(j, mode == levels + 5u, "MODE", 0, mode, levels + 5u);
	for (unsigned level = 0; level < levels; level++)
		check(j, j->through[level] != 0, "leaves of level", level, 0,
		      1);
	for (unsigned i = 0; i < 4; i++)
		check(j, j->quarters[i] != 0, "quarter of the range", i, 0, 1);
	for (unsigned how = 0; how < ACCESS_COUNT; how++)
		check(j, j->faults[how] != 0, "faults of access", how, 0, 1);
	if (j->setup->features & NW_FEAT_SVNAPOT)
		check(j, j->runs != 0, "Svnapot runs", 0, 0, 1);
}

static void finish(struct judge *j)
{
	const uint64_t all = UINT64_C(1) << j->setup->ia_bits;
	struct nw_result r;

	said_ok(j, "nw_unmap", 0, nw_unmap(&j->table, NW_IA(0), all, NULL, &r),
		NW_OK);
	j->model.spans = 0;
	judge_addresses(j, 500);
	guest_translation(0, 0);
	nw_table_destroy(&j->table);
	check(j, pool_pages_live() == 0, "table pages left", 0,
	      pool_pages_live(), 0);
	say("%s: %u addresses, %u operations, %u passed, %u failed; leaves "
	    "%u %u %u %u %u, runs %u; faults %u %u %u %u\n",
	    j->setup->name, j->addresses, j->operations, j->passed, j->failed,
	    j->through[0], j->through[1], j->through[2], j->through[3],
	    j->through[4], j->runs, j->faults[ACCESS_LOAD],
	    j->faults[ACCESS_STORE], j->faults[ACCESS_LOAD_EXEC],
	    j->faults[ACCESS_FETCH]);
}

static void judge_setup(struct judge *j, const struct setup *setup)
{
	if (!begin(j, setup))
		return;
	map_some(j, MAPS);
	judge_install(j);
	judge_addresses(j, PARAMS->addresses);
	fences_leave_out(PARAMS->plant == PLANT_NO_FENCE);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < CHANGES; i++)
			change_something(j);
		judge_addresses(j, PARAMS->addresses / 8);
		judge_state(j);
		fold_all(j);
		map_some(j, MAPS / 8);
		judge_addresses(j, PARAMS->addresses / 8);
	}
	check_coverage(j);
	finish(j);
}

void payload_main(void)
{
	uint64_t passed = 0, failed = 0;

	say("seed %u\n", PARAMS->seed);
	random_seed(PARAMS->seed);
	islands_choose();
	host_translation();
	probe();
	for (unsigned i = 0; i < sizeof(setups) / sizeof(setups[0]); i++) {
		judge_setup(&judge, &setups[i]);
		passed += judge.passed;
		failed += judge.failed;
		if (PARAMS->plant && failed)
			break; /* noticed */
	}
	say("total: %u passed, %u failed\n", passed, failed);
	machine_exit(failed != 0);
}
