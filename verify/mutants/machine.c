/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's tests have programs of their own: there are no scenarios. */
#include <scenarios/scenarios.h>

const struct nwx_scenario *const nws_all[] = {NULL};
const unsigned nws_count = 0;
