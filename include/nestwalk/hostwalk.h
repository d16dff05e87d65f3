/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading, without its locks, a table that somebody else is changing: the
 * host's own (primary) page table, to learn how large the page is that backs a
 * guest's address, and so how large a leaf the guest may get.
 *
 * The answer may be wrong by the time the caller has it. There are two uses for
 * it, and no others: under the MMU's lock or section, after the invalidation
 * sequence that was sampled before was found unchanged; or where only removal
 * follows, which a too small or too large level cannot make wrong.
 */
#ifndef NESTWALK_HOSTWALK_H
#define NESTWALK_HOSTWALK_H

#include <nestwalk/format.h>

struct nw_format_ops;

/*
 * A host table. Fields are read on every call; none is written.
 *
 * hold / release  keep each table page that is reachable in between from being
 *   freed: disable interrupts where the host frees tables after an interrupt
 *   to every CPU, enter a read-side section where it frees them after a grace
 *   period. Neither sleeps. NULL both: nobody frees tables of it.
 *   They nest in the caller's own sections, not in one another.
 * window  where software sees the machine's memory: virtual address = physical
 *   address + virt_minus_phys, for [start, end). A table entry that points
 *   outside of it is NW_E_CORRUPT: it is not followed.
 */
struct nw_hostwalk {
	const struct nw_format_ops *ops; /* &nw_x86_64_ops ... */
	struct nw_geometry geo;		 /* nw_hostwalk_init() */
	nw_pa_t root;
	uint64_t virt_minus_phys;
	nw_pa_t window_start, window_end;
	void (*hold)(void *ctx);
	void (*release)(void *ctx);
	void *ctx;
};

/* What backs one host address. */
struct nw_host_mapping {
	uint8_t is_mapped; /* 0: "none"; what follows is 0 then */
	uint8_t level;	   /* of the leaf, 0 is the smallest page */
	uint8_t size_lg2;  /* bytes that it spans: 12, 21, 30, 39 ... */
	uint8_t prot;	   /* NW_PROT_* that the leaf grants */
	nw_pa_t pa;	   /* output for the address that was asked */
};

/*
 * Check `w` and compute its shape from `config`. w->ops, root and window are
 * set by the caller before; *result may be NULL.
 * NW_E_NULL (ops; one of hold and release alone), NW_E_CONFIG (the shape, a
 * root that is misaligned or outside of the window); result->argument names it.
 */
NW_MUST_CHECK enum nw_status
nw_hostwalk_init(struct nw_hostwalk *w, const struct nw_format_config *config,
		 struct nw_result *result);

/*
 * What is mapped at `hva` now. Each entry is read once: a table that becomes a
 * block, or a block a table, between two reads of one entry would be followed
 * to where no table ever was.
 *
 * Locks: none; calls hold() and release() around the walk. Never waits, never
 * writes. On anything but NW_OK *out is untouched.
 * NW_OK          *out; "none" included
 * NW_E_NULL, NW_E_IA_RANGE (hva beyond the table)
 * NW_E_CORRUPT   an entry is reserved, or points outside of the window
 */
NW_MUST_CHECK enum nw_status nw_hostwalk_look(const struct nw_hostwalk *w,
					      nw_hva_t hva,
					      struct nw_host_mapping *out);

/*
 * The largest size, base-2 logarithm in bytes, that the host side allows for a
 * guest leaf around `hva`. A fault asks for this one: nothing mapped, or an
 * entry that is not understood, counts as the smallest page. Whatever the fault
 * installs there is caught by its retry, and a level of "none" cannot get into
 * its arithmetic.
 */
unsigned nw_hostwalk_fault_size_lg2(const struct nw_hostwalk *w, nw_hva_t hva);

#endif
