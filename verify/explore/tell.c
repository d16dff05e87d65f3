/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of a protocol subject. The library has its own tracepoints; a
 * scenario that is written over the primitives has none, so what it does to
 * the entries of its table pages is told here, as the library would tell it.
 *
 * The old value in an event is what the writing CPU knows: what it last read,
 * found or wrote there. A store over something else is what ENTRY-01 is about.
 */
#include <string.h>

#include <nestwalk/format.h>

#include "engine.h"

#define KNOWN_MAX 64u

struct known {
	uint32_t loc;
	int is_locked; /* by this CPU, as far as it knows */
	uint64_t value;
};

static uint8_t is_table[NWM_PAGES];
static struct known known[NWM_CPUS_MAX][KNOWN_MAX];
static unsigned known_n[NWM_CPUS_MAX];
static uint64_t lock_token; /* 0: entries are not locked */

void nwx_tell_clear(void)
{
	memset(is_table, 0, sizeof(is_table));
	lock_token = 0;
	nwx_tell_reset();
}

void nwx_tell_reset(void)
{
	memset(known_n, 0, sizeof(known_n));
}

static int is_told(unsigned loc)
{
	return (nwx.is_judged || nwx.record) && is_table[loc / NWM_PAGE_WORDS];
}

static unsigned teller(void)
{
	return nwx.self < 0 ? 0 : (unsigned)nwx.self;
}

static struct known *find(unsigned loc)
{
	unsigned cpu = teller();

	for (unsigned i = 0; i < known_n[cpu]; i++)
		if (known[cpu][i].loc == loc)
			return &known[cpu][i];
	return NULL;
}

static struct known *learn(unsigned loc, uint64_t value)
{
	struct known *k = find(loc);
	unsigned cpu = teller();

	if (!k && known_n[cpu] == KNOWN_MAX)
		return NULL; /* then events say what is there */
	if (!k) {
		k = &known[cpu][known_n[cpu]++];
		k->is_locked = 0;
	}
	k->loc = loc;
	k->value = value;
	return k;
}

/* This CPU stores `value` where it found `found`; was it a publish? */
static int ends_lock(unsigned loc, uint64_t found)
{
	struct known *k = find(loc);
	int is_mine = lock_token && k && k->is_locked && found == lock_token;

	if (k)
		k->is_locked = 0;
	return is_mine;
}

static uint64_t address(unsigned loc)
{
	return (uintptr_t)&nwm_arena[loc];
}

void nwx_tell_read(unsigned loc, uint64_t value)
{
	if (!is_told(loc))
		return;
	learn(loc, value);
	nwx_trace(NW_EV_ENTRY_READ, address(loc), value, 0, NULL, 0);
}

void nwx_tell_write(unsigned loc, uint64_t old, uint64_t value,
		    enum nwm_order order)
{
	const struct known *k;
	enum nw_event event =
		order == NWM_RELEASE ? NW_EV_ENTRY_LINK : NW_EV_ENTRY_WRITE;

	if (!is_told(loc))
		return;
	k = find(loc);
	old = k ? k->value : old;
	if (ends_lock(loc, old) && order == NWM_RELEASE)
		event = NW_EV_ENTRY_PUBLISH;
	nwx_trace(event, address(loc), old, value, NULL, 0);
	learn(loc, value);
}

void nwx_tell_rmw(unsigned loc, uint64_t found, uint64_t value)
{
	enum nw_event event = NW_EV_ENTRY_RMW;
	struct known *k;

	if (!is_told(loc))
		return;
	if (lock_token && value == lock_token && found != lock_token)
		event = NW_EV_ENTRY_LOCK;
	else if (ends_lock(loc, found))
		event = NW_EV_ENTRY_PUBLISH;
	k = learn(loc, value);
	if (k)
		k->is_locked = event == NW_EV_ENTRY_LOCK;
	nwx_trace(event, address(loc), found, value, NULL, 0);
}

void nwx_tell_rmw_fail(unsigned loc, uint64_t expected, uint64_t found)
{
	if (!is_told(loc))
		return;
	(void)ends_lock(loc, found);
	learn(loc, found);
	nwx_trace(NW_EV_ENTRY_RMW_FAIL, address(loc), expected, found, NULL, 0);
}

void nwx_tell_free(unsigned page)
{
	if (is_table[page])
		nwx_trace(NW_EV_PAGE_FREE, nwm_page_pa(page),
			  NWM_PAGE_WORDS * 8, 0, NULL, 0);
}

void nwx_table_lock_token(uint64_t token)
{
	lock_token = token;
}

void nwx_table_unlinked(const void *memory)
{
	nwx_trace(NW_EV_PAGE_UNLINK, nwx_pa(memory), 0, 0, NULL, 0);
}

void nwx_table_page(const void *memory)
{
	unsigned page = nwm_pa_page(nwx_pa(memory));

	if (nwx.s->subject == NWX_LIBRARY)
		return; /* it tells of its pages itself */
	is_table[page] = 1;
	nwx_trace(NW_EV_PAGE_ALLOC, nwm_page_pa(page), NWM_PAGE_WORDS * 8,
		  (uintptr_t)memory, NULL, 0);
	for (unsigned i = 0; i < NWM_PAGE_WORDS; i++)
		nwx_trace(NW_EV_ENTRY_INIT, address(page * NWM_PAGE_WORDS + i),
			  0, 1, NULL, 0);
}

static unsigned format_of(enum nw_regime regime)
{
	static const uint8_t formats[NW_REGIME_COUNT] = {
		[NW_REGIME_EL2] = NW_FORMAT_ID_arm64_el2,
		[NW_REGIME_EL10] = NW_FORMAT_ID_arm64_el10,
		[NW_REGIME_STAGE2] = NW_FORMAT_ID_arm64_s2,
		[NW_REGIME_X86] = NW_FORMAT_ID_x86_64,
		[NW_REGIME_NPT] = NW_FORMAT_ID_x86_npt,
		[NW_REGIME_EPT] = NW_FORMAT_ID_x86_ept,
		[NW_REGIME_RISCV_S] = NW_FORMAT_ID_riscv_s,
		[NW_REGIME_RISCV_G] = NW_FORMAT_ID_riscv_g,
	};

	return formats[regime];
}

static unsigned features_of(enum nw_regime regime)
{
	unsigned features = 0;

	switch (regime) {
	case NW_REGIME_X86:
	case NW_REGIME_NPT:
		return NW_FEAT_X86_NX | NW_FEAT_X86_1G;
	case NW_REGIME_EPT:
		return (nwm_config.has_haf ? NW_FEAT_EPT_AD : 0) |
		       NW_FEAT_X86_1G;
	case NW_REGIME_RISCV_S:
	case NW_REGIME_RISCV_G:
		return NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT;
	default:
		break;
	}
	if (nwm_config.has_haf)
		features |= NW_FEAT_HAF;
	if (nwm_config.has_hd)
		features |= NW_FEAT_HD;
	if (nwm_config.bbm_level >= 1)
		features |= NW_FEAT_BBM1;
	if (nwm_config.bbm_level >= 2)
		features |= NW_FEAT_BBM2;
	return features;
}

void nwx_table_root(const void *memory, enum nw_regime regime, unsigned tag,
		    unsigned ia_bits)
{
	const unsigned format = format_of(regime);

	if (nwx.s->subject == NWX_LIBRARY)
		return;
	nwx_trace(NW_EV_TABLE_INIT, nwx_pa(memory),
		  NW_TRACE_SHAPE(format, 12, ia_bits, 40,
				 features_of(regime)),
		  tag | (uint64_t)regime << 16, NULL, 0);
}
