// SPDX-License-Identifier: BSD-2-Clause
/* Distinct strings: an open-addressed table, grown at half full. */
#include <stdlib.h>
#include <string.h>

#include "reader.h"

#define FIRST_SLOTS 64

static size_t hash(const char *text, size_t bytes)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32);
}

/* The slot that holds the string, or the empty one where it belongs. */
static char **find(char **slot, size_t slots, const char *text, size_t bytes)
{
	size_t i = hash(text, bytes) & (slots - 1);

	while (slot[i] &&
	       (strlen(slot[i]) != bytes || memcmp(slot[i], text, bytes)))
		i = (i + 1) & (slots - 1);
	return &slot[i];
}

static int grow(struct nwv_strings *s)
{
	const size_t slots = s->slots ? s->slots * 2 : FIRST_SLOTS;
	char **slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -1;
	for (size_t i = 0; i < s->slots; i++)
		if (s->slot[i])
			*find(slot, slots, s->slot[i], strlen(s->slot[i])) =
				s->slot[i];
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	return 0;
}

const char *nwv_strings_keep(struct nwv_strings *s, const char *text,
			     size_t bytes)
{
	char **slot;

	if (s->last && s->last_bytes == bytes && !memcmp(s->last, text, bytes))
		return s->last;
	if (s->used * 2 >= s->slots && grow(s))
		return NULL;
	slot = find(s->slot, s->slots, text, bytes);
	if (!*slot) {
		*slot = strndup(text, bytes);
		if (!*slot)
			return NULL;
		s->used++;
	}
	s->last = *slot;
	s->last_bytes = bytes;
	return *slot;
}

void nwv_strings_free(struct nwv_strings *s)
{
	for (size_t i = 0; i < s->slots; i++)
		free(s->slot[i]);
	free(s->slot);
	*s = (struct nwv_strings){0};
}
