// SPDX-License-Identifier: BSD-2-Clause
#include "config.h"

#include "../../../hyp/lib.h"
#include "host.h"

#define ID_READ(name)                                                          \
	({                                                                     \
		uint64_t id_;                                                  \
		__asm__("mrs %0, " name : "=r"(id_));                          \
		id_;                                                           \
	})

static unsigned id_field(uint64_t id, unsigned shift)
{
	return (unsigned)(id >> shift) & 0xf;
}

/* ---- what the CPU has ---------------------------------------------------- */

static void granules_read(struct cpu_facts *f, uint64_t mmfr0)
{
	const unsigned s1_4k = id_field(mmfr0, 28),
		       s1_16k = id_field(mmfr0, 20);
	const unsigned s2_4k = id_field(mmfr0, 40),
		       s2_16k = id_field(mmfr0, 32);
	const unsigned s2_64k = id_field(mmfr0, 36);
	unsigned has = 0, lpa2 = 0;

	has |= s1_4k != 0xf ? 1u : 0;
	has |= s1_16k != 0 ? 2u : 0;
	has |= id_field(mmfr0, 24) != 0xf ? 4u : 0;
	lpa2 |= s1_4k == 1 ? 1u : 0;
	lpa2 |= s1_16k == 2 ? 2u : 0;
	f->has_granule[0] = (uint8_t)has;
	f->has_lpa2[0] = (uint8_t)lpa2;
	/* Stage 2: 0 is "as stage 1", 1 no, 2 yes, 3 with FEAT_LPA2. */
	if (s2_4k) {
		has = (has & ~1u) | (s2_4k >= 2 ? 1u : 0);
		lpa2 = (lpa2 & ~1u) | (s2_4k >= 3 ? 1u : 0);
	}
	if (s2_16k) {
		has = (has & ~2u) | (s2_16k >= 2 ? 2u : 0);
		lpa2 = (lpa2 & ~2u) | (s2_16k >= 3 ? 2u : 0);
	}
	if (s2_64k)
		has = (has & ~4u) | (s2_64k >= 2 ? 4u : 0);
	f->has_granule[1] = (uint8_t)has;
	f->has_lpa2[1] = (uint8_t)lpa2;
}

void cpu_facts_read(struct cpu_facts *f)
{
	static const uint8_t pa_bits[8] = {32, 36, 40, 42, 44, 48, 52, 52};
	const uint64_t pfr1 = ID_READ("s3_0_c0_c4_1");
	const uint64_t mmfr0 = ID_READ("id_aa64mmfr0_el1");
	const uint64_t mmfr1 = ID_READ("id_aa64mmfr1_el1");
	const uint64_t mmfr2 = ID_READ("s3_0_c0_c7_2");

	memset(f, 0, sizeof(*f));
	f->pa_bits = pa_bits[id_field(mmfr0, 0) & 7];
	granules_read(f, mmfr0);
	f->has_pan2 = id_field(mmfr1, 20) >= 2;
	f->has_vhe = id_field(mmfr1, 8) != 0;
	f->features |= id_field(mmfr1, 0) >= 1 ? NW_FEAT_HAF : 0;
	f->features |= id_field(mmfr1, 0) >= 2 ? NW_FEAT_HD : 0;
	f->features |= id_field(mmfr1, 28) ? NW_FEAT_XNX : 0;
	f->features |= id_field(mmfr2, 16) ? NW_FEAT_LVA : 0;
	f->features |= id_field(mmfr2, 28) ? NW_FEAT_TTST : 0;
	f->features |= id_field(mmfr2, 40) ? NW_FEAT_FWB : 0;
	f->features |= id_field(pfr1, 0) ? NW_FEAT_BTI : 0;
	f->features |= f->pa_bits == 52 ? NW_FEAT_LPA : 0;
}

/* ---- the list ------------------------------------------------------------ */

struct variant {
	const char *name;
	uint8_t granule; /* 0, 1, 2 */
	uint8_t is_lpa2;
	const struct nw_format_ops *s2, *el2, *el10;
};

static const struct variant variants[] = {
	{"4K", 0, 0, &nw_arm64_s2_ops, &nw_arm64_el2_ops, &nw_arm64_el10_ops},
	{"16K", 1, 0, &nw_arm64_s2_16k_ops, &nw_arm64_el2_16k_ops,
	 &nw_arm64_el10_16k_ops},
	{"64K", 2, 0, &nw_arm64_s2_64k_ops, &nw_arm64_el2_64k_ops,
	 &nw_arm64_el10_64k_ops},
	{"4K-LPA2", 0, 1, &nw_arm64_s2_4k_lpa2_ops, &nw_arm64_el2_4k_lpa2_ops,
	 &nw_arm64_el10_4k_lpa2_ops},
	{"16K-LPA2", 1, 1, &nw_arm64_s2_16k_lpa2_ops,
	 &nw_arm64_el2_16k_lpa2_ops, &nw_arm64_el10_16k_lpa2_ops},
};

static const char *const regime_name[REGIME_COUNT] = {
	"S2", "EL2", "EL2-host", "EL1-lower", "EL1-upper", "EL1-both"};

static const uint8_t oa_sizes[] = {52, 48, 44, 42, 40, 36, 32};
#define OA_SIZES (sizeof(oa_sizes) / sizeof(oa_sizes[0]))

static const struct nw_format_ops *variant_ops(const struct variant *v,
					       enum regime regime)
{
	return regime == REGIME_S2    ? v->s2
	       : regime == REGIME_EL2 ? v->el2
				      : v->el10;
}

/* Input sizes that hypervisors and kernels use; the rest is swept. */
static int ia_is_common(enum regime regime, unsigned ia_bits)
{
	if (regime == REGIME_S2)
		return ia_bits == 32 || ia_bits == 36 || ia_bits == 40 ||
		       ia_bits == 42 || ia_bits == 44 || ia_bits == 48 ||
		       ia_bits == 52;
	return ia_bits == 39 || ia_bits == 42 || ia_bits == 47 ||
	       ia_bits == 48 || ia_bits == 52;
}

/* Every combination comes up as `turn` goes on. */
static uint32_t features_of(const struct cpu_facts *facts,
			    const struct variant *v, enum regime regime,
			    unsigned turn)
{
	uint32_t f = NW_FEAT_TTST;

	if (regime == REGIME_S2)
		f |= (turn & 1 ? NW_FEAT_XNX : 0) |
		     (turn & 2 ? NW_FEAT_FWB : 0);
	if (regime != REGIME_S2)
		f |= turn & 1 ? NW_FEAT_BTI : 0;
	if (turn % 5 == 3)
		f |= NW_FEAT_HAF;
	if (turn % 5 == 4)
		f |= NW_FEAT_HAF | NW_FEAT_HD;
	if (v->granule == 2)
		f |= NW_FEAT_LPA | NW_FEAT_LVA;
	return (f & facts->features) | (v->is_lpa2 ? NW_FEAT_LPA2 : 0);
}

/* The n-th output size from the largest on, or the last that is possible. */
static unsigned oa_of(unsigned oa_max, unsigned oa_min, unsigned n)
{
	unsigned oa = oa_max;

	for (unsigned i = 0; i < OA_SIZES && n; i++)
		if (oa_sizes[i] < oa && oa_sizes[i] >= oa_min) {
			oa = oa_sizes[i];
			n--;
		}
	return oa;
}

static void format_name(struct config *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_text(c->name, sizeof(c->name), format, args);
	va_end(args);
}

/* 0: this CPU or the format has no such shape. */
static int config_make(const struct cpu_facts *facts, const struct variant *v,
		       enum regime regime, unsigned ia_bits, unsigned turn,
		       struct config *c)
{
	const uint32_t features = features_of(facts, v, regime, turn);
	const int is_wide = v->is_lpa2 || (features & NW_FEAT_LPA);
	const unsigned oa_max =
		facts->pa_bits == 52 && !is_wide ? 48 : facts->pa_bits;
	const unsigned oa_min = regime == REGIME_S2 ? ia_bits : 32;
	const int is_common = ia_is_common(regime, ia_bits);
	struct nw_geometry geo;
	const char *argument;

	memset(c, 0, sizeof(*c));
	c->regime = regime;
	c->ops = variant_ops(v, regime);
	c->format.granule_lg2 = (uint8_t)(12 + 2 * v->granule);
	c->format.ia_bits = (uint8_t)ia_bits;
	c->format.oa_bits =
		(uint8_t)oa_of(oa_max, oa_min, is_common ? 0 : turn % 6);
	c->format.features = features;
	/* Above 48 bits the upper ones of an entry have no meaning then. */
	c->ps_bits = oa_of(c->format.oa_bits, oa_min,
			   turn % 3 == 1 && c->format.oa_bits <= 48);
	if (c->ops->geometry(&c->format, &geo, &argument) != NW_OK)
		return 0;
	/* QEMU 7.2 knows start level 0 of the 16 KiB granule at stage 1 only.
	 */
	c->may_be_refused =
		regime == REGIME_S2 && v->granule == 1 && geo.levels == 4;
	format_name(c, "%s %s ia %u oa %u%s%s%s%s, start level %d, %u root%s",
		    regime_name[regime], v->name, ia_bits, c->ps_bits,
		    c->ps_bits < c->format.oa_bits ? " too small" : "",
		    features & NW_FEAT_XNX ? " XNX" : "",
		    features & NW_FEAT_FWB ? " FWB" : "",
		    features & NW_FEAT_HD    ? " HA HD"
		    : features & NW_FEAT_HAF ? " HA"
					     : "",
		    4 - (int)geo.levels, 1u << geo.root_pages_lg2,
		    geo.root_pages_lg2 ? "s" : "");
	return 1;
}

static int is_there(const struct cpu_facts *facts, const struct variant *v,
		    enum regime regime)
{
	const unsigned stage = regime == REGIME_S2;

	if (regime == REGIME_EL2_HOST && !facts->has_vhe)
		return 0;
	return (v->is_lpa2 ? facts->has_lpa2 : facts->has_granule)[stage] >>
		       v->granule &
	       1;
}

unsigned config_each(const struct cpu_facts *facts, unsigned addresses,
		     unsigned addresses_rest,
		     void (*judge)(const struct config *config))
{
	unsigned missing = 0, turn = 0;
	struct config c;

	for (unsigned regime = 0; regime < REGIME_COUNT; regime++) {
		for (unsigned i = 0; i < sizeof(variants) / sizeof(variants[0]);
		     i++) {
			const struct variant *v = &variants[i];

			if (!is_there(facts, v, regime)) {
				host_print("skip: %s %s: not on this CPU\n",
					   regime_name[regime], v->name);
				missing++;
				continue;
			}
			for (unsigned ia = 16; ia <= 52; ia++) {
				if (!config_make(facts, v, regime, ia, turn,
						 &c))
					continue;
				c.addresses = ia_is_common(regime, ia)
						      ? addresses
						      : addresses_rest;
				turn++;
				judge(&c);
			}
		}
	}
	return missing;
}
