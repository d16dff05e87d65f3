/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream file: this header, then records. Little endian. The same bytes are
 * described to foreign readers by the metadata (ctf_metadata.c).
 */
#ifndef NWV_TRACE_CTF_H
#define NWV_TRACE_CTF_H

#include <stddef.h>
#include <stdint.h>

#define NWV_CTF_MAGIC 0xC1FC1FC1u

/* One packet a file. The bit counts are 0 until the recording is closed. */
struct nwv_ctf_header {
	uint32_t magic;
	uint32_t stream_id;    /* 0 */
	uint64_t content_bits; /* of the whole file, this header included */
	uint64_t packet_bits;  /* the same */
	uint32_t cpu;
	uint32_t record_bytes; /* sizeof(struct nwv_ctf_record) */
};

struct nwv_ctf_record {
	uint64_t seq;
	uint16_t kind;
	uint16_t file; /* id of the source file, 0: unknown */
	uint32_t line;
	uint64_t a, b, c;
};

_Static_assert(sizeof(struct nwv_ctf_header) == 32, "no padding");
_Static_assert(sizeof(struct nwv_ctf_record) == 40, "no padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "streams are little endian, and so is what reads them");

#define NWV_CTF_VERSION_KEY "nestwalk_trace_version = "

#endif
