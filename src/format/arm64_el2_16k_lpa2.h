/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64 stage 1 of EL2: 16 KiB granule with FEAT_LPA2 in force: up to 52 bits.
 */
#define NW_A64_GRANULE_LG2 14
#define NW_A64_LPA2	   1
#include "arm64_el2_body.h"
