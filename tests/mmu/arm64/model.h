/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was asked of the library, as a plain sorted list of ranges: the first
 * reference. nw_lookup() is the second, the CPU the one that both are held to.
 */
#ifndef NW_MMU_MODEL_H
#define NW_MMU_MODEL_H

#include <nestwalk/format.h>

#define MODEL_MAX 400u

struct region {
	uint64_t ia;
	uint64_t size;
	uint64_t pa;
	struct nw_attrs attrs;
};

struct model {
	struct region region[MODEL_MAX]; /* by address, not overlapping */
	unsigned count;
};

/* The region over an address, or NULL. */
struct region *model_find(struct model *m, uint64_t ia);

/* The first region that ends above an address; m->count if none does. */
unsigned model_from(const struct model *m, uint64_t ia);

int model_is_free(const struct model *m, uint64_t ia, uint64_t size);

/* Nothing may be there. 0: no room in the list. */
int model_add(struct model *m, const struct region *region);

/* A region over `ia` ends there, and another begins. 0: no room. */
int model_cut(struct model *m, uint64_t ia);

void model_remove(struct model *m, uint64_t ia, uint64_t size);

#endif
