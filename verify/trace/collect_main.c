// SPDX-License-Identifier: BSD-2-Clause
/*
 * nestwalk-collect: empties a machine's rings into a binary trace until its
 * standard input ends, then completes the trace and says in one line of JSON
 * what is in it. tools/run --trace starts it beside QEMU.
 *
 * Exit: 0 complete, 1 no rings were ever there, 2 usage, 4 failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect.h"

#define USAGE                                                                  \
	"usage: nestwalk-collect RAM OFFSET BYTES DIR [MOST [PAUSE_US]]\n"     \
	"  RAM       file behind the machine's memory; may appear later\n"     \
	"  OFFSET    where its rings begin, BYTES how long they may be\n"      \
	"  DIR       where the trace goes\n"                                   \
	"  MOST      records taken from each ring at a time (default all)\n"   \
	"  PAUSE_US  microseconds between two looks (default 1000)\n"          \
	"Ends when its standard input does.\n"

enum { EXIT_COMPLETE, EXIT_ABSENT, EXIT_USAGE, EXIT_FAILED = 4 };

static int number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && end != text && !*end && *text != '-';
}

/* Wait for the pause, or until standard input ends. 1: it has. */
static int input_ended(uint64_t pause_us)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	const struct timespec pause = {
		.tv_sec = (time_t)(pause_us / 1000000),
		.tv_nsec = (long)(pause_us % 1000000 * 1000),
	};
	char rest[256];

	if (ppoll(&in, 1, &pause, NULL) <= 0)
		return 0;
	return read(STDIN_FILENO, rest, sizeof(rest)) <= 0;
}

static int failed(struct nwv_collector *c)
{
	fprintf(stderr, "nestwalk-collect: %s\n", nwv_collector_error(c));
	nwv_collector_close(c);
	return EXIT_FAILED;
}

static int finish(struct nwv_collector *c)
{
	struct nwv_collected collected;

	switch (nwv_collector_finish(c, &collected)) {
	case NWV_COLLECT_OK:
		break;
	case NWV_COLLECT_ABSENT:
		fprintf(stderr, "nestwalk-collect: no rings: the machine does "
				"not record, or ended before it could\n");
		nwv_collector_close(c);
		return EXIT_ABSENT;
	default:
		return failed(c);
	}
	nwv_collector_close(c);
	printf("{\"events\": %llu, \"bytes\": %llu, \"dropped\": %llu, "
	       "\"cut\": %llu, \"waits\": %llu, \"cpus\": %u}\n",
	       (unsigned long long)collected.events,
	       (unsigned long long)collected.bytes,
	       (unsigned long long)collected.dropped,
	       (unsigned long long)collected.cut,
	       (unsigned long long)collected.waits, collected.cpus);
	return fflush(stdout) ? EXIT_FAILED : EXIT_COMPLETE;
}

int main(int argc, char **argv)
{
	uint64_t offset, bytes, most = UINT64_MAX, pause_us = 1000, records;
	struct nwv_collector *c;

	if (argc < 5 || argc > 7 || !number(argv[2], &offset) ||
	    !number(argv[3], &bytes) ||
	    (argc > 5 && (!number(argv[5], &most) || !most)) ||
	    (argc > 6 && !number(argv[6], &pause_us))) {
		fputs(USAGE, stderr);
		return EXIT_USAGE;
	}
	c = nwv_collector_open(argv[1], offset, bytes, argv[4]);
	if (!c) {
		fprintf(stderr, "nestwalk-collect: out of memory\n");
		return EXIT_FAILED;
	}
	do {
		if (nwv_collector_poll(c, most, &records) == NWV_COLLECT_FAILED)
			return failed(c);
	} while (!input_ended(pause_us));
	return finish(c);
}
