/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64_el2.h"

#define NW_INSTANCE(member) nw_arm64_el2_##member
#include "instance_body.h"
