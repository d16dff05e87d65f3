/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table pages for tests and benches: a strict, suspicious nw_port_ops.
 *
 * The pages come from one mapping with a physical base of the test's choice.
 * The arena poisons what is free, notices a write to it, a double or foreign
 * free, an ill-formed flush request, and a table page that is given back
 * before a flush covered it. It keeps the first such error as a sentence; a
 * test asks for it at the end. It is thread-safe.
 */
#ifndef NW_ARENA_H
#define NW_ARENA_H

#include <pthread.h>

#include <nestwalk/port.h>

struct nw_arena_page {
	uint8_t in_use;	    /* part of an allocation */
	uint8_t pages_lg2;  /* size of the allocation, in its first page */
	uint8_t head;	    /* first page of an allocation */
	uint8_t poisoned;   /* free, and was in use before */
	uint8_t linked;	    /* nw_arena_note_linked() since the last flush */
	uint64_t ia_start;  /* what a linked page translates */
	uint64_t ia_end;
};

/* One recorded range; `request` counts the requests since the last clear. */
struct nw_arena_flush {
	struct nw_flush_range range;
	unsigned request;
};

struct nw_arena {
	struct nw_port_ops ops; /* hand &arena->ops and arena to a table */
	/* private from here on */
	pthread_mutex_t lock;
	uint8_t *base;
	uint64_t phys_base;
	unsigned granule_lg2;
	unsigned pages;
	unsigned low;  /* no free page below */
	unsigned high; /* no page from here on was ever used */
	struct nw_arena_page *page;

	/* accounts, in pages of the granule */
	uint64_t allocated;
	uint64_t freed;
	uint64_t live;

	/* calls of alloc_pages since nw_arena_fail_at(); 0: never fail */
	uint64_t alloc_calls;
	uint64_t fail_at;
	uint64_t alloc_failures;

	/* flush requests since nw_arena_flushes_clear() */
	int record_flushes;
	struct nw_arena_flush *flush;
	unsigned flushes; /* ranges in `flush` */
	unsigned flush_room;
	unsigned requests;
	enum nw_regime last_regime;
	uint16_t last_tag;

	unsigned errors;
	char error[200];
};

/*
 * Set up an arena of `pages` pages of 2^granule_lg2 bytes at `phys_base`, a
 * multiple of 2 MiB. Returns 0, or -1 when there is no memory.
 */
int nw_arena_init(struct nw_arena *arena, uint64_t phys_base, unsigned pages,
		  unsigned granule_lg2);

/* Unmap everything; see `live` first. */
void nw_arena_fini(struct nw_arena *arena);

/* Let the n-th call of alloc_pages from now fail, and all after it. 0: none. */
void nw_arena_fail_at(struct nw_arena *arena, uint64_t nth);

/* Start recording flush requests afresh. */
void nw_arena_flushes_clear(struct nw_arena *arena);

/*
 * Tell the arena that the table page at `pa` is linked in a live table and
 * translates [ia_start, ia_end). From now on it may be freed only after a
 * request that covers the range and has had_tables set. Unknown pages: error.
 */
void nw_arena_note_linked(struct nw_arena *arena, uint64_t pa,
			  uint64_t ia_start, uint64_t ia_end);

/* Forget all such notes (a table is about to be dropped by its test). */
void nw_arena_linked_clear(struct nw_arena *arena);

/* A live page's memory as hardware would read it, or NULL for any other. */
const uint64_t *nw_arena_read(const struct nw_arena *arena, uint64_t pa);

/* The first error as a sentence, or NULL. */
const char *nw_arena_error(const struct nw_arena *arena);

#endif
