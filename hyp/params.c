/* SPDX-License-Identifier: BSD-2-Clause */
#include "features.h"
#include "layout.h"
#include "lib.h"
#include "mailbox.h"
#include "params.h"
#include "report.h"

#define PREFIX "nw."
#define WORD_BYTES 64

static uint64_t number(const char *word, const char *value, uint64_t min,
		       uint64_t max)
{
	const char *p = value;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9' && n <= max; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == value || *p || n < min || n > max)
		refuse("%s: a number from %lu to %lu is needed", word, min,
		       max);
	return n;
}

static void forgo(const char *word, const char *list)
{
	static const struct {
		const char *name;
		unsigned feature;
	} known[] = {
		{"fwb", NW_MAILBOX_FEATURE_FWB},
		{"xnx", NW_MAILBOX_FEATURE_XNX},
		{"range", NW_MAILBOX_FEATURE_TLBI_RANGE},
		{"ttl", NW_MAILBOX_FEATURE_TTL},
	};
	const unsigned n = sizeof(known) / sizeof(known[0]);

	while (*list) {
		const char *end = strchr(list, ',');
		size_t bytes = end ? (size_t)(end - list) : strlen(list);
		unsigned i;

		for (i = 0; i < n; i++)
			if (strlen(known[i].name) == bytes &&
			    !strncmp(known[i].name, list, bytes))
				break;
		if (i == n)
			refuse("%s: known features are fwb, xnx, range, ttl",
			       word);
		features_forgo(known[i].feature);
		list += bytes + (end ? 1 : 0);
	}
}

/* Names of enum nw_fixmap_strategy. */
static void choose_fixmap(const char *word, const char *value,
			  struct params *params)
{
	static const char *const names[NW_FIXMAP_STRATEGIES] = {
		[NW_FIXMAP_BROADCAST] = "broadcast",
		[NW_FIXMAP_BATCHED] = "batched",
		[NW_FIXMAP_PRIVATE_ROOT] = "private-root",
	};
	unsigned i;

	for (i = 0; i < NW_FIXMAP_STRATEGIES; i++) {
		if (strcmp(value, names[i]))
			continue;
		params->fixmap = (enum nw_fixmap_strategy)i;
		return;
	}
	refuse("%s: broadcast, batched or private-root", word);
}

static void choose_granule(const char *word, const char *value,
			   struct params *params)
{
	uint64_t kib = number(word, value, 4, 64);

	if (kib != 4 && kib != 16 && kib != 64)
		refuse("%s: 4, 16 or 64", word);
	params->granule_lg2 = kib == 4 ? 12 : kib == 16 ? 14 : 16;
}

/* Names of enum dirty_mode. */
static void choose_dirty(const char *word, const char *value,
			 struct params *params)
{
	static const char *const names[] = {
		[DIRTY_AUTO] = "auto",
		[DIRTY_OFF] = "off",
		[DIRTY_SOFTWARE] = "software",
		[DIRTY_HARDWARE] = "hardware",
	};
	unsigned i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]))
			continue;
		params->dirty = (enum dirty_mode)i;
		return;
	}
	refuse("%s: auto, hardware, software or off", word);
}

/* The value of `word` if it begins with `name`, else NULL. */
static const char *value_of(const char *word, const char *name)
{
	size_t bytes = strlen(name);

	return strncmp(word, name, bytes) ? NULL : word + bytes;
}

static void take_word(const char *word, struct params *params)
{
	const char *v;

	if ((v = value_of(word, "nw.cpus=")))
		params->guest_cpus = (uint32_t)number(word, v, 1,
						      NW_HYP_GUEST_CPUS_MAX);
	else if ((v = value_of(word, "nw.shake=")))
		params->shake_per_second = number(word, v, 0, 10000000);
	else if ((v = value_of(word, "nw.seed=")))
		params->seed = number(word, v, 0, UINT32_MAX);
	else if ((v = value_of(word, "nw.record=")))
		params->record = (uint32_t)number(word, v, 1, UINT32_MAX);
	else if ((v = value_of(word, "nw.no=")))
		forgo(word, v);
	else if ((v = value_of(word, "nw.granule=")))
		choose_granule(word, v, params);
	else if ((v = value_of(word, "nw.lpa2=")))
		params->is_lpa2 = (uint32_t)number(word, v, 0, 1);
	else if ((v = value_of(word, "nw.dirty=")))
		choose_dirty(word, v, params);
	else if ((v = value_of(word, "nw.fixmap=")))
		choose_fixmap(word, v, params);
	else if (!strcmp(word, "nw.bench=fixmap"))
		params->bench_fixmap = 1;
	else if (!strcmp(word, "nw.selftest=panic"))
		params->selftest = SELFTEST_PANIC;
	else
		refuse("%s: unknown; known are nw.cpus=, nw.shake=, nw.seed=, "
		       "nw.no=, nw.granule=, nw.lpa2=, nw.dirty=, nw.fixmap=, "
		       "nw.record=, nw.bench=fixmap, nw.selftest=panic", word);
}

void params_take(char *bootargs, struct params *params)
{
	char *from = bootargs, *to = bootargs;

	*params = (struct params){
		.seed = 1,
		.fixmap = NW_FIXMAP_BATCHED,
		.granule_lg2 = NW_HYP_PAGE_LG2,
	};
	while (*from) {
		char word[WORD_BYTES];
		size_t bytes = 0;

		if (*from == ' ') {
			from++;
			continue;
		}
		while (from[bytes] && from[bytes] != ' ')
			bytes++;
		if (strncmp(from, PREFIX, strlen(PREFIX))) {
			if (to != bootargs)
				*to++ = ' ';
			memmove(to, from, bytes);
			to += bytes;
		} else {
			size_t kept = bytes < WORD_BYTES ? bytes :
							   WORD_BYTES - 1;

			memcpy(word, from, kept);
			word[kept] = '\0';
			take_word(word, params);
		}
		from += bytes;
	}
	*to = '\0';
}
