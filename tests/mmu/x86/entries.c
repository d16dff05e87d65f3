/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry of a table that is built by hand, full of random bits: what the
 * library's decoding says it means is what the CPU makes of it.
 *
 * Entries that the library takes for reserved by its own rules (bits that it
 * keeps zero though the CPU ignores them) may mean anything. Those that the
 * manual reserves have to fault, with RSV in the error code.
 */
#include "judge.h"

#include <nestwalk/x86.h>

#define PF_PRESENT    1u
#define PF_RESERVED   8u
#define TABLE	      UINT64_C(0x27) /* P W U A */
#define LEAF	      UINT64_C(0x67) /* P W U A D */
#define PAGE_SIZE_BIT UINT64_C(0x80)

struct bench {
	uint64_t *page[NW_LEVELS_MAX]; /* by level */
	uint64_t ia;		       /* of the entry's span */
	unsigned level;		       /* of the entry */
	volatile uint64_t *entry;
	uint64_t reserved_code; /* bits of the error code, see bench_probe() */
};

/* A page for each level, the first entry of the root as every judged root's. */
static void bench_build(struct judge *j, struct bench *b)
{
	const unsigned levels = j->table.geo.levels;

	for (unsigned level = 0; level < levels; level++)
		b->page[level] = pool_page();
	b->page[levels - 1][0] =
		is_nested(j) ? guest_root_entry() : own_root_entry();
}

static void bench_drop(struct judge *j, struct bench *b)
{
	for (unsigned level = 0; level < j->table.geo.levels; level++)
		pool_page_free(b->page[level]);
}

/* Where the entry is: tables lead there, and (if it is a table) from there. */
static void bench_aim(struct judge *j, struct bench *b, unsigned at_level,
		      uint64_t leaf_pa)
{
	const unsigned levels = j->table.geo.levels;
	uint64_t ia = j->low + random_below(j->end - j->low);
	unsigned index;

	b->level = at_level;
	for (unsigned level = levels; level--;) {
		index = (unsigned)(ia >> (12 + 9 * level)) & 511;
		for (unsigned i = level == levels - 1; i < 512; i++)
			b->page[level][i] = 0;
		b->page[level][index] =
			level ? pool_pa(b->page[level - 1]) | TABLE
			      : leaf_pa | LEAF;
		if (level == b->level)
			b->entry = &b->page[level][index];
	}
	b->ia = ia & ~UINT64_C(0xfff);
}

/*
 * QEMU 7.2: P is clear in the error code of a reserved bit, where the manual
 * says that it is set (a bit is reserved in entries that are present only).
 * Seen by a 2 MiB leaf that is written by hand, with address bit 13.
 */
static void bench_probe(struct judge *j, struct bench *b)
{
	static int said[2];
	struct outcome got;

	bench_aim(j, b, 1, 0);
	*b->entry = islands[0] | LEAF | PAGE_SIZE_BIT | UINT64_C(0x2000);
	flush_all();
	got = judge_try(j, ACCESS_LOAD, b->ia, 0);
	b->reserved_code = PF_RESERVED | (got.error & PF_PRESENT);
	if (!(got.error & PF_PRESENT) && !said[is_nested(j)]++)
		say("this machine's error code of a reserved bit has P clear: "
		    "%s, %x\n",
		    is_nested(j) ? "nested paging" : "paging", got.error);
}

/* What a good entry is, with some bits turned; or no entry at all. */
static uint64_t random_word(const struct judge *j, const struct bench *b,
			    uint64_t island)
{
	const uint64_t size = UINT64_C(4096) << 9 * b->level;
	unsigned flips = (unsigned)random_below(5);
	uint64_t word;

	if (random_below(16) == 0)
		return random_next();
	if (b->level && random_below(3) == 0)
		word = pool_pa(b->page[b->level - 1]) | TABLE;
	else
		word = (island & ~(size - 1)) | LEAF |
		       (b->level ? PAGE_SIZE_BIT : 0) |
		       (is_nested(j) ? 0 : random_next() & 0x104);
	for (; flips; flips--)
		word ^= UINT64_C(1) << random_below(64);
	return word;
}

/* Some of the reasons are the manual's. */
static int is_reserved_by_manual(const struct judge *j, unsigned level,
				 uint64_t word, enum nw_reason reason)
{
	switch (reason) {
	case NW_REASON_ADDRESS_ALIGN:
	case NW_REASON_ADDRESS_SIZE:
		return 1;
	case NW_REASON_TYPE_AT_LEVEL:
		return level >= 3;
	case NW_REASON_FEATURE:
		return word >> 63 && !has(j, NW_FEAT_X86_NX);
	default:
		return 0;
	}
}

static void judge_not_there(struct judge *j, enum access how, uint64_t ia,
			    uint64_t word, uint64_t bits)
{
	const enum word_kind kind = bits ? WORD_RESERVED : WORD_NOT_PRESENT;
	const struct outcome got = judge_try(j, how, ia, 0);

	check(j, got.vector == (is_nested(j) ? EXIT_NPF : VECTOR_PF),
	      "fault of the entry", word, got.vector, 1);
	check(j, (got.error & (PF_PRESENT | PF_RESERVED)) == bits,
	      "error code of the entry", word, got.error, bits);
	j->words[kind]++;
}

/* Of an entry that decodes as leaf: the same, and the CPU's marks. */
static void judge_leaf(struct judge *j, struct bench *b, enum access how,
		       uint64_t word, const struct nw_decoded *is)
{
	const uint64_t size = UINT64_C(4096) << 9 * b->level;
	struct span span = {.size_bytes = size, .pa = is->pa.v};
	struct nw_decoded after;
	unsigned marks;
	uint64_t ia;

	span.ia = b->ia & ~(size - 1);
	span.prot = (uint8_t)((is->attrs.prot & NW_PROT_RW) |
			      (is->attrs.prot & NW_PROT_X ? NW_PROT_X : 0) |
			      is->attrs.hardware << SPAN_KEY_SHIFT);
	span.user = (is->attrs.flags & NW_LEAF_USER) != 0;
	/* The island is at the same offset, whatever bits were turned. */
	if (!address_in_span(&span, &ia))
		ia = b->ia;
	j->words[WORD_LEAF]++;
	if (!judge_one(j, how, ia, &span))
		return;
	marks = is->attrs.flags | NW_LEAF_ACCESSED;
	marks |= how == ACCESS_STORE ? NW_LEAF_DIRTY : 0;
	j->setup->ops->decode(&j->table.geo, b->level, *b->entry, &after);
	check(j, after.kind == NW_ENTRY_LEAF && after.attrs.flags == marks,
	      "marks of the entry", word, after.attrs.flags, marks);
	check(j, (*b->entry & ~UINT64_C(0x60)) == (word & ~UINT64_C(0x60)),
	      "the entry's other bits", word, *b->entry, word);
}

static void judge_word(struct judge *j, struct bench *b, uint64_t island)
{
	const enum access how = (enum access)random_below(ACCESS_COUNT);
	const uint64_t word = random_word(j, b, island);
	struct nw_decoded is;
	struct span below = {.ia = b->ia,
			     .size_bytes = 4096,
			     .pa = island,
			     .prot = NW_PROT_RWX,
			     .user = 1};

	*b->entry = word;
	flush_all();
	j->setup->ops->decode(&j->table.geo, b->level, word, &is);
	switch (is.kind) {
	case NW_ENTRY_EMPTY:
	case NW_ENTRY_INVALID:
		judge_not_there(j, how, b->ia, word, 0);
		return;
	case NW_ENTRY_LEAF:
		judge_leaf(j, b, how, word, &is);
		return;
	case NW_ENTRY_TABLE:
		/* Elsewhere there is no table of ours. */
		if (is.pa.v != pool_pa(b->page[b->level - 1]))
			return;
		judge_one(j, how, b->ia, &below);
		check(j, *b->entry == word, "the table's entry", word,
		      *b->entry, word);
		j->words[WORD_TABLE]++;
		return;
	case NW_ENTRY_RESERVED:
		if (is_reserved_by_manual(j, b->level, word, is.reason))
			judge_not_there(j, how, b->ia, word, b->reserved_code);
		return;
	}
}

void judge_entries(struct judge *j, uint64_t n)
{
	struct bench b;

	bench_build(j, &b);
	judge_install(j, pool_pa(b.page[j->table.geo.levels - 1]));
	bench_probe(j, &b);
	for (uint64_t i = 0; i < n; i++) {
		const uint64_t island = islands[random_below(ISLANDS)];

		judge_as(j, (int)random_below(2));
		bench_aim(j, &b, (unsigned)random_below(j->table.geo.levels),
			  island);
		judge_word(j, &b, island);
	}
	set_cr3(own_cr3());
	flush_all();
	bench_drop(j, &b);
}
