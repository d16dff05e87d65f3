/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64_s2.h"

#define NW_INSTANCE(member) nw_arm64_s2_##member
#include "instance_body.h"
