/* SPDX-License-Identifier: BSD-2-Clause */
#include "ops.h"

#include <string.h>

static const char *const names[OP_KINDS] = {
	"map",	  "unmap", "relax", "restrict",
	"split",  "lookup", "walk", "teardown",
	"split_range", "collapse", "reclaim", "annotate",
	"replace", "remap", "unmap_dirty",
};

const char *op_name(enum op_kind kind)
{
	return names[kind];
}

/* Per cent. */
static const unsigned weights[OP_KINDS] = {28, 11, 6, 7, 6, 8, 4, 1,
					    2,	3, 2, 8, 5, 5, 4};

static const uint8_t prots[] = {
	NW_PROT_R, NW_PROT_RW, NW_PROT_R | NW_PROT_X, NW_PROT_RWX,
};
static const uint8_t masks[] = {
	NW_PROT_W, NW_PROT_X, NW_PROT_W | NW_PROT_X, NW_PROT_R, NW_PROT_PX,
};
static const uint8_t memtypes[] = {
	NW_MEM_NORMAL_WB, NW_MEM_NORMAL_WB, NW_MEM_NORMAL_NC,
	NW_MEM_DEVICE_nGnRE,
};

static enum op_kind random_kind(uint64_t *rng)
{
	unsigned kind, roll = (unsigned)rng_below(rng, 100);

	for (kind = 0; roll >= weights[kind]; kind++)
		roll -= weights[kind];
	return (enum op_kind)kind;
}

/*
 * A few places where everything happens, so that operations meet: the start,
 * a boundary of 1 GiB, the seam of concatenated roots, and the very end.
 */
static uint64_t random_place(uint64_t *rng, const struct variant *variant)
{
	uint64_t limit = 1ull << variant->ia_bits;

	switch (rng_below(rng, 4)) {
	case 0:
		return 0;
	case 1:
		return GIB - 4 * MIB;
	case 2:
		return limit / 2 - GIB;
	default:
		return limit - 2 * GIB;
	}
}

static void random_range(uint64_t *rng, const struct variant *variant,
			 struct op *op)
{
	uint64_t limit = 1ull << variant->ia_bits;
	uint64_t place = random_place(rng, variant);
	uint64_t roll = rng_below(rng, 100);

	if (roll < 60) { /* pages, around two boundaries of 2 MiB */
		op->ia = place + PAGE * rng_below(rng, 1200);
		op->size = PAGE * (1 + rng_below(rng, roll < 30 ? 8 : 700));
		if (rng_below(rng, 4) == 0)
			op->ia &= ~(2 * MIB - 1);
	} else if (roll < 92) { /* blocks of 2 MiB */
		op->ia = (place & ~(2 * MIB - 1)) +
			 2 * MIB * rng_below(rng, 520);
		op->size = 2 * MIB * (1 + rng_below(rng, roll < 80 ? 6 : 520));
	} else { /* blocks of 1 GiB */
		op->ia = (place & ~(GIB - 1)) + GIB * rng_below(rng, 2);
		op->size = GIB * (1 + rng_below(rng, 2));
	}
	if (rng_below(rng, 4) == 0) /* ragged start */
		op->ia += PAGE * rng_below(rng, 4);
	if (rng_below(rng, 4) == 0 && op->size > 4 * PAGE)
		op->size -= PAGE * rng_below(rng, 4);
	if (op->ia >= limit)
		op->ia = limit - PAGE;
	if (op->size > limit - op->ia)
		op->size = limit - op->ia;
}

static void random_output(uint64_t *rng, const struct variant *variant,
			  struct op *op)
{
	uint64_t limit = 1ull << variant->oa_bits;
	uint64_t roll = rng_below(rng, 8);
	uint64_t same = roll < 5 ? GIB : roll < 7 ? 2 * MIB : PAGE;

	op->level = (uint32_t)rng_below(rng, 8);
	if (op->level > 1) /* 0 and 1 are limits, the others none */
		op->level = op->level == 2 ? 2 : NW_LEVEL_ANY;
	op->pa = rng_below(rng, limit - 8 * GIB) & ~(PAGE - 1);
	op->pa = (op->pa & ~(same - 1)) | (op->ia & (same - 1));
	/* Not more than about a thousand entries each. */
	if ((same == PAGE || op->level == 0) && op->size > 4 * MIB)
		op->size = 4 * MIB - PAGE * rng_below(rng, 4);
}

struct op op_random(uint64_t *rng, const struct variant *variant)
{
	struct op op;

	memset(&op, 0, sizeof(op));
	op.kind = random_kind(rng);
	random_range(rng, variant, &op);
	op.memtype = memtypes[rng_below(rng, sizeof(memtypes))];
	op.prot = prots[rng_below(rng, sizeof(prots))];
	op.flags = rng_below(rng, 8) ? NW_LEAF_ACCESSED : 0;
	if ((variant->features & NW_FEAT_HD) && rng_below(rng, 2))
		op.flags |= NW_LEAF_DBM;
	if (rng_below(rng, 12) == 0)
		op.fail = 1 + (uint32_t)rng_below(rng, 5);
	if (rng_below(rng, 6) == 0)
		op.cached = (uint32_t)rng_below(rng, 6);
	if (op.cached == 5)
		op.cached = OP_CACHED_MAX;
	switch (op.kind) {
	case OP_MAP:
	case OP_REPLACE:
	case OP_REMAP:
		random_output(rng, variant, &op);
		break;
	case OP_RELAX:
	case OP_RESTRICT:
		op.prot = masks[rng_below(rng, sizeof(masks))];
		break;
	case OP_SPLIT:
		op.level = (uint32_t)rng_below(rng, 3);
		break;
	case OP_SPLIT_RANGE:
		op.level = (uint32_t)rng_below(rng, 2);
		op.budget = 1 + (uint32_t)rng_below(rng, 600);
		if (op.level == 0 && op.size > 64 * MIB)
			op.size = 64 * MIB;
		break;
	case OP_COLLAPSE:
	case OP_RECLAIM:
		op.level = rng_below(rng, 4) ? NW_LEVEL_ANY : 1;
		op.budget = rng_below(rng, 2)
				    ? 1000000
				    : 1 + (uint32_t)rng_below(rng, 40);
		break;
	case OP_ANNOTATE:
		op.prot = (uint32_t)rng_below(rng, 4);
		op.level = 1 + (uint32_t)rng_below(rng, 3);
		op.budget = rng_below(rng, 2) ? 0 : (uint32_t)rng_below(rng, 5);
		break;
	case OP_TEARDOWN:
		op.level = 1 + (uint32_t)rng_below(rng, 40);
		break;
	default:
		break;
	}
	return op;
}

void op_print(FILE *out, const struct op *op)
{
	fprintf(out,
		"%s ia=%#llx size=%#llx pa=%#llx prot=%#x memtype=%u "
		"flags=%#x level=%u fail=%u cached=%u budget=%u\n",
		names[op->kind], (unsigned long long)op->ia,
		(unsigned long long)op->size, (unsigned long long)op->pa,
		op->prot, op->memtype, op->flags, op->level, op->fail,
		op->cached, op->budget);
}

int op_parse(const char *line, struct op *op)
{
	unsigned long long ia, size, pa;
	char name[16];
	unsigned kind;

	memset(op, 0, sizeof(*op));
	if (sscanf(line,
		   "%15s ia=%llx size=%llx pa=%llx prot=%x memtype=%u "
		   "flags=%x level=%u fail=%u cached=%u budget=%u",
		   name, &ia, &size, &pa, &op->prot, &op->memtype, &op->flags,
		   &op->level, &op->fail, &op->cached, &op->budget) < 10)
		return 0;
	for (kind = 0; kind < OP_KINDS; kind++) {
		if (strcmp(names[kind], name) != 0)
			continue;
		op->kind = (enum op_kind)kind;
		op->ia = ia;
		op->size = size;
		op->pa = pa;
		return 1;
	}
	return 0;
}
