/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading it with the port, around the accessor. */
/* EXPECT: incorrect type in argument */
#include <nestwalk/table.h>

#include "nw_port.h"

nw_entry_t misuse(nw_pteref_t ref);
nw_entry_t misuse(nw_pteref_t ref)
{
	return nw_port_load(ref.nw_private_ptr);
}
