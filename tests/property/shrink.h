/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SHRINK_H
#define TEST_SHRINK_H

#include "run.h"

/*
 * Make a failing sequence as short and plain as it gets, in place. `trial` has
 * room for as many operations. Returns how many are left; *failure is theirs.
 */
unsigned shrink(const struct run_options *options, struct op *op, unsigned ops,
		struct op *trial, struct run_failure *failure);

#endif
