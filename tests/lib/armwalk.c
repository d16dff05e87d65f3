/* SPDX-License-Identifier: BSD-2-Clause */
#include "armwalk.h"

#include <nestwalk/arm64.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(n) (1ull << (n))
#define FIELD(v, high, low) (((v) >> (low)) & ((2ull << ((high) - (low))) - 1))
#define OA_MASK (((1ull << 48) - 1) & ~0xfffull)

struct aw_regs aw_regs_of(const struct nw_table *t)
{
	return (struct aw_regs){
		.stage = t->regime == NW_REGIME_STAGE2 ? AW_STAGE2
						       : AW_STAGE1_EL2,
		.root_pa = nw_table_root(t).v,
		.start_level = 4u - t->geo.levels,
		.root_pages = 1u << t->geo.root_pages_lg2,
		.ia_bits = t->geo.ia_bits,
		.has_fwb = (t->geo.features & NW_FEAT_FWB) != 0,
		.has_xnx = (t->geo.features & NW_FEAT_XNX) != 0,
		.mair = NW_ARM64_MAIR_EL2,
	};
}

/* MemAttr[3:0] without FWB: outer in [3:2], inner in [1:0]. */
static int stage2_memtype(unsigned memattr)
{
	static const int8_t type[16] = {
		NW_MEM_DEVICE_nGnRnE, NW_MEM_DEVICE_nGnRE,
		NW_MEM_DEVICE_nGRE,   NW_MEM_DEVICE_GRE,
		-1, NW_MEM_NORMAL_NC, NW_MEM_NORMAL_ONC_IWT,
		NW_MEM_NORMAL_ONC_IWB,
		-1, NW_MEM_NORMAL_OWT_INC, NW_MEM_NORMAL_WT,
		NW_MEM_NORMAL_OWT_IWB,
		-1, NW_MEM_NORMAL_OWB_INC, NW_MEM_NORMAL_OWB_IWT,
		NW_MEM_NORMAL_WB,
	};
	return type[memattr];
}

/* MemAttr[3:0] with FWB: [3] is RES0, [2:0] decides. */
static int stage2_fwb_memtype(unsigned memattr)
{
	static const int8_t type[16] = {
		NW_MEM_DEVICE_nGnRnE, NW_MEM_DEVICE_nGnRE,
		NW_MEM_DEVICE_nGRE,   NW_MEM_DEVICE_GRE,
		-1, NW_MEM_NORMAL_NC, NW_MEM_NORMAL_WB, NW_MEM_FROM_STAGE1,
		-1, -1, -1, -1, -1, -1, -1, -1,
	};
	return type[memattr];
}

/* One byte of MAIR_ELx; allocation hints and transience are not looked at. */
static int mair_memtype(unsigned attr)
{
	unsigned outer = attr >> 4, inner = attr & 15;

	if (outer == 0) {
		static const int8_t device[4] = {
			NW_MEM_DEVICE_nGnRnE, NW_MEM_DEVICE_nGnRE,
			NW_MEM_DEVICE_nGRE, NW_MEM_DEVICE_GRE,
		};
		return (inner & 3) ? -1 : device[inner >> 2];
	}
	if (inner == 0)
		return -1;
	/* 0100 is NC, 10xx (or 00xx) WT, 11xx (or 01xx, xx != 0) WB */
	outer = outer == 4 ? 1 : (outer & 4) ? 3 : 2;
	inner = inner == 4 ? 1 : (inner & 4) ? 3 : 2;
	return stage2_memtype(outer << 2 | inner);
}

static int share_of(unsigned sh)
{
	static const int8_t share[4] = {NW_SHARE_NONE, -1, NW_SHARE_OUTER,
					NW_SHARE_INNER};

	return share[sh];
}

static const char *decode_stage2(const struct aw_regs *regs, uint64_t entry,
				 struct nw_attrs *attrs)
{
	unsigned memattr = (unsigned)FIELD(entry, 5, 2);
	unsigned xn = (unsigned)FIELD(entry, 54, 53);
	int type = regs->has_fwb ? stage2_fwb_memtype(memattr)
				 : stage2_memtype(memattr);

	if (type < 0)
		return "reserved MemAttr";
	attrs->memtype = (uint8_t)type;
	if (entry & BIT(6))
		attrs->prot |= NW_PROT_R;
	if (entry & BIT(7))
		attrs->prot |= NW_PROT_W;
	if (!regs->has_xnx) {
		if (xn & 1)
			return "XN[0] set without FEAT_XNX";
		if (xn == 0)
			attrs->prot |= NW_PROT_X;
	} else {
		static const uint8_t rights[4] = {NW_PROT_X, NW_PROT_UX, 0,
						  NW_PROT_PX};

		attrs->prot |= rights[xn];
	}
	if (entry & BIT(11))
		attrs->flags |= NW_LEAF_FNXS;
	if (entry & BIT(50))
		return "bit 50 is set at stage 2";
	return NULL;
}

static const char *decode_el2(const struct aw_regs *regs, uint64_t entry,
			      struct nw_attrs *attrs)
{
	unsigned index = (unsigned)FIELD(entry, 4, 2);
	int type = mair_memtype((unsigned)(regs->mair >> (8 * index)) & 0xff);

	if (type < 0)
		return "AttrIndx names a reserved MAIR byte";
	attrs->memtype = (uint8_t)type;
	attrs->prot = NW_PROT_R;
	if (!(entry & BIT(7)))
		attrs->prot |= NW_PROT_W;
	if (!(entry & BIT(54)))
		attrs->prot |= NW_PROT_PX;
	if (!(entry & BIT(6)))
		return "AP[1] is RES1 in a regime with one privilege level";
	if (entry & (BIT(53) | BIT(11)))
		return "PXN and nG are RES0 in a regime of one privilege level";
	if (entry & BIT(5))
		attrs->flags |= NW_LEAF_NON_SECURE;
	if (entry & BIT(50))
		attrs->flags |= NW_LEAF_GUARDED;
	return NULL;
}

const char *aw_decode(const struct aw_regs *regs, unsigned arm_level,
		      uint64_t entry, struct aw_leaf *leaf)
{
	int share = share_of((unsigned)FIELD(entry, 9, 8));
	uint64_t address = entry & OA_MASK;

	memset(&leaf->attrs, 0, sizeof(leaf->attrs));
	leaf->entry = entry;
	leaf->arm_level = (uint8_t)arm_level;
	if (arm_level == 3 ? (entry & 3) != 3 : (entry & 3) != 1)
		return "not a leaf of this level";
	if (arm_level == 0)
		return "a block at level 0";
	if (arm_level < 3 && (entry & BIT(16))) {
		leaf->attrs.flags |= NW_LEAF_NT;
		address &= ~BIT(16);
	}
	if (address & (aw_span(arm_level) - 1))
		return "output address is not aligned to the level";
	if (entry & (BIT(48) | BIT(49)))
		return "address bits beyond 48";
	if (share < 0)
		return "reserved shareability";
	leaf->pa = address;
	leaf->attrs.share = (uint8_t)share;
	if (entry & BIT(10))
		leaf->attrs.flags |= NW_LEAF_ACCESSED;
	if (entry & BIT(51))
		leaf->attrs.flags |= NW_LEAF_DBM;
	if (entry & BIT(52))
		leaf->attrs.flags |= NW_LEAF_CONTIG;
	leaf->attrs.software = (uint8_t)FIELD(entry, 58, 55);
	leaf->attrs.hardware = (uint8_t)FIELD(entry, 62, 59);
	return regs->stage == AW_STAGE2
		       ? decode_stage2(regs, entry, &leaf->attrs)
		       : decode_el2(regs, entry, &leaf->attrs);
}

static void *grow(void *array, unsigned *room, size_t size)
{
	*room = *room ? 2 * *room : 256;
	array = realloc(array, *room * size);
	if (!array) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	return array;
}

static int fail(struct aw_view *view, uint64_t ia, unsigned arm_level,
		uint64_t entry, const char *what)
{
	snprintf(view->error, sizeof(view->error),
		 "entry %#llx at %#llx, level %u: %s",
		 (unsigned long long)entry, (unsigned long long)ia, arm_level,
		 what);
	return -1;
}

static int walk_page(const struct aw_regs *regs, const struct nw_arena *arena,
		     struct aw_view *view, uint64_t page_pa, uint64_t ia,
		     unsigned arm_level);

static int walk_table(const struct aw_regs *regs, const struct nw_arena *arena,
		      struct aw_view *view, uint64_t entry, uint64_t ia,
		      unsigned arm_level)
{
	/* Bits 58:51 are ignored, 63:59 restrict rights at stage 1; we never
	 * set any of them. Stage 2 has 63:59 RES0. */
	if (entry & ~(OA_MASK | 3))
		return fail(view, ia, arm_level, entry,
			    "table entry with bits beside the address");
	return walk_page(regs, arena, view, entry & OA_MASK, ia,
			 arm_level + 1);
}

static int walk_page(const struct aw_regs *regs, const struct nw_arena *arena,
		     struct aw_view *view, uint64_t page_pa, uint64_t ia,
		     unsigned arm_level)
{
	const uint64_t *entry = nw_arena_read(arena, page_pa);
	uint64_t span = aw_span(arm_level), limit = 1ull << regs->ia_bits;
	unsigned i;

	if (!entry)
		return fail(view, ia, arm_level, page_pa,
			    "the table page is not a live page");
	if (view->pages == view->page_room)
		view->page = grow(view->page, &view->page_room,
				  sizeof(*view->page));
	view->page[view->pages++] = (struct aw_page){page_pa, ia,
						     (uint8_t)arm_level};
	for (i = 0; i < 512; i++, ia += span) {
		uint64_t value = __atomic_load_n(&entry[i], __ATOMIC_RELAXED);
		const char *wrong;

		if (value == 0)
			continue;
		if (ia >= limit)
			return fail(view, ia, arm_level, value,
				    "an entry beyond the input size");
		if (!(value & 1)) {
			if (view->invalids == view->invalid_room)
				view->invalid = grow(view->invalid,
						     &view->invalid_room,
						     sizeof(*view->invalid));
			view->invalid[view->invalids++] = (struct aw_leaf){
				.ia = ia,
				.entry = value,
				.arm_level = (uint8_t)arm_level};
			continue;
		}
		if (arm_level < 3 && (value & 2)) {
			if (walk_table(regs, arena, view, value, ia,
				       arm_level))
				return -1;
			continue;
		}
		if (view->leaves == view->leaf_room)
			view->leaf = grow(view->leaf, &view->leaf_room,
					  sizeof(*view->leaf));
		view->leaf[view->leaves].ia = ia;
		wrong = aw_decode(regs, arm_level, value,
				  &view->leaf[view->leaves++]);
		if (wrong)
			return fail(view, ia, arm_level, value, wrong);
	}
	return 0;
}

int aw_walk(const struct aw_regs *regs, const struct nw_arena *arena,
	    struct aw_view *view)
{
	uint64_t page_span = aw_span(regs->start_level) * 512;
	unsigned i;

	view->leaves = 0;
	view->pages = 0;
	view->invalids = 0;
	view->error[0] = 0;
	if (regs->root_pa & (0x1000ull * regs->root_pages - 1))
		return fail(view, 0, regs->start_level, regs->root_pa,
			    "concatenated roots are not aligned to their size");
	if (regs->root_pages > 16 ||
	    page_span * regs->root_pages < 1ull << regs->ia_bits)
		return fail(view, 0, regs->start_level, regs->root_pages,
			    "this many root pages do not span the input size");
	for (i = 0; i < regs->root_pages; i++)
		if (walk_page(regs, arena, view, regs->root_pa + 0x1000ull * i,
			      page_span * i, regs->start_level))
			return -1;
	return 0;
}

int aw_translate(const struct aw_regs *regs, const struct nw_arena *arena,
		 uint64_t ia, struct aw_leaf *leaf)
{
	uint64_t top = ia / (aw_span(regs->start_level) * 512);
	uint64_t page = regs->root_pa + 0x1000 * top;
	unsigned arm_level;

	for (arm_level = regs->start_level; arm_level < 4; arm_level++) {
		const uint64_t *entry = nw_arena_read(arena, page);
		uint64_t span = aw_span(arm_level), value;

		if (!entry)
			return -1;
		value = __atomic_load_n(&entry[ia / span % 512],
					__ATOMIC_RELAXED);
		leaf->arm_level = (uint8_t)arm_level;
		leaf->entry = value;
		if (!(value & 1))
			return 0;
		if (arm_level == 3 || !(value & 2)) {
			if (aw_decode(regs, arm_level, value, leaf))
				return -1;
			leaf->ia = ia & ~(span - 1);
			return 1;
		}
		page = value & OA_MASK;
	}
	return -1;
}

void aw_view_free(struct aw_view *view)
{
	free(view->leaf);
	free(view->page);
	free(view->invalid);
	memset(view, 0, sizeof(*view));
}
