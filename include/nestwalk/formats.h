/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formats of a build, and what each gives: nw_map() and friends of table.h
 * dispatch on this. Included by table.h.
 */
#ifndef NESTWALK_FORMATS_H
#define NESTWALK_FORMATS_H

#include <nestwalk/prepared.h>
#include <nestwalk/replace.h>
#include <nestwalk/table.h>

/*
 * A format and the engine compiled for it. The pure part needs no table.
 */
struct nw_format_ops {
	const char *name;
	uint8_t trace_id; /* enum nw_format_id: how a trace names the format */
	uint8_t regimes;  /* who walks it: bit n for enum nw_regime n */
	nw_entry_t empty; /* an entry where nothing is */
	uint8_t annotation_bits; /* width of an annotation's value */
	uint64_t (*annotation_value)(nw_entry_t entry); /* 0: it is none */
	enum nw_status (*geometry)(const struct nw_format_config *config,
				   struct nw_geometry *geo,
				   const char **argument);
	enum nw_status (*encode_leaf)(const struct nw_geometry *geo,
				      unsigned level, nw_pa_t pa,
				      const struct nw_attrs *attrs,
				      nw_entry_t *entry);
	void (*decode)(const struct nw_geometry *geo, unsigned level,
		       nw_entry_t entry, struct nw_decoded *out);
	int (*change_needs_break)(const struct nw_geometry *geo,
				  unsigned level, nw_entry_t old,
				  nw_entry_t new_entry);
	enum nw_status (*map)(struct nw_table *, nw_ia_t, uint64_t, nw_pa_t,
			      const struct nw_attrs *, unsigned,
			      struct nw_page_cache *, struct nw_result *);
	enum nw_status (*prepare)(struct nw_table *, unsigned,
				  const struct nw_attrs *,
				  struct nw_prepared *);
	enum nw_status (*unmap)(struct nw_table *, nw_ia_t, uint64_t,
				struct nw_page_cache *, struct nw_result *);
	enum nw_status (*unmap_dirty)(struct nw_table *, nw_ia_t, uint64_t,
				      nw_range_fn, void *,
				      struct nw_page_cache *,
				      struct nw_result *);
	enum nw_status (*annotate)(struct nw_table *, nw_ia_t, uint64_t,
				   uint64_t, const struct nw_expected *,
				   struct nw_page_cache *, struct nw_result *);
	enum nw_status (*check_range)(struct nw_table *, nw_ia_t, uint64_t,
				      const struct nw_expected *,
				      struct nw_result *);
	enum nw_status (*replace)(struct nw_table *, nw_ia_t, uint64_t, nw_pa_t,
				  const struct nw_attrs *, nw_replaced_fn,
				  void *, struct nw_page_cache *,
				  struct nw_result *);
	enum nw_status (*remap)(struct nw_table *, nw_ia_t, uint64_t, nw_pa_t,
				const struct nw_attrs *, unsigned, nw_range_fn,
				void *, struct nw_page_cache *,
				struct nw_result *);
	enum nw_status (*unmap_gather)(struct nw_table *, nw_ia_t, uint64_t,
				       struct nw_page_cache *,
				       struct nw_gather *, struct nw_result *);
	enum nw_status (*write_protect_gather)(struct nw_table *, nw_ia_t,
					       uint64_t, nw_range_fn, void *,
					       struct nw_page_cache *,
					       struct nw_gather *,
					       struct nw_result *);
	enum nw_status (*harvest_dirty_gather)(struct nw_table *, nw_ia_t,
					       uint64_t, nw_range_fn, void *,
					       struct nw_gather *,
					       struct nw_result *);
	enum nw_status (*protect)(struct nw_table *, nw_ia_t, uint64_t,
				  enum nw_protect, unsigned,
				  struct nw_page_cache *, struct nw_result *);
	enum nw_status (*write_protect)(struct nw_table *, nw_ia_t, uint64_t,
					nw_range_fn, void *,
					struct nw_page_cache *,
					struct nw_result *);
	enum nw_status (*harvest_dirty)(struct nw_table *, nw_ia_t, uint64_t,
					nw_range_fn, void *,
					struct nw_result *);
	enum nw_status (*age)(struct nw_table *, nw_ia_t, uint64_t, enum nw_age,
			      uint64_t *, struct nw_result *);
	enum nw_status (*split)(struct nw_table *, nw_ia_t, unsigned,
				struct nw_page_cache *, struct nw_result *);
	enum nw_status (*split_range)(struct nw_table *, nw_ia_t, uint64_t,
				      unsigned, unsigned,
				      struct nw_page_cache *,
				      struct nw_result *);
	enum nw_status (*collapse)(struct nw_table *, nw_ia_t, uint64_t,
				   unsigned, unsigned, struct nw_result *);
	enum nw_status (*reclaim_tables)(struct nw_table *, nw_ia_t, uint64_t,
					 unsigned, struct nw_result *);
	enum nw_status (*lookup)(struct nw_table *, nw_ia_t,
				 struct nw_mapping *);
	enum nw_status (*walk)(struct nw_table *, nw_ia_t, uint64_t, unsigned,
			       nw_visitor_fn, void *, struct nw_result *);
	enum nw_status (*teardown_step)(struct nw_table *, unsigned);
	enum nw_status (*slot_prepare)(struct nw_table *, nw_ia_t, unsigned,
				       struct nw_page_cache *, nw_pteref_t *);
	/* Private to src/: pages that nothing reaches any more. */
	void (*free_subtree)(struct nw_table *, nw_pa_t, unsigned);
};

/*
 * The formats (docs/formats.md): those that the build was configured with.
 * arm64 is one format for each stage and granule; the plain names are 4 KiB.
 * A name with _lpa2: FEAT_LPA2 in force (TCR_ELx.DS).
 */
/* arm64 stage 2 */
extern const struct nw_format_ops nw_arm64_s2_ops;
extern const struct nw_format_ops nw_arm64_s2_16k_ops;
extern const struct nw_format_ops nw_arm64_s2_64k_ops;
extern const struct nw_format_ops nw_arm64_s2_4k_lpa2_ops;
extern const struct nw_format_ops nw_arm64_s2_16k_lpa2_ops;
/* arm64 stage 1 of EL2 */
extern const struct nw_format_ops nw_arm64_el2_ops;
extern const struct nw_format_ops nw_arm64_el2_16k_ops;
extern const struct nw_format_ops nw_arm64_el2_64k_ops;
extern const struct nw_format_ops nw_arm64_el2_4k_lpa2_ops;
extern const struct nw_format_ops nw_arm64_el2_16k_lpa2_ops;
/* arm64 stage 1 of EL1&0 */
extern const struct nw_format_ops nw_arm64_el10_ops;
extern const struct nw_format_ops nw_arm64_el10_16k_ops;
extern const struct nw_format_ops nw_arm64_el10_64k_ops;
extern const struct nw_format_ops nw_arm64_el10_4k_lpa2_ops;
extern const struct nw_format_ops nw_arm64_el10_16k_lpa2_ops;
/* x86-64 paging with 4 and 5 levels, the same as nested paging, and EPT */
extern const struct nw_format_ops nw_x86_64_ops;
extern const struct nw_format_ops nw_x86_npt_ops;
extern const struct nw_format_ops nw_x86_ept_ops;
/* RISC-V first stage and G-stage */
extern const struct nw_format_ops nw_riscv_s_ops;
extern const struct nw_format_ops nw_riscv_g_ops;

/* All of this build; NULL ends the list. */
extern const struct nw_format_ops *const nw_all_formats[];

#endif
