/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeping it in a plain pointer. */
/* EXPECT: incorrect type in initializer */
#include <nestwalk/table.h>

nw_entry_t misuse(nw_pteref_t ref);
nw_entry_t misuse(nw_pteref_t ref)
{
	nw_entry_t *entry = ref.nw_private_ptr + 1;

	return *entry;
}
