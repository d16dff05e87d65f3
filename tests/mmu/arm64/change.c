// SPDX-License-Identifier: BSD-2-Clause
/*
 * Operations on a live table, and the same on the model. What the library would
 * refuse for its attributes is not tried.
 */
#include "judge.h"
#include "pool.h"

struct span {
	uint64_t ia;
	uint64_t size;
};

/* Pages in and around a region. 0: nothing is mapped. */
static int random_span(struct judge *j, struct span *s)
{
	const struct nw_geometry *geo = &j->table.geo;
	const uint64_t ia_size = UINT64_C(1) << geo->ia_bits;
	const unsigned page = geo->granule_lg2;
	const struct region *r;
	uint64_t first, last;

	if (!j->model.count)
		return 0;
	r = &j->model.region[judge_below(j, j->model.count)];
	first = judge_below(j, r->size);
	last = judge_below(j, 4) ? first + judge_below(j, r->size - first)
				 : first + judge_below(j, 2 * r->size);
	s->ia = (r->ia + first) >> page << page;
	s->size = ((last - first) >> page << page) + (UINT64_C(1) << page);
	if (s->ia + s->size > ia_size)
		s->size = ia_size - s->ia;
	return 1;
}

static void check(struct judge *j, const char *what, const struct span *s,
		  enum nw_status status)
{
	j->changes++;
	if (status != NW_OK)
		judge_difference(j, "%s(0x%lx, 0x%lx): %s\n", what, s->ia,
				 s->size, nw_status_name(status));
}

static int cut_ends(struct judge *j, const struct span *s)
{
	return model_cut(&j->model, s->ia) &&
	       model_cut(&j->model, s->ia + s->size);
}

static struct nw_attrs with_write(const struct nw_attrs *attrs, int is_write)
{
	struct nw_attrs a = *attrs;

	if (is_write) {
		a.prot |= NW_PROT_W;
	} else {
		a.prot &= (uint8_t)~NW_PROT_W;
		a.flags &= (uint16_t)~NW_LEAF_DBM;
	}
	return a;
}

/* Only where something changes: the library need not split elsewhere. */
static int cut_changed(struct judge *j, uint64_t ia, int is_write)
{
	const struct region *r = model_find(&j->model, ia);
	struct nw_attrs a;

	if (!r)
		return 1;
	a = with_write(&r->attrs, is_write);
	if (a.prot == r->attrs.prot && a.flags == r->attrs.flags)
		return 1;
	return model_cut(&j->model, ia);
}

static void change_unmap(struct judge *j)
{
	struct nw_result result;
	struct span s;

	if (!random_span(j, &s) || !cut_ends(j, &s))
		return;
	model_remove(&j->model, s.ia, s.size);
	check(j, "nw_unmap", &s,
	      nw_unmap(&j->table, NW_IA(s.ia), s.size, NULL, &result));
}

/* Would every region in the span take this change? */
static int all_take(struct judge *j, const struct span *s, int is_write)
{
	for (unsigned i = model_from(&j->model, s->ia); i < j->model.count;
	     i++) {
		const struct region *r = &j->model.region[i];
		const struct nw_attrs a = with_write(&r->attrs, is_write);

		if (r->ia >= s->ia + s->size)
			break;
		if (!judge_encodes(j, &a))
			return 0;
	}
	return 1;
}

static void model_write(struct judge *j, const struct span *s, int is_write)
{
	for (unsigned i = model_from(&j->model, s->ia); i < j->model.count;
	     i++) {
		struct region *r = &j->model.region[i];

		if (r->ia >= s->ia + s->size)
			break;
		r->attrs = with_write(&r->attrs, is_write);
	}
}

enum write_change { RELAX, RESTRICT, WRITE_PROTECT };

static void change_write(struct judge *j, enum write_change how)
{
	struct nw_result result;
	struct span s;

	if (!random_span(j, &s) || !all_take(j, &s, how == RELAX) ||
	    !cut_changed(j, s.ia, how == RELAX) ||
	    !cut_changed(j, s.ia + s.size, how == RELAX))
		return;
	model_write(j, &s, how == RELAX);
	if (how == WRITE_PROTECT)
		check(j, "nw_write_protect", &s,
		      nw_write_protect(&j->table, NW_IA(s.ia), s.size, NULL,
				       NULL, NULL, &result));
	else
		check(j, "nw_protect", &s,
		      nw_protect(&j->table, NW_IA(s.ia), s.size,
				 how == RELAX ? NW_PROTECT_RELAX
					      : NW_PROTECT_RESTRICT,
				 NW_PROT_W, NULL, &result));
}

static void change_split(struct judge *j)
{
	const struct nw_geometry *geo = &j->table.geo;
	struct nw_result result;
	struct nw_mapping m;
	struct span s;

	if (!random_span(j, &s) || !model_find(&j->model, s.ia) ||
	    nw_lookup(&j->table, NW_IA(s.ia), &m) != NW_OK || m.level == 0)
		return;
	s.size = UINT64_C(1) << nw_span_lg2(geo, m.level);
	check(j, "nw_split", &s,
	      nw_split(&j->table, NW_IA(s.ia),
		       (unsigned)judge_below(j, m.level), NULL, &result));
}

static void change_collapse(struct judge *j)
{
	struct span s = {0, UINT64_C(1) << j->table.geo.ia_bits};
	struct nw_result result;

	check(j, "nw_collapse", &s,
	      nw_collapse(&j->table, NW_IA(0), s.size, NW_LEVEL_ANY, ~0u,
			  &result));
}

/* No leaf lies across the ends of a region that touches no other. */
static int is_alone(const struct model *m, unsigned i)
{
	const struct region *r = &m->region[i];

	return (i == 0 || r[-1].ia + r[-1].size != r->ia) &&
	       (i + 1 == m->count || r->ia + r->size != r[1].ia);
}

static void change_age(struct judge *j)
{
	struct nw_result result;
	struct region *r;
	struct span s;
	uint64_t young;
	unsigned i;

	if (!j->model.count)
		return;
	i = (unsigned)judge_below(j, j->model.count);
	if (!is_alone(&j->model, i))
		return;
	r = &j->model.region[i];
	s = (struct span){r->ia, r->size};
	r->attrs.flags &= (uint16_t)~NW_LEAF_ACCESSED;
	check(j, "nw_age", &s,
	      nw_age(&j->table, NW_IA(s.ia), s.size, NW_AGE_CLEAR, &young,
		     &result));
	/* nw_age() leaves that to its caller. */
	pool_port.invalidate(NULL, NULL);
}

void judge_change(struct judge *j, unsigned count)
{
	while (count--) {
		switch (judge_below(j, 12)) {
		case 0:
		case 1:
			change_unmap(j);
			break;
		case 2:
		case 3:
			change_write(j, RELAX);
			break;
		case 4:
		case 5:
			change_write(j, RESTRICT);
			break;
		case 6:
			change_write(j, WRITE_PROTECT);
			break;
		case 7:
		case 8:
			change_split(j);
			break;
		case 9:
			change_age(j);
			break;
		default:
			judge_map_one(j);
			break;
		}
		judge_recheck(j);
	}
	change_collapse(j);
}
