// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk merge: the results of all shards of one exploration as one. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_explore.h"

#define SHARDS_MAX 65536u

struct merged {
	char scenario[64];
	unsigned shards;
	uint8_t *seen;
	uint64_t schedules, redundant, steps;
	unsigned exhausted;
	char violation[32];
	const char *found_in; /* the first file with a violation */
};

struct part {
	char scenario[64], violation[32];
	unsigned k, n;
	uint64_t schedules, redundant, steps;
	int exhausted;
	unsigned fields;
};

static int refuse(const char *path, const char *what)
{
	fprintf(stderr, "nestwalk merge: %s: %s\n", path, what);
	return CLI_MALFORMED;
}

static void part_line(struct part *p, const char *line)
{
	p->fields += sscanf(line, "scenario %63s", p->scenario) == 1;
	p->fields += sscanf(line, "shard %u/%u", &p->k, &p->n) == 2;
	p->fields += sscanf(line, "schedules %" SCNu64, &p->schedules) == 1;
	p->fields += sscanf(line, "redundant %" SCNu64, &p->redundant) == 1;
	p->fields += sscanf(line, "steps %" SCNu64, &p->steps) == 1;
	p->fields += sscanf(line, "exhausted %d", &p->exhausted) == 1;
	p->fields += sscanf(line, "violation %31s", p->violation) == 1;
}

static int part_read(const char *path, struct part *p)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	int is_first = 1, is_result = 0;

	memset(p, 0, sizeof(*p));
	if (!f)
		return refuse(path, strerror(errno));
	while (getline(&line, &room, f) > 0) {
		if (is_first)
			is_result = !strcmp(line, "nestwalk-result 1\n");
		else
			part_line(p, line);
		is_first = 0;
	}
	free(line);
	fclose(f);
	if (!is_result || p->fields != 7)
		return refuse(path, "this is no whole result; make it with "
				    "nestwalk explore --result");
	if (!p->k || p->k > p->n || p->n > SHARDS_MAX)
		return refuse(path, "its shard is out of range");
	return 0;
}

static int merge_part(struct merged *m, const char *path, const struct part *p)
{
	if (!m->shards) {
		m->shards = p->n;
		snprintf(m->scenario, sizeof(m->scenario), "%s", p->scenario);
		m->seen = calloc(p->n, 1);
		if (!m->seen)
			return CLI_INTERNAL;
	}
	if (strcmp(m->scenario, p->scenario))
		return refuse(path, "it is of another scenario");
	if (m->shards != p->n)
		return refuse(path, "it is of another division into shards");
	if (m->seen[p->k - 1])
		return refuse(path, "its shard was given already");
	m->seen[p->k - 1] = 1;
	m->schedules += p->schedules;
	m->redundant += p->redundant;
	m->steps += p->steps;
	m->exhausted += p->exhausted != 0;
	if (!m->found_in && strcmp(p->violation, "clean")) {
		m->found_in = path;
		snprintf(m->violation, sizeof(m->violation), "%s",
			 p->violation);
	}
	return 0;
}

static int report(const struct merged *m, int files)
{
	printf("%s: %s, %" PRIu64 " schedules, %" PRIu64 " redundant, %" PRIu64
	       " steps, %d of %u shards, %s\n",
	       m->scenario, m->found_in ? m->violation : "clean", m->schedules,
	       m->redundant, m->steps, files, m->shards,
	       m->exhausted == m->shards ? "exhausted" : "not exhausted");
	if (m->found_in) {
		printf("found in %s\n", m->found_in);
		return CLI_VIOLATION;
	}
	return 0;
}

int cli_merge(int argc, char **argv)
{
	struct merged m = {0};
	const char *option;
	struct part part;
	int at = 1, status = 0;

	if (cli_next_option(argc, argv, &at, &option))
		return cli_usage("merge", "unknown option %s", option);
	if (at == argc)
		return cli_usage("merge", "name the results of all shards");
	for (int i = at; i < argc && !status; i++) {
		status = part_read(argv[i], &part);
		if (!status)
			status = merge_part(&m, argv[i], &part);
	}
	if (!status)
		status = report(&m, argc - at);
	free(m.seen);
	return status;
}
