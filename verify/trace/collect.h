/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emptying a machine's rings (nestwalk/ring.h) into a binary trace while it
 * runs. The machine's RAM is a file that both map.
 */
#ifndef NWV_TRACE_COLLECT_H
#define NWV_TRACE_COLLECT_H

#include <stddef.h>
#include <stdint.h>

struct nwv_collector;

struct nwv_collected {
	uint64_t events;  /* in the trace */
	uint64_t bytes;	  /* of its stream files */
	uint64_t dropped; /* numbers whose records are lost: 0, or it is a bug */
	uint64_t cut;	  /* records left out at the end: see finish() */
	uint64_t waits;	  /* times that a CPU found its ring full */
	unsigned cpus;	  /* that recorded anything */
};

enum nwv_collect_status {
	NWV_COLLECT_OK,	    /* `records` were copied, maybe 0 */
	NWV_COLLECT_ABSENT, /* no RAM file, or no rings in it, yet */
	NWV_COLLECT_FAILED, /* nwv_collector_error() says why */
};

/*
 * Collect from the rings at [offset, offset + bytes) of the file `ram`, which
 * need not be there yet, into `dir`, which is made; an existing one must be
 * empty. NULL: out of memory.
 */
struct nwv_collector *nwv_collector_open(const char *ram, uint64_t offset,
					 uint64_t bytes, const char *dir);

/*
 * Copy what is in the rings, at most `most` records of each, and give their
 * room back. Never waits.
 */
enum nwv_collect_status nwv_collector_poll(struct nwv_collector *c,
					   uint64_t most, uint64_t *records);

/*
 * The machine has ended: copy the rest, close the streams, write the metadata.
 *
 * A CPU that was stopped between taking its number and publishing its record
 * leaves a hole. The trace then ends before the first such hole, and `cut`
 * counts the records behind it. Any other hole is left for a reader to find,
 * and counted in `dropped`.
 */
enum nwv_collect_status nwv_collector_finish(struct nwv_collector *c,
					     struct nwv_collected *collected);

const char *nwv_collector_error(const struct nwv_collector *c);

void nwv_collector_close(struct nwv_collector *c);

#endif
