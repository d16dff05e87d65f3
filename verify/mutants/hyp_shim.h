/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read before hyp/cpu.c, so that its wait for interrupts runs on the simulated
 * machine: its atomics become the machine's, its instructions calls.
 */
#ifndef HYP_SHIM_H
#define HYP_SHIM_H

#include "el2_shim.h"

#include "../../hyp/cpu.h"
#include "../../hyp/vm.h"

struct cpu *hyp_this_cpu(void);
void hyp_store(const void *p, uint64_t value, int order);
uint64_t hyp_load(const void *p, int order);

#define this_cpu() hyp_this_cpu()
#define __atomic_store_n(p, value, order) hyp_store((p), (value), (order))
#define __atomic_load_n(p, order) hyp_load((p), (order))

#endif
