/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nestwalk/x86.h>

#include "../riscv/model.h"
#include "arena.h"

#define PAGE	       UINT64_C(4096)
#define FAILURES_SHOWN 8
#define MAPS	       150
#define ROUNDS	       8
#define CHANGES	       30
#define BUDGET	       64
#define TABLE	       UINT64_C(0x27) /* P W U A */
#define LEAF	       UINT64_C(0x67) /* P W U A D */
#define PS	       UINT64_C(0x80)

struct judge {
	struct nw_arena arena;
	struct nw_table table;
	struct model model;
	const struct config *config;
	const struct translator *walker;
	struct counts counts;
	int gave_up;
};

static int check(struct judge *j, int ok, const char *what, uint64_t address,
		 uint64_t got, uint64_t want)
{
	j->counts.passed += ok != 0;
	j->counts.failed += ok == 0;
	if (!ok && j->counts.failed <= FAILURES_SHOWN)
		printf("FAILED %s: %s at %#" PRIx64 ": got %#" PRIx64
		       ", want %#" PRIx64 "\n",
		       j->config->name, what, address, got, want);
	return ok;
}

/* ---- life --------------------------------------------------------------- */

static int install(struct judge *j, uint64_t root_pa)
{
	if (j->walker->set_root(j->walker->ctx, root_pa, j->table.geo.levels,
				j->config->features))
		j->gave_up = 1;
	return j->gave_up;
}

struct judge *judge_new(const struct config *config, unsigned oa_bits,
			uint64_t seed, const struct translator *walker)
{
	struct judge *j = calloc(1, sizeof(*j));
	struct nw_result r;

	if (!j || nw_arena_init(&j->arena, TABLES_PHYS, TABLES_PAGES, 12)) {
		printf("no memory for table pages\n");
		free(j);
		return NULL;
	}
	const struct nw_table_config table = {
		.ops = &nw_x86_64_ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = config->ia_bits,
			   .oa_bits = (uint8_t)oa_bits,
			   .features = config->features},
		.port = &j->arena.ops,
		.port_ctx = &j->arena,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_X86,
	};

	random_seed(seed);
	j->config = config;
	j->walker = walker;
	if (nw_table_init(&j->table, &table, &r) == NW_OK)
		return j;
	printf("%s: refused for its %s\n", config->name,
	       r.argument ? r.argument : "size");
	nw_arena_fini(&j->arena);
	free(j);
	return NULL;
}

void judge_free(struct judge *j)
{
	nw_table_destroy(&j->table);
	nw_arena_fini(&j->arena);
	free(j);
}

void *judge_tables(const struct judge *j)
{
	return (void *)(uintptr_t)(TABLES_PHYS + j->arena.ops.virt_minus_phys);
}

struct counts judge_counts(const struct judge *j)
{
	return j->counts;
}

/* ---- asking ------------------------------------------------------------- */

static uint64_t linear(const struct judge *j, uint64_t ia)
{
	const unsigned up = 64u - j->config->ia_bits;

	return (uint64_t)((int64_t)(ia << up) >> up);
}

static int ask(struct judge *j, uint64_t ia, uint64_t *pa)
{
	const int found =
		j->walker->translate(j->walker->ctx, linear(j, ia), pa);

	if (found < 0)
		j->gave_up = 1;
	j->counts.addresses++;
	j->counts.hits += found > 0;
	return found;
}

static void judge_one(struct judge *j, uint64_t ia)
{
	const struct span *span = model_find(&j->model, ia);
	const uint64_t want = span ? span->pa + (ia - span->ia) : 0;
	struct nw_attrs attrs = {0};
	struct nw_mapping m;
	uint64_t pa = 0;

	if (j->gave_up)
		return;
	if (!check(j, ask(j, ia, &pa) == (span != NULL), "translates", ia, pa,
		   want) ||
	    !span)
		return;
	check(j, pa == want, "address", ia, pa, want);
	if (!check(j,
		   nw_lookup(&j->table, NW_IA(ia), &m) == NW_OK &&
			   m.kind == NW_ENTRY_LEAF && m.pa.v == want,
		   "nw_lookup", ia, m.pa.v, want) ||
	    !j->walker->sets_accessed)
		return;
	check(j,
	      nw_mapping_attrs(&j->table, &m, &attrs) == NW_OK &&
		      (attrs.flags & NW_LEAF_ACCESSED),
	      "accessed", ia, attrs.flags, NW_LEAF_ACCESSED);
}

static uint64_t choose(const struct judge *j)
{
	const uint64_t range = UINT64_C(1) << j->config->ia_bits;
	const uint64_t dice = random_below(100);
	const struct span *s;

	if (dice >= 85 || !j->model.spans)
		return random_below(range);
	s = &j->model.span[random_below(j->model.spans)];
	if (dice < 50)
		return s->ia + random_below(s->size_bytes);
	switch (random_below(4)) {
	case 0:
		return s->ia;
	case 1:
		return s->ia + s->size_bytes - 1;
	case 2:
		return (s->ia + s->size_bytes) & (range - 1);
	default:
		return (s->ia - 1) & (range - 1);
	}
}

static void judge_some(struct judge *j, uint64_t n)
{
	for (; n && !j->gave_up; n--)
		judge_one(j, choose(j));
}

/* ---- tables ------------------------------------------------------------- */

static void map_one(struct judge *j, unsigned level)
{
	static const uint8_t count[3] = {40, 4, 2};
	const unsigned lg2 = 12 + 9 * level;
	const uint64_t range = UINT64_C(1) << j->config->ia_bits;
	const uint64_t oa_end = UINT64_C(1) << j->table.geo.oa_bits;
	const struct span s = {
		.ia = random_below(range >> lg2) << lg2,
		.size_bytes = (1 + random_below(count[level])) << lg2,
		.pa = random_below(oa_end >> lg2) << lg2,
	};
	const struct nw_attrs attrs = {
		.prot = NW_PROT_RW | NW_PROT_PX,
		.memtype = random_below(2) ? NW_MEM_NORMAL_WB : NW_MEM_WP,
		.share = NW_SHARE_INNER,
		.flags = random_below(2) ? NW_LEAF_DIRTY : 0,
		.software = (uint8_t)random_below(16),
	};
	enum nw_status got, want;
	unsigned first;

	if (s.ia + s.size_bytes > range || s.pa + s.size_bytes > oa_end)
		return;
	want = model_meets(&j->model, s.ia, s.ia + s.size_bytes, &first)
		       ? NW_E_EXISTS
		       : NW_OK;
	got = nw_map(&j->table, NW_IA(s.ia), s.size_bytes, NW_PA(s.pa), &attrs,
		     NW_LEVEL_ANY, NULL, NULL);
	if (check(j, got == want, "nw_map", s.ia, got, want) && got == NW_OK)
		check(j, model_add(&j->model, &s), "spans", 0, 0, 1);
}

static void unmap_part(struct judge *j, uint64_t ia, uint64_t end)
{
	enum nw_status got;

	if (!model_cut(&j->model, ia, end))
		return;
	got = nw_unmap(&j->table, NW_IA(ia), end - ia, NULL, NULL);
	if (check(j, got == NW_OK, "nw_unmap", ia, got, NW_OK))
		model_remove(&j->model, ia, end);
}

static void change(struct judge *j)
{
	const struct span *s = NULL;
	uint64_t ia, size, left;
	enum nw_status got;

	if (!j->model.spans)
		return;
	s = &j->model.span[random_below(j->model.spans)];
	ia = s->ia + (random_below(s->size_bytes) & ~(PAGE - 1));
	left = s->ia + s->size_bytes - ia;
	size = PAGE * (1 + random_below(2000));
	judge_one(j, ia); /* so that the old answer is known */
	if (random_below(3) == 0) {
		got = nw_split(&j->table, NW_IA(ia), (unsigned)random_below(2),
			       NULL, NULL);
		check(j, got == NW_OK, "nw_split", ia, got, NW_OK);
	} else {
		unmap_part(j, ia, ia + (size < left ? size : left));
	}
	judge_one(j, ia);
}

static void fold(struct judge *j)
{
	const uint64_t all = UINT64_C(1) << j->config->ia_bits;
	enum nw_status got;
	struct nw_result r;
	uint64_t at = 0;

	do {
		got = nw_collapse(&j->table, NW_IA(at), all - at, NW_LEVEL_ANY,
				  BUDGET, &r);
		at = r.reached;
	} while (got == NW_MORE);
	check(j, got == NW_OK, "nw_collapse", at, got, NW_OK);
}

/* ---- random entries ----------------------------------------------------- */

static int is_reserved_by_manual(const struct judge *j, unsigned level,
				 uint64_t word, enum nw_reason reason)
{
	if (reason == NW_REASON_FEATURE)
		return word >> 63 && !(j->config->features & NW_FEAT_X86_NX);
	return reason == NW_REASON_ADDRESS_ALIGN ||
	       reason == NW_REASON_ADDRESS_SIZE ||
	       (reason == NW_REASON_TYPE_AT_LEVEL && level >= 3);
}

static void judge_word(struct judge *j, unsigned level, uint64_t ia,
		       uint64_t word)
{
	const uint64_t span = PAGE << 9 * level;
	struct nw_decoded is;
	uint64_t pa = 0, want;
	int found;

	nw_x86_64_ops.decode(&j->table.geo, level, word, &is);
	if (is.kind == NW_ENTRY_TABLE)
		return;
	if (is.kind == NW_ENTRY_RESERVED &&
	    !is_reserved_by_manual(j, level, word, is.reason))
		return;
	found = ask(j, ia, &pa);
	want = is.kind == NW_ENTRY_LEAF ? is.pa.v | (ia & (span - 1)) : 0;
	check(j, found == (is.kind == NW_ENTRY_LEAF), "entry", word, pa, want);
	if (found > 0)
		check(j, pa == want, "address of entry", word, pa, want);
	j->counts.words++;
}

/* A leaf with some bits turned, at any level, below tables built by hand. */
static void judge_words(struct judge *j, uint64_t n)
{
	const uint64_t to_virt = j->arena.ops.virt_minus_phys;
	const unsigned levels = j->table.geo.levels;
	const uint64_t oa_mask = (UINT64_C(1) << j->table.geo.oa_bits) - 1;
	uint64_t *page[NW_LEVELS_MAX];
	unsigned level, i;

	for (i = 0; i < levels; i++)
		page[i] = j->arena.ops.alloc_pages(&j->arena, 0);
	if (install(j, (uintptr_t)page[levels - 1] - to_virt))
		return;
	for (; n && !j->gave_up; n--) {
		const unsigned at = (unsigned)random_below(levels);
		const uint64_t ia =
			random_below(UINT64_C(1) << j->config->ia_bits);
		uint64_t word =
			(random_next() & oa_mask & ~((PAGE << 9 * at) - 1)) |
			LEAF | (at ? PS : 0);

		for (unsigned flips = (unsigned)random_below(4); flips; flips--)
			word ^= UINT64_C(1) << random_below(64);
		for (level = levels; level--;) {
			memset(page[level], 0, PAGE);
			page[level][ia >> (12 + 9 * level) & 511] =
				level > at ? ((uintptr_t)page[level - 1] -
					      to_virt) |
						     TABLE
					   : word;
		}
		judge_word(j, at, ia, word);
	}
	for (i = 0; i < levels; i++)
		j->arena.ops.free_pages(&j->arena, page[i], 0);
}

int judge_run(struct judge *j, uint64_t addresses)
{
	const uint64_t root = nw_table_root(&j->table).v;

	for (unsigned i = 0; i < MAPS; i++)
		map_one(j, i % (j->config->features & NW_FEAT_X86_1G ? 3 : 2));
	if (install(j, root))
		return -1;
	judge_some(j, addresses);
	for (unsigned round = 0; round < ROUNDS && !j->gave_up; round++) {
		for (unsigned i = 0; i < CHANGES; i++)
			change(j);
		judge_some(j, addresses / 16);
		fold(j);
		for (unsigned i = 0; i < MAPS / 8; i++)
			map_one(j, i % 2);
		judge_some(j, addresses / 16);
	}
	judge_words(j, addresses / 4);
	install(j, root);
	unmap_part(j, 0, UINT64_C(1) << j->config->ia_bits);
	judge_some(j, 200);
	check(j, !nw_arena_error(&j->arena), "table pages", 0, 0, 0);
	return j->gave_up ? -1 : 0;
}
