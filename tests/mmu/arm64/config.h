/* SPDX-License-Identifier: BSD-2-Clause */
/* What is judged: a regime, a format, a shape; and what this CPU has. */
#ifndef NW_MMU_CONFIG_H
#define NW_MMU_CONFIG_H

#include <nestwalk/table.h>

enum regime {
	REGIME_S2,	  /* stage 2, stage 1 off */
	REGIME_EL2,	  /* EL2 stage 1, HCR_EL2.E2H = 0 */
	REGIME_EL2_HOST,  /* EL2&0 stage 1, HCR_EL2.E2H = 1: lower range */
	REGIME_EL1_LOWER, /* EL1&0 stage 1, TTBR0_EL1 */
	REGIME_EL1_UPPER, /* EL1&0 stage 1, TTBR1_EL1 */
	REGIME_EL1_BOTH,  /* the same table in both */
	REGIME_COUNT,
};

/* ID_AA64MMFR0_EL1 to MMFR2, read. Granules: 0 is 4 KiB, 1 16 KiB, 2 64 KiB. */
struct cpu_facts {
	unsigned pa_bits;
	uint32_t features;	/* NW_FEAT_* */
	uint8_t has_granule[2]; /* stage 1, stage 2: bit n for granule n */
	uint8_t has_lpa2[2];
	uint8_t has_pan2; /* AT S1E1RP and S1E1WP */
	uint8_t has_vhe;
};

struct config {
	enum regime regime;
	const struct nw_format_ops *ops;
	struct nw_format_config format;
	/* What the register is told of the output size: format.oa_bits, or
	 * less, and then larger outputs are address size faults. */
	unsigned ps_bits;
	unsigned addresses;
	/* Emulators refuse this shape: the first page that is mapped decides
	 * whether it is judged. */
	uint8_t may_be_refused;
	char name[96];
};

void cpu_facts_read(struct cpu_facts *facts);

/*
 * All configurations, in a fixed order. `addresses` for those with an input
 * size that is in use, `addresses_rest` for all the others. Those that the CPU
 * lacks are announced here, one line a granule.
 * Returns the number of announcements.
 */
unsigned config_each(const struct cpu_facts *facts, unsigned addresses,
		     unsigned addresses_rest,
		     void (*judge)(const struct config *config));

static inline int config_is_s2(const struct config *config)
{
	return config->regime == REGIME_S2;
}

#endif
