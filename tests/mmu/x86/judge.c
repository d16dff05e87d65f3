/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge.h"

#include <nestwalk/x86.h>

#define PAGE	       UINT64_C(4096)
#define FAILURES_SHOWN 8
#define RING_EVERY     64
#define PF_PRESENT     1u
#define PF_WRITE       2u
#define PF_USER	       4u
#define PF_FETCH       16u
#define PF_KEY	       32u
#define NPF_FINAL      (UINT64_C(1) << 32) /* not of a guest's table */

static const char *const access_name[ACCESS_COUNT] = {"load", "store", "fetch"};

/* ---- checks ------------------------------------------------------------- */

int check(struct judge *j, int ok, const char *what, uint64_t address,
	  uint64_t got, uint64_t want)
{
	j->passed += ok != 0;
	j->failed += ok == 0;
	if (!ok && j->failed <= FAILURES_SHOWN)
		say("FAILED %s: %s at %x: got %x, want %x\n", j->setup->name,
		    what, address, got, want);
	/* Noticed; what such a table does next is anybody's guess. */
	if (!ok && PARAMS->plant)
		machine_exit(1);
	return ok;
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

/* The upper half of a full range has the upper linear addresses. */
static uint64_t linear(const struct judge *j, uint64_t ia)
{
	const unsigned up = 64u - j->setup->ia_bits;

	if (is_nested(j) || (up != 16 && up != 7) || ia >> (64 - up))
		return ia;
	return (uint64_t)((int64_t)(ia << up) >> up);
}

static int is_canonical(uint64_t address)
{
	const unsigned up = PARAMS->levels == 5 ? 7 : 16;

	return (uint64_t)((int64_t)(address << up) >> up) == address;
}

void judge_as(struct judge *j, int user)
{
	j->user = user;
	j->pkru = 0;
	if (!has(j, NW_FEAT_X86_PKU))
		return;
	/* Keys 1 to 15; key 0 is the program's own. */
	j->pkru = (uint32_t)(random_next() & random_next()) & ~UINT32_C(3);
	set_pkru(j->pkru);
}

void judge_install(struct judge *j, uint64_t root_pa)
{
	unsigned features = j->setup->features;

	if (PARAMS->plant == PLANT_NXE)
		features &= ~NW_FEAT_X86_NX;
	if (is_nested(j)) {
		guest_set_ncr3(nw_x86_cr3(NW_PA(root_pa), 0));
		set_features(features);
		return;
	}
	set_cr3(nw_x86_cr3(NW_PA(root_pa), 0));
	set_features(features);
	judge_as(j, 0);
}

/* ---- what should happen ------------------------------------------------- */

struct expected {
	uint64_t vector;
	uint64_t error;
	uint64_t mask; /* bits of the error code that are said */
};

static int right_is_there(const struct judge *j, enum access how,
			  const struct span *span)
{
	static const uint8_t right[ACCESS_COUNT] = {NW_PROT_R, NW_PROT_W,
						    NW_PROT_X};

	if (!(span->prot & SPAN_RIGHTS & right[how]))
		return 0;
	if (is_nested(j))
		return 1;
	if (j->user)
		return span->user;
	return how != ACCESS_FETCH || !span->user || !has(j, NW_FEAT_X86_SMEP);
}

/* Keys count for user pages, also against ring 0 (CR0.WP is set), but not for
 * fetches. */
static int key_denies(const struct judge *j, enum access how,
		      const struct span *span)
{
	const unsigned key = span->prot >> SPAN_KEY_SHIFT;
	const unsigned bits = j->pkru >> 2 * key & 3;

	if (is_nested(j) || !span->user || how == ACCESS_FETCH)
		return 0;
	return bits & 1 || (bits & 2 && how == ACCESS_STORE);
}

static struct expected expect(const struct judge *j, enum access how,
			      const struct span *span)
{
	const int right = span && right_is_there(j, how, span);
	const int key = span && key_denies(j, how, span);
	struct expected e = {is_nested(j) ? EXIT_NPF : VECTOR_PF, 0,
			     ~UINT64_C(0)};

	if (right && !key)
		return (struct expected){0, 0, 0};
	e.error = (span ? PF_PRESENT : 0) |
		  (how == ACCESS_STORE ? PF_WRITE : 0) | (key ? PF_KEY : 0);
	if (how == ACCESS_FETCH && has(j, NW_FEAT_X86_NX | NW_FEAT_X86_SMEP))
		e.error |= PF_FETCH;
	if (is_nested(j))
		e.error |= PF_USER | NPF_FINAL;
	else
		e.error |= j->user ? PF_USER : 0;
	/* Two reasons at once: whether the key is named is left open. */
	if (key && !right)
		e.mask = ~(uint64_t)PF_KEY;
	return e;
}

/* ---- one access --------------------------------------------------------- */

struct outcome judge_try(struct judge *j, enum access how, uint64_t ia,
			 uint64_t value)
{
	if (is_nested(j))
		return guest_access(how, ia, value, (unsigned)random_below(3));
	return host_access(how, linear(j, ia), value, j->user);
}

/* What went through went where it should: by the content of memory there. */
static void judge_content(struct judge *j, enum access how, uint64_t ia,
			  uint64_t pa, const struct outcome *got,
			  uint64_t stored)
{
	uint64_t want = mix(pa), found = got->value;

	if (how == ACCESS_STORE) {
		want = stored;
		found = *memory(pa);
	} else if (how == ACCESS_FETCH) {
		want &= UINT64_C(0xffffffff);
	}
	check(j, found == want, "content", ia, found, want);
}

static void judge_fault(struct judge *j, enum access how, uint64_t ia,
			const struct outcome *got, const struct expected *want)
{
	const uint64_t address = is_nested(j) ? ia : linear(j, ia);

	check(j, (got->error & want->mask) == (want->error & want->mask),
	      "error code", ia, got->error, want->error);
	check(j, got->address == address, "fault's address", ia, got->address,
	      address);
	j->faults[how]++;
	j->key_faults += (want->error & PF_KEY) != 0;
}

int judge_one(struct judge *j, enum access how, uint64_t ia,
	      const struct span *span)
{
	const uint64_t pa = span ? span->pa + (ia - span->ia) : 0;
	const uint64_t stored = random_next();
	const struct expected want = expect(j, how, span);
	struct outcome got;

	if (!want.vector && !is_backed(pa))
		return 0;
	if (!want.vector)
		*memory(pa) =
			how == ACCESS_FETCH ? fetch_code(mix(pa)) : mix(pa);
	got = judge_try(j, how, ia, stored);
	if (!check(j, got.vector == want.vector, access_name[how], ia,
		   got.vector, want.vector)) {
		if (got.vector && j->failed <= FAILURES_SHOWN)
			say("       error code %x, address %x\n", got.error,
			    got.address);
		return 0;
	}
	if (want.vector) {
		judge_fault(j, how, ia, &got, &want);
		return 0;
	}
	judge_content(j, how, ia, pa, &got, stored);
	*memory(pa) = mix(pa);
	return 1;
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
	j->quarters[(ia - j->low) / ((j->end - j->low) / 4 + 1)]++;
}

static void judge_access(struct judge *j, enum access how, uint64_t ia)
{
	const struct span *span = model_find(&j->model, ia);

	if (judge_one(j, how, ia, span))
		judge_marks(j, how, ia, span->pa + (ia - span->ia));
}

void judge_data(struct judge *j, uint64_t ia)
{
	judge_access(j, ACCESS_LOAD, ia);
	judge_access(j, ACCESS_STORE, ia);
	j->addresses++;
}

void judge_fetch(struct judge *j, uint64_t ia)
{
	judge_access(j, ACCESS_FETCH, ia);
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

/*
 * Beyond the input range by one bit: no address, or an entry of the root that
 * the table does not use. QEMU 7.2 does not look at guest-physical bits above
 * the root's: those are left out.
 */
static void judge_beyond(struct judge *j)
{
	const unsigned root = 12u + 9u * j->table.geo.levels;
	const unsigned bits = j->setup->ia_bits;
	unsigned top = is_nested(j) ? machine_oa_bits() : 64;
	struct outcome got;
	uint64_t ia;

	if (is_nested(j) && top > root)
		top = root;
	if (bits >= top)
		return;
	ia = j->low + (random_below(j->end - j->low) & ~UINT64_C(7));
	ia |= UINT64_C(1) << (bits + random_below(top - bits));
	if (is_nested(j) || is_canonical(ia)) {
		judge_one(j, ACCESS_LOAD, ia, NULL);
		return;
	}
	got = host_access(ACCESS_LOAD, ia, 0, j->user);
	check(j, got.vector == VECTOR_GP && got.error == 0, "not canonical", ia,
	      got.vector, VECTOR_GP);
}

static uint64_t choose_address(const struct judge *j)
{
	const uint64_t range = j->end - j->low;
	const uint64_t anywhere = j->low + (random_below(range) & ~UINT64_C(7));
	const uint64_t dice = random_below(100);
	const struct span *span;
	uint64_t ia;

	if (dice >= 90 || !j->model.spans)
		return anywhere;
	span = &j->model.span[random_below(j->model.spans)];
	if (dice < 60 && address_in_span(span, &ia))
		return ia;
	ia = near_border(span);
	if (dice >= 80)
		ia = span->ia + span->size_bytes + anywhere % (64 * PAGE) -
		     32 * PAGE;
	return ia >= j->low && ia < j->end ? ia : anywhere;
}

void judge_addresses(struct judge *j, uint64_t n)
{
	uint64_t ia;

	for (uint64_t i = 0; i < n; i++) {
		if (i % RING_EVERY == 0) {
			judge_as(j, (int)random_below(2));
			judge_beyond(j);
		}
		ia = choose_address(j);
		judge_data(j, ia);
		judge_fetch(j, ia);
	}
}
