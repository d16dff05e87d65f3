/* SPDX-License-Identifier: BSD-2-Clause */
#include "runs.h"

#include <string.h>

/* ---- what runs there are ----------------------------------------------- */

/* "The Contiguous bit": 16; at 16 KiB 128 pages or 32 blocks; at 64 KiB 32.
 * Svnapot: 16 pages. None for the largest blocks of 52-bit outputs. */
unsigned runs_members(const struct rig *rig, unsigned level)
{
	unsigned granule = rig->config.granule_lg2, members;

	if (!strncmp(rig->ops->name, "riscv", 5))
		return !level && (rig->config.features & NW_FEAT_SVNAPOT) ? 16
									  : 1;
	if (strncmp(rig->ops->name, "arm64", 5))
		return 1;
	if (level > (granule == 12 ? 2u : 1u))
		return 1;
	members = granule == 12 ? 16 : granule == 14 && !level ? 128 : 32;
	if (members * rig_span(rig, level) >> rig->config.ia_bits > 1)
		return 1;
	return members;
}

struct seen {
	struct rig *rig;
	const struct place *p;
	unsigned members, runs;
	uint64_t next_pa;
	uint8_t prot;
};

static enum nw_status see_leaf(const struct nw_visit *visit)
{
	struct seen *s = visit->arg;
	struct nw_decoded out;
	unsigned index;
	uint64_t pa;

	visit->ops->decode(visit->geo, visit->level, visit->old, &out);
	if (!(out.attrs.flags & NW_LEAF_CONTIG)) {
		if (s->members)
			rig_fail(s->rig, "a run of %u members at %#llx",
				 s->members, (unsigned long long)visit->ia.v);
		return NW_OK;
	}
	index = (unsigned)(visit->ia.v / s->p->span % s->p->members);
	pa = out.pa.v;
	/* Svnapot: all say the same. */
	if (!strncmp(visit->ops->name, "riscv", 5))
		pa += index * s->p->span;
	if (visit->level != s->p->level || index != s->members)
		rig_fail(s->rig, "member %u of a run is at %#llx", index,
			 (unsigned long long)visit->ia.v);
	if (index ? pa != s->next_pa : pa & (s->p->run - 1))
		rig_fail(s->rig, "member %u of a run maps to %#llx", index,
			 (unsigned long long)pa);
	/* The write right may be dirty state. */
	if (index && (out.attrs.prot ^ s->prot) & ~NW_PROT_W)
		rig_fail(s->rig, "member %u of a run has other rights", index);
	s->prot = out.attrs.prot;
	s->next_pa = pa + s->p->span;
	s->members = index + 1;
	if (s->members == s->p->members) {
		s->members = 0;
		s->runs++;
	}
	return NW_OK;
}

void runs_expect(struct rig *rig, const struct place *p, unsigned runs)
{
	struct seen s = {.rig = rig, .p = p};

	rig_expect(rig,
		   nw_walk(&rig->table, NW_IA(p->ia), RUNS * p->run,
			   NW_VISIT_LEAF, see_leaf, &s, NULL),
		   NW_OK);
	if (s.members || s.runs != runs)
		rig_fail(rig, "%u runs and %u members, expected %u", s.runs,
			 s.members, runs);
}
