/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidations: what each form covers, and when it is complete.
 *
 * On arm64 (and for INVLPGB) an invalidation marks ("dooms") what it covers
 * when it is issued; the marked entries go when its issuer's barrier completes
 * it. Between the two an entry may still be used, and what is filled then is
 * not covered: each structure of a CPU may have seen the invalidation before
 * the fill. All other forms of x86 and RISC-V act on the CPU that executes
 * them, and are over with that.
 */
#include "tlb.h"

static unsigned tlbi_count;
uint64_t nwm_tlbi_combined;

void nwm_tlbi_reset(void)
{
	tlbi_count = 0;
	nwm_tlbi_combined = 0;
}

enum {
	DROP_LEAF = 1,	   /* stage-1 leaves, or stage-2 by IPA */
	DROP_COMBINED = 2, /* what holds both stages */
	DROP_WALK = 4,
	BY_ADDRESS = 8,
	ANY_TAG = 16,
	LOCAL = 32,
	AT_ONCE = 64, /* complete when executed */
	SERIAL = 128, /* and serialising: the store buffer is empty */
};

#define ALL_HERE  (DROP_LEAF | DROP_COMBINED | DROP_WALK | LOCAL | AT_ONCE)
#define LEAF_HERE (DROP_LEAF | DROP_COMBINED | BY_ADDRESS | LOCAL | AT_ONCE)

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
	[NW_TLBI_VMALLS12E1] = {NW_REGIME_STAGE2,
				DROP_LEAF | DROP_COMBINED | DROP_WALK | LOCAL},
	[NW_TLBI_IPAS2LE1IS] = {NW_REGIME_STAGE2, DROP_LEAF | BY_ADDRESS},
	[NW_TLBI_RIPAS2LE1IS] = {NW_REGIME_STAGE2, DROP_LEAF | BY_ADDRESS},
	[NW_TLBI_RVALE2IS] = {NW_REGIME_EL2, DROP_LEAF | BY_ADDRESS},
	[NW_TLBI_VAE1IS] = {NW_REGIME_EL10, DROP_LEAF | DROP_WALK | BY_ADDRESS},
	[NW_TLBI_VALE1IS] = {NW_REGIME_EL10, DROP_LEAF | BY_ADDRESS},
	[NW_TLBI_VAAE1IS] = {NW_REGIME_EL10,
			     DROP_LEAF | DROP_WALK | BY_ADDRESS | ANY_TAG},
	[NW_TLBI_VAALE1IS] = {NW_REGIME_EL10, DROP_LEAF | BY_ADDRESS | ANY_TAG},
	[NW_TLBI_ASIDE1IS] = {NW_REGIME_EL10, DROP_LEAF | DROP_WALK},
	[NW_TLBI_RVAE1IS] = {NW_REGIME_EL10,
			     DROP_LEAF | DROP_WALK | BY_ADDRESS},
	[NW_TLBI_RVALE1IS] = {NW_REGIME_EL10, DROP_LEAF | BY_ADDRESS},
	[NW_TLBI_RVAAE1IS] = {NW_REGIME_EL10,
			      DROP_LEAF | DROP_WALK | BY_ADDRESS | ANY_TAG},
	[NW_TLBI_RVAALE1IS] = {NW_REGIME_EL10,
			       DROP_LEAF | BY_ADDRESS | ANY_TAG},
	[NW_TLBI_VAE1] = {NW_REGIME_EL10,
			  DROP_LEAF | DROP_WALK | BY_ADDRESS | LOCAL},
	[NW_TLBI_VALE1] = {NW_REGIME_EL10, DROP_LEAF | BY_ADDRESS | LOCAL},
	[NW_TLBI_ASIDE1] = {NW_REGIME_EL10, DROP_LEAF | DROP_WALK | LOCAL},
	/* SDM volume 3, "Operations that Invalidate TLBs and Paging-Structure
	 * Caches", and "Serializing Instructions": INVPCID is none. Upper
	 * levels that lead elsewhere are left, as AMD's TCE allows. */
	[NW_TLBI_X86_INVLPG] = {NW_REGIME_X86, ALL_HERE | BY_ADDRESS | SERIAL},
	[NW_TLBI_X86_INVPCID_ADDR] = {NW_REGIME_X86, ALL_HERE | BY_ADDRESS},
	[NW_TLBI_X86_INVPCID_PCID] = {NW_REGIME_X86, ALL_HERE},
	[NW_TLBI_X86_INVPCID_ALL] = {NW_REGIME_X86, ALL_HERE | ANY_TAG},
	[NW_TLBI_X86_MOV_CR3] = {NW_REGIME_X86, ALL_HERE | SERIAL},
	/* APM volume 3, "INVLPGB", "TLBSYNC". */
	[NW_TLBI_X86_INVLPGB] = {NW_REGIME_X86,
				 DROP_LEAF | DROP_WALK | BY_ADDRESS},
	[NW_TLBI_X86_INVEPT_SINGLE] = {NW_REGIME_EPT, ALL_HERE | SERIAL},
	[NW_TLBI_X86_INVEPT_ALL] = {NW_REGIME_EPT, ALL_HERE | ANY_TAG | SERIAL},
	[NW_TLBI_X86_INVVPID] = {NW_REGIME_EPT,
				 DROP_COMBINED | LOCAL | AT_ONCE | SERIAL},
	[NW_TLBI_X86_ASID] = {NW_REGIME_NPT, ALL_HERE | SERIAL},
	[NW_TLBI_X86_ASID_ALL] = {NW_REGIME_NPT, ALL_HERE | ANY_TAG | SERIAL},
	/* RISC-V privileged, "SFENCE.VMA", "HFENCE.GVMA": with an address they
	 * concern leaf entries only. */
	[NW_TLBI_RISCV_SFENCE_VMA] = {NW_REGIME_RISCV_S, LEAF_HERE},
	[NW_TLBI_RISCV_SFENCE_VMA_ASID] = {NW_REGIME_RISCV_S, ALL_HERE},
	[NW_TLBI_RISCV_SFENCE_VMA_ALL] = {NW_REGIME_RISCV_S,
					  ALL_HERE | ANY_TAG},
	[NW_TLBI_RISCV_HFENCE_GVMA] = {NW_REGIME_RISCV_G, LEAF_HERE},
	[NW_TLBI_RISCV_HFENCE_GVMA_VMID] = {NW_REGIME_RISCV_G, ALL_HERE},
	[NW_TLBI_RISCV_HFENCE_GVMA_ALL] = {NW_REGIME_RISCV_G,
					   ALL_HERE | ANY_TAG},
};

int nwm_tlbi_is_local(enum nw_tlbi op)
{
	return forms[op].what & LOCAL;
}

int nwm_tlbi_is_at_once(enum nw_tlbi op)
{
	return forms[op].what & AT_ONCE;
}

static int tlbi_covers(const struct nwm_tlbi *tlbi,
		       const struct nwm_tlb_entry *e)
{
	const struct tlbi_form *f = &forms[tlbi->op];
	static const uint8_t drops[] = {
		[NWM_TLB_LEAF] = DROP_LEAF,
		[NWM_TLB_COMBINED] = DROP_COMBINED,
		[NWM_TLB_WALK] = DROP_WALK,
		[NWM_TLB_INVALID] = DROP_LEAF,
	};
	unsigned need = drops[e->kind];

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

/* A walker has no store buffer to look into: only places are passed on. */
static void walker_raise(struct nwm_cpu *c, const struct nwm_view *view)
{
	if (c->walker.pos < view->pos)
		c->walker.pos = view->pos;
}

/*
 * A form that is complete when executed. SFENCE.VMA and HFENCE.GVMA order the
 * hart's earlier stores, and what it has learned, before its later walks.
 */
static void execute(unsigned cpu, const struct nwm_tlbi *tlbi)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];
	unsigned kept = 0;

	if (forms[tlbi->op].what & SERIAL)
		nwm_fence_full(cpu);
	if (nwm_config.arch == NWM_RISCV)
		nwm_cpu_publish(cpu, &c->walker);
	for (unsigned i = 0; i < c->tlb_count; i++)
		if (!tlbi_covers(tlbi, &c->tlb[i]))
			c->tlb[kept++] = c->tlb[i];
	c->tlb_count = kept;
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
	if (forms[tlbi->op].what & AT_ONCE) {
		execute(cpu, tlbi);
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
	for (unsigned i = 0; i < nwm_config.cpus; i++) {
		doom(&nwm_cpu[i], tlbi, bit);
		/* x86: what left the issuer's buffer before is in memory for
		 * whoever walks after this. */
		if (nwm_is_tso(&nwm_config))
			walker_raise(&nwm_cpu[i], nwm_cpu_view(cpu));
	}
}

static void remove_doomed(struct nwm_cpu *c, uint64_t bits)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < c->tlb_count; i++)
		if (!(c->tlb[i].doomed & bits))
			c->tlb[kept++] = c->tlb[i];
	c->tlb_count = kept;
}

static void broadcasts_complete(unsigned cpu)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];

	if (!c->tlbi_pending)
		return;
	/* Accesses that used what is dropped are complete as well. */
	for (unsigned i = 0; i < nwm_config.cpus; i++) {
		remove_doomed(&nwm_cpu[i], c->tlbi_pending);
		nwm_cpu_learn(cpu, &nwm_cpu[i].done);
	}
	c->tlbi_pending = 0;
}

/* APM volume 3, "TLBSYNC": serialising, and this CPU's INVLPGBs are over. */
void nwm_tlbsync(unsigned cpu)
{
	nwm_fence_full(cpu);
	for (unsigned i = 0; i < nwm_config.cpus; i++)
		walker_raise(&nwm_cpu[i], nwm_cpu_view(cpu));
	broadcasts_complete(cpu);
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
	int is_all =
		kind != NW_BARRIER_DSB_ISHST && kind != NW_BARRIER_DSB_NSHST;

	if (!c->is_unsynced && nwm_config.has_spurious) {
		c->synced = c->walker;
		c->is_unsynced = 1;
	}
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
	broadcasts_complete(cpu);
}
