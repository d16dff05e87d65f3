/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opaque references to entries (requirements S0).
 *
 * What RCU protects is the entry, not the pointer to it: a reference is worth
 * something only inside the read-side section it was made in, and only through
 * the accessors. There is no way from a reference to a raw pointer outside
 * src/table/entry.h; sparse rejects the detours (tests/sparse/).
 */
#ifndef NESTWALK_PTEREF_H
#define NESTWALK_PTEREF_H

#include <nestwalk/format.h>

/*
 * An entry's place. Copy it freely; use it only inside its section.
 * In the proof build it remembers which section that was.
 */
typedef struct {
	nw_entry_t NW_RCU *nw_private_ptr;
#ifdef NW_CONFIG_PROOF
	uint64_t nw_private_section; /* 0: the table page is permanent */
#endif
} nw_pteref_t;

/*
 * Read the entry once and return its value.
 * Locks: inside the section the reference was made in; the proof build calls
 * nw_port_bug() otherwise. Cost without the proof build: one load.
 */
nw_entry_t nw_pteref_read(nw_pteref_t ref);

#endif
