// SPDX-License-Identifier: BSD-2-Clause
/* Random ranges: every leaf level, type and right, aligned and not. */
#include "judge.h"

int judge_encodes(struct judge *j, const struct nw_attrs *attrs)
{
	nw_entry_t entry;

	return j->table.ops->encode_leaf(&j->table.geo, 0, NW_PA(0), attrs,
					 &entry) == NW_OK;
}

/* The format refuses most of what is tried here; what it takes is judged. */
static struct nw_attrs random_attrs(struct judge *j)
{
	const uint32_t features = j->table.geo.features;
	struct nw_attrs a;

	do {
		uint64_t r = judge_random(j);

		a = (struct nw_attrs){
			.prot = r & NW_PROT_RWX,
			.memtype = (uint8_t)(r >> 4 & 15),
			.share = (uint8_t)(r >> 8 & 3),
			.software = r >> 12 & 15,
			.hardware = r >> 16 & 15,
		};
		if (r >> 20 & 7)
			a.flags |= NW_LEAF_ACCESSED;
		if ((features & NW_FEAT_HD) && !(r >> 24 & 3))
			a.flags |= NW_LEAF_DBM;
		if (features & NW_FEAT_BTI)
			a.flags |= r >> 30 & 1 ? NW_LEAF_GUARDED : 0;
		if (j->config->regime > REGIME_EL2)
			a.flags |= (r >> 28 & 1 ? NW_LEAF_USER : 0) |
				   (r >> 29 & 1 ? NW_LEAF_NOT_GLOBAL : 0);
	} while (a.memtype >= NW_MEM_COUNT || !judge_encodes(j, &a));
	return a;
}

static uint64_t align_down(uint64_t value, unsigned lg2)
{
	return value >> lg2 << lg2;
}

/*
 * A few leaves of a random level, half the time with smaller ones before and
 * after. pa has the offset of ia in a leaf of that level. 0: does not fit.
 */
static int random_region(struct judge *j, struct region *r, unsigned *level)
{
	const struct nw_geometry *geo = &j->table.geo;
	const uint64_t ia_size = UINT64_C(1) << geo->ia_bits;
	const uint64_t oa_size = UINT64_C(1) << geo->oa_bits;
	const unsigned page = geo->granule_lg2;
	unsigned span;

	do
		*level = (unsigned)judge_below(j, geo->levels);
	while (!(geo->leaf_levels >> *level & 1));
	span = nw_span_lg2(geo, *level);
	r->size = (1 + judge_below(j, 8)) << span;
	if (judge_below(j, 2))
		r->size += judge_below(j, 8) << page;
	if (r->size > ia_size || r->size > oa_size)
		return 0;
	r->ia = judge_below(j, ia_size - r->size + 1);
	r->ia = align_down(r->ia, judge_below(j, 2) ? span : page);
	r->pa = align_down(judge_below(j, oa_size - r->size + 1), span);
	r->pa |= r->ia & ((UINT64_C(1) << span) - 1);
	return r->pa + r->size <= oa_size;
}

static void map_region(struct judge *j, const struct region *r, unsigned max)
{
	struct nw_result result;
	enum nw_status status;

	if (j->model.count == MODEL_MAX ||
	    !model_is_free(&j->model, r->ia, r->size))
		return;
	status = nw_map(&j->table, NW_IA(r->ia), r->size, NW_PA(r->pa),
			&r->attrs, max, NULL, &result);
	if (status != NW_OK) {
		judge_difference(j, "nw_map(0x%lx, 0x%lx, 0x%lx): %s\n", r->ia,
				 r->size, r->pa, nw_status_name(status));
		return;
	}
	model_add(&j->model, r);
}

void judge_map_one(struct judge *j)
{
	struct region r;
	unsigned level;

	if (!random_region(j, &r, &level))
		return;
	r.attrs = random_attrs(j);
	map_region(j, &r, judge_below(j, 4) ? NW_LEVEL_ANY : level);
}

/* The first and the last page of the input range, the last of the output. */
static void map_ends(struct judge *j)
{
	const struct nw_geometry *geo = &j->table.geo;
	const uint64_t page = UINT64_C(1) << geo->granule_lg2;
	struct region r = {.size = page};

	r.attrs = random_attrs(j);
	r.pa = (UINT64_C(1) << geo->oa_bits) - page;
	map_region(j, &r, NW_LEVEL_ANY);
	r.attrs = random_attrs(j);
	r.ia = (UINT64_C(1) << geo->ia_bits) - page;
	r.pa = 0;
	map_region(j, &r, NW_LEVEL_ANY);
}

void judge_map(struct judge *j, unsigned ranges)
{
	map_ends(j);
	while (ranges--)
		judge_map_one(j);
}
