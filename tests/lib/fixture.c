/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHYS_BASE 0x40000000ull

static const struct nw_format_ops *const s2 = &nw_arm64_s2_ops;
static const struct nw_format_ops *const el2 = &nw_arm64_el2_ops;

const struct variant variants[] = {
	{"s2-32", &s2, NW_REGIME_STAGE2, 32, 40, 0},
	{"s2-36", &s2, NW_REGIME_STAGE2, 36, 40, 0},
	{"s2-39", &s2, NW_REGIME_STAGE2, 39, 40, 0},
	{"s2-40", &s2, NW_REGIME_STAGE2, 40, 40, 0},
	{"s2-42", &s2, NW_REGIME_STAGE2, 42, 44, 0},
	{"s2-48", &s2, NW_REGIME_STAGE2, 48, 48, 0},
	{"s2-40-fwb", &s2, NW_REGIME_STAGE2, 40, 48,
	 NW_FEAT_FWB | NW_FEAT_XNX},
	{"s2-40-bbm2", &s2, NW_REGIME_STAGE2, 40, 48,
	 NW_FEAT_BBM1 | NW_FEAT_BBM2},
	{"s2-40-hafdbs", &s2, NW_REGIME_STAGE2, 40, 48,
	 NW_FEAT_HAF | NW_FEAT_HD},
	{"el2-32", &el2, NW_REGIME_EL2, 32, 40, 0},
	{"el2-36", &el2, NW_REGIME_EL2, 36, 40, 0},
	{"el2-39", &el2, NW_REGIME_EL2, 39, 40, 0},
	{"el2-40", &el2, NW_REGIME_EL2, 40, 44, 0},
	{"el2-42", &el2, NW_REGIME_EL2, 42, 48, 0},
	{"el2-48", &el2, NW_REGIME_EL2, 48, 48, 0},
};

const unsigned variants_count = sizeof(variants) / sizeof(variants[0]);

const struct variant *variant_find(const char *name)
{
	unsigned i;

	for (i = 0; i < variants_count; i++)
		if (strcmp(variants[i].name, name) == 0)
			return &variants[i];
	return NULL;
}

struct nw_table_config fixture_config(struct fixture *f,
				      const struct variant *variant,
				      enum nw_mode mode)
{
	return (struct nw_table_config){
		.ops = *variant->ops,
		.format = {
			.granule_lg2 = 12,
			.ia_bits = variant->ia_bits,
			.oa_bits = variant->oa_bits,
			.features = variant->features,
		},
		.port = &f->arena.ops,
		.port_ctx = &f->arena,
		.mode = mode,
		.regime = variant->regime,
		.tag = variant->regime == NW_REGIME_STAGE2 ? 7 : 0,
	};
}

void fixture_open(struct fixture *f, const struct variant *variant,
		  enum nw_mode mode, unsigned arena_pages)
{
	struct nw_table_config config;

	memset(f, 0, sizeof(*f));
	f->variant = variant;
	if (nw_arena_init(&f->arena, PHYS_BASE, arena_pages, 12) != 0) {
		fprintf(stderr, "no memory for an arena\n");
		exit(2);
	}
	config = fixture_config(f, variant, mode);
	if (nw_table_init(&f->table, &config, &f->result) != NW_OK) {
		fprintf(stderr, "%s: nw_table_init: %s (%s)\n", variant->name,
			nw_status_name(f->result.status),
			f->result.argument ? f->result.argument : "-");
		exit(2);
	}
	f->regs = aw_regs_of(&f->table);
}

const char *fixture_close(struct fixture *f)
{
	static char text[256];
	const char *wrong;

	text[0] = 0;
	nw_table_destroy(&f->table);
	wrong = nw_arena_error(&f->arena);
	if (wrong)
		snprintf(text, sizeof(text), "%s", wrong);
	else if (f->arena.live)
		snprintf(text, sizeof(text),
			 "%llu table pages live after nw_table_destroy()",
			 (unsigned long long)f->arena.live);
	nw_arena_fini(&f->arena);
	aw_view_free(&f->view);
	return text[0] ? text : NULL;
}

const char *fixture_look(struct fixture *f, unsigned cached)
{
	static char text[256];
	unsigned i;

	if (aw_walk(&f->regs, &f->arena, &f->view))
		return f->view.error;
	nw_arena_linked_clear(&f->arena);
	for (i = 0; i < f->view.pages; i++) {
		const struct aw_page *page = &f->view.page[i];

		if (page->arm_level == f->regs.start_level)
			continue; /* a root */
		nw_arena_note_linked(&f->arena, page->pa, page->ia,
				     page->ia + 512 * aw_span(page->arm_level));
	}
	if (nw_arena_error(&f->arena))
		return nw_arena_error(&f->arena);
	if (f->arena.live != f->view.pages + cached) {
		snprintf(text, sizeof(text),
			 "%llu pages live, but %u reachable and %u cached",
			 (unsigned long long)f->arena.live, f->view.pages,
			 cached);
		return text;
	}
	return NULL;
}

struct nw_attrs fixture_attrs(const struct variant *variant, unsigned prot)
{
	/* Fetches from el2 tables are privileged ones only. */
	if (variant->regime == NW_REGIME_EL2)
		prot &= ~NW_PROT_UX;
	return (struct nw_attrs){
		.prot = (uint8_t)prot,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = NW_LEAF_ACCESSED,
	};
}

struct nw_mapping fixture_at(struct fixture *f, uint64_t ia)
{
	struct nw_mapping m;

	memset(&m, 0, sizeof(m));
	if (nw_lookup(&f->table, NW_IA(ia), &m) != NW_OK)
		m.kind = NW_ENTRY_RESERVED;
	return m;
}

int fixture_flushed(const struct fixture *f, uint64_t start, uint64_t end,
		    unsigned level)
{
	unsigned i;

	while (start < end) {
		for (i = 0; i < f->arena.flushes; i++) {
			const struct nw_flush_range *r =
				&f->arena.flush[i].range;

			if (r->start > start || r->end <= start)
				continue;
			if (level == FIXTURE_TABLE_GONE
				    ? r->had_tables
				    : (r->leaf_levels >> level) & 1)
				break;
		}
		if (i == f->arena.flushes)
			return 0;
		start = f->arena.flush[i].range.end;
	}
	return 1;
}
