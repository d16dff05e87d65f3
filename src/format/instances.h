/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pure part of each format, out of line: the members of the same names in
 * struct nw_format_ops. No memory of a table is touched; no lock is needed.
 */
#ifndef NW_FORMAT_INSTANCES_H
#define NW_FORMAT_INSTANCES_H

#include <nestwalk/format.h>

/*
 * geometry     NW_OK; NW_E_CONFIG with the field's name in *argument; NW_E_NULL
 *              for config or geo. `argument` may be NULL. *geo is written on
 *              NW_OK only.
 * encode_leaf  NW_OK; NW_E_LEVEL, NW_E_ATTRS, NW_E_MISALIGNED (pa is no
 *              multiple of the leaf's size), NW_E_OA_RANGE (the leaf ends
 *              beyond oa_bits), NW_E_NULL. *entry is written on NW_OK only.
 * decode       always fills *out; what is wrong is in out->reason.
 * change_needs_break  non-zero: break-before-make (contract.h).
 */
#define NW_FORMAT_INSTANCE(name)                                               \
	enum nw_status nw_##name##_geometry(                                   \
		const struct nw_format_config *config,                         \
		struct nw_geometry *geo, const char **argument);               \
	enum nw_status nw_##name##_encode_leaf(                                \
		const struct nw_geometry *geo, unsigned level, nw_pa_t pa,     \
		const struct nw_attrs *attrs, nw_entry_t *entry);              \
	void nw_##name##_decode(const struct nw_geometry *geo, unsigned level, \
				nw_entry_t entry, struct nw_decoded *out);     \
	int nw_##name##_change_needs_break(const struct nw_geometry *geo,      \
					   unsigned level, nw_entry_t old,     \
					   nw_entry_t new_entry);

/* Every format there is. */
#define NW_FORMATS(X)                                                          \
	X(arm64_s2) X(arm64_s2_16k) X(arm64_s2_64k) \
	X(arm64_s2_4k_lpa2) X(arm64_s2_16k_lpa2) \
	X(arm64_el2) X(arm64_el2_16k) X(arm64_el2_64k) \
	X(arm64_el2_4k_lpa2) X(arm64_el2_16k_lpa2) \
	X(arm64_el10) X(arm64_el10_16k) X(arm64_el10_64k) \
	X(arm64_el10_4k_lpa2) X(arm64_el10_16k_lpa2) \
	X(x86_64) X(x86_npt) X(x86_ept) \
	X(riscv_s) X(riscv_g)

NW_FORMATS(NW_FORMAT_INSTANCE)

#endif
