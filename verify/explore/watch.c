/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses that are accessed or that speculative walks go to. */
#include <stdio.h>
#include <string.h>

#include "engine.h"

struct nwx_watch_point nwx_watches[NWX_WATCH_MAX];
unsigned nwx_watch_count;

unsigned nwx_watch_find(enum nw_regime regime, uint64_t ia, int is_spec)
{
	struct nwx_watch_point *w;
	struct nwm_root root = nwm_root_get(0, regime);

	for (unsigned i = 0; i < nwx_watch_count; i++) {
		if (nwx_watches[i].ia != ia || nwx_watches[i].regime != regime)
			continue;
		nwx_watches[i].is_spec |= (uint8_t)is_spec;
		return i;
	}
	if (nwx_watch_count == NWX_WATCH_MAX) {
		fprintf(stderr,
			"nestwalk: more than %d addresses are "
			"accessed in this scenario\n",
			NWX_WATCH_MAX);
		abort();
	}
	w = &nwx_watches[nwx_watch_count];
	memset(w, 0, sizeof(*w));
	w->ia = ia;
	w->regime = (uint8_t)regime;
	w->is_spec = (uint8_t)is_spec;
	w->levels = root.levels;
	/* Concatenated roots: the index modulo a page is what matters. */
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		w->is_anywhere |= !!nwm_root_get(cpu, regime).guest_offset;
	for (unsigned l = 0; l < root.levels; l++)
		w->index[l] = (uint16_t)(ia >> (12 + 9 * l) & 511);
	return nwx_watch_count++;
}
