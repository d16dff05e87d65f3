/* SPDX-License-Identifier: BSD-2-Clause */
/* What an obligation lacks, and which event came near. */
#include "local.h"
#include "obligation_lists.h"

static enum nwv_missing missing_in(const struct nwv_check *c,
				   const struct nwv_ob *o)
{
	switch (o->phase) {
	case NWV_AWAIT_DSB:
		return NWV_MISSING_DSB_BEFORE;
	case NWV_AWAIT_TLBI:
		return c->root[o->root].shape.regime == NW_REGIME_STAGE2
			       ? NWV_MISSING_TLBI_IPA
			       : NWV_MISSING_TLBI_STAGE1;
	case NWV_AWAIT_MIDDLE:
		return NWV_MISSING_DSB_MIDDLE;
	case NWV_AWAIT_COMBINED:
		return NWV_MISSING_TLBI_COMBINED;
	default:
		return NWV_MISSING_DSB_AFTER;
	}
}

/* Take `near` if it happened between the two and nothing is known yet. */
static void consider(struct nwv_diagnosis *d, const struct nwv_near *near,
		     uint64_t since, uint64_t until)
{
	if (!d->near.why && near->why && near->seq > since && near->seq < until)
		d->near = *near;
}

/*
 * The store was ordered only after an invalidation had come and gone; or a
 * barrier stood there, but one too weak.
 */
static void diagnose_order(const struct nwv_check *c, const struct nwv_ob *o,
			   const struct nwv_near *early,
			   struct nwv_diagnosis *d)
{
	struct nwv_diagnosis weak = {0};

	consider(d, early, o->armed.seq, ~UINT64_C(0));
	if (o->phase != NWV_AWAIT_DSB && d->near.why != NWV_WHY_EARLY)
		return;
	consider(&weak, &c->cpu[o->armed.cpu].weak_order, o->armed.seq,
		 d->near.why ? d->near.seq : ~UINT64_C(0));
	if (weak.near.why)
		d->near = weak.near;
	d->missing = NWV_MISSING_DSB_BEFORE;
	d->after = o->armed.seq;
}

/* The same for the DSB between the two invalidations of stage 2. */
static void diagnose_middle(const struct nwv_check *c, const struct nwv_ob *o,
			    struct nwv_diagnosis *d)
{
	const struct nwv_near *second = &c->root[o->root].no_middle;
	uint64_t until =
		o->phase == NWV_AWAIT_COMBINED ? o->phase_seq : ~UINT64_C(0);
	struct nwv_diagnosis weak = {0};

	consider(d, second, o->first_seq, until);
	if (o->phase != NWV_AWAIT_MIDDLE && d->near.why != NWV_WHY_NO_MIDDLE)
		return;
	consider(&weak, &c->cpu[o->issuer].weak_complete, o->first_seq,
		 d->near.why ? d->near.seq : ~UINT64_C(0));
	if (weak.near.why)
		d->near = weak.near;
	d->missing = NWV_MISSING_DSB_MIDDLE;
	d->after = o->first_seq;
}

void nwv_ob_diagnose(const struct nwv_check *c, uint32_t n,
		     struct nwv_diagnosis *d)
{
	struct nwv_ob ob, *o = &ob;
	const struct nwv_root *r;
	const uint64_t now = ~UINT64_C(0);
	struct nwv_near early;
	uint64_t since;

	nwv_ob_get(c, n, &ob);
	if (ob.is_local) {
		nwv_local_diagnose(c, &ob, d);
		return;
	}
	r = &c->root[ob.root];
	early = r->early;
	since = ob.phase_seq;
	*d = (struct nwv_diagnosis){
		.missing = missing_in(c, o),
		.after = since,
	};
	if (o->phase == NWV_AWAIT_FINAL)
		consider(d, &c->cpu[o->issuer].weak_complete, since, now);
	consider(d, &o->near, o->phase == NWV_AWAIT_TLBI ? o->armed.seq : since,
		 now);
	/* The right address with the wrong VMID comes nearer than none; a flush
	 * of a whole VMID may be about another table altogether. */
	if (r->other_tag.op == NW_TLBI_IPAS2E1IS ||
	    r->other_tag.op == NW_TLBI_RIPAS2E1IS)
		consider(d, &r->other_tag, since, now);
	if (o->phase == NWV_AWAIT_TLBI)
		consider(d, &r->no_ipa, since, now);
	consider(d, &r->local, since, now);
	consider(d, &r->other_tag, since, now);
	if (o->phase == NWV_AWAIT_MIDDLE || o->phase == NWV_AWAIT_COMBINED)
		diagnose_middle(c, o, d);
	/* Had it come after the DSB, it would have served. */
	if (o->phase == NWV_AWAIT_TLBI && early.seq >= since)
		early.why = NWV_WHY_NONE;
	if (o->phase <= NWV_AWAIT_TLBI)
		diagnose_order(c, o, &early, d);
}
