/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only door to an entry in memory.
 *
 * A reference (nw_pteref_t) is a place; these verbs read and change what is
 * there. Nothing else in the library holds a raw entry pointer.
 *
 *   verb                      who may use it            the entry is
 *   nw_entry_read             anybody in a section      any
 *   nw_entry_init             the page's maker          in an unpublished page
 *   nw_entry_set_exclusive    the one writer            live, hardware reads only
 *   nw_entry_link_exclusive   the one writer            live, gets a table
 *   nw_entry_try_replace      anybody in a section      live, hardware may write
 *   nw_entry_lock             anybody in a section      live
 *   nw_entry_steal            a removal, in a section   locked by somebody else
 *   nw_entry_publish          who locked it             locked, or was stolen
 *   nw_entry_freeze           who detached its page     in a detached page
 *
 * "Exclusive" means that no other *software* writes; the hardware walker reads
 * at any moment, and writes where it manages accessed and dirty state. Then a
 * plain store would lose its update: such entries take a compare-and-swap.
 */
#ifndef NW_TABLE_ENTRY_H
#define NW_TABLE_ENTRY_H

#include <nestwalk/pteref.h>
#include <nestwalk/table.h>
#include <nestwalk/trace.h>
#include "nw_port.h"

/*
 * A recorder that must number what CPUs do to one entry in the order in which
 * they did it takes hold of the entry here, before the verb, and lets go at the
 * verb's tracepoint. Every other port has nothing to do.
 */
#ifndef NW_PORT_ENTRY_HOLD
#define NW_PORT_ENTRY_HOLD(word) ((void)0)
#endif

/* ---- sections --------------------------------------------------------- */

/*
 * Enter / leave the section that keeps this table's pages alive: the port's
 * read-side section where readers run beside the writer; where the caller
 * excludes everybody, only the proof build's bookkeeping. Nests.
 *
 * ORD-06 orders the loads of a reader inside the section, and before its end;
 * pairs with nw_port_synchronize() in batch_free() (retire.c) and
 * nw_table_destroy() (ORD-05). Without it a reader goes on in a table page
 * that was freed.
 */
static inline void nw_section_enter(const struct nw_table *t)
{
	if (t->mode == NW_MODE_EXCLUSIVE)
		nw_port_proof_enter();
	else
		nw_port_section_enter(); /* ORD-06 */
}

static inline void nw_section_leave(const struct nw_table *t)
{
	if (t->mode == NW_MODE_EXCLUSIVE)
		nw_port_proof_leave();
	else
		nw_port_section_leave(); /* ORD-06 */
}

/* ---- references ------------------------------------------------------- */

/* The first entry of the table page at `page`. */
static inline nw_pteref_t nw_pteref_page(const struct nw_table *t, uint64_t page)
{
	nw_pteref_t ref;

	ref.nw_private_ptr = (NW_FORCE nw_entry_t NW_RCU *)(uintptr_t)(
		page + t->virt_minus_phys);
#ifdef NW_CONFIG_PROOF
	ref.nw_private_section = nw_port_section_id();
#endif
	return ref;
}

static inline nw_pteref_t nw_pteref_root(const struct nw_table *t)
{
	return nw_pteref_page(t, t->root_pa.v);
}

static inline nw_pteref_t nw_pteref_index(nw_pteref_t first, size_t index)
{
	first.nw_private_ptr += index;
	return first;
}

/* For an entry whose page lives as long as the table (fixmap slots): usable in
 * any section. */
static inline nw_pteref_t nw_pteref_permanent(nw_pteref_t ref)
{
#ifdef NW_CONFIG_PROOF
	ref.nw_private_section = 0;
#endif
	return ref;
}

/* Private to this header: from the place to the word. */
static inline nw_entry_t *nw_entry_word(nw_pteref_t ref)
{
#ifdef NW_CONFIG_PROOF
	uint64_t now = nw_port_section_id();

	if (!now)
		nw_port_bug("entry used outside any section", __FILE__,
			    __LINE__);
	if (ref.nw_private_section && ref.nw_private_section != now)
		nw_port_bug("entry used after its section ended", __FILE__,
			    __LINE__);
#endif
	NW_PORT_ENTRY_HOLD((NW_FORCE nw_entry_t *)ref.nw_private_ptr);
	return (NW_FORCE nw_entry_t *)ref.nw_private_ptr;
}

/* ---- verbs ------------------------------------------------------------ */

/*
 * ORD-01 orders the load of a table entry before loads through the address it
 * holds (an address dependency suffices); pairs with nw_entry_link_exclusive.
 * Without it a reader may see the new page's old content.
 */
static inline nw_entry_t nw_entry_read(nw_pteref_t ref)
{
	nw_entry_t *word = nw_entry_word(ref);
	nw_entry_t value = nw_port_load(word);

	NW_TRACE(NW_EV_ENTRY_READ, (uintptr_t)word, value, 0);
	return value;
}

static inline void nw_entry_init(nw_pteref_t ref, nw_entry_t value)
{
	nw_entry_t *word = nw_entry_word(ref);

	nw_port_store_relaxed(word, value);
	NW_TRACE(NW_EV_ENTRY_INIT, (uintptr_t)word, value, 1);
}

/* `old` is what the writer read and knows to be there still. */
static inline void nw_entry_set_exclusive(nw_pteref_t ref,
					  NW_UNUSED nw_entry_t old,
					  nw_entry_t value)
{
	nw_entry_t *word = nw_entry_word(ref);

	nw_port_store_relaxed(word, value);
	NW_TRACE(NW_EV_ENTRY_WRITE, (uintptr_t)word, old, value);
}

/*
 * ORD-02 orders the filling of a table page before the store that links it;
 * pairs with the hardware walker and with nw_entry_read (ORD-01). Without it
 * either may walk into a page whose entries are not there yet.
 */
static inline void nw_entry_link_exclusive(nw_pteref_t ref,
					   NW_UNUSED nw_entry_t old,
					   nw_entry_t table)
{
	nw_entry_t *word = nw_entry_word(ref);

	nw_port_store_release(word, table);
	NW_TRACE(NW_EV_ENTRY_LINK, (uintptr_t)word, old, table);
}

/*
 * One compare-and-swap. On failure *expected is what was found. ORD-04 orders
 * load and store as one atomic step, and all before it before the store; pairs
 * with the hardware walker's own update and with other CPUs' swaps. Without it
 * an update between the two is lost, or a table linked before it is filled.
 */
static inline int nw_entry_try_replace(nw_pteref_t ref, nw_entry_t *expected,
				       nw_entry_t value)
{
	nw_entry_t *word = nw_entry_word(ref);
	nw_entry_t seen = *expected;
	int done = nw_port_cmpxchg(word, expected, value); /* ORD-04 */

	if (done)
		NW_TRACE(NW_EV_ENTRY_RMW, (uintptr_t)word, seen, value);
	else
		NW_TRACE(NW_EV_ENTRY_RMW_FAIL, (uintptr_t)word, seen, *expected);
	(void)seen;
	return done;
}

/* ---- locked entries (protocols.md 5, 6) ------------------------------- */

/*
 * Take the entry: hardware faults at the token, and no other operation takes it
 * for "nothing here". On failure *expected is what was found; on success it is
 * what hung here last, hardware's final update included.
 *
 * ORD-23 orders load and store as one atomic step, and both before all that the
 * owner does to what hung here; pairs with every other swap of this entry,
 * hardware's own update included. Without it two CPUs own what only one may
 * flush, refill or free, or hardware's last update is lost.
 */
static inline int nw_entry_lock(nw_pteref_t ref, nw_entry_t *expected,
				nw_entry_t token)
{
	nw_entry_t *word = nw_entry_word(ref);
	nw_entry_t seen = *expected;
	int done = nw_port_cmpxchg(word, expected, token); /* ORD-23 */

	if (done)
		NW_TRACE(NW_EV_ENTRY_LOCK, (uintptr_t)word, seen, token);
	else
		NW_TRACE(NW_EV_ENTRY_RMW_FAIL, (uintptr_t)word, seen, *expected);
	(void)seen;
	return done;
}

/*
 * Take an entry from its owner, whose publish then fails. What hung here stays
 * with that owner, who alone knows it; only the entry changes hands.
 *
 * ORD-24 orders load and store as one atomic step; pairs with the owner's
 * nw_entry_publish. Without it the thief overwrites what the owner has just
 * published, and a page that is mapped there is lost.
 */
static inline int nw_entry_steal(nw_pteref_t ref, nw_entry_t *theirs,
				 nw_entry_t token)
{
	int done = nw_entry_try_replace(ref, theirs, token); /* ORD-24 */

	if (done)
		NW_TRACE(NW_EV_ENTRY_LOCK, (uintptr_t)nw_entry_word(ref), token,
			 token);
	return done;
}

/*
 * End the lock. 0: it was stolen; what was to be published is still ours.
 *
 * ORD-25 orders everything the owner did, the filling of a table page and the
 * flush included, before the new value, which replaces the owner's own token
 * and nothing else; pairs with nw_entry_steal, nw_entry_read (ORD-01) and the
 * hardware walker. Without it a removal that stole the entry is undone behind
 * its back, or a walk enters a page that is not filled.
 */
static inline int nw_entry_publish(nw_pteref_t ref, nw_entry_t token,
				   nw_entry_t value)
{
	nw_entry_t *word = nw_entry_word(ref);
	nw_entry_t expected = token;
	int done = nw_port_cmpxchg(word, &expected, value); /* ORD-25 */

	if (done)
		NW_TRACE(NW_EV_ENTRY_PUBLISH, (uintptr_t)word, token, value);
	else
		NW_TRACE(NW_EV_ENTRY_RMW_FAIL, (uintptr_t)word, token, expected);
	return done;
}

/*
 * Make an entry of a detached page terminal. On failure *expected is what was
 * found.
 *
 * ORD-26 orders load and store as one atomic step, so that every swap of
 * another CPU comes before and is seen, or comes after and fails; pairs with
 * nw_entry_try_replace and nw_entry_lock of who reached the page before it was
 * detached. Without it something is mapped into a page that is gone.
 */
static inline int nw_entry_freeze(nw_pteref_t ref, nw_entry_t *expected,
				  nw_entry_t frozen)
{
	return nw_entry_try_replace(ref, expected, frozen); /* ORD-26 */
}

#endif
