/* SPDX-License-Identifier: BSD-2-Clause */
#include "shrink.h"

#include <string.h>

/* The same complaint, whatever addresses it names. */
static int same_complaint(const char *a, const char *b)
{
	while (*a && *a == *b && (*a < '0' || *a > '9')) {
		a++;
		b++;
	}
	return *a == *b || (*a >= '0' && *a <= '9' && *b >= '0' && *b <= '9');
}

/* Every candidate is run from a fresh table. */
static int still_fails(const struct run_options *options, const struct op *op,
		       unsigned *ops, struct run_failure *failure)
{
	struct run_failure now;

	if (!run_ops(options, op, *ops, &now) ||
	    !same_complaint(now.text, failure->text))
		return 0;
	*failure = now;
	if (now.at + 1 < *ops)
		*ops = now.at + 1;
	return 1;
}

/* Leave out ever smaller stretches. */
static void drop_stretches(const struct run_options *options, struct op *op,
			   unsigned *ops, struct op *trial,
			   struct run_failure *failure)
{
	unsigned length, at;

	for (length = *ops / 2; length; length /= 2) {
		for (at = 0; at + length <= *ops;) {
			unsigned left = *ops - length;

			memcpy(trial, op, at * sizeof(*op));
			memcpy(trial + at, op + at + length,
			       (left - at) * sizeof(*op));
			if (!still_fails(options, trial, &left, failure)) {
				at += length;
				continue;
			}
			memcpy(op, trial, left * sizeof(*op));
			*ops = left;
		}
	}
}

/* One simplification of one operation; 0 when there is no such one. */
static int simplify(struct op *op, unsigned way)
{
	struct op old = *op;

	switch (way) {
	case 0:
		op->fail = 0;
		break;
	case 1:
		op->cached = 0;
		break;
	case 2:
		op->size = PAGE;
		break;
	case 3:
		op->size = (op->size / 2 + PAGE - 1) & ~(PAGE - 1);
		break;
	case 4:
		op->size -= op->size > PAGE ? PAGE : 0;
		break;
	case 5:
		op->memtype = NW_MEM_NORMAL_WB;
		break;
	case 6:
		op->flags = NW_LEAF_ACCESSED;
		break;
	case 7:
		if (op->kind == OP_MAP)
			op->level = NW_LEVEL_ANY;
		break;
	default:
		return -1;
	}
	return memcmp(&old, op, sizeof(old)) != 0;
}

static int simplify_all(const struct run_options *options, struct op *op,
			unsigned *ops, struct run_failure *failure)
{
	int changed, progress = 0;
	unsigned i, way, count;

	for (i = 0; i < *ops; i++) {
		for (way = 0;; way++) {
			struct op old = op[i];

			changed = simplify(&op[i], way);
			if (changed < 0)
				break;
			if (!changed)
				continue;
			count = *ops;
			if (!still_fails(options, op, &count, failure)) {
				op[i] = old;
				continue;
			}
			*ops = count;
			progress = 1;
			if (i >= count)
				return progress;
		}
	}
	return progress;
}

unsigned shrink(const struct run_options *options, struct op *op, unsigned ops,
		struct op *trial, struct run_failure *failure)
{
	struct run_options every = *options;
	unsigned rounds, before;

	/* Look after every operation, if the failure is still seen then. */
	every.check_every = 1;
	ops = failure->at + 1 < ops ? failure->at + 1 : ops;
	if (!still_fails(&every, op, &ops, failure))
		every.check_every = options->check_every;
	for (rounds = 0; rounds < 40; rounds++) {
		before = ops;
		drop_stretches(&every, op, &ops, trial, failure);
		if (!simplify_all(&every, op, &ops, failure) && before == ops)
			break;
	}
	return ops;
}
