/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vocabulary: every kind of event with the fields in its arguments. This
 * one table drives both encodings, both decoders and docs/trace-format.md, so
 * that none of them can know a field that the others do not.
 */
#ifndef NWV_TRACE_VOCAB_H
#define NWV_TRACE_VOCAB_H

#include <stdbool.h>

#include "event.h"

/* Both encodings carry it. Raised when the table differs from a released one.
 */
#define NWV_TRACE_VERSION 1

#define NWV_FIELDS_MAX 9

enum nwv_form {
	NWV_HEX,  /* 0x40010000 */
	NWV_DEC,  /* 12 */
	NWV_NAME, /* dsb_ish: one of `names` */
};

/* A closed set of names; the value of a name is stated, not its position. */
struct nwv_name {
	const char *name; /* NULL ends the list */
	uint64_t value;
};

/* Some bits of one argument: bits [shift, shift + bits) of word a, b or c. */
struct nwv_field {
	const char *name; /* NULL ends a kind's fields */
	uint8_t word;	  /* 0, 1, 2: a, b, c */
	uint8_t shift;	  /* multiple of 8 */
	uint8_t bits;	  /* multiple of 8 */
	uint8_t form;	  /* enum nwv_form */
	const struct nwv_name *names;
	const char *meaning;
};

/* Bits of an argument that no field covers are always zero. */
struct nwv_kind {
	const char *name;
	const char *meaning;
	struct nwv_field field[NWV_FIELDS_MAX + 1];
};

/* A kind by its number, or NULL when there is none of that number. */
const struct nwv_kind *nwv_kind(unsigned id);

/* Number of a kind by its name; 0 (NW_EV_NONE) when there is none. */
unsigned nwv_kind_by_name(const char *name, size_t length);

/* Value of a field in an event. */
uint64_t nwv_field_get(const struct nwv_event *e, const struct nwv_field *f);

/* Largest value that fits the field. */
uint64_t nwv_field_max(const struct nwv_field *f);

/* Put a value that fits; the field's bits must be zero before. */
void nwv_field_put(struct nwv_event *e, const struct nwv_field *f, uint64_t v);

/* Name of a value of an NWV_NAME field, or NULL. */
const char *nwv_field_name(const struct nwv_field *f, uint64_t value);

/* Bits of each argument that a kind's fields leave unused. */
void nwv_kind_unused(const struct nwv_kind *kind, uint64_t unused[3]);

enum nwv_fault {
	NWV_FAULT_NONE,
	NWV_FAULT_KIND,	   /* no such kind */
	NWV_FAULT_CPU,	   /* NWV_CPUS_MAX or above */
	NWV_FAULT_UNUSED,  /* a bit outside of all fields is set */
	NWV_FAULT_NAMED,   /* a value without a name in a closed set */
	NWV_FAULT_NO_FILE, /* a line, but no file */
};

/*
 * Is the event one that the vocabulary can say? On NWV_FAULT_NAMED `field` is
 * the field at fault (may be NULL when the caller does not care).
 */
enum nwv_fault nwv_event_check(const struct nwv_event *e,
			       const struct nwv_field **field);

#endif
