/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "scenarios.h"

struct nws_table nws_table_make(enum nw_regime regime, unsigned tag,
				uint64_t ia, unsigned cpus_mask)
{
	struct nws_table t = {nwx_page_alloc(0), nwx_page_alloc(0),
			      nwx_page_alloc(0)};
	struct nwm_root root = {.pa = nwx_pa(t.root),
				.levels = 3,
				.ia_bits = 39,
				.tag = (uint16_t)tag};

	nwx_table_page(t.root);
	nwx_table_page(t.middle);
	nwx_table_page(t.leaves);
	nwx_table_root(t.root, regime, tag, root.ia_bits);
	nwx_store(&t.middle[ia >> 21 & 511], NWS_TABLE(nwx_pa(t.leaves)),
		  NWM_RELEASE);
	nwx_store(&t.root[ia >> 30 & 511], NWS_TABLE(nwx_pa(t.middle)),
		  NWM_RELEASE);
	nwm_page_private((unsigned)((nwx_pa(t.root) - NWM_PA_BASE) >> 12),
			 cpus_mask);
	nwm_page_private((unsigned)((nwx_pa(t.middle) - NWM_PA_BASE) >> 12),
			 cpus_mask);
	nwm_page_private((unsigned)((nwx_pa(t.leaves) - NWM_PA_BASE) >> 12),
			 cpus_mask);
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		if (cpus_mask >> cpu & 1)
			nwx_root_set(cpu, regime, root);
	return t;
}

uint64_t *nws_frame_make(const char *name, unsigned rights, unsigned *frame)
{
	uint64_t *page = nwx_page_alloc(0);

	*frame = nwm_frame_add(name, nwx_pa(page), 4096, rights);
	return page;
}

const struct nwx_scenario *nws_find(const char *name)
{
	for (unsigned i = 0; i < nws_count; i++)
		if (!strcmp(nws_all[i]->name, name))
			return nws_all[i];
	return NULL;
}
