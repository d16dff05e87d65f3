/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scenarios of the ordering points share: each looks at one point of
 * docs/memory-ordering.md over the library's own sources, in a setting where
 * the point's absence is seen.
 */
#ifndef NWS_ORD_H
#define NWS_ORD_H

#include <nestwalk/table.h>

#include "nw_port.h"
#include "scenarios.h"

#define ORD_BLOCK_IA (UINT64_C(1) << 21)
#define ORD_PAGE_BYTES UINT64_C(0x1000)
#define ORD_BACKING UINT64_C(0x80000000) /* outside the arena */
#define ORD_FORBIDDEN UINT64_C(0xc0000000)

static inline struct nw_attrs ord_attrs(unsigned prot, unsigned flags)
{
	return (struct nw_attrs){.prot = (uint8_t)prot,
				 .memtype = NW_MEM_NORMAL_WB,
				 .share = NW_SHARE_INNER,
				 .flags = (uint8_t)(NW_LEAF_ACCESSED | flags)};
}

static inline void ord_must(enum nw_status status, const char *what)
{
	if (status != NW_OK)
		nwx_bug(what, __FILE__, __LINE__);
}

static inline void ord_table(struct nw_table *t, enum nw_regime regime,
			     enum nw_mode mode, unsigned features)
{
	const struct nw_table_config config = {
		.ops = regime == NW_REGIME_EL2 ? &nw_arm64_el2_ops :
						 &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = 39,
			   .oa_bits = 40,
			   .features = (uint16_t)features},
		.port = &nwx_port_ops,
		.mode = mode,
		.regime = regime,
		.tag = regime == NW_REGIME_EL2 ? 0 : NWS_VMID,
		/* Whose flush it is makes no difference to what is flushed
		 * when: library_flush.c looks at that. */
		.flush_policy = NW_FLUSH_OWN,
	};

	nwx_port_ops_init();
	ord_must(nw_table_init(t, &config, NULL), "table_init");
}

/* All CPUs of the mask walk it from now on. */
static inline void ord_install(const struct nw_table *t, unsigned cpus_mask)
{
	struct nwm_root root = {.pa = nw_table_root(t).v,
				.levels = 3,
				.ia_bits = 39,
				.tag = t->tag};

	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		if (cpus_mask >> cpu & 1)
			nwx_root_set(cpu, (enum nw_regime)t->regime, root);
}

static inline void ord_map(struct nw_table *t, uint64_t ia, uint64_t bytes,
			   uint64_t pa, unsigned level, unsigned prot,
			   unsigned flags)
{
	const struct nw_attrs attrs = ord_attrs(prot, flags);

	ord_must(nw_map(t, NW_IA(ia), bytes, NW_PA(pa), &attrs, level, NULL,
			NULL),
		 "map");
}

static inline unsigned ord_frame(const char *name, uint64_t pa, unsigned rights)
{
	return nwm_frame_add(name, pa, ORD_PAGE_BYTES, rights);
}

/*
 * What the pages that a CPU will take held before: entries that look valid and
 * lead where nobody may go. (Setup only.)
 */
static inline void ord_poison(unsigned cpu, unsigned pages, uint64_t entry)
{
	unsigned first = NWM_SETUP_PAGES + cpu * NWM_CPU_PAGES;

	for (unsigned i = 0; i < pages * NWM_PAGE_WORDS; i++)
		nwm_arena[first * NWM_PAGE_WORDS + i] = entry;
}

#define ORD_GOOD(id, what)                                                     \
	.doc = what, .rule = id, .subject = NWX_LIBRARY, .cpus = 2,            \
	.cpus_pct = 3

#endif
