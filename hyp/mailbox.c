/* SPDX-License-Identifier: BSD-2-Clause */
#include <nestwalk/trace.h>

#include "dirty.h"
#include "lib.h"
#include "report.h"
#include "sysreg.h"

_Static_assert(sizeof(struct nw_mailbox) <= NW_HYP_MAILBOX_BYTES,
	       "the mailbox has its own pages");
_Static_assert(offsetof(struct nw_mailbox, text_written) == 0x30, "layout");
_Static_assert(offsetof(struct nw_mailbox, guest_ram_pa) == 0x40, "layout");
_Static_assert(offsetof(struct nw_mailbox, sabotage) == 0x70, "layout");
_Static_assert(offsetof(struct nw_mailbox, name) == 0x80, "layout");
_Static_assert(NW_C_dmb_ishst + NW_BARRIER_AT_EL2 == NW_C_ipas2e1is,
	       "barriers as in enum nw_barrier");
_Static_assert(NW_C_ipas2e1is + NW_TLBI_AT_EL2 == NW_C_tables_allocated,
	       "invalidations as in enum nw_tlbi");

static const char counter_names[NW_C_COUNT][NW_MAILBOX_NAME_BYTES] = {
#define X(kind, name) #kind ":" #name,
	NW_MAILBOX_COUNTERS(X)
#undef X
};

static const char *sabotage_name(void)
{
	if (NW_SABOTAGE_NO_TLBI)
		return "no-tlbi";
	if (NW_SABOTAGE_LOCAL_TLBI)
		return "local-tlbi";
	if (NW_SABOTAGE_NO_IPAS2)
		return "no-ipas2";
	if (NW_SABOTAGE_EARLY_FREE)
		return "early-free";
	if (NW_SABOTAGE_NO_BBM)
		return "no-bbm";
	if (NW_SABOTAGE_LOST_DIRTY)
		return "lost-dirty";
	if (NW_SABOTAGE_STALE_DIRTY)
		return "stale-dirty";
	return "none";
}

void mailbox_init(void)
{
	const char *sabotage = sabotage_name();

	memset(mailbox, 0, sizeof(*mailbox));
	mailbox->version = NW_MAILBOX_VERSION;
	mailbox->bytes = sizeof(*mailbox);
	mailbox->state = NW_MAILBOX_BOOTING;
	mailbox->cpus = NW_MAILBOX_CPUS;
	mailbox->counters = NW_C_COUNT;
	mailbox->names_offset = offsetof(struct nw_mailbox, name);
	mailbox->rows_offset = offsetof(struct nw_mailbox, row);
	mailbox->text_offset = offsetof(struct nw_mailbox, text);
	mailbox->text_bytes = NW_MAILBOX_TEXT_BYTES;
	mailbox->counter_hz = sysreg_read("cntfrq_el0");
	mailbox->boot_ticks = sysreg_read("cntpct_el0");
	memcpy(mailbox->sabotage, sabotage, strlen(sabotage));
	memcpy(mailbox->name, counter_names, sizeof(counter_names));
	DSB("sy");
	__atomic_store_n(&mailbox->magic, NW_MAILBOX_MAGIC, __ATOMIC_RELEASE);
}

void mailbox_phase(enum nw_mailbox_phase phase)
{
	__atomic_store_n(&mailbox->phase, phase, __ATOMIC_RELEASE);
}

void mailbox_state(enum nw_mailbox_state state)
{
	__atomic_store_n(&mailbox->state, state, __ATOMIC_RELEASE);
}

void mailbox_gauge(enum nw_mailbox_counter gauge, uint64_t value)
{
	__atomic_store_n(&mailbox->row[0][gauge], value, __ATOMIC_RELAXED);
}
