/* SPDX-License-Identifier: BSD-2-Clause */
/* Assigning it, moved on by one entry, to a plain pointer. */
/* EXPECT: incorrect type in assignment */
#include <nestwalk/table.h>

nw_entry_t *misuse_next;
void misuse(nw_pteref_t ref);
void misuse(nw_pteref_t ref)
{
	misuse_next = ref.nw_private_ptr + 1;
}
