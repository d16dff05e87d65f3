// SPDX-License-Identifier: BSD-2-Clause
/*
 * The guest's work and its verdict. Words on the kernel command line set it:
 *
 *   nwguest.duration=SECONDS  how long to work (default 20)
 *   nwguest.percent=N         share of MemAvailable to fill (default 75)
 *   nwguest.workers=N         memory workers (default two per CPU)
 *   nwguest.probe=HEX[,HEX]   physical addresses that must be out of reach
 *   nwguest.plant=KIND        fail on purpose, to see the run notice:
 *                             page (a wrong word), death (a worker dies)
 *
 * Lines on standard output begin with "NESTWALK-GUEST: "; the last one is
 * "verdict good ..." or "verdict bad reason=...".
 */
#define _GNU_SOURCE
#include "guestwork.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORKERS 64u
#define GRACE_SECONDS 300.0
/* /proc/sys/kernel/tainted: bad page seen, kernel died (oops). */
#define TAINT_BAD_PAGE (1u << 5)
#define TAINT_DIED (1u << 7)

struct gw_shared *gw_shared;
static unsigned online_cpus;

struct options {
	unsigned duration_seconds;
	unsigned percent;
	unsigned workers;
	char plant[16];
	char probe[80];
};

struct worker {
	pid_t pid; /* 0 once it has been waited for */
	const char *kind;
};

static void say(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* One write() a line, so that the kernel's messages cut fewer of them. */
static void say(const char *format, ...)
{
	char line[GW_REASON_BYTES + 200] = "NESTWALK-GUEST: ";
	size_t at = strlen(line);
	va_list args;
	int bytes;

	va_start(args, format);
	bytes = vsnprintf(line + at, sizeof(line) - at - 2, format, args);
	va_end(args);
	if (bytes < 0)
		return;
	at = strlen(line);
	line[at++] = '\n';
	if (write(STDOUT_FILENO, line, at) < 0)
		return;
	tcdrain(STDOUT_FILENO);
}

int gw_fail(const char *format, ...)
{
	va_list args;

	if (atomic_exchange(&gw_shared->failed, 1))
		return 1;
	va_start(args, format);
	vsnprintf(gw_shared->reason, sizeof(gw_shared->reason), format, args);
	va_end(args);
	atomic_store(&gw_shared->told, 1);
	atomic_store(&gw_shared->stop, 1);
	return 1;
}

void gw_move_to_cpu(unsigned index, unsigned round)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((index + round) % online_cpus, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The first line of `path` that begins with `key`, what follows the key. */
static int file_find(const char *path, const char *key, char *out, size_t bytes)
{
	char line[4096];
	FILE *file = fopen(path, "re");
	int found = 0;

	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		snprintf(out, bytes, "%s", line + strlen(key));
		found = 1;
	}
	fclose(file);
	return found;
}

static void option_parse(struct options *options, char *word)
{
	char *value = strchr(word, '=');

	if (strncmp(word, "nwguest.", 8) != 0 || !value)
		return;
	*value++ = '\0';
	if (strcmp(word, "nwguest.duration") == 0)
		options->duration_seconds = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(word, "nwguest.percent") == 0)
		options->percent = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(word, "nwguest.workers") == 0)
		options->workers = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(word, "nwguest.probe") == 0)
		snprintf(options->probe, sizeof(options->probe), "%s", value);
	else if (strcmp(word, "nwguest.plant") == 0)
		snprintf(options->plant, sizeof(options->plant), "%s", value);
	else
		say("unknown option %s, ignored", word);
}

static void options_read(struct options *options)
{
	char line[4096] = "";
	char *save = NULL;

	*options = (struct options){ .duration_seconds = 20,
				     .percent = 75,
				     .workers = 2 * online_cpus };
	if (!file_find("/proc/cmdline", "", line, sizeof(line)))
		return;
	for (char *word = strtok_r(line, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save))
		option_parse(options, word);
	if (options->percent > 90)
		options->percent = 90;
	if (options->workers < 1 || options->workers > MAX_WORKERS - 8)
		options->workers = 2 * online_cpus;
}

static size_t available_bytes(void)
{
	char text[64];

	if (!file_find("/proc/meminfo", "MemAvailable:", text, sizeof(text)))
		return 0;
	return (size_t)strtoull(text, NULL, 10) * 1024;
}

static unsigned kernel_taint(void)
{
	char text[64];

	if (!file_find("/proc/sys/kernel/tainted", "", text, sizeof(text)))
		return 0;
	return (unsigned)strtoul(text, NULL, 10);
}

/* Die on purpose: a check that nobody has seen fail proves nothing. */
static int planted_death(void)
{
	usleep(500000);
	raise(SIGSEGV);
	return 0;
}

static int worker_run(unsigned index, const struct options *options,
		      size_t bytes)
{
	if (index < options->workers)
		return gw_memory_worker(index, bytes);
	index -= options->workers;
	if (index < online_cpus)
		return gw_exec_worker(index);
	switch (index - online_cpus) {
	case 0:
		return gw_file_worker(index);
	case 1:
		return gw_code_worker(index);
	default:
		return planted_death();
	}
}

static const char *worker_kind(unsigned index, const struct options *options)
{
	if (index < options->workers)
		return "memory";
	index -= options->workers;
	if (index < online_cpus)
		return "exec";
	if (index == online_cpus)
		return "file";
	return index == online_cpus + 1 ? "code" : "planted";
}

static unsigned workers_start(struct worker *worker,
			      const struct options *options, size_t bytes)
{
	unsigned count = options->workers + online_cpus + 2;

	gw_shared->plant = strcmp(options->plant, "page") == 0;
	if (strcmp(options->plant, "death") == 0)
		count++;
	for (unsigned i = 0; i < count; i++) {
		worker[i].kind = worker_kind(i, options);
		worker[i].pid = fork();
		if (worker[i].pid == 0)
			_exit(worker_run(i, options, bytes));
		if (worker[i].pid < 0) {
			worker[i].pid = 0;
			gw_fail("fork of worker %u errno=%d", i, errno);
		}
	}
	return count;
}

/* Collect workers that ended; returns how many still run. */
static unsigned workers_reap(struct worker *worker, unsigned count)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < count; i++) {
		int status = 0;

		if (!worker[i].pid)
			continue;
		if (waitpid(worker[i].pid, &status, WNOHANG) == 0) {
			alive++;
			continue;
		}
		worker[i].pid = 0;
		if (WIFSIGNALED(status))
			gw_fail("%s worker %u killed by signal=%d",
				worker[i].kind, i, WTERMSIG(status));
		else if (WEXITSTATUS(status))
			gw_fail("%s worker %u left with status=%d",
				worker[i].kind, i, WEXITSTATUS(status));
	}
	return alive;
}

static void progress(const char *phase, double seconds)
{
	say("phase %s seconds=%.0f pages=%llu rounds=%llu execs=%llu "
	    "files=%llu codes=%llu",
	    phase, seconds, (unsigned long long)gw_shared->pages,
	    (unsigned long long)gw_shared->rounds,
	    (unsigned long long)gw_shared->execs,
	    (unsigned long long)gw_shared->files,
	    (unsigned long long)gw_shared->codes);
}

/* Watch until the time is over and everybody left, or is stuck. */
static void supervise(struct worker *worker, unsigned count,
		      const struct options *options)
{
	double start = now_seconds(), told = start, limit;

	while (!gw_stopping()) {
		double now = now_seconds();
		int all = gw_shared->filled >= options->workers;

		workers_reap(worker, count);
		if (now - told >= 1.0) {
			progress(all ? "work" : "fill", now - start);
			told = now;
		}
		/* At least one whole fill, however slow the machine is. */
		if (now - start >= options->duration_seconds && all)
			break;
		if (now - start > options->duration_seconds + GRACE_SECONDS) {
			gw_fail("memory not filled in %.0f s", now - start);
			break;
		}
		usleep(50000);
	}
	atomic_store(&gw_shared->stop, 1);
	progress("last-look", now_seconds() - start);
	limit = now_seconds() + GRACE_SECONDS;
	while (workers_reap(worker, count)) {
		if (now_seconds() > limit) {
			gw_fail("workers stuck after %.0f s", GRACE_SECONDS);
			break;
		}
		usleep(20000);
	}
	for (unsigned i = 0; i < count; i++)
		if (worker[i].pid)
			kill(worker[i].pid, SIGKILL);
}

static int verdict(void)
{
	unsigned taint = kernel_taint();

	if (taint & (TAINT_BAD_PAGE | TAINT_DIED))
		gw_fail("kernel tainted=0x%x", taint);
#if defined(__aarch64__)
	if (!gw_shared->codes || !gw_shared->execs || !gw_shared->files)
		gw_fail("some work never ran: execs=%llu files=%llu codes=%llu",
			(unsigned long long)gw_shared->execs,
			(unsigned long long)gw_shared->files,
			(unsigned long long)gw_shared->codes);
#endif
	/* The one who failed first may still be writing its reason. */
	for (int i = 0; i < 100 && gw_shared->failed && !gw_shared->told; i++)
		usleep(10000);
	if (gw_shared->failed) {
		say("verdict bad reason=%s", gw_shared->reason);
		return 1;
	}
	say("verdict good cpus=%u pages=%llu rounds=%llu execs=%llu files=%llu "
	    "codes=%llu probes=%llu taint=0x%x",
	    online_cpus, (unsigned long long)gw_shared->pages,
	    (unsigned long long)gw_shared->rounds,
	    (unsigned long long)gw_shared->execs,
	    (unsigned long long)gw_shared->files,
	    (unsigned long long)gw_shared->codes,
	    (unsigned long long)gw_shared->probes, taint);
	return 0;
}

int main(int argc, char **argv)
{
	struct worker worker[MAX_WORKERS + 8] = { 0 };
	struct options options;
	size_t bytes;
	unsigned count;

	if (argc == 3 && strcmp(argv[1], "--exec-child") == 0)
		return gw_exec_child(argv[2]);
	online_cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	gw_shared = mmap(NULL, sizeof(*gw_shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (gw_shared == MAP_FAILED) {
		say("verdict bad reason=mmap errno=%d", errno);
		return 1;
	}
	options_read(&options);
	bytes = available_bytes() / 100 * options.percent / options.workers;
	bytes -= bytes % GW_PAGE_BYTES;
	if (bytes < 16 * GW_PAGE_BYTES) {
		say("verdict bad reason=only %zu bytes for a worker", bytes);
		return 1;
	}
	say("phase start cpus=%u workers=%u bytes=%zu duration=%u", online_cpus,
	    options.workers, bytes * options.workers, options.duration_seconds);
	gw_probe(options.probe);
	count = workers_start(worker, &options, bytes);
	supervise(worker, count, &options);
	return verdict();
}
