/* SPDX-License-Identifier: BSD-2-Clause */
/* Barriers, invalidations, and writes of the registers that hold roots. */
#include "../machine/tlb.h"
#include "../trace/vocab.h"
#include "engine.h"

static int is_direct(void)
{
	return nwx.phase != NWX_RUN;
}

static unsigned self_cpu(void)
{
	return (unsigned)nwx.self;
}

static void point(unsigned kind, unsigned aux, uint32_t obj)
{
	nwx_point((struct nwx_op){
		.kind = (uint8_t)kind, .aux = (uint8_t)aux, .obj = obj});
}

/* ---- barriers ------------------------------------------------------------ */

static const char *const barrier_names[NW_BARRIER_COUNT] = {
	"dmb ishst", "dsb ish", "dsb ishst", "dsb nsh", "dsb nshst", "dsb sy",
	"isb",	     "mfence",	"tlbsync",   "fence w", "fence rw",
};

static unsigned dsb_facts(enum nw_barrier kind)
{
	switch (kind) {
	case NW_BARRIER_DSB_NSH:
		return NWX_DSB_COMPLETES;
	case NW_BARRIER_DSB_NSHST:
		return 0;
	case NW_BARRIER_DSB_ISHST:
		return NWX_DSB_WIDE;
	default:
		return NWX_DSB_WIDE | NWX_DSB_COMPLETES;
	}
}

static void dsb(enum nw_barrier kind)
{
	point(NWX_OP_DSB, self_cpu(), dsb_facts(kind));
	if (kind == NW_BARRIER_DSB_ISHST)
		nwm_fence_complete(self_cpu());
	else if (kind == NW_BARRIER_DSB_NSHST)
		nwm_fence_store(self_cpu());
	else if (kind == NW_BARRIER_DSB_NSH)
		nwm_fence_local(self_cpu());
	else
		nwm_fence_full(self_cpu());
	nwm_dsb(self_cpu(), kind);
}

/* Without a root to come it decides nothing that others could notice. */
static void isb(void)
{
	if (nwm_isb_matters(self_cpu()))
		point(NWX_OP_ROOT, self_cpu(), 0);
	else
		nwx_local();
	nwm_isb(self_cpu());
}

static void barrier(enum nw_barrier kind)
{
	switch (kind) {
	case NW_BARRIER_ISB:
		isb();
		break;
	case NW_BARRIER_DMB_ISHST:
	case NW_BARRIER_RISCV_FENCE_W:
		nwx_local();
		nwm_fence_store(self_cpu());
		break;
	case NW_BARRIER_X86_MFENCE:
	case NW_BARRIER_RISCV_FENCE_RW:
		point(NWX_OP_FENCE, self_cpu(), 0);
		nwm_fence_full(self_cpu());
		break;
	case NW_BARRIER_X86_TLBSYNC:
		point(NWX_OP_DSB, self_cpu(), NWX_DSB_WIDE | NWX_DSB_COMPLETES);
		nwm_tlbsync(self_cpu());
		break;
	default:
		dsb(kind);
		break;
	}
}

void nwx_barrier(enum nw_barrier kind)
{
	nwx_called(__builtin_return_address(0));
	if (!is_direct())
		barrier(kind);
	nwx_judge(NW_EV_BARRIER, kind, 0, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_BARRIER, kind, 0, 0, "%s",
				 barrier_names[kind]);
}

void nwx_fence(void)
{
	if (is_direct())
		return;
	point(NWX_OP_FENCE, self_cpu(), 0);
	nwm_fence_full(self_cpu());
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0, "dmb ish");
}

/* ---- invalidation -------------------------------------------------------- */

/* The register operand: include/nestwalk/trace.h. */
static uint64_t tlbi_operand(enum nw_tlbi op, uint64_t start, unsigned tag,
			     int level_hint)
{
	uint64_t ttl = level_hint < 0 ? 0 : 4u | (3u - (unsigned)level_hint);
	uint64_t asid = op >= NW_TLBI_VAE1IS ? (uint64_t)tag << 48 : 0;

	if (op == NW_TLBI_RISCV_HFENCE_GVMA)
		return start >> 2;
	if (op >= NW_TLBI_X86_INVLPG)
		return start;
	return (start >> 12 & UINT64_C(0xfffffffffff)) | ttl << 44 | asid;
}

/* What is complete at once takes entries away, as a barrier of this CPU does
 * elsewhere. */
static void tlbi(const struct nwm_tlbi *t)
{
	if (nwm_tlbi_is_at_once(t->op))
		point(NWX_OP_DSB, self_cpu(), NWX_DSB_COMPLETES);
	else
		point(NWX_OP_TLBI, self_cpu(), !nwm_tlbi_is_local(t->op));
	nwm_tlbi_issue(self_cpu(), t);
}

void nwx_tlbi(enum nw_tlbi op, uint64_t start, uint64_t end, unsigned tag,
	      int level_hint)
{
	struct nwm_tlbi t = {.op = op,
			     .start = start,
			     .end = end,
			     .tag = (uint16_t)tag,
			     .level_hint = (uint8_t)(level_hint + 1)};
	uint64_t operand = tlbi_operand(op, start, tag, level_hint);

	if (!is_direct())
		tlbi(&t);
	nwx_judge(NW_EV_TLBI, op, operand, tag);
	if (nwx.record)
		nwx_record_event(
			NW_EV_TLBI, op, operand, tag, "tlbi %s 0x%llx",
			nwv_field_name(&nwv_kind(NW_EV_TLBI)->field[0], op),
			(unsigned long long)start);
}

/* ---- roots --------------------------------------------------------------- */

/*
 * A CPU's first event says that it runs, and that all before it is known there.
 * So whatever setup installs is told when setup is over.
 */
#define STARTS_MAX (2 * NWM_CPUS_MAX)

static struct {
	unsigned cpu;
	enum nw_regime regime;
	struct nwm_root root;
} starts[STARTS_MAX];
static unsigned starts_n;

static void root_tell(unsigned cpu, enum nw_regime regime,
		      const struct nwm_root *root)
{
	int self = nwx.self;

	nwx.self = (int)cpu; /* whose event it is */
	nwx_trace(NW_EV_ROOT_SWITCH, root->pa, root->tag, regime, NULL, 0);
	nwx.self = self;
}

void nwx_root_set(unsigned cpu, enum nw_regime regime, struct nwm_root root)
{
	nwm_root_set(cpu, regime, root);
	if (cpu >= nwx.cpus)
		return;
	if (nwx.phase != NWX_SETUP) {
		root_tell(cpu, regime, &root);
		return;
	}
	if (starts_n == STARTS_MAX)
		nwx_bug("more roots in a setup than the explorer follows",
			__FILE__, __LINE__);
	starts[starts_n].cpu = cpu;
	starts[starts_n].regime = regime;
	starts[starts_n++].root = root;
}

void nwx_roots_tell(void)
{
	for (unsigned i = 0; i < starts_n; i++)
		root_tell(starts[i].cpu, starts[i].regime, &starts[i].root);
	starts_n = 0;
}

void nwx_root_switch(enum nw_regime regime, struct nwm_root root)
{
	point(NWX_OP_ROOT, self_cpu(), 1);
	nwm_root_write(self_cpu(), regime, root);
	nwx_judge(NW_EV_ROOT_SWITCH, root.pa, root.tag, regime);
	if (nwx.record)
		nwx_record_event(NW_EV_ROOT_SWITCH, root.pa, root.tag, regime,
				 "root 0x%llx, tag %u",
				 (unsigned long long)root.pa, root.tag);
}

/* ---- what hardware writes ---------------------------------------------------
 */

void nwm_updated(unsigned cpu, unsigned loc, uint64_t old, uint64_t new_value)
{
	int self = nwx.self;

	nwx.self = (int)cpu; /* whose walker it is */
	nwx_judge(NW_EV_HW_UPDATE, (uintptr_t)&nwm_arena[loc], old, new_value);
	if (nwx.record)
		nwx_record_event(NW_EV_HW_UPDATE, (uintptr_t)&nwm_arena[loc],
				 old, new_value, "updates %s: 0x%llx",
				 nwx_place(loc), (unsigned long long)new_value);
	nwx.self = self;
}
