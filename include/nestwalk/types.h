/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses, statuses and the result record that every operation shares.
 *
 * Addresses are struct-wrapped so that the compiler refuses to mix them up.
 * Sizes are bytes unless a name says otherwise; `end` is exclusive, `last`
 * inclusive; `_lg2` is a base-2 logarithm.
 */
#ifndef NESTWALK_TYPES_H
#define NESTWALK_TYPES_H

#include <nestwalk/compiler.h>

/* Input address of a table: an IPA at stage 2, a virtual address at stage 1. */
typedef struct {
	uint64_t v;
} nw_ia_t;

/* Guest-physical (intermediate physical) address. */
typedef struct {
	uint64_t v;
} nw_ipa_t;

/* Machine-physical address, the output of a table. */
typedef struct {
	uint64_t v;
} nw_pa_t;

/* Virtual address in the host's own (primary) address space. */
typedef struct {
	uint64_t v;
} nw_hva_t;

#define NW_IA(x) ((nw_ia_t){(uint64_t)(x)})
#define NW_IPA(x) ((nw_ipa_t){(uint64_t)(x)})
#define NW_PA(x) ((nw_pa_t){(uint64_t)(x)})
#define NW_HVA(x) ((nw_hva_t){(uint64_t)(x)})

/* A stage-2 table's input address is an IPA. */
static inline nw_ia_t nw_ia_from_ipa(nw_ipa_t ipa)
{
	return NW_IA(ipa.v);
}

/*
 * What an operation says. Each status names the caller's next move; the
 * comment is that move. nw_status_name() and nw_status_advice() print them.
 */
enum nw_status {
	NW_OK = 0,
	NW_MORE,	    /* budget spent: call again with the same arguments */
	NW_E_EMPTY,	    /* size is 0: pass at least one page */
	NW_E_MISALIGNED,    /* address or size is no multiple of the granule */
	NW_E_OVERFLOW,	    /* start + size wraps: pass a smaller size */
	NW_E_IA_RANGE,	    /* input range leaves the table: check ia_bits */
	NW_E_OA_RANGE,	    /* output range leaves the format: check oa_bits */
	NW_E_ATTRS,	    /* the format cannot express these attributes */
	NW_E_LEVEL,	    /* no leaf of that level in this format */
	NW_E_EXISTS,	    /* something is mapped there: unmap it first */
	NW_E_WOULD_BREAK,   /* a live entry would need break-before-make */
	NW_E_ABSENT,	    /* nothing is mapped there: map it first */
	NW_E_NOMEM,	    /* no table page: top up, continue at result.reached */
	NW_E_BUSY,	    /* another CPU owns the entry: retry */
	NW_E_RACED,	    /* another CPU mapped it first: look again */
	NW_E_MODE,	    /* not in this table's mode: see enum nw_mode */
	NW_E_CONFIG,	    /* configuration refused: see result.argument */
	NW_E_CORRUPT,	    /* a reserved encoding is in the table: see result */
	NW_E_UNSUPPORTED,   /* this build or format cannot do that */
	NW_E_NULL,	    /* a required pointer is NULL: see result.argument */
	NW_E_LIMIT,	    /* a fixed limit is reached: release one first */
	NW_E_WRONG_KIND,    /* object is of another kind: use its own call */
	NW_E_WRONG_CPU,	    /* object belongs to another CPU: use it there */
	NW_E_MISMATCH,	    /* something else is there: see result.entry */
	NW_E_QUOTA,	    /* table has its pages_quota: free tables, raise it */
	NW_E_STATUS_COUNT,
};

/*
 * Optional detail of an operation, filled on every return, success included.
 *
 * reached   first input address that was NOT processed: everything below is
 *           as asked, everything from here on is untouched. Equal to the
 *           range's end on success, to its start when an argument was refused.
 * level     level of `entry` (0 is the smallest page)
 * entry     value of the entry that stopped the operation, 0 if none did
 * argument  name of the refused argument, or NULL
 */
struct nw_result {
	enum nw_status status;
	uint8_t level;
	uint64_t reached;
	uint64_t entry;
	const char *argument;
};

/* Name of a status, e.g. "NW_E_NOMEM". Never NULL; unknown values say so. */
const char *nw_status_name(enum nw_status status);

/* One line on what the caller should do next. Never NULL. */
const char *nw_status_advice(enum nw_status status);

#endif
