/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on a table against a flat reference map. See --help.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "nw_port.h"
#include "shrink.h"

#define OPS_PER_RUN 400
#define REPLAY_OPS_MAX 100000

static const char help[] =
	"Usage: property [--ops N] [--seed N] [--format NAME] [--check-every N]\n"
	"                [--replay FILE] [--plant FAULT] [--list] [--help]\n"
	"\n"
	"Runs random map, unmap, protect, split, collapse, reclaim, annotate,\n"
	"replace, remap, lookup, walk and teardown calls on tables of every shape\n"
	"in every mode, and compares each answer with a flat map and the whole\n"
	"table, as a second decoder reads it, with that map.\n"
	"\n"
	"  --ops N          operations in all (default 20000)\n"
	"  --seed N         start of the random numbers (default 1)\n"
	"  --format NAME    only this table shape; --list names them\n"
	"  --check-every N  operations between looks at the whole table (default 4)\n"
	"  --replay FILE    run the lines of FILE, as a failure printed them\n"
	"  --plant FAULT    break something on purpose, to see it found:\n"
	"                   short-unmap, lost-flush, wild-store\n"
	"\n"
	"A failure is shrunk and printed as lines for --replay. Exit status: 0 all\n"
	"well, 1 a failure was found, 2 usage.\n";

static const char *const plants[] = {
	"nothing", "short-unmap", "lost-flush", "wild-store",
};

static const char *const modes[] = {"exclusive", "readers", "shared"};

struct options {
	uint64_t ops;
	uint64_t seed;
	const struct variant *only;
	const char *replay;
	struct run_options run;
};

static int usage(const char *what, const char *value)
{
	fprintf(stderr, "property: %s '%s'; see property --help\n", what, value);
	return 2;
}

static int number(const char *text, uint64_t low, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno == 0 && *end == 0 && end != text && *value >= low;
}

static void report(const struct options *o, const struct op *op, unsigned ops,
		   const struct run_failure *failure)
{
	unsigned i;

	printf("FAILED: %s\n", failure->text);
	printf("# %u operations; to see it again, save these lines and run\n"
	       "#   property --check-every 1 --replay FILE\n", ops);
	printf("shape %s\n", o->run.variant->name);
	printf("mode %s\n", modes[o->run.mode]);
	for (i = 0; i < ops; i++)
		op_print(stdout, &op[i]);
}

/* A grace period takes its time: most runs are exclusive. */
static enum nw_mode mode_of(uint64_t round)
{
	if (!NW_PORT_HAS_GRACE_PERIOD || round % 4 < 2)
		return NW_MODE_EXCLUSIVE;
	return round % 4 == 2 ? NW_MODE_SHARED : NW_MODE_READERS;
}

static int random_runs(struct options *o)
{
	static struct op op[OPS_PER_RUN], trial[OPS_PER_RUN];
	struct run_failure failure;
	uint64_t run, runs = (o->ops + OPS_PER_RUN - 1) / OPS_PER_RUN;
	unsigned i, ops;

	for (run = 0; run < runs; run++) {
		uint64_t rng = o->seed * 0x1000003 + run;

		o->run.variant = o->only ? o->only
					 : &variants[run % variants_count];
		o->run.mode = mode_of(run / variants_count);
		for (i = 0; i < OPS_PER_RUN; i++)
			op[i] = op_random(&rng, o->run.variant);
		ops = o->ops - run * OPS_PER_RUN < OPS_PER_RUN
			      ? (unsigned)(o->ops - run * OPS_PER_RUN)
			      : OPS_PER_RUN;
		if (!run_ops(&o->run, op, ops, &failure))
			continue;
		printf("# seed %llu, run %llu, operation %u: %s\n",
		       (unsigned long long)o->seed, (unsigned long long)run,
		       failure.at, failure.text);
		ops = shrink(&o->run, op, ops, trial, &failure);
		report(o, op, ops, &failure);
		return 1;
	}
	return 0;
}

static int replay(struct options *o)
{
	static struct op op[REPLAY_OPS_MAX];
	struct run_failure failure;
	FILE *in = fopen(o->replay, "r");
	unsigned ops = 0, line = 0, i;
	char text[256], name[32];

	if (!in)
		return usage("cannot read", o->replay);
	while (fgets(text, sizeof(text), in)) {
		line++;
		if (text[0] == '#' || text[0] == '\n')
			continue;
		if (sscanf(text, "shape %31s", name) == 1) {
			o->run.variant = variant_find(name);
			if (!o->run.variant)
				break;
			continue;
		}
		if (sscanf(text, "mode %31s", name) == 1) {
			for (i = 0; i < 2 && strcmp(modes[i], name); i++)
				;
			o->run.mode = (enum nw_mode)i;
			continue;
		}
		if (ops == REPLAY_OPS_MAX || !op_parse(text, &op[ops++]))
			break;
	}
	if (!feof(in) || !o->run.variant) {
		fclose(in);
		fprintf(stderr, "property: %s:%u: neither 'shape NAME' nor an "
			"operation\n", o->replay, line);
		return 2;
	}
	fclose(in);
	if (!run_ops(&o->run, op, ops, &failure))
		return 0;
	printf("FAILED at operation %u: %s\n", failure.at, failure.text);
	return 1;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"ops", 1, 0, 'o'},    {"seed", 1, 0, 's'},
		{"format", 1, 0, 'f'}, {"check-every", 1, 0, 'c'},
		{"replay", 1, 0, 'r'}, {"plant", 1, 0, 'p'},
		{"list", 0, 0, 'l'},   {"help", 0, 0, 'h'},
		{0, 0, 0, 0},
	};
	uint64_t value;
	unsigned i;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (!number(optarg, 1, &o->ops))
				return usage("--ops is no number above 0:",
					     optarg);
			break;
		case 's':
			if (!number(optarg, 0, &o->seed))
				return usage("--seed is no number:", optarg);
			break;
		case 'f':
			o->only = variant_find(optarg);
			if (!o->only)
				return usage("no table shape (try --list)",
					     optarg);
			break;
		case 'c':
			if (!number(optarg, 1, &value) || value > 1000000)
				return usage("--check-every is not within 1 "
					     "and 1000000:", optarg);
			o->run.check_every = (unsigned)value;
			break;
		case 'r':
			o->replay = optarg;
			break;
		case 'p':
			for (i = 0; i < 4 && strcmp(plants[i], optarg); i++)
				;
			if (i == 4)
				return usage("nothing to plant called",
					     optarg);
			o->run.plant = (enum plant)i;
			break;
		case 'l':
			for (i = 0; i < variants_count; i++)
				puts(variants[i].name);
			exit(0);
		case 'h':
			fputs(help, stdout);
			exit(0);
		default:
			return 2;
		}
	}
	return optind < argc ? usage("what is", argv[optind]) : 0;
}

int main(int argc, char **argv)
{
	struct options o = {.ops = 20000, .seed = 1, .run = {.check_every = 4}};
	unsigned kind;
	int failed = parse(argc, argv, &o);

	if (failed)
		return failed;
	failed = o.replay ? replay(&o) : random_runs(&o);
	if (failed)
		return failed;
	printf("%llu operations, %llu looks at whole tables, %llu refused, "
	       "%llu out of memory, at most %llu table pages:",
	       (unsigned long long)run_totals.ops,
	       (unsigned long long)run_totals.looks,
	       (unsigned long long)run_totals.refused,
	       (unsigned long long)run_totals.out_of_memory,
	       (unsigned long long)run_totals.pages_peak);
	for (kind = 0; kind < OP_KINDS; kind++)
		printf(" %llu %s",
		       (unsigned long long)run_totals.by_kind[kind],
		       op_name((enum op_kind)kind));
	puts("");
	if (o.replay || run_totals.ops < 10000 ||
	    run_totals.refused < run_totals.ops / 3)
		return 0;
	puts("FAILED: most operations were refused: that proves nothing");
	return 1;
}
