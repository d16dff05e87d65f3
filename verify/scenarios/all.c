/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenarios.h"

/* good_ and bad_ by family, in the order of the table that is printed. */
#define NWS_LIST(X)                                                            \
	X(bad_pteref_used_after_unlock)                                        \
	X(bad_free_without_grace)                                              \
	X(good_read_pte)                                                       \
	X(bad_lookup_rereads_entry)                                            \
	X(bad_lookup_during_teardown)                                          \
	X(bad_level_used_without_retry)                                        \
	X(good_lookup_during_teardown)                                         \
	X(good_lookup_under_retry)                                             \
	X(bad_fixmap_local_invalidate)                                         \
	X(bad_fixmap_local_bbm2)                                               \
	X(bad_fixmap_nsh_barrier)                                              \
	X(bad_fixmap_nsh_completion)                                           \
	X(bad_fixmap_barrier_after)                                            \
	X(bad_fixmap_batched_early)                                            \
	X(good_fixmap_broadcast)                                               \
	X(good_fixmap_batched)                                                 \
	X(good_fixmap_private_root)                                            \
	X(bad_install_without_retry)                                           \
	X(bad_install_without_count)                                           \
	X(bad_seq_bump_after_count)                                            \
	X(bad_begin_without_drain)                                             \
	X(bad_change_pte_unbracketed_store)                                    \
	X(good_bracket)                                                        \
	X(good_change_pte_in_bracket)                                          \
	X(good_change_pte_in_place)                                            \
	X(bad_annotation_read_from_valid_entry)                                \
	X(bad_donate_partial_failure)                                          \
	X(bad_reclaim_before_scrub)                                            \
	X(good_donate_all_or_nothing)                                          \
	X(good_donate_reclaim)                                                 \
	X(bad_reclaim_without_freeze)                                          \
	X(bad_flush_shared_too_early)                                          \
	X(bad_flush_foreign_barrier)                                           \
	X(good_reclaim_frozen)                                                 \
	X(good_flush_shared)                                                   \
	X(bad_library_split_no_bbm)                                            \
	X(bad_library_early_free)                                              \
	X(good_library_split_bbm)                                              \
	X(good_library_unmap_flush)                                            \
	X(good_library_protect_flush)                                          \
	X(good_library_readers_teardown)                                       \
	X(bad_library_fixmap_unretired)                                        \
	X(good_library_fixmap_broadcast)                                       \
	X(good_library_fixmap_batched)                                         \
	X(good_library_fixmap_private_root)                                    \
	X(good_library_map_same_page)                                          \
	X(good_library_map_same_table)                                         \
	X(good_library_map_walk)

#define NWS_DECLARE(name) extern const struct nwx_scenario nws_##name;
#define NWS_POINT(name) &nws_##name,

NWS_LIST(NWS_DECLARE)

const struct nwx_scenario *const nws_all[] = {NWS_LIST(NWS_POINT) NULL};
const unsigned nws_count = sizeof(nws_all) / sizeof(nws_all[0]) - 1;
