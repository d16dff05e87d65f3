/* SPDX-License-Identifier: BSD-2-Clause */
/* Letting the raw pointer out. */
/* EXPECT: incorrect type in return expression */
#include <nestwalk/table.h>

nw_entry_t *misuse(nw_pteref_t ref);
nw_entry_t *misuse(nw_pteref_t ref)
{
	return ref.nw_private_ptr;
}
