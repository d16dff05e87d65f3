/* SPDX-License-Identifier: BSD-2-Clause */
/* What the CPU must have, and what of the rest is used. */
#ifndef NW_HYP_FEATURES_H
#define NW_HYP_FEATURES_H

#include <stdint.h>

/* Refuses, naming everything that is missing. `el`: where we were started. */
void features_check(unsigned el);

struct params;

/* What `params` ask of stage 2: refuses what this CPU lacks, and chooses where
 * the choice was left to us. */
void features_stage2(struct params *params);

/* Optional features in use: NW_MAILBOX_FEATURE_*; what the CPU has, less what
 * features_forgo() took away. */
unsigned features_used(void);
void features_forgo(unsigned features);

/* Physical address bits used, 40 at most: one of the encodings of PARange. */
unsigned features_pa_bits(void);

#endif
