/* SPDX-License-Identifier: BSD-2-Clause */
#include "features.h"
#include "lib.h"
#include "params.h"
#include "psci.h"
#include "report.h"
#include "sysreg.h"
#include "tlb.h"

static unsigned forgone;

/*
 * Granules in ID_AA64MMFR0_EL1. A field of stage 1 has its own way to say no;
 * for 4 and 16 KiB one value more is FEAT_LPA2. A field of stage 2 says 1 for
 * no, 2 for yes, 3 for FEAT_LPA2, and 0 for "as at stage 1".
 */
struct granule {
	unsigned lg2;
	unsigned stage1_shift, stage1_no, stage1_lpa2;
	unsigned stage2_shift;
	const char *stage2_name;
};

#define NO_VALUE 16

static const struct granule granules[] = {
	{12, 28, 0xf, 1, 40, "TGran4_2"},
	{14, 20, 0, 2, 32, "TGran16_2"},
	{16, 24, 0xf, NO_VALUE, 36, "TGran64_2"},
};

static const struct granule *granule_of(unsigned lg2)
{
	unsigned i = 0;

	while (granules[i].lg2 != lg2)
		i++;
	return &granules[i];
}

static int has_granule_stage1(uint64_t mmfr0, const struct granule *g)
{
	return id_field(mmfr0, g->stage1_shift) != g->stage1_no;
}

static int has_granule_stage2(uint64_t mmfr0, const struct granule *g)
{
	unsigned field = id_field(mmfr0, g->stage2_shift);

	return field ? field != 1 : has_granule_stage1(mmfr0, g);
}

static int has_lpa2_stage2(uint64_t mmfr0, const struct granule *g)
{
	unsigned field = id_field(mmfr0, g->stage2_shift);

	return field ? field == 3 :
		       id_field(mmfr0, g->stage1_shift) == g->stage1_lpa2;
}

#define PARANGE_52 6

static void check_lpa2(uint64_t mmfr0, const struct params *params)
{
	const struct granule *g = granule_of(params->granule_lg2);

	if (params->granule_lg2 == 16)
		refuse("nw.lpa2=1: the 64 KiB granule has no such form: pass "
		       "nw.granule=4 or 16");
	if (!has_lpa2_stage2(mmfr0, g) || id_field(mmfr0, 0) < PARANGE_52)
		refuse("nw.lpa2=1: this CPU has no FEAT_LPA2 at stage 2 with "
		       "the %u KiB granule (ID_AA64MMFR0_EL1.%s): leave it "
		       "out, or take -cpu max", 1u << (params->granule_lg2 - 10),
		       g->stage2_name);
}

#define HAFDBS_DIRTY 2 /* ID_AA64MMFR1_EL1.HAFDBS */

static int has_hardware_dirty(void)
{
	return id_field(sysreg_read("id_aa64mmfr1_el1"), 0) >= HAFDBS_DIRTY;
}

void features_stage2(struct params *params)
{
	uint64_t mmfr0 = sysreg_read("id_aa64mmfr0_el1");
	const struct granule *g = granule_of(params->granule_lg2);

	if (!has_granule_stage2(mmfr0, g))
		refuse("this CPU lacks the %u KiB granule at stage 2 "
		       "(ID_AA64MMFR0_EL1.%s): pass another granule",
		       1u << (params->granule_lg2 - 10), g->stage2_name);
	if (params->is_lpa2)
		check_lpa2(mmfr0, params);
	if (params->dirty == DIRTY_HARDWARE && !has_hardware_dirty())
		refuse("nw.dirty=hardware: this CPU does not record writes "
		       "(ID_AA64MMFR1_EL1.HAFDBS): pass nw.dirty=software");
	if (params->dirty == DIRTY_AUTO)
		params->dirty = has_hardware_dirty() ? DIRTY_HARDWARE :
						       DIRTY_SOFTWARE;
	mailbox->features |=
		(params->dirty == DIRTY_HARDWARE ? NW_MAILBOX_FEATURE_DBM :
						   0u) |
		(params->is_lpa2 ? NW_MAILBOX_FEATURE_LPA2 : 0u);
}

struct requirement {
	const char *what;
	int is_met;
};

static void refuse_missing(const struct requirement *r, unsigned n)
{
	char text[256];
	size_t used = 0;
	unsigned i;

	text[0] = '\0';
	for (i = 0; i < n; i++) {
		size_t bytes = strlen(r[i].what);

		if (r[i].is_met || used + bytes + 3 > sizeof(text))
			continue;
		if (used) {
			memcpy(text + used, ", ", 2);
			used += 2;
		}
		memcpy(text + used, r[i].what, bytes + 1);
		used += bytes;
	}
	if (used)
		refuse("this CPU lacks: %s", text);
}

void features_check(unsigned el)
{
	uint64_t pfr0 = sysreg_read("id_aa64pfr0_el1");
	uint64_t mmfr0 = sysreg_read("id_aa64mmfr0_el1");
	const struct requirement required[] = {
		{"AArch64 at EL1 (ID_AA64PFR0_EL1.EL1)", id_field(pfr0, 4) != 0},
		{"EL2 (ID_AA64PFR0_EL1.EL2)", id_field(pfr0, 8) != 0},
		{"the GICv3 system registers (ID_AA64PFR0_EL1.GIC; "
		 "-M virt,gic-version=3)", id_field(pfr0, 24) != 0},
		{"the 4 KiB granule at stage 1 (ID_AA64MMFR0_EL1.TGran4)",
		 has_granule_stage1(mmfr0, &granules[0])},
		{"40 bits of physical address (ID_AA64MMFR0_EL1.PARange)",
		 id_field(mmfr0, 0) >= 2},
	};

	mailbox_phase(NW_PHASE_FEATURES);
	if (el == 1) {
		psci_use_hvc();
		refuse("started at EL1, without EL2: pass -M "
		       "virt,virtualization=on");
	}
	if (el != 2)
		refuse("started at EL%u, not EL2: pass -M virt,secure=off", el);
	refuse_missing(required, sizeof(required) / sizeof(required[0]));
	mailbox->features = features_used();
}

unsigned features_pa_bits(void)
{
	return 40;
}

unsigned features_used(void)
{
	uint64_t mmfr1 = sysreg_read("id_aa64mmfr1_el1");
	uint64_t mmfr2 = sysreg_read(SYS_ID_AA64MMFR2_EL1);
	unsigned tlb = nw_el2_tlb_features();
	unsigned features = 0;

	if (id_field(mmfr2, 40))
		features |= NW_MAILBOX_FEATURE_FWB;
	if (id_field(mmfr1, 28))
		features |= NW_MAILBOX_FEATURE_XNX;
	if (tlb & NW_TLB_HAS_RANGE)
		features |= NW_MAILBOX_FEATURE_TLBI_RANGE;
	if (tlb & NW_TLB_HAS_TTL)
		features |= NW_MAILBOX_FEATURE_TTL;
	return features & ~forgone;
}

void features_forgo(unsigned features)
{
	forgone |= features;
	mailbox->features = features_used();
}
