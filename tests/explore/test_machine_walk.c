/* SPDX-License-Identifier: BSD-2-Clause */
/* What walks find: tables that are gone or replaced, rights, bad entries. */
#include "programs.h"

#define BLOCK_MASK UINT64_C(0x1fffff)

/* Another table of the same address, with another frame behind it. */
struct tables {
	struct machine_state m;
	uint64_t *middle, *leaves, *other;
};

static void setup_tables(void *state)
{
	struct tables *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_EL2, 0, IA, 0xf);
	uint64_t *data = nwx_page_alloc(0);

	s->m.entry = &t.middle[IA >> 21 & 511];
	s->leaves = t.leaves;
	s->other = nwx_page_alloc(0);
	s->m.data = nws_frame_make("the frame", NWM_R | NWM_W, &s->m.frame);
	nwx_store(&s->leaves[0], NWS_EL2_PAGE(nwx_pa(s->m.data)), NWM_RELAXED);
	nwx_store(&s->other[0], NWS_EL2_PAGE(nwx_pa(data)), NWM_RELAXED);
	nwx_watch(NW_REGIME_EL2, IA);
}

#define TABLES(cpu_)                                                           \
	.cpus = 1, .state_bytes = sizeof(struct tables),                       \
	.setup = setup_tables, .cpu = {cpu_}

/* ---- freed pages ----------------------------------------------------------- */

static void free_linked(void *state)
{
	nwx_page_free(((struct tables *)state)->leaves, 0);
	(void)nwx_read(NW_REGIME_EL2, IA);
}

static void free_cached(void *state)
{
	struct tables *s = state;

	nwx_store(s->m.entry, 0, NWM_RELAXED);
	DSB(ISH);
	nwx_page_free(s->leaves, 0);
}

PROGRAM(freed_linked, .walks = 0, TABLES(free_linked));
PROGRAM(freed_cached, .walks = 1, TABLES(free_cached));

/* One walk each: that of an access after the free, and one before it. */
static void walk_of_a_freed_page_is_seen(void **x)
{
	(void)x;
	assert_int_equal(explore(&freed_linked), NWM_TABLE_FREED);
	assert_int_equal(explore(&freed_cached), NWM_TABLE_FREED);
}

/* ---- replaced tables ------------------------------------------------------- */

static void relink(struct tables *s)
{
	nwx_store(s->m.entry, 0, NWM_RELAXED);
	DSB(ISH);
}

static void relink_leaf(void *state)
{
	struct tables *s = state;

	relink(s);
	TLBI(VALE2IS);
	DSB(ISH);
	nwx_frame_allow(s->m.frame, 0);
}

static void relink_all(void *state)
{
	struct tables *s = state;

	relink(s);
	TLBI(VAE2IS);
	DSB(ISH);
	nwx_store(s->m.entry, NWS_TABLE(nwx_pa(s->other)), NWM_RELAXED);
	nwx_frame_allow(s->m.frame, 0);
}

PROGRAM(relinked_leaf, .walks = 2, TABLES(relink_leaf));
PROGRAM(relinked_all, .walks = 2, TABLES(relink_all));

/* The first walk caches the way, the second one takes it. */
static void walk_from_a_cached_table_finds_what_was_there(void **x)
{
	(void)x;
	assert_int_equal(explore(&relinked_leaf), NWM_STALE);
	assert_int_equal(explore(&relinked_all), NWM_OK);
}

/* ---- rights, and what is no entry ------------------------------------------- */

static void setup_read_only(void *state)
{
	struct machine_state *s = state;

	setup_mapped(state);
	nwx_store(s->entry, NWS_EL2_PAGE(s->out) | NWS_READ_ONLY, NWM_RELAXED);
}

CPU(write_it, (void)s; note_outcome(nwx_write(NW_REGIME_EL2, IA, 1)))
CPU(read_it, (void)s; note_outcome(nwx_read(NW_REGIME_EL2, IA)))
PROGRAM(written, .cpus = 1, .walks = 0, .setup = setup_read_only,
	.cpu = {write_it});
PROGRAM(read, .cpus = 1, .walks = 0, .setup = setup_read_only,
	.cpu = {read_it});

static void access_without_the_right_faults(void **x)
{
	(void)x;
	assert_int_equal(explore(&written), NWM_OK);
	assert_int_equal(seen_mask, 1u << NWM_FAULT_PERMISSION);
	assert_int_equal(explore(&read), NWM_OK);
	assert_int_equal(seen_mask, 1u << NWM_DONE);
}

/* RISC-V: a leaf at level 1 of `pa`. */
static void superpage(struct machine_state *s, uint64_t pa)
{
	uint64_t *top = nwx_page_alloc(0), *middle = nwx_page_alloc(0);
	struct nwm_root root = {.pa = nwx_pa(top), .levels = 3, .ia_bits = 39};

	nwx_store(&top[IA >> 30 & 511], nwx_pa(middle) >> 2 | 1, NWM_RELAXED);
	nwx_store(&middle[IA >> 21 & 511], pa >> 2 | 0xc7, NWM_RELAXED);
	nwx_root_set(0, NW_REGIME_RISCV_S, root);
	s->frame = nwm_frame_add("the pages", pa & ~BLOCK_MASK, BLOCK_MASK + 1,
				 NWM_R | NWM_W);
	nwx_watch(NW_REGIME_RISCV_S, IA);
}

static void setup_aligned(void *state)
{
	superpage(state, UINT64_C(0x80000000));
}

static void setup_misaligned(void *state)
{
	superpage(state, UINT64_C(0x80001000));
}

CPU(read_superpage, (void)s; note_outcome(nwx_read(NW_REGIME_RISCV_S, IA)))
#define SUPERPAGE                                                              \
	.cpus = 1, .walks = 0, .machine = {.arch = NWM_RISCV},                 \
	.cpu = {read_superpage}
PROGRAM(aligned, SUPERPAGE, .setup = setup_aligned);
PROGRAM(misaligned, SUPERPAGE, .setup = setup_misaligned);

static void riscv_misaligned_superpage_faults(void **x)
{
	(void)x;
	assert_int_equal(explore(&aligned), NWM_OK);
	assert_int_equal(seen_mask, 1u << NWM_DONE);
	assert_int_equal(explore(&misaligned), NWM_OK);
	assert_int_equal(seen_mask, 1u << NWM_FAULT_TRANSLATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_of_a_freed_page_is_seen),
		cmocka_unit_test(walk_from_a_cached_table_finds_what_was_there),
		cmocka_unit_test(access_without_the_right_faults),
		cmocka_unit_test(riscv_misaligned_superpage_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
