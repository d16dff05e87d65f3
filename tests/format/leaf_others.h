/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of an arm64 format, the rest of leaf_tests.h: entries that are no leaf.
 * Part of a test program; leaf_tests.h includes it.
 */
#ifndef TEST_FORMAT_LEAF_OTHERS_H
#define TEST_FORMAT_LEAF_OTHERS_H

/* ---- entries that are no leaf ------------------------------------------ */

static enum nw_entry_kind kind_of(unsigned level, unsigned low_bits,
				  const struct nw_geometry *geo)
{
	if (!(low_bits & 1))
		return NW_ENTRY_INVALID;
	if (low_bits == 3)
		return level ? NW_ENTRY_TABLE : NW_ENTRY_LEAF;
	return level && has_leaf(geo, level) ? NW_ENTRY_LEAF
					     : NW_ENTRY_RESERVED;
}

static void kind_follows_valid_and_type_bits(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	unsigned level, low;

	(void)state;
	assert_in_range(geo.levels, 3, 5);
	for (level = 0; level < geo.levels; level++) {
		assert_int_equal(nwf_kind(&geo, level, 0), NW_ENTRY_EMPTY);
		assert_int_equal(nwf_kind(&geo, level, 2), NW_ENTRY_INVALID);
		for (low = 0; low < 4; low++) {
			uint64_t entry = UINT64_C(0x40000000) | low;
			enum nw_entry_kind want = kind_of(level, low, &geo);

			assert_int_equal(nwf_kind(&geo, level, entry), want);
			assert_int_equal(!nwf_is_valid(entry), !(low & 1));
			assert_int_equal(!nwf_is_table(level, entry),
					 want != NW_ENTRY_TABLE);
			assert_int_equal(!nwf_is_leaf(level, entry),
					 want != NW_ENTRY_LEAF);
		}
	}
}

/* 4 TiB blocks take FEAT_LPA: by type a leaf, decoded it is none. */
static void decode_block_of_absent_feature_is_reserved(void **state)
{
	struct nw_geometry geo = shape(0, OA_MOST);
	struct nw_attrs attrs = plain_attrs();
	struct nw_decoded out;
	unsigned level;

	(void)state;
	for (level = 1; level < geo.levels; level++) {
		if (has_leaf(&geo, level))
			continue;
		INSTANCE(decode)(&geo, level, encode(0, 1, &attrs), &out);
		assert_int_equal(out.kind, NW_ENTRY_RESERVED);
		assert_int_equal(out.reason, NW_REASON_TYPE_AT_LEVEL);
	}
}

static void decode_entry_that_is_not_valid_is_empty_or_annotated(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	struct nw_decoded out;
	unsigned level, n;

	(void)state;
	for (level = 0; level < geo.levels; level++) {
		INSTANCE(decode)(&geo, level, 0, &out);
		assert_int_equal(out.kind, NW_ENTRY_EMPTY);
		for (n = 1; n < 64; n++) {
			INSTANCE(decode)(&geo, level, UINT64_C(1) << n, &out);
			assert_int_equal(out.kind, NW_ENTRY_INVALID);
			assert_int_equal(out.reason, NW_REASON_NONE);
			INSTANCE(decode)(&geo, level, ~UINT64_C(0) << n, &out);
			assert_int_equal(out.kind, NW_ENTRY_INVALID);
		}
	}
}

/* ---- invalid entries that mean something -------------------------------- */

/* Which of the four it is; each predicate must know its own alone. */
static void check_meaning(const struct nw_geometry *geo, uint64_t entry,
			  int is_token, int is_frozen, uint64_t annotation)
{
	struct nw_decoded out;
	unsigned level;

	for (level = 0; level < geo->levels; level++) {
		INSTANCE(decode)(geo, level, entry, &out);
		if (nwf_is_valid(entry) || nwf_is_leaf(level, entry) ||
		    nwf_is_table(level, entry) ||
		    out.kind != (entry ? NW_ENTRY_INVALID : NW_ENTRY_EMPTY))
			fail_msg("entry %#" PRIx64 " is live", entry);
	}
	if (!nwf_is_locked(entry) != !is_token ||
	    (entry == nwf_frozen()) != is_frozen ||
	    !nwf_is_annotation(entry) != !annotation ||
	    (annotation && nwf_annotation_value(entry) != annotation))
		fail_msg("entry %#" PRIx64 ": token %d frozen %d annotation "
			 "%#" PRIx64 " expected %d %d %#" PRIx64,
			 entry, nwf_is_locked(entry), entry == nwf_frozen(),
			 nwf_annotation_value(entry), is_token, is_frozen,
			 annotation);
}

static void invalid_entries_never_look_like_one_another(void **state)
{
	const uint64_t tickets = UINT64_C(1) << NWF_TICKET_BITS;
	const uint64_t values = UINT64_C(1) << NWF_ANNOTATION_BITS;
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	uint64_t n;
	unsigned a, b;

	(void)state;
	check_meaning(&geo, NWF_EMPTY, 0, 0, 0);
	check_meaning(&geo, nwf_frozen(), 0, 1, 0);
	for (n = 0; n < 4096; n++) {
		check_meaning(&geo, nwf_lock_token(n), 1, 0, 0);
		check_meaning(&geo, nwf_lock_token(tickets - 1 - n), 1, 0, 0);
		check_meaning(&geo, nwf_annotation(n + 1), 0, 0, n + 1);
		check_meaning(&geo, nwf_annotation(values - 1 - n), 0, 0,
			      values - 1 - n);
	}
	for (a = 0; a < 64; a++) {
		for (b = 0; b < 64; b++) {
			n = UINT64_C(1) << a | UINT64_C(1) << b;
			if (n < tickets)
				check_meaning(&geo, nwf_lock_token(n), 1, 0, 0);
			if (n < values)
				check_meaning(&geo, nwf_annotation(n), 0, 0, n);
		}
	}
}

static void live_entry_is_no_token_and_no_annotation(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	struct nw_attrs attrs = {0};
	unsigned level;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		do {
			uint64_t leaf = encode(geo.features, level, &attrs);

			if (leaf &&
			    (nwf_is_locked(leaf) || nwf_is_annotation(leaf) ||
			     leaf == nwf_frozen()))
				fail_msg("leaf %#" PRIx64, leaf);
		} while (next_attrs(&attrs));
	}
}

/* ---- tables -------------------------------------------------------------- */

/* One more bit in a table entry, 44 output bits: what is wrong with it. */
static enum nw_reason table_bit_reason(unsigned n)
{
	if (n - form->high_bit < form->high_count)
		return NW_REASON_ADDRESS_SIZE;
	if (n < 12 || n >= form->low_bits)
		return NW_REASON_RES0;
	if (n < form->granule_lg2)
		return NW_REASON_ADDRESS_ALIGN;
	return n < 44 ? NW_REASON_NONE : NW_REASON_ADDRESS_SIZE;
}

static void table_entry_round_trips_or_has_the_reason(void **state)
{
	struct nw_geometry geo = shape(manual->features, 44);
	struct nw_geometry most = shape(all_features(), OA_MOST);
	uint64_t next = sample_pa(&geo, 0), entry;
	struct nw_decoded out;
	unsigned level, n;

	(void)state;
	entry = nwf_table_entry(&most, sample_pa(&most, 0));
	assert_true(entry == (sample(&most, 0) | 3));
	assert_true(nwf_table_pa(&most, entry) == sample_pa(&most, 0));
	entry = nwf_table_entry(&geo, next);
	assert_true(entry == (next | 3));
	for (level = 1; level < geo.levels; level++) {
		INSTANCE(decode)(&geo, level, entry, &out);
		assert_int_equal(out.kind, NW_ENTRY_TABLE);
		assert_int_equal(out.reason, NW_REASON_NONE);
		assert_true(out.pa.v == next);
		for (n = 2; n < 64; n++) {
			uint64_t other = entry | UINT64_C(1) << n;
			enum nw_reason want = table_bit_reason(n);

			INSTANCE(decode)(&geo, level, other, &out);
			assert_int_equal(out.kind, want ? NW_ENTRY_RESERVED
							: NW_ENTRY_TABLE);
			assert_int_equal(out.reason, want);
		}
	}
}

#endif
