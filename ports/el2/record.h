/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recording at EL2: every tracepoint as a record in this CPU's ring
 * (nestwalk/ring.h), in a build with -Drecord=true. Without it there is no
 * code for it at all.
 *
 * What a number stands for: an event that says that something was done is
 * recorded after it (loads, stores, barriers, invalidations, a lock's taking);
 * one that ends a promise is recorded before (unlock, page freed, frame
 * reused). So whatever is ordered, by program order or by a lock, has numbers
 * in that order, and no promise looks longer than it was.
 *
 * What CPUs do to one entry without a lock is ordered by the entry alone. So
 * each verb of src/table/entry.h, its record included, holds the entry: a lock,
 * chosen by the entry's address, that is there for the recorder only.
 */
#ifndef NW_EL2_RECORD_H
#define NW_EL2_RECORD_H

#include <nestwalk/ring.h>

#ifdef NW_CONFIG_RECORD
/*
 * Record from now on into rings of `records` in `area` (zeroed; see
 * nw_ring_init()). One CPU, before the first tracepoint. Its exclusives are
 * not used before nw_el2_record_share().
 */
void nw_el2_record_init(struct nw_ring_area *area, unsigned cpus,
			uint32_t records);

/* The MMU is on, other CPUs may come. */
void nw_el2_record_share(void);

/* Before a verb on an entry. This CPU holds one at a time; a second one lets go
 * of the first. */
void nw_el2_record_hold(const void *entry);

#define NW_PORT_ENTRY_HOLD(word) nw_el2_record_hold(word)

/* Waits, with YIELD, while this CPU's ring is full: nothing is dropped. Of an
 * event that a verb on an entry ends with: lets go of the entry. */
void nw_el2_record(unsigned event, uint64_t a, uint64_t b, uint64_t c,
		   const char *file, unsigned line);
#endif

#endif
