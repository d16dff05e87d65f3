/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine that never runs: its paging is asked (KVM_TRANSLATE). */
#ifndef MMU_KVM_VM_H
#define MMU_KVM_VM_H

#include "judge.h"

struct vm {
	int kvm, machine, cpu; /* file descriptors */
	unsigned oa_bits;      /* what its CPUID says */
	int has_la57;
	int has_1g;
	int has_tables; /* memory was given to it */
	struct translator translator;
};

enum vm_open {
	VM_OK,
	VM_ABSENT, /* no KVM for us here: *why */
	VM_FAILED, /* there is, but: *why */
};

/* One CPU with everything that the host's KVM offers. */
enum vm_open vm_open(struct vm *vm, const char **why);
void vm_close(struct vm *vm);

/* Guest-physical TABLES_PHYS shows these pages; again for each table. */
int vm_set_tables(struct vm *vm, void *pages);

#endif
