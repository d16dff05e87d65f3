/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for statuses and reasons. An entry that is missing reads as unknown. */
#include <nestwalk/format.h>

struct status_text {
	const char *name;
	const char *advice;
};

#define STATUS(status, advice) [status] = {#status, advice}

static const struct status_text statuses[NW_E_STATUS_COUNT] = {
	STATUS(NW_OK, "nothing to do"),
	STATUS(NW_MORE, "budget spent: call again with the same arguments"),
	STATUS(NW_E_EMPTY, "size is 0: pass at least one page"),
	STATUS(NW_E_MISALIGNED,
	       "pass an address and size that are multiples of the granule"),
	STATUS(NW_E_OVERFLOW, "start + size wraps: pass a smaller size"),
	STATUS(NW_E_IA_RANGE,
	       "input range leaves the table: check the range and ia_bits"),
	STATUS(NW_E_OA_RANGE,
	       "output range leaves the format: check the range and oa_bits"),
	STATUS(NW_E_ATTRS,
	       "this format and feature set cannot express these attributes: "
	       "pass others"),
	STATUS(NW_E_LEVEL,
	       "no leaf of that level in this format: see leaf_levels"),
	STATUS(NW_E_EXISTS, "something is mapped there: unmap it first"),
	STATUS(NW_E_WOULD_BREAK,
	       "a live entry needs break-before-make: unmap, flush, map"),
	STATUS(NW_E_ABSENT, "nothing is mapped there: map it first"),
	STATUS(NW_E_NOMEM, "no table page left: top up the cache, continue at "
			   "result.reached"),
	STATUS(NW_E_BUSY, "another CPU owns the entry: retry"),
	STATUS(NW_E_RACED, "another CPU mapped it first: look again"),
	STATUS(NW_E_MODE, "not in this table's mode: see enum nw_mode"),
	STATUS(NW_E_CONFIG,
	       "configuration refused: correct the field in result.argument"),
	STATUS(NW_E_CORRUPT,
	       "a reserved encoding is in the table: see result.level and "
	       "result.entry"),
	STATUS(NW_E_UNSUPPORTED,
	       "this build or format cannot do that: use another"),
	STATUS(NW_E_NULL,
	       "a required pointer is NULL: see result.argument, pass it"),
	STATUS(NW_E_LIMIT, "a fixed limit is reached: release one first"),
	STATUS(NW_E_WRONG_KIND, "object is of another kind: use its own call"),
	STATUS(NW_E_WRONG_CPU, "object belongs to another CPU: use it there"),
	STATUS(NW_E_MISMATCH, "something else is there: see result.entry"),
	STATUS(NW_E_QUOTA,
	       "the table has as many pages as it may: free some, raise it"),
};

static const char *const reasons[NW_REASON_COUNT] = {
	[NW_REASON_NONE] = "not reserved",
	[NW_REASON_TYPE_AT_LEVEL] = "this type does not exist at this level",
	[NW_REASON_ADDRESS_ALIGN] = "address bits below the leaf's size",
	[NW_REASON_ADDRESS_SIZE] = "address beyond the output size",
	[NW_REASON_MEMTYPE] = "reserved memory type",
	[NW_REASON_SHARE] = "reserved shareability",
	[NW_REASON_RIGHTS] = "rights that are not defined or not allowed",
	[NW_REASON_RES0] = "a bit that must be zero is set",
	[NW_REASON_RES1] = "a bit that must be one is clear",
	[NW_REASON_FEATURE] = "a bit of a feature that is absent",
	[NW_REASON_LEVEL] = "the geometry has no such level",
};

static const struct status_text *status_text(enum nw_status status)
{
	static const struct status_text unknown = {
		"unknown status",
		"no status of this library: check the caller"};
	unsigned index = (unsigned)status;

	if (index >= NW_E_STATUS_COUNT || !statuses[index].name)
		return &unknown;
	return &statuses[index];
}

const char *nw_status_name(enum nw_status status)
{
	return status_text(status)->name;
}

const char *nw_status_advice(enum nw_status status)
{
	return status_text(status)->advice;
}

const char *nw_reason_text(enum nw_reason reason)
{
	unsigned index = (unsigned)reason;

	if (index >= NW_REASON_COUNT || !reasons[index])
		return "unknown reason";
	return reasons[index];
}
