/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page is filled by hundreds of stores: of a run of stores by one CPU to one
 * page the first ones and the last are shown, and how many lay between.
 */
#include <string.h>

#include "engine.h"

#define RUN_SHOWN 2

static void held_drop(struct nwx_fold *f)
{
	free(f->held.text);
	free(f->held.tlb);
	free(f->held.memory);
	memset(&f->held, 0, sizeof(f->held));
}

static void held_keep(struct nwx_fold *f, const struct nwx_record *r)
{
	held_drop(f);
	f->held = *r;
	f->held.text = strdup(r->text);
	f->held.tlb = r->tlb ? strdup(r->tlb) : NULL;
	f->held.memory = r->memory ? strdup(r->memory) : NULL;
}

void nwx_fold_end(struct nwx_fold *f)
{
	char text[64];

	if (f->run > RUN_SHOWN + 1) {
		struct nwx_record gap = f->held;

		snprintf(text, sizeof(text), "... %u more like it",
			 f->run - RUN_SHOWN - 1);
		gap.text = text;
		gap.step--;
		f->fn(&gap, f->arg);
	}
	if (f->run > RUN_SHOWN && f->held.text)
		f->fn(&f->held, f->arg);
	held_drop(f);
	f->run = 0;
	f->page[0] = 0;
}

void nwx_fold_record(const struct nwx_record *r, void *arg)
{
	struct nwx_fold *f = arg;
	size_t n;

	if (!r->text || !r->step)
		return;
	n = strcspn(r->text, "[");
	if (strncmp(r->text, "write 0x", 8) || n >= sizeof(f->page)) {
		nwx_fold_end(f);
		f->fn(r, f->arg);
		return;
	}
	if (f->run && (strncmp(f->page, r->text, n) || f->held.cpu != r->cpu))
		nwx_fold_end(f);
	memcpy(f->page, r->text, n);
	f->page[n] = 0;
	held_keep(f, r);
	if (++f->run <= RUN_SHOWN)
		f->fn(r, f->arg);
}
