/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who knows what: locks, and entries that are used as such, carry the stores of
 * one CPU to the next, as the vector clocks of the usual race detectors do.
 */
#include "state.h"

#include <stdlib.h>

static void *no_memory(struct nwv_check *c)
{
	nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
	return NULL;
}

/* Whoever starts a CPU (PSCI CPU_ON, a thread's creation) orders what was done
 * before; the trace has no event for that. */
void nwv_cpu_first_seen(struct nwv_check *c, unsigned cpu)
{
	unsigned x;

	for (x = 0; x < NWV_CPUS_MAX; x++) {
		c->cpu[cpu].known[x] = c->now->seq;
		c->cpu[x].told = c->now->seq;
	}
	c->cpu[cpu].is_seen = 1;
	c->cpus_seen |= UINT64_C(1) << cpu;
}

struct nwv_lock *nwv_lock_at(struct nwv_check *c, uint64_t address)
{
	uint32_t n = nwv_map_get(&c->lock_by_address, address);

	if (n)
		return c->lock[n];
	n = c->locks + 1;
	if (nwv_room(c, (void **)&c->lock, &c->lock_room, n, sizeof(*c->lock)))
		return NULL;
	c->lock[n] = calloc(1, sizeof(**c->lock));
	if (!c->lock[n])
		return no_memory(c);
	c->bytes += sizeof(**c->lock);
	c->locks = n;
	if (nwv_map_put(&c->lock_by_address, address, n))
		return no_memory(c);
	return c->lock[n];
}

void nwv_lock_take(struct nwv_check *c, struct nwv_lock *lock)
{
	struct nwv_cpu *cpu = &c->cpu[c->now->cpu];
	uint64_t left;

	lock->is_held = 1;
	lock->taken = nwv_mark_of(c->now);
	for (left = c->cpus_seen; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);

		if (cpu->known[x] < lock->known[x])
			cpu->known[x] = lock->known[x];
	}
}

void nwv_lock_drop(struct nwv_check *c, struct nwv_lock *lock)
{
	struct nwv_cpu *cpu = &c->cpu[c->now->cpu];
	uint64_t left;

	lock->is_held = 0;
	cpu->known[c->now->cpu] = cpu->told = c->now->seq + 1;
	for (left = c->cpus_seen; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);

		lock->known[x] = cpu->known[x];
	}
}

/*
 * An entry is too small a thing to keep a clock for: what the other CPU has
 * learnt since comes along. Who knows too much misses a race; who knows too
 * little cries wolf.
 */
void nwv_entry_learn(struct nwv_check *c, unsigned by, uint64_t seq)
{
	struct nwv_cpu *cpu = &c->cpu[c->now->cpu];
	const struct nwv_cpu *other = &c->cpu[by];
	uint64_t left;

	for (left = c->cpus_seen; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);
		uint64_t known = x == by ? seq + 1 : other->known[x];

		if (x != c->now->cpu && cpu->known[x] < known)
			cpu->known[x] = known;
	}
}

struct nwv_entry_lock *nwv_entry_lock_at(const struct nwv_check *c, uint64_t va)
{
	uint32_t n = nwv_map_get(&c->entry_lock_by_va, va);

	return n ? &c->entry_lock[n] : NULL;
}

void nwv_entry_lock_set(struct nwv_check *c, uint64_t va, uint64_t token)
{
	uint32_t n = 1;

	while (n <= c->entry_locks && c->entry_lock[n].va)
		n++;
	if (nwv_room(c, (void **)&c->entry_lock, &c->entry_lock_room, n,
		     sizeof(*c->entry_lock)))
		return;
	if (nwv_map_put(&c->entry_lock_by_va, va, n)) {
		no_memory(c);
		return;
	}
	if (n > c->entry_locks)
		c->entry_locks = n;
	c->entry_lock[n] = (struct nwv_entry_lock){
		.va = va,
		.token = token,
		.taken = nwv_mark_of(c->now),
	};
}

void nwv_entry_lock_clear(struct nwv_check *c, uint64_t va)
{
	uint32_t n = nwv_map_get(&c->entry_lock_by_va, va);

	if (!n)
		return;
	c->entry_lock[n].va = 0;
	nwv_map_del(&c->entry_lock_by_va, va);
	while (c->entry_locks && !c->entry_lock[c->entry_locks].va)
		c->entry_locks--;
}

struct nwv_tag_use *nwv_tag_use_at(struct nwv_check *c, uint16_t tag)
{
	return nwv_tag_use_of(c, tag);
}

struct nwv_tag_use *nwv_tag_use_of(struct nwv_check *c, uint64_t key)
{
	uint32_t n = nwv_map_get(&c->tag_use_by_tag, key);

	if (n)
		return &c->tag_use[n];
	n = c->tag_uses + 1;
	if (nwv_room(c, (void **)&c->tag_use, &c->tag_use_room, n,
		     sizeof(*c->tag_use)))
		return NULL;
	if (nwv_map_put(&c->tag_use_by_tag, key, n))
		return no_memory(c);
	c->tag_uses = n;
	return &c->tag_use[n];
}
