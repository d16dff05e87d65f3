/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What first-stage paging (riscv_s.h) and the G-stage (riscv_g.h) share: the
 * entry, which is the same word at every level.
 *
 *  63 62:61 60:54 53:10 9:8      7 6 5 4 3 2 1 0
 *  N  PBMT  0     PPN   software D A G U X W R V
 *
 * A valid entry without R, W and X points to a table, any other is a leaf; a
 * leaf may stand at every level. The PPN is the address shifted right by 12:
 * the address's bits stand two lower in the entry.
 *
 * Manual: RISC-V Instruction Set Manual volume II, "Supervisor-Level ISA"
 * (Sv39, Sv48, Sv57, Svnapot, Svpbmt, Svadu) and "Hypervisor Extension".
 * Bits of an entry that is not valid are all software's but V; nothing in the
 * manual lets an implementation use them.
 *
 * An implementation may remember that an entry was not valid (unless it has
 * Svvptc, only for a short while): who takes a page fault although the table
 * maps the address invalidates locally (SFENCE.VMA, HFENCE.GVMA) and retries.
 *
 * NW_FEAT_SVADU: hardware sets A and D. Without it a clear A faults, and so
 * does a write while D is clear: the handler sets them.
 */
#ifndef NW_FORMAT_RISCV_COMMON_H
#define NW_FORMAT_RISCV_COMMON_H

#include "contract.h"

#define NW_RV_BIT(n) (UINT64_C(1) << (n))
#define NW_RV_FIELD(last, first)                                               \
	(((UINT64_C(2) << ((last) - (first))) - 1) << (first))

enum {
	NWF_GRANULE_LG2 = 12,
	NWF_INDEX_BITS = 9,
	NWF_TICKET_BITS = 48,
	NWF_ANNOTATION_BITS = 61,
};

#define NWF_EMPTY      UINT64_C(0)
#define NWF_HAS_GROUPS 1

#define NW_RV_VALID	     NW_RV_BIT(0)
#define NW_RV_READ	     NW_RV_BIT(1)
#define NW_RV_WRITE	     NW_RV_BIT(2)
#define NW_RV_EXEC	     NW_RV_BIT(3)
#define NW_RV_USER	     NW_RV_BIT(4)
#define NW_RV_GLOBAL	     NW_RV_BIT(5)
#define NW_RV_ACCESSED	     NW_RV_BIT(6)
#define NW_RV_DIRTY	     NW_RV_BIT(7)
#define NW_RV_SOFTWARE_SHIFT 8
#define NW_RV_SOFTWARE	     NW_RV_FIELD(9, 8)
#define NW_RV_PPN	     NW_RV_FIELD(53, 10)
#define NW_RV_RES0	     NW_RV_FIELD(60, 54)
#define NW_RV_PBMT_SHIFT     61
#define NW_RV_PBMT	     NW_RV_FIELD(62, 61)
#define NW_RV_N		     NW_RV_BIT(63)
#define NW_RV_RIGHTS	     (NW_RV_READ | NW_RV_WRITE | NW_RV_EXEC)
#define NW_RV_STATE	     (NW_RV_ACCESSED | NW_RV_DIRTY)

/* An address's bits stand this much lower in an entry. */
#define NW_RV_PPN_DOWN 2

/* Svnapot: runs of 16 pages at level 0, PPN[3:0] = 1000. */
#define NW_RV_NAPOT_LG2	 4
#define NW_RV_NAPOT_LOW	 NW_RV_FIELD(13, 10)
#define NW_RV_NAPOT_CODE NW_RV_BIT(13)

#define NW_RV_FEATURES (NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT | NW_FEAT_SVADU)
/* Leaf facts that both stages have. */
#define NW_RV_FLAGS (NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_CONTIG)

static inline unsigned nw_rv_span_lg2(unsigned level)
{
	return NWF_GRANULE_LG2 + NWF_INDEX_BITS * level;
}

static inline nw_entry_t nw_rv_bit_if(int condition, nw_entry_t bit)
{
	return condition ? bit : 0;
}

/* ---- what differs: met by riscv_s.h and riscv_g.h ---------------------- */

/* NW_PROT_* that a leaf with X set grants. */
static inline unsigned nw_rv_executors(nw_entry_t leaf);

/* User and global from attributes; NW_E_ATTRS: a flag the stage lacks. */
static inline enum nw_status nw_rv_own_encode(const struct nw_attrs *attrs,
					      nw_entry_t *bits);
static inline enum nw_reason nw_rv_own_decode(nw_entry_t leaf,
					      struct nw_attrs *attrs);

/* ---- shape ------------------------------------------------------------- */

static inline enum nw_status nw_rv_refuse(const char **argument,
					  const char *name)
{
	*argument = name;
	return NW_E_CONFIG;
}

/*
 * Three to five levels, the fewest that hold ia_bits. root_pages_lg2: 0, or 2
 * where the root has four pages and two more input bits. At least 31 bits: with
 * fewer the root of three levels would have one entry. Output: up to 56 bits.
 */
static inline enum nw_status
nw_rv_geometry(const struct nw_format_config *config, unsigned root_pages_lg2,
	       struct nw_geometry *geo, const char **argument)
{
	unsigned levels = 3;

	if (config->granule_lg2 != NWF_GRANULE_LG2)
		return nw_rv_refuse(argument, "granule_lg2");
	if (config->oa_bits < 32 || config->oa_bits > 56)
		return nw_rv_refuse(argument, "oa_bits");
	if (config->features & ~NW_RV_FEATURES)
		return nw_rv_refuse(argument, "features");
	if (config->ia_bits < 31 ||
	    config->ia_bits > nw_rv_span_lg2(5) + root_pages_lg2)
		return nw_rv_refuse(argument, "ia_bits");
	while (config->ia_bits > nw_rv_span_lg2(levels) + root_pages_lg2)
		levels++;
	*geo = (struct nw_geometry){
		.granule_lg2 = NWF_GRANULE_LG2,
		.index_bits = NWF_INDEX_BITS,
		.levels = (uint8_t)levels,
		.root_pages_lg2 = (uint8_t)root_pages_lg2,
		.ia_bits = config->ia_bits,
		.oa_bits = config->oa_bits,
		.leaf_levels = (uint8_t)((1u << levels) - 1),
		.features = config->features,
	};
	return NW_OK;
}

/* ---- classification ---------------------------------------------------- */

static inline int nwf_is_valid(nw_entry_t entry)
{
	return (int)(entry & NW_RV_VALID);
}

static inline int nwf_is_table(unsigned level, nw_entry_t entry)
{
	return level && (entry & (NW_RV_VALID | NW_RV_RIGHTS)) == NW_RV_VALID;
}

static inline int nwf_is_leaf(unsigned level, nw_entry_t entry)
{
	(void)level;
	return (entry & NW_RV_VALID) && (entry & NW_RV_RIGHTS);
}

static inline enum nw_entry_kind nwf_kind(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t entry)
{
	(void)geo;
	if (!nwf_is_valid(entry))
		return entry == NWF_EMPTY ? NW_ENTRY_EMPTY : NW_ENTRY_INVALID;
	if (entry & NW_RV_RIGHTS)
		return NW_ENTRY_LEAF;
	return level ? NW_ENTRY_TABLE : NW_ENTRY_RESERVED;
}

/* ---- addresses --------------------------------------------------------- */

/* Runs stand at level 0. Lookups pay for them with a branch that is guessed
 * right, not with a shift that they wait for. */
static inline int nw_rv_is_member(unsigned level, nw_entry_t leaf)
{
	return !level && NW_UNLIKELY(leaf & NW_RV_N);
}

static inline unsigned nwf_leaf_span_lg2(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf)
{
	(void)geo;
	if (nw_rv_is_member(level, leaf))
		return NWF_GRANULE_LG2 + NW_RV_NAPOT_LG2;
	return nw_rv_span_lg2(level);
}

/* A member of a run holds its run's address: the code is where bits 15:12
 * would be. */
static inline nw_entry_t nwf_leaf_at(const struct nw_geometry *geo,
				     nw_entry_t leaf_template, uint64_t pa)
{
	(void)geo;
	if (leaf_template & NW_RV_N)
		pa &= ~NW_RV_FIELD(15, 12);
	return leaf_template | pa >> NW_RV_PPN_DOWN;
}

/* Of a member: a member of the next run. */
static inline nw_entry_t nwf_leaf_next(const struct nw_geometry *geo,
				       unsigned level, nw_entry_t leaf)
{
	(void)geo;
	if (nw_rv_is_member(level, leaf))
		return leaf + (NW_RV_BIT(16) >> NW_RV_PPN_DOWN);
	return leaf + (NW_RV_BIT(nw_rv_span_lg2(level)) >> NW_RV_PPN_DOWN);
}

static inline uint64_t nwf_leaf_pa(const struct nw_geometry *geo,
				   unsigned level, nw_entry_t leaf)
{
	uint64_t pa = (leaf & NW_RV_PPN) << NW_RV_PPN_DOWN;

	(void)geo;
	if (nw_rv_is_member(level, leaf))
		return pa & ~NW_RV_FIELD(15, 0);
	return pa & (~UINT64_C(0) << nw_rv_span_lg2(level));
}

/* U, A, D, G, PBMT and N are reserved in an entry that points to a table. */
static inline nw_entry_t nwf_table_entry(const struct nw_geometry *geo,
					 uint64_t next_pa)
{
	(void)geo;
	return next_pa >> NW_RV_PPN_DOWN | NW_RV_VALID;
}

static inline uint64_t nwf_table_pa(const struct nw_geometry *geo,
				    nw_entry_t entry)
{
	(void)geo;
	return (entry & NW_RV_PPN) << NW_RV_PPN_DOWN;
}

/* ---- invalid entries that mean something ------------------------------- */

/* Bits 2:1 say which kind, the value stands above. */
#define NW_RV_KIND	      NW_RV_FIELD(2, 1)
#define NW_RV_KIND_TOKEN      NW_RV_BIT(1)
#define NW_RV_KIND_FROZEN     NW_RV_BIT(2)
#define NW_RV_KIND_ANNOTATION NW_RV_KIND
#define NW_RV_VALUE_SHIFT     3

static inline nw_entry_t nwf_lock_token(uint64_t ticket)
{
	return ticket << NW_RV_VALUE_SHIFT | NW_RV_KIND_TOKEN;
}

static inline int nwf_is_locked(nw_entry_t entry)
{
	return (entry & (NW_RV_VALID | NW_RV_KIND)) == NW_RV_KIND_TOKEN;
}

static inline nw_entry_t nwf_frozen(void)
{
	return NW_RV_KIND_FROZEN;
}

static inline nw_entry_t nwf_annotation(uint64_t value)
{
	return value << NW_RV_VALUE_SHIFT | NW_RV_KIND_ANNOTATION;
}

static inline int nwf_is_annotation(nw_entry_t entry)
{
	return (entry & (NW_RV_VALID | NW_RV_KIND)) == NW_RV_KIND_ANNOTATION;
}

static inline uint64_t nwf_annotation_value(nw_entry_t entry)
{
	return entry >> NW_RV_VALUE_SHIFT;
}

/* ---- memory type (Svpbmt) ---------------------------------------------- */

static inline int nw_rv_pbmt(const struct nw_geometry *geo, unsigned memtype)
{
	if (memtype == NW_MEM_NORMAL_WB)
		return 0;
	if (!(geo->features & NW_FEAT_SVPBMT))
		return -1;
	if (memtype == NW_MEM_NORMAL_NC)
		return 1;
	return memtype == NW_MEM_DEVICE_nGRE ? 2 : -1;
}

/* NW_MEM_COUNT: reserved. */
static inline unsigned nw_rv_memtype(nw_entry_t leaf)
{
	static const uint8_t memtype_of[4] = {NW_MEM_NORMAL_WB,
					      NW_MEM_NORMAL_NC,
					      NW_MEM_DEVICE_nGRE, NW_MEM_COUNT};

	return memtype_of[(leaf & NW_RV_PBMT) >> NW_RV_PBMT_SHIFT];
}

/* ---- rights ------------------------------------------------------------ */

static inline unsigned nwf_leaf_prot(const struct nw_geometry *geo,
				     nw_entry_t leaf)
{
	(void)geo;
	return (leaf & NW_RV_READ ? NW_PROT_R : 0) |
	       (leaf & NW_RV_WRITE ? NW_PROT_W : 0) |
	       (leaf & NW_RV_EXEC ? nw_rv_executors(leaf) : 0);
}

/*
 * Replace a leaf's rights. W without R is reserved; without any right the entry
 * would point to a table. NW_E_ATTRS: not expressible, *out untouched.
 */
static inline enum nw_status nw_rv_with_prot(nw_entry_t leaf, unsigned prot,
					     nw_entry_t *out)
{
	unsigned x = prot & NW_PROT_X;

	if (!prot || prot & ~NW_PROT_RWX || (prot & NW_PROT_RW) == NW_PROT_W ||
	    (x && x != nw_rv_executors(leaf)))
		return NW_E_ATTRS;
	*out = (leaf & ~NW_RV_RIGHTS) |
	       nw_rv_bit_if(prot & NW_PROT_R, NW_RV_READ) |
	       nw_rv_bit_if(prot & NW_PROT_W, NW_RV_WRITE) |
	       nw_rv_bit_if(x != 0, NW_RV_EXEC);
	return NW_OK;
}

static inline enum nw_status nwf_leaf_relax(const struct nw_geometry *geo,
					    nw_entry_t leaf, unsigned prot,
					    nw_entry_t *out)
{
	return nw_rv_with_prot(leaf, nwf_leaf_prot(geo, leaf) | prot, out);
}

/* Dirty stays: it means the same with and without the write right. */
static inline enum nw_status nwf_leaf_restrict(const struct nw_geometry *geo,
					       nw_entry_t leaf, unsigned prot,
					       nw_entry_t *out)
{
	if (prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	return nw_rv_with_prot(leaf, nwf_leaf_prot(geo, leaf) & ~prot, out);
}

/* The dirty state goes with the right: read it from the value replaced. */
static inline nw_entry_t nwf_leaf_write_protect(const struct nw_geometry *geo,
						nw_entry_t leaf)
{
	(void)geo;
	return leaf & ~(NW_RV_WRITE | NW_RV_DIRTY);
}

/* ---- accessed and dirty ------------------------------------------------ */

static inline int nwf_leaf_is_accessed(nw_entry_t leaf)
{
	return (leaf & NW_RV_ACCESSED) != 0;
}

static inline nw_entry_t nwf_leaf_set_accessed(nw_entry_t leaf)
{
	return leaf | NW_RV_ACCESSED;
}

static inline nw_entry_t nwf_leaf_clear_accessed(nw_entry_t leaf)
{
	return leaf & ~NW_RV_ACCESSED;
}

static inline int nwf_leaf_is_dirty(const struct nw_geometry *geo,
				    nw_entry_t leaf)
{
	(void)geo;
	return (leaf & NW_RV_DIRTY) != 0;
}

/* The write right stays: the next write sets D, or faults (Svadu). */
static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	(void)geo;
	return leaf & ~NW_RV_DIRTY;
}

static inline nw_entry_t nwf_leaf_set_dirty(const struct nw_geometry *geo,
					    nw_entry_t leaf)
{
	(void)geo;
	return leaf | NW_RV_DIRTY;
}

static inline nw_entry_t nwf_leaf_state_bits(const struct nw_geometry *geo,
					     nw_entry_t leaf)
{
	(void)geo, (void)leaf;
	return NW_RV_STATE;
}

static inline int nwf_leaf_hw_writable(const struct nw_geometry *geo,
				       nw_entry_t leaf)
{
	const nw_entry_t recorded =
		leaf & NW_RV_WRITE ? NW_RV_STATE : NW_RV_ACCESSED;

	return (geo->features & NW_FEAT_SVADU) && nwf_is_valid(leaf) &&
	       (leaf & recorded) != recorded;
}

/* ---- groups of entries ------------------------------------------------- */

static inline int nwf_all_leaves(unsigned level, nw_entry_t all, nw_entry_t any)
{
	(void)level, (void)any;
	return (all & NW_RV_VALID) && (all & NW_RV_RIGHTS);
}

static inline enum nw_leaf_some
nwf_group_writable(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (all & NW_RV_WRITE)
		return NW_LEAF_ALL;
	return any & (NW_RV_WRITE | NW_RV_DIRTY) ? NW_LEAF_SOME : NW_LEAF_NONE;
}

static inline enum nw_leaf_some nwf_group_dirty(const struct nw_geometry *geo,
						nw_entry_t all, nw_entry_t any)
{
	(void)geo;
	if (all & NW_RV_DIRTY)
		return NW_LEAF_ALL;
	return any & NW_RV_DIRTY ? NW_LEAF_SOME : NW_LEAF_NONE;
}

static inline enum nw_leaf_some
nwf_group_accessed(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (all & NW_RV_ACCESSED)
		return NW_LEAF_ALL;
	return any & NW_RV_ACCESSED ? NW_LEAF_SOME : NW_LEAF_NONE;
}

static inline int nwf_hw_updates(const struct nw_geometry *geo)
{
	return (geo->features & NW_FEAT_SVADU) != 0;
}

/* ---- contiguous runs (Svnapot) ----------------------------------------- */

static inline unsigned nwf_contig_lg2(const struct nw_geometry *geo,
				      unsigned level)
{
	return !level && (geo->features & NW_FEAT_SVNAPOT) ? NW_RV_NAPOT_LG2
							   : 0;
}

static inline int nwf_leaf_is_contig(const struct nw_geometry *geo,
				     unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)level;
	return (leaf & NW_RV_N) != 0;
}

static inline nw_entry_t nwf_contig_member(const struct nw_geometry *geo,
					   unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)level;
	return (leaf & ~NW_RV_NAPOT_LOW) | NW_RV_NAPOT_CODE | NW_RV_N;
}

/* What is alone already holds its own address. */
static inline nw_entry_t nwf_contig_alone(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t leaf,
					  unsigned index)
{
	(void)geo, (void)level;
	if (!(leaf & NW_RV_N))
		return leaf;
	return (leaf & ~(NW_RV_NAPOT_LOW | NW_RV_N)) | (nw_entry_t)index << 10;
}

#endif
