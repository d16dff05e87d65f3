/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "coro.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NWX_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define NWX_ASAN 1
#endif

#ifdef NWX_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__) && !defined(__aarch64__) &&                           \
	!defined(NWX_CORO_UCONTEXT)
#error "no context switch for this CPU: build with -DNWX_CORO_UCONTEXT"
#endif

/* The coroutine that is being entered, and the one that was left. */
static struct nwx_coro *entering, *leaving;

static void arrive(struct nwx_coro *self)
{
#ifdef NWX_ASAN
	__sanitizer_finish_switch_fiber(self->fake_stack, &leaving->asan_bottom,
					&leaving->asan_size);
#else
	(void)self;
#endif
}

__attribute__((noreturn, used)) static void coro_main(void)
{
	struct nwx_coro *self = entering;

	arrive(self);
	self->fn(self->arg);
	abort();
}

#ifdef NWX_CORO_UCONTEXT
#include <ucontext.h>

static void raw_prepare(struct nwx_coro *c)
{
	if (!c->ucontext)
		c->ucontext = malloc(sizeof(ucontext_t));
	if (!c->ucontext || getcontext(c->ucontext))
		abort();
	((ucontext_t *)c->ucontext)->uc_stack.ss_sp = c->stack;
	((ucontext_t *)c->ucontext)->uc_stack.ss_size = NWX_STACK_BYTES;
	((ucontext_t *)c->ucontext)->uc_link = NULL;
	makecontext(c->ucontext, coro_main, 0);
}

static void raw_switch(struct nwx_coro *from, struct nwx_coro *to)
{
	if (!from->ucontext)
		from->ucontext = malloc(sizeof(ucontext_t));
	if (!from->ucontext || swapcontext(from->ucontext, to->ucontext))
		abort();
}

#elif defined(__x86_64__)

void nwx_coro_swap(void **save_sp, void *load_sp);
__asm__(".text\n"
	".globl nwx_coro_swap\n"
	".type nwx_coro_swap, @function\n"
	"nwx_coro_swap:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size nwx_coro_swap, .-nwx_coro_swap\n");

static void raw_prepare(struct nwx_coro *c)
{
	uint64_t *sp = (uint64_t *)(void *)(c->stack + NWX_STACK_BYTES);

	/* At entry the ABI wants the stack 8 off a multiple of 16. */
	*--sp = 0;
	*--sp = (uint64_t)(uintptr_t)coro_main;
	for (unsigned i = 0; i < 6; i++)
		*--sp = 0;
	c->sp = sp;
}

static void raw_switch(struct nwx_coro *from, struct nwx_coro *to)
{
	nwx_coro_swap(&from->sp, to->sp);
}

#else /* __aarch64__ */

void nwx_coro_swap(void **save_sp, void *load_sp);
__asm__(".text\n"
	".globl nwx_coro_swap\n"
	".type nwx_coro_swap, %function\n"
	"nwx_coro_swap:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x2, sp\n"
	"	str x2, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size nwx_coro_swap, .-nwx_coro_swap\n");

static void raw_prepare(struct nwx_coro *c)
{
	char *sp = c->stack + NWX_STACK_BYTES - 160;
	uint64_t entry = (uint64_t)(uintptr_t)coro_main;

	memset(sp, 0, 160);
	memcpy(sp + 88, &entry, sizeof(entry)); /* x30 */
	c->sp = sp;
}

static void raw_switch(struct nwx_coro *from, struct nwx_coro *to)
{
	nwx_coro_swap(&from->sp, to->sp);
}

#endif

void nwx_coro_prepare(struct nwx_coro *c, void (*fn)(void *), void *arg)
{
	if (!c->stack) {
		c->stack = aligned_alloc(64, NWX_STACK_BYTES);
		if (!c->stack)
			abort();
	}
#ifdef NWX_ASAN
	/* Frames of an execution that was given up have left their marks. */
	__asan_unpoison_memory_region(c->stack, NWX_STACK_BYTES);
#endif
	c->fn = fn;
	c->arg = arg;
	c->fake_stack = NULL;
	c->asan_bottom = c->stack;
	c->asan_size = NWX_STACK_BYTES;
	raw_prepare(c);
}

void nwx_coro_switch(struct nwx_coro *from, struct nwx_coro *to)
{
	entering = to;
	leaving = from;
#ifdef NWX_ASAN
	__sanitizer_start_switch_fiber(&from->fake_stack, to->asan_bottom,
				       to->asan_size);
#endif
	raw_switch(from, to);
	arrive(from);
}

void nwx_coro_free(struct nwx_coro *c)
{
	free(c->stack);
	c->stack = NULL;
#ifdef NWX_CORO_UCONTEXT
	free(c->ucontext);
	c->ucontext = NULL;
#endif
}
