/* SPDX-License-Identifier: BSD-2-Clause */
/* Casting it away by way of void. */
/* EXPECT: cast removes address space */
#include <nestwalk/table.h>

void *misuse(nw_pteref_t ref);
void *misuse(nw_pteref_t ref)
{
	return (void *)ref.nw_private_ptr;
}
