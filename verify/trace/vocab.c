// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of events. The numbers are those of include/nestwalk/trace.h and
 * event.h; what is added there must be added here (the assertions below).
 */
#include "vocab.h"

#include <string.h>

#include <nestwalk/format.h>
#include <nestwalk/port.h>
#include <nestwalk/table.h>

static const struct nwv_name barrier_names[] = {
	{"dmb_ishst", NW_BARRIER_DMB_ISHST},
	{"dsb_ish", NW_BARRIER_DSB_ISH},
	{"dsb_ishst", NW_BARRIER_DSB_ISHST},
	{"dsb_nsh", NW_BARRIER_DSB_NSH},
	{"dsb_nshst", NW_BARRIER_DSB_NSHST},
	{"dsb_sy", NW_BARRIER_DSB_SY},
	{"isb", NW_BARRIER_ISB},
	{"mfence", NW_BARRIER_X86_MFENCE},
	{"tlbsync", NW_BARRIER_X86_TLBSYNC},
	{"fence_w", NW_BARRIER_RISCV_FENCE_W},
	{"fence_rw", NW_BARRIER_RISCV_FENCE_RW},
	{NULL, 0},
};
_Static_assert(sizeof(barrier_names) / sizeof(barrier_names[0]) ==
		       NW_BARRIER_COUNT + 1,
	       "every barrier has a name");

static const struct nwv_name tlbi_names[] = {
	{"ipas2e1is", NW_TLBI_IPAS2E1IS},
	{"ripas2e1is", NW_TLBI_RIPAS2E1IS},
	{"vmalle1is", NW_TLBI_VMALLE1IS},
	{"vmalls12e1is", NW_TLBI_VMALLS12E1IS},
	{"alle1is", NW_TLBI_ALLE1IS},
	{"alle1", NW_TLBI_ALLE1},
	{"vmalle1", NW_TLBI_VMALLE1},
	{"vae2is", NW_TLBI_VAE2IS},
	{"vale2is", NW_TLBI_VALE2IS},
	{"rvae2is", NW_TLBI_RVAE2IS},
	{"vae2", NW_TLBI_VAE2},
	{"vale2", NW_TLBI_VALE2},
	{"alle2is", NW_TLBI_ALLE2IS},
	{"alle2", NW_TLBI_ALLE2},
	{"ipas2e1", NW_TLBI_IPAS2E1},
	{"ripas2e1", NW_TLBI_RIPAS2E1},
	{"vmalls12e1", NW_TLBI_VMALLS12E1},
	{"ipas2le1is", NW_TLBI_IPAS2LE1IS},
	{"ripas2le1is", NW_TLBI_RIPAS2LE1IS},
	{"rvale2is", NW_TLBI_RVALE2IS},
	{"vae1is", NW_TLBI_VAE1IS},
	{"vale1is", NW_TLBI_VALE1IS},
	{"vaae1is", NW_TLBI_VAAE1IS},
	{"vaale1is", NW_TLBI_VAALE1IS},
	{"aside1is", NW_TLBI_ASIDE1IS},
	{"rvae1is", NW_TLBI_RVAE1IS},
	{"rvale1is", NW_TLBI_RVALE1IS},
	{"rvaae1is", NW_TLBI_RVAAE1IS},
	{"rvaale1is", NW_TLBI_RVAALE1IS},
	{"vae1", NW_TLBI_VAE1},
	{"vale1", NW_TLBI_VALE1},
	{"aside1", NW_TLBI_ASIDE1},
	{"invlpg", NW_TLBI_X86_INVLPG},
	{"invpcid_addr", NW_TLBI_X86_INVPCID_ADDR},
	{"invpcid_pcid", NW_TLBI_X86_INVPCID_PCID},
	{"invpcid_all", NW_TLBI_X86_INVPCID_ALL},
	{"mov_cr3", NW_TLBI_X86_MOV_CR3},
	{"invlpgb", NW_TLBI_X86_INVLPGB},
	{"invept_single", NW_TLBI_X86_INVEPT_SINGLE},
	{"invept_all", NW_TLBI_X86_INVEPT_ALL},
	{"invvpid", NW_TLBI_X86_INVVPID},
	{"vmrun_flush_asid", NW_TLBI_X86_ASID},
	{"vmrun_flush_asid_all", NW_TLBI_X86_ASID_ALL},
	{"sfence_vma", NW_TLBI_RISCV_SFENCE_VMA},
	{"sfence_vma_asid", NW_TLBI_RISCV_SFENCE_VMA_ASID},
	{"sfence_vma_all", NW_TLBI_RISCV_SFENCE_VMA_ALL},
	{"hfence_gvma", NW_TLBI_RISCV_HFENCE_GVMA},
	{"hfence_gvma_vmid", NW_TLBI_RISCV_HFENCE_GVMA_VMID},
	{"hfence_gvma_all", NW_TLBI_RISCV_HFENCE_GVMA_ALL},
	{NULL, 0},
};
_Static_assert(sizeof(tlbi_names) / sizeof(tlbi_names[0]) == NW_TLBI_COUNT + 1,
	       "every invalidation has a name");

static const struct nwv_name regime_names[] = {
	{"stage2", NW_REGIME_STAGE2},
	{"el2", NW_REGIME_EL2},
	{"el10", NW_REGIME_EL10},
	{"x86", NW_REGIME_X86},
	{"npt", NW_REGIME_NPT},
	{"ept", NW_REGIME_EPT},
	{"riscv_s", NW_REGIME_RISCV_S},
	{"riscv_g", NW_REGIME_RISCV_G},
	{NULL, 0},
};
_Static_assert(sizeof(regime_names) / sizeof(regime_names[0]) ==
		       NW_REGIME_COUNT + 1,
	       "every regime has a name");

static const struct nwv_name mode_names[] = {
	{"unknown", 0},
	{"exclusive", 1 + NW_MODE_EXCLUSIVE},
	{"readers", 1 + NW_MODE_READERS},
	{"shared", 1 + NW_MODE_SHARED},
	{"exclusive_gathered", (1 + NW_MODE_EXCLUSIVE) | NW_TRACE_GATHERED},
	{"readers_gathered", (1 + NW_MODE_READERS) | NW_TRACE_GATHERED},
	{"shared_gathered", (1 + NW_MODE_SHARED) | NW_TRACE_GATHERED},
	{NULL, 0},
};

static const struct nwv_name op_names[] = {
	{"none", NW_OP_NONE},
	{"map", NW_OP_MAP},
	{"unmap", NW_OP_UNMAP},
	{"relax", NW_OP_RELAX},
	{"restrict", NW_OP_RESTRICT},
	{"write_protect", NW_OP_WRITE_PROTECT},
	{"harvest_dirty", NW_OP_HARVEST_DIRTY},
	{"age", NW_OP_AGE},
	{"split", NW_OP_SPLIT},
	{"collapse", NW_OP_COLLAPSE},
	{"annotate", NW_OP_ANNOTATE},
	{"replace", NW_OP_REPLACE},
	{"reclaim", NW_OP_RECLAIM},
	{"teardown", NW_OP_TEARDOWN},
	{"share", NW_OP_SHARE},
	{"unshare", NW_OP_UNSHARE},
	{"donate", NW_OP_DONATE},
	{"reclaim_pages", NW_OP_RECLAIM_PAGES},
	{"gather", NW_OP_GATHER},
	{NULL, 0},
};
_Static_assert(sizeof(op_names) / sizeof(op_names[0]) == NW_OP_COUNT + 1,
	       "every operation has a name");

static const struct nwv_name page_state_names[] = {
	{"none", NW_PAGE_NONE},
	{"owned", NW_PAGE_OWNED},
	{"shared", NW_PAGE_SHARED},
	{"borrowed", NW_PAGE_BORROWED},
	{NULL, 0},
};
_Static_assert(sizeof(page_state_names) / sizeof(page_state_names[0]) ==
		       NW_PAGE_STATE_COUNT + 1,
	       "every page state has a name");

static const struct nwv_name format_names[] = {
	{"none", NW_FORMAT_ID_NONE},
	{"arm64_s2", NW_FORMAT_ID_arm64_s2},
	{"arm64_el2", NW_FORMAT_ID_arm64_el2},
	{"arm64_el10", NW_FORMAT_ID_arm64_el10},
	{"x86_64", NW_FORMAT_ID_x86_64},
	{"x86_npt", NW_FORMAT_ID_x86_npt},
	{"x86_ept", NW_FORMAT_ID_x86_ept},
	{"riscv_s", NW_FORMAT_ID_riscv_s},
	{"riscv_g", NW_FORMAT_ID_riscv_g},
	{NULL, 0},
};
_Static_assert(sizeof(format_names) / sizeof(format_names[0]) ==
		       NW_FORMAT_ID_COUNT + 1,
	       "every format has a name");

static const struct nwv_name sysreg_names[] = {
	{"vtcr_el2", NWV_SYSREG_VTCR_EL2}, {"tcr_el2", NWV_SYSREG_TCR_EL2},
	{"hcr_el2", NWV_SYSREG_HCR_EL2},   {"sctlr_el2", NWV_SYSREG_SCTLR_EL2},
	{"mair_el2", NWV_SYSREG_MAIR_EL2}, {NULL, 0},
};
_Static_assert(sizeof(sysreg_names) / sizeof(sysreg_names[0]) ==
		       NWV_SYSREG_COUNT + 1,
	       "every register has a name");

/* Words a, b, c. */
enum { A, B, C };

#define HEX(name, word, meaning)                                               \
	{                                                                      \
		name, word, 0, 64, NWV_HEX, NULL, meaning                      \
	}
#define DEC(name, word, meaning)                                               \
	{                                                                      \
		name, word, 0, 64, NWV_DEC, NULL, meaning                      \
	}
#define PART(form, name, word, shift, bits, meaning)                           \
	{                                                                      \
		name, word, shift, bits, form, NULL, meaning                   \
	}
#define NAMED(name, word, shift, bits, set, meaning)                           \
	{                                                                      \
		name, word, shift, bits, NWV_NAME, set, meaning                \
	}

#define ENTRY	   HEX("entry", A, "address that software uses for the entry")
#define PAGE	   HEX("page", A, "physical address of the table page")
#define LOCK_FIELD HEX("lock", A, "address of the lock")
#define LEVEL	   DEC("level", C, "level of the table page, the leaf is 0")
#define SHAPE                                                                  \
	NAMED("format", B, 0, 8, format_names, "format of its entries"),       \
		PART(NWV_DEC, "granule_lg2", B, 8, 8, "granule, base-2 log"),  \
		PART(NWV_DEC, "ia_bits", B, 16, 8, "input address bits"),      \
		PART(NWV_DEC, "oa_bits", B, 24, 8, "output address bits"),     \
		PART(NWV_HEX, "features", B, 32, 32, "the format's features"), \
		PART(NWV_DEC, "tag", C, 0, 16, "VMID or ASID"),                \
		NAMED("regime", C, 16, 16, regime_names, "whose table it is"), \
		NAMED("mode", C, 32, 8, mode_names, "who may write it")
#define OPERATION                                                              \
	HEX("start", A, "first address of the range"),                         \
		HEX("end", B, "end of the range, exclusive"),                  \
		NAMED("op", C, 0, 8, op_names, "which operation"),             \
		NAMED("mode", C, 8, 8, mode_names, "the table's mode"),        \
		PART(NWV_DEC, "status", C, 16, 8, "enum nw_status; 0 at begin"), \
		PART(NWV_HEX, "root_frame", C, 24, 40,                         \
		     "root's physical address / 4096; 0: no one table")
#define INPUT_RANGE                                                            \
	HEX("start", A, "first input address of the range"),                   \
		HEX("end", B, "end of the range, exclusive"),                  \
		HEX("root", C, "physical address of the table's root")
#define HOST_RANGE                                                             \
	HEX("start", A, "first host address of the range"),                    \
		HEX("end", B, "end of the range, exclusive"),                  \
		HEX("guest", C, "input address of its start")
#define MEMORY                                                                 \
	HEX("frame", A, "physical address"), HEX("bytes", B, "size")
#define IPI(who)                                                               \
	HEX("cpus", A, who), DEC("ticket", B, "names the interrupt")
#define NOTIFIER                                                               \
	HEX("start", A, "first input address of the range"),                   \
		HEX("end", B, "end of the range, exclusive"),                  \
		DEC("sequence", C, "the invalidation sequence")

#define KIND(id, name, meaning, ...) [id] = {name, meaning, {__VA_ARGS__}}

static const struct nwv_kind kinds[NWV_EV_COUNT] = {
	KIND(NW_EV_ENTRY_READ, "entry_read", "an entry is loaded once", ENTRY,
	     HEX("value", B, "what was found")),
	KIND(NW_EV_ENTRY_INIT, "entry_init",
	     "a plain store to a page that nothing reaches yet", ENTRY,
	     HEX("value", B, "what was stored"),
	     DEC("count", C, "entries stored, from this one on")),
	KIND(NW_EV_ENTRY_WRITE, "entry_write",
	     "an exclusive writer's relaxed store", ENTRY,
	     HEX("old", B, "value before"), HEX("new", C, "value after")),
	KIND(NW_EV_ENTRY_LINK, "entry_link",
	     "an exclusive writer's store with release order", ENTRY,
	     HEX("old", B, "value before"), HEX("new", C, "value after")),
	KIND(NW_EV_ENTRY_RMW, "entry_rmw",
	     "an atomic read-modify-write that succeeded", ENTRY,
	     HEX("found", B, "value before"), HEX("new", C, "value after")),
	KIND(NW_EV_ENTRY_RMW_FAIL, "entry_rmw_fail",
	     "a compare-and-swap that changed nothing", ENTRY,
	     HEX("expected", B, "what the caller had seen"),
	     HEX("found", C, "what was there")),
	KIND(NW_EV_ENTRY_LOCK, "entry_lock",
	     "an entry is swapped for its owner's token", ENTRY,
	     HEX("old", B, "value before"), HEX("token", C, "the token")),
	KIND(NW_EV_ENTRY_PUBLISH, "entry_publish",
	     "the owner of a locked entry stores its new value", ENTRY,
	     HEX("old", B, "value before, the token"),
	     HEX("new", C, "value after")),
	KIND(NW_EV_PAGE_ALLOC, "page_alloc", "memory becomes table pages", PAGE,
	     HEX("bytes", B, "size"),
	     HEX("virt", C, "address that software uses for it")),
	KIND(NW_EV_PAGE_LINK, "page_link", "an entry now points to the page",
	     PAGE, HEX("entry", B, "that entry, 0 when not told"), LEVEL),
	KIND(NW_EV_PAGE_UNLINK, "page_unlink",
	     "the entry that pointed to the page is gone", PAGE, LEVEL),
	KIND(NW_EV_PAGE_FREE, "page_free", "the page is given back", PAGE,
	     HEX("bytes", B, "size")),
	KIND(NW_EV_TABLE_INIT, "table_init", "a table begins its life",
	     HEX("root", A, "physical address of the root"), SHAPE),
	KIND(NW_EV_TABLE_FREE, "table_free", "a table ends its life",
	     HEX("root", A, "physical address of the root"), SHAPE),
	KIND(NW_EV_BARRIER, "barrier", "a barrier",
	     NAMED("kind", A, 0, 64, barrier_names, "which, and its domain")),
	KIND(NW_EV_TLBI, "tlbi", "an invalidation is issued",
	     NAMED("op", A, 0, 64, tlbi_names, "the instruction"),
	     HEX("operand", B, "its register, raw; 0 when it takes none"),
	     DEC("tag", C, "VMID or ASID in force, 0 when not told")),
	KIND(NW_EV_LOCK, "lock", "a lock is taken", LOCK_FIELD),
	KIND(NW_EV_TRYLOCK_FAIL, "trylock_fail", "a lock was not to be had",
	     LOCK_FIELD),
	KIND(NW_EV_UNLOCK, "unlock", "a lock is released", LOCK_FIELD),
	KIND(NW_EV_SECTION_ENTER, "section_enter", "a read-side section begins",
	     {0}),
	KIND(NW_EV_SECTION_LEAVE, "section_leave", "a read-side section ends",
	     {0}),
	KIND(NW_EV_GRACE_PERIOD, "grace_period", "a grace period has elapsed",
	     {0}),
	KIND(NW_EV_FRAME_REUSE, "frame_reuse",
	     "memory that a table mapped serves something else",
	     HEX("frame", A, "physical address"), HEX("bytes", B, "size")),
	KIND(NW_EV_ROOT_SWITCH, "root_switch", "a CPU walks another root now",
	     HEX("root", A, "physical address of the root"),
	     DEC("tag", B, "VMID or ASID"),
	     NAMED("regime", C, 0, 64, regime_names, "whose root")),
	KIND(NW_EV_FAULT, "fault", "a CPU's access faulted",
	     HEX("ia", A, "input address"), HEX("oa", B, "output address"),
	     HEX("detail", C, "what kind of fault")),
	KIND(NW_EV_ACCESS, "access", "a CPU's access was translated",
	     HEX("ia", A, "input address"), HEX("oa", B, "output address"),
	     HEX("detail", C, "what kind of access")),
	KIND(NW_EV_NOTIFY_BEGIN, "notify_begin", "an invalidation range opens",
	     HEX("start", A, "first host address of the range"),
	     HEX("end", B, "end of the range, exclusive"),
	     PART(NWV_DEC, "sequence", C, 0, 56, "the invalidation sequence"),
	     PART(NWV_DEC, "is_atomic", C, 56, 8, "1: may not sleep")),
	KIND(NW_EV_NOTIFY_DRAIN, "notify_drain",
	     "installs that may have missed the range have ended", NOTIFIER),
	KIND(NW_EV_NOTIFY_END, "notify_end", "an invalidation range closes",
	     NOTIFIER),
	KIND(NW_EV_NOTIFY_SAMPLE, "notify_sample",
	     "a fault samples the sequence", NOTIFIER),
	KIND(NW_EV_NOTIFY_INSTALL, "notify_install",
	     "a fault installs its leaf after its recheck", NOTIFIER),
	KIND(NW_EV_OWNER, "owner", "pages change their owner",
	     HEX("frame", A, "physical address"), HEX("bytes", B, "size"),
	     PART(NWV_DEC, "from", C, 0, 16, "state before"),
	     PART(NWV_DEC, "to", C, 16, 16, "state after")),
	KIND(NW_EV_GAP, "gap",
	     "the recorder lost events: no reader goes past it",
	     DEC("events", A, "how many")),
	KIND(NW_EV_OP_BEGIN, "op_begin", "an operation begins", OPERATION),
	KIND(NW_EV_OP_END, "op_end", "an operation returns, or yields",
	     OPERATION),
	KIND(NW_EV_IPI_SEND, "ipi_send", "CPUs are interrupted",
	     IPI("bit n: CPU n is interrupted")),
	KIND(NW_EV_IPI_TAKE, "ipi_take", "an interrupt is taken",
	     IPI("number of the CPU that sent it")),
	KIND(NW_EV_IPI_DONE, "ipi_done", "its handler is through",
	     IPI("number of the CPU that sent it")),
	KIND(NW_EV_IPI_WAIT, "ipi_wait", "all handlers are known to be through",
	     IPI("bit n: CPU n was interrupted")),
	KIND(NW_EV_HW_UPDATE, "hw_update",
	     "hardware sets accessed or dirty state", ENTRY,
	     HEX("old", B, "value before"), HEX("new", C, "value after")),
	KIND(NW_EV_LOG_START, "log_start",
	     "writes from now on must reach the dirty log", INPUT_RANGE),
	KIND(NW_EV_LOG_STOP, "log_stop", "the dirty log is not kept any more",
	     INPUT_RANGE),
	KIND(NW_EV_LOG_DIRTY, "log_dirty", "pages enter the dirty log",
	     INPUT_RANGE),
	KIND(NW_EV_SLOT_ADD, "slot_add", "host memory backs guest memory",
	     HOST_RANGE),
	KIND(NW_EV_SLOT_REMOVE, "slot_remove", "it does not any more",
	     HOST_RANGE),
	KIND(NW_EV_SLEEP, "sleep", "this CPU may sleep here", {0}),
	KIND(NW_EV_RETRY, "retry", "a fault tries again",
	     HEX("ia", A, "input address"), DEC("times", B, "so far"),
	     DEC("most", C, "its bound")),
	KIND(NW_EV_PAGE_STATE, "page_state", "what a party's books say of pages",
	     MEMORY, PART(NWV_DEC, "party", C, 0, 16, "whose books"),
	     NAMED("state", C, 16, 16, page_state_names, "what they say"),
	     PART(NWV_DEC, "pins", C, 32, 32, "times pinned")),
	KIND(NW_EV_TABLE_OWNER, "table_owner", "a table serves a party",
	     HEX("root", A, "physical address of the root"),
	     DEC("party", C, "whose accesses it translates")),
	KIND(NW_EV_SCRUB, "scrub", "pages are zeroed for their next owner",
	     MEMORY),
	KIND(NW_EV_RELEASE, "release", "what was done here goes with a store",
	     HEX("word", A, "address of the word")),
	KIND(NW_EV_ACQUIRE, "acquire", "the store was read: it is known here",
	     HEX("word", A, "address of the word")),
	KIND(NWV_EV_ROOT_LOCK, "root_lock",
	     "imported: the lock that writers of a root's table hold",
	     HEX("root", A, "physical address of the root"),
	     HEX("lock", B, "address of the lock")),
	KIND(NWV_EV_PAGE_ROOT, "page_root",
	     "imported: the table that a page belongs to", PAGE,
	     HEX("root", B, "physical address of the root")),
	KIND(NWV_EV_TABLE_RELEASE, "table_release",
	     "imported: a table is about to be given up",
	     HEX("root", A, "physical address of the root"),
	     HEX("value", B, "the hint's value")),
	KIND(NWV_EV_ENTRY_OWNER, "entry_owner",
	     "imported: an entry that one CPU alone writes, without a lock",
	     ENTRY, DEC("owner", B, "that CPU")),
	KIND(NWV_EV_SYSREG, "sysreg", "imported: a system register is written",
	     NAMED("register", A, 0, 64, sysreg_names, "which"),
	     HEX("value", B, "what was written")),
};
_Static_assert((int)NW_EV_COUNT < (int)NWV_EV_ROOT_LOCK,
	       "imported kinds have numbers of their own");

const struct nwv_kind *nwv_kind(unsigned id)
{
	if (id >= NWV_EV_COUNT || !kinds[id].name)
		return NULL;
	return &kinds[id];
}

unsigned nwv_kind_by_name(const char *name, size_t length)
{
	for (unsigned id = 1; id < NWV_EV_COUNT; id++)
		if (kinds[id].name && strlen(kinds[id].name) == length &&
		    !memcmp(kinds[id].name, name, length))
			return id;
	return NW_EV_NONE;
}

uint64_t nwv_field_max(const struct nwv_field *f)
{
	return f->bits == 64 ? UINT64_MAX : (UINT64_C(1) << f->bits) - 1;
}

uint64_t nwv_field_get(const struct nwv_event *e, const struct nwv_field *f)
{
	const uint64_t word = f->word == A ? e->a : f->word == B ? e->b : e->c;

	return word >> f->shift & nwv_field_max(f);
}

void nwv_field_put(struct nwv_event *e, const struct nwv_field *f, uint64_t v)
{
	uint64_t *word = f->word == A ? &e->a : f->word == B ? &e->b : &e->c;

	*word |= v << f->shift;
}

const char *nwv_field_name(const struct nwv_field *f, uint64_t value)
{
	for (const struct nwv_name *n = f->names; n && n->name; n++)
		if (n->value == value)
			return n->name;
	return NULL;
}

void nwv_kind_unused(const struct nwv_kind *kind, uint64_t unused[3])
{
	unused[A] = unused[B] = unused[C] = UINT64_MAX;
	for (const struct nwv_field *f = kind->field; f->name; f++)
		unused[f->word] &= ~(nwv_field_max(f) << f->shift);
}

enum nwv_fault nwv_event_check(const struct nwv_event *e,
			       const struct nwv_field **field)
{
	const struct nwv_kind *kind = nwv_kind(e->kind);
	uint64_t unused[3];

	if (!kind)
		return NWV_FAULT_KIND;
	if (e->cpu >= NWV_CPUS_MAX)
		return NWV_FAULT_CPU;
	nwv_kind_unused(kind, unused);
	if ((e->a & unused[A]) | (e->b & unused[B]) | (e->c & unused[C]))
		return NWV_FAULT_UNUSED;
	for (const struct nwv_field *f = kind->field; f->name; f++) {
		if (f->form != NWV_NAME)
			continue;
		if (nwv_field_name(f, nwv_field_get(e, f)))
			continue;
		if (field)
			*field = f;
		return NWV_FAULT_NAMED;
	}
	if (!e->file && e->line)
		return NWV_FAULT_NO_FILE;
	return NWV_FAULT_NONE;
}
