/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An invalidate() for the arena port that issues nothing but events: those
 * that the EL2 port's would have recorded, or a wrong form of them.
 */
#ifndef TEST_CHECK_TLB_PORT_H
#define TEST_CHECK_TLB_PORT_H

#include "arena.h"
#include "check.h"

enum tlb_form {
	TLB_BY_ADDRESS, /* no FEAT_TLBIRANGE, no FEAT_TTL */
	TLB_BY_RANGE,	/* both */
	TLB_ALL,	/* the whole VMID or regime, every time */
	TLB_NONE,	/* wrong: barriers only */
	TLB_LOCAL,	/* wrong: this CPU only */
	TLB_LOCAL_BY_ADDRESS, /* the same, as NW_SABOTAGE_LOCAL_TLBI issues */
	TLB_LOCAL_BY_RANGE,
	TLB_NO_IPA,	/* wrong: combined entries only */
};

struct tlb_port {
	struct nw_arena arena;
	struct nw_port_ops ops;
	enum tlb_form form;
	struct nwv_check *check;
	uint64_t seq;
	uint64_t events;
};

/* Open an arena whose events go to a fresh oracle. One at a time. */
void tlb_port_open(struct tlb_port *port, enum tlb_form form, unsigned pages);
/* Free both. */
void tlb_port_close(struct tlb_port *port);

#endif
