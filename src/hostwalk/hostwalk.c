/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock-free walk of somebody else's table (hostwalk.h). Format by format the
 * decoder decides; nothing of it is ours, so nothing is trusted.
 */
#include <nestwalk/hostwalk.h>

#include <nestwalk/table.h>
#include <nestwalk/trace.h>
#include "nw_port.h"

static enum nw_status refuse(struct nw_result *result, enum nw_status status,
			     const char *argument)
{
	if (result)
		*result = (struct nw_result){.status = status,
					     .argument = argument};
	return status;
}

/* A table page, or the concatenated root pages, inside the window. */
static int is_inside(const struct nw_hostwalk *w, uint64_t page, uint64_t bytes)
{
	return page >= w->window_start.v && page < w->window_end.v &&
	       w->window_end.v - page >= bytes;
}

enum nw_status nw_hostwalk_init(struct nw_hostwalk *w,
				const struct nw_format_config *config,
				struct nw_result *result)
{
	const char *argument = NULL;
	enum nw_status status;
	uint64_t bytes;

	if (!w || !config)
		return refuse(result, NW_E_NULL, w ? "config" : "w");
	if (!w->ops)
		return refuse(result, NW_E_NULL, "ops");
	if (!w->hold != !w->release)
		return refuse(result, NW_E_NULL, w->hold ? "release" : "hold");
	status = w->ops->geometry(config, &w->geo, &argument);
	if (status)
		return refuse(result, status, argument);
	bytes = UINT64_C(1) << (w->geo.granule_lg2 + w->geo.root_pages_lg2);
	if (w->root.v & (bytes - 1) || !is_inside(w, w->root.v, bytes))
		return refuse(result, NW_E_CONFIG, "root");
	return refuse(result, NW_OK, NULL);
}

/*
 * The entry of `level` over hva, in one load. Its value is carried on; loads
 * through the address in it depend on it, which orders them (ORD-01: pairs with
 * the host's release of the link).
 */
static nw_entry_t read_once(const struct nw_hostwalk *w, uint64_t page,
			    unsigned level, uint64_t hva)
{
	const unsigned top = w->geo.levels - 1u;
	uint64_t index = hva >> nw_span_lg2(&w->geo, level);
	const uint64_t *word;
	nw_entry_t value;

	/* Concatenated roots are one page: no mask there. */
	if (level != top)
		index &= (UINT64_C(1) << w->geo.index_bits) - 1;
	word = (const uint64_t *)(uintptr_t)(page + w->virt_minus_phys) + index;
	value = nw_port_load(word);
	NW_TRACE(NW_EV_ENTRY_READ, (uintptr_t)word, value, 0);
	return value;
}

static enum nw_status walk(const struct nw_hostwalk *w, uint64_t hva,
			   struct nw_host_mapping *out)
{
	const uint64_t page_bytes = UINT64_C(1) << w->geo.granule_lg2;
	unsigned level = w->geo.levels - 1u;
	uint64_t page = w->root.v, offset;
	struct nw_decoded d;

	for (;; level--) {
		w->ops->decode(&w->geo, level, read_once(w, page, level, hva),
			       &d);
		if (d.kind != NW_ENTRY_TABLE)
			break;
		page = d.pa.v;
		if (!level || !is_inside(w, page, page_bytes))
			return NW_E_CORRUPT;
	}
	if (d.kind == NW_ENTRY_RESERVED)
		return NW_E_CORRUPT;
	*out = (struct nw_host_mapping){.is_mapped = 0};
	if (d.kind != NW_ENTRY_LEAF)
		return NW_OK;
	offset = hva & ((UINT64_C(1) << d.span_lg2) - 1);
	out->is_mapped = 1;
	out->level = (uint8_t)level;
	out->size_lg2 = (uint8_t)nw_span_lg2(&w->geo, level);
	out->prot = d.attrs.prot;
	out->pa = NW_PA(d.pa.v + offset);
	return NW_OK;
}

enum nw_status nw_hostwalk_look(const struct nw_hostwalk *w, nw_hva_t hva,
				struct nw_host_mapping *out)
{
	enum nw_status status;

	if (!w || !out)
		return NW_E_NULL;
	if (hva.v >> w->geo.ia_bits)
		return NW_E_IA_RANGE;
	if (w->hold)
		w->hold(w->ctx);
	status = walk(w, hva.v, out);
	if (w->release)
		w->release(w->ctx);
	return status;
}

unsigned nw_hostwalk_fault_size_lg2(const struct nw_hostwalk *w, nw_hva_t hva)
{
	struct nw_host_mapping m;

	if (nw_hostwalk_look(w, hva, &m) || !m.is_mapped)
		return w->geo.granule_lg2;
	return m.size_lg2;
}
