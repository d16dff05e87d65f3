/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies of instances.h, written once. The includer has included its format
 * and defines NW_INSTANCE(member), the name of the function.
 */
#include "instances.h"

enum nw_status NW_INSTANCE(geometry)(const struct nw_format_config *config,
				     struct nw_geometry *geo,
				     const char **argument)
{
	const char *unread;

	if (!argument)
		argument = &unread;
	if (!config || !geo) {
		*argument = config ? "geo" : "config";
		return NW_E_NULL;
	}
	return nwf_geometry(config, geo, argument);
}

enum nw_status NW_INSTANCE(encode_leaf)(const struct nw_geometry *geo,
					unsigned level, nw_pa_t pa,
					const struct nw_attrs *attrs,
					nw_entry_t *entry)
{
	enum nw_status status;
	nw_entry_t leaf;

	if (!geo || !attrs || !entry)
		return NW_E_NULL;
	status = nwf_leaf_template(geo, level, attrs, &leaf);
	if (status != NW_OK)
		return status;
	if (pa.v & ((UINT64_C(1) << nw_span_lg2(geo, level)) - 1))
		return NW_E_MISALIGNED;
	/* An aligned leaf that begins inside the output range ends inside. */
	if (pa.v >> geo->oa_bits)
		return NW_E_OA_RANGE;
	*entry = nwf_leaf_at(geo, leaf, pa.v);
	return NW_OK;
}

void NW_INSTANCE(decode)(const struct nw_geometry *geo, unsigned level,
			 nw_entry_t entry, struct nw_decoded *out)
{
	nwf_decode(geo, level, entry, out);
	out->span_lg2 = 0;
	if (out->kind == NW_ENTRY_LEAF)
		out->span_lg2 = (uint8_t)nwf_leaf_span_lg2(geo, level, entry);
}

int NW_INSTANCE(change_needs_break)(const struct nw_geometry *geo,
				    unsigned level, nw_entry_t old,
				    nw_entry_t new_entry)
{
	return nwf_change_needs_break(geo, level, old, new_entry);
}
