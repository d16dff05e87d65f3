/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reduction against no reduction: random small programs of every kind of
 * operation must have the same set of outcomes with both. An outcome is all
 * that the CPUs read or met, and what memory and TLBs hold at the end.
 */
#include "support.h"

#define OPS_MAX 4u
#define CPUS_MAX 3u
#define OUTCOMES_MAX 20000u
#define IA UINT64_C(0x80000000)

struct op {
	unsigned kind;
	unsigned arg;
};

struct program_state {
	uint64_t word[2];
	uint64_t lock;
	uint64_t *entry;
	uint64_t out;
	uint64_t result[CPUS_MAX];
	unsigned frame;
};

static struct op program[CPUS_MAX][OPS_MAX];
static unsigned program_cpus;
static unsigned program_ops, program_kinds;
static uint64_t *outcomes;
static unsigned outcome_count;
static uint64_t rng;

static unsigned roll(unsigned n)
{
	rng = rng * UINT64_C(6364136223846793005) +
	      UINT64_C(1442695040888963407);
	return (unsigned)(rng >> 33) % n;
}

static void mix(uint64_t *hash, uint64_t value)
{
	*hash = (*hash ^ value) * UINT64_C(1099511628211) + 1;
}

static void setup(void *state)
{
	struct program_state *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_EL2, 0, IA, 0xf);

	s->entry = t.leaves;
	s->out = nwx_pa(nws_frame_make("frame", NWM_R | NWM_W, &s->frame));
	nwx_store(s->entry, NWS_EL2_PAGE(s->out), NWM_RELAXED);
	nwx_watch(NW_REGIME_EL2, IA);
}

static void access_op(uint64_t *hash, enum nwm_access how)
{
	struct nwm_access_result r = how == NWM_WRITE ?
					     nwx_write(NW_REGIME_EL2, IA, 9) :
					     nwx_read(NW_REGIME_EL2, IA);

	mix(hash, r.outcome);
	mix(hash, r.value);
}

static void run_op(struct program_state *s, const struct op *op, uint64_t *hash)
{
	uint64_t *word = &s->word[op->arg & 1];
	uint64_t expected = op->arg >> 1 & 1;
	uint64_t entry = NWS_EL2_PAGE(s->out);

	switch (op->kind) {
	case 0:
		mix(hash, nwx_load(word, NWM_RELAXED));
		break;
	case 1:
		mix(hash, nwx_load(word, NWM_ACQUIRE));
		break;
	case 2:
		nwx_store(word, op->arg >> 1, NWM_RELAXED);
		break;
	case 3:
		nwx_store(word, op->arg >> 1, NWM_RELEASE);
		break;
	case 4:
		mix(hash, (uint64_t)nwx_cmpxchg(word, &expected, op->arg));
		break;
	case 5:
		nwx_fence();
		break;
	case 6:
		nwx_lock(&s->lock);
		mix(hash, nwx_load(word, NWM_RELAXED));
		nwx_store(word, op->arg >> 1, NWM_RELAXED);
		nwx_unlock(&s->lock);
		break;
	case 7:
		if (nwx_trylock(&s->lock)) {
			nwx_store(word, 7, NWM_RELAXED);
			nwx_unlock(&s->lock);
		} else {
			mix(hash, 77);
		}
		break;
	case 8:
		nwx_section_enter();
		mix(hash, nwx_load(&s->word[0], NWM_RELAXED));
		mix(hash, nwx_load(&s->word[1], NWM_RELAXED));
		nwx_section_leave();
		break;
	case 9:
		nwx_synchronize();
		break;
	case 10:
		nwx_store(s->entry, op->arg & 1 ? entry : 0, NWM_RELAXED);
		break;
	case 11:
		nwx_store(s->entry, entry | (op->arg & 1 ? NWS_READ_ONLY : 0),
			  NWM_RELAXED);
		break;
	case 12:
		nwx_barrier(op->arg & 1 ? NW_BARRIER_DSB_ISHST :
					  NW_BARRIER_DSB_NSH);
		break;
	case 13:
		nwx_tlbi(op->arg & 1 ? NW_TLBI_VALE2IS : NW_TLBI_VALE2, IA,
			 IA + 4096, 0, -1);
		break;
	case 14:
		nwx_barrier(NW_BARRIER_DSB_ISH);
		break;
	case 15:
		access_op(hash, op->arg & 1 ? NWM_WRITE : NWM_READ);
		break;
	default:
		nwx_barrier(NW_BARRIER_DMB_ISHST);
		break;
	}
}

static void run_cpu(void *state)
{
	struct program_state *s = state;
	unsigned cpu = nwx_cpu_id();
	uint64_t hash = cpu;

	for (unsigned i = 0; i < program_ops; i++)
		run_op(s, &program[cpu][i], &hash);
	s->result[cpu] = hash;
}

static void finish(void *state)
{
	struct program_state *s = state;
	uint64_t hash = 0;

	for (unsigned cpu = 0; cpu < program_cpus; cpu++)
		mix(&hash, s->result[cpu]);
	mix(&hash, nwx_load(&s->word[0], NWM_RELAXED));
	mix(&hash, nwx_load(&s->word[1], NWM_RELAXED));
	mix(&hash, nwx_load(s->entry, NWM_RELAXED));
	for (unsigned cpu = 0; cpu < program_cpus; cpu++) {
		uint64_t set = 0;

		/* The order of entries in a TLB says nothing. */
		for (unsigned i = 0; i < nwm_tlb_count(cpu); i++) {
			const struct nwm_tlb_entry *e = nwm_tlb_at(cpu, i);

			set |= UINT64_C(1)
			       << (e->kind * 16 + e->level * 4 +
				   (e->rights & NWM_W) + !!e->doomed);
		}
		mix(&hash, set);
	}
	for (unsigned i = 0; i < outcome_count; i++)
		if (outcomes[i] == hash)
			return;
	assert_true(outcome_count < OUTCOMES_MAX);
	outcomes[outcome_count++] = hash;
}

static const struct nwx_scenario scenario = {
	.name = "random program",
	.cpus = 2,
	.walks = 1,
	.state_bytes = sizeof(struct program_state),
	.setup = setup,
	.cpu = {run_cpu, run_cpu, run_cpu},
	.finish = finish,
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t explore(enum nwx_reduction reduction, int preemptions,
			uint64_t *set, unsigned *count)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	o.reduction = reduction;
	o.preemptions = preemptions;
	o.cpus = program_cpus;
	o.schedules_max = 80000;
	outcomes = set;
	outcome_count = 0;
	assert_int_equal(nwx_explore(&scenario, &o, &r), 0);
	assert_int_equal(r.violation, NWM_OK);
	*count = outcome_count;
	qsort(set, outcome_count, sizeof(set[0]), compare);
	return r.exhausted ? r.schedules + r.redundant : 0;
}

static void random_programs(unsigned programs, unsigned kinds_from,
			    unsigned kinds_to, int preemptions, unsigned cpus)
{
	static uint64_t reduced[OUTCOMES_MAX], full[OUTCOMES_MAX];
	uint64_t fewer = 0, all = 0;
	unsigned compared = 0;

	program_cpus = cpus;
	program_kinds = kinds_to - kinds_from;
	for (unsigned p = 0; p < programs; p++) {
		unsigned n_reduced, n_full;
		uint64_t a, b;

		rng = p * 977 + kinds_from;
		program_ops = 2 + roll(OPS_MAX + 1 - program_cpus);
		for (unsigned cpu = 0; cpu < program_cpus; cpu++)
			for (unsigned i = 0; i < program_ops; i++)
				program[cpu][i] = (struct op){
					kinds_from + roll(program_kinds),
					roll(4)};
		b = explore(NWX_UNREDUCED, preemptions, full, &n_full);
		if (!b)
			continue; /* too large for this test */
		a = explore(NWX_REDUCED, preemptions, reduced, &n_reduced);
		if (n_reduced != n_full ||
		    memcmp(reduced, full, n_full * sizeof(full[0])))
			fail_msg("program %u (kinds %u-%u, bound %d): %u "
				 "outcomes with reduction, %u without",
				 p, kinds_from, kinds_to, preemptions,
				 n_reduced, n_full);
		fewer += a;
		all += b;
		compared++;
	}
	print_message("%u programs: %llu executions with reduction, %llu "
		      "without\n",
		      compared, (unsigned long long)fewer,
		      (unsigned long long)all);
	assert_true(compared > programs / 3);
	assert_true(fewer < all);
}

static void reduction_of_memory_programs_keeps_all_outcomes(void **unused)
{
	(void)unused;
	random_programs(50, 0, 10, -1, 2);
}

static void reduction_of_table_programs_keeps_all_outcomes(void **unused)
{
	(void)unused;
	random_programs(120, 10, 17, -1, 2);
}

static void reduction_of_mixed_programs_keeps_all_outcomes(void **unused)
{
	(void)unused;
	random_programs(25, 0, 17, -1, 2);
}

/* Within the bound too: what is left out would have shown nothing else. */
static void bounded_reduction_of_memory_programs_keeps_all_outcomes(
	void **unused)
{
	(void)unused;
	for (int bound = 0; bound <= 3; bound++)
		random_programs(100, 0, 10, bound, 2);
}

static void bounded_reduction_of_table_programs_keeps_all_outcomes(
	void **unused)
{
	(void)unused;
	for (int bound = 0; bound <= 3; bound++)
		random_programs(100, 10, 17, bound, 2);
}

static void bounded_reduction_of_mixed_programs_keeps_all_outcomes(
	void **unused)
{
	(void)unused;
	for (int bound = 0; bound <= 2; bound++)
		random_programs(60, 0, 17, bound, 2);
}

static void bounded_reduction_with_three_cpus_keeps_all_outcomes(void **unused)
{
	(void)unused;
	for (int bound = 0; bound <= 1; bound++)
		random_programs(60, 0, 10, bound, 3);
	random_programs(30, 10, 17, 0, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reduction_of_memory_programs_keeps_all_outcomes),
		cmocka_unit_test(
			reduction_of_table_programs_keeps_all_outcomes),
		cmocka_unit_test(
			reduction_of_mixed_programs_keeps_all_outcomes),
		cmocka_unit_test(
			bounded_reduction_of_memory_programs_keeps_all_outcomes),
		cmocka_unit_test(
			bounded_reduction_of_table_programs_keeps_all_outcomes),
		cmocka_unit_test(
			bounded_reduction_of_mixed_programs_keeps_all_outcomes),
		cmocka_unit_test(
			bounded_reduction_with_three_cpus_keeps_all_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
