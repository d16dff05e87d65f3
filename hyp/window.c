/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"
#include "el2.h"
#include "features.h"
#include "report.h"
#include "window.h"

#define SLOTS 16 /* of each CPU: what moving one run of pages takes */

const struct nw_attrs window_attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

static struct nw_fixmap fixmap;
static struct nw_fixmap_window open_windows[NW_HYP_CPUS_MAX][WINDOW_COUNT];

static unsigned here(void)
{
	return this_cpu()->port.id;
}

static void must(enum nw_status status, const char *what)
{
	if (status != NW_OK)
		panic("%s: %s: %s", what, nw_status_name(status),
		      nw_status_advice(status));
}

void window_init(enum nw_fixmap_strategy strategy)
{
	struct nw_fixmap_config config = {
		.strategy = strategy,
		.cpus = NW_HYP_CPUS_MAX,
		.slots = {[NW_FIXMAP_PAGE] = SLOTS},
		.start = NW_IA(NW_HYP_WINDOW_VA),
	};
	struct nw_result result;
	enum nw_status status;
	unsigned i, tables = 1;

	if (strategy == NW_FIXMAP_PRIVATE_ROOT) {
		el2_make_private_roots(features_pa_bits());
		tables = NW_HYP_CPUS_MAX;
	}
	for (i = 0; i < tables; i++)
		config.table[i] = el2_table(i);
	status = nw_fixmap_init(&fixmap, &config, &result);
	if (status != NW_OK)
		panic("fixmap: %s (%s)", nw_status_name(status),
		      result.argument ? result.argument : "no argument");
}

void *window_open(enum window window, nw_pa_t pa)
{
	struct nw_fixmap_window *w = &open_windows[here()][window];

	must(nw_fixmap_map(&fixmap, here(), NW_FIXMAP_PAGE, pa, &window_attrs,
			   w), "opening a window");
	return w->address;
}

void window_close(enum window window)
{
	must(nw_fixmap_unmap(&fixmap, here(), NW_FIXMAP_PAGE,
			     &open_windows[here()][window]),
	     "closing a window");
}

void window_retire(void)
{
	must(nw_fixmap_retire(&fixmap, here()), "retiring windows");
}
