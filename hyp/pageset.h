/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of pages: one bit a page, in memory of the owner's. Nothing here knows
 * of tables or of EL2, so that tests/hyp can play with it on any machine.
 */
#ifndef NW_HYP_PAGESET_H
#define NW_HYP_PAGESET_H

#include <stdint.h>

#define PAGESET_WORD_BITS 64

struct pageset {
	uint64_t *word;
	uint64_t pages;
};

static inline uint64_t pageset_words(uint64_t pages)
{
	return (pages + PAGESET_WORD_BITS - 1) / PAGESET_WORD_BITS;
}

/* The bits of [page, end) that are in the word of `page`. */
static inline uint64_t pageset_mask(uint64_t page, uint64_t end)
{
	unsigned from = page % PAGESET_WORD_BITS;
	uint64_t bits = end - page;

	if (bits > PAGESET_WORD_BITS - from)
		bits = PAGESET_WORD_BITS - from;
	return (bits == PAGESET_WORD_BITS ? UINT64_MAX
					  : (UINT64_C(1) << bits) - 1)
	       << from;
}

/* First page of the next word. */
static inline uint64_t pageset_next_word(uint64_t page)
{
	return (page / PAGESET_WORD_BITS + 1) * PAGESET_WORD_BITS;
}

static inline uint64_t pageset_end(const struct pageset *set, uint64_t page,
				   uint64_t pages)
{
	return pages > set->pages - page ? set->pages : page + pages;
}

/* Add pages, of which those beyond the set are nobody's. One CPU. */
static inline void pageset_add(struct pageset *set, uint64_t page,
			       uint64_t pages)
{
	uint64_t end;

	if (page >= set->pages)
		return;
	end = pageset_end(set, page, pages);
	for (; page < end; page = pageset_next_word(page))
		set->word[page / PAGESET_WORD_BITS] |= pageset_mask(page, end);
}

/* The same on any CPU, beside others and beside pageset_take(). Release: what
 * the caller did before is seen by who takes the bit. */
static inline void pageset_add_shared(struct pageset *set, uint64_t page,
				      uint64_t pages)
{
	uint64_t end;

	if (page >= set->pages)
		return;
	end = pageset_end(set, page, pages);
	for (; page < end; page = pageset_next_word(page)) {
		uint64_t *word = &set->word[page / PAGESET_WORD_BITS];
		uint64_t mask = pageset_mask(page, end);

		if ((__atomic_load_n(word, __ATOMIC_RELAXED) & mask) != mask)
			__atomic_fetch_or(word, mask, __ATOMIC_ACQ_REL);
	}
}

static inline int pageset_has(const struct pageset *set, uint64_t page)
{
	return page < set->pages && (set->word[page / PAGESET_WORD_BITS] >>
					     (page % PAGESET_WORD_BITS) &
				     1);
}

/* Move all of `from`, which others are adding to, into `to`. */
static inline void pageset_take(struct pageset *to, struct pageset *from)
{
	uint64_t i;

	for (i = 0; i < pageset_words(from->pages); i++)
		if (__atomic_load_n(&from->word[i], __ATOMIC_RELAXED))
			to->word[i] |= __atomic_exchange_n(&from->word[i], 0,
							   __ATOMIC_ACQ_REL);
}

/* Add all of `from`. One CPU. */
static inline void pageset_add_set(struct pageset *to,
				   const struct pageset *from)
{
	uint64_t i;

	for (i = 0; i < pageset_words(from->pages); i++)
		to->word[i] |= from->word[i];
}

static inline void pageset_clear(struct pageset *set)
{
	uint64_t i;

	for (i = 0; i < pageset_words(set->pages); i++)
		set->word[i] = 0;
}

static inline uint64_t pageset_count(const struct pageset *set)
{
	uint64_t i, n = 0, bits;

	for (i = 0; i < pageset_words(set->pages); i++)
		for (bits = set->word[i]; bits; bits &= bits - 1)
			n++;
	return n;
}

/* The first page from `page` on whose bit is `is_in`; set->pages: none. */
static inline uint64_t pageset_find(const struct pageset *set, uint64_t page,
				    int is_in)
{
	while (page < set->pages) {
		uint64_t word = set->word[page / PAGESET_WORD_BITS];

		word = (is_in ? word : ~word) >> (page % PAGESET_WORD_BITS);
		if (word) {
			page += (unsigned)__builtin_ctzll(word);
			return page < set->pages ? page : set->pages;
		}
		page = pageset_next_word(page);
	}
	return set->pages;
}

#endif
