/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How large the pages are that back a process's addresses, asked of Linux: what
 * nestwalk/hostwalk.h reads out of a page table, for a hypervisor that is an
 * ordinary program and cannot see the table.
 *
 * Two sources. The PAGEMAP_SCAN ioctl of /proc/PID/pagemap (Linux 6.7 and
 * later) knows of each address whether a huge page maps it. Without it, pagemap
 * says what is present and smaps how much of a mapping is huge, not where:
 * answers from a mapping that is partly huge say the smallest page, and that
 * they are coarse. Too small is a waste; too large would be wrong.
 *
 * As with any look without locks, the answer may be wrong by the time it is
 * there: use it only between a sample of the invalidation sequence and its
 * check.
 */
#ifndef NW_PORT_POSIX_HOST_LINUX_H
#define NW_PORT_POSIX_HOST_LINUX_H

#include <sys/types.h>

#include <nestwalk/hostwalk.h>

enum nw_linux_source {
	NW_LINUX_SCAN,	/* exact */
	NW_LINUX_SMAPS, /* coarser */
};

struct nw_linux_host {
	int pagemap; /* file descriptor */
	pid_t pid;
	enum nw_linux_source source;
	uint8_t page_lg2; /* of this machine's smallest page */
	uint8_t pmd_lg2;  /* of its transparent huge page; page_lg2: none */
};

/*
 * Open the books of `pid` (0: the calling process). `best`: the best source to
 * take; NW_LINUX_SMAPS forces the fallback. h->source says what it is.
 * 0, or an errno value; *h is untouched then.
 */
int nw_linux_host_open(struct nw_linux_host *h, pid_t pid,
		       enum nw_linux_source best);
void nw_linux_host_close(struct nw_linux_host *h);

/*
 * What backs `hva`. out->pa is 0: Linux does not say. out->level counts in
 * steps of the page table's index (12: 0, 21: 1, 30: 2). *is_coarse, if not
 * NULL: the page may be larger than the answer.
 * 0, or an errno value (EIO: an answer of the kernel's was not understood);
 * *out is untouched then. Not wait-free: it reads files.
 */
int nw_linux_host_look(const struct nw_linux_host *h, nw_hva_t hva,
		       struct nw_host_mapping *out, int *is_coarse);

#endif
