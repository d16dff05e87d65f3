/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that makes one access and exits. It runs at CPL 0 with paging of its
 * own, whose tables the library's x86_64 format makes in guest memory, and the
 * judged table is its nested one.
 *
 * Manual: AMD APM volume 2, "Secure Virtual Machine", appendix "Layout of
 * VMCB".
 */
#include <nestwalk/table.h>
#include <nestwalk/x86.h>
#include <stddef.h>

#include "machine.h"
#include "../riscv/model.h"

#define VMCB_INTERCEPT_EXCEPTIONS 0x008
#define VMCB_INTERCEPT_MISC1	  0x00c
#define VMCB_INTERCEPT_MISC2	  0x010
#define VMCB_ASID_TLB		  0x058
#define VMCB_EXITCODE		  0x070
#define VMCB_EXITINFO1		  0x078
#define VMCB_EXITINFO2		  0x080
#define VMCB_NP_ENABLE		  0x090
#define VMCB_N_CR3		  0x0b0
#define VMCB_ES			  0x400
#define VMCB_CS			  0x410
#define VMCB_SS			  0x420
#define VMCB_DS			  0x430
#define VMCB_EFER		  0x4d0
#define VMCB_CR4		  0x548
#define VMCB_CR3		  0x550
#define VMCB_CR0		  0x558
#define VMCB_DR7		  0x560
#define VMCB_DR6		  0x568
#define VMCB_RFLAGS		  0x570
#define VMCB_RIP		  0x578
#define VMCB_RSP		  0x5d8
#define VMCB_RAX		  0x5f8
#define VMCB_G_PAT		  0x668

#define EXIT_VMMCALL	 0x81
#define MSR_VM_HSAVE_PA	 0xc0010117
#define TLB_FLUSH_ALL	 1
#define GUEST_CODE	 0x1000
#define GUEST_STACK_TOP	 0x3000
#define GUEST_POOL	 0x4000
#define GUEST_POOL_PAGES ((GUEST_BYTES - GUEST_POOL) / 4096)
#define PLACES		 4 /* for leaves of each level */

extern const char guest_code[], guest_code_end[], guest_load[], guest_store[],
	guest_fetch[];
void guest_go(uint64_t vmcb, uint64_t rdi, uint64_t rsi);

static uint8_t vmcb[4096] __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint64_t nested_pml4[512] __attribute__((aligned(4096)));
static uint64_t nested_pdpt[512] __attribute__((aligned(4096)));
static uint64_t nested_pd[512] __attribute__((aligned(4096)));

static struct nw_table table;
static uint64_t place[3][PLACES]; /* 1 GiB each, where the leaf is */
static uint64_t next_page;

static void vmcb32(unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(vmcb + offset) = value;
}

static void vmcb64(unsigned offset, uint64_t value)
{
	*(volatile uint64_t *)(vmcb + offset) = value;
}

static uint64_t vmcb_read(unsigned offset)
{
	return *(volatile uint64_t *)(vmcb + offset);
}

/* ---- the guest's own paging --------------------------------------------- */

/* Tables are kept until the end: the places are few. */
static void *guest_alloc(void *ctx, unsigned pages_lg2)
{
	(void)ctx;
	if (pages_lg2 || next_page == GUEST_POOL_PAGES)
		return NULL;
	return (void *)(uintptr_t)(GUEST_MEMORY + GUEST_POOL +
				   next_page++ * 4096);
}

static void guest_free(void *ctx, void *pages, unsigned pages_lg2)
{
	(void)ctx, (void)pages, (void)pages_lg2;
}

static void guest_invalidate(void *ctx, const struct nw_flush_request *request)
{
	(void)ctx, (void)request;
}

static const struct nw_port_ops guest_port = {
	.alloc_pages = guest_alloc,
	.free_pages = guest_free,
	.invalidate = guest_invalidate,
	.virt_minus_phys = GUEST_MEMORY,
};

static void guest_map(uint64_t va, uint64_t gpa, unsigned level)
{
	const struct nw_attrs attrs = {
		.prot = NW_PROT_RW | NW_PROT_PX,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = random_below(2) ? NW_LEAF_ACCESSED | NW_LEAF_DIRTY : 0,
	};

	if (nw_map(&table, NW_IA(va), UINT64_C(4096) << 9 * level, NW_PA(gpa),
		   &attrs, level, NULL, NULL) != NW_OK)
		nw_port_bug("the guest's own map", __FILE__, __LINE__);
}

static void guest_unmap(uint64_t va, unsigned level)
{
	if (nw_unmap(&table, NW_IA(va), UINT64_C(4096) << 9 * level, NULL,
		     NULL) != NW_OK)
		nw_port_bug("the guest's own unmap", __FILE__, __LINE__);
}

static void guest_paging(void)
{
	const unsigned ia_bits = PARAMS->levels == 5 ? 57 : 48;
	const struct nw_table_config config = {
		.ops = &nw_x86_64_ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = (uint8_t)ia_bits,
			   .oa_bits = (uint8_t)machine_oa_bits(),
			   .features = NW_FEAT_X86_NX | NW_FEAT_X86_1G},
		.port = &guest_port,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_X86,
	};

	if (nw_table_init(&table, &config, NULL) != NW_OK)
		nw_port_bug("the guest's own table", __FILE__, __LINE__);
	for (unsigned i = 0; i < 4; i++)
		guest_map(i * 4096, i * 4096, 0);
	for (unsigned i = 0; i < 3 * PLACES; i++)
		place[i / PLACES][i % PLACES] =
			((uint64_t)(1 + i) << (ia_bits - 4 - 30) |
			 random_below(64))
			<< 30;
}

/* ---- life --------------------------------------------------------------- */

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32)));
}

static void segment(unsigned offset, unsigned selector, unsigned attributes)
{
	vmcb32(offset, selector | attributes << 16);
	vmcb32(offset + 4, 0xffffffff);
	vmcb64(offset + 8, 0);
}

void guest_start(void)
{
	uint8_t *code = (uint8_t *)(GUEST_MEMORY + GUEST_CODE);

	for (unsigned i = 0; i < (unsigned)(guest_code_end - guest_code); i++)
		code[i] = (uint8_t)guest_code[i];
	for (unsigned i = 0; i < GUEST_BYTES / ISLAND_BYTES; i++)
		nested_pd[i] = (GUEST_MEMORY + i * ISLAND_BYTES) | 0xe7;
	nested_pdpt[0] = (uintptr_t)nested_pd | 0x27;
	nested_pml4[0] = (uintptr_t)nested_pdpt | 0x27;
	guest_paging();
	write_msr(MSR_VM_HSAVE_PA, (uintptr_t)host_save);
	vmcb32(VMCB_INTERCEPT_EXCEPTIONS, 0xffffffff);
	vmcb32(VMCB_INTERCEPT_MISC1, UINT32_C(0x8100001f)); /* HLT, shutdown */
	vmcb32(VMCB_INTERCEPT_MISC2, 3);		    /* VMRUN, VMMCALL */
	vmcb64(VMCB_ASID_TLB, 1 | UINT64_C(TLB_FLUSH_ALL) << 32);
	vmcb64(VMCB_NP_ENABLE, 1);
	segment(VMCB_CS, 0x08, 0xa9b);
	segment(VMCB_SS, 0x10, 0xc93);
	segment(VMCB_DS, 0x10, 0xc93);
	segment(VMCB_ES, 0x10, 0xc93);
	vmcb64(VMCB_EFER, 0x1d00); /* SVME NXE LMA LME */
	vmcb64(VMCB_CR0, 0x80010033);
	vmcb64(VMCB_CR4,
	       CR4_PAE | CR4_PGE | (PARAMS->levels == 5 ? CR4_LA57 : 0));
	vmcb64(VMCB_CR3, nw_x86_cr3(nw_table_root(&table), 0));
	vmcb64(VMCB_DR6, 0xffff0ff0);
	vmcb64(VMCB_DR7, 0x400);
	vmcb64(VMCB_G_PAT, NW_X86_PAT);
}

uint64_t guest_root_entry(void)
{
	const uint64_t *next = PARAMS->levels == 5 ? nested_pml4 : nested_pdpt;

	return (uintptr_t)next | 0x27; /* P W U A */
}

void guest_set_ncr3(uint64_t ncr3)
{
	vmcb64(VMCB_N_CR3, ncr3);
}

struct outcome guest_access(enum access how, uint64_t gpa, uint64_t value,
			    unsigned level)
{
	static const char *const code[ACCESS_COUNT] = {guest_load, guest_store,
						       guest_fetch};
	const uint64_t size = UINT64_C(4096) << 9 * level;
	/* Pages share a few tables: there is no memory for more. */
	const uint64_t room = UINT64_C(1) << (level ? 30 : 26);
	const uint64_t at = place[level][random_below(PLACES)];
	const uint64_t va = at + (gpa & (room - 1) & ~(size - 1));
	const unsigned up = PARAMS->levels == 5 ? 7 : 16;
	const uint64_t linear = (uint64_t)((int64_t)(va << up) >> up);
	struct outcome out = {0};

	guest_map(va, gpa & ~(size - 1), level);
	vmcb64(VMCB_RIP, GUEST_CODE + (uint64_t)(code[how] - guest_code));
	vmcb64(VMCB_RSP, GUEST_STACK_TOP);
	vmcb64(VMCB_RFLAGS, 2);
	guest_go((uintptr_t)vmcb, linear + (gpa & (size - 1)), value);
	guest_unmap(va, level);
	out.value = vmcb_read(VMCB_RAX);
	if (vmcb_read(VMCB_EXITCODE) == EXIT_VMMCALL)
		return out;
	out.vector = vmcb_read(VMCB_EXITCODE);
	out.error = vmcb_read(VMCB_EXITINFO1);
	out.address = vmcb_read(VMCB_EXITINFO2);
	return out;
}
