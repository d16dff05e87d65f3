/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nestwalk/x86.h>

#define CPUID_ENTRIES	256
#define CPUID_FEATURES	7u	    /* ecx bit 16: LA57 */
#define CPUID_LONG_MODE 0x80000001u /* edx bit 26: 1 GiB leaves */
#define CPUID_ADDRESSES 0x80000008u /* eax 7:0: MAXPHYADDR */
#define CR0_ON		UINT64_C(0x80010033)
#define CR4_PAE		UINT64_C(0x20)
#define CR4_LA57	UINT64_C(0x1000)
#define EFER_LONG	UINT64_C(0x500) /* LMA LME */
#define EFER_NXE	UINT64_C(0x800)

static int say_errno(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return -1;
}

static struct kvm_segment flat(unsigned type, unsigned selector)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = (uint16_t)selector,
				    .type = (uint8_t)type,
				    .present = 1,
				    .s = 1,
				    .g = 1,
				    .l = type == 11,
				    .db = type != 11};
}

static int set_root(void *ctx, uint64_t root_pa, unsigned levels,
		    unsigned features)
{
	struct vm *vm = ctx;
	struct kvm_sregs sregs;

	if (ioctl(vm->cpu, KVM_GET_SREGS, &sregs))
		return say_errno("KVM_GET_SREGS");
	sregs.cs = flat(11, 8);
	sregs.ss = sregs.ds = sregs.es = flat(3, 16);
	sregs.cr0 = CR0_ON;
	sregs.cr3 = nw_x86_cr3(NW_PA(root_pa), 0);
	sregs.cr4 = CR4_PAE | (levels == 5 ? CR4_LA57 : 0);
	sregs.efer = EFER_LONG | (features & NW_FEAT_X86_NX ? EFER_NXE : 0);
	if (ioctl(vm->cpu, KVM_SET_SREGS, &sregs))
		return say_errno("KVM_SET_SREGS");
	return 0;
}

static int translate(void *ctx, uint64_t va, uint64_t *pa)
{
	struct kvm_translation t = {.linear_address = va};
	struct vm *vm = ctx;

	if (ioctl(vm->cpu, KVM_TRANSLATE, &t))
		return say_errno("KVM_TRANSLATE");
	*pa = t.physical_address;
	return t.valid != 0;
}

/* ---- life --------------------------------------------------------------- */

static int set_cpuid(struct vm *vm)
{
	struct kvm_cpuid2 *id =
		calloc(1, sizeof(*id) + CPUID_ENTRIES * sizeof(id->entries[0]));
	int failed;

	if (!id)
		return -1;
	id->nent = CPUID_ENTRIES;
	failed = ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, id) ||
		 ioctl(vm->cpu, KVM_SET_CPUID2, id);
	for (unsigned i = 0; !failed && i < id->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &id->entries[i];

		if (e->function == CPUID_FEATURES && !e->index)
			vm->has_la57 = e->ecx >> 16 & 1;
		if (e->function == CPUID_LONG_MODE)
			vm->has_1g = e->edx >> 26 & 1;
		if (e->function == CPUID_ADDRESSES)
			vm->oa_bits = e->eax & 0xff;
	}
	free(id);
	return failed ? -1 : 0;
}

static enum vm_open failed(struct vm *vm, const char **why, const char *what)
{
	*why = what;
	vm_close(vm);
	return VM_FAILED;
}

enum vm_open vm_open(struct vm *vm, const char **why)
{
	*vm = (struct vm){-1, -1, -1, 36,
			  0,  0,  0,  {NULL, set_root, translate, 1}};
	vm->translator.ctx = vm;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0) {
		*why = errno == ENOENT ? "there is no /dev/kvm"
				       : "/dev/kvm cannot be opened";
		return VM_ABSENT;
	}
	if (ioctl(vm->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return failed(vm, why, "another version of KVM");
	vm->machine = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->machine < 0)
		return failed(vm, why, "KVM_CREATE_VM");
	vm->cpu = ioctl(vm->machine, KVM_CREATE_VCPU, 0);
	if (vm->cpu < 0)
		return failed(vm, why, "KVM_CREATE_VCPU");
	if (set_cpuid(vm))
		return failed(vm, why, "KVM_SET_CPUID2");
	return VM_OK;
}

void vm_close(struct vm *vm)
{
	const int fds[] = {vm->cpu, vm->machine, vm->kvm};

	for (unsigned i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int vm_set_tables(struct vm *vm, void *pages)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = TABLES_PHYS,
		.userspace_addr = (uintptr_t)pages,
	};

	/* An old one goes first: a slot is not moved in place. */
	if (vm->has_tables &&
	    ioctl(vm->machine, KVM_SET_USER_MEMORY_REGION, &region))
		return say_errno("KVM_SET_USER_MEMORY_REGION");
	region.memory_size = (uint64_t)TABLES_PAGES * 4096;
	if (ioctl(vm->machine, KVM_SET_USER_MEMORY_REGION, &region))
		return say_errno("KVM_SET_USER_MEMORY_REGION");
	vm->has_tables = 1;
	return 0;
}
