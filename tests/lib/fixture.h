/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table on an arena, in each shape that the tests run through.
 */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include "armwalk.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define PAGE (4 * KIB)

struct variant {
	const char *name;
	const struct nw_format_ops *const *ops;
	enum nw_regime regime;
	uint8_t ia_bits;
	uint8_t oa_bits;
	uint16_t features;
};

/* Every shape: both formats, input sizes from 32 to 48 bits. */
extern const struct variant variants[];
extern const unsigned variants_count;

/* The variant of that name, or NULL. */
const struct variant *variant_find(const char *name);

struct fixture {
	const struct variant *variant;
	struct nw_arena arena;
	struct nw_table table;
	struct aw_regs regs;
	struct aw_view view;
	struct nw_result result; /* for the test's own calls */
};

/* The configuration that fixture_open() uses, for a test to spoil. */
struct nw_table_config fixture_config(struct fixture *f,
				      const struct variant *variant,
				      enum nw_mode mode);

/* Make the arena and an empty table; ends the program when it cannot. */
void fixture_open(struct fixture *f, const struct variant *variant,
		  enum nw_mode mode, unsigned arena_pages);

/* Destroy the table and the arena. NULL, or what was wrong with its end. */
const char *fixture_close(struct fixture *f);

/*
 * Look at the whole table with the second walker, and tell the arena which
 * pages are linked now. `cached` pages are live without being linked.
 * NULL, or what is wrong.
 */
const char *fixture_look(struct fixture *f, unsigned cached);

/* Normal write-back memory of the variant's format with these rights. */
struct nw_attrs fixture_attrs(const struct variant *variant, unsigned prot);

/* nw_lookup() at `ia`; kind NW_ENTRY_RESERVED when it failed. */
struct nw_mapping fixture_at(struct fixture *f, uint64_t ia);

/* Is every byte of [start, end) in a recorded flush range that says that a
 * leaf of `level` (or with level ~0u: a table) was there? */
int fixture_flushed(const struct fixture *f, uint64_t start, uint64_t end,
		    unsigned level);

#define FIXTURE_TABLE_GONE (~0u)

/* Small, fast, seedable; the same everywhere. */
static inline uint64_t rng_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint64_t rng_below(uint64_t *state, uint64_t bound)
{
	return rng_next(state) % bound;
}

#endif
