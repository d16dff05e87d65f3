/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a neighbour by index. */
/* EXPECT: dereference of noderef expression */
#include <nestwalk/table.h>

nw_entry_t misuse(nw_pteref_t ref);
nw_entry_t misuse(nw_pteref_t ref)
{
	return ref.nw_private_ptr[1];
}
