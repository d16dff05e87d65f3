/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel command line asks of the hypervisor: words beginning with
 * "nw.", which the guest does not see.
 *
 *   nw.cpus=N       guest CPUs, 1 to 4; default: all but one
 *   nw.shake=N      page moves a second, 0 (default): none
 *   nw.seed=N       of the shaker's choices; default 1
 *   nw.no=A,B       forgo optional features: fwb, xnx, range, ttl
 *   nw.granule=N    of stage 2, in KiB: 4 (default), 16 or 64
 *   nw.lpa2=1       stage 2 with FEAT_LPA2: 52 bits (granules 4 and 16)
 *   nw.dirty=X      who logs the guest's writes: hardware, software, off, or
 *                   auto (default): hardware where the CPU has it
 *   nw.fixmap=X     how the windows onto guest pages are closed: broadcast,
 *                   batched (default), private-root (nestwalk/fixmap.h)
 *   nw.record=N     recording builds: let at most N records of a CPU wait for
 *                   the host; default 65536, the size of a ring
 *   nw.bench=fixmap measure all three on the first CPU, before the guest
 *   nw.selftest=X   panic: break a rule of EL2's table after a second, so that
 *                   the report of a panic can be tried out
 *
 * Numbers are decimal.
 */
#ifndef NW_HYP_PARAMS_H
#define NW_HYP_PARAMS_H

#include <nestwalk/fixmap.h>

#include "dirty.h"

enum selftest {
	SELFTEST_NONE,
	SELFTEST_PANIC,
};

struct params {
	uint32_t guest_cpus; /* 0: not given */
	uint64_t shake_per_second;
	uint64_t seed;
	enum selftest selftest;
	enum nw_fixmap_strategy fixmap;
	uint32_t bench_fixmap;
	uint32_t record; /* 0: not given */
	unsigned granule_lg2; /* of stage 2 */
	uint32_t is_lpa2;
	enum dirty_mode dirty; /* features_stage2() makes AUTO another */
};

/*
 * Take our words out of `bootargs`, in place. Refuses unknown words and values
 * out of range.
 */
void params_take(char *bootargs, struct params *params);

#endif
