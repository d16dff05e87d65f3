/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The comparison itself, with a walker of our own that can be made to err:
 * a judge that has no KVM at hand is known to be able to fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge.h"

#define BIT(n)	  (UINT64_C(1) << (n))
#define OA_BITS	  46
#define ADDRESSES 400

enum error {
	NO_ERROR,
	WRONG_ADDRESS,	 /* one bit, of 2 MiB leaves */
	ALWAYS_THERE,	 /* what is not mapped translates to 0 */
	NEVER_THERE,	 /* 1 GiB leaves fault */
	LOW_BITS_GO,	 /* address bits below a leaf's size are ignored */
	NO_MARK,	 /* does not set the accessed bit */
	OLD_TRANSLATION, /* remembers the first answer at each address */
	GIVES_UP,
};

struct walker {
	enum error error;
	struct judge *judge;
	uint64_t root_pa;
	unsigned levels;
	int has_nx;
	struct {
		uint64_t va, pa;
		int found;
	} old[256];
};

static int set_root(void *ctx, uint64_t root_pa, unsigned levels,
		    unsigned features)
{
	struct walker *w = ctx;

	w->root_pa = root_pa;
	w->levels = levels;
	w->has_nx = (features & NW_FEAT_X86_NX) != 0;
	memset(w->old, 0, sizeof(w->old));
	return 0;
}

static uint64_t *entry_at(const struct walker *w, uint64_t table_pa,
			  unsigned index)
{
	char *pages = judge_tables(w->judge);

	return (uint64_t *)(void *)(pages + (table_pa - TABLES_PHYS)) + index;
}

/* Intel SDM volume 3, "4-Level Paging and 5-Level Paging". */
static int walk(struct walker *w, uint64_t va, uint64_t *pa)
{
	uint64_t table = w->root_pa, low, address, *entry;
	unsigned level = w->levels;

	for (;;) {
		level--;
		low = BIT(12 + 9 * level) - 1;
		entry = entry_at(w, table, va >> (12 + 9 * level) & 511);
		if (!(*entry & 1) || (*entry >> 63 && !w->has_nx))
			return 0;
		address = *entry & (BIT(52) - BIT(12));
		if (address >> OA_BITS)
			return 0;
		if (w->error != NO_MARK)
			*entry |= 0x20;
		if (!level || *entry & 0x80)
			break;
		table = address;
	}
	if (level > 2 || (w->error == NEVER_THERE && level == 2))
		return 0;
	if ((address & low & ~BIT(12)) && level && w->error != LOW_BITS_GO)
		return 0;
	*pa = (address & ~low) | (va & low);
	if (w->error == WRONG_ADDRESS && level == 1)
		*pa ^= BIT(33);
	return 1;
}

static int translate(void *ctx, uint64_t va, uint64_t *pa)
{
	struct walker *w = ctx;
	const unsigned slot = (unsigned)(va >> 12 & 255);
	int found = walk(w, va, pa);

	if (w->error == GIVES_UP)
		return -1;
	if (w->error == OLD_TRANSLATION && w->old[slot].va == va) {
		*pa = w->old[slot].pa;
		return w->old[slot].found;
	}
	w->old[slot].va = va;
	w->old[slot].pa = *pa;
	w->old[slot].found = found;
	if (!found && w->error == ALWAYS_THERE) {
		*pa = 0;
		return 1;
	}
	return found;
}

static struct counts run(enum error error, unsigned ia_bits, int *status)
{
	const struct config config = {"a walker of the test's",
				      (uint8_t)ia_bits,
				      NW_FEAT_X86_NX | NW_FEAT_X86_1G};
	struct walker w = {.error = error};
	const struct translator translator = {&w, set_root, translate, 1};
	struct counts c;

	w.judge = judge_new(&config, OA_BITS, 5, &translator);
	assert_non_null(w.judge);
	*status = judge_run(w.judge, ADDRESSES);
	c = judge_counts(w.judge);
	judge_free(w.judge);
	return c;
}

static void walker_without_error_passes(void **state)
{
	struct counts c;
	int status;

	(void)state;
	for (unsigned ia_bits = 48; ia_bits <= 57; ia_bits += 9) {
		c = run(NO_ERROR, ia_bits, &status);
		assert_int_equal(status, 0);
		assert_int_equal(c.failed, 0);
		assert_true(c.passed > 2 * ADDRESSES);
		assert_true(c.hits > ADDRESSES / 4);
		assert_true(c.words > ADDRESSES / 16);
	}
}

static void each_error_of_a_walker_fails(void **state)
{
	enum error error;
	int status;

	(void)state;
	for (error = WRONG_ADDRESS; error < GIVES_UP; error++)
		if (!run(error, 48, &status).failed)
			fail_msg("error %d is not noticed", (int)error);
}

static void walker_that_gives_up_is_told(void **state)
{
	int status;

	(void)state;
	run(GIVES_UP, 48, &status);
	assert_int_equal(status, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walker_without_error_passes),
		cmocka_unit_test(each_error_of_a_walker_fails),
		cmocka_unit_test(walker_that_gives_up_is_told),
	};

	return cmocka_run_group_tests_name("mmu/kvm", tests, NULL, NULL);
}
