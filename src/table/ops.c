/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One format's entry points, for callers that choose at run time.
 */
#include "engine.h"
#include "../format/instances.h"

/* A format of several instances names its family. */
#ifdef NWF_TRACE_ID
#define NW_FORMAT_ID NWF_TRACE_ID
#else
#define NW_ID_JOIN(format) NW_FORMAT_ID_##format
#define NW_ID_EXPAND(format) NW_ID_JOIN(format)
#define NW_FORMAT_ID NW_ID_EXPAND(NW_FORMAT)
#endif

const struct nw_format_ops NW_FN(ops) = {
	.name = NW_FORMAT_NAME,
	.trace_id = NW_FORMAT_ID,
	.regimes = NWF_REGIMES,
	.empty = NWF_EMPTY,
	.annotation_bits = NWF_ANNOTATION_BITS,
	.annotation_value = NW_FN(annotation_value),
	.geometry = NW_FN(geometry),
	.encode_leaf = NW_FN(encode_leaf),
	.decode = NW_FN(decode),
	.change_needs_break = NW_FN(change_needs_break),
	.map = NW_FN(map),
	.prepare = NW_FN(prepare),
	.unmap = NW_FN(unmap),
	.unmap_dirty = NW_FN(unmap_dirty),
	.unmap_gather = NW_FN(unmap_gather),
	.write_protect_gather = NW_FN(write_protect_gather),
	.harvest_dirty_gather = NW_FN(harvest_dirty_gather),
	.annotate = NW_FN(annotate),
	.check_range = NW_FN(check_range),
	.replace = NW_FN(replace),
	.remap = NW_FN(remap),
	.protect = NW_FN(protect),
	.write_protect = NW_FN(write_protect),
	.harvest_dirty = NW_FN(harvest_dirty),
	.age = NW_FN(age),
	.split = NW_FN(split),
	.split_range = NW_FN(split_range),
	.collapse = NW_FN(collapse),
	.reclaim_tables = NW_FN(reclaim_tables),
	.lookup = NW_FN(lookup),
	.walk = NW_FN(walk),
	.teardown_step = NW_FN(teardown_step),
	.slot_prepare = NW_FN(slot_prepare),
	.free_subtree = NW_FN(free_subtree),
};
