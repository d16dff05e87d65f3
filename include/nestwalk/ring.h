/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings through which a system without files hands its trace to one that has
 * some: memory that both see, one ring a CPU, one sequence for all.
 *
 *   [struct nw_ring_area][ring of CPU 0][ring of CPU 1]...
 *
 * A ring's CPU alone writes its head, the collector alone its tail; both only
 * grow. Nothing is ever overwritten: who finds its ring full waits
 * (nw_ring_has_room). Little endian. Records are those of a binary trace
 * (docs/trace-format.md), so that the collector only copies bytes.
 */
#ifndef NESTWALK_RING_H
#define NESTWALK_RING_H

#include <nestwalk/compiler.h>

#define NW_RING_MAGIC 0x313030474e52574eull /* "NWRNG001" */
#define NW_RING_VERSION 1
#define NW_RING_CPUS_MAX 8
#define NW_RING_FILES_MAX 128
#define NW_RING_FILE_BYTES 96

struct nw_ring_record {
	uint64_t seq;
	uint16_t kind;
	uint16_t file; /* id of the source file, 0: unknown */
	uint32_t line;
	uint64_t a, b, c;
};

/*
 * is_taking is set around a number's taking and its record's publication: a
 * machine that is switched off between the two leaves a number without a
 * record, and the collector can tell that from a lost one.
 */
struct nw_ring_cpu {
	uint64_t head; /* records ever published */
	uint64_t waits; /* times that the ring was found full */
	uint32_t is_taking;
	uint32_t pad;
	uint64_t spare[5];
	uint64_t tail; /* records ever taken out; the collector's */
	uint64_t spare_tail[7];
};

/*
 * magic     written last; until then there is nothing here
 * bytes     of this header: where the first ring begins
 * records   in each ring, a power of two
 * limit     records that may wait in a ring, at most `records`
 * seq       numbers ever taken
 * files     file[0] to file[files - 1] are complete; file[i] has id i + 1
 */
struct nw_ring_area {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes;
	uint32_t cpus;
	uint32_t records;
	uint32_t record_bytes;
	uint32_t limit;
	uint64_t spare[4];
	uint64_t seq;
	uint64_t spare_seq[7];
	uint32_t files;
	uint32_t file_bytes;
	uint64_t spare_files[7];
	struct nw_ring_cpu cpu[NW_RING_CPUS_MAX];
	char file[NW_RING_FILES_MAX][NW_RING_FILE_BYTES];
};

NW_STATIC_ASSERT(sizeof(struct nw_ring_record) == 40, "as in a stream file");
NW_STATIC_ASSERT(sizeof(struct nw_ring_cpu) == 128, "no shared cache lines");

/* Bytes that rings of so many records take, header included. */
static inline uint64_t nw_ring_area_bytes(unsigned cpus, uint32_t records)
{
	return sizeof(struct nw_ring_area) +
	       (uint64_t)cpus * records * sizeof(struct nw_ring_record);
}

/*
 * Make empty rings in `area`, which is zeroed memory of at least
 * nw_ring_area_bytes(). `records` is a power of two, cpus at most
 * NW_RING_CPUS_MAX. Nobody may record before this returns.
 */
static inline void nw_ring_init(struct nw_ring_area *area, unsigned cpus,
				uint32_t records)
{
	area->version = NW_RING_VERSION;
	area->bytes = sizeof(*area);
	area->cpus = cpus;
	area->records = records;
	area->record_bytes = sizeof(struct nw_ring_record);
	area->limit = records;
	area->file_bytes = NW_RING_FILE_BYTES;
	__atomic_store_n(&area->magic, NW_RING_MAGIC, __ATOMIC_RELEASE);
}

static inline struct nw_ring_record *
nw_ring_records(struct nw_ring_area *area, unsigned cpu)
{
	char *rings = (char *)area + sizeof(*area);

	return (struct nw_ring_record *)(void *)(rings +
						 (uint64_t)cpu * area->records *
							 sizeof(struct nw_ring_record));
}

/* May `cpu` put one more record? Only that CPU asks. */
static inline int nw_ring_has_room(const struct nw_ring_area *area,
				   unsigned cpu)
{
	const struct nw_ring_cpu *c = &area->cpu[cpu];

	/* Pairs with the collector's release of the tail: without it a record
	 * may be overwritten that is still being copied. */
	return c->head - __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE) <
	       __atomic_load_n(&area->limit, __ATOMIC_RELAXED);
}

enum nw_ring_mode {
	NW_RING_ALONE,	/* one CPU, whose atomics may not work yet */
	NW_RING_SHARED,
};

/*
 * Take the next number of the sequence and publish `record` under it; its seq
 * is filled in here. On `cpu` alone, after nw_ring_has_room() said yes.
 *
 * The number is taken here and not before the wait for room: numbers then
 * stand for the order of the callers' effects. One atomic on one location: if
 * an effect happens before another, by program order or through a lock, its
 * number is the smaller one.
 */
static inline void nw_ring_put(struct nw_ring_area *area, unsigned cpu,
			       enum nw_ring_mode mode,
			       const struct nw_ring_record *record)
{
	struct nw_ring_cpu *c = &area->cpu[cpu];
	uint64_t head = c->head;
	struct nw_ring_record *to =
		&nw_ring_records(area, cpu)[head & (area->records - 1)];

	*to = *record;
	__atomic_store_n(&c->is_taking, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (mode == NW_RING_ALONE)
		to->seq = area->seq++;
	else
		to->seq = __atomic_fetch_add(&area->seq, 1, __ATOMIC_RELAXED);
	/* Pairs with the collector's load of the head: without it an old
	 * record may be copied. */
	__atomic_store_n(&c->head, head + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&c->is_taking, 0, __ATOMIC_RELEASE);
}

#endif
