/* SPDX-License-Identifier: BSD-2-Clause */
/* Casting the annotation away. */
/* EXPECT: cast removes address space */
#include <nestwalk/table.h>

nw_entry_t *misuse(nw_pteref_t ref);
nw_entry_t *misuse(nw_pteref_t ref)
{
	return (nw_entry_t *)ref.nw_private_ptr;
}
