/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a reference out of a raw pointer. */
/* EXPECT: incorrect type in assignment */
#include <nestwalk/table.h>

nw_entry_t misuse(nw_pteref_t ref, nw_entry_t *entry);
nw_entry_t misuse(nw_pteref_t ref, nw_entry_t *entry)
{
	ref.nw_private_ptr = entry;
	return nw_pteref_read(ref);
}
