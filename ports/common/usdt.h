/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracepoints as USDT probes (meson -Dusdt=true): a no-op instruction each and
 * a note in the file, until a tracer puts itself there. Provider `nestwalk`,
 * names and arguments (a, b, c) those of enum nw_event, in lower case without
 * NW_EV_. Reading and initializing entries and entering sections have none:
 * they are what a table does all the time.
 *
 *   bpftrace -e 'usdt:./a.out:nestwalk:op_begin { @t[tid] = nsecs; }
 *     usdt:./a.out:nestwalk:op_end /@t[tid]/ {
 *       @ns[arg2 & 0xff] = hist(nsecs - @t[tid]); }'
 */
#ifndef NW_PORT_USDT_H
#define NW_PORT_USDT_H

#include <sys/sdt.h>

#include <nestwalk/trace.h>

#define NW_USDT_PROBES(X)                                                      \
	X(ENTRY_WRITE, entry_write)                                            \
	X(ENTRY_LINK, entry_link)                                              \
	X(ENTRY_RMW, entry_rmw)                                                \
	X(ENTRY_RMW_FAIL, entry_rmw_fail)                                      \
	X(ENTRY_LOCK, entry_lock)                                              \
	X(ENTRY_PUBLISH, entry_publish)                                        \
	X(PAGE_ALLOC, page_alloc)                                              \
	X(PAGE_LINK, page_link)                                                \
	X(PAGE_UNLINK, page_unlink)                                            \
	X(PAGE_FREE, page_free)                                                \
	X(TABLE_INIT, table_init)                                              \
	X(TABLE_FREE, table_free)                                              \
	X(GRACE_PERIOD, grace_period)                                          \
	X(OP_BEGIN, op_begin)                                                  \
	X(OP_END, op_end)

/* `event` is a constant at every call site: one probe is left of this. */
static inline __attribute__((always_inline)) void
nw_usdt_probe(enum nw_event event, uint64_t a, uint64_t b, uint64_t c)
{
	switch (event) {
#define NW_USDT_CASE(event, name)                                              \
	case NW_EV_##event:                                                    \
		DTRACE_PROBE3(nestwalk, name, a, b, c);                        \
		break;
		NW_USDT_PROBES(NW_USDT_CASE)
	default:
		break;
	}
}

#endif
