/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLBs: what each CPU holds, and how invalidations take it away.
 *
 * An invalidation marks ("dooms") what it covers when it is issued; the marked
 * entries go when its issuer's barrier completes it. Between the two an entry
 * may still be used, and what is filled then is not covered: each structure of
 * a CPU may have seen the invalidation before the fill.
 */
#include <string.h>

#include "tlb.h"

struct nwm_cpu nwm_cpu[NWM_CPUS_MAX];

static unsigned tlbi_count;
uint64_t nwm_tlbi_combined;

void nwm_machine_reset(void)
{
	tlbi_count = 0;
	nwm_tlbi_combined = 0;
	for (unsigned i = 0; i < NWM_CPUS_MAX; i++) {
		struct nwm_cpu *c = &nwm_cpu[i];

		memset(c->walker.vc, 0, sizeof(c->walker.vc));
		c->walker.n = 0;
		memset(c->done.vc, 0, sizeof(c->done.vc));
		c->done.n = 0;
		c->tlb_count = 0;
		c->tlbi_pending = 0;
		c->tlbi_local = 0;
	}
	nwm_pages_reset();
}

void nwm_root_set(unsigned cpu, enum nw_regime regime, struct nwm_root root)
{
	root.valid = 1;
	nwm_cpu[cpu].root[regime] = root;
}

struct nwm_root nwm_root_get(unsigned cpu, enum nw_regime regime)
{
	return nwm_cpu[cpu].root[regime];
}

unsigned nwm_tlb_count(unsigned cpu)
{
	return nwm_cpu[cpu].tlb_count;
}

const struct nwm_tlb_entry *nwm_tlb_at(unsigned cpu, unsigned n)
{
	return &nwm_cpu[cpu].tlb[n];
}

/* ---- filling ----------------------------------------------------------- */

int nwm_tlb_conflict(const struct nwm_tlb_entry *a,
		     const struct nwm_tlb_entry *b)
{
	unsigned lg2 = a->span_lg2 > b->span_lg2 ? a->span_lg2 : b->span_lg2;
	uint64_t mask = ~((UINT64_C(1) << lg2) - 1);
	uint64_t delta_a, delta_b;

	if (a->kind == NWM_TLB_WALK || a->kind != b->kind ||
	    a->regime != b->regime || a->tag != b->tag ||
	    (a->base & mask) != (b->base & mask))
		return 0;
	delta_a = a->out - a->base;
	delta_b = b->out - b->base;
	/* Rights, accessed and dirty state may change in place; address,
	 * memory type and shareability never (DDI 0487, "TLB maintenance
	 * requirements and break-before-make"). */
	if (delta_a != delta_b || a->attrs != b->attrs)
		return 1;
	/* A change of size with the same translation: FEAT_BBM level 2. */
	return a->span_lg2 != b->span_lg2 && nwm_config.bbm_level < 2;
}

static int same_entry(const struct nwm_tlb_entry *a,
		      const struct nwm_tlb_entry *b)
{
	return a->kind == b->kind && a->regime == b->regime &&
	       a->tag == b->tag && a->base == b->base &&
	       a->span_lg2 == b->span_lg2 && a->out == b->out &&
	       a->rights == b->rights && a->attrs == b->attrs &&
	       a->level == b->level && a->doomed == b->doomed;
}

static void report_conflict(unsigned cpu, const struct nwm_tlb_entry *old,
			    const struct nwm_tlb_entry *e)
{
	nwm_report(NWM_AMALGAM,
		   "CPU %u: two live TLB entries match address 0x%llx: -> "
		   "0x%llx (%u KiB, cached at step %u%s) and -> 0x%llx (%u KiB, "
		   "cached now). An access may use an arbitrary mix, for "
		   "instance 0x%llx",
		   cpu, (unsigned long long)e->base,
		   (unsigned long long)old->out, 1u << (old->span_lg2 - 10),
		   old->step,
		   old->doomed ? ", its invalidation not completed here" : "",
		   (unsigned long long)e->out, 1u << (e->span_lg2 - 10),
		   (unsigned long long)(old->out | e->out));
}

void nwm_tlb_fill(unsigned cpu, const struct nwm_tlb_entry *e)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];
	unsigned i;

	for (i = 0; i < c->tlb_count; i++)
		if (same_entry(&c->tlb[i], e))
			return;
	if (e->kind != NWM_TLB_WALK) {
		for (i = 0; i < c->tlb_count; i++)
			if (nwm_tlb_conflict(&c->tlb[i], e))
				report_conflict(cpu, &c->tlb[i], e);
		(void)nwm_frame_check(cpu, e, "is cached now");
	}
	/* Full: the oldest goes, as it may at any time. */
	if (c->tlb_count == NWM_TLB_MAX) {
		memmove(&c->tlb[0], &c->tlb[1],
			(NWM_TLB_MAX - 1) * sizeof(c->tlb[0]));
		c->tlb_count--;
	}
	c->tlb[c->tlb_count] = *e;
	c->tlb[c->tlb_count++].step = nwm_step;
}

/* ---- invalidation ------------------------------------------------------ */

enum {
	DROP_LEAF = 1,	   /* stage-1 leaves, or stage-2 by IPA */
	DROP_COMBINED = 2, /* what holds both stages */
	DROP_WALK = 4,
	BY_ADDRESS = 8,
	ANY_TAG = 16,
	LOCAL = 32,
};

struct tlbi_form {
	uint8_t regime;
	uint8_t what;
};

/* DDI 0487, "TLB maintenance instructions". IPAS2E1 does not touch combined
 * entries; VMALLE1 does, and leaves those of stage 2 alone. */
static const struct tlbi_form forms[NW_TLBI_COUNT] = {
	[NW_TLBI_IPAS2E1IS] = {NW_REGIME_STAGE2,
			       DROP_LEAF | DROP_WALK | BY_ADDRESS},
	[NW_TLBI_RIPAS2E1IS] = {NW_REGIME_STAGE2,
				DROP_LEAF | DROP_WALK | BY_ADDRESS},
	[NW_TLBI_VMALLE1IS] = {NW_REGIME_STAGE2, DROP_COMBINED},
	[NW_TLBI_VMALLE1] = {NW_REGIME_STAGE2, DROP_COMBINED | LOCAL},
	[NW_TLBI_VMALLS12E1IS] = {NW_REGIME_STAGE2,
				  DROP_LEAF | DROP_COMBINED | DROP_WALK},
	[NW_TLBI_ALLE1IS] = {NW_REGIME_STAGE2,
			     DROP_LEAF | DROP_COMBINED | DROP_WALK | ANY_TAG},
	[NW_TLBI_ALLE1] = {NW_REGIME_STAGE2, DROP_LEAF | DROP_COMBINED |
						     DROP_WALK | ANY_TAG |
						     LOCAL},
	[NW_TLBI_VAE2IS] = {NW_REGIME_EL2, DROP_LEAF | DROP_WALK | BY_ADDRESS},
	[NW_TLBI_VALE2IS] = {NW_REGIME_EL2, DROP_LEAF | BY_ADDRESS},
	[NW_TLBI_RVAE2IS] = {NW_REGIME_EL2, DROP_LEAF | DROP_WALK | BY_ADDRESS},
	[NW_TLBI_VAE2] = {NW_REGIME_EL2,
			  DROP_LEAF | DROP_WALK | BY_ADDRESS | LOCAL},
	[NW_TLBI_VALE2] = {NW_REGIME_EL2, DROP_LEAF | BY_ADDRESS | LOCAL},
	[NW_TLBI_ALLE2IS] = {NW_REGIME_EL2, DROP_LEAF | DROP_WALK | ANY_TAG},
	[NW_TLBI_ALLE2] = {NW_REGIME_EL2,
			   DROP_LEAF | DROP_WALK | ANY_TAG | LOCAL},
	[NW_TLBI_IPAS2E1] = {NW_REGIME_STAGE2,
			     DROP_LEAF | DROP_WALK | BY_ADDRESS | LOCAL},
	[NW_TLBI_RIPAS2E1] = {NW_REGIME_STAGE2,
			      DROP_LEAF | DROP_WALK | BY_ADDRESS | LOCAL},
	[NW_TLBI_VMALLS12E1] = {NW_REGIME_STAGE2, DROP_LEAF | DROP_COMBINED |
							  DROP_WALK | LOCAL},
};

int nwm_tlbi_is_local(enum nw_tlbi op)
{
	return forms[op].what & LOCAL;
}

static int tlbi_covers(const struct nwm_tlbi *tlbi,
		       const struct nwm_tlb_entry *e)
{
	const struct tlbi_form *f = &forms[tlbi->op];
	unsigned need = e->kind == NWM_TLB_LEAF	    ? DROP_LEAF :
			e->kind == NWM_TLB_COMBINED ? DROP_COMBINED :
						      DROP_WALK;

	if (e->regime != f->regime || !(f->what & need))
		return 0;
	if (!(f->what & ANY_TAG) && e->tag != tlbi->tag)
		return 0;
	if (!(f->what & BY_ADDRESS))
		return 1;
	if (tlbi->level_hint && e->kind != NWM_TLB_WALK &&
	    e->level + 1u != tlbi->level_hint)
		return 0;
	return e->base < tlbi->end &&
	       tlbi->start < e->base + (UINT64_C(1) << e->span_lg2);
}

static void doom(struct nwm_cpu *c, const struct nwm_tlbi *tlbi, uint64_t bit)
{
	for (unsigned i = 0; i < c->tlb_count; i++)
		if (tlbi_covers(tlbi, &c->tlb[i]))
			c->tlb[i].doomed |= bit;
}

void nwm_tlbi_issue(unsigned cpu, const struct nwm_tlbi *tlbi)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];
	uint64_t bit;

	if (tlbi_count == 64) {
		nwm_report(NWM_LIVELOCK, "more than 64 invalidations in one "
					 "execution");
		return;
	}
	bit = UINT64_C(1) << tlbi_count++;
	c->tlbi_pending |= bit;
	if (forms[tlbi->op].what & DROP_COMBINED)
		nwm_tlbi_combined |= bit;
	if (nwm_tlbi_is_local(tlbi->op)) {
		c->tlbi_local |= bit;
		doom(c, tlbi, bit);
		return;
	}
	for (unsigned i = 0; i < nwm_config.cpus; i++)
		doom(&nwm_cpu[i], tlbi, bit);
}

static void remove_doomed(struct nwm_cpu *c, uint64_t bits)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < c->tlb_count; i++)
		if (!(c->tlb[i].doomed & bits))
			c->tlb[kept++] = c->tlb[i];
	c->tlb_count = kept;
}

/*
 * DDI 0487, "Completion of TLB maintenance": a DSB by the CPU that issued it,
 * for loads and stores, whose domain includes the CPUs concerned. A barrier of
 * another CPU completes nothing.
 */
void nwm_dsb(unsigned cpu, enum nw_barrier kind)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];
	int is_wide = kind == NW_BARRIER_DSB_ISH ||
		      kind == NW_BARRIER_DSB_ISHST || kind == NW_BARRIER_DSB_SY;
	int is_all = kind != NW_BARRIER_DSB_ISHST &&
		     kind != NW_BARRIER_DSB_NSHST;

	nwm_cpu_publish(cpu, &c->walker);
	for (unsigned i = 0; is_wide && i < nwm_config.cpus; i++)
		nwm_cpu_publish(cpu, &nwm_cpu[i].walker);
	if (!is_all)
		return;
	remove_doomed(c, c->tlbi_pending);
	c->tlbi_pending &= ~c->tlbi_local;
	c->tlbi_local = 0;
	if (!is_wide)
		return;
	if (!c->tlbi_pending)
		return;
	/* Accesses that used what is dropped are complete as well. */
	for (unsigned i = 0; i < nwm_config.cpus; i++) {
		remove_doomed(&nwm_cpu[i], c->tlbi_pending);
		nwm_cpu_learn(cpu, &nwm_cpu[i].done);
	}
	c->tlbi_pending = 0;
}
