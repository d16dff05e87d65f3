/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64 stage 2: 16 KiB granule, outputs of at most 48 bits. */
#define NW_A64_GRANULE_LG2 14
#define NW_A64_LPA2	   0
#include "arm64_s2_body.h"
