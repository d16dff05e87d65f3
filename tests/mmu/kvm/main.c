/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux kernel's walk of x86_64 tables, as the judge of ours.
 *
 *     build/native/tests/mmu/kvm/mmu_kvm [seed [addresses]]
 *
 * One line for each configuration, then "N passed, N failed". Status 1 if a
 * check failed, 77 where there is no KVM (one line says why).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vm.h"

#define SKIPPED 77

static const struct config configs[] = {
	{"4 levels", 48, 0},
	{"4 levels, NX", 48, NW_FEAT_X86_NX},
	{"4 levels, NX, 1G", 48, NW_FEAT_X86_NX | NW_FEAT_X86_1G},
	{"5 levels", 57, 0},
	{"5 levels, NX, 1G", 57, NW_FEAT_X86_NX | NW_FEAT_X86_1G},
};

/* What the configuration takes and this CPU does not have; NULL: nothing. */
static const char *lacks(const struct vm *vm, const struct config *config)
{
	if (config->ia_bits > 48 && !vm->has_la57)
		return "LA57";
	if ((config->features & NW_FEAT_X86_1G) && !vm->has_1g)
		return "leaves of 1 GiB";
	return NULL;
}

static int judge_config(struct vm *vm, const struct config *config,
			uint64_t seed, uint64_t addresses, struct counts *sum)
{
	struct judge *j = judge_new(config, vm->oa_bits, seed, &vm->translator);
	struct counts c;
	int bad;

	if (!j)
		return -1;
	bad = vm_set_tables(vm, judge_tables(j)) || judge_run(j, addresses);
	c = judge_counts(j);
	judge_free(j);
	printf("%s: %" PRIu64 " addresses, %" PRIu64 " translated, %" PRIu64
	       " words, %" PRIu64 " passed, %" PRIu64 " failed%s\n",
	       config->name, c.addresses, c.hits, c.words, c.passed, c.failed,
	       bad ? "; given up" : "");
	sum->passed += c.passed;
	sum->failed += c.failed + (bad != 0);
	return 0;
}

int main(int argc, char **argv)
{
	const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	const uint64_t addresses =
		argc > 2 ? strtoull(argv[2], NULL, 0) : 20000;
	struct counts sum = {0};
	const char *why = "";
	struct vm vm;

	switch (vm_open(&vm, &why)) {
	case VM_OK:
		break;
	case VM_ABSENT:
		printf("skipped: %s\n", why);
		return SKIPPED;
	case VM_FAILED:
		printf("FAILED %s\n0 passed, 1 failed\n", why);
		return 1;
	}
	printf("seed %" PRIu64 ", %u address bits\n", seed, vm.oa_bits);
	for (unsigned i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		if (lacks(&vm, &configs[i])) {
			printf("%s: not judged, this KVM has no %s\n",
			       configs[i].name, lacks(&vm, &configs[i]));
			continue;
		}
		if (judge_config(&vm, &configs[i], seed, addresses, &sum))
			sum.failed++;
	}
	vm_close(&vm);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", sum.passed,
	       sum.failed);
	return sum.failed != 0;
}
