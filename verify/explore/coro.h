/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coroutines: each simulated CPU runs on a stack of its own. The switch saves
 * only what the calling convention asks a function to keep.
 */
#ifndef NWX_CORO_H
#define NWX_CORO_H

#include <stddef.h>
#include <stdint.h>

#define NWX_STACK_BYTES (128u * 1024u)

struct nwx_coro {
	void *sp;
	char *stack; /* NULL: the thread's own */
	void (*fn)(void *);
	void *arg;
	void *fake_stack; /* AddressSanitizer's */
	const void *asan_bottom;
	size_t asan_size;
#ifdef NWX_CORO_UCONTEXT
	void *ucontext;
#endif
};

/* Make `c` ready to run fn(arg) from its start; fn must not return. What ran
 * on it before is forgotten. */
void nwx_coro_prepare(struct nwx_coro *c, void (*fn)(void *), void *arg);
/* Leave `from`, continue `to`. */
void nwx_coro_switch(struct nwx_coro *from, struct nwx_coro *to);
void nwx_coro_free(struct nwx_coro *c);

#endif
