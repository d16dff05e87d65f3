/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing it with a raw pointer. */
/* EXPECT: incompatible types in comparison expression */
#include <nestwalk/table.h>

int misuse(nw_pteref_t ref, nw_entry_t *entry);
int misuse(nw_pteref_t ref, nw_entry_t *entry)
{
	return ref.nw_private_ptr == entry;
}
