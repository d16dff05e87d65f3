/* SPDX-License-Identifier: BSD-2-Clause */
#include "manual.h"

#define REASON(name) (1u << NW_REASON_##name)
#define NONE	     0xff

/*
 * "Translation granules", "The Contiguous bit", "Output address": the largest
 * leaf of 64 KiB takes FEAT_LPA. With FEAT_LPA2 the feature is in the form.
 */
static const struct manual_form forms[] = {
	{12, 0, {12, 21, 30, 0}, {16, 16, 16, 1}, 48, 0, 0, 0},
	{14, 0, {14, 25, 0, 0}, {128, 32, 1, 1}, 48, 0, 0, 0},
	{16, 0, {16, 29, 42, 0}, {32, 32, 1, 1}, 48, 12, 4, NW_FEAT_LPA},
	{12, 1, {12, 21, 30, 39}, {16, 16, 16, 1}, 50, 8, 2, 0},
	{14, 1, {14, 25, 36, 0}, {128, 32, 1, 1}, 50, 8, 2, 0},
};

const struct manual_form *manual_form_of(unsigned granule_lg2, int has_lpa2)
{
	const struct manual_form *form = forms;

	while (form->granule_lg2 != granule_lg2 || form->has_lpa2 != has_lpa2)
		form++;
	return form;
}

int manual_has_leaf(const struct manual_form *form, unsigned features,
		    unsigned level)
{
	if (level > 3 || !form->leaf_lg2[level])
		return 0;
	return !form->wide || level < 2 || (features & form->wide) != 0;
}

unsigned manual_field(uint64_t word, unsigned last, unsigned first)
{
	return (unsigned)(word >> first) & ((2u << (last - first)) - 1);
}

static unsigned bit(uint64_t word, unsigned n)
{
	return manual_field(word, n, n);
}

uint64_t manual_place(const struct manual_form *form, uint64_t pa)
{
	uint64_t entry = 0;
	unsigned n;

	for (n = form->granule_lg2; n < 52; n++) {
		unsigned at = n < form->low_bits
				      ? n
				      : form->high_bit + n - form->low_bits;

		if (bit(pa, n))
			entry |= UINT64_C(1) << at;
	}
	return entry;
}

/* ---- rows that the stages share --------------------------------------- */

static const uint8_t sh_rows[4] = {NW_SHARE_NONE, NONE, NW_SHARE_OUTER,
				   NW_SHARE_INNER};

/* A leaf fact: where it stands, and which features bring it. */
struct flag_row {
	uint16_t flag;
	uint8_t bit;
	uint8_t blocks_only;
	uint16_t features; /* any of them; 0: always there */
};

#define BBM (NW_FEAT_BBM1 | NW_FEAT_BBM2)
static const struct flag_row s2_flags[] = {
	{NW_LEAF_ACCESSED, 10, 0, 0}, {NW_LEAF_FNXS, 11, 0, NW_FEAT_XS},
	{NW_LEAF_NT, 16, 1, BBM},     {NW_LEAF_DBM, 51, 0, NW_FEAT_HD},
	{NW_LEAF_CONTIG, 52, 0, 0},   {0, 0, 0, 0},
};
static const struct flag_row el2_flags[] = {
	{NW_LEAF_ACCESSED, 10, 0, 0},
	{NW_LEAF_NT, 16, 1, BBM},
	{NW_LEAF_GUARDED, 50, 0, NW_FEAT_BTI},
	{NW_LEAF_DBM, 51, 0, NW_FEAT_HD},
	{NW_LEAF_CONTIG, 52, 0, 0},
	{0, 0, 0, 0},
};

static const struct flag_row el10_flags[] = {
	{NW_LEAF_ACCESSED, 10, 0, 0},
	{NW_LEAF_NT, 16, 1, BBM},
	{NW_LEAF_GUARDED, 50, 0, NW_FEAT_BTI},
	{NW_LEAF_DBM, 51, 0, NW_FEAT_HD},
	{NW_LEAF_CONTIG, 52, 0, 0},
	{NW_LEAF_NOT_GLOBAL, 11, 0, 0},
	{NW_LEAF_USER, 6, 0, 0},
	{0, 0, 0, 0},
};

static unsigned flag_reasons(const struct flag_row *row, unsigned features,
			     unsigned level, uint64_t leaf)
{
	for (; row->flag; row++) {
		if (row->blocks_only && level == 0)
			continue;
		if (bit(leaf, row->bit) && row->features &&
		    !(row->features & features))
			return REASON(FEATURE);
	}
	return 0;
}

static unsigned flags_of(const struct flag_row *row, unsigned level,
			 uint64_t leaf)
{
	unsigned flags = 0;

	for (; row->flag; row++) {
		if (row->blocks_only && level == 0)
			continue;
		if (bit(leaf, row->bit))
			flags |= row->flag;
	}
	return flags;
}

/* 0: some flag does not exist here. Bit 0 is set otherwise. */
static uint64_t flag_bits(const struct manual_form *form,
			  const struct flag_row *row, unsigned features,
			  unsigned level, unsigned flags)
{
	uint64_t bits = 1;

	if ((flags & NW_LEAF_CONTIG) && form->run[level] == 1)
		return 0;
	for (; row->flag; row++) {
		if (!(flags & row->flag))
			continue;
		if (row->blocks_only && level == 0)
			return 0;
		if (row->features && !(row->features & features))
			return 0;
		bits |= UINT64_C(1) << row->bit;
		flags &= ~(unsigned)row->flag;
	}
	return flags ? 0 : bits;
}

/* By the bit of the address that each bit of the entry holds. */
static unsigned address_reasons(const struct manual_form *form,
				unsigned oa_bits, unsigned level, uint64_t leaf)
{
	unsigned reasons = 0, n, high;

	for (n = 12; n < form->low_bits; n++) {
		if (!bit(leaf, n) || (level && n == 16))
			continue;
		if (n - form->high_bit < form->high_count)
			continue;
		if (n < form->leaf_lg2[level])
			reasons |= REASON(ADDRESS_ALIGN);
		if (n >= oa_bits)
			reasons |= REASON(ADDRESS_SIZE);
	}
	for (high = 0; high < form->high_count; high++) {
		if (bit(leaf, form->high_bit + high) &&
		    form->low_bits + high >= oa_bits)
			reasons |= REASON(ADDRESS_SIZE);
	}
	return reasons;
}

static unsigned common_reasons(const struct manual_form *form, unsigned oa_bits,
			       unsigned level, uint64_t leaf)
{
	unsigned reasons = address_reasons(form, oa_bits, level, leaf);

	if (bit(leaf, 63) ||
	    (!form->has_lpa2 && (bit(leaf, 48) || bit(leaf, 49))))
		reasons |= REASON(RES0);
	if (!form->has_lpa2 && sh_rows[manual_field(leaf, 9, 8)] == NONE)
		reasons |= REASON(SHARE);
	if (bit(leaf, 52) && form->run[level] == 1)
		reasons |= REASON(RES0);
	return reasons;
}

static uint8_t share_of(const struct manual_form *form, uint64_t leaf)
{
	return form->has_lpa2 ? NW_SHARE_INNER
			      : sh_rows[manual_field(leaf, 9, 8)];
}

/* Index of the row with this value, or count. */
static unsigned row_of(const uint8_t *rows, unsigned count, unsigned value)
{
	unsigned n = 0;

	while (n < count && rows[n] != value)
		n++;
	return n;
}

/* Valid and type bits, SH, software bits, PBHA. 0: not expressible. */
static uint64_t common_bits(const struct manual_form *form, unsigned level,
			    const struct nw_attrs *attrs)
{
	unsigned sh = row_of(sh_rows, 4, attrs->share);

	if (form->has_lpa2 && attrs->share != NW_SHARE_INNER)
		return 0;
	if (form->has_lpa2)
		sh = 0;
	if (sh == 4 || attrs->share == NONE || attrs->software > 15 ||
	    attrs->hardware > 15)
		return 0;
	return (level == 0 ? 3u : 1u) | sh << 8 |
	       (uint64_t)attrs->software << 55 |
	       (uint64_t)attrs->hardware << 59;
}

/* ---- stage 2 ----------------------------------------------------------- */

/* "Stage 2 memory type and cacheability attributes when FWB is disabled". */
static const uint8_t memattr_rows[16] = {
	/* 0000 */ NW_MEM_DEVICE_nGnRnE,
	/* 0001 */ NW_MEM_DEVICE_nGnRE,
	/* 0010 */ NW_MEM_DEVICE_nGRE,
	/* 0011 */ NW_MEM_DEVICE_GRE,
	/* 0100 */ NONE,
	/* 0101 */ NW_MEM_NORMAL_NC,
	/* 0110 */ NW_MEM_NORMAL_ONC_IWT,
	/* 0111 */ NW_MEM_NORMAL_ONC_IWB,
	/* 1000 */ NONE,
	/* 1001 */ NW_MEM_NORMAL_OWT_INC,
	/* 1010 */ NW_MEM_NORMAL_WT,
	/* 1011 */ NW_MEM_NORMAL_OWT_IWB,
	/* 1100 */ NONE,
	/* 1101 */ NW_MEM_NORMAL_OWB_INC,
	/* 1110 */ NW_MEM_NORMAL_OWB_IWT,
	/* 1111 */ NW_MEM_NORMAL_WB,
};
/* The same when FWB is enabled, MemAttr[2:0]. */
static const uint8_t memattr_fwb_rows[8] = {
	/* 000 */ NW_MEM_DEVICE_nGnRnE,
	/* 001 */ NW_MEM_DEVICE_nGnRE,
	/* 010 */ NW_MEM_DEVICE_nGRE,
	/* 011 */ NW_MEM_DEVICE_GRE,
	/* 100 */ NONE,
	/* 101 */ NW_MEM_NORMAL_NC,
	/* 110 */ NW_MEM_NORMAL_WB,
	/* 111 */ NW_MEM_FROM_STAGE1,
};
/* S2AP[1:0] and XN[1:0]. */
static const uint8_t s2ap_rows[4] = {0, NW_PROT_R, NW_PROT_W, NW_PROT_RW};
static const uint8_t xn_rows[4] = {NW_PROT_PX | NW_PROT_UX, NW_PROT_UX, 0,
				   NW_PROT_PX};

static unsigned s2_reasons(const struct manual_form *form, unsigned features,
			   unsigned oa_bits, unsigned level, uint64_t leaf)
{
	unsigned reasons = common_reasons(form, oa_bits, level, leaf) |
			   flag_reasons(s2_flags, features, level, leaf);

	if (bit(leaf, 50))
		reasons |= REASON(RES0);
	if (features & NW_FEAT_FWB) {
		if (bit(leaf, 5))
			reasons |= REASON(RES0);
		if (memattr_fwb_rows[manual_field(leaf, 4, 2)] == NONE)
			reasons |= REASON(MEMTYPE);
	} else if (memattr_rows[manual_field(leaf, 5, 2)] == NONE) {
		reasons |= REASON(MEMTYPE);
	}
	if (!(features & NW_FEAT_XNX) && bit(leaf, 53))
		reasons |= REASON(RIGHTS);
	/* Our own rule: no right at all is no mapping. */
	if (s2ap_rows[manual_field(leaf, 7, 6)] == 0 &&
	    xn_rows[manual_field(leaf, 54, 53)] == 0)
		reasons |= REASON(RIGHTS);
	return reasons;
}

static struct nw_attrs s2_attrs(const struct manual_form *form,
				unsigned features, unsigned level,
				uint64_t leaf)
{
	return (struct nw_attrs){
		.prot = s2ap_rows[manual_field(leaf, 7, 6)] |
			xn_rows[manual_field(leaf, 54, 53)],
		.memtype = features & NW_FEAT_FWB
				   ? memattr_fwb_rows[manual_field(leaf, 4, 2)]
				   : memattr_rows[manual_field(leaf, 5, 2)],
		.share = share_of(form, leaf),
		.flags = (uint16_t)flags_of(s2_flags, level, leaf),
		.software = (uint8_t)manual_field(leaf, 58, 55),
		.hardware = (uint8_t)manual_field(leaf, 62, 59),
	};
}

static uint64_t s2_encode(const struct manual_form *form, unsigned features,
			  unsigned level, const struct nw_attrs *attrs)
{
	uint64_t common = common_bits(form, level, attrs);
	uint64_t flags =
		flag_bits(form, s2_flags, features, level, attrs->flags);
	unsigned mem, ap, xn, x = attrs->prot & NW_PROT_X;

	if (!common || !flags || attrs->prot == 0 ||
	    attrs->prot > NW_PROT_RWX || attrs->memtype == NONE)
		return 0;
	if (features & NW_FEAT_FWB) {
		mem = row_of(memattr_fwb_rows, 8, attrs->memtype);
		if (mem == 8)
			return 0;
	} else {
		mem = row_of(memattr_rows, 16, attrs->memtype);
		if (mem == 16)
			return 0;
	}
	if (!(features & NW_FEAT_XNX) && x != 0 && x != NW_PROT_X)
		return 0;
	ap = row_of(s2ap_rows, 4, attrs->prot & NW_PROT_RW);
	xn = row_of(xn_rows, 4, x);
	return common | flags | mem << 2 | ap << 6 | (uint64_t)xn << 53;
}

const struct manual_stage manual_s2 = {
	.reasons = s2_reasons,
	.attrs = s2_attrs,
	.encode = s2_encode,
	.features = NW_FEAT_FWB | NW_FEAT_XNX | NW_FEAT_HD | NW_FEAT_XS |
		    NW_FEAT_BBM1 | NW_FEAT_BBM2,
	.flags = NW_LEAF_ACCESSED | NW_LEAF_FNXS | NW_LEAF_NT | NW_LEAF_DBM |
		 NW_LEAF_CONTIG,
	.write_bit = 7,
	.write_value = 1,
};

/* ---- stage 1, EL2 ------------------------------------------------------ */

/* The memory type behind each index of MAIR_EL2 0x00ffbb440c080400. */
static const uint8_t attr_rows[8] = {
	/* 0x00 */ NW_MEM_DEVICE_nGnRnE,
	/* 0x04 */ NW_MEM_DEVICE_nGnRE,
	/* 0x08 */ NW_MEM_DEVICE_nGRE,
	/* 0x0c */ NW_MEM_DEVICE_GRE,
	/* 0x44 */ NW_MEM_NORMAL_NC,
	/* 0xbb */ NW_MEM_NORMAL_WT,
	/* 0xff */ NW_MEM_NORMAL_WB,
	/* unused */ NONE,
};

/* Our own rule: code is read-only, stays so, and is no device. */
static int el2_rights_refused(unsigned prot, unsigned flags, unsigned memtype)
{
	return (prot & NW_PROT_PX) &&
	       ((prot & NW_PROT_W) || (flags & NW_LEAF_DBM) ||
		memtype == NW_MEM_DEVICE_nGnRnE ||
		memtype == NW_MEM_DEVICE_nGnRE ||
		memtype == NW_MEM_DEVICE_nGRE || memtype == NW_MEM_DEVICE_GRE);
}

static struct nw_attrs el2_attrs(const struct manual_form *form,
				 unsigned features, unsigned level,
				 uint64_t leaf)
{
	unsigned prot = NW_PROT_R;

	(void)features;
	if (!bit(leaf, 7))
		prot |= NW_PROT_W;
	if (!bit(leaf, 54))
		prot |= NW_PROT_PX;
	return (struct nw_attrs){
		.prot = (uint8_t)prot,
		.memtype = attr_rows[manual_field(leaf, 4, 2)],
		.share = share_of(form, leaf),
		.flags = (uint16_t)flags_of(el2_flags, level, leaf),
		.software = (uint8_t)manual_field(leaf, 58, 55),
		.hardware = (uint8_t)manual_field(leaf, 62, 59),
	};
}

static unsigned el2_reasons(const struct manual_form *form, unsigned features,
			    unsigned oa_bits, unsigned level, uint64_t leaf)
{
	unsigned reasons = common_reasons(form, oa_bits, level, leaf) |
			   flag_reasons(el2_flags, features, level, leaf);
	struct nw_attrs attrs = el2_attrs(form, features, level, leaf);

	/* NS, nG and PXN. */
	if (bit(leaf, 5) || bit(leaf, 11) || bit(leaf, 53))
		reasons |= REASON(RES0);
	if (!bit(leaf, 6))
		reasons |= REASON(RES1);
	if (attrs.memtype == NONE)
		reasons |= REASON(MEMTYPE);
	if (el2_rights_refused(attrs.prot, attrs.flags, attrs.memtype))
		reasons |= REASON(RIGHTS);
	return reasons;
}

static uint64_t el2_encode(const struct manual_form *form, unsigned features,
			   unsigned level, const struct nw_attrs *attrs)
{
	uint64_t common = common_bits(form, level, attrs);
	uint64_t flags =
		flag_bits(form, el2_flags, features, level, attrs->flags);
	unsigned index = row_of(attr_rows, 8, attrs->memtype);
	unsigned prot = attrs->prot;

	if (!common || !flags || index >= 7)
		return 0;
	if (prot != NW_PROT_R && prot != NW_PROT_RW &&
	    prot != (NW_PROT_R | NW_PROT_PX))
		return 0;
	if (el2_rights_refused(prot, attrs->flags, attrs->memtype))
		return 0;
	return common | flags | index << 2 | 1u << 6 |
	       (prot & NW_PROT_W ? 0u : 1u << 7) |
	       (prot & NW_PROT_PX ? 0 : UINT64_C(1) << 54);
}

const struct manual_stage manual_el2 = {
	.reasons = el2_reasons,
	.attrs = el2_attrs,
	.encode = el2_encode,
	.features = NW_FEAT_HD | NW_FEAT_BTI | NW_FEAT_BBM1 | NW_FEAT_BBM2,
	.flags = NW_LEAF_ACCESSED | NW_LEAF_GUARDED | NW_LEAF_NT | NW_LEAF_DBM |
		 NW_LEAF_CONTIG,
	.write_bit = 7,
	.write_value = 0,
};

/* ---- stage 1, EL1&0 ---------------------------------------------------- */

/* "Stage 1 data access permissions", AP[2:1]: what EL1 and EL0 may do. */
static const struct {
	uint8_t prot;
	uint8_t user;
} ap_rows[4] = {
	/* 00 */ {NW_PROT_RW, 0},
	/* 01 */ {NW_PROT_RW, 1},
	/* 10 */ {NW_PROT_R, 0},
	/* 11 */ {NW_PROT_R, 1},
};

/* What EL0 may write, EL1 does not execute: the hardware's rule, and with DBM
 * ours. No code in device memory: ours. */
static int el10_rights_refused(unsigned prot, unsigned flags, unsigned memtype)
{
	int is_device = memtype == NW_MEM_DEVICE_nGnRnE ||
			memtype == NW_MEM_DEVICE_nGnRE ||
			memtype == NW_MEM_DEVICE_nGRE ||
			memtype == NW_MEM_DEVICE_GRE;

	if ((prot & NW_PROT_PX) && (flags & NW_LEAF_USER) &&
	    ((prot & NW_PROT_W) || (flags & NW_LEAF_DBM)))
		return 1;
	return is_device && (prot & NW_PROT_X);
}

static struct nw_attrs el10_attrs(const struct manual_form *form,
				  unsigned features, unsigned level,
				  uint64_t leaf)
{
	unsigned prot = ap_rows[manual_field(leaf, 7, 6)].prot;

	(void)features;
	if (!bit(leaf, 53))
		prot |= NW_PROT_PX;
	if (!bit(leaf, 54))
		prot |= NW_PROT_UX;
	return (struct nw_attrs){
		.prot = (uint8_t)prot,
		.memtype = attr_rows[manual_field(leaf, 4, 2)],
		.share = share_of(form, leaf),
		.flags = (uint16_t)flags_of(el10_flags, level, leaf),
		.software = (uint8_t)manual_field(leaf, 58, 55),
		.hardware = (uint8_t)manual_field(leaf, 62, 59),
	};
}

static unsigned el10_reasons(const struct manual_form *form, unsigned features,
			     unsigned oa_bits, unsigned level, uint64_t leaf)
{
	unsigned reasons = common_reasons(form, oa_bits, level, leaf) |
			   flag_reasons(el10_flags, features, level, leaf);
	struct nw_attrs attrs = el10_attrs(form, features, level, leaf);

	/* NS */
	if (bit(leaf, 5))
		reasons |= REASON(RES0);
	if (attrs.memtype == NONE)
		reasons |= REASON(MEMTYPE);
	if (el10_rights_refused(attrs.prot, attrs.flags, attrs.memtype))
		reasons |= REASON(RIGHTS);
	return reasons;
}

static uint64_t el10_encode(const struct manual_form *form, unsigned features,
			    unsigned level, const struct nw_attrs *attrs)
{
	uint64_t common = common_bits(form, level, attrs);
	uint64_t flags =
		flag_bits(form, el10_flags, features, level, attrs->flags);
	unsigned index = row_of(attr_rows, 8, attrs->memtype), ap;

	if (!common || !flags || index >= 7 || attrs->prot > NW_PROT_RWX)
		return 0;
	for (ap = 0; ap < 4; ap++) {
		if (ap_rows[ap].prot == (attrs->prot & NW_PROT_RW) &&
		    ap_rows[ap].user == !!(attrs->flags & NW_LEAF_USER))
			break;
	}
	if (ap == 4 ||
	    el10_rights_refused(attrs->prot, attrs->flags, attrs->memtype))
		return 0;
	return common | flags | index << 2 | ap << 6 |
	       (attrs->prot & NW_PROT_PX ? 0 : UINT64_C(1) << 53) |
	       (attrs->prot & NW_PROT_UX ? 0 : UINT64_C(1) << 54);
}

const struct manual_stage manual_el10 = {
	.reasons = el10_reasons,
	.attrs = el10_attrs,
	.encode = el10_encode,
	.features = NW_FEAT_HD | NW_FEAT_BTI | NW_FEAT_BBM1 | NW_FEAT_BBM2,
	.flags = NW_LEAF_ACCESSED | NW_LEAF_GUARDED | NW_LEAF_NT | NW_LEAF_DBM |
		 NW_LEAF_CONTIG | NW_LEAF_NOT_GLOBAL | NW_LEAF_USER,
	.write_bit = 7,
	.write_value = 0,
};
