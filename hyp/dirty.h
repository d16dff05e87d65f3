/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of what the guest writes, over its whole life, one bit a page; and
 * the proof that nothing is missing in it.
 *
 * Two ways to notice a write. By hardware (FEAT_HAFDBS): RAM is mapped with DBM
 * and without the write right, the walker adds it, a harvest takes it back. By
 * software: without DBM the first write faults, the fault marks the page and
 * gives the right. Where hardware logs, a leaf that the shaker has
 * write-protected is logged by software until the next harvest, which unmaps
 * it, so that it comes back with DBM.
 *
 * A harvest, in this order:
 *   take the bits that faults have set; wait for the faults that are being
 *   handled (each sets its bit before it gives the right, so that whose bit was
 *   just taken has given the right by now); take the write rights back and
 *   flush. A write that needed no fault until then belongs to this harvest or
 *   the next, as the reader of the set likes: he reads pages after the harvest.
 *
 * The shaker harvests several times a second, and compares sums of some pages
 * (sample.h). It reads them through its windows: where the guest uses its
 * memory with caches off, that is coherent with HCR_EL2.FWB.
 */
#ifndef NW_HYP_DIRTY_H
#define NW_HYP_DIRTY_H

#include <nestwalk/table.h>

#include "fault.h"

enum dirty_mode {
	DIRTY_AUTO, /* a wish: hardware where the CPU has it, else software */
	DIRTY_OFF,
	DIRTY_SOFTWARE,
	DIRTY_HARDWARE,
};

/* A build that drops one report in so many, to see that the proof notices. */
#ifndef NW_SABOTAGE_LOST_DIRTY
#define NW_SABOTAGE_LOST_DIRTY 0
#endif
#define DIRTY_LOST_ONE_IN 16

/* One whose harvests do not flush: who has the write right in a TLB goes on
 * writing. Other flushes hide it; with nw.shake=0 there are none. */
#ifndef NW_SABOTAGE_STALE_DIRTY
#define NW_SABOTAGE_STALE_DIRTY 0
#endif

/* For RAM of so many pages. 0: no memory for the sets. `mode` is no wish. */
int dirty_init(enum dirty_mode mode, uint64_t pages);

int dirty_is_on(void);

/* How RAM is mapped for such an access: accessed, and with the write right only
 * if nobody logs, or if software does and this is a write. */
struct nw_attrs dirty_attrs(enum fault_access access);

/* Does giving these rights give an unlogged write right? */
int dirty_needs_mark(const struct nw_attrs *attrs);

/*
 * The pages of [ipa, ipa + bytes) are about to get the write right in a way
 * that hardware does not log. Any CPU, while it handles a fault (struct cpu,
 * handling) and before the right is given.
 */
void dirty_mark(uint64_t ipa, uint64_t bytes);

/*
 * An unmap loses what hardware had marked. Before each one the shaker calls one
 * of these for its range: the first keeps the state exactly, the marks go into
 * the log and later writes fault, but only inside a move of the whole range, or
 * a fault maps, and hardware marks, a page in between. The second takes all of
 * the range for written, and faults may do what they like.
 */
void dirty_save(uint64_t ipa, uint64_t bytes);
void dirty_presume(uint64_t ipa, uint64_t bytes);

/* A nw_range_fn for write-protection by the shaker. */
void dirty_tell(void *arg, nw_ia_t ia, uint64_t bytes);

/* For NW_SABOTAGE_STALE_DIRTY: is this CPU in the middle of a harvest? */
int dirty_is_harvesting(void);

/* On the spare CPU, as often as it likes: harvest if it is time, and judge. */
void dirty_step(void);

#endif
