/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest access that its stage-2 table did not let through. */
#ifndef NW_HYP_FAULT_H
#define NW_HYP_FAULT_H

#include <nestwalk/types.h>

enum fault_access {
	FAULT_READ,
	FAULT_WRITE,
	FAULT_EXEC,
};

enum fault_kind {
	FAULT_TRANSLATION,
	FAULT_ACCESS_FLAG,
	FAULT_PERMISSION,
};

struct guest_fault {
	nw_ipa_t ipa;
	enum fault_access access;
	enum fault_kind kind;
	int8_t arm_level;	/* where the hardware's walk ended; may be -1 */
	uint8_t is_stage1_walk; /* the access was a stage-1 table walk */
	uint8_t has_syndrome;	/* ISV: the access is described (MMIO) */
};

enum fault_outcome {
	FAULT_RESUME, /* run the instruction again */
	FAULT_ABORT,  /* nothing is there for the guest: external abort */
};

/* Resolve a fault. May not come back: a guest that is off parks here. */
enum fault_outcome fault_handle(const struct guest_fault *fault);

#endif
