/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor's own table may never grant. */
#include "../rule.h"

#define MANUAL                                                                 \
	"requirements, entries; DDI 0487 D8.4, Stage 1 instruction execution " \
	"permissions"

static int both(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->is_writable_exec;
}

static int device(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->is_device_exec;
}

static const struct nwv_rule_def rules[] = {
	{{"WX-01", "a hypervisor leaf is writable and executable",
	  "Whoever can write one byte there runs code at EL2. DBM counts as "
	  "writable where hardware manages dirty state.",
	  MANUAL},
	 NWV_ON_REACH,
	 both},
	{{"WX-02", "a hypervisor leaf of device memory is executable",
	  "Speculative fetches would read device registers.", MANUAL},
	 NWV_ON_REACH,
	 device},
};

const struct nwv_family nwv_family_wx = NWV_FAMILY(rules);
