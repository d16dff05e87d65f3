/* SPDX-License-Identifier: BSD-2-Clause */
/* Violations in words. */
#include "arm64.h"
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
	return regime == NW_REGIME_STAGE2 ? "stage 2"
	       : regime == NW_REGIME_EL2  ? "EL2 stage 1"
					  : "EL1&0 stage 1";
}

/* ---- parts ------------------------------------------------------------- */

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
	};
	struct out o = begin(text, size);

	if (v->missing >= NWV_MISSING_COUNT || !words[v->missing])
		return 0;
	add(&o, "needs %s", words[v->missing]);
	if (v->armed.kind)
		add(&o, " after seq %llu", (ull)v->missing_after);
	return o.length;
}

static void add_why(struct out *o, const struct nwv_near *n)
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
		add(o, "VMID %llu, not %llu", (ull)n->got, (ull)n->want);
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
		add(o, "leaves entries made from stage 2 alone");
		return;
	case NWV_WHY_KIND:
		add(o, "does not complete an invalidation, nor order it");
		return;
	case NWV_WHY_DOMAIN:
		add(o, "reaches this CPU only");
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
	add(&o, "%s%s at seq %llu ignored: ", n->is_tlbi ? "TLBI " : "",
	    n->is_tlbi ? nwv_tlbi_name(n->op) : nwv_barrier_name(n->op),
	    (ull)n->seq);
	add_why(&o, n);
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
		    3 - (int)v->level, (ull)v->before);
		if (now.kind)
			add(&o, " -> %#llx", (ull)v->after);
	}
	if (v->pa)
		add(&o, "\n  page   %#llx", (ull)v->pa);
	if (v->root)
		add(&o, "\n  table  %u, %s, VMID %u", v->root,
		    regime_words(v->regime), v->tag);
	if (nwv_violation_missing(v, part, sizeof(part)))
		add(&o, "\n  %s", part);
	if (nwv_violation_near(v, part, sizeof(part)))
		add(&o, "\n  %s", part);
	if (v->also)
		add(&o, "\n  and %llu more of the same", (ull)v->also);
	return o.length;
}
