/* SPDX-License-Identifier: BSD-2-Clause */
/* What a user of references may do; tools/check-sparse must let it pass. */
#include <nestwalk/table.h>

static nw_entry_t read_it(nw_pteref_t ref)
{
	return nw_pteref_read(ref);
}

static enum nw_status visit(const struct nw_visit *v)
{
	nw_pteref_t copy = v->ref;
	nw_entry_t *sum = v->arg;

	*sum += read_it(copy) ^ v->old;
	return NW_OK;
}

static enum nw_status use(struct nw_table *t, nw_entry_t *sum)
{
	return nw_walk(t, NW_IA(0), 4096, NW_VISIT_LEAF, visit, sum, NULL);
}

/* Sparse looks at what is reachable. */
enum nw_status (*const sparse_pass)(struct nw_table *, nw_entry_t *) = use;
