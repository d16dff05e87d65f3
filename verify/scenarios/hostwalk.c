/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the host's table without its locks (requirements S1): the mapping
 * level of an address while the host replaces a table by a block, and takes
 * the table page back.
 */
#include "scenarios.h"

#define HVA UINT64_C(0x200000)
#define HOST_TAG 1
#define SMALL_OUT UINT64_C(0x80000000)
#define BLOCK_OUT UINT64_C(0xc0000000)

struct state {
	uint64_t count;
	uint64_t sequence;
	uint64_t lock; /* the MMU lock */
	uint64_t mapped_level; /* what the fault installed: level + 1, or 0 */
	uint64_t *upper;
	uint64_t *leaves;
};

enum { LEVEL_NONE = -1, LEVEL_4K = 0, LEVEL_2M = 1 };

static void setup(void *state)
{
	struct state *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_STAGE2, HOST_TAG, HVA, 0xf);

	nwx_name(&s->count, "count");
	nwx_name(&s->sequence, "sequence");
	nwx_name(&s->lock, "MMU lock");
	nwx_name(&s->mapped_level, "guest's level + 1");
	s->upper = &t.middle[HVA >> 21 & 511];
	s->leaves = t.leaves;
	nwx_store(&t.leaves[0], NWS_S2_PAGE(SMALL_OUT), NWM_RELAXED);
}

static void flush(void)
{
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, HOST_TAG, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
}

/* A block, and beside it a page with the table that will replace it. */
static void setup_block(void *state)
{
	struct state *s = state;

	setup(state);
	nwx_store(s->upper, 0, NWM_RELAXED);
	flush();
	nwx_store(s->upper, NWS_S2_BLOCK(BLOCK_OUT), NWM_RELAXED);
	s->leaves = nwx_page_alloc(0);
	nwx_table_page(s->leaves);
	nwx_store(s->leaves, NWS_S2_PAGE(SMALL_OUT), NWM_RELAXED);
}

static int is_table(uint64_t entry)
{
	return (entry & 3) == 3;
}

static int level_below(uint64_t entry)
{
	const uint64_t *child = nwx_virt(entry & UINT64_C(0xfffffffff000));

	return nwx_load(child, NWM_RELAXED) & NWS_VALID ? LEVEL_4K :
							  LEVEL_NONE;
}

/* Each entry read once, inside a section. */
static int lookup(struct state *s)
{
	int level = LEVEL_NONE;
	uint64_t entry;

	nwx_section_enter();
	entry = nwx_load(s->upper, NWM_RELAXED);
	if (is_table(entry))
		level = level_below(entry);
	else if (entry & NWS_VALID)
		level = LEVEL_2M;
	nwx_section_leave();
	return level;
}

/* The older form: looks twice at one entry, as if it could not change. */
static int lookup_twice(struct state *s)
{
	int level;

	nwx_section_enter();
	if (!(nwx_load(s->upper, NWM_RELAXED) & NWS_VALID)) {
		level = LEVEL_NONE;
	} else {
		uint64_t again = nwx_load(s->upper, NWM_RELAXED);

		nwx_require(again & NWS_VALID, NWM_PROTOCOL,
			    "the lookup goes on with an entry that was valid "
			    "when it was tested and is not any more");
		level = is_table(again) ? level_below(again) : LEVEL_2M;
	}
	nwx_section_leave();
	return level;
}

/* No section: nothing keeps the child table alive. */
static int lookup_unprotected(struct state *s)
{
	uint64_t entry = nwx_load(s->upper, NWM_RELAXED);

	if (is_table(entry))
		return level_below(entry);
	return entry & NWS_VALID ? LEVEL_2M : LEVEL_NONE;
}

/* The host takes the range apart: table out, page freed. */
static void host_teardown(void *state)
{
	struct state *s = state;

	(void)nwx_add(&s->count, 1);
	(void)nwx_xchg(s->upper, 0);
	flush();
	nwx_synchronize();
	nwx_page_free(s->leaves, 0);
	(void)nwx_add(&s->sequence, 1);
	(void)nwx_add(&s->count, UINT64_MAX);
}

static void reader_twice(void *state)
{
	(void)lookup_twice(state);
}

static void reader_unprotected(void *state)
{
	(void)lookup_unprotected(state);
}

/* ---- use of the level -------------------------------------------------- */

/* Right after the step that it is about. */
static void tell(enum nw_event event, uint64_t sequence)
{
	nwx_trace(event, HVA, HVA + NWS_BLOCK_BYTES, sequence, NULL, 0);
}

/* The host splits its block, under the notifier's bracket. Faults recheck and
 * install under the lock: who holds it has drained them. */
static void host_split(void *state)
{
	struct state *s = state;

	nwx_lock(&s->lock);
	(void)nwx_add(&s->count, 1);
	tell(NW_EV_NOTIFY_BEGIN, s->sequence);
	tell(NW_EV_NOTIFY_DRAIN, 0);
	nwx_store(&s->mapped_level, 0, NWM_RELAXED); /* zap */
	nwx_unlock(&s->lock);
	(void)nwx_xchg(s->upper, 0);
	flush();
	(void)nwx_xchg(s->upper, NWS_TABLE(nwx_pa(s->leaves)));
	nwx_lock(&s->lock);
	(void)nwx_add(&s->sequence, 1);
	(void)nwx_add(&s->count, UINT64_MAX);
	tell(NW_EV_NOTIFY_END, s->sequence);
	nwx_unlock(&s->lock);
}

static void install_level(struct state *s, int level, uint64_t sample)
{
	/* An absent host entry counts as 4K: the retry will catch it. */
	nwx_store(&s->mapped_level,
		  (uint64_t)(level == LEVEL_NONE ? LEVEL_4K : level) + 1,
		  NWM_RELAXED);
	tell(NW_EV_NOTIFY_INSTALL, sample);
}

static void fault_under_retry(void *state)
{
	struct state *s = state;
	uint64_t sample = nwx_load(&s->sequence, NWM_ACQUIRE);
	int level;

	tell(NW_EV_NOTIFY_SAMPLE, sample);
	nwx_lock(&s->lock);
	level = lookup(s);
	if (!nwx_load(&s->count, NWM_RELAXED) &&
	    nwx_load(&s->sequence, NWM_RELAXED) == sample)
		install_level(s, level, sample);
	nwx_unlock(&s->lock);
}

static void fault_without_retry(void *state)
{
	struct state *s = state;
	uint64_t sample = s->sequence; /* that it should have taken */
	int level = lookup(s);

	nwx_lock(&s->lock);
	install_level(s, level, sample);
	nwx_unlock(&s->lock);
}

static void finish_level(void *state)
{
	struct state *s = state;
	int is_split = is_table(nwx_load(s->upper, NWM_RELAXED));

	nwx_require(!is_split || nwx_load(&s->mapped_level, NWM_RELAXED) !=
					 LEVEL_2M + 1,
		    NWM_PROTOCOL, "the guest has a 2 MiB leaf over a range that "
				  "the host maps by pages");
}

#define LOOKUP                                                                 \
	.subject = NWX_PROTOCOL, .cpus = 2, .cpus_pct = 3,                     \
	.state_bytes = sizeof(struct state)

const struct nwx_scenario nws_bad_lookup_rereads_entry = {
	.name = "bad_lookup_rereads_entry",
	.doc = "a lookup tests an entry and reads it again to go on",
	.rule = "S1.1",
	LOOKUP,
	.setup = setup,
	.cpu = {host_teardown, reader_twice, reader_twice},
	.expect = {NWM_PROTOCOL},
};

const struct nwx_scenario nws_bad_lookup_during_teardown = {
	.name = "bad_lookup_during_teardown",
	.doc = "a lookup descends into a table that nothing keeps alive",
	.rule = "S1.1",
	LOOKUP,
	.setup = setup,
	.cpu = {host_teardown, reader_unprotected, reader_unprotected},
	.expect = {NWM_USE_AFTER_FREE},
};

const struct nwx_scenario nws_bad_level_used_without_retry = {
	.name = "bad_level_used_without_retry",
	.doc = "the level that a lookup found is used under the lock, without "
	       "a look at the invalidation sequence",
	.rule = "S1.2",
	LOOKUP,
	.setup = setup_block,
	.cpu = {host_split, fault_without_retry, fault_without_retry},
	.finish = finish_level,
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"NOTIFY-03", "NOTIFY-04"},
};

const struct nwx_scenario nws_good_lookup_under_retry = {
	.name = "good_lookup_under_retry",
	.doc = "the level is used under the lock after count and sequence were "
	       "checked",
	.rule = "S1.2",
	LOOKUP,
	.setup = setup_block,
	.cpu = {host_split, fault_under_retry, fault_under_retry},
	.finish = finish_level,
};

static void reader_once(void *state)
{
	(void)lookup(state);
}

const struct nwx_scenario nws_good_lookup_during_teardown = {
	.name = "good_lookup_during_teardown",
	.doc = "each entry is read once, inside a section that holds the "
	       "table's freeing off",
	.rule = "S1.1",
	LOOKUP,
	.setup = setup,
	.cpu = {host_teardown, reader_once, reader_once},
};
