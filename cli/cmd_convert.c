// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk convert: one encoding of a trace to another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trace/trace.h>
#include <trace/write.h>

#include "cli.h"

struct options {
	const char *to, *output, *path;
};

static int parse(int argc, char **argv, struct options *o)
{
	const char *option;
	int at = 1;

	*o = (struct options){0};
	while (cli_next_option(argc, argv, &at, &option)) {
		const char **value;

		if (!strcmp(option, "--to"))
			value = &o->to;
		else if (!strcmp(option, "--output"))
			value = &o->output;
		else
			return cli_usage("convert", "unknown option %s",
					 option);
		*value = cli_option_argument(argc, argv, &at);
		if (!*value)
			return CLI_USAGE;
	}
	if (!o->to || (strcmp(o->to, "text") && strcmp(o->to, "ctf")))
		return cli_usage("convert", "expected --to text or --to ctf");
	if (!o->output)
		return cli_usage("convert", "expected --output PATH");
	if (argc - at != 1)
		return cli_usage("convert", "expected one TRACE, found %d",
				 argc - at);
	o->path = argv[at];
	return 0;
}

/* Encodings have no place for it; it must not get lost unseen. */
static void show_remark(void *context, uint64_t line, const char *text,
			size_t bytes)
{
	fprintf(stderr, "nestwalk convert: %s:%llu: not converted: %.*s\n",
		(const char *)context, (unsigned long long)line, (int)bytes,
		text);
}

static FILE *open_text(const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		return stdout;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int to_text(const struct options *o, struct nwv_trace *trace,
		   enum nwv_trace_status *status)
{
	FILE *out = open_text(o->output);
	char line[NWV_TEXT_BYTES];
	struct nwv_event e;
	size_t bytes;
	int failed;

	if (!out) {
		fprintf(stderr, "nestwalk convert: %s: %s\n", o->output,
			strerror(errno));
		return -1;
	}
	fputs(nwv_text_header(), out);
	while ((*status = nwv_trace_next(trace, &e)) == NWV_TRACE_EVENT) {
		bytes = nwv_text_encode(&e, line);
		if (!bytes) {
			fprintf(stderr,
				"nestwalk convert: event %llu cannot be said "
				"in text\n",
				(unsigned long long)e.seq);
			break;
		}
		fwrite(line, 1, bytes, out);
	}
	failed = *status == NWV_TRACE_EVENT || ferror(out);
	if (out != stdout ? fclose(out) : fflush(out))
		failed = 1;
	if (failed)
		fprintf(stderr, "nestwalk convert: %s: writing failed\n",
			o->output);
	return failed ? -1 : 0;
}

static int to_ctf(const struct options *o, struct nwv_trace *trace,
		  enum nwv_trace_status *status)
{
	struct nwv_writer *w = nwv_writer_open(o->output);
	struct nwv_event e;
	char error[512] = "out of memory";

	if (w)
		while ((*status = nwv_trace_next(trace, &e)) == NWV_TRACE_EVENT)
			nwv_writer_copy(w, &e);
	if (w && !nwv_writer_close(w, error, sizeof(error)))
		return 0;
	fprintf(stderr, "nestwalk convert: %s\n", error);
	return -1;
}

int cli_convert(int argc, char **argv)
{
	enum nwv_trace_status trace_status = NWV_TRACE_FAILED;
	struct nwv_trace *trace;
	struct options o;
	int status = parse(argc, argv, &o);

	if (status)
		return status;
	trace = nwv_trace_open(o.path);
	if (!trace) {
		fprintf(stderr, "nestwalk convert: out of memory\n");
		return CLI_INTERNAL;
	}
	nwv_trace_on_remark(trace, show_remark, (void *)(uintptr_t)o.path);
	if (!strcmp(o.to, "text"))
		status = to_text(&o, trace, &trace_status);
	else
		status = to_ctf(&o, trace, &trace_status);
	status = status ? CLI_INTERNAL : cli_trace_exit(trace_status);
	if (*nwv_trace_error(trace))
		fprintf(stderr, "nestwalk convert: %s\n",
			nwv_trace_error(trace));
	nwv_trace_close(trace);
	return status;
}
