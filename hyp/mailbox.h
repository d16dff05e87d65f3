/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the hypervisor reports: a record at a fixed physical address
 * (NW_HYP_MAILBOX_PA, layout.h), which the host reads live out of the file
 * behind the machine's RAM. Nothing is sent and nothing is waited for.
 *
 * All fields are little-endian; offsets are in bytes from the record's start:
 *
 *   0x000  u64 magic            "NWMBOX01", written last at boot
 *   0x008  u32 version          NW_MAILBOX_VERSION
 *   0x00c  u32 bytes            of the whole record
 *   0x010  u32 state            enum nw_mailbox_state
 *   0x014  u32 phase            enum nw_mailbox_phase
 *   0x018  u32 cpus             rows of counters
 *   0x01c  u32 counters         counters in a row
 *   0x020  u32 names_offset     name[counters], NW_MAILBOX_NAME_BYTES each,
 *                               zero-padded ASCII, beginning with letter
 *                               'c' (counter) or 'g' (gauge) and ':'
 *   0x024  u32 rows_offset      u64 row[cpus][counters]
 *   0x028  u32 text_offset      a ring of text
 *   0x02c  u32 text_bytes       its size, a power of two
 *   0x030  u64 text_written     bytes ever written: the newest text_bytes of
 *                               them are in the ring, byte n at n % text_bytes
 *   0x038  u32 guest_cpus       as shown to the guest
 *   0x03c  u32 features         NW_MAILBOX_FEATURE_*: what is in use
 *   0x040  u64 guest_ram_pa
 *   0x048  u64 guest_ram_bytes
 *   0x050  u64 counter_hz       of CNTPCT_EL0, for the times below
 *   0x058  u64 boot_ticks       when the hypervisor began
 *   0x060  u64 guest_ticks      when the guest was entered
 *   0x068  u64 off_ticks        when it asked for power-off
 *   0x070  char sabotage[16]    "none" or the build's sabotage
 *
 * The value of a counter is the sum over all rows: each CPU writes its own row
 * only, with aligned 8-byte stores. Gauges stand in row 0 alone, so that the
 * same sum is right for them.
 *
 * What adds up when the state is NW_MAILBOX_GUEST_OFF (tools/run checks it):
 *   ram_faults      = maps_block + maps_page
 *   faults          = ram_faults + device_maps + spurious + aborts_injected
 *                     + fault_retries + fault_parks + fault_raced + fault_busy
 *                     + permission_faults + access_faults
 *   permission_faults <= fault_permission
 *   faults          = fault_reads + fault_writes + fault_execs + fault_retries
 *   faults          = level_minus_1 + level_0 + ... + level_3 (arm levels as
 *                     the syndrome says; on a stage-1 walk QEMU 7.2 reports
 *                     the level of that walk, so 0 occurs)
 *   tables_allocated = tables_freed + tables_live, and tables_live = 0
 *   walk_mismatches = frames_lost = frames_twice = poison_damaged = 0
 *   frames_poisoned = migrations, frames_reused <= frames_poisoned
 *   table_folds     = collapses + reclaims
 *   table_splits   >= splits + edge_splits + range_split_blocks
 *   dirty_sampled   = dirty_verified + dirty_written + dirty_missed
 *   dirty_missed    = 0
 *
 * This header needs nothing but fixed-width integers, so that a host tool can
 * include it.
 */
#ifndef NW_HYP_MAILBOX_H
#define NW_HYP_MAILBOX_H

#include <stdint.h>

#define NW_MAILBOX_MAGIC 0x3130584f424d574eull /* "NWMBOX01" */
#define NW_MAILBOX_VERSION 1
#define NW_MAILBOX_NAME_BYTES 32
#define NW_MAILBOX_TEXT_BYTES 0x8000
#define NW_MAILBOX_CPUS 5

enum nw_mailbox_state {
	NW_MAILBOX_BOOTING = 1,
	NW_MAILBOX_RUNNING = 2,	  /* the guest was entered */
	NW_MAILBOX_GUEST_OFF = 3, /* it powered off; the counters are final */
	NW_MAILBOX_PANIC = 4,	  /* the text says why */
	NW_MAILBOX_REFUSED = 5,	  /* not started; the text says why */
	NW_MAILBOX_GUEST_RESET = 6, /* as GUEST_OFF, but it asked for a reset */
};

enum nw_mailbox_phase {
	NW_PHASE_START,
	NW_PHASE_FEATURES, /* checking what the CPU has */
	NW_PHASE_TABLES,   /* building EL2's own table */
	NW_PHASE_DTB,	   /* editing the device tree */
	NW_PHASE_GUEST,	   /* the guest runs */
	NW_PHASE_TEARDOWN, /* walking, checking and freeing its table */
	NW_PHASE_DONE,
};

#define NW_MAILBOX_FEATURE_FWB 0x1u
#define NW_MAILBOX_FEATURE_XNX 0x2u
#define NW_MAILBOX_FEATURE_TLBI_RANGE 0x4u
#define NW_MAILBOX_FEATURE_TTL 0x8u
#define NW_MAILBOX_FEATURE_DBM 0x10u /* hardware logs the guest's writes */
#define NW_MAILBOX_FEATURE_LPA2 0x20u /* at stage 2 */

/* Pairs of map and unmap, their time together in ticks of counter_hz, and the
 * invalidations that they took: of all CPUs, and of the own one. */
#define NW_MAILBOX_FIXMAP(X, strategy)                                         \
	X(g, fix_##strategy##_page_pairs)                                      \
	X(g, fix_##strategy##_page_ticks)                                      \
	X(g, fix_##strategy##_page_remote)                                     \
	X(g, fix_##strategy##_page_local)                                      \
	X(g, fix_##strategy##_block_pairs)                                     \
	X(g, fix_##strategy##_block_ticks)                                     \
	X(g, fix_##strategy##_block_remote)                                    \
	X(g, fix_##strategy##_block_local)

/* X(kind, name): kind c or g. The order is the order in a row. */
#define NW_MAILBOX_COUNTERS(X)                                                 \
	/* exceptions from the guest */                                        \
	X(c, exits)                                                            \
	X(c, wfis)                                                             \
	X(c, smcs)                                                             \
	X(c, hvcs)                                                             \
	X(c, undefs_injected)                                                  \
	/* stage-2 faults */                                                   \
	X(c, faults)                                                           \
	X(c, fault_reads)                                                      \
	X(c, fault_writes)                                                     \
	X(c, fault_execs)                                                      \
	X(c, fault_s1_walks) /* of those, on a stage-1 table walk */           \
	X(c, fault_permission) /* of those, permission faults */               \
	X(c, level_0)                                                          \
	X(c, level_1)                                                          \
	X(c, level_2)                                                          \
	X(c, level_3)                                                          \
	X(c, level_minus_1) /* FEAT_LPA2 */                                    \
	X(c, ram_faults)                                                       \
	X(c, maps_block)                                                       \
	X(c, maps_page)                                                        \
	X(c, maps_moved) /* pages mapped to another frame than their own */    \
	X(c, device_maps)                                                      \
	X(c, spurious) /* another CPU had mapped it */                         \
	X(c, fault_retries) /* the address could not be resolved: re-entered */\
	X(c, fault_parks) /* the guest was already off */                      \
	X(c, fault_raced) /* another CPU mapped it at the same time */         \
	X(c, fault_busy) /* moving, or its entry is being replaced */          \
	X(c, permission_faults) /* repaired: the write right given back */     \
	X(c, access_faults) /* repaired: marked as accessed */                 \
	X(c, aborts_injected)                                                  \
	X(c, aborts_carveout) /* of those, into the hypervisor's memory */     \
	/* the shaker */                                                       \
	X(c, migrations)                                                       \
	X(c, splits)                                                           \
	X(c, unmaps)                                                           \
	X(c, unmap_pages) /* size of those ranges, in pages */                 \
	X(c, shake_misses) /* page picked was not mapped */                    \
	X(c, write_protects)                                                   \
	X(c, write_protect_pages) /* size of those ranges, in pages */         \
	X(c, ages)                                                             \
	X(c, age_pages)                                                        \
	X(c, aged) /* leaves in those ranges that had been accessed */         \
	X(c, edge_splits) /* blocks that stuck out of a range */               \
	X(c, range_splits) /* blocks split by nw_split_range() */              \
	X(c, range_split_blocks) /* splits that those took */                  \
	X(c, gathers) /* blocks whose pages went home */                       \
	X(c, gather_held) /* frames of theirs that were in the pool */         \
	X(c, gather_maps) /* pages mapped to fill holes */                     \
	X(c, collapses) /* blocks formed anew */                               \
	X(c, run_calls) /* blocks searched for contiguous runs */              \
	X(c, punches) /* blocks unmapped, their tables left */                 \
	X(c, reclaims) /* tables freed by nw_reclaim_tables() */               \
	/* the log of the guest's writes (dirty.h) */                          \
	X(c, dirty_rounds) /* harvests */                                      \
	X(c, dirty_pages) /* pages in them */                                  \
	X(c, dirty_marks) /* write rights given by faults */                   \
	X(c, dirty_told) /* leaves that hardware had marked */                 \
	X(c, dirty_sampled) /* pages whose sum was compared; of those */       \
	X(c, dirty_verified) /* not in the harvest, and unchanged */           \
	X(c, dirty_written) /* in the harvest; of those */                     \
	X(c, dirty_changed) /* with another sum */                             \
	X(c, dirty_missed) /* not in the harvest, but changed */               \
	X(c, frames_poisoned)                                                  \
	X(c, frames_reused)                                                    \
	X(c, poison_damaged) /* freed frame was written to: a stale TLB */     \
	/* entry verbs of the library */                                       \
	X(c, entry_reads)                                                      \
	X(c, entry_inits)                                                      \
	X(c, entry_writes)                                                     \
	X(c, page_allocs)                                                      \
	X(c, page_frees)                                                       \
	/* barriers, in the order of enum nw_barrier */                        \
	X(c, dmb_ishst)                                                        \
	X(c, dsb_ish)                                                          \
	X(c, dsb_ishst)                                                        \
	X(c, dsb_nsh)                                                          \
	X(c, dsb_nshst)                                                        \
	X(c, dsb_sy)                                                           \
	X(c, isb)                                                              \
	/* invalidations, in the order of enum nw_tlbi */                      \
	X(c, ipas2e1is)                                                        \
	X(c, ripas2e1is)                                                       \
	X(c, vmalle1is)                                                        \
	X(c, vmalls12e1is)                                                     \
	X(c, alle1is)                                                          \
	X(c, alle1)                                                            \
	X(c, vmalle1)                                                          \
	X(c, vae2is)                                                           \
	X(c, vale2is)                                                          \
	X(c, rvae2is)                                                          \
	X(c, vae2)                                                             \
	X(c, vale2)                                                            \
	X(c, alle2is)                                                          \
	X(c, alle2)                                                            \
	X(c, ipas2e1)                                                          \
	X(c, ripas2e1)                                                         \
	X(c, vmalls12e1)                                                       \
	/* the guest's table */                                                \
	X(g, tables_allocated)                                                 \
	X(g, tables_freed)                                                     \
	X(g, tables_live)                                                      \
	X(g, tables_peak)                                                      \
	X(g, table_splits) /* as nw_table_stats() counts them */               \
	X(g, table_folds)                                                      \
	X(g, run_forms) /* contiguous runs, */                                 \
	X(g, run_breaks) /* and those broken up */                             \
	X(g, el2_tables_live)                                                  \
	X(g, heap_pages_free)                                                  \
	/* found by the walk at power-off */                                   \
	X(g, walk_blocks)                                                      \
	X(g, walk_pages)                                                       \
	X(g, walk_device_pages)                                                \
	X(g, walk_mismatches) /* leaf that is not where the frame array says */\
	X(g, pages_moved) /* pages not in their own frame */                   \
	X(g, frames_lost)                                                      \
	X(g, frames_twice)                                                     \
	X(g, cpus_parked)                                                      \
	/* nw.bench=fixmap, in the order of enum nw_fixmap_strategy */         \
	NW_MAILBOX_FIXMAP(X, broadcast)                                        \
	NW_MAILBOX_FIXMAP(X, batched)                                          \
	NW_MAILBOX_FIXMAP(X, private)

enum nw_mailbox_counter {
#define X(kind, name) NW_C_##name,
	NW_MAILBOX_COUNTERS(X)
#undef X
	NW_C_COUNT
};

struct nw_mailbox {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes;
	uint32_t state;
	uint32_t phase;
	uint32_t cpus;
	uint32_t counters;
	uint32_t names_offset;
	uint32_t rows_offset;
	uint32_t text_offset;
	uint32_t text_bytes;
	uint64_t text_written;
	uint32_t guest_cpus;
	uint32_t features;
	uint64_t guest_ram_pa;
	uint64_t guest_ram_bytes;
	uint64_t counter_hz;
	uint64_t boot_ticks;
	uint64_t guest_ticks;
	uint64_t off_ticks;
	char sabotage[16];
	char name[NW_C_COUNT][NW_MAILBOX_NAME_BYTES];
	uint64_t row[NW_MAILBOX_CPUS][NW_C_COUNT];
	char text[NW_MAILBOX_TEXT_BYTES];
};

#endif
