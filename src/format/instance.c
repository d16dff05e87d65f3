/* SPDX-License-Identifier: BSD-2-Clause */
/* The pure part of a format (instances.h); compiled once for each. */
#include NW_FORMAT_HEADER

#define NW_INSTANCE_JOIN(format, member)   nw_##format##_##member
#define NW_INSTANCE_EXPAND(format, member) NW_INSTANCE_JOIN(format, member)
#define NW_INSTANCE(member)		   NW_INSTANCE_EXPAND(NW_FORMAT, member)
#include "instance_body.h"
