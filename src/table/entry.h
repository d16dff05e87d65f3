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
 *   nw_entry_break_exclusive  the one writer            live, hardware may write
 *   nw_entry_try_replace      anybody in a section      live, hardware may write
 *
 * "Exclusive" means that no other *software* writes; the hardware walker reads
 * at any moment, and writes where it manages accessed and dirty state. Then a
 * plain store would lose its update: such entries take break or try_replace.
 */
#ifndef NW_TABLE_ENTRY_H
#define NW_TABLE_ENTRY_H

#include <nestwalk/pteref.h>
#include <nestwalk/table.h>
#include <nestwalk/trace.h>
#include "nw_port.h"

/* ---- sections --------------------------------------------------------- */

/*
 * Enter / leave the section that keeps this table's pages alive: the port's
 * read-side section where readers run beside the writer; where the caller
 * excludes everybody, only the proof build's bookkeeping. Nests.
 *
 * ORD-06 orders the loads of a reader inside the section, and before its end;
 * pairs with nw_port_synchronize() in nw_flush_and_free() and
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
static inline void nw_entry_set_exclusive(nw_pteref_t ref, nw_entry_t old,
					  nw_entry_t value)
{
	nw_entry_t *word = nw_entry_word(ref);

	(void)old;
	nw_port_store_relaxed(word, value);
	NW_TRACE(NW_EV_ENTRY_WRITE, (uintptr_t)word, old, value);
}

/*
 * ORD-02 orders the filling of a table page before the store that links it;
 * pairs with the hardware walker and with nw_entry_read (ORD-01). Without it
 * either may walk into a page whose entries are not there yet.
 */
static inline void nw_entry_link_exclusive(nw_pteref_t ref, nw_entry_t old,
					   nw_entry_t table)
{
	nw_entry_t *word = nw_entry_word(ref);

	(void)old;
	nw_port_store_release(word, table);
	NW_TRACE(NW_EV_ENTRY_LINK, (uintptr_t)word, old, table);
}

/*
 * Make the entry invalid (0, or the lock token while it is being replaced) and
 * return what was there last, hardware's final accessed and dirty update
 * included. ORD-03 orders the load and the store as one atomic step; pairs with
 * the hardware walker's own update. Without it an update between the two is
 * lost.
 */
static inline nw_entry_t nw_entry_break_exclusive(nw_pteref_t ref,
						  nw_entry_t invalid)
{
	nw_entry_t *word = nw_entry_word(ref);
	nw_entry_t last = nw_port_xchg(word, invalid);

	NW_TRACE(NW_EV_ENTRY_RMW, (uintptr_t)word, last, invalid);
	return last;
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

#endif
