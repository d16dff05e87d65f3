/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference: a flat map from input address to output address and
 * attributes, with no levels, no entries and no tables. It is kept as a
 * sorted array of runs, neighbours that continue each other joined, so that
 * two maps are equal exactly if their arrays are.
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include <nestwalk/format.h>

struct run {
	uint64_t start;
	uint64_t end;
	uint64_t pa; /* of start */
	struct nw_attrs attrs;
};

struct model {
	struct run *run;
	unsigned runs, room;
};

void model_clear(struct model *m);
void model_free(struct model *m);

/* Is anything mapped in the range? */
int model_any(const struct model *m, uint64_t start, uint64_t end);

/* The run over `ia`, or NULL. */
const struct run *model_at(const struct model *m, uint64_t ia);

/* Map an empty range. */
void model_map(struct model *m, uint64_t start, uint64_t end, uint64_t pa,
	       const struct nw_attrs *attrs);

void model_unmap(struct model *m, uint64_t start, uint64_t end);

/* Let `change` have every run of the range; runs are cut at its ends. */
void model_change(struct model *m, uint64_t start, uint64_t end,
		  void (*change)(struct nw_attrs *attrs, unsigned prot),
		  unsigned prot);

/* Append a piece behind all others, joining it to the last where it fits. */
void model_append(struct model *m, const struct run *piece);

/* The first address where the two differ; 1 and *ia, or 0 if they are equal. */
int model_differ(const struct model *a, const struct model *b, uint64_t *ia);

/* Is every mapping of `part` one of `whole`'s too? */
int model_within(const struct model *part, const struct model *whole);

#endif
