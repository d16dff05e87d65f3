/* SPDX-License-Identifier: BSD-2-Clause */
/* Passing it to a function that takes a plain pointer. */
/* EXPECT: incorrect type in argument */
#include <nestwalk/table.h>

nw_entry_t take(const nw_entry_t *entry);
nw_entry_t misuse(nw_pteref_t ref);
nw_entry_t misuse(nw_pteref_t ref)
{
	return take(ref.nw_private_ptr);
}
