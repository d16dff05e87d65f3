/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contiguous runs that the library keeps (NW_RUNS_AUTO): in every format and
 * configuration that has them, at every level, each operation on all of a run,
 * on its first, a middle and its last member, and across two runs. Where
 * whatever remains could be a run again, collapse must make one.
 */
#include "runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Which part of the place an operation is about. */
struct part {
	const char *name;
	uint64_t start, end;
	unsigned broken; /* runs that it cuts */
};

typedef void (*scenario_fn)(struct rig *rig, const struct place *p,
			    const struct part *part);

static void collapse(struct rig *rig, const struct place *p)
{
	rig_expect(rig,
		   nw_collapse(&rig->table, NW_IA(p->ia), RUNS * p->run,
			       p->level, 1u << 20, NULL),
		   NW_OK);
}

static void map_runs(struct rig *rig, const struct place *p)
{
	struct flat_span span = {.start = p->ia,
				 .end = p->ia + RUNS * p->run,
				 .pa = p->pa,
				 .attrs = p->attrs};

	rig->step = "map";
	rig_expect(rig,
		   nw_map(&rig->table, NW_IA(p->ia), RUNS * p->run,
			  NW_PA(p->pa), &p->attrs, p->level, NULL, NULL),
		   NW_OK);
	flat_map(&rig->flat, &span);
	/* In new tables; the root is live, and that of another CPU too. */
	if (p->level + 1u < rig->geo->levels || rig->mode != NW_MODE_SHARED)
		runs_expect(rig, p, RUNS);
	collapse(rig, p);
	runs_expect(rig, p, RUNS);
	rig_check(rig);
}

/* After an operation on `part`; and the runs that are left. */
static void check(struct rig *rig, const struct place *p, unsigned runs)
{
	rig_check(rig);
	runs_expect(rig, p, runs);
}

static uint64_t bytes(const struct part *part)
{
	return part->end - part->start;
}

/* ---- the operations ---------------------------------------------------- */

static void make_young(struct flat_span *s, void *arg)
{
	(void)arg;
	s->attrs.flags |= NW_LEAF_ACCESSED;
}

/* The runs that the part touches, whole. */
static struct part runs_around(const struct place *p, const struct part *part)
{
	struct part around = *part;

	around.start &= ~(p->run - 1);
	around.end = (part->end + p->run - 1) & ~(p->run - 1);
	return around;
}

static void scenario_protect(struct rig *rig, const struct place *p,
			     const struct part *part)
{
	map_runs(rig, p);
	rig->step = "restrict";
	rig_forget(rig);
	rig_expect(rig,
		   nw_protect(&rig->table, NW_IA(part->start), bytes(part),
			      NW_PROTECT_RESTRICT, NW_PROT_W, NULL, NULL),
		   NW_OK);
	flat_each(&rig->flat, part->start, part->end, flat_without_write, NULL);
	check(rig, p, RUNS - part->broken);
	if (!rig_flushed(rig, part->start, part->end))
		rig_fail(rig, "what was narrowed is not flushed");
	rig->step = "collapse what differs";
	collapse(rig, p);
	check(rig, p, RUNS - part->broken);
	rig->step = "relax";
	rig_expect(rig,
		   nw_protect(&rig->table, NW_IA(part->start), bytes(part),
			      NW_PROTECT_RELAX, NW_PROT_W, NULL, NULL),
		   NW_OK);
	flat_each(&rig->flat, part->start, part->end, flat_with_write, NULL);
	check(rig, p, RUNS - part->broken);
	rig->step = "collapse what is equal";
	if (p->attrs.flags & NW_LEAF_DBM)
		return; /* only what was restricted has lost DBM */
	rig_forget(rig);
	collapse(rig, p);
	check(rig, p, RUNS);
	if (part->broken &&
	    (!rig_flushed(rig, part->start, part->start + p->span) ||
	     !rig_flushed(rig, part->end - p->span, part->end)))
		rig_fail(rig, "runs were formed without a flush");
}

static void scenario_write_protect(struct rig *rig, const struct place *p,
				   const struct part *part)
{
	uint64_t dirty = 0;

	map_runs(rig, p);
	rig->step = "write-protect";
	rig_forget(rig);
	rig_expect(rig,
		   nw_write_protect(&rig->table, NW_IA(part->start),
				    bytes(part), flat_count_bytes, &dirty, NULL,
				    NULL),
		   NW_OK);
	if (dirty != (flat_is_dirty(&p->attrs) ? bytes(part) : 0))
		rig_fail(rig, "%#llx bytes are dirty",
			 (unsigned long long)dirty);
	if (!rig_flushed(rig, part->start, part->end))
		rig_fail(rig, "what was narrowed is not flushed");
	flat_each(&rig->flat, part->start, part->end, flat_write_protected,
		  NULL);
	check(rig, p, RUNS - part->broken);
	rig->step = "write-protect again";
	rig_forget(rig);
	rig_expect(rig,
		   nw_write_protect(&rig->table, NW_IA(part->start),
				    bytes(part), NULL, NULL, NULL, NULL),
		   NW_OK);
	check(rig, p, RUNS - part->broken);
	if (rig->flushes)
		rig_fail(rig, "what did not change is flushed");
	rig->step = "write-protect the rest";
	rig_expect(rig,
		   nw_write_protect(&rig->table, NW_IA(p->ia), RUNS * p->run,
				    NULL, NULL, NULL, NULL),
		   NW_OK);
	flat_each(&rig->flat, p->ia, p->ia + RUNS * p->run,
		  flat_write_protected, NULL);
	check(rig, p, RUNS - part->broken);
	collapse(rig, p);
	check(rig, p, RUNS);
}

/* Taken whole, as a block is. */
static void scenario_state(struct rig *rig, const struct place *p,
			   const struct part *part)
{
	struct part around = runs_around(p, part);
	struct nw_attrs old = p->attrs;
	uint64_t dirty = 0, young = 0;
	nw_entry_t entry;

	map_runs(rig, p);
	rig->step = "harvest";
	rig_expect(rig,
		   nw_harvest_dirty(&rig->table, NW_IA(part->start),
				    bytes(part), flat_count_bytes, &dirty,
				    NULL),
		   NW_OK);
	if (dirty != (flat_is_dirty(&p->attrs) ? bytes(&around) : 0))
		rig_fail(rig, "%#llx bytes are dirty",
			 (unsigned long long)dirty);
	flat_each(&rig->flat, around.start, around.end, flat_make_clean, NULL);
	check(rig, p, RUNS);
	old.flags &= (uint16_t)~NW_LEAF_ACCESSED;
	if (rig->ops->encode_leaf(rig->geo, p->level, NW_PA(p->pa), &old,
				  &entry) ||
	    !(p->attrs.flags & NW_LEAF_ACCESSED))
		return;
	rig->step = "age";
	for (unsigned again = 0; again < 2; again++) {
		rig_expect(rig,
			   nw_age(&rig->table, NW_IA(part->start), bytes(part),
				  NW_AGE_CLEAR, &young, NULL),
			   NW_OK);
		if (young != (again ? 0 : bytes(part) / p->span))
			rig_fail(rig, "%llu leaves are young",
				 (unsigned long long)young);
		flat_each(&rig->flat, around.start, around.end, flat_make_old,
			  NULL);
		check(rig, p, RUNS);
	}
	rig->step = "touch";
	rig_expect(rig,
		   nw_age(&rig->table, NW_IA(part->start), bytes(part),
			  NW_AGE_SET, &young, NULL),
		   NW_OK);
	if (young != bytes(part) / p->span)
		rig_fail(rig, "%llu leaves were old",
			 (unsigned long long)young);
	flat_each(&rig->flat, around.start, around.end, make_young, NULL);
	check(rig, p, RUNS);
}

static void scenario_unmap(struct rig *rig, const struct place *p,
			   const struct part *part)
{
	struct flat_span span = {.start = part->start,
				 .end = part->end,
				 .pa = p->pa + (part->start - p->ia),
				 .attrs = p->attrs};
	unsigned left = RUNS - (unsigned)(bytes(part) / p->run) - part->broken;

	map_runs(rig, p);
	rig->step = "unmap";
	rig_forget(rig);
	rig_expect(rig,
		   nw_unmap(&rig->table, NW_IA(part->start), bytes(part), NULL,
			    NULL),
		   NW_OK);
	flat_unmap(&rig->flat, part->start, part->end);
	check(rig, p, left);
	if (!rig_flushed(rig, part->start, part->end))
		rig_fail(rig, "what was unmapped is not flushed");
	collapse(rig, p);
	check(rig, p, left);
	rig->step = "map it again";
	rig_expect(rig,
		   nw_map(&rig->table, NW_IA(part->start), bytes(part),
			  NW_PA(span.pa), &p->attrs, p->level, NULL, NULL),
		   NW_OK);
	flat_map(&rig->flat, &span);
	rig_check(rig);
	collapse(rig, p);
	check(rig, p, RUNS);
}

static void scenario_split(struct rig *rig, const struct place *p,
			   const struct part *part)
{
	struct part around = runs_around(p, part);
	unsigned runs = (unsigned)(bytes(&around) / p->run);
	struct nw_result r;

	map_runs(rig, p);
	rig->step = "split range into members";
	rig_expect(rig,
		   nw_split_range(&rig->table, NW_IA(part->start), bytes(part),
				  p->level, 1, NULL, &r),
		   runs > 1 ? NW_MORE : NW_OK);
	check(rig, p, RUNS - 1);
	if (runs > 1 && r.reached != around.start + p->run)
		rig_fail(rig, "%#llx was reached",
			 (unsigned long long)r.reached);
	rig_expect(rig,
		   nw_split_range(&rig->table, NW_IA(part->start), bytes(part),
				  p->level, 100, NULL, NULL),
		   NW_OK);
	check(rig, p, RUNS - runs);
	collapse(rig, p);
	check(rig, p, RUNS);
	rig->step = "split one";
	rig_expect(rig,
		   nw_split(&rig->table, NW_IA(part->end - p->span), p->level,
			    NULL, NULL),
		   NW_OK);
	check(rig, p, RUNS - 1);
	collapse(rig, p);
	if (!p->level || !(rig->geo->leaf_levels >> (p->level - 1) & 1))
		return;
	rig->step = "split one further";
	rig_expect(rig,
		   nw_split(&rig->table, NW_IA(part->end - p->span),
			    p->level - 1, NULL, NULL),
		   NW_OK);
	rig_check(rig);
	if (rig_level(rig, part->end - p->span) != p->level - 1)
		rig_fail(rig, "level %u", rig_level(rig, part->end - p->span));
	rig->step = "collapse all";
	collapse(rig, p);
	check(rig, p, RUNS);
}

/* ---- hardware's marks -------------------------------------------------- */

static nw_entry_t encoded(struct rig *rig, const struct place *p, unsigned prot,
			  unsigned flags)
{
	struct nw_attrs attrs = p->attrs;
	nw_entry_t entry = 0;

	attrs.prot = (uint8_t)prot;
	attrs.flags = (uint16_t)flags;
	(void)!rig->ops->encode_leaf(rig->geo, p->level, NW_PA(0), &attrs,
				     &entry);
	return entry;
}

/* The bits that hardware changes when such a leaf is written; 0: it keeps none.
 */
static nw_entry_t hardware_bits(struct rig *rig, const struct place *p)
{
	unsigned flags = p->attrs.flags;
	unsigned without = flags & ~(NW_LEAF_ACCESSED | NW_LEAF_DIRTY);
	nw_entry_t clean, written;

	if (flags & NW_LEAF_DBM) {
		clean = encoded(rig, p, p->attrs.prot & ~NW_PROT_W, without);
		written = encoded(rig, p, p->attrs.prot, flags);
	} else {
		clean = encoded(rig, p, p->attrs.prot, without);
		written = encoded(rig, p, p->attrs.prot,
				  flags | NW_LEAF_ACCESSED | NW_LEAF_DIRTY);
	}
	return flat_is_dirty(&p->attrs) && clean && written ? clean ^ written
							    : 0;
}

struct marking {
	nw_entry_t bits; /* of a leaf that is not marked yet */
};

static enum nw_status mark_leaf(const struct nw_visit *visit)
{
	const struct marking *m = visit->arg;

	*visit->ref.nw_private_ptr = visit->old ^ m->bits;
	return NW_OK;
}

/* What one member says is true of all, also when they part. */
static void scenario_hardware(struct rig *rig, const struct place *p,
			      const struct part *part)
{
	struct marking m = {hardware_bits(rig, p)};
	uint64_t run = p->ia + p->run, at = part->start;
	uint64_t marked = run + (p->members / 2 + 1) * p->span, young, dirty;
	struct place clean = *p;
	struct flat_span *s;

	if (!m.bits || part->end > run + p->run || at < run ||
	    (at <= marked && marked < part->end))
		return;
	clean.attrs.flags &= (uint16_t) ~(NW_LEAF_ACCESSED | NW_LEAF_DIRTY);
	if (p->attrs.flags & NW_LEAF_DBM)
		clean.attrs.prot &= (uint8_t)~NW_PROT_W;
	map_runs(rig, &clean);
	rig->step = "hardware marks a member";
	rig_expect(rig,
		   nw_walk(&rig->table, NW_IA(marked), p->span, NW_VISIT_LEAF,
			   mark_leaf, &m, NULL),
		   NW_OK);
	flat_each(&rig->flat, run, run + p->run, make_young, NULL);
	for (unsigned i = 0; i < rig->flat.spans; i++) {
		s = &rig->flat.span[i];
		if (s->start == run)
			s->attrs = p->attrs;
		if (s->start == run)
			s->attrs.flags |= NW_LEAF_ACCESSED;
	}
	check(rig, p, RUNS);
	rig_expect(rig,
		   nw_age(&rig->table, NW_IA(at), p->span, NW_AGE_TEST, &young,
			  NULL),
		   NW_OK);
	if (young != 1)
		rig_fail(rig, "%llu are young", (unsigned long long)young);
	rig->step = "break it";
	rig_expect(rig,
		   nw_unmap(&rig->table, NW_IA(at), bytes(part), NULL, NULL),
		   NW_OK);
	flat_unmap(&rig->flat, at, part->end);
	check(rig, p, RUNS - 1);
	dirty = 0;
	rig_expect(rig,
		   nw_harvest_dirty(&rig->table, NW_IA(p->ia), RUNS * p->run,
				    flat_count_bytes, &dirty, NULL),
		   NW_OK);
	if (dirty != p->run - bytes(part))
		rig_fail(rig, "%#llx bytes are dirty",
			 (unsigned long long)dirty);
}

static void scenario_harvest_marked(struct rig *rig, const struct place *p,
				    const struct part *part)
{
	struct marking m = {hardware_bits(rig, p)};
	uint64_t run = p->ia + p->run, dirty = 0;
	uint64_t last = run + p->run - p->span;
	struct place clean = *p;

	if (!m.bits || part->start != run || part->end != run + p->span)
		return;
	clean.attrs.flags &= (uint16_t) ~(NW_LEAF_ACCESSED | NW_LEAF_DIRTY);
	if (p->attrs.flags & NW_LEAF_DBM)
		clean.attrs.prot &= (uint8_t)~NW_PROT_W;
	map_runs(rig, &clean);
	rig->step = "harvest a run by another member";
	rig_expect(rig,
		   nw_walk(&rig->table, NW_IA(last), p->span, NW_VISIT_LEAF,
			   mark_leaf, &m, NULL),
		   NW_OK);
	rig_forget(rig);
	rig_expect(rig,
		   nw_harvest_dirty(&rig->table, NW_IA(run), p->span,
				    flat_count_bytes, &dirty, NULL),
		   NW_OK);
	if (dirty != p->run)
		rig_fail(rig, "%#llx bytes are dirty",
			 (unsigned long long)dirty);
	if (!rig_flushed(rig, run, run + p->run))
		rig_fail(rig, "what was cleaned is not flushed");
	flat_each(&rig->flat, run, run + p->run, make_young, NULL);
	check(rig, p, RUNS);
}

/* ---- running them ------------------------------------------------------ */

/* 0: three runs of this level do not fit. */
static int place_at(const struct rig *rig, unsigned level, struct place *p)
{
	uint64_t oa_end = UINT64_C(1) << rig->config.oa_bits;
	uint64_t ia_end = UINT64_C(1) << rig->config.ia_bits;

	p->level = level;
	p->members = runs_members(rig, level);
	p->span = rig_span(rig, level);
	p->run = p->members * p->span;
	if (p->members == 1 || 4 * p->run > ia_end || 8 * p->run > oa_end)
		return 0;
	p->ia = ia_end - 4 * p->run;
	p->pa = oa_end - 8 * p->run;
	return 1;
}

static unsigned parts_of(const struct place *p, struct part *part)
{
	uint64_t a = p->ia, b = a + p->run, c = b + p->run;
	uint64_t middle = b + p->members / 2 * p->span;
	const struct part all[] = {
		{"a whole run", b, c, 0},
		{"all runs", a, c + p->run, 0},
		{"the first member", b, b + p->span, 1},
		{"a middle member", middle, middle + p->span, 1},
		{"the last member", c - p->span, c, 1},
		{"the first half", b, middle, 1},
		{"all but the last", b, c - p->span, 1},
		{"across two", b - p->span, b + p->span, 2},
		{"across three", b - p->span, c + p->span, 2},
	};

	memcpy(part, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

static void run_at(const struct nw_format_ops *ops,
		   const struct nw_format_config *config, enum nw_mode mode,
		   scenario_fn scenario, unsigned attrs, unsigned *runs)
{
	static struct rig rig;
	struct part part[16];

	for (unsigned level = 0; level < NW_LEVELS_MAX; level++) {
		unsigned parts = 1;

		for (unsigned i = 0; i < parts; i++) {
			struct place p;

			rig_open(&rig, ops, config, mode, NW_RUNS_AUTO);
			if ((rig.geo->leaf_levels >> level & 1) &&
			    rig_attrs(ops, rig.geo, attrs, &p.attrs) &&
			    place_at(&rig, level, &p)) {
				parts = parts_of(&p, part);
				scenario(&rig, &p, &part[i]);
				(*runs)++;
			}
			rig_close(&rig);
		}
	}
}

static void run(scenario_fn scenario)
{
	const struct nw_format_ops *const *ops;

	for (ops = nw_all_formats; *ops; ops++) {
		struct nw_format_config config;
		unsigned n = 0, runs = 0, configs = 0;

		while (rig_next_config(*ops, &n, &config)) {
			/* In turn: all of them take too long. */
			enum nw_mode mode = NW_MODE_EXCLUSIVE;

			configs++;
#ifdef NW_CONFIG_RCU
			if (configs % 3)
				mode = configs % 3 == 1 ? NW_MODE_SHARED
							: NW_MODE_READERS;
#endif
			run_at(*ops, &config, mode, scenario, configs / 3 & 1,
			       &runs);
		}
		print_message("%s: %u configurations, %u runs\n", (*ops)->name,
			      configs, runs);
		if (!strncmp((*ops)->name, "x86", 3) ? runs : runs < 50)
			fail_msg("%s: %u runs", (*ops)->name, runs);
	}
}

#define SCENARIO(name, says)                                                   \
	static void run_##name##_##says(void **state)                          \
	{                                                                      \
		(void)state;                                                   \
		run(scenario_##name);                                          \
	}
SCENARIO(protect, is_broken_only_in_part_and_formed_again)
SCENARIO(write_protect, is_broken_only_in_part_and_formed_again)
SCENARIO(state, is_harvested_and_aged_whole)
SCENARIO(unmap, is_broken_only_in_part_and_formed_again)
SCENARIO(split, becomes_members_and_is_formed_again)
SCENARIO(hardware, mark_of_one_member_is_that_of_all)
SCENARIO(harvest_marked, tells_all_members)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			run_protect_is_broken_only_in_part_and_formed_again),
		cmocka_unit_test(
			run_write_protect_is_broken_only_in_part_and_formed_again),
		cmocka_unit_test(run_state_is_harvested_and_aged_whole),
		cmocka_unit_test(
			run_unmap_is_broken_only_in_part_and_formed_again),
		cmocka_unit_test(run_split_becomes_members_and_is_formed_again),
		cmocka_unit_test(
			run_hardware_mark_of_one_member_is_that_of_all),
		cmocka_unit_test(run_harvest_marked_tells_all_members),
	};

	return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
