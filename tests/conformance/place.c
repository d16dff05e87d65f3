/* SPDX-License-Identifier: BSD-2-Clause */
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* 0: this level does not fit into the input or output range. */
static int place_at(const struct rig *rig, unsigned level, struct place *p)
{
	uint64_t oa_end = UINT64_C(1) << rig->config.oa_bits;
	uint64_t ia_end = UINT64_C(1) << rig->config.ia_bits;

	p->level = level;
	p->span = rig_span(rig, level);
	p->granule = UINT64_C(1) << rig->config.granule_lg2;
	if (p->span > ia_end || 2 * p->span > oa_end)
		return 0;
	p->leaves = p->span < ia_end ? 2 : 1;
	/* Both at the far end: every address bit is in use. Two leaves of
	 * output, and one that "map shifted" reaches into. */
	p->ia = ia_end - p->leaves * p->span;
	p->pa = oa_end - (4 * p->span > oa_end ? 2 : 4) * p->span;
	/* A carry in the middle: into the uppermost bit. */
	if (4 * p->span <= oa_end && level == 0)
		p->pa = oa_end / 2 - p->span;
	return 1;
}

static void run_at(const struct nw_format_ops *ops,
		   const struct nw_format_config *config, enum nw_mode mode,
		   scenario_fn scenario, unsigned attrs, unsigned *runs)
{
	unsigned level = 0;
	static struct rig rig;

	do {
		struct place p;

		rig_open(&rig, ops, config, mode,
			 attrs ? NW_RUNS_AUTO : NW_RUNS_CALLER);
		if (!rig_attrs(ops, rig.geo, 0, &p.attrs))
			rig_fail(&rig, "no attributes");
		if ((rig.geo->leaf_levels >> level & 1) &&
		    rig_attrs(ops, rig.geo, attrs, &p.attrs) &&
		    place_at(&rig, level, &p)) {
			scenario(&rig, &p);
			(*runs)++;
		}
		level++;
		if (!(rig.geo->leaf_levels >> level))
			level = 0;
		rig_close(&rig);
	} while (level);
}

void place_run(scenario_fn scenario)
{
	const struct nw_format_ops *const *ops;

	for (ops = nw_all_formats; *ops; ops++) {
		struct nw_format_config config;
		unsigned n = 0, runs = 0, configs = 0;

		while (rig_next_config(*ops, &n, &config)) {
			configs++;
			run_at(*ops, &config, NW_MODE_EXCLUSIVE, scenario, 0,
			       &runs);
			run_at(*ops, &config, NW_MODE_EXCLUSIVE, scenario, 1,
			       &runs);
#ifdef NW_CONFIG_RCU
			run_at(*ops, &config, NW_MODE_SHARED, scenario,
			       configs & 1, &runs);
#endif
		}
		print_message("%s: %u configurations, %u runs\n", (*ops)->name,
			      configs, runs);
		if (configs < 8 || runs < 3 * configs)
			fail_msg("%s: too few configurations are accepted",
				 (*ops)->name);
	}
}
