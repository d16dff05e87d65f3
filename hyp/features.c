/* SPDX-License-Identifier: BSD-2-Clause */
#include "features.h"
#include "lib.h"
#include "psci.h"
#include "report.h"
#include "sysreg.h"
#include "tlb.h"

static unsigned forgone;

/* ID_AA64MMFR0_EL1: 4 KiB granule at stage 1 and at stage 2. */
static int has_granule_stage1(uint64_t mmfr0)
{
	return id_field(mmfr0, 28) != 0xf;
}

static int has_granule_stage2(uint64_t mmfr0)
{
	unsigned field = id_field(mmfr0, 40);

	return field ? field != 1 : has_granule_stage1(mmfr0);
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
		 has_granule_stage1(mmfr0)},
		{"the 4 KiB granule at stage 2 (ID_AA64MMFR0_EL1.TGran4_2)",
		 has_granule_stage2(mmfr0)},
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
