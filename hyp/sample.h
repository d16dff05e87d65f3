/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a dirty set cover what was written? Of some pages the sum is taken right
 * after one harvest, and again right before the next one. Whatever was written
 * between the two was written between the harvests, so that the second harvest
 * must have it: a page whose sum changed and which is not in the set was
 * missed. It does not work the other way round: a page may be in the set and
 * unchanged.
 *
 * Sums, not copies: two contents with one sum would hide a miss, never make one
 * up.
 */
#ifndef NW_HYP_SAMPLE_H
#define NW_HYP_SAMPLE_H

#include "pageset.h"

#define SAMPLE_PAGES_MAX 256

struct sample {
	unsigned pages;
	struct sample_page {
		uint64_t page;
		uint64_t before;
		uint64_t after;
	} of[SAMPLE_PAGES_MAX];
};

/* What a comparison found; sums up to `pages` of the sample. */
struct sample_verdict {
	unsigned verified;    /* not in the set, and unchanged */
	unsigned written;     /* in the set; of those */
	unsigned changed;     /* have another sum */
	unsigned missed;      /* not in the set, and changed */
	uint64_t missed_page; /* the first of them */
};

/* Fold more words into a sum. Order matters, and so does each bit. */
static inline uint64_t sample_sum(uint64_t sum, const uint64_t *word,
				  unsigned words)
{
	unsigned i;

	for (i = 0; i < words; i++) {
		sum = (sum ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	return sum;
}

/* A page is looked at once. 0: it is in the sample, or there is no room. */
static inline int sample_add(struct sample *sample, uint64_t page)
{
	unsigned i;

	if (sample->pages == SAMPLE_PAGES_MAX)
		return 0;
	for (i = 0; i < sample->pages; i++)
		if (sample->of[i].page == page)
			return 0;
	sample->of[sample->pages++] = (struct sample_page){.page = page};
	return 1;
}

static inline struct sample_verdict sample_judge(const struct sample *sample,
						 const struct pageset *set)
{
	struct sample_verdict v = {0};
	unsigned i;

	for (i = 0; i < sample->pages; i++) {
		const struct sample_page *p = &sample->of[i];
		int is_changed = p->before != p->after;

		if (pageset_has(set, p->page)) {
			v.written++;
			v.changed += is_changed;
		} else if (!is_changed) {
			v.verified++;
		} else if (!v.missed++) {
			v.missed_page = p->page;
		}
	}
	return v;
}

#endif
