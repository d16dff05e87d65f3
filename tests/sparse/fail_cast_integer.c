/* SPDX-License-Identifier: BSD-2-Clause */
/* Casting it away by way of an integer. */
/* EXPECT: cast removes address space */
#include <nestwalk/table.h>

uintptr_t misuse(nw_pteref_t ref);
uintptr_t misuse(nw_pteref_t ref)
{
	return (uintptr_t)ref.nw_private_ptr;
}
