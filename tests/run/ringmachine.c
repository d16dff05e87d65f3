// SPDX-License-Identifier: BSD-2-Clause
/*
 * A machine that only records: threads for CPUs, a file for its memory.
 *
 *   ringmachine RAM OFFSET CPUS RECORDS LIMIT EVENTS [plant]
 *
 * Each CPU records EVENTS events of a kind that the oracle takes and does not
 * judge. Planted at the end: "gap", a number without a record; "cut", a CPU
 * that is stopped while it records, and one that goes on; "runaway", a head
 * beyond its ring. Planted from the start: "odd", rings whose size is no power
 * of two, which nobody writes; "hurry", a CPU that does not wait for room.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nestwalk/ring.h>
#include <nestwalk/trace.h>

static struct nw_ring_area *area;
static uint64_t events;
static int hurries;

static void record(unsigned cpu, uint64_t n)
{
	const struct nw_ring_record r = {
		.kind = NW_EV_FAULT,
		.file = (uint16_t)(1 + n % 2),
		.line = cpu + 1,
		.a = n,
		.b = cpu,
	};

	if (!hurries && !nw_ring_has_room(area, cpu)) {
		area->cpu[cpu].waits++;
		while (!nw_ring_has_room(area, cpu))
			sched_yield();
	}
	nw_ring_put(area, cpu, NW_RING_SHARED, &r);
}

static void *run_cpu(void *arg)
{
	const unsigned cpu = (unsigned)(uintptr_t)arg;

	for (uint64_t n = 0; n < events; n++)
		record(cpu, n);
	return NULL;
}

static void plant(const char *what)
{
	if (!strcmp(what, "gap"))
		area->seq++;
	if (!strcmp(what, "cut")) {
		area->cpu[1].is_taking = 1;
		area->seq++;
	}
	if (!strcmp(what, "gap") || !strcmp(what, "cut")) {
		record(0, 0);
		record(0, 1);
	}
	if (!strcmp(what, "runaway"))
		area->cpu[0].head += 2 * area->records;
}

int main(int argc, char **argv)
{
	pthread_t thread[NW_RING_CPUS_MAX];
	const off_t offset = argc < 7 ? 0 : strtoll(argv[2], NULL, 0);
	const unsigned cpus = argc < 7 ? 0 : (unsigned)atoi(argv[3]);
	const uint32_t records = argc < 7 ? 0 : (uint32_t)atoi(argv[4]);
	const uint64_t bytes = nw_ring_area_bytes(cpus, records);
	const char *planted = argc > 7 ? argv[7] : "";
	struct stat st;
	int fd;

	if (!cpus || cpus > NW_RING_CPUS_MAX)
		return 2;
	events = strtoull(argv[6], NULL, 0);
	hurries = !strcmp(planted, "hurry");
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st) ||
	    (st.st_size < offset + (off_t)bytes &&
	     ftruncate(fd, offset + (off_t)bytes)))
		return 3;
	area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    offset);
	if (area == MAP_FAILED)
		return 3;
	strcpy(area->file[0], "../../src/one.c");
	strcpy(area->file[1], "two.c");
	area->files = 2;
	if (!strcmp(planted, "odd")) {
		nw_ring_init(area, cpus, records - 1);
		return 0;
	}
	nw_ring_init(area, cpus, records);
	area->limit = (uint32_t)atoi(argv[5]);
	for (unsigned i = 0; i < cpus; i++)
		if (pthread_create(&thread[i], NULL, run_cpu,
				   (void *)(uintptr_t)i))
			return 3;
	for (unsigned i = 0; i < cpus; i++)
		pthread_join(thread[i], NULL);
	plant(planted);
	return 0;
}
