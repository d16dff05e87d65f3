/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How entries of tables read, from the manuals and not shared with the
 * library. Levels count from 0, where pages are.
 */
#include "tlb.h"

#define BIT(n)	(UINT64_C(1) << (n))
#define PA_MASK UINT64_C(0x0000fffffffff000)

#define RUN_LG2 4 /* both architectures with 4 KiB pages: 16 entries */

static uint64_t at_level(uint64_t pa, unsigned level)
{
	return pa & ~((UINT64_C(1) << (12 + 9 * level)) - 1);
}

static void table(struct nwm_desc *d, uint64_t pa)
{
	d->kind = NWM_DESC_TABLE;
	d->out = pa;
}

/* Arm ARM DDI 0487, "Translation table descriptor formats". */
static void arm64(struct nwm_desc *d, int is_stage2, unsigned level, uint64_t v)
{
	if (!(v & BIT(0)) || (!level && !(v & BIT(1))))
		return; /* level 0 without bit 1 is reserved: a fault */
	if (level && (v & BIT(1))) {
		table(d, v & PA_MASK);
		return;
	}
	d->kind = NWM_DESC_LEAF;
	d->out = at_level(v & PA_MASK, level);
	d->has_af = !!(v & NWM_DESC_AF);
	d->has_dbm = !!(v & NWM_DESC_DBM);
	d->run_lg2 = level < 2 && (v & BIT(52)) ? RUN_LG2 : 0;
	if (is_stage2) {
		d->rights = (uint8_t)(v >> 6 & 3);
		d->attrs = (uint8_t)((v >> 2 & 0xf) | (v >> 8 & 3) << 4);
	} else {
		d->rights = v & NWM_DESC_S1_RO ? NWM_R : NWM_R | NWM_W;
		d->attrs = (uint8_t)((v >> 2 & 7) | (v >> 8 & 3) << 4);
	}
	if (!(v & BIT(54)))
		d->rights |= NWM_X;
}

/*
 * SDM volume 3, "4-level paging" (AMD's nested tables are the same), and
 * "EPT translation mechanism". Hardware always sets the accessed flag of the
 * former; both are "dirty managed": a write sets D where the write right is.
 */
static void x86(struct nwm_desc *d, int is_ept, unsigned level, uint64_t v)
{
	if (!(is_ept ? v & 7 : v & BIT(0)))
		return;
	if (level && !(v & BIT(7))) {
		table(d, v & PA_MASK);
		return;
	}
	d->kind = NWM_DESC_LEAF;
	d->out = at_level(v & PA_MASK, level);
	if (is_ept) {
		d->rights = (uint8_t)(v & 7);
		d->attrs = (uint8_t)(v >> 3 & 0xf);
		/* Without the feature both bits mean nothing. */
		d->has_af = !nwm_config.has_haf || (v & BIT(8));
		d->is_clean = nwm_config.has_hd && !(v & BIT(9));
		return;
	}
	d->rights =
		NWM_R | (v & BIT(1) ? NWM_W : 0) | (v & BIT(63) ? 0 : NWM_X);
	d->attrs = (uint8_t)(v >> 3 & 3);
	d->has_af = !!(v & BIT(5));
	d->is_clean = !(v & BIT(6));
}

/* RISC-V privileged, "Sv39", "Svnapot", "Svpbmt"; the G-stage is the same. */
static void riscv(struct nwm_desc *d, unsigned level, uint64_t v)
{
	uint64_t pa = (v >> 10 & UINT64_C(0xfffffffffff)) << 12;

	if (!(v & BIT(0)) || (v & 6) == 4)
		return; /* writable and not readable is reserved */
	if (!(v & 0xe)) {
		if (level)
			table(d, pa);
		return;
	}
	if (v & BIT(63)) {
		if (level || (pa >> 12 & 15) != 8)
			return;
		d->is_napot = 1;
		d->run_lg2 = RUN_LG2;
		pa &= ~UINT64_C(0xffff);
	}
	if (pa != at_level(pa, level))
		return; /* a misaligned superpage faults */
	d->kind = NWM_DESC_LEAF;
	d->out = pa;
	d->rights = (uint8_t)(v >> 1 & 7);
	d->attrs = (uint8_t)(v >> 61 & 3);
	d->has_af = !!(v & BIT(6));
	d->is_clean = !(v & BIT(7));
}

struct nwm_desc nwm_desc_decode(enum nw_regime regime, unsigned level,
				uint64_t value)
{
	struct nwm_desc d = {.kind = NWM_DESC_INVALID};

	switch (regime) {
	case NW_REGIME_X86:
	case NW_REGIME_NPT:
		x86(&d, 0, level, value);
		break;
	case NW_REGIME_EPT:
		x86(&d, 1, level, value);
		break;
	case NW_REGIME_RISCV_S:
	case NW_REGIME_RISCV_G:
		riscv(&d, level, value);
		break;
	default:
		arm64(&d, regime == NW_REGIME_STAGE2, level, value);
		break;
	}
	return d;
}

/*
 * What hardware writes for an access: the accessed flag, and for a write the
 * dirty state. arm64: dirty is the write right itself, where DBM lets hardware
 * give it. x86, RISC-V: a flag of its own beside the write right.
 */
uint64_t nwm_desc_update(enum nw_regime regime, const struct nwm_desc *d,
			 uint64_t value, int is_write)
{
	static const uint8_t af[NW_REGIME_COUNT] = {10, 10, 10, 5, 5, 8, 6, 6};
	static const uint8_t dirty[NW_REGIME_COUNT] = {7, 7, 7, 6, 6, 9, 7, 7};

	/* Long mode has no way not to. */
	int is_always = regime == NW_REGIME_X86 || regime == NW_REGIME_NPT;

	if (!d->has_af && (nwm_config.has_haf || is_always))
		value |= BIT(af[regime]);
	if (!is_write || !(nwm_config.has_hd || is_always))
		return value;
	if (d->is_clean && (d->rights & NWM_W))
		return value | BIT(dirty[regime]);
	if (!d->has_dbm || (d->rights & NWM_W))
		return value;
	return regime == NW_REGIME_STAGE2 ? value | NWM_DESC_S2_W
					  : value & ~NWM_DESC_S1_RO;
}

int nwm_regime_has_stage1(enum nw_regime regime)
{
	return regime == NW_REGIME_STAGE2 || regime == NW_REGIME_NPT ||
	       regime == NW_REGIME_EPT || regime == NW_REGIME_RISCV_G;
}
