/* SPDX-License-Identifier: BSD-2-Clause */
/* What each CPU's MMU holds: roots, and the entries of its TLB. */
#include <string.h>

#include "tlb.h"

struct nwm_cpu nwm_cpu[NWM_CPUS_MAX];

static struct nwm_root roots_saved[NWM_CPUS_MAX][NWM_REGIMES];

void nwm_machine_reset(void)
{
	nwm_tlbi_reset();
	for (unsigned i = 0; i < NWM_CPUS_MAX; i++) {
		struct nwm_cpu *c = &nwm_cpu[i];

		memcpy(c->root, roots_saved[i], sizeof(c->root));
		c->written_mask = 0;
		nwm_view_clear(&c->walker);
		nwm_view_clear(&c->synced);
		nwm_view_clear(&c->done);
		c->is_unsynced = 0;
		c->tlb_count = 0;
		c->tlbi_pending = 0;
		c->tlbi_local = 0;
	}
	nwm_pages_reset();
}

/* ---- roots ------------------------------------------------------------- */

void nwm_roots_save(void)
{
	for (unsigned i = 0; i < NWM_CPUS_MAX; i++)
		memcpy(roots_saved[i], nwm_cpu[i].root, sizeof(roots_saved[i]));
}

void nwm_root_set(unsigned cpu, enum nw_regime regime, struct nwm_root root)
{
	root.valid = 1;
	nwm_cpu[cpu].root[regime] = root;
	nwm_cpu[cpu].written_mask &= ~(1u << regime);
}

struct nwm_root nwm_root_get(unsigned cpu, enum nw_regime regime)
{
	return nwm_cpu[cpu].root[regime];
}

/*
 * DDI 0487, "Synchronization requirements for AArch64 System registers": a
 * direct write is certain to be seen after a context synchronization event, and
 * may be seen before. A second write before that replaces the first. MOV to
 * CR3, VM entry and writes of satp and hgatp act at once.
 */
void nwm_root_write(unsigned cpu, enum nw_regime regime, struct nwm_root root)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];

	if (nwm_config.arch != NWM_ARM64) {
		nwm_root_set(cpu, regime, root);
		return;
	}
	root.valid = 1;
	c->written[regime] = root;
	c->written_mask |= 1u << regime;
}

struct nwm_root nwm_root_use(unsigned cpu, enum nw_regime regime)
{
	const struct nwm_cpu *c = &nwm_cpu[cpu];

	if ((c->written_mask >> regime & 1) &&
	    nwm_choose(NWM_CHOOSE_OTHER, 2))
		return c->written[regime];
	return c->root[regime];
}

int nwm_isb_matters(unsigned cpu)
{
	return nwm_cpu[cpu].written_mask != 0;
}

void nwm_isb(unsigned cpu)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];

	for (unsigned r = 0; r < NWM_REGIMES; r++)
		if (c->written_mask >> r & 1)
			c->root[r] = c->written[r];
	c->written_mask = 0;
	c->is_unsynced = 0;
}

/* ---- looking ----------------------------------------------------------- */

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

	if (a->kind == NWM_TLB_WALK || a->kind == NWM_TLB_INVALID ||
	    a->kind != b->kind ||
	    a->regime != b->regime || a->tag != b->tag ||
	    (a->base & mask) != (b->base & mask))
		return 0;
	delta_a = a->out - a->base;
	delta_b = b->out - b->base;
	/* x86 and RISC-V use one or the other where the size is the same; what
	 * changes size and anything else at once is uncertain (SDM volume 3,
	 * "Details of TLB Use"; RISC-V privileged, "SFENCE.VMA"). */
	if (nwm_config.arch != NWM_ARM64)
		return a->span_lg2 != b->span_lg2 &&
		       (delta_a != delta_b || a->attrs != b->attrs ||
			a->rights != b->rights);
	/* Rights, accessed and dirty state may change in place; address,
	 * memory type and shareability never (DDI 0487, "TLB maintenance
	 * requirements and break-before-make"). */
	if (delta_a != delta_b || a->attrs != b->attrs)
		return 1;
	if (a->span_lg2 == b->span_lg2)
		return 0;
	/* A change of size with the same translation: FEAT_BBM level 2; of the
	 * contiguous bit: level 1. A run and its members beside it: always. */
	if (a->level != b->level)
		return nwm_config.bbm_level < 2;
	return a->is_run != b->is_run && nwm_config.bbm_level < 1;
}

static int same_entry(const struct nwm_tlb_entry *a,
		      const struct nwm_tlb_entry *b)
{
	return a->kind == b->kind && a->regime == b->regime &&
	       a->tag == b->tag && a->base == b->base &&
	       a->span_lg2 == b->span_lg2 && a->out == b->out &&
	       a->rights == b->rights && a->attrs == b->attrs &&
	       a->level == b->level && a->is_run == b->is_run &&
	       a->doomed == b->doomed;
}

static void report_conflict(unsigned cpu, const struct nwm_tlb_entry *old,
			    const struct nwm_tlb_entry *e)
{
	if (nwm_config.multihit == NWM_MAY_ABORT &&
	    nwm_choose(NWM_CHOOSE_OTHER, 2)) {
		nwm_report(NWM_CONFLICT,
			   "CPU %u: two live TLB entries match address 0x%llx "
			   "and disagree (one cached at step %u, one now): an "
			   "access may take a conflict abort",
			   cpu, (unsigned long long)e->base, old->step);
		return;
	}
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
	if (e->kind != NWM_TLB_WALK && e->kind != NWM_TLB_INVALID) {
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
