/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the posix port's primitives call. On this machine the difference cannot
 * be seen in what happens (a fence that orders stores costs no instruction on
 * many CPUs, and liburcu is not instrumented), so it is looked for in the
 * calls.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu/urcu-bp.h>

static int fence_order = __ATOMIC_RELAXED;
static unsigned grace_periods;

static void fence(int order)
{
	fence_order = order;
}

static void grace_period(void)
{
	grace_periods++;
	urcu_bp_synchronize_rcu();
}

static void (*const synchronize)(void) = grace_period;

#define __atomic_thread_fence(order) fence(order)
#undef urcu_bp_synchronize_rcu
#define urcu_bp_synchronize_rcu() synchronize()
#include "nw_port.h"

static void need(int holds, const char *what)
{
	if (holds)
		return;
	printf("posix port: %s\n", what);
	exit(1);
}

static int orders_stores(void)
{
	int order = fence_order;

	fence_order = __ATOMIC_RELAXED;
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
	       order == __ATOMIC_SEQ_CST;
}

int main(void)
{
	nw_port_store_barrier();
	need(orders_stores(), "the store barrier orders no stores");
	nw_port_publish_barrier();
	need(orders_stores(), "the publish barrier orders no stores");
	nw_port_section_enter();
	need(urcu_bp_read_ongoing(), "a section holds off no grace period");
	nw_port_section_leave();
	need(!urcu_bp_read_ongoing(), "a section that was left goes on");
	nw_port_synchronize();
	need(grace_periods == 1, "no grace period is waited for");
	return 0;
}
