/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nw_port.h"

const struct variant *current_variant;
static enum nw_mode current_mode;

int table_setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	if (!f)
		return -1;
	fixture_open(f, current_variant, current_mode, 2048);
	*state = f;
	return 0;
}

int table_teardown(void **state)
{
	struct fixture *f = FIXTURE(state);
	const char *wrong;

	nw_arena_fail_at(&f->arena, 0);
	wrong = f->table.ops ? fixture_look(f, 0) : NULL;
	if (wrong)
		fprintf(stderr, "%s\n", wrong);
	nw_arena_linked_clear(&f->arena);
	if (f->table.ops) {
		const char *end = fixture_close(f);

		if (end)
			fprintf(stderr, "%s\n", end);
		wrong = wrong ? wrong : end;
	} else {
		nw_arena_fini(&f->arena);
	}
	free(f);
	return wrong ? -1 : 0;
}

void map_ok(struct fixture *f, uint64_t ia, uint64_t size, uint64_t pa)
{
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);

	assert_result(f,
		      nw_map(&f->table, NW_IA(ia), size, NW_PA(pa), &attrs,
			     NW_LEVEL_ANY, NULL, &f->result),
		      NW_OK, ia + size);
}

int leaf_level(struct fixture *f, uint64_t ia)
{
	struct aw_leaf leaf;

	if (aw_translate(&f->regs, &f->arena, ia, &leaf) != 1)
		return -1;
	return 3 - leaf.arm_level;
}

static int run_all(const struct variant *variant, enum nw_mode mode)
{
	current_variant = variant;
	current_mode = mode;
	fprintf(stderr, "# shape %s, %s\n", variant->name,
		mode == NW_MODE_READERS ? "readers" : "exclusive");
	return run_map_tests() + run_change_tests() + run_fold_tests() +
	       run_leaf_tests() + run_refusal_tests() +
	       run_look_tests() + run_life_tests() + run_memory_tests() +
	       run_prepared_tests() + run_replace_tests() + run_gather_tests();
}

int main(int argc, char **argv)
{
	unsigned i;
	int failed = 0;

	if (argc > 2) {
		fprintf(stderr, "Usage: %s [SHAPE]\n", argv[0]);
		return 2;
	}
	if (argc == 2 && !variant_find(argv[1])) {
		fprintf(stderr, "%s: no table shape '%s'; there are:", argv[0],
			argv[1]);
		for (i = 0; i < variants_count; i++)
			fprintf(stderr, " %s", variants[i].name);
		fprintf(stderr, "\n");
		return 2;
	}
	for (i = 0; i < variants_count; i++) {
		if (argc == 2 && strcmp(argv[1], variants[i].name) != 0)
			continue;
		failed += run_all(&variants[i], NW_MODE_EXCLUSIVE);
		if (NW_PORT_HAS_GRACE_PERIOD)
			failed += run_all(&variants[i], NW_MODE_READERS);
	}
	return failed != 0;
}
