/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <nestwalk/x86.h>
#include <stdarg.h>
#include <stddef.h>

#include "../riscv/model.h"

#define COM1	     0x3f8
#define COM1_STATUS  0x3fd
#define EXIT_PORT    0xf4
#define GIB	     30
#define LEAF_2M	     UINT64_C(0xe3) /* P W A D PS */
#define USER_PAGE    UINT64_C(0x67) /* P W U A D */
#define TABLE	     UINT64_C(0x27) /* P W U A */
#define TSS_SELECTOR 0x28
#define INT_USER     0x80

volatile struct trap_record trap_record;
extern uint64_t gdt[], own_pml5[], own_pml4[], own_pdpt[];
extern const char trap_stubs[], kernel_load[], kernel_store[], kernel_fetch[],
	user_load[], user_store[], user_fetch[];

void *memcpy(void *to, const void *from, size_t n);
__attribute__((noreturn)) void trap_unexpected(void);
void access_go(const void *code, uint64_t address, uint64_t value,
	       uint64_t user_stack);

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

static void out_byte(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static uint8_t in_byte(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void say_char(char c)
{
	while (!(in_byte(COM1_STATUS) & 0x20))
		;
	out_byte(COM1, (uint8_t)c);
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
	out_byte(EXIT_PORT, failed ? 1 : 0);
	for (;;)
		__asm__ volatile("hlt");
}

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	say("BUG %s (%s:%u)\n", what, file, (uint64_t)line);
	machine_exit(1);
}

void trap_unexpected(void)
{
	say("BUG unexpected trap %u, error %x at %x, CR2 %x\n",
	    trap_record.vector, trap_record.error, trap_record.rip,
	    trap_record.cr2);
	machine_exit(1);
}

/* ---- registers ---------------------------------------------------------- */

static uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32))
			 : "memory");
}

static uint64_t get_cr4(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static void set_cr4(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

void set_cr3(uint64_t cr3)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
}

uint64_t own_cr3(void)
{
	return (uintptr_t)(PARAMS->levels == 5 ? own_pml5 : own_pml4);
}

uint64_t own_root_entry(void)
{
	return *(const uint64_t *)(uintptr_t)own_cr3();
}

void set_features(unsigned features)
{
	const uint64_t cr4 = get_cr4() & ~(CR4_SMEP | CR4_PKE);
	const uint64_t efer = read_msr(0xc0000080) & ~EFER_NXE;

	write_msr(0xc0000080,
		  efer | (features & NW_FEAT_X86_NX ? EFER_NXE : 0));
	set_cr4(cr4 | (features & NW_FEAT_X86_SMEP ? CR4_SMEP : 0) |
		(features & NW_FEAT_X86_PKU ? CR4_PKE : 0));
	write_msr(0x277, NW_X86_PAT);
	flush_all();
}

void set_pkru(uint32_t pkru)
{
	__asm__ volatile("wrpkru" ::"a"(pkru), "c"(0), "d"(0) : "memory");
}

void flush_page(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* Global translations too. */
void flush_all(void)
{
	set_cr4(get_cr4() & ~CR4_PGE);
	set_cr4(get_cr4() | CR4_PGE);
}

unsigned machine_oa_bits(void)
{
	uint32_t eax = 0x80000008, ebx, ecx, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return eax & 0xff;
}

/* ---- start -------------------------------------------------------------- */

struct gate {
	uint16_t low;
	uint16_t selector;
	uint16_t flags;
	uint16_t middle;
	uint32_t high;
	uint32_t zero;
};

struct __attribute__((packed)) pointer {
	uint16_t limit;
	uint64_t base;
};

static struct gate idt[INT_USER + 1] __attribute__((aligned(16)));
static uint64_t trap_stack[1024] __attribute__((aligned(16)));
static uint64_t user_stack[512] __attribute__((aligned(4096)));
/* RSP0 is at 4; without an I/O map. */
static uint32_t tss[26] __attribute__((aligned(16)));

static void set_gate(unsigned vector, unsigned stub, unsigned dpl)
{
	const uint64_t code = (uintptr_t)trap_stubs + stub * 16;

	idt[vector] = (struct gate){.low = (uint16_t)code,
				    .selector = 8,
				    .flags = (uint16_t)(0x8e00 | dpl << 13),
				    .middle = (uint16_t)(code >> 16),
				    .high = (uint32_t)(code >> 32)};
}

static void start_traps(void)
{
	const uint64_t base = (uintptr_t)tss;
	const uint64_t stack = (uintptr_t)(trap_stack + 1024);
	const struct pointer pointer = {sizeof(idt) - 1, (uintptr_t)idt};

	for (unsigned i = 0; i < 32; i++)
		set_gate(i, i, 0);
	set_gate(INT_USER, 32, 3);
	__asm__ volatile("lidt %0" ::"m"(pointer));
	tss[1] = (uint32_t)stack;
	tss[2] = (uint32_t)(stack >> 32);
	tss[25] = (uint32_t)sizeof(tss) << 16;
	gdt[TSS_SELECTOR / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
				UINT64_C(0x89) << 40 |
				(base >> 24 & 0xff) << 56;
	gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
	__asm__ volatile("ltr %0" ::"r"((uint16_t)TSS_SELECTOR));
}

static uint64_t island_table[512] __attribute__((aligned(4096)));
static uint64_t pool_table[512] __attribute__((aligned(4096)));
static uint64_t user_directory[512] __attribute__((aligned(4096)));
static uint64_t user_table[512] __attribute__((aligned(4096)));

void machine_start(void)
{
	start_traps();
	for (unsigned i = 0; i < DIMM_BYTES / ISLAND_BYTES; i++)
		pool_table[i] =
			(PARAMS->dimm[DIMMS - 1] + i * ISLAND_BYTES) | LEAF_2M;
	user_table[0] = ((uintptr_t)user_load & ~UINT64_C(0xfff)) | USER_PAGE;
	user_table[1] = (uintptr_t)user_stack | USER_PAGE;
	user_directory[0] = (uintptr_t)user_table | TABLE;
	own_pdpt[ISLAND_WINDOW >> GIB] = (uintptr_t)island_table | TABLE;
	own_pdpt[POOL_WINDOW >> GIB] = (uintptr_t)pool_table | TABLE;
	own_pdpt[USER_WINDOW >> GIB] = (uintptr_t)user_directory | TABLE;
	flush_all();
	pool_start();
}

/* ---- memory ------------------------------------------------------------- */

uint64_t islands[ISLANDS];

void islands_choose(void)
{
	const unsigned each = ISLANDS / (DIMMS - 1) + 1;
	const uint64_t pieces = DIMM_BYTES / ISLAND_BYTES;
	uint64_t first = 0;

	for (unsigned i = 0; i < ISLANDS; i++) {
		/* Neighbours in one DIMM are apart, wherever they begin. */
		first = i % each == 0 ? random_below(pieces) : first;
		islands[i] = PARAMS->dimm[i / each] +
			     (first + i % each * 3) % pieces * ISLAND_BYTES;
		island_table[i] = islands[i] | LEAF_2M;
	}
	flush_all();
}

int is_backed(uint64_t pa)
{
	for (unsigned i = 0; i < ISLANDS; i++)
		if (pa - islands[i] < ISLAND_BYTES)
			return 1;
	return 0;
}

volatile uint64_t *memory(uint64_t pa)
{
	for (unsigned i = 0; i < ISLANDS; i++)
		if (pa - islands[i] < ISLAND_BYTES)
			return (volatile uint64_t
					*)(uintptr_t)(ISLAND_WINDOW +
						      i * ISLAND_BYTES +
						      (pa - islands[i]));
	nw_port_bug("memory that is not there", __FILE__, __LINE__);
	return NULL;
}

/* ---- accesses ----------------------------------------------------------- */

uint64_t fetch_code(uint64_t value)
{
	const uint64_t mov_eax = 0xb8, ret = 0xc3;

	return ret << 40 | (value & UINT64_C(0xffffffff)) << 8 | mov_eax;
}

struct outcome host_access(enum access how, uint64_t address, uint64_t value,
			   int user)
{
	static const char *const code[2][ACCESS_COUNT] = {
		{kernel_load, kernel_store, kernel_fetch},
		{user_load, user_store, user_fetch}};
	const char *go = code[user][how];
	struct outcome out = {0};

	if (user)
		go = (const char *)(USER_WINDOW + ((uintptr_t)go & 0xfff));
	access_go(go, address, value, user ? USER_WINDOW + 0x1ff8 : 0);
	out.value = trap_record.rax;
	if (trap_record.vector == INT_USER)
		return out;
	out.vector = trap_record.vector;
	out.error = trap_record.error;
	out.address = trap_record.cr2;
	return out;
}
