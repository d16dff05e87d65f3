/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <stdarg.h>
#include <stddef.h>

#define UART	  ((volatile uint8_t *)UINT64_C(0x10000000))
#define UART_LSR  5
#define UART_IDLE 0x20
#define FINISHER  ((volatile uint32_t *)UINT64_C(0x100000))

#define POOL	   UINT64_C(0x81000000)
#define POOL_PAGES 24576u
#define PAGE	   4096u

struct trap_record trap_record;

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
__attribute__((noreturn)) void trap_unexpected(uint64_t cause, uint64_t pc,
					       uint64_t tval);
void guest_run(uint64_t pc, int privileged);

void *memset(void *to, int byte, size_t n)
{
	for (volatile uint8_t *p = to; n; n--)
		*p++ = (uint8_t)byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	const uint8_t *f = from;

	for (volatile uint8_t *p = to; n; n--)
		*p++ = *f++;
	return to;
}

/* ---- console and end ---------------------------------------------------- */

static void say_char(char c)
{
	while (!(UART[UART_LSR] & UART_IDLE))
		;
	UART[0] = (uint8_t)c;
}

static void say_number(uint64_t n, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	while (count)
		say_char(digits[--count]);
}

void say(const char *format, ...)
{
	const char *s;
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			say_char(*format);
			continue;
		}
		format++;
		if (*format == 's')
			for (s = va_arg(args, const char *); *s; s++)
				say_char(*s);
		else
			say_number(va_arg(args, uint64_t),
				   *format == 'x' ? 16 : 10);
	}
	va_end(args);
}

void machine_exit(int failed)
{
	*FINISHER = failed ? 1u << 16 | 0x3333 : 0x5555;
	for (;;)
		;
}

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	say("BUG %s (%s:%u)\n", what, file, (uint64_t)line);
	machine_exit(1);
}

void trap_unexpected(uint64_t cause, uint64_t pc, uint64_t tval)
{
	say("BUG unexpected trap %u at %x, value %x\n", cause, pc, tval);
	machine_exit(1);
}

/* ---- translation -------------------------------------------------------- */

/* .insn: the assembler need not know the hypervisor extension. */
static uint64_t hlv_d(uint64_t address)
{
	uint64_t value = 0;

	__asm__ volatile(".insn r 0x73, 4, 0x36, %0, %1, x0"
			 : "+r"(value)
			 : "r"(address)
			 : "memory");
	return value;
}

static uint64_t hlvx_hu(uint64_t address)
{
	uint64_t value = 0;

	__asm__ volatile(".insn r 0x73, 4, 0x32, %0, %1, x3"
			 : "+r"(value)
			 : "r"(address)
			 : "memory");
	return value;
}

static void hsv_d(uint64_t address, uint64_t value)
{
	__asm__ volatile(".insn r 0x73, 4, 0x37, x0, %0, %1" ::"r"(address),
			 "r"(value)
			 : "memory");
}

/* Guest-physical addresses are passed shifted right by 2. */
static void hfence_gvma(uint64_t address)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, %0, x0" ::"r"(address >> 2)
			 : "memory");
}

static void hfence_vvma(uint64_t address)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, x0" ::"r"(address)
			 : "memory");
}

void fence_all(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0\n\t"
			 ".insn r 0x73, 0, 0x11, x0, x0, x0" ::
				 : "memory");
}

/* Sv48, leaves of 512 GiB that hold all that is used of the machine. */
void host_translation(void)
{
	static uint64_t root[512] __attribute__((aligned(4096)));

	for (uint64_t i = 0; i < 4; i++)
		root[i] = i << (39 - 2) | 0xcf; /* V R W X A D */
	__asm__ volatile("csrw satp, %0\n\tsfence.vma" ::"r"(
				 UINT64_C(9) << 60 | (uintptr_t)root >> 12)
			 : "memory");
}

void guest_translation(uint64_t hgatp, uint64_t vsatp)
{
	__asm__ volatile("csrw 0x680, %0\n\tcsrw 0x280, %1" ::"r"(hgatp),
			 "r"(vsatp)
			 : "memory");
	/* vsstatus: neither MXR nor SUM; sstatus: no MXR */
	__asm__ volatile(
		"csrw 0x200, zero\n\tcsrc sstatus, %0" ::"r"(UINT64_C(1) << 19)
		: "memory");
	fence_all();
}

uint64_t guest_hgatp(void)
{
	uint64_t value;

	__asm__ volatile("csrr %0, 0x680" : "=r"(value));
	return value;
}

uint64_t guest_vsatp(void)
{
	uint64_t value;

	__asm__ volatile("csrr %0, 0x280" : "=r"(value));
	return value;
}

/* hstatus.SPVP: HLV and HSV act as VS-mode, else as VU-mode */
static void set_spvp(int privileged)
{
	const uint64_t spvp = UINT64_C(1) << 8;

	if (privileged)
		__asm__ volatile("csrs 0x600, %0" ::"r"(spvp) : "memory");
	else
		__asm__ volatile("csrc 0x600, %0" ::"r"(spvp) : "memory");
}

uint64_t fetch_code(uint64_t value)
{
	const uint64_t lui_a0 = 0x37 | 10 << 7, ecall = 0x73;

	return ecall << 32 | (value & UINT64_C(0xfffff000)) | lui_a0;
}

static void fetch(uint64_t address, int privileged, struct outcome *out)
{
	const uint64_t done = privileged ? CAUSE_ECALL_VS : CAUSE_ECALL_VU;

	guest_run(address, privileged);
	out->cause = trap_record.cause == done ? 0 : trap_record.cause;
	out->value = trap_record.guest_a0;
}

struct outcome guest_access(enum access how, uint64_t address, uint64_t value,
			    int privileged)
{
	const uint64_t before = *(volatile uint64_t *)&trap_record.count;
	struct outcome out = {0};

	*(volatile uint64_t *)&trap_record.armed = 1;
	set_spvp(privileged);
	if (how == ACCESS_LOAD)
		out.value = hlv_d(address);
	else if (how == ACCESS_STORE)
		hsv_d(address, value);
	else if (how == ACCESS_LOAD_EXEC)
		out.value = hlvx_hu(address);
	else
		fetch(address, privileged, &out);
	*(volatile uint64_t *)&trap_record.armed = 0;
	if (*(volatile uint64_t *)&trap_record.count == before)
		return out;
	if (how != ACCESS_FETCH)
		out.cause = trap_record.cause;
	out.stval = trap_record.stval;
	out.htval = trap_record.htval;
	return out;
}

/* ---- port of the library ------------------------------------------------ */

static uint8_t pool_taken[POOL_PAGES];
static uint64_t pool_live;
static uint32_t pool_hint;
static int fences_left_out;

uint64_t pool_pages_live(void)
{
	return pool_live;
}

void fences_leave_out(int yes)
{
	fences_left_out = yes;
}

static int pool_is_free(uint32_t first, uint32_t pages)
{
	for (uint32_t i = 0; i < pages; i++)
		if (pool_taken[first + i])
			return 0;
	return 1;
}

static void *pool_alloc(void *ctx, unsigned pages_lg2)
{
	const uint32_t pages = 1u << pages_lg2;
	uint32_t first = pool_hint & ~(pages - 1);

	(void)ctx;
	for (uint32_t n = 0; n < POOL_PAGES; n += pages, first += pages) {
		if (first >= POOL_PAGES)
			first = 0;
		if (!pool_is_free(first, pages))
			continue;
		memset(pool_taken + first, 1, pages);
		pool_live += pages;
		pool_hint = first + pages;
		return (void *)(uintptr_t)(POOL + (uint64_t)first * PAGE);
	}
	return NULL;
}

/* A freed table is poisoned: every entry is a leaf with all rights of memory
 * that nobody asked for. */
static void pool_free(void *ctx, void *pages, unsigned pages_lg2)
{
	const uint64_t words = (uint64_t)PAGE / 8 << pages_lg2;
	const uint64_t first = ((uint64_t)(uintptr_t)pages - POOL) / PAGE;
	uint64_t *word = pages;

	(void)ctx;
	for (uint64_t i = 0; i < words; i++)
		word[i] = POOL >> 2 | 0xdf;
	for (uint32_t i = 0; i < 1u << pages_lg2; i++) {
		if (!pool_taken[first + i])
			nw_port_bug("a page is freed twice", __FILE__,
				    __LINE__);
		pool_taken[first + i] = 0;
	}
	pool_live -= 1u << pages_lg2;
}

/* Up to this many pages one by one. */
#define FENCE_PAGES_MAX 64

/* HFENCE orders earlier stores to the tables before later walks by itself. */
static void fence_range(const struct nw_flush_request *request,
			const struct nw_flush_range *range)
{
	const int g_stage = request->regime == NW_REGIME_RISCV_G;
	const unsigned sign = 64 - (guest_vsatp() >> 60 == 8   ? 39
				    : guest_vsatp() >> 60 == 9 ? 48
							       : 57);

	if (range->had_tables ||
	    (range->end - range->start) / PAGE > FENCE_PAGES_MAX) {
		fence_all();
		return;
	}
	for (uint64_t a = range->start; a < range->end; a += PAGE) {
		if (g_stage)
			hfence_gvma(a);
		else
			hfence_vvma((uint64_t)((int64_t)(a << sign) >> sign));
	}
}

static void invalidate(void *ctx, const struct nw_flush_request *request)
{
	(void)ctx;
	if (fences_left_out)
		return;
	for (unsigned i = 0; i < request->ranges; i++)
		fence_range(request, &request->range[i]);
}

/* Physical memory is seen where it is. */
const struct nw_port_ops payload_port = {
	.alloc_pages = pool_alloc,
	.free_pages = pool_free,
	.invalidate = invalidate,
	.virt_minus_phys = 0,
};
