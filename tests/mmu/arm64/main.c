// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables of the library, judged by the CPU's own walker: for each regime,
 * granule and size a table of random ranges, then AT instructions at random
 * addresses. AT asks for data accesses only: for rights to execute the CPU is
 * sent there (cpu_execute()), at stage 2 and in the lower range of EL1&0. AT
 * walks anew each time, so what a TLB keeps shows with the fetches only.
 *
 * Knobs (name=value): seed; addresses, rest (for each common and each other
 * configuration); only (configurations whose name contains it); plant
 * (plant.h).
 */
#include "host.h"
#include "judge.h"
#include "plant.h"
#include "pool.h"

#include "../../../hyp/lib.h"
#include "../../../ports/el2/nw_port.h"

#define EL_NEEDED 3u

void judge_main(unsigned el);
void judge_exception(uint64_t esr, uint64_t elr, uint64_t far);

static struct judge judge;
static struct cpu_facts facts;
static struct {
	uint64_t configs, addresses, rights, fetches, differences, changes,
		bad_configs, refused;
} total;

void judge_exception(uint64_t esr, uint64_t elr, uint64_t far)
{
	host_print("exception: ESR 0x%lx ELR 0x%lx FAR 0x%lx, in %s\n", esr,
		   elr, far,
		   judge.config ? judge.config->name : "the beginning");
	host_exit(3);
}

static int contains(const char *text, const char *part)
{
	const size_t length = strlen(part);

	for (; strlen(text) >= length; text++)
		if (!strncmp(text, part, length))
			return 1;
	return 0;
}

/* '_' in the knob stands for a blank in the name. */
static int is_chosen(const char *name)
{
	const char *only = host_knob("only");
	char part[64] = "";

	for (size_t i = 0; only[i] && i + 1 < sizeof(part); i++)
		part[i] = only[i] == '_' ? ' ' : only[i];
	return contains(name, part);
}

static int table_make(struct judge *j, struct nw_table *table)
{
	const struct config *c = j->config;
	const struct nw_table_config config = {
		.ops = plant_ops(c->ops),
		.format = c->format,
		.port = &pool_port,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = c->regime == REGIME_S2    ? NW_REGIME_STAGE2
			  : c->regime == REGIME_EL2 ? NW_REGIME_EL2
						    : NW_REGIME_EL10,
		/* Every other input size with contiguous runs. */
		.runs = c->format.ia_bits & 1 ? NW_RUNS_AUTO : NW_RUNS_CALLER,
	};
	struct nw_result result;
	enum nw_status status;

	status = nw_table_init(table, &config, &result);
	if (status != NW_OK)
		judge_difference(j, "nw_table_init(): %s, %s\n",
				 nw_status_name(status),
				 result.argument ? result.argument : "");
	return status == NW_OK;
}

/* Exceptions of EL1 go to an upper table. */
static void execute_prepare_el1(struct judge *j)
{
	static struct nw_table upper;
	const struct nw_attrs code = {
		.prot = NW_PROT_R | NW_PROT_PX,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = NW_LEAF_ACCESSED,
	};
	struct nw_result result;
	struct nw_geometry seen;
	struct answer a;

	if (!table_make(j, &upper))
		return;
	if (nw_map(&upper, NW_IA(0), UINT64_C(1) << upper.geo.granule_lg2,
		   NW_PA((uintptr_t)execute_vectors), &code, NW_LEVEL_ANY, NULL,
		   &result) != NW_OK) {
		judge_difference(j, "no map for the vectors\n");
		return;
	}
	seen = upper.geo;
	seen.oa_bits = (uint8_t)j->config->ps_bits;
	cpu_execute_upper(&seen, nw_table_root(&upper));
	a = cpu_answer(cpu_ask(AT_S1E1R, ~UINT64_C(0) << seen.ia_bits));
	/* Otherwise a fault would never come back. */
	if (a.outcome == OUTCOME_OK && a.pa == (uintptr_t)execute_vectors)
		j->can_execute = 1;
	else
		judge_difference(j, "the upper table does not translate\n");
}

static void execute_prepare(struct judge *j)
{
	if (plant_may_hang())
		return;
	if (j->config->regime == REGIME_S2)
		j->can_execute = j->config->format.ia_bits < facts.pa_bits;
	else if (j->config->regime == REGIME_EL1_LOWER)
		execute_prepare_el1(j);
}

static void judge_run(struct judge *j)
{
	struct nw_geometry seen = j->table.geo;

	seen.oa_bits = (uint8_t)j->config->ps_bits;
	/* A register for smaller outputs must still reach the tables. */
	cpu_regime(j->config, &seen, nw_table_root(&j->table), plant_flip());
	judge_map(j, 40);
	if (j->config->may_be_refused && judge_is_refused(j)) {
		host_print("skip: %s: this CPU does not walk it\n",
			   j->config->name);
		total.refused++;
		return;
	}
	execute_prepare(j);
	judge_compare(j, j->config->addresses / 2);
	judge_change(j, 40);
	judge_compare(j, j->config->addresses - j->config->addresses / 2);
}

static void report_config(const struct judge *j)
{
	host_print("config %s: %lu addresses, %lu rights, %lu fetches, "
		   "%u changes, %lu differences\n",
		   j->config->name, j->addresses, j->rights, j->fetches,
		   j->changes, j->differences);
	total.configs++;
	total.addresses += j->addresses;
	total.rights += j->rights;
	total.fetches += j->fetches;
	total.changes += j->changes;
	total.differences += j->differences;
	total.bad_configs += j->differences != 0;
}

static void judge_config(const struct config *config)
{
	struct judge *j = &judge;

	if (!is_chosen(config->name))
		return;
	memset(j, 0, sizeof(*j));
	j->config = config;
	j->random = host_knob_number("seed", 1) + total.configs;
	j->pa_bits = facts.pa_bits;
	j->questions = cpu_questions(&facts, config->regime);
	pool_reset(config->format.granule_lg2);
	if (table_make(j, &j->table)) {
		judge_run(j);
		nw_table_destroy(&j->table);
	}
	/* Neither: this CPU refused the shape. */
	if (j->addresses || j->differences)
		report_config(j);
}

void judge_main(unsigned el)
{
	static struct nw_el2_cpu cpu;
	unsigned skipped;

	if (el != EL_NEEDED) {
		host_print("started at EL%u; next: a machine with EL3\n", el);
		host_exit(2);
	}
	__asm__ volatile("msr tpidr_el2, %0" ::"r"(&cpu));
	plant_choose(host_knob("plant"));
	cpu_facts_read(&facts);
	host_print("seed %lu; %u address bits, features 0x%x\n",
		   host_knob_number("seed", 1), facts.pa_bits, facts.features);
	host_print("not judged: rights to execute but of S2 and EL1-lower (AT "
		   "asks for data accesses)\n");
	skipped = config_each(
		&facts, (unsigned)host_knob_number("addresses", 20000),
		(unsigned)host_knob_number("rest", 2000), judge_config);
	host_print("total: %lu configurations, %lu addresses, %lu rights, "
		   "%lu fetches, %lu changes, %lu differences in %lu "
		   "configurations, "
		   "%u skipped\n",
		   total.configs, total.addresses, total.rights, total.fetches,
		   total.changes, total.differences, total.bad_configs,
		   skipped + (unsigned)total.refused);
	host_exit(total.differences || !total.configs);
}
