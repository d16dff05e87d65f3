/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64 stage 1 of EL2: 64 KiB granule, with FEAT_LPA and FEAT_LVA up to 52
 * bits. */
#define NW_A64_GRANULE_LG2 16
#define NW_A64_LPA2	   0
#include "arm64_el2_body.h"
