/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library asks of a compiler, and how `sparse` sees entry references.
 *
 * NW_CONFIG_RCU  the port protects table pages by RCU: references carry the
 *                sparse address space below. Without it (an exclusive-only
 *                build, such as a small EL2) they carry none.
 * NW_CONFIG_PROOF the proof build: every entry access checks that it stands
 *                inside the section its reference was made in.
 * NW_CONFIG_TRACE every tracepoint calls nw_port_trace().
 */
#ifndef NESTWALK_COMPILER_H
#define NESTWALK_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#define NW_MUST_CHECK __attribute__((warn_unused_result))
#define NW_UNUSED __attribute__((unused))
#define NW_LIKELY(x) __builtin_expect(!!(x), 1)
#define NW_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NW_STATIC_ASSERT(cond, text) _Static_assert(cond, text)

#ifdef __CHECKER__
#define NW_SPARSE(...) __attribute__((__VA_ARGS__))
#define NW_FORCE __attribute__((force))
#else
#define NW_SPARSE(...)
#define NW_FORCE
#endif

#ifdef NW_CONFIG_RCU
#define NW_RCU NW_SPARSE(noderef, address_space(__nw_rcu))
#else
#define NW_RCU
#endif

/* Builds made to be wrong on purpose (meson -Dsabotage=...). */
#ifndef NW_SABOTAGE_EARLY_FREE
#define NW_SABOTAGE_EARLY_FREE 0 /* free table pages before their flush */
#endif
#ifndef NW_SABOTAGE_NO_BBM
#define NW_SABOTAGE_NO_BBM 0 /* replace live entries without a break */
#endif
#ifndef NW_SABOTAGE_NO_TLBI
#define NW_SABOTAGE_NO_TLBI 0 /* no invalidation at all */
#endif
#ifndef NW_SABOTAGE_LOCAL_TLBI
#define NW_SABOTAGE_LOCAL_TLBI 0 /* invalidate on this CPU only */
#endif
#ifndef NW_SABOTAGE_NO_IPAS2
#define NW_SABOTAGE_NO_IPAS2 0 /* only the combined entries, not by IPA */
#endif

#endif
