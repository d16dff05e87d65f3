/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reduction against no reduction, as test_reduction.c, where the machine is
 * x86 or RISC-V, with interrupts between CPUs, with roots that change, and with
 * contiguous runs: random small programs must have the same outcomes.
 */
#include "support.h"

#define OPS_MAX 3u
#define CPUS 2u
#define OUTCOMES_MAX 20000u
#define IA UINT64_C(0x80000000)

struct program_state {
	uint64_t word[2];
	uint64_t lock;
	uint64_t *entry;
	uint64_t out;
	uint64_t result[CPUS];
	uint64_t handled[CPUS];
};

enum op_kind {
	OP_LOAD,
	OP_STORE,
	OP_SWAP,
	OP_FENCE,
	OP_LOCKED,
	OP_ACCESS,
	OP_INVALIDATE,
	OP_COMPLETE,
	OP_ENTRY,
	OP_IPI,
	OP_IPI_WAIT,
	OP_IRQ_OFF,
	OP_ROOT,
	OP_ISB,
	OP_COUNT,
};

struct op {
	unsigned kind;
	unsigned arg;
};

/* What differs from one family of programs to the next. */
struct family {
	const char *name;
	struct nwm_config machine;
	enum nw_regime regime;
	enum nw_tlbi local, broadcast;
	enum nw_barrier fence, complete;
	unsigned kinds; /* bits */
};

static const struct family *family;
static struct op program[CPUS][OPS_MAX];
static unsigned program_ops;
static struct nwm_root other_root;
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

static uint64_t leaf(const struct program_state *s, unsigned arg)
{
	if (arg & 1)
		return 0;
	if (family->regime == NW_REGIME_X86)
		return s->out | (arg & 2 ? 0x61 : 0x63) | UINT64_C(1) << 63;
	return (NWS_EL2_PAGE(s->out) | (arg & 2 ? NWS_READ_ONLY : 0) |
		(family->machine.has_runs ? UINT64_C(1) << 52 : 0)) &
	       ~(family->machine.has_haf ? NWS_AF : 0);
}

static void handler(void *state, unsigned from, uint64_t ticket)
{
	struct program_state *s = state;
	uint64_t *handled = &s->handled[nwx_cpu_id()];

	(void)ticket;
	mix(handled, from);
	mix(handled, nwx_load(&s->word[0], NWM_RELAXED));
	nwx_tlbi(family->local, IA, IA + 4096, 0, -1);
}

static void setup(void *state)
{
	struct program_state *s = state;
	struct nws_table t = nws_table_make(family->regime, 0, IA, 0xf);
	uint64_t *frame = nwx_page_alloc(0);
	uint64_t *root = nwx_page_alloc(0);

	s->entry = t.leaves;
	s->out = nwx_pa(frame);
	for (unsigned i = 0; i < 2; i++)
		nwx_store(&s->entry[i], leaf(s, 0) + i * 4096, NWM_RELAXED);
	other_root = nwm_root_get(0, family->regime);
	other_root.pa = nwx_pa(root);
	nwx_watch(family->regime, IA);
	if (family->kinds >> OP_IPI & 1)
		nwx_ipi_handler(handler);
}

static void run_op(struct program_state *s, const struct op *op, uint64_t *hash)
{
	uint64_t *word = &s->word[op->arg & 1];
	unsigned other = 1u << !nwx_cpu_id();
	struct nwm_access_result r;

	switch (op->kind) {
	case OP_LOAD:
		mix(hash, nwx_load(word, op->arg & 2 ? NWM_ACQUIRE :
						       NWM_RELAXED));
		break;
	case OP_STORE:
		nwx_store(word, 1 + nwx_cpu_id(), NWM_RELAXED);
		break;
	case OP_SWAP:
		mix(hash, nwx_xchg(word, 3 + nwx_cpu_id()));
		break;
	case OP_FENCE:
		nwx_barrier(family->fence);
		break;
	case OP_LOCKED:
		nwx_lock(&s->lock);
		mix(hash, nwx_load(word, NWM_RELAXED));
		nwx_unlock(&s->lock);
		break;
	case OP_ACCESS:
		r = op->arg & 1 ? nwx_write(family->regime, IA, 9) :
				  nwx_read(family->regime, IA);
		mix(hash, r.outcome);
		mix(hash, r.value);
		break;
	case OP_INVALIDATE:
		nwx_tlbi(op->arg & 1 ? family->local : family->broadcast, IA,
			 IA + 4096, 0, -1);
		break;
	case OP_COMPLETE:
		nwx_barrier(family->complete);
		break;
	case OP_ENTRY:
		nwx_store(&s->entry[family->machine.has_runs && op->arg & 2],
			  leaf(s, op->arg), NWM_RELAXED);
		break;
	case OP_IPI:
		(void)nwx_ipi_send(other);
		break;
	case OP_IPI_WAIT:
		nwx_ipi_wait(nwx_ipi_send(other));
		break;
	case OP_IRQ_OFF:
		nwx_irq_off();
		mix(hash, nwx_load(word, NWM_RELAXED));
		mix(hash, s->handled[nwx_cpu_id()]);
		nwx_irq_on();
		break;
	case OP_ROOT:
		nwx_root_switch(family->regime, other_root);
		break;
	default:
		nwx_barrier(NW_BARRIER_ISB);
		break;
	}
}

static void run_cpu(void *state)
{
	struct program_state *s = state;
	unsigned cpu = nwx_cpu_id();
	uint64_t hash = cpu;

	for (unsigned i = 0; i < program_ops; i++) {
		run_op(s, &program[cpu][i], &hash);
		mix(&hash, s->handled[cpu]);
	}
	s->result[cpu] = hash;
}

static uint64_t tlb_set(unsigned cpu)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < nwm_tlb_count(cpu); i++) {
		const struct nwm_tlb_entry *e = nwm_tlb_at(cpu, i);

		set |= UINT64_C(1)
		       << (e->kind * 16 + e->level * 4 + (e->rights & NWM_W) +
			   !!e->doomed + (e->span_lg2 == 16));
	}
	return set;
}

static void finish(void *state)
{
	struct program_state *s = state;
	uint64_t hash = 0;

	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		mix(&hash, s->result[cpu]);
		mix(&hash, s->handled[cpu]);
		mix(&hash, nwx_load(&s->word[cpu], NWM_RELAXED));
		mix(&hash, nwx_load(&s->entry[cpu], NWM_RELAXED));
		mix(&hash, tlb_set(cpu));
	}
	for (unsigned i = 0; i < outcome_count; i++)
		if (outcomes[i] == hash)
			return;
	assert_true(outcome_count < OUTCOMES_MAX);
	outcomes[outcome_count++] = hash;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Executions, or 0: too many, or a violation came first. */
static uint64_t explore(enum nwx_reduction reduction, uint64_t *set,
			unsigned *count)
{
	const struct nwx_scenario scenario = {
		.name = "random program",
		.cpus = CPUS,
		.walks = 1,
		.machine = family->machine,
		.state_bytes = sizeof(struct program_state),
		.setup = setup,
		.cpu = {run_cpu, run_cpu},
		.finish = finish,
		/* They mix where runs disagree, and wait for each other. */
		.expect = {NWM_AMALGAM, NWM_DEADLOCK},
	};
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	o.reduction = reduction;
	o.schedules_max = 40000;
	o.target = NWM_RULE; /* what is expected passes */
	outcomes = set;
	outcome_count = 0;
	assert_int_equal(nwx_explore(&scenario, &o, &r), 0);
	assert_int_equal(r.violation, NWM_OK);
	*count = outcome_count;
	qsort(set, outcome_count, sizeof(set[0]), compare);
	return r.exhausted ? r.schedules + r.redundant : 0;
}

static unsigned roll_kind(void)
{
	unsigned kind;

	do
		kind = roll(OP_COUNT);
	while (!(family->kinds >> kind & 1));
	return kind;
}

static void random_programs(const struct family *f, unsigned programs)
{
	static uint64_t reduced[OUTCOMES_MAX], full[OUTCOMES_MAX];
	uint64_t fewer = 0, all = 0;
	unsigned compared = 0;

	family = f;
	for (unsigned p = 0; p < programs; p++) {
		unsigned n_reduced, n_full;
		uint64_t a, b;

		rng = p * 977 + f->kinds;
		program_ops = 2 + roll(OPS_MAX - 1);
		for (unsigned cpu = 0; cpu < CPUS; cpu++)
			for (unsigned i = 0; i < program_ops; i++)
				program[cpu][i] =
					(struct op){roll_kind(), roll(4)};
		b = explore(NWX_UNREDUCED, full, &n_full);
		if (!b)
			continue;
		a = explore(NWX_REDUCED, reduced, &n_reduced);
		if (n_reduced != n_full ||
		    memcmp(reduced, full, n_full * sizeof(full[0])))
			fail_msg("%s, program %u: %u outcomes with reduction, "
				 "%u without",
				 f->name, p, n_reduced, n_full);
		fewer += a;
		all += b;
		compared++;
	}
	print_message("%s: %u programs: %llu executions with reduction, %llu "
		      "without\n",
		      f->name, compared, (unsigned long long)fewer,
		      (unsigned long long)all);
	assert_true(compared > programs / 3);
	assert_true(fewer < all);
}

#define MEMORY                                                                 \
	(1u << OP_LOAD | 1u << OP_STORE | 1u << OP_SWAP | 1u << OP_FENCE |     \
	 1u << OP_LOCKED)
#define TABLES                                                                 \
	(1u << OP_ACCESS | 1u << OP_INVALIDATE | 1u << OP_COMPLETE |           \
	 1u << OP_ENTRY | 1u << OP_STORE)
#define IPIS (1u << OP_IPI | 1u << OP_IPI_WAIT | 1u << OP_IRQ_OFF)
#define X86                                                                    \
	.machine = {.arch = NWM_X86, .has_spurious = 1},                       \
	.regime = NW_REGIME_X86, .local = NW_TLBI_X86_INVPCID_ADDR,            \
	.broadcast = NW_TLBI_X86_INVLPGB, .fence = NW_BARRIER_X86_MFENCE,      \
	.complete = NW_BARRIER_X86_TLBSYNC
#define ARM64                                                                  \
	.regime = NW_REGIME_EL2, .local = NW_TLBI_VALE2,                       \
	.broadcast = NW_TLBI_VALE2IS, .fence = NW_BARRIER_DMB_ISHST,           \
	.complete = NW_BARRIER_DSB_ISH

static void reduction_of_x86_programs_keeps_all_outcomes(void **unused)
{
	static const struct family memory = {"x86 memory", X86,
					     .kinds = MEMORY};
	static const struct family tables = {"x86 tables", X86,
					     .kinds = TABLES};

	(void)unused;
	random_programs(&memory, 40);
	random_programs(&tables, 40);
}

static void reduction_of_interrupts_keeps_all_outcomes(void **unused)
{
	static const struct family x86 = {"x86 interrupts", X86,
					  .kinds = IPIS | MEMORY};
	static const struct family arm64 = {"arm64 interrupts", ARM64,
					    .kinds = IPIS | MEMORY};

	(void)unused;
	random_programs(&x86, 25);
	random_programs(&arm64, 25);
}

static void reduction_of_roots_and_runs_keeps_all_outcomes(void **unused)
{
	static const struct family roots = {
		"roots", ARM64, .machine = {.has_spurious = 1},
		.kinds = TABLES | 1u << OP_ROOT | 1u << OP_ISB};
	static const struct family runs = {"runs", ARM64,
					   .machine = {.has_runs = 1,
						       .has_haf = 1},
					   .kinds = TABLES};

	(void)unused;
	random_programs(&roots, 50);
	random_programs(&runs, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduction_of_x86_programs_keeps_all_outcomes),
		cmocka_unit_test(reduction_of_interrupts_keeps_all_outcomes),
		cmocka_unit_test(
			reduction_of_roots_and_runs_keeps_all_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
