/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing an entry around the verbs. */
/* EXPECT: dereference of noderef expression */
#include <nestwalk/table.h>

void misuse(nw_pteref_t ref);
void misuse(nw_pteref_t ref)
{
	*ref.nw_private_ptr = 0;
}
