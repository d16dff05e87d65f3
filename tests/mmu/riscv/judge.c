/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge.h"

#include <nestwalk/riscv.h>

#define PAGE		UINT64_C(4096)
#define FAILURES_SHOWN	8
#define PRIVILEGE_EVERY 64
#define BACKED_FROM	UINT64_C(0x90000000)
#define STATE_ADDRESSES 24
#define DIRTY_SPANS_MAX 4096

uint64_t islands[ISLANDS];

static const char *const access_name[ACCESS_COUNT] = {"HLV.D", "HSV.D",
						      "HLVX.HU", "fetch"};

/* ---- memory ------------------------------------------------------------- */

/* Half of them anywhere in memory, the others in its first 3 GiB. */
void islands_choose(void)
{
	const uint64_t pieces = (RAM_END - BACKED_FROM) / ISLAND_BYTES;

	for (unsigned i = 0; i < ISLANDS; i++) {
		const uint64_t piece =
			random_below(i % 2 ? pieces : UINT64_C(1400));

		islands[i] = BACKED_FROM + piece * ISLAND_BYTES;
	}
}

static int is_backed(uint64_t pa)
{
	for (unsigned i = 0; i < ISLANDS; i++)
		if (pa - islands[i] < ISLAND_BYTES)
			return 1;
	return 0;
}

int address_in_span(const struct span *span, uint64_t *ia)
{
	const unsigned first = (unsigned)random_below(ISLANDS);
	uint64_t low, high;

	for (unsigned i = 0; i < ISLANDS; i++) {
		low = islands[(first + i) % ISLANDS];
		high = low + ISLAND_BYTES;
		if (low < span->pa)
			low = span->pa;
		if (high > span->pa + span->size_bytes)
			high = span->pa + span->size_bytes;
		if (low >= high)
			continue;
		low += random_below(high - low) & ~UINT64_C(7);
		*ia = span->ia + (low - span->pa);
		return 1;
	}
	return 0;
}

static volatile uint64_t *memory(uint64_t pa)
{
	return (volatile uint64_t *)(uintptr_t)pa;
}

/* ---- checks ------------------------------------------------------------- */

int check(struct judge *j, int ok, const char *what, uint64_t address,
	  uint64_t got, uint64_t want)
{
	j->passed += ok != 0;
	j->failed += ok == 0;
	if (!ok && j->failed <= FAILURES_SHOWN)
		say("FAILED %s: %s at %x: got %x, want %x\n", j->setup->name,
		    what, address, got, want);
	return ok;
}

uint64_t guest_address(const struct judge *j, uint64_t ia)
{
	const unsigned up = 64u - j->setup->ia_bits;

	if (ia >> j->setup->ia_bits ||
	    (is_g_stage(j) && !quirks.gpa_is_signed[j->table.geo.levels]))
		return ia;
	return (uint64_t)((int64_t)(ia << up) >> up);
}

void judge_install(const struct judge *j)
{
	const nw_pa_t root = nw_table_root(&j->table);
	const struct nw_geometry *geo = &j->table.geo;
	uint64_t wrong = 0;

	/* Three and four levels swapped; of five an undefined mode. */
	if (PARAMS->plant == PLANT_MODE)
		wrong = UINT64_C(1) << 60;
	if (is_g_stage(j))
		guest_translation(nw_riscv_hgatp(geo, root, 1) ^ wrong, 0);
	else
		guest_translation(0, nw_riscv_satp(geo, root, 1) ^ wrong);
}

/* Cause of the fault that the access should take, 0: none. */
static uint64_t expected_cause(const struct judge *j, const struct span *span,
			       enum access how, int privileged)
{
	static const uint8_t cause[2][ACCESS_COUNT] = {
		{CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_LOAD_PAGE,
		 CAUSE_FETCH_PAGE},
		{CAUSE_LOAD_GUEST_PAGE, CAUSE_STORE_GUEST_PAGE,
		 CAUSE_LOAD_GUEST_PAGE, CAUSE_FETCH_GUEST_PAGE}};
	static const uint8_t right[ACCESS_COUNT] = {NW_PROT_R, NW_PROT_W,
						    NW_PROT_X, NW_PROT_X};

	unsigned need = right[how];
	int whose = 1;

	if (how == ACCESS_LOAD_EXEC && quirks.hlvx_is_load)
		need = NW_PROT_R;
	if (span && !is_g_stage(j))
		whose = span->user == !privileged ||
			(span->user && quirks.hlv_has_sum &&
			 how != ACCESS_FETCH);
	if (span && (span->prot & need) && whose)
		return 0;
	return cause[is_g_stage(j)][how];
}

static void judge_fault(struct judge *j, enum access how, uint64_t address,
			const struct outcome *got, uint64_t want_cause)
{
	const char *what = access_name[how];

	if (!check(j, got->cause == want_cause, what, address, got->cause,
		   want_cause) ||
	    !want_cause)
		return;
	j->faults[how]++;
	check(j, got->stval == address, "stval", address, got->stval, address);
	if (is_g_stage(j))
		check(j, got->htval == address >> 2, "htval", address,
		      got->htval, address >> 2);
}

/* What went through went where it should: by the content of memory there. */
static void judge_content(struct judge *j, enum access how, uint64_t address,
			  uint64_t pa, const struct outcome *got,
			  uint64_t stored)
{
	uint64_t want = mix(pa), found = got->value;

	if (how == ACCESS_STORE) {
		want = stored;
		found = *memory(pa);
	} else if (how == ACCESS_LOAD_EXEC) {
		want &= 0xffff;
	} else if (how == ACCESS_FETCH) {
		want = (uint64_t)(int32_t)(want & UINT64_C(0xfffff000));
	}
	check(j, found == want, "content", address, found, want);
}

/* The marks that hardware left are where the library looks for them. */
static void judge_marks(struct judge *j, enum access how, uint64_t ia,
			uint64_t pa)
{
	const unsigned want =
		NW_LEAF_ACCESSED | (how == ACCESS_STORE ? NW_LEAF_DIRTY : 0);
	struct nw_mapping found;
	struct nw_attrs attrs = {0};

	if (!check(j,
		   nw_lookup(&j->table, NW_IA(ia), &found) == NW_OK &&
			   found.kind == NW_ENTRY_LEAF && found.pa.v == pa,
		   "nw_lookup", ia, found.pa.v, pa) ||
	    nw_mapping_attrs(&j->table, &found, &attrs) != NW_OK)
		return;
	check(j, (attrs.flags & want) == want, "accessed, dirty", ia,
	      attrs.flags, want);
	j->through[found.level]++;
	j->quarters[ia >> (j->setup->ia_bits - 2)]++;
	j->runs += (attrs.flags & NW_LEAF_CONTIG) != 0;
}

static void judge_access(struct judge *j, enum access how, uint64_t ia)
{
	const int privileged = j->privileged;
	const struct span *span = model_find(&j->model, ia);
	const uint64_t address = guest_address(j, ia);
	const uint64_t cause = expected_cause(j, span, how, privileged);
	const uint64_t pa = span ? span->pa + (ia - span->ia) : 0;
	const uint64_t stored = random_next();
	struct outcome got;

	if (!cause && !is_backed(pa))
		return;
	if (!cause)
		*memory(pa) =
			how == ACCESS_FETCH ? fetch_code(mix(pa)) : mix(pa);
	got = guest_access(how, address, stored, privileged);
	judge_fault(j, how, address, &got, cause);
	if (!cause && !got.cause) {
		judge_content(j, how, address, pa, &got, stored);
		judge_marks(j, how, ia, pa);
	}
	if (!cause)
		*memory(pa) = mix(pa);
}

/* ---- addresses ---------------------------------------------------------- */

static uint64_t near_border(const struct span *span)
{
	const uint64_t end = span->ia + span->size_bytes;

	switch (random_below(4)) {
	case 0:
		return span->ia;
	case 1:
		return end - 8;
	case 2:
		return end;
	default:
		return span->ia - 8;
	}
}

/* Beyond the input range by one bit: at any height for a guest-physical
 * address; the lowest would change a virtual one's sign only. */
static uint64_t beyond(const struct judge *j, uint64_t ia)
{
	const unsigned low = j->setup->ia_bits;

	return ia | UINT64_C(1) << (low + random_below(64 - low));
}

static uint64_t choose_address(const struct judge *j)
{
	const uint64_t range = UINT64_C(1) << j->setup->ia_bits;
	const uint64_t anywhere = random_below(range) & ~UINT64_C(7);
	const uint64_t dice = random_below(100);
	const struct span *span;
	uint64_t ia;

	if (dice >= 95)
		return beyond(j, anywhere);
	if (dice >= 85 || !j->model.spans)
		return anywhere;
	span = &j->model.span[random_below(j->model.spans)];
	if (dice < 55 && address_in_span(span, &ia))
		return ia;
	if (dice < 75)
		return near_border(span) & (range - 1);
	return (span->ia + span->size_bytes + anywhere % (64 * PAGE) -
		32 * PAGE) &
	       (range - 1);
}

/* The emulator keeps what HLV and HSV found when their privilege changes. */
static void set_privilege(struct judge *j, int privileged)
{
	if (j->privileged != privileged && !is_g_stage(j))
		fence_all();
	j->privileged = privileged;
}

void judge_data(struct judge *j, uint64_t ia)
{
	judge_access(j, ACCESS_LOAD, ia);
	judge_access(j, ACCESS_STORE, ia);
	judge_access(j, ACCESS_LOAD_EXEC, ia);
	j->addresses++;
}

void judge_fetch(struct judge *j, uint64_t ia)
{
	/* What sepc keeps of an address out of range is its affair. */
	if (!(ia >> j->setup->ia_bits))
		judge_access(j, ACCESS_FETCH, ia);
}

void judge_addresses(struct judge *j, uint64_t n)
{
	uint64_t ia;

	for (uint64_t i = 0; i < n; i++) {
		if (i % PRIVILEGE_EVERY == 0)
			set_privilege(j, (int)random_below(2));
		ia = choose_address(j);
		judge_data(j, ia);
		judge_fetch(j, ia);
	}
}

/* ---- accessed and dirty ------------------------------------------------- */

struct dirty_list {
	unsigned spans;
	uint64_t ia[DIRTY_SPANS_MAX];
	uint64_t end[DIRTY_SPANS_MAX];
};
static struct dirty_list dirty;

static void take_dirty(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct dirty_list *list = arg;

	if (list->spans == DIRTY_SPANS_MAX)
		return;
	list->ia[list->spans] = ia.v;
	list->end[list->spans++] = ia.v + size_bytes;
}

static int harvest(struct judge *j)
{
	struct nw_result r;

	dirty.spans = 0;
	return nw_harvest_dirty(&j->table, NW_IA(0),
				UINT64_C(1) << j->setup->ia_bits, take_dirty,
				&dirty, &r) == NW_OK;
}

static uint64_t dirty_bytes(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < dirty.spans; i++)
		sum += dirty.end[i] - dirty.ia[i];
	return sum;
}

static int is_dirty(uint64_t ia)
{
	for (unsigned i = 0; i < dirty.spans; i++)
		if (dirty.ia[i] <= ia && ia < dirty.end[i])
			return 1;
	return 0;
}

/* Number of leaves that these addresses are in, and their size together. */
static unsigned leaves_of(struct judge *j, const uint64_t *ia, unsigned n,
			  uint64_t *bytes)
{
	uint64_t base[STATE_ADDRESSES];
	struct nw_mapping found;
	struct nw_attrs attrs;
	unsigned leaves = 0, known = 0, k;

	*bytes = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned members = 1;

		if (nw_lookup(&j->table, NW_IA(ia[i]), &found) != NW_OK ||
		    nw_mapping_attrs(&j->table, &found, &attrs) != NW_OK)
			continue;
		/* One is accessed, or dirty: all are. */
		if (attrs.flags & NW_LEAF_CONTIG) {
			members = RUN_PAGES;
			found.base.v &= ~(RUN_PAGES * PAGE - 1);
		}
		for (k = 0; k < known && base[k] != found.base.v; k++)
			;
		if (k < known)
			continue;
		base[known++] = found.base.v;
		leaves += members;
		*bytes += (uint64_t)members
			  << nw_span_lg2(&j->table.geo, found.level);
	}
	return leaves;
}

/* Random backed addresses, and how the guest reaches them. */
static unsigned choose_mapped(struct judge *j, unsigned right, uint64_t *ia)
{
	unsigned n = 0;

	for (unsigned tries = 0; j->model.spans && tries < 400; tries++) {
		const struct span *span =
			&j->model.span[random_below(j->model.spans)];

		if (n == STATE_ADDRESSES)
			break;
		if ((span->prot & right) && address_in_span(span, &ia[n]))
			n++;
	}
	return n;
}

static void touch(struct judge *j, enum access how, const uint64_t *ia,
		  unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct span *span = model_find(&j->model, ia[i]);

		set_privilege(j, !span->user);
		judge_access(j, how, ia[i]);
	}
}

void judge_state(struct judge *j)
{
	const uint64_t all = UINT64_C(1) << j->setup->ia_bits;
	uint64_t ia[STATE_ADDRESSES], young = 0;
	struct nw_result r;
	uint64_t bytes;
	unsigned n, leaves;

	n = choose_mapped(j, NW_PROT_W, ia);
	check(j, harvest(j), "nw_harvest_dirty", 0, 0, 0);
	touch(j, ACCESS_LOAD, ia, n);
	check(j, harvest(j), "nw_harvest_dirty", 0, 0, 0);
	check(j, dirty_bytes() == 0, "loaded, not dirty", 0, dirty_bytes(), 0);
	touch(j, ACCESS_STORE, ia, n);
	check(j, harvest(j), "nw_harvest_dirty", 0, 0, 0);
	for (unsigned i = 0; i < n; i++)
		check(j, is_dirty(ia[i]), "stored, dirty", ia[i], 0, 1);
	leaves_of(j, ia, n, &bytes);
	check(j, dirty_bytes() == bytes, "dirty bytes", 0, dirty_bytes(),
	      bytes);

	n = choose_mapped(j, NW_PROT_R, ia);
	check(j,
	      nw_age(&j->table, NW_IA(0), all, NW_AGE_CLEAR, &young, &r) ==
		      NW_OK,
	      "nw_age", 0, r.status, 0);
	fence_all(); /* ageing does not flush */
	touch(j, ACCESS_LOAD, ia, n);
	check(j,
	      nw_age(&j->table, NW_IA(0), all, NW_AGE_TEST, &young, &r) ==
		      NW_OK,
	      "nw_age", 0, r.status, 0);
	leaves = leaves_of(j, ia, n, &bytes);
	check(j, young == leaves, "young leaves", 0, young, leaves);
}
