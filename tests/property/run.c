/* SPDX-License-Identifier: BSD-2-Clause */
#include "state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "nw_port.h"

/* ---- one operation of each kind --------------------------------------- */

static struct nw_attrs op_attrs(const struct run_state *s, const struct op *op)
{
	struct nw_attrs a = fixture_attrs(s->f.variant, op->prot);

	a.memtype = (uint8_t)op->memtype;
	a.flags = (uint8_t)op->flags;
	return a;
}

static int expressible(const struct run_state *s, const struct nw_attrs *attrs)
{
	nw_entry_t entry;

	return s->f.table.ops->encode_leaf(&s->f.table.geo, 0, NW_PA(0), attrs,
					   &entry) == NW_OK;
}

static int do_map(struct run_state *s, const struct op *op)
{
	struct nw_attrs attrs = op_attrs(s, op);
	enum nw_status want = NW_OK, got;
	uint64_t end = op->ia + op->size, reached;

	if (op->level != NW_LEVEL_ANY && !run_is_level(s, op->level))
		want = NW_E_LEVEL;
	else if (!expressible(s, &attrs))
		want = NW_E_ATTRS;
	else if (model_any(&s->model, op->ia, end))
		want = NW_E_EXISTS;
	got = nw_map(&s->f.table, NW_IA(op->ia), op->size, NW_PA(op->pa),
		     &attrs, op->level, &s->cache, &s->f.result);
	if (run_check_status(s, op, got, want))
		return 1;
	reached = s->f.result.reached;
	if (got == NW_E_NOMEM) {
		if (reached < op->ia || reached >= end || reached % PAGE)
			return run_fail(s, "reached %#llx after NW_E_NOMEM",
					(unsigned long long)reached);
		end = reached;
	} else if (run_check_reached(s, got == NW_OK ? end : op->ia)) {
		return 1;
	}
	if (got == NW_OK || got == NW_E_NOMEM)
		model_map(&s->model, op->ia, end, op->pa, &attrs);
	return 0;
}

static int do_unmap(struct run_state *s, const struct op *op)
{
	uint64_t size = op->size;
	enum nw_status got;

	if (s->options->plant == PLANT_SHORT_UNMAP && size > 64 * PAGE)
		size -= PAGE;
	got = nw_unmap(&s->f.table, NW_IA(op->ia), size, &s->cache,
		       &s->f.result);
	if (run_check_status(s, op, got, NW_OK))
		return 1;
	if (got == NW_E_NOMEM)
		return run_check_reached(s, op->ia);
	model_unmap(&s->model, op->ia, op->ia + op->size);
	if (s->options->plant == PLANT_SHORT_UNMAP)
		return 0;
	return run_check_reached(s, op->ia + op->size);
}

static void relax(struct nw_attrs *attrs, unsigned prot)
{
	if (!attrs->prot) /* annotated */
		return;
	attrs->prot |= (uint8_t)prot;
}

static void restrict_rights(struct nw_attrs *attrs, unsigned prot)
{
	if (!attrs->prot)
		return;
	attrs->prot &= (uint8_t)~prot;
	if (prot & NW_PROT_W)
		attrs->flags &= (uint8_t)~NW_LEAF_DBM;
}

/* Where protect must stop: the first run whose result has no encoding. */
static uint64_t protect_limit(const struct run_state *s, const struct op *op,
			      unsigned prot)
{
	uint64_t end = op->ia + op->size;
	unsigned i;

	for (i = 0; i < s->model.runs; i++) {
		const struct run *r = &s->model.run[i];
		struct nw_attrs a = r->attrs;

		if (r->end <= op->ia || r->start >= end || run_annotation(r))
			continue;
		(op->kind == OP_RELAX ? relax : restrict_rights)(&a, prot);
		if (a.prot == 0 || !expressible(s, &a))
			return r->start > op->ia ? r->start : op->ia;
	}
	return end;
}

static int do_protect(struct run_state *s, const struct op *op)
{
	unsigned prot = s->f.variant->regime == NW_REGIME_EL2
				? op->prot & ~NW_PROT_UX
				: op->prot;
	uint64_t end = op->ia + op->size;
	uint64_t limit = protect_limit(s, op, prot);
	enum nw_status got;

	got = nw_protect(&s->f.table, NW_IA(op->ia), op->size,
			 op->kind == OP_RELAX ? NW_PROTECT_RELAX
					      : NW_PROTECT_RESTRICT,
			 prot, &s->cache, &s->f.result);
	if (s->options->plant == PLANT_WILD_STORE && s->before.pages > 2) {
		uint64_t pa = s->f.regs.root_pa;
		uint64_t *root =
			(uint64_t *)(uintptr_t)(pa +
						s->f.arena.ops.virt_minus_phys);

		*root ^= *root & 1 ? 1ull << 12 : 0;
	}
	if (run_check_status(s, op, got, limit == end ? NW_OK : NW_E_ATTRS))
		return 1;
	if (got == NW_E_NOMEM)
		return run_check_reached(s, op->ia);
	if (run_check_reached(s, limit))
		return 1;
	model_change(&s->model, op->ia, limit,
		     op->kind == OP_RELAX ? relax : restrict_rights, prot);
	return 0;
}

static int do_split(struct run_state *s, const struct op *op)
{
	const struct run *there = model_at(&s->model, op->ia);
	int mapped = there && !run_annotation(there);
	struct aw_leaf leaf;
	enum nw_status got, want = mapped ? NW_OK : NW_E_ABSENT;

	if (!run_is_level(s, op->level))
		want = NW_E_LEVEL;
	got = nw_split(&s->f.table, NW_IA(op->ia), op->level, &s->cache,
		       &s->f.result);
	if (run_check_status(s, op, got, want))
		return 1;
	if (got != NW_OK)
		return 0;
	if (aw_translate(&s->f.regs, &s->f.arena, op->ia, &leaf) != 1 ||
	    3u - leaf.arm_level > op->level)
		return run_fail(s, "after the split the leaf is of level %u",
				3u - leaf.arm_level);
	return 0;
}

static int do_lookup(struct run_state *s, const struct op *op)
{
	uint64_t ia = op->ia + op->size % PAGE;
	const struct run *want = model_at(&s->model, ia);
	struct nw_mapping m;
	struct nw_attrs attrs;
	struct aw_leaf leaf;
	int hit;

	if (nw_lookup(&s->f.table, NW_IA(ia), &m) != NW_OK)
		return run_fail(s, "lookup fails");
	hit = aw_translate(&s->f.regs, &s->f.arena, ia, &leaf);
	if (nw_mapping_annotation(&s->f.table, &m) != run_annotation(want))
		return run_fail(s, "lookup: annotation %#llx",
				(unsigned long long)m.entry);
	if (run_annotation(want))
		return m.kind == NW_ENTRY_INVALID
			       ? 0
			       : run_fail(s, "an annotation of kind %d", m.kind);
	if (hit < 0 || hit != (want != NULL))
		return run_fail(s, "the second walker finds %d at %#llx", hit,
				(unsigned long long)ia);
	if (m.kind != (want ? NW_ENTRY_LEAF : NW_ENTRY_EMPTY) ||
	    m.level != 3u - leaf.arm_level || m.entry != leaf.entry ||
	    m.base.v != (ia & ~(aw_span(leaf.arm_level) - 1)))
		return run_fail(s, "lookup: kind %d level %u base %#llx",
				m.kind, m.level, (unsigned long long)m.base.v);
	if (!want)
		return 0;
	if (m.pa.v != want->pa + (ia - want->start))
		return run_fail(s, "lookup: pa %#llx",
				(unsigned long long)m.pa.v);
	if (nw_mapping_attrs(&s->f.table, &m, &attrs) != NW_OK ||
	    (attrs.flags & ~NW_LEAF_CONTIG) != want->attrs.flags ||
	    attrs.memtype != want->attrs.memtype ||
	    (attrs.prot ^ want->attrs.prot) & (NW_PROT_RW | NW_PROT_PX))
		return run_fail(s, "lookup: prot %#x flags %#x memtype %u",
				attrs.prot, attrs.flags, attrs.memtype);
	return 0;
}

struct walk_log {
	uint64_t next; /* no visit begins before */
	unsigned leaves;
	unsigned tables_open;
	uint64_t leaf_bytes;
	unsigned wrong;
};

static enum nw_status walk_visit(const struct nw_visit *v)
{
	struct walk_log *log = v->arg;

	switch (v->flags) {
	case NW_VISIT_TABLE_PRE:
		log->tables_open++;
		break;
	case NW_VISIT_TABLE_POST:
		log->wrong += log->tables_open-- == 0;
		return NW_OK;
	case NW_VISIT_LEAF:
		log->leaves++;
		log->leaf_bytes += v->span_bytes;
		log->wrong += nw_pteref_read(v->ref) != v->old;
		break;
	default:
		log->wrong += v->flags != NW_VISIT_EMPTY;
		break;
	}
	log->wrong += v->ia.v < log->next;
	if (v->flags == NW_VISIT_TABLE_PRE)
		log->next = v->ia.v;
	else
		log->next = v->ia.v + v->span_bytes;
	return NW_OK;
}

static int do_walk(struct run_state *s, const struct op *op)
{
	uint64_t end = op->ia + op->size, bytes = 0;
	struct walk_log log;
	unsigned i, leaves = 0;
	enum nw_status got;

	memset(&log, 0, sizeof(log));
	got = nw_walk(&s->f.table, NW_IA(op->ia), op->size,
		      NW_VISIT_TABLE_PRE | NW_VISIT_LEAF | NW_VISIT_TABLE_POST |
			      NW_VISIT_EMPTY,
		      walk_visit, &log, &s->f.result);
	if (run_check_status(s, op, got, NW_OK) || run_check_reached(s, end) ||
	    run_look(s))
		return 1;
	for (i = 0; i < s->f.view.leaves; i++) {
		const struct aw_leaf *leaf = &s->f.view.leaf[i];
		uint64_t span = aw_span(leaf->arm_level);

		if (leaf->ia + span <= op->ia || leaf->ia >= end)
			continue;
		leaves++;
		bytes += span;
	}
	if (log.wrong || log.tables_open || log.leaves != leaves ||
	    log.leaf_bytes != bytes)
		return run_fail(s, "walk: %u leaves of %u, %u visits wrong",
				log.leaves, leaves, log.wrong);
	return 0;
}

static int do_teardown(struct run_state *s, const struct op *op)
{
	uint64_t freed = s->f.arena.freed;
	enum nw_status got = nw_table_teardown_step(&s->f.table, op->level);
	const char *wrong;

	freed = s->f.arena.freed - freed;
	if (got != NW_OK && got != NW_MORE)
		return run_fail(s, "teardown says %s", nw_status_name(got));
	if (freed > op->level)
		return run_fail(s, "teardown freed %llu pages, %u allowed",
				(unsigned long long)freed, op->level);
	wrong = fixture_look(&s->f, s->cache.pages);
	if (wrong)
		return run_fail(s, "%s", wrong);
	run_see(s);
	if (!model_within(&s->seen, &s->model))
		return run_fail(s, "teardown changed a mapping");
	if (got == NW_OK && (s->f.view.leaves || s->f.table.stats.pages_live !=
							 s->f.regs.root_pages))
		return run_fail(s,
				"teardown is done but the table is not empty");
	/* Which mappings go first is its own choice: carry on with the rest. */
	model_clear(&s->model);
	for (freed = 0; freed < s->seen.runs; freed++)
		model_append(&s->model, &s->seen.run[freed]);
	return 0;
}

/* ---- the sequence ----------------------------------------------------- */

static int do_op(struct run_state *s, const struct op *op)
{
	switch (op->kind) {
	case OP_MAP:
		return do_map(s, op);
	case OP_UNMAP:
		return do_unmap(s, op);
	case OP_RELAX:
	case OP_RESTRICT:
		return do_protect(s, op);
	case OP_SPLIT:
		return do_split(s, op);
	case OP_LOOKUP:
		return do_lookup(s, op);
	case OP_WALK:
		return do_walk(s, op);
	case OP_TEARDOWN:
		return do_teardown(s, op);
	case OP_SPLIT_RANGE:
		return run_split_range(s, op);
	case OP_COLLAPSE:
	case OP_RECLAIM:
		return run_fold(s, op);
	case OP_ANNOTATE:
		return run_annotate(s, op);
	case OP_REPLACE:
		return run_replace(s, op);
	case OP_REMAP:
		return run_remap(s, op);
	case OP_UNMAP_DIRTY:
		return run_unmap_dirty(s, op);
	default:
		return run_fail(s, "no such operation");
	}
}

static int prepare(struct run_state *s, const struct op *op)
{
	uint64_t pages = op->cached;

	nw_arena_fail_at(&s->f.arena, 0);
	if (op->cached == OP_CACHED_MAX) {
		pages = nw_break_pages_max(&s->f.table);
		if (op->kind == OP_MAP)
			pages = 0;
		if (op->kind == OP_MAP || op->kind == OP_REPLACE ||
		    op->kind == OP_REMAP)
			pages += nw_map_pages_max(
				&s->f.table, NW_IA(op->ia), op->size,
				NW_PA(op->pa),
				op->kind == OP_REPLACE ? NW_LEVEL_ANY
						       : op->level);
	}
	if (nw_cache_topup(&s->f.table, &s->cache, (unsigned)pages) != NW_OK)
		return run_fail(s, "no %llu pages for the cache",
				(unsigned long long)pages);
	if (op->fail)
		nw_arena_fail_at(&s->f.arena, op->fail);
	return 0;
}

static int step(struct run_state *s, const struct op *op)
{
	int checked = s->at % s->options->check_every == 0;

	run_totals.ops++;
	run_totals.by_kind[op->kind]++;
	if (checked) { /* keep what is there now for the comparison after */
		struct aw_view swap = s->before;

		if (run_look(s))
			return 1;
		s->before = s->f.view;
		s->f.view = swap;
		nw_arena_flushes_clear(&s->f.arena);
	}
	s->f.arena.record_flushes = checked;
	if (prepare(s, op) || do_op(s, op))
		return 1;
	nw_cache_drain(&s->f.table, &s->cache);
	if (nw_arena_error(&s->f.arena))
		return run_fail(s, "%s", nw_arena_error(&s->f.arena));
	if (!checked)
		return 0;
	if (run_look(s) || run_check_flushed(s))
		return 1;
	if (op->kind == OP_MAP && s->f.result.status == NW_OK)
		return run_check_largest(s, op);
	return 0;
}

/* A request that is lost on its way, and all others. */
static void lossy_invalidate(void *ctx, const struct nw_flush_request *request)
{
	struct fixture *f = ctx;
	unsigned i;

	for (i = 0; i < request->ranges; i++)
		if (request->range[i].leaf_levels & ~1u)
			return;
	f->arena.ops.invalidate(&f->arena, request);
}

static void *lossy_alloc(void *ctx, unsigned pages_lg2)
{
	struct fixture *f = ctx;

	return f->arena.ops.alloc_pages(&f->arena, pages_lg2);
}

static void lossy_free(void *ctx, void *pages, unsigned pages_lg2)
{
	struct fixture *f = ctx;

	f->arena.ops.free_pages(&f->arena, pages, pages_lg2);
}

static void plant_lost_flush(struct run_state *s)
{
	s->port = s->f.arena.ops;
	s->port.alloc_pages = lossy_alloc;
	s->port.free_pages = lossy_free;
	s->port.invalidate = lossy_invalidate;
	s->f.table.port = &s->port;
	s->f.table.port_ctx = &s->f;
}

static jmp_buf bug_exit;
static char bug_text[300];

static void on_bug(const char *what, const char *file, unsigned line)
{
	snprintf(bug_text, sizeof(bug_text), "%s (%s:%u)", what, file, line);
	longjmp(bug_exit, 1);
}

int run_ops(const struct run_options *options, const struct op *op,
	    unsigned ops, struct run_failure *failure)
{
	static struct run_state state;
	struct run_state *s = &state;
	volatile int failed = 0;
	const char *wrong;

	memset(s, 0, sizeof(*s));
	s->options = options;
	s->failure = failure;
	fixture_open(&s->f, options->variant, options->mode, ARENA_PAGES);
	/* Every other shape: contiguous runs come and go, and show in nothing
	 * but the mark. */
	if ((options->variant - variants) & 1)
		s->f.table.runs = NW_RUNS_AUTO;
	if (options->plant == PLANT_LOST_FLUSH)
		plant_lost_flush(s);
	nw_posix_bug_hook = on_bug;
	if (setjmp(bug_exit))
		failed = run_fail(s, "%s", bug_text);
	for (; !failed && s->at < ops; s->at++)
		if (step(s, &op[s->at]))
			failed = 1;
	if (!failed)
		failed = run_look(s);
	nw_posix_bug_hook = NULL;
	if (s->f.table.stats.pages_peak > run_totals.pages_peak)
		run_totals.pages_peak = s->f.table.stats.pages_peak;
	if (failed) { /* the table may be in any state: leave it */
		nw_arena_fini(&s->f.arena);
		aw_view_free(&s->f.view);
	} else {
		nw_arena_linked_clear(&s->f.arena);
		wrong = fixture_close(&s->f);
		if (wrong)
			failed = run_fail(s, "%s", wrong);
	}
	aw_view_free(&s->before);
	model_free(&s->model);
	model_free(&s->seen);
	return failed;
}
