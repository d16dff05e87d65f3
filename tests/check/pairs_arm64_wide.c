/* SPDX-License-Identifier: BSD-2-Clause */
/* The same rules under 16 and 64 KiB, and under 52-bit addresses. */
#include "pairs_arm64.h"

static const struct arm64_shape s2_16k = {
	NW_FORMAT_ID_arm64_s2, NW_REGIME_STAGE2, 14, 36, 40, 0, VMID};
static const struct arm64_shape s2_64k = {
	NW_FORMAT_ID_arm64_s2, NW_REGIME_STAGE2, 16, 42, 48, 0, VMID};
static const struct arm64_shape s2_64k_lpa = {
	NW_FORMAT_ID_arm64_s2, NW_REGIME_STAGE2, 16, 42, 52, NW_FEAT_LPA, VMID};
static const struct arm64_shape s2_lpa2 = {NW_FORMAT_ID_arm64_s2,
					   NW_REGIME_STAGE2,
					   12,
					   48,
					   52,
					   NW_FEAT_LPA2,
					   VMID};
static const struct arm64_shape s2_lpa2_30 = {NW_FORMAT_ID_arm64_s2,
					      NW_REGIME_STAGE2,
					      12,
					      30,
					      52,
					      NW_FEAT_LPA2,
					      VMID};
static const struct arm64_shape s2_16k_lpa2 = {NW_FORMAT_ID_arm64_s2,
					       NW_REGIME_STAGE2,
					       14,
					       47,
					       52,
					       NW_FEAT_LPA2,
					       VMID};
static const struct arm64_shape el2_5_levels = {
	NW_FORMAT_ID_arm64_el2, NW_REGIME_EL2, 12, 52, 52, NW_FEAT_LPA2, 0};

/* ---- ranges: two granules are one too few for the third page ------------ */

static void s2_64k_range(struct tb *t, int bad)
{
	arm64_two_levels(t, &s2_64k, 8190, S2_PAGE(RAM));
	set(t, BIG_TAB, 8190, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_RIPAS2LE1IS,
	     TG(16) | (uint64_t)(bad ? 0 : 1) << 39 | UINT64_C(3) << 37 | 8188,
	     VMID);
	arm64_stage2_rest(t);
}

/* With LPA2 the base is in units of 64 KiB, the length is not. */
static void lpa2_range(struct tb *t, uint64_t base, unsigned num)
{
	arm64_two_levels(t, &s2_lpa2_30, 34, S2_PAGE(RAM) & ~D_SH_INNER);
	set(t, BIG_TAB, 34, S2_PAGE(RAM) & ~D_SH_INNER, 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_RIPAS2E1IS, TG(12) | (uint64_t)num << 39 | base, VMID);
	arm64_stage2_rest(t);
}

static void lpa2_range_short(struct tb *t, int bad)
{
	lpa2_range(t, 2, bad ? 0 : 1);
}

static void lpa2_range_base(struct tb *t, int bad)
{
	lpa2_range(t, bad ? 34 : 2, 1);
}

static void range_granule(struct tb *t, int bad)
{
	arm64_two_levels(t, &s2_16k, 0, S2_PAGE(RAM));
	set(t, BIG_TAB, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_RIPAS2E1IS, TG(bad ? 16 : 14), VMID);
	arm64_stage2_rest(t);
}

/* ---- blocks and addresses of 16 KiB, 64 KiB and 52 bits ----------------- */

static void block_16k_hint(struct tb *t, int bad)
{
	uint64_t block = S2_BLOCK(RAM);

	arm64_table(t, &s2_16k, BIG_ROOT);
	set(t, BIG_ROOT, 1, 0, block);
	set(t, BIG_ROOT, 1, block, 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2LE1IS, BIT(25) >> 12 | TG(14) | TTL(bad ? 3 : 2),
	     VMID);
	arm64_stage2_rest(t);
}

static void nt_16k(struct tb *t, int bad)
{
	uint64_t block = S2_BLOCK(RAM);

	arm64_table(t, &s2_16k, BIG_ROOT);
	set(t, BIG_ROOT, 1, 0, block);
	set(t, BIG_ROOT, 1, block, block ^ (bad ? D_NT : S2_W));
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2LE1IS, BIT(25) >> 12, VMID);
	arm64_stage2_rest(t);
}

/* A 512 MiB block. */
static void size_64k(struct tb *t, int bad)
{
	uint64_t block = S2_BLOCK(RAM);
	struct arm64_shape s = s2_64k;
	unsigned i;

	s.features = bad ? NW_FEAT_BBM1 : NW_FEAT_BBM2;
	arm64_table(t, &s, BIG_ROOT);
	set(t, BIG_ROOT, 1, 0, block);
	alloc(t, BIG_TAB, 16);
	for (i = 0; i < 8192; i++)
		init(t, BIG_TAB, i, S2_PAGE(RAM + i * 64 * KIB));
	swap(t, BIG_ROOT, 1, block, TABLE(BIG_TAB));
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2LE1IS, BIT(29) >> 12, VMID);
	arm64_stage2_rest(t);
}

static void high_in_place(struct tb *t, const struct arm64_shape *s,
			  uint64_t value, uint64_t change)
{
	arm64_two_levels(t, s, 0, value);
	set(t, BIG_TAB, 0, value, value ^ change);
}

/* Output bits 51:48 in 15:12. */
static void lpa_address(struct tb *t, int bad)
{
	high_in_place(t, &s2_64k_lpa, S2_PAGE(RAM) | UINT64_C(0x3000),
		      bad ? UINT64_C(0x1000) : D_SOFT);
}

static void lpa_missing(struct tb *t, int bad)
{
	arm64_table(t, &s2_64k, BIG_ROOT);
	arm64_page(t, &s2_64k, BIG_TAB);
	init(t, BIG_TAB, 0, S2_PAGE(RAM) | (bad ? UINT64_C(0x1000) : 0));
	link_(t, BIG_ROOT, 0, 0, TABLE(BIG_TAB));
}

/* Output bits 51:50 in 9:8, where shareability was. */
static void lpa2_address(struct tb *t, int bad)
{
	high_in_place(t, &s2_lpa2_30, S2_PAGE(RAM) & ~BIT(9),
		      bad ? BIT(8) : D_SOFT);
}

static void lpa2_size(struct tb *t, int bad)
{
	struct arm64_shape s = s2_lpa2_30;

	s.oa = 50;
	arm64_table(t, &s, BIG_ROOT);
	arm64_page(t, &s, BIG_TAB);
	init(t, BIG_TAB, 0,
	     (S2_PAGE(RAM) & ~D_SH_INNER) | BIT(49) | (bad ? BIT(8) : 0));
	link_(t, BIG_ROOT, 0, 0, TABLE(BIG_TAB));
}

/* 512 GiB at level 0: the manual has no runs of those. */
static void lpa2_block_contig(struct tb *t, int bad)
{
	arm64_table(t, &s2_lpa2, BIG_ROOT);
	set(t, BIG_ROOT, 1, 0,
	    (S2_BLOCK(BIT(39)) & ~D_SH_INNER) | (bad ? D_CONTIG : 0));
}

static void lpa2_block(struct tb *t, const struct arm64_shape *s, unsigned lg2)
{
	uint64_t block = (S2_BLOCK(BIT(lg2)) & ~D_SH_INNER) | UINT64_C(0x200);

	arm64_table(t, s, BIG_ROOT);
	set(t, BIG_ROOT, 1, 0, block);
	set(t, BIG_ROOT, 1, block, 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

/* TTL 0b0100: 4 KiB, level 0. */
static void lpa2_block_hint(struct tb *t, int bad)
{
	lpa2_block(t, &s2_lpa2, 39);
	tlbi(t, NW_TLBI_IPAS2E1IS, BIT(39) >> 12 | TG(12) | TTL(bad ? 1 : 0),
	     VMID);
	arm64_stage2_rest(t);
}

/* 64 GiB at level 1, in the middle of it. */
static void lpa2_16k_block_hint(struct tb *t, int bad)
{
	lpa2_block(t, &s2_16k_lpa2, 36);
	tlbi(t, NW_TLBI_IPAS2E1IS,
	     (BIT(36) + BIT(35)) >> 12 | TG(14) | TTL(bad ? 2 : 1), VMID);
	arm64_stage2_rest(t);
}

/* A frame far inside the block. */
static void lpa2_block_reuse(struct tb *t, int bad)
{
	lpa2_block(t, &s2_lpa2, 39);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	ev(t, NW_EV_FRAME_REUSE, BIT(51) + BIT(39) + BIT(38), PAGE, 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* Five levels: the root's entry spans 2^48. */
static void five_levels(struct tb *t, int bad)
{
	arm64_table(t, &el2_5_levels, EROOT);
	arm64_page(t, &el2_5_levels, ETAB2);
	link_(t, EROOT, 3, 0, TABLE(ETAB2));
	set(t, EROOT, 3, TABLE(ETAB2), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VAE2IS, by_address((bad ? 2 : 3) * BIT(48), 0), 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

const struct pair pairs_arm64_wide[] = {
	{"TLB-09", "64 KiB: range a granule short", s2_64k_range},
	{"TLB-09", "LPA2: range a granule short", lpa2_range_short},
	{"TLB-09", "LPA2: base in granules", lpa2_range_base},
	{"TLB-05", "16 KiB: range of another granule", range_granule},
	{"TLB-05", "16 KiB: hint for a 32 MiB block", block_16k_hint},
	{"BBM-04", "16 KiB: nT in place", nt_16k},
	{"BBM-05", "64 KiB: 512 MiB block to table", size_64k},
	{"BBM-01", "LPA: output bits 51:48 in place", lpa_address},
	{"ENTRY-06", "64 KiB: output bits 51:48 without LPA", lpa_missing},
	{"BBM-01", "LPA2: output bits 51:50 in place", lpa2_address},
	{"ENTRY-06", "LPA2: beyond the output size", lpa2_size},
	{"ENTRY-05", "LPA2: contiguous 512 GiB", lpa2_block_contig},
	{"TLB-05", "LPA2: hint for 512 GiB", lpa2_block_hint},
	{"TLB-05", "LPA2: hint for 64 GiB", lpa2_16k_block_hint},
	{"LIFE-10", "LPA2: frame of 512 GiB reused", lpa2_block_reuse},
	{"TLB-02", "LPA2: five levels, another address", five_levels},
};

const unsigned pairs_arm64_wide_count =
	sizeof(pairs_arm64_wide) / sizeof(pairs_arm64_wide[0]);
