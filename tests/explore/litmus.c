/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Litmus tests of the machine itself: the sets of outcomes are asserted
 * exactly, each shape with and without its ordering. Outcome bits: r[0] is
 * bit 0, r[1] bit 1 ...; OUT(n) is the set that holds outcome n alone.
 */
#include "support.h"

#define OUT(n) (UINT64_C(1) << (n))

static struct litmus_state *st(void *state)
{
	return state;
}

#define W(v, order) nwx_store(&st(s)->v, 1, order)
#define R(n, v, order) (st(s)->r[n] = nwx_load(&st(s)->v, order))

#define CPU(name, ...)                                                         \
	static void name(void *s)                                              \
	{                                                                      \
		__VA_ARGS__;                                                   \
	}

/* ---- MP: message passing ------------------------------------------------- */

CPU(mp_w, W(x, NWM_RELAXED); W(y, NWM_RELAXED))
CPU(mp_w_release, W(x, NWM_RELAXED); W(y, NWM_RELEASE))
CPU(mp_w_dmbst, W(x, NWM_RELAXED); nwx_barrier(NW_BARRIER_DMB_ISHST);
    W(y, NWM_RELAXED))
CPU(mp_r, R(0, y, NWM_RELAXED); R(1, x, NWM_RELAXED))
CPU(mp_r_acquire, R(0, y, NWM_ACQUIRE); R(1, x, NWM_RELAXED))
CPU(mp_r_fence, R(0, y, NWM_RELAXED); nwx_fence(); R(1, x, NWM_RELAXED))

LITMUS(mp_relaxed, .cpus = 2, .cpu = {mp_w, mp_r});
LITMUS(mp_release_only, .cpus = 2, .cpu = {mp_w_release, mp_r});
LITMUS(mp_acquire_only, .cpus = 2, .cpu = {mp_w, mp_r_acquire});
LITMUS(mp_release_acquire, .cpus = 2, .cpu = {mp_w_release, mp_r_acquire});
LITMUS(mp_dmbst_fence, .cpus = 2, .cpu = {mp_w_dmbst, mp_r_fence});
LITMUS(mp_tso, .cpus = 2, .cpu = {mp_w, mp_r}, .machine = {.arch = NWM_X86});

/* r0 = 1 and r1 = 0 (outcome 1): the flag without the message. */
#define MP_ORDERED (OUT(0) | OUT(2) | OUT(3))

static void mp_without_ordering_loses_message(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&mp_relaxed), MP_ORDERED | OUT(1));
	assert_int_equal(litmus_outcomes(&mp_release_only),
			 MP_ORDERED | OUT(1));
	assert_int_equal(litmus_outcomes(&mp_acquire_only),
			 MP_ORDERED | OUT(1));
}

static void mp_with_ordering_delivers_message(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&mp_release_acquire), MP_ORDERED);
	assert_int_equal(litmus_outcomes(&mp_dmbst_fence), MP_ORDERED);
	assert_int_equal(litmus_outcomes(&mp_tso), MP_ORDERED);
}

/* ---- SB: store buffering ------------------------------------------------- */

CPU(sb_0, W(x, NWM_RELAXED); R(0, y, NWM_RELAXED))
CPU(sb_1, W(y, NWM_RELAXED); R(1, x, NWM_RELAXED))
CPU(sb_0_fence, W(x, NWM_RELAXED); nwx_fence(); R(0, y, NWM_RELAXED))
CPU(sb_1_fence, W(y, NWM_RELAXED); nwx_fence(); R(1, x, NWM_RELAXED))
CPU(sb_1_dsb, W(y, NWM_RELAXED); nwx_barrier(NW_BARRIER_DSB_ISH);
    R(1, x, NWM_RELAXED))

CPU(sb_0_st, W(x, NWM_RELAXED); nwx_barrier(NW_BARRIER_DSB_ISHST);
    R(0, y, NWM_RELAXED))
CPU(sb_1_st, W(y, NWM_RELAXED); nwx_barrier(NW_BARRIER_DSB_ISHST);
    R(1, x, NWM_RELAXED))
CPU(sb_0_dmbst, W(x, NWM_RELAXED); nwx_barrier(NW_BARRIER_DMB_ISHST);
    R(0, y, NWM_RELAXED))

LITMUS(sb_dsb_stores, .cpus = 2, .cpu = {sb_0_st, sb_1_st});
LITMUS(sb_dmb_stores, .cpus = 2, .cpu = {sb_0_dmbst, sb_1_st});
LITMUS(sb_relaxed, .cpus = 2, .cpu = {sb_0, sb_1});
LITMUS(sb_one_fence, .cpus = 2, .cpu = {sb_0_fence, sb_1});
LITMUS(sb_fences, .cpus = 2, .cpu = {sb_0_fence, sb_1_fence});
LITMUS(sb_fence_dsb, .cpus = 2, .cpu = {sb_0_fence, sb_1_dsb});
LITMUS(sb_tso, .cpus = 2, .cpu = {sb_0, sb_1}, .machine = {.arch = NWM_X86});

static void sb_without_fences_misses_both(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&sb_relaxed), 0xf);
	assert_int_equal(litmus_outcomes(&sb_one_fence), 0xf);
	assert_int_equal(litmus_outcomes(&sb_tso), 0xf);
}

static void sb_with_fences_never_misses_both(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&sb_fences), 0xe);
	assert_int_equal(litmus_outcomes(&sb_fence_dsb), 0xe);
	assert_int_equal(litmus_outcomes(&sb_dsb_stores), 0xe);
	assert_int_equal(litmus_outcomes(&sb_dmb_stores), 0xf);
}

/* ---- LB: load buffering; stated in docs/machine.md: not modelled --------- */

CPU(lb_0, R(0, x, NWM_RELAXED); W(y, NWM_RELAXED))
CPU(lb_1, R(1, y, NWM_RELAXED); W(x, NWM_RELAXED))
LITMUS(lb, .cpus = 2, .cpu = {lb_0, lb_1});

LITMUS(lb_tso, .cpus = 2, .cpu = {lb_0, lb_1}, .machine = {.arch = NWM_X86});

static void lb_both_from_the_future_is_not_modelled(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&lb), 0x7);
	/* Here that is no gap: TSO forbids it. */
	assert_int_equal(litmus_outcomes(&lb_tso), 0x7);
}

/* ---- CoRR, CoWR: one location -------------------------------------------- */

CPU(co_w, W(x, NWM_RELAXED))
CPU(corr_r, R(0, x, NWM_RELAXED); R(1, x, NWM_RELAXED))
CPU(cowr, nwx_store(&st(s)->x, 3, NWM_RELAXED);
    st(s)->r[0] = nwx_load(&st(s)->x, NWM_RELAXED) != 3 &&
		  nwx_load(&st(s)->x, NWM_RELAXED) == 0)
LITMUS(corr, .cpus = 2, .cpu = {co_w, corr_r});
LITMUS(corr_cowr, .cpus = 2, .cpu = {co_w, cowr});

static void corr_new_then_old_is_impossible(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&corr), OUT(0) | OUT(2) | OUT(3));
	assert_int_equal(litmus_outcomes(&corr_cowr), OUT(0));
}

/* ---- x86: store buffers -------------------------------------------------- */

#define X86 .machine = {.arch = NWM_X86}
#define MFENCE nwx_barrier(NW_BARRIER_X86_MFENCE)

CPU(sb_0_mfence, W(x, NWM_RELAXED); MFENCE; R(0, y, NWM_RELAXED))
CPU(sb_1_mfence, W(y, NWM_RELAXED); MFENCE; R(1, x, NWM_RELAXED))
CPU(sb_0_locked, W(x, NWM_RELAXED); (void)nwx_add(&st(s)->r[6], 1);
    R(0, y, NWM_RELAXED))
/* The same if the exchange fails. */
CPU(sb_1_locked, uint64_t never = 9; W(y, NWM_RELAXED);
    (void)nwx_cmpxchg(&st(s)->r[7], &never, 1); R(1, x, NWM_RELAXED))
LITMUS(sb_tso_mfence, X86, .cpus = 2, .cpu = {sb_0_mfence, sb_1_mfence});
LITMUS(sb_tso_half, X86, .cpus = 2, .cpu = {sb_0_mfence, sb_1});
LITMUS(sb_tso_locked, X86, .cpus = 2, .cpu = {sb_0_locked, sb_1_locked});

static void tso_sb_needs_a_fence_or_locked_on_both_sides(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&sb_tso_half), 0xf);
	assert_int_equal(litmus_outcomes(&sb_tso_mfence), 0xe);
	assert_int_equal(litmus_outcomes(&sb_tso_locked), 0xe);
}

/* A CPU sees its own store at once, the other one's not yet. */
CPU(fwd_0, W(x, NWM_RELAXED); R(0, x, NWM_RELAXED); R(1, y, NWM_RELAXED))
CPU(fwd_1, W(y, NWM_RELAXED); R(2, y, NWM_RELAXED); R(3, x, NWM_RELAXED))
LITMUS(forwarding, X86, .cpus = 2, .cpu = {fwd_0, fwd_1});

static void tso_own_store_is_forwarded_before_it_is_drained(void **unused)
{
	uint64_t seen = litmus_outcomes(&forwarding);

	(void)unused;
	/* r0 = r2 = 1, r1 = r3 = 0; and never its own store unseen. */
	assert_int_equal(seen & OUT(5), OUT(5));
	for (unsigned i = 0; i < 16; i++)
		if ((i & 5) != 5)
			assert_int_equal(seen & OUT(i), 0);
}

/* The store that was forwarded is the last to reach memory. */
CPU(n6_1, W(y, NWM_RELAXED); nwx_store(&st(s)->x, 2, NWM_RELAXED))

static void n6_finish(void *s)
{
	st(s)->r[2] = nwx_load(&st(s)->x, NWM_RELAXED) == 1;
	litmus_finish(s);
}

static const struct nwx_scenario n6 = {
	.name = "n6",
	X86,
	.cpus = 2,
	.cpu = {fwd_0, n6_1},
	.state_bytes = sizeof(struct litmus_state),
	.finish = n6_finish};

static void tso_forwarded_store_may_be_drained_last(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&n6) & OUT(5), OUT(5));
}

/* The same with a third writer, of z, whose store comes before that of y: where
 * in the one order a store stands that nothing else looks at. */
CPU(z6_0, W(x, NWM_RELAXED); R(0, z, NWM_RELAXED); R(1, y, NWM_RELAXED))
CPU(z6_2, W(z, NWM_RELAXED))

static const struct nwx_scenario z6 = {
	.name = "z6",
	X86,
	.cpus = 3,
	.cpu = {n6_1, z6_0, z6_2},
	.state_bytes = sizeof(struct litmus_state),
	.finish = n6_finish};

static void tso_stores_to_different_places_have_an_order(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&z6) & OUT(5), OUT(5));
}

/* Two readers of two writers. */
CPU(iriw_x, W(x, NWM_RELAXED))
CPU(iriw_y, W(y, NWM_RELAXED))
CPU(iriw_xy, R(0, x, NWM_RELAXED); R(1, y, NWM_RELAXED))
CPU(iriw_yx, R(2, y, NWM_RELAXED); R(3, x, NWM_RELAXED))
LITMUS(iriw, .cpus = 4, .cpu = {iriw_x, iriw_y, iriw_xy, iriw_yx});
LITMUS(iriw_tso, X86, .cpus = 4, .cpu = {iriw_x, iriw_y, iriw_xy, iriw_yx});
LITMUS(corr_tso, X86, .cpus = 2, .cpu = {co_w, corr_r});
LITMUS(corr_cowr_tso, X86, .cpus = 2, .cpu = {co_w, cowr});

static void tso_all_agree_on_the_order_of_stores(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&iriw) & OUT(5), OUT(5));
	assert_int_equal(litmus_outcomes(&iriw_tso), 0xffff & ~OUT(5));
	assert_int_equal(litmus_outcomes(&corr_tso),
			 OUT(0) | OUT(2) | OUT(3));
	assert_int_equal(litmus_outcomes(&corr_cowr_tso), OUT(0));
}

/* ---- RISC-V: relaxed, with its own fences -------------------------------- */

CPU(mp_w_fence_w, W(x, NWM_RELAXED); nwx_barrier(NW_BARRIER_RISCV_FENCE_W);
    W(y, NWM_RELAXED))
CPU(mp_r_fence_rw, R(0, y, NWM_RELAXED);
    nwx_barrier(NW_BARRIER_RISCV_FENCE_RW); R(1, x, NWM_RELAXED))
CPU(sb_0_rw, W(x, NWM_RELAXED); nwx_barrier(NW_BARRIER_RISCV_FENCE_RW);
    R(0, y, NWM_RELAXED))
CPU(sb_1_rw, W(y, NWM_RELAXED); nwx_barrier(NW_BARRIER_RISCV_FENCE_RW);
    R(1, x, NWM_RELAXED))
CPU(sb_1_w, W(y, NWM_RELAXED); nwx_barrier(NW_BARRIER_RISCV_FENCE_W);
    R(1, x, NWM_RELAXED))
#define RISCV .machine = {.arch = NWM_RISCV}
LITMUS(mp_riscv, RISCV, .cpus = 2, .cpu = {mp_w, mp_r});
LITMUS(mp_riscv_half, RISCV, .cpus = 2, .cpu = {mp_w_fence_w, mp_r});
LITMUS(mp_riscv_fences, RISCV, .cpus = 2, .cpu = {mp_w_fence_w, mp_r_fence_rw});
LITMUS(sb_riscv_half, RISCV, .cpus = 2, .cpu = {sb_0_rw, sb_1_w});
LITMUS(sb_riscv_fences, RISCV, .cpus = 2, .cpu = {sb_0_rw, sb_1_rw});

static void riscv_order_comes_from_its_fences(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&mp_riscv), MP_ORDERED | OUT(1));
	assert_int_equal(litmus_outcomes(&mp_riscv_half), MP_ORDERED | OUT(1));
	assert_int_equal(litmus_outcomes(&mp_riscv_fences), MP_ORDERED);
	assert_int_equal(litmus_outcomes(&sb_riscv_half), 0xf);
	assert_int_equal(litmus_outcomes(&sb_riscv_fences), 0xe);
}

/* ---- chains -------------------------------------------------------------- */

CPU(wrc_1, R(0, x, NWM_RELAXED); W(y, NWM_RELAXED))
CPU(wrc_1_ra, R(0, x, NWM_ACQUIRE); W(y, NWM_RELEASE))
CPU(wrc_2, R(1, y, NWM_RELAXED); R(2, x, NWM_RELAXED))
CPU(wrc_2_a, R(1, y, NWM_ACQUIRE); R(2, x, NWM_RELAXED))
LITMUS(wrc_relaxed, .cpus = 3, .cpu = {co_w, wrc_1, wrc_2});
LITMUS(wrc_release_acquire, .cpus = 3, .cpu = {co_w, wrc_1_ra, wrc_2_a});

static void wrc_chain_of_release_acquire_carries_order(void **unused)
{
	(void)unused;
	/* r0 = 1, r1 = 1, r2 = 0 is outcome 3. */
	assert_int_equal(litmus_outcomes(&wrc_relaxed), 0xff);
	assert_int_equal(litmus_outcomes(&wrc_release_acquire),
			 0xff & ~OUT(3));
}

/* A barrier for stores says nothing of what was read before it. */
CPU(wrc_1_dmb, R(0, x, NWM_RELAXED); nwx_barrier(NW_BARRIER_DMB_ISHST);
    W(y, NWM_RELAXED))
CPU(wrc_1_dsb, R(0, x, NWM_RELAXED); nwx_barrier(NW_BARRIER_DSB_ISHST);
    W(y, NWM_RELAXED))
LITMUS(wrc_dmb_st, .cpus = 3, .cpu = {co_w, wrc_1_dmb, wrc_2_a});
LITMUS(wrc_dsb_st, .cpus = 3, .cpu = {co_w, wrc_1_dsb, wrc_2_a});

static void wrc_barrier_for_stores_carries_no_loads(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&wrc_dmb_st), 0xff);
	assert_int_equal(litmus_outcomes(&wrc_dsb_st), 0xff);
}

/* What ended a wait has been read: later loads are not older. */
CPU(await_then_read, (void)nwx_await(&st(s)->x, 1, NWX_UNTIL);
    R(0, x, NWM_RELAXED))
LITMUS(awaited, .cpus = 2, .cpu = {co_w, await_then_read});

static void awaited_value_is_not_unread(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&awaited), OUT(1));
}

CPU(isa2_0, W(x, NWM_RELAXED); W(y, NWM_RELEASE))
CPU(isa2_1, R(0, y, NWM_ACQUIRE); W(z, NWM_RELEASE))
CPU(isa2_2, R(1, z, NWM_ACQUIRE); R(2, x, NWM_RELAXED))
CPU(isa2_1_weak, R(0, y, NWM_RELAXED); W(z, NWM_RELEASE))
LITMUS(isa2, .cpus = 3, .cpu = {isa2_0, isa2_1, isa2_2});
LITMUS(isa2_weak, .cpus = 3, .cpu = {isa2_0, isa2_1_weak, isa2_2});

static void isa2_needs_acquire_in_the_middle(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&isa2) & OUT(3), 0);
	assert_int_equal(litmus_outcomes(&isa2_weak) & OUT(3), OUT(3));
}

/* ---- atomic read-modify-writes ------------------------------------------- */

CPU(rmw_add, st(s)->r[nwx_cpu_id()] = nwx_add(&st(s)->x, 1) == 2)
LITMUS(rmw_adds, .cpus = 2, .cpu = {rmw_add, rmw_add});

static void rmw_never_loses_an_update(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&rmw_adds), OUT(1) | OUT(2));
}

/* ---- locks and grace periods --------------------------------------------- */

CPU(lock_w, nwx_lock(&st(s)->z); W(x, NWM_RELAXED); W(y, NWM_RELAXED);
    nwx_unlock(&st(s)->z))
CPU(lock_r, nwx_lock(&st(s)->z); R(0, y, NWM_RELAXED); R(1, x, NWM_RELAXED);
    nwx_unlock(&st(s)->z))
LITMUS(locks, .cpus = 2, .cpu = {lock_w, lock_r});

CPU(rcu_w, W(x, NWM_RELAXED); nwx_synchronize(); W(y, NWM_RELAXED))
CPU(rcu_r, nwx_section_enter(); R(0, y, NWM_RELAXED); R(1, x, NWM_RELAXED);
    nwx_section_leave())
CPU(rcu_r_bare, R(0, y, NWM_RELAXED); R(1, x, NWM_RELAXED))
LITMUS(rcu, .cpus = 2, .cpu = {rcu_w, rcu_r});
LITMUS(rcu_bare, .cpus = 2, .cpu = {rcu_w, rcu_r_bare});

static void lock_orders_what_it_guards(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&locks), OUT(0) | OUT(3));
}

static void grace_period_orders_against_whole_sections(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&rcu) & OUT(1), 0);
	assert_int_equal(litmus_outcomes(&rcu_bare) & OUT(1), OUT(1));
}

/* ---- interrupts ---------------------------------------------------------- */

static void ipi_look(void *s, unsigned from, uint64_t ticket)
{
	(void)from;
	(void)ticket;
	R(0, x, NWM_RELAXED);
	W(y, NWM_RELAXED);
}

static void ipi_setup(void *s)
{
	(void)s;
	nwx_ipi_handler(ipi_look);
}

CPU(ipi_sender, W(x, NWM_RELAXED); nwx_ipi_wait(nwx_ipi_send(2));
    R(1, y, NWM_RELAXED))
CPU(ipi_sender_no_wait, W(x, NWM_RELAXED); (void)nwx_ipi_send(2);
    R(1, y, NWM_RELAXED))
CPU(ipi_target, R(2, x, NWM_RELAXED))
#define IPI(name, ...)                                                         \
	LITMUS(name, .cpus = 2, .setup = ipi_setup, __VA_ARGS__)
IPI(ipi, .cpu = {ipi_sender, ipi_target});
IPI(ipi_no_wait, .cpu = {ipi_sender_no_wait, ipi_target});
IPI(ipi_tso, X86, .cpu = {ipi_sender, ipi_target});
IPI(ipi_no_wait_tso, X86, .cpu = {ipi_sender_no_wait, ipi_target});

/* r0: the handler saw what came before the sending; r1: who waited saw what
 * the handler did; r2: what the target itself saw, at any time. */
static void ipi_orders_sender_handler_and_who_waits(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&ipi), OUT(3) | OUT(7));
	assert_int_equal(litmus_outcomes(&ipi_tso), OUT(3) | OUT(7));
	assert_int_equal(litmus_outcomes(&ipi_no_wait),
			 OUT(1) | OUT(3) | OUT(5) | OUT(7));
	assert_int_equal(litmus_outcomes(&ipi_no_wait_tso),
			 OUT(1) | OUT(3) | OUT(5) | OUT(7));
}

/* The handler runs between two loads of the target, or before or after. */
static void ipi_bump(void *s, unsigned from, uint64_t ticket)
{
	(void)from;
	(void)ticket;
	st(s)->r[3]++;
}

static void bump_setup(void *s)
{
	(void)s;
	nwx_ipi_handler(ipi_bump);
}

CPU(bump_target, (void)nwx_load(&st(s)->x, NWM_RELAXED);
    st(s)->r[0] = st(s)->r[3];
    (void)nwx_load(&st(s)->x, NWM_RELAXED); st(s)->r[1] = st(s)->r[3])
CPU(bump_target_off, nwx_irq_off(); (void)nwx_load(&st(s)->x, NWM_RELAXED);
    st(s)->r[0] = st(s)->r[3];
    (void)nwx_load(&st(s)->x, NWM_RELAXED); st(s)->r[1] = st(s)->r[3];
    nwx_irq_on())
CPU(bump_sender, (void)s; (void)nwx_ipi_send(2))
/* What the sender does next may be seen before the handler runs. */
CPU(late_sender, (void)nwx_ipi_send(2); W(x, NWM_RELAXED))
CPU(late_target, R(0, x, NWM_RELAXED); st(s)->r[1] = st(s)->r[3])
LITMUS(ipi_late, .cpus = 2, .setup = bump_setup,
       .cpu = {late_sender, late_target});
LITMUS(ipi_anywhere, .cpus = 2, .setup = bump_setup,
       .cpu = {bump_sender, bump_target});
LITMUS(ipi_off, .cpus = 2, .setup = bump_setup,
       .cpu = {bump_sender, bump_target_off});

static void ipi_is_taken_anywhere_but_where_it_is_off(void **unused)
{
	(void)unused;
	/* r3: it is taken in the end. */
	assert_int_equal(litmus_outcomes(&ipi_anywhere),
			 OUT(8) | OUT(8 + 2) | OUT(8 + 3));
	assert_int_equal(litmus_outcomes(&ipi_off), OUT(8));
	assert_int_equal(litmus_outcomes(&ipi_late),
			 OUT(8) | OUT(9) | OUT(10) | OUT(11));
}

/* ---- waiting ------------------------------------------------------------- */

CPU(await_w, nwx_store(&st(s)->x, 1, NWM_RELAXED);
    nwx_store(&st(s)->y, 1, NWM_RELAXED);
    nwx_store(&st(s)->x, 0, NWM_RELEASE))
CPU(await_r, (void)nwx_await(&st(s)->x, 0, NWX_UNTIL);
    R(0, y, NWM_RELAXED))
LITMUS(await, .cpus = 2, .cpu = {await_w, await_r});

static void await_ends_before_or_after_never_between(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&await), OUT(0) | OUT(1));
}

/* ---- address dependency -------------------------------------------------- */

static uint64_t *dep_page;

static void dep_setup(void *state)
{
	(void)state;
	dep_page = nwx_page_alloc(0);
}

CPU(dep_w, nwx_store(dep_page, 1, NWM_RELAXED);
    nwx_store(&st(s)->x, nwx_pa(dep_page), NWM_RELEASE))
CPU(dep_w_plain, nwx_store(dep_page, 1, NWM_RELAXED);
    nwx_store(&st(s)->x, nwx_pa(dep_page), NWM_RELAXED))

static void dep_r(void *s)
{
	uint64_t pa = nwx_load(&st(s)->x, NWM_RELAXED);

	st(s)->r[0] = pa != 0;
	if (pa)
		st(s)->r[1] = nwx_load(nwx_virt(pa), NWM_RELAXED);
}

LITMUS(dep, .cpus = 2, .setup = dep_setup, .cpu = {dep_w, dep_r});
LITMUS(dep_plain, .cpus = 2, .setup = dep_setup, .cpu = {dep_w_plain, dep_r});

static void address_dependency_needs_release_at_the_writer(void **unused)
{
	(void)unused;
	assert_int_equal(litmus_outcomes(&dep), OUT(0) | OUT(3));
	assert_int_equal(litmus_outcomes(&dep_plain),
			 OUT(0) | OUT(1) | OUT(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mp_without_ordering_loses_message),
		cmocka_unit_test(mp_with_ordering_delivers_message),
		cmocka_unit_test(sb_without_fences_misses_both),
		cmocka_unit_test(sb_with_fences_never_misses_both),
		cmocka_unit_test(lb_both_from_the_future_is_not_modelled),
		cmocka_unit_test(corr_new_then_old_is_impossible),
		cmocka_unit_test(tso_sb_needs_a_fence_or_locked_on_both_sides),
		cmocka_unit_test(
			tso_own_store_is_forwarded_before_it_is_drained),
		cmocka_unit_test(tso_forwarded_store_may_be_drained_last),
		cmocka_unit_test(tso_stores_to_different_places_have_an_order),
		cmocka_unit_test(tso_all_agree_on_the_order_of_stores),
		cmocka_unit_test(riscv_order_comes_from_its_fences),
		cmocka_unit_test(ipi_orders_sender_handler_and_who_waits),
		cmocka_unit_test(ipi_is_taken_anywhere_but_where_it_is_off),
		cmocka_unit_test(wrc_chain_of_release_acquire_carries_order),
		cmocka_unit_test(wrc_barrier_for_stores_carries_no_loads),
		cmocka_unit_test(awaited_value_is_not_unread),
		cmocka_unit_test(isa2_needs_acquire_in_the_middle),
		cmocka_unit_test(rmw_never_loses_an_update),
		cmocka_unit_test(lock_orders_what_it_guards),
		cmocka_unit_test(grace_period_orders_against_whole_sections),
		cmocka_unit_test(await_ends_before_or_after_never_between),
		cmocka_unit_test(
			address_dependency_needs_release_at_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
