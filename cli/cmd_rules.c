// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk rules: what the oracle enforces. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <check/check.h>

#include "cli.h"

static void put_rule(const struct nwv_rule *rule)
{
	printf("%s: %s\n\n%s\n\nSource: %s\n", rule->id, rule->title,
	       rule->explain, rule->manual);
}

static void add_rule(json_t *list, const struct nwv_rule *rule)
{
	json_array_append_new(list,
			      json_pack("{s:s, s:s, s:s, s:s}", "id", rule->id,
					"title", rule->title, "explain",
					rule->explain, "manual", rule->manual));
}

/* The named rules, or all of them. */
static int put_json(int names, char **name)
{
	json_t *list = json_array();
	int status;

	for (int i = 0; i < names; i++)
		add_rule(list, nwv_rule_find(name[i]));
	for (size_t i = 0; !names && i < nwv_rule_count(); i++)
		add_rule(list, nwv_rule_at(i));
	status = list ? json_dumpf(list, stdout, JSON_INDENT(2)) : -1;
	json_decref(list);
	printf("\n");
	return status ? CLI_INTERNAL : 0;
}

int cli_rules(int argc, char **argv)
{
	const char *option;
	bool json = false;
	int at = 1;

	while (cli_next_option(argc, argv, &at, &option)) {
		if (strcmp(option, "--json"))
			return cli_usage("rules", "unknown option %s", option);
		json = true;
	}
	for (int i = at; i < argc; i++)
		if (!nwv_rule_find(argv[i]))
			return cli_usage("rules",
					 "no rule %s (nestwalk rules lists "
					 "them)",
					 argv[i]);
	if (json)
		return put_json(argc - at, argv + at);
	if (at == argc)
		for (size_t i = 0; i < nwv_rule_count(); i++)
			printf("%-10s %s\n", nwv_rule_at(i)->id,
			       nwv_rule_at(i)->title);
	for (int i = at; i < argc; i++) {
		if (i > at)
			printf("\n");
		put_rule(nwv_rule_find(argv[i]));
	}
	return 0;
}
