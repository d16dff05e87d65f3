/* SPDX-License-Identifier: BSD-2-Clause */
/* nw.bench=fixmap: what the fixmap's strategies cost on this machine. */
#ifndef NW_HYP_FIXBENCH_H
#define NW_HYP_FIXBENCH_H

/*
 * Open, touch and close windows with each strategy and kind; report times and
 * invalidations in the gauges fix_*. A window that shows another page than its
 * own is a panic. On the first CPU, MMU on, before the guest and the others.
 */
void fixbench_run(void);

#endif
