/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing traces: one event as a line of text, or a directory of CTF streams,
 * recorded while the system runs or copied event by event.
 */
#ifndef NWV_TRACE_WRITE_H
#define NWV_TRACE_WRITE_H

#include <stdio.h>

#include "event.h"

/* Longest line: six fields of 20 digits, names, and an escaped file name. */
#define NWV_TEXT_BYTES 1024
/* Longest source file name, in bytes. */
#define NWV_FILE_NAME_MAX 255
/* Distinct source files in one binary trace. */
#define NWV_FILES_MAX 65535

/* First line of a text trace, with its newline. */
const char *nwv_text_header(void);

/*
 * One event as a line with its newline and an end mark. Returns its bytes
 * without the end mark, or 0 when the event is none that a trace can say
 * (nwv_event_check(), or a file name with control characters or too long).
 */
size_t nwv_text_encode(const struct nwv_event *e, char line[NWV_TEXT_BYTES]);

struct nwv_writer;

/*
 * Begin a binary trace in the directory `dir`, which is made; an existing one
 * must be empty. Always returns a writer unless memory is out (NULL); what
 * failed is said by nwv_writer_close().
 */
struct nwv_writer *nwv_writer_open(const char *dir);

/*
 * Record an event that happens now: takes the next number of the sequence.
 * Called by the thread that plays `cpu`, and by no other at the same time;
 * different CPUs need no lock between them. `file` must live until the writer
 * is closed and is known again by its address (__FILE__ is right); NULL and
 * line 0 when unknown. Cost: one atomic add and 40 bytes of buffer. After a
 * failed write, or for an event that is none, records nothing more.
 */
void nwv_writer_record(struct nwv_writer *w, unsigned cpu, unsigned kind,
		       uint64_t a, uint64_t b, uint64_t c, const char *file,
		       unsigned line);

/*
 * Copy an event with its own sequence number and file name. One thread only,
 * not mixed with nwv_writer_record().
 */
void nwv_writer_copy(struct nwv_writer *w, const struct nwv_event *e);

/* Events recorded so far. */
uint64_t nwv_writer_events(const struct nwv_writer *w);

/*
 * Flush, complete the stream headers, write the metadata, free the writer. No
 * thread may record any more. Returns 0, or -1 with the first failure in
 * `error`; the directory then holds what a reader refuses as unfinished.
 */
int nwv_writer_close(struct nwv_writer *w, char *error, size_t error_bytes);

/*
 * The metadata that goes with streams recorded elsewhere (by the hypervisor):
 * file[i] is the name of id i + 1. Returns 0, or -1 when `out` failed or a
 * name cannot be said.
 */
int nwv_ctf_metadata(FILE *out, const char *const *file, size_t files);

#endif
