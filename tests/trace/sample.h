/* SPDX-License-Identifier: BSD-2-Clause */
/* Events for tests, and traces to put them into. */
#ifndef NW_TESTS_TRACE_SAMPLE_H
#define NW_TESTS_TRACE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <trace/trace.h>
#include <trace/vocab.h>
#include <trace/write.h>

/* A generator of numbers: the same for the same seed. */
uint64_t sample_number(uint64_t *state);

/* Any event of a kind: all its fields at random, a source or none. */
struct nwv_event sample_event(uint64_t *state, unsigned kind, uint64_t seq);

/* Kinds that a reader delivers: all but the gap. */
unsigned sample_kinds(unsigned kind[NWV_EV_COUNT]);

void sample_assert_equal(const struct nwv_event *a, const struct nwv_event *b);

/* A fresh directory, and its removal with the files in it (one level). */
char *sample_dir(void);
void sample_dir_remove(char *dir);

/* "dir/name" in memory of its own. */
char *sample_path(const char *dir, const char *name);

void sample_write(const char *path, const void *data, size_t bytes);

/* The whole file in memory of its own, with an end mark behind it. */
char *sample_read(const char *path, size_t *bytes);

/*
 * Read a trace to its end: its status, its events counted, its error copied.
 */
enum nwv_trace_status sample_drain(struct nwv_trace *t, uint64_t *events,
				   char error[512]);

#endif
