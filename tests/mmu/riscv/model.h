/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the table should translate, as a sorted list of spans: nothing here
 * knows of tables, levels or entries.
 */
#ifndef MMU_RISCV_MODEL_H
#define MMU_RISCV_MODEL_H

#include <stdint.h>

struct span {
	uint64_t ia;
	uint64_t size_bytes;
	uint64_t pa;
	uint8_t prot; /* NW_PROT_R, _W, and _X for whoever may execute */
	uint8_t user; /* first stage: the unprivileged level's page */
};

#define MODEL_SPANS_MAX 4096

struct model {
	unsigned spans;
	struct span span[MODEL_SPANS_MAX];
};

/* The span that holds `ia`, or NULL. */
const struct span *model_find(const struct model *m, uint64_t ia);

/* Does any span meet [ia, end)? Index of the first that ends beyond `ia` in
 * *first. */
int model_meets(const struct model *m, uint64_t ia, uint64_t end,
		unsigned *first);

/* Room for it was found by model_meets(). 0: the list is full. */
int model_add(struct model *m, const struct span *span);

/* Make `ia` and `end` borders of spans. 0: the list is full. */
int model_cut(struct model *m, uint64_t ia, uint64_t end);

/* After model_cut() of the same range. */
void model_remove(struct model *m, uint64_t ia, uint64_t end);

/* ---- numbers ------------------------------------------------------------ */

void random_seed(uint64_t seed);
uint64_t random_next(void);
/* Below `bound`, which is not 0. */
uint64_t random_below(uint64_t bound);
/* A word that belongs to this address alone. */
uint64_t mix(uint64_t address);

#endif
