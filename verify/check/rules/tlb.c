/* SPDX-License-Identifier: BSD-2-Clause */
/* Obligations that are left, told apart by what they lack; and VMIDs. */
#include "../rule.h"

#define MANUAL "DDI 0487 D8.17, TLB maintenance"
#define MANUAL_LOCAL                                                           \
	"Intel SDM vol. 3, 4.10.4, Invalidation of TLBs and Paging-Structure " \
	"Caches, 4.10.5, Propagation of Paging-Structure Changes to Multiple " \
	"Processors; AMD APM vol. 2, 5.5, Translation-Lookaside Buffer; "      \
	"RISC-V Privileged, SFENCE.VMA, HFENCE.GVMA"
#define MANUAL_DSB                                                             \
	"DDI 0487 D8.17, Ordering and completion of TLB maintenance "          \
	"instructions; B2.3.12, DSB"

static int broken_if(int is_so, const struct nwv_facts *f,
		     struct nwv_finding *out)
{
	if (is_so)
		nwv_find_ob(out, f);
	return is_so;
}

static int why(const struct nwv_facts *f)
{
	return f->diagnosis.near.why;
}

/* Nothing came near; or, of each CPU for itself, another address did. */
static int nothing_near(const struct nwv_facts *f)
{
	return why(f) == NWV_WHY_NONE || why(f) == NWV_WHY_ADDRESS;
}

static int early(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_EARLY, f, out);
}

static int never(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if((f->ob.phase == NWV_AWAIT_DSB ||
			  f->ob.phase == NWV_AWAIT_TLBI) &&
				 nothing_near(f) &&
				 !(f->ob.is_local && f->ob.done),
			 f, out);
}

static int some_cpus(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(f->ob.is_local && f->ob.done && f->ob.owing &&
				 f->ob.phase == NWV_AWAIT_TLBI &&
				 nothing_near(f),
			 f, out);
}

static int unseen(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_UNSEEN, f, out);
}

static int not_awaited(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(f->ob.is_local && f->ob.done && !f->ob.owing &&
				 f->ob.phase == NWV_AWAIT_TLBI,
			 f, out);
}

static int came_back(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->return_owes.kind)
		return 0;
	nwv_find(out, f->return_owes, NWV_MISSING_TLBI_TAG);
	out->cpus = f->missing_cpus;
	return 1;
}

static int local_tag_reuse(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->local_tag_user.kind)
		return 0;
	nwv_find(out, f->local_tag_user, NWV_MISSING_TLBI_TAG);
	out->cpus = f->missing_cpus;
	return 1;
}

static int global(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_GLOBAL, f, out);
}

static int other_root(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_ROOT, f, out);
}

static int local(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_LOCAL, f, out);
}

static int tag(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_TAG, f, out);
}

static int hint(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_LEVEL || why(f) == NWV_WHY_GRANULE,
			 f, out);
}

static int last_level(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_LAST_LEVEL, f, out);
}

static int no_middle(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_NO_MIDDLE, f, out);
}

static int no_combined(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if((f->ob.phase == NWV_AWAIT_MIDDLE ||
			  f->ob.phase == NWV_AWAIT_COMBINED) &&
				 why(f) == NWV_WHY_NONE,
			 f, out);
}

static int no_ipa(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_NO_IPA, f, out);
}

static int not_completed(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(f->ob.phase == NWV_AWAIT_FINAL &&
				 why(f) == NWV_WHY_NONE,
			 f, out);
}

static int weak_barrier(const struct nwv_facts *f, struct nwv_finding *out)
{
	return broken_if(why(f) == NWV_WHY_KIND || why(f) == NWV_WHY_DOMAIN, f,
			 out);
}

static int vmid_reuse(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->tag_is_stale)
		return 0;
	nwv_find(out, f->tag_user, NWV_MISSING_VMID_FLUSH);
	return 1;
}

static const struct nwv_rule_def rules[] = {
	{{"TLB-01", "invalidated before the store was ordered",
	  "Without a DSB (ISHST is enough) between the store and the "
	  "invalidation, a walker may read the old entry again after the "
	  "invalidation has passed it by.",
	  MANUAL_DSB},
	 NWV_ON_OPEN,
	 early},
	{{"TLB-02",
	  "a translation was removed or narrowed and never "
	  "invalidated",
	  "TLBs go on using the old entry. What is owed: DSB, invalidation of "
	  "its addresses, DSB. (A cleared access flag owes nothing.)",
	  MANUAL},
	 NWV_ON_OPEN,
	 never},
	{{"TLB-03", "invalidated on one CPU while others can walk the table",
	  "A local invalidation leaves the other CPUs' TLBs as they are, and "
	  "any CPU may have walked the table at any time. Use the inner "
	  "shareable form, unless ROOT_SWITCH shows that no other CPU ever "
	  "had the table.",
	  MANUAL},
	 NWV_ON_OPEN,
	 local},
	{{"TLB-04", "invalidated for another tag",
	  "Stage-2 invalidations act on the VMID that is installed: the "
	  "table's own VTTBR must be in place. Those of EL1&0 by ASID name it "
	  "in their operand; a walk cache has an ASID even where the page is "
	  "global. INVPCID, VMRUN, SFENCE.VMA and "
	  "HFENCE.GVMA name the PCID, ASID or VMID.",
	  MANUAL},
	 NWV_ON_OPEN,
	 tag},
	{{"TLB-05", "level hint or granule names something else",
	  "With a TTL hint, hardware may skip every other level and whatever "
	  "is not a leaf; with a wrong granule, anything. Use no hint when "
	  "several levels or a table went.",
	  "DDI 0487 D8.17, TLBI TTL (FEAT_TTL), TLBI range instructions"},
	 NWV_ON_OPEN,
	 hint},
	{{"TLB-06", "last-level invalidation, but a table went",
	  "VALE2IS and its like leave walk caches alone, and those still lead "
	  "to the old table page. Use VAE2IS; on RISC-V SFENCE.VMA or "
	  "HFENCE.GVMA without an address.",
	  MANUAL},
	 NWV_ON_OPEN,
	 last_level},
	{{"TLB-07", "no DSB between the two stage-2 invalidations",
	  "Without a DSB ISH after IPAS2E1IS, a CPU may combine a new entry "
	  "out of a stage-2 entry that is about to go, after VMALLE1IS has "
	  "passed.",
	  MANUAL_DSB},
	 NWV_ON_OPEN,
	 no_middle},
	{{"TLB-08", "combined entries were not invalidated",
	  "IPAS2E1IS removes what was made from stage 2 alone; entries that "
	  "combine both stages stay. DSB ISH and VMALLE1IS must follow, or "
	  "use VMALLS12E1IS.",
	  MANUAL},
	 NWV_ON_OPEN,
	 no_combined},
	{{"TLB-09", "stage-2 entries were not invalidated",
	  "VMALLE1IS removes combined and stage-1 entries only. IPAS2E1IS and "
	  "a DSB ISH must come before it, or use VMALLS12E1IS. Likewise "
	  "INVVPID leaves what was made from EPT alone: use INVEPT.",
	  MANUAL},
	 NWV_ON_OPEN,
	 no_ipa},
	{{"TLB-10", "the invalidation was not completed",
	  "An invalidation is complete only after a DSB ISH (INVLPGB: TLBSYNC) "
	  "on the CPU that issued it; another CPU's does not complete it.",
	  MANUAL_DSB},
	 NWV_ON_OPEN,
	 not_completed},
	{{"TLB-11", "the barrier is too weak",
	  "ISHST orders stores before an invalidation but does not complete "
	  "one; NSH reaches this CPU only; a DMB does neither. DSB ISH.",
	  MANUAL_DSB},
	 NWV_ON_OPEN,
	 weak_barrier},
	{{"TLB-12", "a VMID was taken over without a flush",
	  "TLBs may hold translations of the table that used this VMID before. "
	  "VMALLS12E1IS for the VMID, or ALLE1IS on rollover, then DSB ISH.",
	  "DDI 0487 D8.16, VMID"},
	 NWV_ON_SWITCH,
	 vmid_reuse},
	{{"TLB-13", "some CPUs did not invalidate",
	  "On x86 and RISC-V an invalidation acts on the CPU that executes it. "
	  "Every CPU that has the root installed must do one of its own after "
	  "the store: interrupt the others and wait, or (AMD) INVLPGB and "
	  "TLBSYNC.",
	  MANUAL_LOCAL},
	 NWV_ON_OPEN,
	 some_cpus},
	{{"TLB-14", "a CPU invalidated before it could see the store",
	  "Its walker may read the old entry again afterwards. The interrupt "
	  "(or the lock) that tells it to invalidate must come after the "
	  "store; on RISC-V with a FENCE between the two.",
	  MANUAL_LOCAL},
	 NWV_ON_OPEN,
	 unseen},
	{{"TLB-15", "the other CPUs' invalidations were not awaited",
	  "They may still lie ahead: whoever relies on them must first have "
	  "heard from each CPU that it is done.",
	  MANUAL_LOCAL},
	 NWV_ON_OPEN,
	 not_awaited},
	{{"TLB-16", "a root came back to a CPU that had not invalidated",
	  "While a CPU has another root installed nobody waits for it, but "
	  "what it cached under the root's tag is still there. Flush the tag "
	  "when the root is installed again: MOV CR3 without the no-flush "
	  "bit, INVPCID, INVEPT, VMRUN with TLB_CONTROL, SFENCE.VMA, "
	  "HFENCE.GVMA.",
	  MANUAL_LOCAL},
	 NWV_ON_SWITCH,
	 came_back},
	{{"TLB-17", "a tag was taken over on a CPU without its flush",
	  "The CPU's TLB may hold translations of the root that had this "
	  "PCID, ASID or VMID there before.",
	  MANUAL_LOCAL},
	 NWV_ON_SWITCH,
	 local_tag_reuse},
	{{"TLB-18", "global entries were left in place",
	  "A flush of one PCID or ASID keeps global entries, and those serve "
	  "every address space. By address with INVLPG, or all with INVPCID "
	  "type 2, SFENCE.VMA x0, x0, or the forms for any ASID.",
	  "Intel SDM vol. 3, 4.10.2.4, Global Pages; RISC-V Privileged, "
	  "SFENCE.VMA; DDI 0487 D8.16, Global and process-specific entries"},
	 NWV_ON_OPEN,
	 global},
	{{"TLB-19", "INVEPT named the pointer of another table",
	  "Single-context INVEPT removes what was cached under the EPT pointer "
	  "in its descriptor alone.",
	  "Intel SDM vol. 3, 29.4.3.1, Operations that Invalidate Cached "
	  "Mappings"},
	 NWV_ON_OPEN,
	 other_root},
};

const struct nwv_family nwv_family_tlb = NWV_FAMILY(rules);
