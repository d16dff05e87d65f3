// SPDX-License-Identifier: BSD-2-Clause
/*
 * The comparison. At each address three must agree: the list of what was asked
 * for (model.h), nw_lookup(), and the CPU's answer to each kind of access.
 */
#include "judge.h"

#include <nestwalk/arm64.h>

#include "../../../hyp/lib.h"
#include "host.h"

#define DIFFERENCES_SHOWN 5u

uint64_t judge_random(struct judge *j)
{
	uint64_t z = j->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void judge_difference(struct judge *j, const char *format, ...)
{
	char line[300];
	va_list args;

	if (j->differences++ >= DIFFERENCES_SHOWN)
		return;
	va_start(args, format);
	format_text(line, sizeof(line), format, args);
	va_end(args);
	host_print("  %s: %s", j->config->name, line);
}

/* ---- addresses ------------------------------------------------------------
 */

/* Beyond the input range, but nothing else wrong with it. */
static int outside(struct judge *j, uint64_t *ia)
{
	/* With stage 1 off, more than the physical size is its fault. */
	const unsigned top = config_is_s2(j->config) ? j->pa_bits : 56;
	const unsigned ia_bits = j->table.geo.ia_bits;

	if (ia_bits >= top)
		return 0;
	*ia = judge_random(j);
	if (judge_below(j, 2))
		*ia &= (UINT64_C(1) << ia_bits) - 1;
	*ia |= UINT64_C(1) << (ia_bits + judge_below(j, top - ia_bits));
	*ia &= config_is_s2(j->config) ? (UINT64_C(1) << top) - 1
				       : ~UINT64_C(0) >> 1;
	return 1;
}

static uint64_t near_region(struct judge *j)
{
	const uint64_t page = UINT64_C(1) << j->table.geo.granule_lg2;
	const struct region *r;
	uint64_t at;

	if (!j->model.count)
		return judge_random(j);
	r = &j->model.region[judge_below(j, j->model.count)];
	at = r->ia + judge_below(j, r->size);
	switch (judge_below(j, 8)) {
	case 0:
		return r->ia + judge_below(j, 2) - 1;
	case 1:
		return r->ia + r->size + judge_below(j, 2) - 1;
	case 2:
		return r->ia + r->size + judge_below(j, 16 * page);
	case 3: /* one bit of an index, anywhere */
		return at ^ UINT64_C(1) << judge_below(j, j->table.geo.ia_bits);
	default:
		return at;
	}
}

/* 1: inside the input range. */
static int random_address(struct judge *j, uint64_t *ia)
{
	const uint64_t mask = (UINT64_C(1) << j->table.geo.ia_bits) - 1;

	switch (judge_below(j, 16)) {
	case 0:
		if (outside(j, ia))
			return 0;
		/* fall through */
	case 1:
		*ia = judge_random(j) & mask;
		return 1;
	default:
		*ia = near_region(j) & mask;
		return 1;
	}
}

/* The upper range has ones above its input addresses; in an address that is
 * outside, bit 63 and another one differ. */
static uint64_t va_of(const struct judge *j, uint64_t ia)
{
	const uint64_t mask = (UINT64_C(1) << j->table.geo.ia_bits) - 1;
	const enum regime regime = j->config->regime;

	if (regime == REGIME_EL1_UPPER ||
	    (regime == REGIME_EL1_BOTH && (j->addresses & 1)))
		return ia ^ ~mask;
	return ia;
}

/* ---- what is to be --------------------------------------------------------
 */

/* Attribute byte by memory type, from the manual's MAIR_ELx encodings. */
static const uint8_t attribute_byte[NW_MEM_COUNT] = {
	[NW_MEM_DEVICE_nGnRnE] = 0x00,	[NW_MEM_DEVICE_nGnRE] = 0x04,
	[NW_MEM_DEVICE_nGRE] = 0x08,	[NW_MEM_DEVICE_GRE] = 0x0c,
	[NW_MEM_NORMAL_NC] = 0x44,	[NW_MEM_NORMAL_ONC_IWT] = 0x4b,
	[NW_MEM_NORMAL_ONC_IWB] = 0x4f, [NW_MEM_NORMAL_OWT_INC] = 0xb4,
	[NW_MEM_NORMAL_WT] = 0xbb,	[NW_MEM_NORMAL_OWT_IWB] = 0xbf,
	[NW_MEM_NORMAL_OWB_INC] = 0xf4, [NW_MEM_NORMAL_OWB_IWT] = 0xfb,
	[NW_MEM_NORMAL_WB] = 0xff,	[NW_MEM_FROM_STAGE1] = 0xff,
};

static int is_allowed(const struct judge *j, const struct nw_attrs *attrs,
		      const struct access *access)
{
	int is_writable =
		(attrs->prot & NW_PROT_W) || (attrs->flags & NW_LEAF_DBM);

	if (j->config->regime > REGIME_EL2) {
		if (access->is_user && !(attrs->flags & NW_LEAF_USER))
			return 0;
		if (access->is_pan && (attrs->flags & NW_LEAF_USER))
			return 0;
	}
	return access->is_write ? is_writable : (attrs->prot & NW_PROT_R) != 0;
}

/* `level`: where nw_lookup() ended. Faults in the manual's order. */
static struct answer expected(const struct judge *j, const struct region *r,
			      uint64_t ia, unsigned level,
			      const struct access *access)
{
	static const uint8_t sh_of[NW_SHARE_COUNT] = {0, 2, 3};
	struct answer a = {
		.level = nw_arm64_level(level),
		.is_stage2 = (uint8_t)config_is_s2(j->config),
	};
	uint64_t pa;
	unsigned span;

	if (!r) {
		a.outcome = OUTCOME_TRANSLATION;
		return a;
	}
	pa = r->pa + (ia - r->ia);
	/* The address in the entry counts, not what a large block makes of it.
	 */
	span = nw_span_lg2(&j->table.geo, level);
	if (pa >> span << span >> j->config->ps_bits) {
		a.outcome = OUTCOME_ADDRESS_SIZE;
		return a;
	}
	if (!(r->attrs.flags & NW_LEAF_ACCESSED) &&
	    !(j->table.geo.features & NW_FEAT_HAF)) {
		a.outcome = OUTCOME_ACCESS_FLAG;
		return a;
	}
	if (!is_allowed(j, &r->attrs, access)) {
		a.outcome = OUTCOME_PERMISSION;
		return a;
	}
	a = (struct answer){.outcome = OUTCOME_OK};
	a.pa = pa & ~UINT64_C(0xfff);
	a.attributes = attribute_byte[r->attrs.memtype];
	a.share = a.share_also = sh_of[r->attrs.share];
	/* PAR_EL1.SH is the entry's, or what is made of it: device and
	 * non-cacheable memory is outer shareable. */
	if (a.attributes < 0x10 || a.attributes == 0x44)
		a.share_also = 2;
	return a;
}

static int is_same(const struct answer *is, const struct answer *want)
{
	return is->outcome == want->outcome && is->level == want->level &&
	       is->is_stage2 == want->is_stage2 && is->pa == want->pa &&
	       is->attributes == want->attributes &&
	       (is->share == want->share || is->share == want->share_also);
}

static void text(char *to, size_t bytes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_text(to, bytes, format, args);
	va_end(args);
}

static void answer_text(const struct answer *a, char *to, size_t bytes)
{
	static const char *const name[] = {"ok",	  "address size",
					   "translation", "access flag",
					   "permission",  "other"};

	if (a->outcome == OUTCOME_OK)
		text(to, bytes, "0x%lx, attributes 0x%x, SH %u", a->pa,
		     a->attributes, a->share);
	else
		text(to, bytes, "%s fault, level %d, stage %u",
		     name[a->outcome], a->level, a->is_stage2 ? 2u : 1u);
}

/* ---- comparison ------------------------------------------------------------
 */

/* What hardware may have changed since the model was told. */
static uint16_t hardware_flags(const struct judge *j)
{
	return j->table.geo.features & NW_FEAT_HAF ? NW_LEAF_ACCESSED : 0;
}

static int attrs_agree(const struct judge *j, const struct nw_attrs *is,
		       const struct nw_attrs *asked)
{
	const uint16_t flags = (NW_LEAF_ACCESSED | NW_LEAF_DBM | NW_LEAF_USER |
				NW_LEAF_NOT_GLOBAL) &
			       ~hardware_flags(j);
	const uint8_t prot =
		asked->flags & NW_LEAF_DBM ? (uint8_t)~NW_PROT_W : 0xff;

	return (is->prot & prot) == (asked->prot & prot) &&
	       is->memtype == asked->memtype && is->share == asked->share &&
	       (is->flags & flags) == (asked->flags & flags) &&
	       is->software == asked->software &&
	       is->hardware == asked->hardware;
}

/* The library against what was asked of it. Returns the level where it ended.
 */
static unsigned compare_lookup(struct judge *j, uint64_t ia,
			       const struct region *r)
{
	struct nw_mapping m;
	struct nw_attrs attrs;
	enum nw_status status = nw_lookup(&j->table, NW_IA(ia), &m);

	if (status != NW_OK) {
		judge_difference(j, "nw_lookup(0x%lx): %s\n", ia,
				 nw_status_name(status));
		return 0;
	}
	if ((m.kind == NW_ENTRY_LEAF) != (r != NULL))
		judge_difference(j, "0x%lx: nw_lookup() says kind %u, %s\n", ia,
				 (unsigned)m.kind,
				 r ? "it was mapped" : "nothing is there");
	else if (r && m.pa.v != r->pa + (ia - r->ia))
		judge_difference(j,
				 "0x%lx: nw_lookup() says 0x%lx, not 0x%lx\n",
				 ia, m.pa.v, r->pa + (ia - r->ia));
	else if (r && (nw_mapping_attrs(&j->table, &m, &attrs) != NW_OK ||
		       !attrs_agree(j, &attrs, &r->attrs)))
		judge_difference(j, "0x%lx: other attributes than asked\n", ia);
	return m.level;
}

static void compare_access(struct judge *j, enum at at, uint64_t ia,
			   const struct answer *want)
{
	const uint64_t va = va_of(j, ia);
	const uint64_t par = cpu_ask(at, va);
	const struct answer is = cpu_answer(par);
	char is_text[80], want_text[80];

	j->rights++;
	if (is_same(&is, want))
		return;
	answer_text(&is, is_text, sizeof(is_text));
	answer_text(want, want_text, sizeof(want_text));
	judge_difference(j, "0x%lx %s: CPU says %s (PAR 0x%lx), not %s\n", va,
			 cpu_access[at].name, is_text, par, want_text);
}

/* Below this there may be memory or a device, which a fetch must not reach. */
#define NOTHING_FROM (UINT64_C(1) << 41)

/* Where the CPU can be sent there and comes back (cpu_execute()). */
static int can_execute(const struct judge *j, const struct region *r,
		       uint64_t ia)
{
	return j->can_execute && (!r || r->pa + (ia - r->ia) >= NOTHING_FROM);
}

static void compare_fetch(struct judge *j, const struct region *r, uint64_t ia,
			  unsigned level, int is_user)
{
	static const struct access fetch = {.name = "fetch"};
	char is_text[80], want_text[80];
	struct answer want = expected(j, r, ia, level, &fetch);
	struct answer is = cpu_execute(j->config, is_user, ia);
	const unsigned right = is_user ? NW_PROT_UX : NW_PROT_PX;

	if (want.outcome == OUTCOME_OK || want.outcome == OUTCOME_PERMISSION)
		want.outcome =
			r->attrs.prot & right ? OUTCOME_OK : OUTCOME_PERMISSION;
	want.level = nw_arm64_level(level);
	j->fetches++;
	if (is.outcome == want.outcome &&
	    (is.outcome == OUTCOME_OK || is.level == want.level))
		return;
	answer_text(&is, is_text, sizeof(is_text));
	answer_text(&want, want_text, sizeof(want_text));
	judge_difference(j, "0x%lx fetch at EL%u: CPU says %s, not %s\n", ia,
			 is_user ? 0u : 1u, is_text, want_text);
}

static void compare_at(struct judge *j, uint64_t ia, int is_inside)
{
	const struct region *r = is_inside ? model_find(&j->model, ia) : NULL;
	struct answer want;
	unsigned level;

	/* Outside the range the fault is of level 0, the architecture's. */
	level = is_inside ? compare_lookup(j, ia, r) : 3;
	for (unsigned at = 0; at < AT_COUNT; at++) {
		if (!(j->questions >> at & 1))
			continue;
		want = expected(j, r, ia, level, &cpu_access[at]);
		compare_access(j, at, ia, &want);
	}
	ia &= ~UINT64_C(3);
	if (is_inside && can_execute(j, r, ia)) {
		compare_fetch(j, r, ia, level, 0);
		compare_fetch(j, r, ia, level, 1);
	}
	j->addresses++;
}

static void note_recent(struct judge *j, uint64_t ia)
{
	const struct region *r = model_find(&j->model, ia);

	if (r && (r->attrs.prot & NW_PROT_X) && can_execute(j, r, ia))
		j->recent[j->recents++ % RECENT] = ia;
}

void judge_recheck(struct judge *j)
{
	const unsigned n = j->recents < RECENT ? j->recents : RECENT;

	for (unsigned i = 0; i < n; i++)
		compare_at(j, j->recent[i], 1);
}

void judge_compare(struct judge *j, uint64_t addresses)
{
	uint64_t ia;

	while (addresses--) {
		int is_inside = random_address(j, &ia);

		compare_at(j, ia, is_inside);
		if (is_inside)
			note_recent(j, ia);
	}
}

int judge_is_refused(struct judge *j)
{
	const uint64_t par =
		cpu_ask(AT_S12E1R, va_of(j, j->model.region[0].ia));
	const struct answer a = cpu_answer(par);

	return a.outcome == OUTCOME_TRANSLATION && a.level == 0;
}
