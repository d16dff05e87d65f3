// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a sequence of operations on a table of any format. Two judges:
 * the flat model of tests/conformance says what the table must translate, and
 * the oracle listens to every entry, page, barrier and invalidation.
 *
 * First bytes: format, configuration, mode, attributes, place. Then five bytes
 * an operation: what, where, how much, and what it takes in addition.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check/check.h>
#include <nestwalk/gather.h>
#include <nestwalk/trace.h>

#include "../conformance/rig.h"
#include "nw_port.h"

#define CONFIGS_MAX 256
#define OPS_MAX	    64
#define LEAVES_MAX  192 /* that one operation may make or touch */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct run {
	struct rig rig;
	struct nwv_check *check;
	struct nw_port_ops real;
	struct nw_attrs attrs;
	uint64_t base, limit, seq;
	unsigned allocs_left; /* then one fails; 0: none does */
	int failed_alloc;
	int has_state; /* harvests and ages, but does not collapse */
	const uint8_t *at, *end;
};

static struct run run;

static unsigned take(void)
{
	return run.at < run.end ? *run.at++ : 0;
}

/* ---- the port: it fails on demand, and tells the oracle ---------------------
 */

static void *alloc_pages(void *ctx, unsigned pages_lg2)
{
	if (run.allocs_left && !--run.allocs_left) {
		run.failed_alloc = 1;
		return NULL;
	}
	return run.real.alloc_pages(ctx, pages_lg2);
}

/* The instruction that drops everything of a table, this CPU being the only
 * one; what each range asks for is the flat judge's business. */
static void invalidate(void *ctx, const struct nw_flush_request *q)
{
	enum nw_tlbi op = NW_TLBI_VMALLS12E1IS;
	uint64_t tag = q->tag;

	run.real.invalidate(ctx, q);
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_ISHST, 0, 0);
	switch (q->regime) {
	case NW_REGIME_STAGE2:
		break;
	case NW_REGIME_EL2:
		op = NW_TLBI_ALLE2IS;
		tag = 0;
		break;
	case NW_REGIME_EL10:
		op = NW_TLBI_VMALLE1IS;
		break;
	case NW_REGIME_X86:
		op = NW_TLBI_X86_INVPCID_ALL;
		break;
	case NW_REGIME_NPT:
		op = NW_TLBI_X86_ASID_ALL;
		break;
	case NW_REGIME_EPT:
		op = NW_TLBI_X86_INVEPT_ALL;
		break;
	case NW_REGIME_RISCV_S:
		op = NW_TLBI_RISCV_SFENCE_VMA_ALL;
		break;
	default:
		op = NW_TLBI_RISCV_HFENCE_GVMA_ALL;
		break;
	}
	NW_TRACE(NW_EV_TLBI, op, 0, tag);
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_ISH, 0, 0);
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_ISB, 0, 0);
}

static void listen(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
		   const char *file, unsigned line)
{
	struct nwv_event e = {
		.seq = run.seq++,
		.a = a,
		.b = b,
		.c = c,
		.kind = (uint16_t)event,
		.line = line,
		.file = file,
	};

	if (run.check)
		nwv_check_event(run.check, &e);
}

/* ---- what the bytes stand for
 * ------------------------------------------------ */

struct config_list {
	unsigned n;
	struct nw_format_config config[CONFIGS_MAX];
};

static const struct config_list *configs_of(unsigned format)
{
	static struct config_list *list[64];
	unsigned n = 0;

	if (list[format])
		return list[format];
	list[format] = calloc(1, sizeof(*list[format]));
	if (!list[format])
		abort();
	while (list[format]->n < CONFIGS_MAX &&
	       rig_next_config(nw_all_formats[format], &n,
			       &list[format]->config[list[format]->n]))
		list[format]->n++;
	return list[format];
}

/* A range inside the table; 0: there is none. At most so many leaves of
 * `level` are in it. */
static int take_range(unsigned level, uint64_t *start, uint64_t *size)
{
	const unsigned where = take(), offset = take(), length = take();
	const struct nw_geometry *geo = run.rig.geo;
	const unsigned grain = where % geo->levels;
	const uint64_t granule = rig_span(&run.rig, 0);
	uint64_t most = rig_span(&run.rig, level < geo->levels ? level : 0);

	*start = run.base + (uint64_t)(where >> 3) * rig_span(&run.rig, grain);
	if (offset & 8)
		*start += (offset & 7) * granule;
	*size = (length & 7) + 1;
	*size *= length & 8 ? rig_span(&run.rig, grain) : granule;
	if (*start >= run.limit)
		return 0;
	if (*size > run.limit - *start)
		*size = run.limit - *start;
	most *= LEAVES_MAX;
	if (*size > most)
		*size = most;
	return 1;
}

/* What stands in the range: leaves, or leaves and annotations. */
enum there { THERE_LEAF, THERE_ANY };

static int is_there(enum there what, uint64_t start, uint64_t end)
{
	const struct flat *flat = &run.rig.flat;

	for (unsigned i = 0; i < flat->spans; i++) {
		if (flat->span[i].start < end && flat->span[i].end > start &&
		    (what == THERE_ANY || !flat->span[i].annotation))
			return 1;
	}
	return 0;
}

/* A level where leaves may be; it is the largest for maps. */
static unsigned take_level(void)
{
	unsigned level = take() % NW_LEVELS_MAX;

	while (!(run.rig.geo->leaf_levels >> level & 1))
		level = (level + 1) % NW_LEVELS_MAX;
	return level;
}

/* ---- what becomes of the model
 * ------------------------------------------------ */

static int is_ageing(void)
{
	struct nw_attrs old = run.attrs;
	nw_entry_t entry;

	old.flags &= (uint16_t)~NW_LEAF_ACCESSED;
	return run.rig.ops->encode_leaf(run.rig.geo, 0, NW_PA(0), &old,
					&entry) == NW_OK;
}

/* ---- operations
 * -------------------------------------------------------------- */

/* NW_OK, or NW_E_NOMEM where an allocation was made to fail. 1: it was OK. */
static int fine(enum nw_status status)
{
	if (status == NW_E_NOMEM && run.failed_alloc)
		return 0;
	rig_expect(&run.rig, status, NW_OK);
	return 1;
}

static void op_map(void)
{
	struct nw_table *t = &run.rig.table;
	const unsigned level = take_level(), apart = take() & 1;
	const uint64_t oa = UINT64_C(1) << (run.rig.config.oa_bits - 1);
	uint64_t start, size;
	struct flat_span span;
	struct nw_result r;
	enum nw_status status;

	/* Not congruent: granules are all that fits. */
	if (!take_range(apart ? 0 : level, &start, &size))
		return;
	span = (struct flat_span){.start = start, .attrs = run.attrs};
	/* Congruent, or one granule off; never where the tables are. */
	span.pa = (start & (oa - 1)) + apart * rig_span(&run.rig, 0);
	if (span.pa + size > oa)
		return;
	status = nw_map(t, NW_IA(start), size, NW_PA(span.pa), &run.attrs,
			level, NULL, &r);
	if (is_there(THERE_ANY, start, start + size)) {
		/* Nothing was allocated before it was found. */
		rig_expect(&run.rig, status, NW_E_EXISTS);
		return;
	}
	span.end = fine(status) ? start + size : r.reached;
	if (span.end > start + size || span.end < start)
		rig_fail(&run.rig, "reached %#llx",
			 (unsigned long long)r.reached);
	if (span.end > start)
		flat_map(&run.rig.flat, &span);
}

static void op_unmap(void)
{
	uint64_t start, size;
	int was_there;

	if (!take_range(NW_LEVELS_MAX - 1, &start, &size))
		return;
	was_there = is_there(THERE_LEAF, start, start + size);
	rig_forget(&run.rig);
	if (!fine(nw_unmap(&run.rig.table, NW_IA(start), size, NULL, NULL)))
		return;
	if (was_there && !run.rig.flushes)
		rig_fail(&run.rig, "nothing was flushed");
	flat_unmap(&run.rig.flat, start, start + size);
}

static void op_rights(unsigned what)
{
	struct nw_table *t = &run.rig.table;
	uint64_t start, size;
	enum nw_status status;

	if (!take_range(0, &start, &size))
		return;
	if (what == 0)
		status = nw_write_protect(t, NW_IA(start), size, NULL, NULL,
					  NULL, NULL);
	else
		status = nw_protect(t, NW_IA(start), size,
				    what == 1 ? NW_PROTECT_RESTRICT
					      : NW_PROTECT_RELAX,
				    NW_PROT_W, NULL, NULL);
	if (fine(status))
		flat_each(&run.rig.flat, start, start + size,
			  what == 0   ? flat_write_protected
			  : what == 1 ? flat_without_write
				      : flat_with_write,
			  NULL);
}

/* Over the whole table: a leaf is taken whole, and the model knows no leaves.
 */
static void op_state(int is_age)
{
	struct nw_table *t = &run.rig.table;
	uint64_t told = 0, young, want = 0;

	if (is_age) {
		rig_expect(&run.rig,
			   nw_age(t, NW_IA(0), run.limit, NW_AGE_CLEAR, &young,
				  NULL),
			   NW_OK);
		if (is_ageing())
			flat_each(&run.rig.flat, 0, run.limit, flat_make_old,
				  NULL);
		return;
	}
	rig_expect(&run.rig,
		   nw_harvest_dirty(t, NW_IA(0), run.limit, flat_count_bytes,
				    &told, NULL),
		   NW_OK);
	flat_each(&run.rig.flat, 0, run.limit, flat_make_clean, &want);
	if (told != want)
		rig_fail(&run.rig, "%#llx bytes dirty, expected %#llx",
			 (unsigned long long)told, (unsigned long long)want);
}

static void op_shape(unsigned what)
{
	struct nw_table *t = &run.rig.table;
	const unsigned level = take_level(), budget = 1 + take() % 16;
	enum nw_status status;
	uint64_t start, size;

	if (!take_range(NW_LEVELS_MAX - 1, &start, &size))
		return;
	if (what == 0) {
		status = nw_split(t, NW_IA(start), level, NULL, NULL);
		if (!is_there(THERE_LEAF, start, start + 1))
			rig_expect(&run.rig, status, NW_E_ABSENT);
		else
			fine(status);
		return;
	}
	if (what == 1)
		status = nw_split_range(t, NW_IA(start), size, level, budget,
					NULL, NULL);
	else if (what == 2 && !run.has_state)
		status =
			nw_collapse(t, NW_IA(start), size, level, budget, NULL);
	else
		status = nw_reclaim_tables(t, NW_IA(start), size, budget, NULL);
	if (status != NW_MORE)
		fine(status);
}

/* The span takes the place of whatever is there. */
static void put(const struct flat_span *span)
{
	flat_unmap(&run.rig.flat, span->start, span->end);
	flat_map(&run.rig.flat, span);
}

static void op_annotate(void)
{
	const uint64_t most = UINT64_C(1) << run.rig.ops->annotation_bits;
	struct flat_span span = {.annotation = take() % 4 * (most / 4)};
	uint64_t start, size;

	if (!take_range(NW_LEVELS_MAX - 1, &start, &size))
		return;
	span.start = start;
	span.end = start + size;
	rig_expect(&run.rig,
		   nw_annotate(&run.rig.table, NW_IA(start), size,
			       span.annotation, NULL, NULL, NULL),
		   NW_OK);
	if (span.annotation)
		put(&span);
	else
		flat_clear(&run.rig.flat, start, start + size);
}

static void op_remap(void)
{
	const uint64_t oa = UINT64_C(1) << (run.rig.config.oa_bits - 1);
	const unsigned level = take_level();
	struct flat_span span = {.attrs = run.attrs};
	uint64_t start, size;

	if (!take_range(level, &start, &size))
		return;
	span.start = start;
	span.end = start + size;
	span.pa = start & (oa - 1);
	if (span.pa + size > oa)
		return;
	rig_forget(&run.rig);
	rig_expect(&run.rig,
		   nw_remap(&run.rig.table, NW_IA(start), size, NW_PA(span.pa),
			    &run.attrs, level, NULL, NULL, NULL, NULL),
		   NW_OK);
	put(&span);
}

/* Two ranges, one flush. */
static void op_gather(void)
{
	struct nw_gather g;
	uint64_t start, size;
	int was_there = 0;

	rig_forget(&run.rig);
	nw_gather_begin(&g, &run.rig.table);
	for (unsigned i = 0; i < 2; i++) {
		if (!take_range(NW_LEVELS_MAX - 1, &start, &size))
			continue;
		was_there |= is_there(THERE_LEAF, start, start + size);
		rig_expect(&run.rig,
			   nw_unmap_gather(&run.rig.table, NW_IA(start), size,
					   NULL, &g, NULL),
			   NW_OK);
		flat_unmap(&run.rig.flat, start, start + size);
	}
	(void)nw_gather_finish(&g);
	if (was_there && !run.rig.flushes)
		rig_fail(&run.rig, "nothing was flushed");
}

/* Operations whose failures other tests judge. */
static void op_place(unsigned what)
{
	run.allocs_left = 0;
	if (what == 0)
		op_annotate();
	else if (what == 1)
		op_remap();
	else
		op_gather();
}

static void one_operation(void)
{
	const unsigned what = take();

	/* One in four fails an allocation, if it comes to that many. */
	run.allocs_left = what & 0xc0 ? 0 : 1 + (what >> 4 & 3);
	run.failed_alloc = 0;
	switch (what % 16) {
	case 0 ... 3:
		run.rig.step = "map";
		op_map();
		break;
	case 4 ... 5:
		run.rig.step = "unmap";
		op_unmap();
		break;
	case 6 ... 7:
		run.rig.step = "place";
		op_place((what >> 4) % 3);
		break;
	case 8 ... 10:
		run.rig.step = "rights";
		op_rights(what % 16 - 8);
		break;
	case 11 ... 12:
		run.rig.step = "state";
		if (run.has_state)
			op_state(what % 16 == 11);
		break;
	default:
		run.rig.step = "shape";
		op_shape(what % 16 - 13);
		break;
	}
	run.allocs_left = 0;
}

/* ---- a run
 * --------------------------------------------------------------------- */

static void open_run(void)
{
	unsigned formats = 0, format, mode, attrs, place;
	const struct config_list *list;
	struct nw_table *t = &run.rig.table;

	while (nw_all_formats[formats])
		formats++;
	format = take() % formats;
	list = configs_of(format);
	run.check = nwv_check_new(NULL);
	if (!run.check)
		abort();
	run.seq = 0;
	const struct nw_format_config *config = &list->config[take() % list->n];

	mode = take();
	attrs = take();
	place = take();
	run.has_state = mode >> 7;
	/* Members of a run share accessed and dirty; the model's spans do not.
	 */
	rig_open(&run.rig, nw_all_formats[format], config,
		 (enum nw_mode)(mode % 3),
		 mode & 0x40 && !run.has_state ? NW_RUNS_AUTO : NW_RUNS_CALLER);
	run.real = run.rig.port;
	run.rig.port.alloc_pages = alloc_pages;
	run.rig.port.invalidate = invalidate;
	NW_TRACE(NW_EV_ROOT_SWITCH, t->root_pa.v, t->tag, t->regime);
	run.limit = UINT64_C(1) << config->ia_bits;
	/* Around a boundary of tables, or at an end. */
	run.base = place & 1 ? run.limit / 2 : 0;
	if (place & 2 && run.base >= 4 * rig_span(&run.rig, 1))
		run.base -= 4 * rig_span(&run.rig, 1);
	attrs %= 8;
	while (!rig_attrs(run.rig.ops, run.rig.geo, attrs, &run.attrs))
		attrs /= 2;
}

static void tear_down(void)
{
	enum nw_status status;

	run.rig.step = "teardown";
	do
		status = nw_table_teardown_step(&run.rig.table, 1 + take());
	while (status == NW_MORE);
	rig_expect(&run.rig, status, NW_OK);
	run.rig.flat.spans = 0;
	rig_check(&run.rig);
	/* This CPU walks another table from now on. */
	NW_TRACE(NW_EV_ROOT_SWITCH, 0, 0, run.rig.table.regime);
	rig_close(&run.rig);
}

static void judge(void)
{
	enum nwv_check_status verdict = nwv_check_end(run.check);
	char text[2000];

	if (verdict == NWV_CHECK_VIOLATION) {
		nwv_violation_text(nwv_check_violation(run.check, 0), text,
				   sizeof(text));
		fprintf(stderr, "the oracle: %s\n", text);
		rig_fail(&run.rig, "the oracle refutes it");
	}
	if (verdict != NWV_CHECK_CLEAN && verdict != NWV_CHECK_UNSUPPORTED)
		rig_fail(&run.rig, "the oracle: %s",
			 nwv_check_problem(run.check));
	nwv_check_free(run.check);
	run.check = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	unsigned i;

	run.at = data;
	run.end = data + bytes;
	nw_posix_trace_hook = listen;
	open_run();
	for (i = 0; i < OPS_MAX && run.at < run.end; i++) {
		if (run.rig.flat.spans > FLAT_SPANS - 4)
			break;
		one_operation();
		if (i % 8 == 7)
			rig_check(&run.rig);
	}
	rig_check(&run.rig);
	tear_down();
	judge();
	return 0;
}
