/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#define MIB    (UINT64_C(1) << 20)
#define WINDOW (64 * MIB)

/* ---- what to run ------------------------------------------------------- */

/* Sets of features; a format accepts those that are its own. */
static const uint32_t feature_sets[] = {
	0,
	NW_FEAT_TTST,
	NW_FEAT_FWB | NW_FEAT_XNX | NW_FEAT_HAF | NW_FEAT_HD | NW_FEAT_BBM2,
	NW_FEAT_LPA | NW_FEAT_LVA,
	NW_FEAT_LPA2,
	NW_FEAT_LPA2 | NW_FEAT_TTST | NW_FEAT_HAF | NW_FEAT_HD | NW_FEAT_BBM1,
	NW_FEAT_X86_NX,
	NW_FEAT_X86_NX | NW_FEAT_X86_1G,
	NW_FEAT_X86_NX | NW_FEAT_X86_1G | NW_FEAT_X86_PKU | NW_FEAT_X86_SMEP,
	NW_FEAT_X86_1G,
	NW_FEAT_X86_1G | NW_FEAT_EPT_AD | NW_FEAT_EPT_XO | NW_FEAT_EPT_MBEC,
	NW_FEAT_X86_1G | NW_FEAT_EPT_AD | NW_FEAT_EPT_SPLIT_EXEC,
	NW_FEAT_EPT_AD,
	NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT | NW_FEAT_SVADU,
	NW_FEAT_SVADU,
	/* What may change size in place, and no hardware state. */
	NW_FEAT_BBM1,
	NW_FEAT_SVNAPOT,
};
static const uint8_t granules[] = {12, 14, 16};
/* Around every change of levels and of concatenation, of any format. */
static const uint8_t ia_sizes[] = {16, 17, 21, 22, 25, 26, 29, 30, 31, 32,
				   33, 34, 36, 37, 39, 40, 41, 42, 43, 44,
				   46, 47, 48, 49, 50, 51, 52, 57, 59};
static const uint8_t oa_sizes[] = {32, 40, 48, 52, 56};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every input size with the largest output size, one with all of them. */
static int is_worth_it(const struct nw_format_ops *ops,
		       const struct nw_format_config *config)
{
	struct nw_format_config wider = *config;
	struct nw_geometry geo;

	if (ops->geometry(config, &geo, NULL) != NW_OK)
		return 0;
	if (config->ia_bits == 32 || config->ia_bits == 40)
		return 1;
	for (unsigned i = 0; i < COUNT(oa_sizes); i++) {
		wider.oa_bits = oa_sizes[i];
		if (wider.oa_bits > config->oa_bits &&
		    ops->geometry(&wider, &geo, NULL) == NW_OK)
			return 0;
	}
	return 1;
}

int rig_next_config(const struct nw_format_ops *ops, unsigned *n,
		    struct nw_format_config *config)
{
	const unsigned all = COUNT(feature_sets) * COUNT(granules) *
			     COUNT(ia_sizes) * COUNT(oa_sizes);

	for (; *n < all; (*n)++) {
		unsigned i = *n;

		config->granule_lg2 = granules[i % COUNT(granules)];
		i /= COUNT(granules);
		config->ia_bits = ia_sizes[i % COUNT(ia_sizes)];
		i /= COUNT(ia_sizes);
		config->oa_bits = oa_sizes[i % COUNT(oa_sizes)];
		config->features = feature_sets[i / COUNT(oa_sizes)];
		if (is_worth_it(ops, config)) {
			(*n)++;
			return 1;
		}
	}
	return 0;
}

int rig_attrs(const struct nw_format_ops *ops, const struct nw_geometry *geo,
	      unsigned n, struct nw_attrs *attrs)
{
	static const uint16_t flags[] = {
		NW_LEAF_ACCESSED | NW_LEAF_DBM,
		NW_LEAF_ACCESSED | NW_LEAF_DIRTY,
		NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_USER,
		NW_LEAF_ACCESSED,
		NW_LEAF_ACCESSED | NW_LEAF_USER | NW_LEAF_NOT_GLOBAL,
		NW_LEAF_ACCESSED | NW_LEAF_USER | NW_LEAF_DIRTY |
			NW_LEAF_NOT_GLOBAL,
		0,
		NW_LEAF_SUPPRESS_VE,
		NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_SUPPRESS_VE,
	};
	static const uint8_t prots[] = {NW_PROT_RW, NW_PROT_RWX,
					NW_PROT_RW | NW_PROT_PX,
					NW_PROT_RW | NW_PROT_UX};
	unsigned i, level, found = 0;

	for (i = 0; i < COUNT(flags) * COUNT(prots); i++) {
		nw_entry_t entry;

		*attrs = (struct nw_attrs){
			.prot = prots[i / COUNT(flags)],
			.memtype = NW_MEM_NORMAL_WB,
			.share = NW_SHARE_INNER,
			.flags = flags[i % COUNT(flags)],
		};
		for (level = 0; geo->leaf_levels >> level; level++) {
			if ((geo->leaf_levels >> level & 1) &&
			    ops->encode_leaf(geo, level, NW_PA(0), attrs,
					     &entry) != NW_OK)
				break;
		}
		if (!(geo->leaf_levels >> level) && found++ == n)
			return 1;
	}
	return 0;
}

/* ---- messages ---------------------------------------------------------- */

void rig_fail(const struct rig *rig, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail_msg("%s, granule %u, ia %u, oa %u, features %#x, mode %d: %s: %s",
		 rig->ops->name, rig->config.granule_lg2, rig->config.ia_bits,
		 rig->config.oa_bits, rig->config.features, (int)rig->mode,
		 rig->step, text);
	abort();
}

void rig_expect(const struct rig *rig, enum nw_status status,
		enum nw_status expected)
{
	if (status != expected)
		rig_fail(rig, "%s, expected %s", nw_status_name(status),
			 nw_status_name(expected));
}

/* ---- the port ---------------------------------------------------------- */

static void *alloc_pages(void *ctx, unsigned pages_lg2)
{
	struct rig *rig = ctx;
	uint64_t bytes = UINT64_C(1) << (rig->config.granule_lg2 + pages_lg2);
	struct rig_page *page = rig->free_pages[pages_lg2];
	uint64_t at = (rig->used + bytes - 1) & ~(bytes - 1);

	if (rig->fail_allocs)
		return NULL;
	if (page) {
		rig->free_pages[pages_lg2] = page->next;
	} else {
		if (at + bytes > rig->window_bytes)
			return NULL;
		rig->used = at + bytes;
		page = (struct rig_page *)(rig->window + at);
	}
	rig->pages_out += UINT64_C(1) << pages_lg2;
	/* Content may be anything. */
	memset(page, 0xa5, bytes);
	return page;
}

static void free_pages(void *ctx, void *pages, unsigned pages_lg2)
{
	struct rig *rig = ctx;
	struct rig_page *page = pages;

	page->next = rig->free_pages[pages_lg2];
	rig->free_pages[pages_lg2] = page;
	rig->pages_out -= UINT64_C(1) << pages_lg2;
}

static void invalidate(void *ctx, const struct nw_flush_request *request)
{
	struct rig *rig = ctx;

	if (request->granule_lg2 != rig->config.granule_lg2 ||
	    request->tag != rig->table.tag ||
	    request->regime != (enum nw_regime)rig->table.regime)
		rig_fail(rig, "flush of another table");
	for (unsigned i = 0; i < request->ranges; i++) {
		const struct nw_flush_range *r = &request->range[i];

		if (r->start >= r->end ||
		    (r->start | r->end) >> rig->config.granule_lg2
						   << rig->config.granule_lg2 !=
			    (r->start | r->end) ||
		    (r->end - 1) >> rig->config.ia_bits)
			rig_fail(rig, "flush of %#llx to %#llx",
				 (unsigned long long)r->start,
				 (unsigned long long)r->end);
		if (rig->flushes < RIG_FLUSHES)
			rig->flushed[rig->flushes++] = *r;
	}
}

void rig_forget(struct rig *rig)
{
	rig->flushes = 0;
}

int rig_flushed(const struct rig *rig, uint64_t start, uint64_t end)
{
	/* As often as there are ranges: they may come in any order. */
	for (unsigned n = 0; n <= rig->flushes && start < end; n++) {
		for (unsigned i = 0; i < rig->flushes; i++) {
			const struct nw_flush_range *r = &rig->flushed[i];

			if (r->start <= start && r->end > start)
				start = r->end;
		}
	}
	return start >= end;
}

/* ---- life -------------------------------------------------------------- */

static enum nw_regime regime_of(const struct nw_format_ops *ops)
{
	unsigned regime = 0;

	while (!(ops->regimes >> regime & 1))
		regime++;
	return (enum nw_regime)regime;
}

/* The same memory for one table after another. */
static char *window(void)
{
	static char *start;
	char *memory;

	if (start)
		return start;
	memory = mmap(NULL, WINDOW + 2 * MIB, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	start = (char *)(((uintptr_t)memory + 2 * MIB - 1) &
			 ~(uintptr_t)(2 * MIB - 1));
	return start;
}

void rig_open(struct rig *rig, const struct nw_format_ops *ops,
	      const struct nw_format_config *config, enum nw_mode mode,
	      enum nw_runs runs)
{
	/* At the top of the output range: its bits are all in use. */
	uint64_t oa_end = UINT64_C(1) << config->oa_bits;
	struct nw_table_config c = {
		.ops = ops,
		.format = *config,
		.port = &rig->port,
		.port_ctx = rig,
		.mode = mode,
		.regime = regime_of(ops),
		.tag = 0x123,
		.runs = runs,
	};

	memset(rig, 0, sizeof(*rig));
	rig->ops = ops;
	rig->config = *config;
	rig->mode = mode;
	rig->runs = runs;
	rig->geo = &rig->table.geo;
	rig->step = "init";
	rig->window = window();
	if (!rig->window)
		rig_fail(rig, "no memory");
	rig->window_bytes = WINDOW;
	rig->window_pa = oa_end - WINDOW;
	rig->port = (struct nw_port_ops){
		.alloc_pages = alloc_pages,
		.free_pages = free_pages,
		.invalidate = invalidate,
		.virt_minus_phys =
			(uint64_t)(uintptr_t)rig->window - rig->window_pa,
	};
	/* The flush checks look at these from the start. */
	rig->table.tag = c.tag;
	rig->table.regime = (uint8_t)c.regime;
	rig_expect(rig, nw_table_init(&rig->table, &c, NULL), NW_OK);
	if (rig->pages_out != UINT64_C(1) << rig->geo->root_pages_lg2)
		rig_fail(rig, "root of %llu pages",
			 (unsigned long long)rig->pages_out);
}

void rig_close(struct rig *rig)
{
	rig->step = "destroy";
	nw_table_destroy(&rig->table);
	if (rig->pages_out)
		rig_fail(rig, "%llu pages are lost",
			 (unsigned long long)rig->pages_out);
}

/* ---- against the model ------------------------------------------------- */

static int attrs_agree(const struct nw_attrs *a, const struct nw_attrs *b)
{
	return a->prot == b->prot && a->memtype == b->memtype &&
	       a->share == b->share && a->flags == b->flags &&
	       a->software == b->software && a->hardware == b->hardware;
}

static void check_at(struct rig *rig, uint64_t ia)
{
	const struct flat_span *want = flat_at(&rig->flat, ia);
	struct nw_mapping m;
	struct nw_attrs attrs;

	rig_expect(rig, nw_lookup(&rig->table, NW_IA(ia), &m), NW_OK);
	if (!want) {
		if (m.kind != NW_ENTRY_EMPTY)
			rig_fail(rig, "%#llx is mapped",
				 (unsigned long long)ia);
		return;
	}
	if (nw_mapping_annotation(&rig->table, &m) != want->annotation)
		rig_fail(rig, "%#llx is annotated %#llx, expected %#llx",
			 (unsigned long long)ia,
			 (unsigned long long)nw_mapping_annotation(&rig->table,
								   &m),
			 (unsigned long long)want->annotation);
	if (want->annotation && m.kind != NW_ENTRY_INVALID)
		rig_fail(rig, "%#llx: an annotation is no mapping",
			 (unsigned long long)ia);
	if (want->annotation)
		return;
	if (m.kind != NW_ENTRY_LEAF)
		rig_fail(rig, "%#llx is not mapped", (unsigned long long)ia);
	if (m.pa.v != want->pa + (ia - want->start))
		rig_fail(rig, "%#llx maps to %#llx", (unsigned long long)ia,
			 (unsigned long long)m.pa.v);
	rig_expect(rig, nw_mapping_attrs(&rig->table, &m, &attrs), NW_OK);
	/* Where the library makes runs, the model does not say which. */
	if (rig->runs == NW_RUNS_AUTO)
		attrs.flags &= (uint16_t)~NW_LEAF_CONTIG;
	if (!attrs_agree(&attrs, &want->attrs))
		rig_fail(rig, "%#llx: prot %#x flags %#x, expected %#x %#x",
			 (unsigned long long)ia, attrs.prot, attrs.flags,
			 want->attrs.prot, want->attrs.flags);
}

struct walked {
	struct rig *rig;
	uint64_t bytes;
};

static enum nw_status at_leaf(const struct nw_visit *visit)
{
	struct walked *w = visit->arg;
	uint64_t ia = visit->ia.v, last = ia + visit->span_bytes - 1;
	const struct flat_span *want = flat_at(&w->rig->flat, ia);
	struct nw_decoded out;

	w->bytes += visit->span_bytes;
	visit->ops->decode(visit->geo, visit->level, visit->old, &out);
	if (out.kind != NW_ENTRY_LEAF)
		rig_fail(w->rig, "leaf at %#llx: %s", (unsigned long long)ia,
			 nw_reason_text(out.reason));
	/* A member of a run may hold the run's address. */
	if (out.attrs.flags & NW_LEAF_CONTIG) {
		struct nw_mapping m;

		rig_expect(w->rig, nw_lookup(&w->rig->table, NW_IA(ia), &m),
			   NW_OK);
		out.pa = m.pa;
	}
	/* Spans that were cut may lie beside one another in one leaf. */
	if (!want || want->annotation || !flat_at(&w->rig->flat, last) ||
	    out.pa.v != want->pa + (ia - want->start))
		rig_fail(w->rig, "leaf at %#llx is not in the model",
			 (unsigned long long)ia);
	return NW_OK;
}

void rig_check(struct rig *rig)
{
	uint64_t limit = UINT64_C(1) << rig->config.ia_bits;
	uint64_t granule = UINT64_C(1) << rig->config.granule_lg2;
	struct walked w = {.rig = rig};

	rig_expect(rig,
		   nw_walk(&rig->table, NW_IA(0), limit, NW_VISIT_LEAF, at_leaf,
			   &w, NULL),
		   NW_OK);
	if (w.bytes != flat_bytes(&rig->flat))
		rig_fail(rig, "%#llx bytes are mapped, expected %#llx",
			 (unsigned long long)w.bytes,
			 (unsigned long long)flat_bytes(&rig->flat));
	check_at(rig, 0);
	check_at(rig, limit - 1);
	for (unsigned i = 0; i < rig->flat.spans; i++) {
		const struct flat_span *s = &rig->flat.span[i];

		check_at(rig, s->start);
		check_at(rig, s->start + 8);
		check_at(rig, s->end - 1);
		check_at(rig, s->start + (s->end - s->start) / 2);
		if (s->start)
			check_at(rig, s->start - granule);
		if (s->end < limit)
			check_at(rig, s->end);
	}
}

unsigned rig_level(struct rig *rig, uint64_t ia)
{
	struct nw_mapping m;

	rig_expect(rig, nw_lookup(&rig->table, NW_IA(ia), &m), NW_OK);
	if (m.kind != NW_ENTRY_LEAF)
		rig_fail(rig, "%#llx is not mapped", (unsigned long long)ia);
	return m.level;
}
