/* SPDX-License-Identifier: BSD-2-Clause */
#include "nw_port.h"
#include "record.h"

#ifdef NW_CONFIG_RECORD
/* Twice the files that may be named: probing stays short. */
#define SLOTS (2 * NW_RING_FILES_MAX)

/* From the address of a __FILE__ to its id; entries are never removed. */
struct known_file {
	const char *name; /* written last */
	uint32_t id;
};

#define HOLDS 64 /* a power of two */

struct hold {
	uint32_t is_taken;
	uint32_t pad[15]; /* no shared cache lines */
};

static struct hold holds[HOLDS];

static struct {
	struct nw_ring_area *area;
	struct hold *held[NW_RING_CPUS_MAX]; /* each CPU's own */
	enum nw_ring_mode mode;
	uint32_t lock;
	struct known_file known[SLOTS];
} recorder;

void nw_el2_record_init(struct nw_ring_area *area, unsigned cpus,
			uint32_t records)
{
	recorder.mode = NW_RING_ALONE;
	recorder.area = area;
	nw_ring_init(area, cpus, records);
}

void nw_el2_record_share(void)
{
	recorder.mode = NW_RING_SHARED;
}

/* Not the port's lock: that one is recorded.
 * ORD-none (this and below): the recorder's own names, no table's. */
static void lock_files(void)
{
	if (recorder.mode == NW_RING_ALONE)
		return;
	while (__atomic_exchange_n(&recorder.lock, 1, __ATOMIC_ACQUIRE))
		__asm__ volatile("yield");
}

/* ORD-none: the recorder's own names, no table's. */
static void unlock_files(void)
{
	__atomic_store_n(&recorder.lock, 0, __ATOMIC_RELEASE);
}

static struct known_file *probe(const char *file)
{
	unsigned at = (unsigned)((uintptr_t)file * 0x9e3779b97f4a7c15ull >> 48);

	for (;; at++) {
		struct known_file *k = &recorder.known[at % SLOTS];
		/* ORD-none: a name is seen after its id. */
		const char *name = __atomic_load_n(&k->name, __ATOMIC_ACQUIRE);

		if (!name || name == file)
			return k;
	}
}

/* Where the reader of the rings finds the name. */
static uint32_t publish_name(const char *file)
{
	struct nw_ring_area *area = recorder.area;
	uint32_t id = area->files;
	unsigned i;

	if (id == NW_RING_FILES_MAX)
		nw_port_bug("recording: too many source files", file, 0);
	for (i = 0; file[i] && i < NW_RING_FILE_BYTES - 1; i++)
		area->file[id][i] = file[i];
	/* ORD-none: a name is complete before its number is seen. */
	__atomic_store_n(&area->files, id + 1, __ATOMIC_RELEASE);
	return id + 1;
}

static uint16_t file_id(const char *file)
{
	struct known_file *k = probe(file);

	if (NW_LIKELY(k->name != NULL))
		return (uint16_t)k->id;
	lock_files();
	k = probe(file);
	if (!k->name) {
		k->id = publish_name(file);
		/* ORD-none: an id is there before its name is seen. */
		__atomic_store_n(&k->name, file, __ATOMIC_RELEASE);
	}
	unlock_files();
	return (uint16_t)k->id;
}

static void let_go(unsigned cpu)
{
	struct hold *hold = recorder.held[cpu];

	if (!hold)
		return;
	recorder.held[cpu] = NULL;
	/* ORD-none: orders records, not entries: the next holder's numbers
	 * are larger. */
	__atomic_store_n(&hold->is_taken, 0, __ATOMIC_RELEASE);
}

/* ORD-none: as above. An entry is 8 bytes; those of a walk's levels should not
 * all meet in one place. */
void nw_el2_record_hold(const void *entry)
{
	uint64_t mixed = ((uintptr_t)entry >> 3) * 0x9e3779b97f4a7c15ull;
	struct hold *hold = &holds[mixed >> 32 & (HOLDS - 1)];
	unsigned cpu = nw_port_cpu_id();

	if (recorder.mode == NW_RING_ALONE)
		return;
	let_go(cpu);
	while (__atomic_exchange_n(&hold->is_taken, 1, __ATOMIC_ACQUIRE))
		__asm__ volatile("yield");
	recorder.held[cpu] = hold;
}

/* What verbs on entries end with. */
static int is_entry_event(unsigned event)
{
	switch (event) {
	case NW_EV_ENTRY_READ:
	case NW_EV_ENTRY_INIT:
	case NW_EV_ENTRY_WRITE:
	case NW_EV_ENTRY_LINK:
	case NW_EV_ENTRY_RMW:
	case NW_EV_ENTRY_RMW_FAIL:
	case NW_EV_ENTRY_LOCK:
	case NW_EV_ENTRY_PUBLISH:
		return 1;
	default:
		return 0;
	}
}

void nw_el2_record(unsigned event, uint64_t a, uint64_t b, uint64_t c,
		   const char *file, unsigned line)
{
	unsigned cpu = nw_port_cpu_id();
	struct nw_ring_record record;

	if (NW_UNLIKELY(!nw_ring_has_room(recorder.area, cpu))) {
		recorder.area->cpu[cpu].waits++;
		while (!nw_ring_has_room(recorder.area, cpu))
			__asm__ volatile("yield");
	}
	record.seq = 0;
	record.kind = (uint16_t)event;
	record.file = file_id(file);
	record.line = line;
	record.a = a;
	record.b = b;
	record.c = c;
	nw_ring_put(recorder.area, cpu, recorder.mode, &record);
	if (is_entry_event(event))
		let_go(cpu);
}
#endif
