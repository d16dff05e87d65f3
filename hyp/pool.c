/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"
#include "pool.h"
#include "report.h"
#include "vm.h"
#include "window.h"

/* As an instruction it is undefined, as a pointer it faults. */
#define POISON 0x0000dead0000deadull
#define WORDS  (NW_HYP_PAGE_BYTES / sizeof(uint64_t))
#define ROOM   (NW_HYP_SPARE_BYTES / NW_HYP_PAGE_BYTES)

/* A ring; its frames in units of NW_HYP_PAGE_BYTES. */
static struct {
	uint32_t out; /* the oldest frame is taken, */
	uint32_t in;  /* the newest put behind the others */
	uint32_t frames;
	uint32_t frame[ROOM];
} pool;

void pool_poison_frame(nw_pa_t frame)
{
	uint64_t at, *word;
	unsigned i;

	for (at = 0; at < vm_page_bytes(); at += NW_HYP_PAGE_BYTES) {
		word = window_open(WINDOW_FROM, NW_PA(frame.v + at));
		for (i = 0; i < WORDS; i++)
			word[i] = POISON;
		window_close(WINDOW_FROM);
	}
}

void pool_check_poison(const uint64_t *word, nw_pa_t piece)
{
	unsigned i;

	for (i = 0; i < WORDS; i++)
		if (word[i] != POISON)
			break;
	if (i == WORDS)
		return;
	count(NW_C_poison_damaged);
	if (this_cpu()->row[NW_C_poison_damaged] < 8)
		report("freed frame 0x%lx was written to at offset 0x%x: "
		       "0x%lx\n",
		       piece.v, i * 8, word[i]);
}

unsigned pool_frames(void)
{
	return pool.frames;
}

nw_pa_t pool_take(void)
{
	uint32_t frame = pool.frame[pool.out];

	pool.out = (pool.out + 1) % ROOM;
	pool.frames--;
	return NW_PA((uint64_t)frame * NW_HYP_PAGE_BYTES);
}

void pool_put(nw_pa_t frame)
{
	pool.frame[pool.in] = (uint32_t)(frame.v / NW_HYP_PAGE_BYTES);
	pool.in = (pool.in + 1) % ROOM;
	pool.frames++;
}

unsigned pool_hold(uint64_t start, uint64_t bytes)
{
	unsigned n = pool.frames, held = 0;
	nw_pa_t frame;

	while (n--) {
		frame = pool_take();
		if (frame.v - start < bytes)
			held++;
		else
			pool_put(frame);
	}
	return held;
}

int pool_frame(unsigned n, nw_pa_t *frame)
{
	if (n >= pool.frames)
		return 0;
	*frame = NW_PA((uint64_t)pool.frame[(pool.out + n) % ROOM] *
		       NW_HYP_PAGE_BYTES);
	return 1;
}

void pool_init(void)
{
	uint64_t at;

	for (at = 0; at < NW_HYP_SPARE_BYTES; at += vm_page_bytes())
		pool_put(NW_PA(NW_HYP_SPARE_PA + at));
}

void pool_poison(void)
{
	unsigned n = pool.frames;
	nw_pa_t frame;

	while (n--) {
		frame = pool_take();
		pool_poison_frame(frame);
		pool_put(frame);
	}
}
