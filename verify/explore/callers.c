/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in the library the primitives were called from, for reached.h. */
#include <string.h>

#include "engine.h"

/* Return addresses, a hash table; full: what comes later is not known. */
#define CALLERS 1024u

static uintptr_t callers[CALLERS], caller_list[CALLERS];
static unsigned callers_n;

void nwx_callers_clear(void)
{
	memset(callers, 0, sizeof(callers));
	callers_n = 0;
}

unsigned nwx_callers(const uintptr_t **list)
{
	*list = caller_list;
	return callers_n;
}

void nwx_called(const void *from)
{
	uintptr_t pc = (uintptr_t)from;
	unsigned at = (unsigned)(pc * 0x9e3779b1u) >> 4 & (CALLERS - 1);

	/* What setup and finish do is not the subject. */
	if (nwx.phase != NWX_RUN)
		return;
	while (callers[at] && callers[at] != pc)
		at = (at + 1) & (CALLERS - 1);
	if (callers[at] || callers_n == CALLERS - 1)
		return;
	callers[at] = pc;
	caller_list[callers_n++] = pc;
}
