/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"

uint64_t litmus_seen;

void litmus_finish(void *state)
{
	const struct litmus_state *s = state;
	unsigned outcome = 0;

	for (unsigned i = 0; i < 6; i++)
		outcome |= (unsigned)(s->r[i] & 1) << i;
	litmus_seen |= UINT64_C(1) << outcome;
}

static uint64_t explore(const struct nwx_scenario *s,
			enum nwx_reduction reduction)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	o.reduction = reduction;
	litmus_seen = 0;
	assert_int_equal(nwx_explore(s, &o, &r), 0);
	assert_int_equal(r.violation, NWM_OK);
	assert_true(r.exhausted);
	free(r.choices);
	return litmus_seen;
}

uint64_t litmus_outcomes(const struct nwx_scenario *s)
{
	uint64_t reduced = explore(s, NWX_REDUCED);

	assert_int_equal(reduced, explore(s, NWX_UNREDUCED));
	return reduced;
}
