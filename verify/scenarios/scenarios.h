/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scenarios: protocols that the explorer refutes or clears. One struct
 * each; lists by family in the .c files of this folder.
 */
#ifndef NWS_SCENARIOS_H
#define NWS_SCENARIOS_H

#include "../explore/explore.h"

/* All of them; NULL at the end. */
extern const struct nwx_scenario *const nws_all[];
extern const unsigned nws_count;

/* By name, or NULL. */
const struct nwx_scenario *nws_find(const char *name);

/* ---- building blocks for protocol scenarios ---------------------------- */

/* Descriptors with every attribute a real one has. */
#define NWS_VALID UINT64_C(0x1)
#define NWS_TABLE(pa) ((pa) | UINT64_C(0x3))
/* EL2 page: valid, AF, inner shareable, write-back (AttrIndx 6), AP[1] (which
 * is 1 there), XN */
#define NWS_EL2_PAGE(pa)                                                       \
	((pa) | UINT64_C(0x3) | UINT64_C(0x400) | UINT64_C(0x300) |            \
	 UINT64_C(0x58) | UINT64_C(1) << 54)
#define NWS_READ_ONLY UINT64_C(0x80) /* EL2: AP[2] */
/* Stage-2 leaves: AF, inner shareable, write-back, R, W, XN */
#define NWS_S2_ATTRS                                                           \
	(UINT64_C(0x400) | UINT64_C(0x300) | UINT64_C(0x3c) | UINT64_C(0xc0) | \
	 UINT64_C(1) << 54)
#define NWS_S2_PAGE(pa) ((pa) | UINT64_C(0x3) | NWS_S2_ATTRS)
#define NWS_S2_BLOCK(pa) ((pa) | UINT64_C(0x1) | NWS_S2_ATTRS)
#define NWS_S2_WRITE UINT64_C(0x80)
#define NWS_AF UINT64_C(0x400)
#define NWS_DBM (UINT64_C(1) << 51)

#define NWS_VMID 7
#define NWS_BLOCK_BYTES UINT64_C(0x200000)

/*
 * A three-level table with a path to one level-0 page; installed on all CPUs
 * of the mask. Returns the level-0 page's entries.
 */
struct nws_table {
	uint64_t *root;
	uint64_t *middle;
	uint64_t *leaves;
};
struct nws_table nws_table_make(enum nw_regime regime, unsigned tag,
				uint64_t ia, unsigned cpus_mask);
/* A frame in the arena, so that its content can be read and written. */
uint64_t *nws_frame_make(const char *name, unsigned rights, unsigned *frame);

#endif
