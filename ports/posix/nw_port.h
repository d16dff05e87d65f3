/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The posix port: C11 atomics, pthreads, liburcu (memory-barrier flavour).
 * Every port's nw_port.h provides exactly the names below.
 */
#ifndef NW_PORT_H
#define NW_PORT_H

#include <nestwalk/trace.h>
#include <nestwalk/types.h>

#endif
