/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "host_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PMD_SIZE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

/* ---- PAGEMAP_SCAN: Documentation/admin-guide/mm/pagemap of Linux 6.7 --------
 */

/* Debian 12's headers are older than the ioctl. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN	     _IOWR('f', 16, struct scan_arg)
#define SCAN_PRESENT (UINT64_C(1) << 3)
#define SCAN_HUGE    (UINT64_C(1) << 6)

/* Categories of one page; 0: it is not present. */
static int scan_page(const struct nw_linux_host *h, uint64_t hva,
		     uint64_t *categories)
{
	const uint64_t page = UINT64_C(1) << h->page_lg2;
	struct scan_region region = {0};
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = hva & ~(page - 1),
		.end = (hva & ~(page - 1)) + page,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.category_mask = SCAN_PRESENT,
		.return_mask = SCAN_PRESENT | SCAN_HUGE,
	};
	int regions = ioctl(h->pagemap, SCAN, &arg);

	if (regions < 0)
		return errno;
	*categories = regions ? region.categories : 0;
	return 0;
}

/* ---- pagemap and smaps
 * -------------------------------------------------------- */

#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

static int read_present(const struct nw_linux_host *h, uint64_t hva,
			int *is_present)
{
	uint64_t word;
	ssize_t got = pread(h->pagemap, &word, sizeof(word),
			    (off_t)((hva >> h->page_lg2) * sizeof(word)));

	if (got < 0)
		return errno;
	/* Past the end of the address space nothing can be. */
	*is_present = got == sizeof(word) && (word & PAGEMAP_PRESENT);
	return 0;
}

/* One mapping, sizes in KiB. */
struct vma {
	uint64_t start, end;
	uint64_t page_kib; /* of its smallest page; hugetlbfs: a large one */
	uint64_t rss_kib, huge_kib;
	char rights[5];
};

/* "Name:   123 kB" */
static void read_field(const char *line, const char *name, uint64_t *sum)
{
	uint64_t kib;
	size_t n = strlen(name);

	if (!strncmp(line, name, n) && sscanf(line + n, "%" SCNu64, &kib) == 1)
		*sum += kib;
}

/* 0: found; ENOENT: no mapping there. */
static int read_vma(const struct nw_linux_host *h, uint64_t hva, struct vma *v)
{
	char path[64], line[512];
	struct vma now = {0};
	int is_found = 0;
	FILE *smaps;

	snprintf(path, sizeof(path), "/proc/%ld/smaps", (long)h->pid);
	smaps = fopen(path, "re");
	if (!smaps)
		return errno;
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &now.start,
			   &now.end, now.rights) == 3) {
			if (is_found)
				break;
			is_found = hva >= now.start && hva < now.end;
			*v = now;
			continue;
		}
		if (!is_found)
			continue;
		read_field(line, "KernelPageSize:", &v->page_kib);
		read_field(line, "Rss:", &v->rss_kib);
		read_field(line, "AnonHugePages:", &v->huge_kib);
		read_field(line, "ShmemPmdMapped:", &v->huge_kib);
		read_field(line, "FilePmdMapped:", &v->huge_kib);
	}
	fclose(smaps);
	return is_found ? 0 : ENOENT;
}

/* ---- the answer -------------------------------------------------------------
 */

static unsigned lg2_of(uint64_t bytes)
{
	return bytes ? 63u - (unsigned)__builtin_clzll(bytes) : 0;
}

/* Does a transparent huge page over hva fit into the mapping at all? */
static int pmd_fits(const struct nw_linux_host *h, const struct vma *v,
		    uint64_t hva)
{
	const uint64_t pmd = UINT64_C(1) << h->pmd_lg2;
	const uint64_t start = hva & ~(pmd - 1);

	return start >= v->start && v->end - start >= pmd;
}

static int from_scan(const struct nw_linux_host *h, uint64_t hva,
		     unsigned *size_lg2, struct vma *v)
{
	uint64_t categories;
	int error = scan_page(h, hva, &categories);

	*size_lg2 = 0;
	if (error || !categories)
		return error;
	error = read_vma(h, hva, v);
	*size_lg2 = h->page_lg2;
	if (!error && categories & SCAN_HUGE) {
		*size_lg2 = lg2_of(v->page_kib << 10);
		if (*size_lg2 <= h->page_lg2)
			*size_lg2 = h->pmd_lg2;
	}
	return error;
}

static int from_smaps(const struct nw_linux_host *h, uint64_t hva,
		      unsigned *size_lg2, struct vma *v, int *is_coarse)
{
	int is_present = 0, error = read_present(h, hva, &is_present);

	*size_lg2 = 0;
	if (error || !is_present)
		return error;
	error = read_vma(h, hva, v);
	if (error)
		return error;
	*size_lg2 = lg2_of(v->page_kib << 10);
	if (*size_lg2 > h->page_lg2 || !v->huge_kib)
		return 0;
	/* All of it, or some of it and nobody says which. */
	if (v->huge_kib >= v->rss_kib && pmd_fits(h, v, hva))
		*size_lg2 = h->pmd_lg2;
	else
		*is_coarse = pmd_fits(h, v, hva);
	return 0;
}

int nw_linux_host_look(const struct nw_linux_host *h, nw_hva_t hva,
		       struct nw_host_mapping *out, int *is_coarse)
{
	const unsigned index_bits = h->page_lg2 - 3u;
	struct nw_host_mapping m = {0};
	unsigned size_lg2;
	int coarse = 0, error;
	struct vma v;

	if (h->source == NW_LINUX_SCAN)
		error = from_scan(h, hva.v, &size_lg2, &v);
	else
		error = from_smaps(h, hva.v, &size_lg2, &v, &coarse);
	/* Unmapped between two looks: nothing is there. */
	if (error && error != ENOENT)
		return error;
	if (!error && size_lg2) {
		if (size_lg2 < h->page_lg2)
			return EIO;
		m.is_mapped = 1;
		m.size_lg2 = (uint8_t)size_lg2;
		m.level = (uint8_t)((size_lg2 - h->page_lg2) / index_bits);
		m.prot = (uint8_t)((v.rights[0] == 'r' ? NW_PROT_R : 0) |
				   (v.rights[1] == 'w' ? NW_PROT_W : 0) |
				   (v.rights[2] == 'x' ? NW_PROT_X : 0));
	}
	*out = m;
	if (is_coarse)
		*is_coarse = coarse;
	return 0;
}

/* ---- open
 * -------------------------------------------------------------------- */

static unsigned pmd_lg2(unsigned page_lg2)
{
	FILE *file = fopen(PMD_SIZE_FILE, "re");
	uint64_t bytes = 0;

	if (!file)
		return page_lg2;
	if (fscanf(file, "%" SCNu64, &bytes) != 1)
		bytes = 0;
	fclose(file);
	return bytes ? lg2_of(bytes) : page_lg2;
}

int nw_linux_host_open(struct nw_linux_host *h, pid_t pid,
		       enum nw_linux_source best)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct nw_linux_host opened = {.pid = pid ? pid : getpid()};
	uint64_t categories;
	char path[64];

	if (page <= 0)
		return EIO;
	opened.page_lg2 = (uint8_t)lg2_of((uint64_t)page);
	opened.pmd_lg2 = (uint8_t)pmd_lg2(opened.page_lg2);
	snprintf(path, sizeof(path), "/proc/%ld/pagemap", (long)opened.pid);
	opened.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (opened.pagemap < 0)
		return errno;
	/* Any page tells whether the kernel knows the question. */
	opened.source = best;
	if (best == NW_LINUX_SCAN &&
	    scan_page(&opened, UINT64_C(1) << opened.page_lg2, &categories))
		opened.source = NW_LINUX_SMAPS;
	*h = opened;
	return 0;
}

void nw_linux_host_close(struct nw_linux_host *h)
{
	close(h->pagemap);
	h->pagemap = -1;
}
