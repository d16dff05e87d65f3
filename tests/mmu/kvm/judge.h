/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of the x86_64 format, held to somebody else's walk of them: the
 * kernel's (vm.c), or a test's.
 */
#ifndef MMU_KVM_JUDGE_H
#define MMU_KVM_JUDGE_H

#include <nestwalk/table.h>

/* Where table pages are: what the walker reads. */
#define TABLES_PHYS  UINT64_C(0x2340000000)
#define TABLES_PAGES 8192u

struct translator {
	void *ctx;
	/* Walk this root from now on. 0, or -1 with a message printed. */
	int (*set_root)(void *ctx, uint64_t root_pa, unsigned levels,
			unsigned features);
	/* Where a supervisor's load at `va` goes. 1: to *pa, 0: it faults,
	 * -1: cannot tell, with a message printed. */
	int (*translate)(void *ctx, uint64_t va, uint64_t *pa);
	/* It marks what it walked as accessed. */
	int sets_accessed;
};

struct config {
	const char *name;
	uint8_t ia_bits;
	uint32_t features;
};

struct counts {
	uint64_t passed;
	uint64_t failed;
	uint64_t addresses; /* asked */
	uint64_t hits;	    /* of these translated */
	uint64_t words;	    /* random entries judged */
};

struct judge;

/* An empty table of this shape; NULL: no memory, or refused (printed). */
struct judge *judge_new(const struct config *config, unsigned oa_bits,
			uint64_t seed, const struct translator *walker);
void judge_free(struct judge *j);

/* The window that table pages are seen through; for the walker. */
void *judge_tables(const struct judge *j);

/* Map, ask `addresses` times, change, ask again. 0, or -1 if the walker gave
 * up. Failures are printed, the first ones. */
int judge_run(struct judge *j, uint64_t addresses);
struct counts judge_counts(const struct judge *j);

#endif
