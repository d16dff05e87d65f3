/* SPDX-License-Identifier: BSD-2-Clause */
/* Violations in words. */
#include "decode.h"
#include "check.h"

#include <stdarg.h>
#include <stdio.h>

typedef unsigned long long ull;

struct out {
	char *text;
	size_t size;
	int length;
};

__attribute__((format(printf, 2, 3))) static void add(struct out *o,
						      const char *format, ...)
{
	size_t used = (size_t)o->length < o->size ? (size_t)o->length : o->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(o->text + used, o->size - used, format, args);
	va_end(args);
	o->length += n > 0 ? n : 0;
}

static struct out begin(char *text, size_t size)
{
	if (size)
		text[0] = 0;
	return (struct out){text, size, 0};
}

/* ---- names ------------------------------------------------------------- */

static const char *event_words(unsigned kind)
{
	static const char *const words[NW_EV_COUNT] = {
		[NW_EV_ENTRY_READ] = "entry read",
		[NW_EV_ENTRY_INIT] = "entry initialised",
		[NW_EV_ENTRY_WRITE] = "entry written",
		[NW_EV_ENTRY_LINK] = "table linked",
		[NW_EV_ENTRY_RMW] = "entry swapped",
		[NW_EV_ENTRY_RMW_FAIL] = "swap of an entry failed",
		[NW_EV_ENTRY_LOCK] = "entry locked",
		[NW_EV_ENTRY_PUBLISH] = "entry published",
		[NW_EV_PAGE_ALLOC] = "page allocated",
		[NW_EV_PAGE_LINK] = "page linked",
		[NW_EV_PAGE_UNLINK] = "page unlinked",
		[NW_EV_PAGE_FREE] = "page freed",
		[NW_EV_TABLE_INIT] = "table made",
		[NW_EV_TABLE_FREE] = "table given up",
		[NW_EV_BARRIER] = "barrier",
		[NW_EV_TLBI] = "invalidation",
		[NW_EV_LOCK] = "lock taken",
		[NW_EV_UNLOCK] = "lock released",
		[NW_EV_SECTION_ENTER] = "section entered",
		[NW_EV_SECTION_LEAVE] = "section left",
		[NW_EV_GRACE_PERIOD] = "grace period",
		[NW_EV_FRAME_REUSE] = "frame reused",
		[NW_EV_ROOT_SWITCH] = "root installed",
		[NW_EV_NOTIFY_BEGIN] = "invalidation bracket begun",
		[NW_EV_NOTIFY_DRAIN] = "bracket drained",
		[NW_EV_NOTIFY_END] = "bracket ended",
		[NW_EV_NOTIFY_INSTALL] = "page installed by a fault",
		[NW_EV_OWNER] = "page changed owner",
		[NW_EV_OP_BEGIN] = "operation begun",
		[NW_EV_OP_END] = "operation returned",
		[NW_EV_HW_UPDATE] = "entry updated by hardware",
		[NW_EV_ACCESS] = "access",
		[NW_EV_LOG_START] = "dirty log started",
		[NW_EV_LOG_STOP] = "dirty log stopped",
		[NW_EV_LOG_DIRTY] = "pages logged",
		[NW_EV_SLEEP] = "may sleep",
		[NW_EV_RETRY] = "fault tried again",
		[NW_EV_PAGE_STATE] = "state of pages told",
		[NW_EV_IPI_SEND] = "interrupt sent",
		[NW_EV_IPI_TAKE] = "interrupt taken",
		[NW_EV_IPI_DONE] = "interrupt handled",
		[NW_EV_IPI_WAIT] = "interrupts awaited",
		[NW_EV_RELEASE] = "word stored with release",
		[NW_EV_ACQUIRE] = "word read with acquire",
	};

	return kind < NW_EV_COUNT && words[kind] ? words[kind] : "event";
}

static void add_place(struct out *o, const struct nwv_mark *m)
{
	add(o, "seq %llu cpu %u", (ull)m->seq, m->cpu);
	if (m->file)
		add(o, " (%s:%u)", m->file, m->line);
	add(o, ": %s", event_words(m->kind));
}

static const char *regime_words(unsigned regime)
{
	static const char *const words[NW_REGIME_COUNT] = {
		[NW_REGIME_STAGE2] = "stage 2",
		[NW_REGIME_EL2] = "EL2 stage 1",
		[NW_REGIME_EL10] = "EL1&0 stage 1",
		[NW_REGIME_X86] = "x86 paging",
		[NW_REGIME_NPT] = "nested paging",
		[NW_REGIME_EPT] = "EPT",
		[NW_REGIME_RISCV_S] = "RISC-V satp",
		[NW_REGIME_RISCV_G] = "RISC-V hgatp",
	};

	return regime < NW_REGIME_COUNT && words[regime] ? words[regime] : "?";
}

static const char *tag_word(unsigned regime)
{
	switch (regime) {
	case NW_REGIME_EL10:
	case NW_REGIME_NPT:
	case NW_REGIME_RISCV_S:
		return "ASID";
	case NW_REGIME_X86:
		return "PCID";
	default:
		return "VMID";
	}
}

/* ---- parts ------------------------------------------------------------- */

/* What a CPU of this regime does for itself. */
static const char *local_tlbi_words(unsigned regime)
{
	switch (regime) {
	case NW_REGIME_X86:
		return "INVLPG of its address (or a flush of its PCID)";
	case NW_REGIME_NPT:
		return "VMRUN with TLB_CONTROL for its ASID";
	case NW_REGIME_EPT:
		return "INVEPT";
	case NW_REGIME_RISCV_S:
		return "SFENCE.VMA";
	default:
		return "HFENCE.GVMA";
	}
}

static const char *tag_tlbi_words(unsigned regime)
{
	switch (regime) {
	case NW_REGIME_X86:
		return "MOV CR3 without the no-flush bit (or INVPCID)";
	case NW_REGIME_RISCV_S:
		return "SFENCE.VMA of its ASID";
	case NW_REGIME_RISCV_G:
		return "HFENCE.GVMA of its VMID";
	default:
		return local_tlbi_words(regime);
	}
}

/* " on cpu 1, 3" */
static void add_cpus(struct out *o, uint64_t cpus)
{
	const char *before = " on cpu ";

	for (; cpus; cpus &= cpus - 1) {
		add(o, "%s%d", before, __builtin_ctzll(cpus));
		before = ", ";
	}
}

int nwv_violation_missing(const struct nwv_violation *v, char *text,
			  size_t size)
{
	static const char *const words[NWV_MISSING_COUNT] = {
		[NWV_MISSING_DSB_BEFORE] = "DSB ISHST (then the invalidation)",
		[NWV_MISSING_TLBI_IPA] = "TLBI IPAS2E1IS of its address (or "
					 "VMALLS12E1IS)",
		[NWV_MISSING_DSB_MIDDLE] = "DSB ISH (then VMALLE1IS, DSB ISH)",
		[NWV_MISSING_TLBI_COMBINED] = "TLBI VMALLE1IS (then DSB ISH)",
		[NWV_MISSING_TLBI_STAGE1] = "TLBI VAE2IS of its address (or "
					    "ALLE2IS)",
		[NWV_MISSING_DSB_AFTER] = "DSB ISH on the same CPU",
		[NWV_MISSING_BREAK] = "an invalid entry and its flush before "
				      "the new one",
		[NWV_MISSING_ATOMIC] = "a compare-and-swap or a swap",
		[NWV_MISSING_LOCK] = "the lock",
		[NWV_MISSING_RELEASE] = "a release store, or DMB ISHST before",
		[NWV_MISSING_CONTENT] = "the rest of the page's entries",
		[NWV_MISSING_UNLINK] = "the clearing of the entry above",
		[NWV_MISSING_GRACE] = "a grace period",
		[NWV_MISSING_FREE] = "its freeing",
		[NWV_MISSING_PUBLISH] = "the owner's publish",
		[NWV_MISSING_SWITCH] = "another root on that CPU",
		[NWV_MISSING_VMID_FLUSH] = "TLBI VMALLS12E1IS for the VMID, or "
					   "ALLE1IS",
		[NWV_MISSING_DRAIN] = "a drain",
		[NWV_MISSING_END] = "its end",
		[NWV_MISSING_RETRY] = "a retry from a new sample",
		[NWV_MISSING_MEMBERS] = "the same change of the run's other "
					"entries",
		[NWV_MISSING_LOG] = "its page in the dirty log",
		[NWV_MISSING_READ] = "a read of it after the flush, before its "
				     "table is freed",
		[NWV_MISSING_REMOVAL] = "its removal",
		[NWV_MISSING_SECTION] = "a section around recheck and install",
		[NWV_MISSING_PARTNER] = "the matching change in the other "
					"party's books",
		[NWV_MISSING_UNDO] = "the states as they were",
		[NWV_MISSING_UNPIN] = "its last pin gone",
		[NWV_MISSING_SCRUB] = "a scrub",
		[NWV_MISSING_TLBI_LOCAL] = "an invalidation",
		[NWV_MISSING_TLBI_TAG] = "a flush",
		[NWV_MISSING_TLBI_GLOBAL] = "an invalidation that takes global "
					    "entries along (INVLPG, INVPCID "
					    "type 2, SFENCE.VMA of any ASID)",
		[NWV_MISSING_TLBSYNC] = "TLBSYNC on the same CPU",
		[NWV_MISSING_IPI_WAIT] = "a wait until the other CPUs are "
					 "done",
		[NWV_MISSING_FENCE] = "FENCE w,w between the store and the "
				      "interrupt",
	};
	struct out o = begin(text, size);

	if (v->missing >= NWV_MISSING_COUNT || !words[v->missing])
		return 0;
	if (v->missing == NWV_MISSING_TLBI_STAGE1 &&
	    v->regime == NW_REGIME_EL10)
		add(&o, "needs TLBI VAE1IS of its address (or VMALLE1IS)");
	else if (v->missing == NWV_MISSING_TLBI_LOCAL)
		add(&o, "needs %s", local_tlbi_words(v->regime));
	else if (v->missing == NWV_MISSING_TLBI_TAG)
		add(&o, "needs %s", tag_tlbi_words(v->regime));
	else
		add(&o, "needs %s", words[v->missing]);
	add_cpus(&o, v->missing_cpus);
	if (v->armed.kind)
		add(&o, " after seq %llu", (ull)v->missing_after);
	return o.length;
}

static void add_why(struct out *o, unsigned regime, const struct nwv_near *n)
{
	switch ((enum nwv_why)n->why) {
	case NWV_WHY_EARLY:
		add(o, "no DSB between the store and it");
		return;
	case NWV_WHY_LOCAL:
		add(o, "local to cpu %llu, and others can walk the table",
		    (ull)n->got);
		return;
	case NWV_WHY_TAG:
		add(o, "%s %llu, not %llu", tag_word(regime), (ull)n->got,
		    (ull)n->want);
		return;
	case NWV_WHY_LEVEL:
		add(o, "hint says level %llu, the entry was at level %llu%s",
		    (ull)n->got, (ull)n->want,
		    n->got == n->want ? " but held a table" : "");
		return;
	case NWV_WHY_GRANULE:
		add(o, "names a granule of %llu bytes, not %llu",
		    1ull << n->got, 1ull << n->want);
		return;
	case NWV_WHY_LAST_LEVEL:
		add(o, "last level only, and a table went");
		return;
	case NWV_WHY_NO_MIDDLE:
		add(o, "no DSB ISH since the stage-2 invalidation");
		return;
	case NWV_WHY_NO_IPA:
		add(o, regime == NW_REGIME_EPT
			       ? "leaves guest-physical mappings"
			       : "leaves entries made from stage 2 alone");
		return;
	case NWV_WHY_KIND:
		add(o, "does not complete an invalidation, nor order it");
		return;
	case NWV_WHY_DOMAIN:
		add(o, "reaches this CPU only");
		return;
	case NWV_WHY_GLOBAL:
		add(o, "leaves global entries");
		return;
	case NWV_WHY_UNSEEN:
		add(o, "cpu %llu did not know of cpu %llu's store then",
		    (ull)n->got, (ull)n->want);
		return;
	case NWV_WHY_ROOT:
		add(o, "of the table at %#llx, not %#llx", (ull)n->got << 12,
		    (ull)n->want << 12);
		return;
	case NWV_WHY_ADDRESS:
		add(o, "nothing was owed at its address");
		return;
	case NWV_WHY_CPU:
		add(o, "on cpu %llu, not %llu", (ull)n->got, (ull)n->want);
		return;
	default:
		return;
	}
}

int nwv_violation_near(const struct nwv_violation *v, char *text, size_t size)
{
	struct out o = begin(text, size);
	const struct nwv_near *n = &v->near;

	if (!n->why)
		return 0;
	add(&o, "%s%s at seq %llu ignored: ",
	    n->is_tlbi && n->op < NW_TLBI_X86_INVLPG ? "TLBI " : "",
	    n->is_tlbi ? nwv_tlbi_name(n->op) : nwv_barrier_name(n->op),
	    (ull)n->seq);
	add_why(&o, v->regime, n);
	return o.length;
}

int nwv_violation_text(const struct nwv_violation *v, char *text, size_t size)
{
	struct nwv_mark now = {.seq = v->event.seq,
			       .file = v->event.file,
			       .line = v->event.line,
			       .cpu = v->event.cpu,
			       .kind = v->event.kind};
	struct out o = begin(text, size);
	char part[200];

	add(&o, "%s: %s\n  rule   %s\n  at     ", v->rule->id, v->rule->title,
	    v->rule->manual);
	if (now.kind)
		add_place(&o, &now);
	else
		add(&o, "the end of the trace");
	if (v->armed.kind) {
		add(&o, "\n  armed  ");
		add_place(&o, &v->armed);
	}
	if (v->has_entry) {
		add(&o, "\n  entry  input %#llx, level %d: %#llx", (ull)v->ia,
		    nwv_level_number(v->regime, v->level), (ull)v->before);
		if (now.kind)
			add(&o, " -> %#llx", (ull)v->after);
	}
	if (v->pa)
		add(&o, "\n  page   %#llx", (ull)v->pa);
	if (v->root)
		add(&o, "\n  table  %u, %s", v->root, regime_words(v->regime));
	if (v->root && v->regime != NW_REGIME_EPT)
		add(&o, ", %s %u", tag_word(v->regime), v->tag);
	if (nwv_violation_missing(v, part, sizeof(part)))
		add(&o, "\n  %s", part);
	if (nwv_violation_near(v, part, sizeof(part)))
		add(&o, "\n  %s", part);
	if (v->also)
		add(&o, "\n  and %llu more of the same", (ull)v->also);
	return o.length;
}
