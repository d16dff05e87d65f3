/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small RCU for the sanitizer.
 *
 * Each thread owns a slot with the period in which its outermost section
 * began, 0 outside. A grace period starts a new period and waits until no
 * slot holds an older one.
 *
 * Why a reader that is missed cannot see what was unlinked: reader and waiter
 * both change the slot by a read-modify-write, so one comes first.
 *  - The reader first: the waiter reads its period, and if that is an old one
 *    waits for the release store of 0. All of the section happens before.
 *  - The waiter first: the reader's acquire pairs with the waiter's release,
 *    so the unlinking happens before all of the section.
 * If the slot holds the new period or a later one, the reader's acquire load
 * of the period has read it from this waiter or from one after it: again the
 * unlinking happens before the section.
 */
#include <pthread.h>
#include <sched.h>

#include "nw_port.h"

#define SLOTS 128

struct slot {
	uint64_t period; /* 0: no section */
	uint64_t taken;
};

static struct slot slots[SLOTS];
static uint64_t current_period = 1;
static pthread_key_t slot_key;
static pthread_once_t slot_key_once = PTHREAD_ONCE_INIT;
static __thread struct slot *own_slot;
static __thread unsigned own_depth;

/* ORD-none: only that the slot is free matters. */
static void slot_release(void *slot)
{
	nw_port_store_release(&((struct slot *)slot)->taken, 0);
}

static void slot_key_make(void)
{
	if (pthread_key_create(&slot_key, slot_release) != 0)
		nw_port_bug("no thread key for RCU", __FILE__, __LINE__);
}

/* ORD-none: a slot is taken once by each thread. */
static struct slot *slot_take(void)
{
	unsigned i;

	pthread_once(&slot_key_once, slot_key_make);
	for (i = 0; i < SLOTS; i++) {
		uint64_t expected = 0;

		if (!nw_port_cmpxchg(&slots[i].taken, &expected, 1))
			continue;
		pthread_setspecific(slot_key, &slots[i]);
		return &slots[i];
	}
	nw_port_bug("more threads use RCU than it has slots", __FILE__,
		    __LINE__);
}

/* ORD-06: both ways of meeting a waiter, see above. */
void nw_tsan_rcu_enter(void)
{
	if (own_depth++ != 0)
		return;
	if (!own_slot)
		own_slot = slot_take();
	nw_port_xchg(&own_slot->period, nw_port_load_acquire(&current_period));
}

/* ORD-06: all that the section read comes before the slot is empty. */
void nw_tsan_rcu_leave(void)
{
	if (own_depth == 0)
		nw_port_bug("a section is left that was not entered", __FILE__,
			    __LINE__);
	if (--own_depth == 0)
		nw_port_store_release(&own_slot->period, 0);
}

/* ORD-05: the unlinking before the new period, the readers' loads before the
 * return. */
void nw_tsan_rcu_synchronize(void)
{
	uint64_t period;
	unsigned i;

	if (own_depth != 0)
		nw_port_bug("a grace period is awaited inside a section",
			    __FILE__, __LINE__);
	period = __atomic_add_fetch(&current_period, 1, __ATOMIC_ACQ_REL);
	for (i = 0; i < SLOTS; i++) {
		uint64_t seen = __atomic_fetch_add(&slots[i].period, 0,
						   __ATOMIC_ACQ_REL);

		while (seen != 0 && seen < period) {
			sched_yield();
			seen = nw_port_load_acquire(&slots[i].period);
		}
	}
}
