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
	X(bad_removal_skips_locked)                                            \
	X(bad_steal_blind_publish)                                             \
	X(bad_lookup_takes_lock_for_none)                                      \
	X(bad_lock_hides_owner)                                                \
	X(good_removal_steals)                                                 \
	X(good_removal_waits)                                                  \
	X(good_lookup_reports_busy)                                            \
	X(good_lock_refuses_annotated)                                         \
	X(bad_protect_plain_store)                                             \
	X(good_protect_swap)                                                   \
	X(bad_run_single_entry_swap)                                           \
	X(good_run_under_first_lock)                                           \
	X(bad_repair_stale_right)                                              \
	X(good_repair_recorded_right)                                          \
	X(bad_repair_marks_before)                                             \
	X(good_repair_marks_after)                                             \
	X(bad_move_copies_first)                                               \
	X(good_move)                                                           \
	X(bad_s2_no_ipa_round)                                                 \
	X(bad_s2_no_combined_round)                                            \
	X(bad_s2_no_middle_barrier)                                            \
	X(bad_s2_other_vmid)                                                   \
	X(good_s2_rounds)                                                      \
	X(bad_el2_no_quiescence)                                               \
	X(bad_el2_unfenced_entry)                                              \
	X(bad_el2_early_idle)                                                  \
	X(good_el2_quiescence)                                                 \
	X(bad_library_split_no_bbm)                                            \
	X(bad_library_early_free)                                              \
	X(good_library_split_bbm)                                              \
	X(good_library_split_lookup)                                           \
	X(good_library_unmap_flush)                                            \
	X(good_library_protect_flush)                                          \
	X(good_library_readers_teardown)                                       \
	X(bad_library_fixmap_unretired)                                        \
	X(good_library_fixmap_broadcast)                                       \
	X(good_library_fixmap_batched)                                         \
	X(good_library_fixmap_private_root)                                    \
	X(good_library_map_same_page)                                          \
	X(good_library_map_same_table)                                         \
	X(good_library_map_walk)                                               \
	X(good_ord_link_filled)                                                \
	X(good_ord_slot_filled)                                                \
	X(good_ord_map_content)                                                \
	X(good_ord_map_visible)                                                \
	X(good_ord_split_visible)                                              \
	X(good_ord_relax_visible)                                              \
	X(good_ord_root_zeroed)                                                \
	X(good_ord_destroy_reader)                                             \
	X(good_ord_teardown)                                                   \
	X(good_ord_walk_drop)                                                  \
	X(good_ord_teardown_root)                                              \
	X(good_ord_split_dirty)                                                \
	X(good_ord_split_dirty_bbm2)                                           \
	X(good_ord_protect_dirty)                                              \
	X(good_ord_split_bbm2)                                                 \
	X(good_ord_shared_map)                                                 \
	X(good_ord_shared_same)                                                \
	X(good_ord_fixmap_broadcast)                                           \
	X(good_ord_fixmap_private)                                             \
	X(good_ord_fixmap_batch)                                               \
	X(good_ord_fixmap_retire)                                              \
	X(good_ord_fixmap_retire_other)

#define NWS_DECLARE(name) extern const struct nwx_scenario nws_##name;
#define NWS_POINT(name) &nws_##name,

NWS_LIST(NWS_DECLARE)

const struct nwx_scenario *const nws_all[] = {NWS_LIST(NWS_POINT) NULL};
const unsigned nws_count = sizeof(nws_all) / sizeof(nws_all[0]) - 1;
