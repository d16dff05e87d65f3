/* SPDX-License-Identifier: BSD-2-Clause */
/* Every format of this build. A build with some of them defines
 * NW_FORMATS_BUILT, a list in the manner of NW_FORMATS. */
#include <nestwalk/table.h>
#include "instances.h"

#ifndef NW_FORMATS_BUILT
#define NW_FORMATS_BUILT(X) NW_FORMATS(X)
#endif

#define NW_ADDRESS(format) &nw_##format##_ops,

const struct nw_format_ops *const nw_all_formats[] = {
	NW_FORMATS_BUILT(NW_ADDRESS) NULL,
};
