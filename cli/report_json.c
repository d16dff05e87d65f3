// SPDX-License-Identifier: BSD-2-Clause
/* A verdict as one JSON object, and as SARIF 2.1.0. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trace/vocab.h>

#include "cli.h"
#include "report.h"

/* Addresses and entries do not fit a JSON number everywhere. */
static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%llx", (unsigned long long)value);
}

/* Names out of a trace may be any bytes; JSON takes UTF-8 only. */
static json_t *any_text(const char *text)
{
	json_t *string = json_string(text);
	char *copy;

	if (string || !text)
		return string ? string : json_null();
	copy = strdup(text);
	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

/* Words of a violation; null when there are none. */
static json_t *words(const struct nwv_violation *v,
		     int (*say)(const struct nwv_violation *v, char *text,
				size_t size))
{
	char *text = report_words(v, say);
	json_t *string = text && *text ? any_text(text) : json_null();

	free(text);
	return string;
}

static json_t *place(const struct report *r, uint64_t seq, unsigned kind,
		     unsigned cpu, const char *file, unsigned line)
{
	const uint64_t at = report_line(r, seq);
	json_t *o;

	if (kind == NW_EV_NONE)
		return json_null();
	o = json_pack("{s:I, s:i, s:s, s:o}", "seq", (json_int_t)seq, "cpu",
		      (int)cpu, "event",
		      nwv_kind(kind) ? nwv_kind(kind)->name : "unknown", "file",
		      any_text(file));
	if (file)
		json_object_set_new(o, "line", json_integer(line));
	if (at)
		json_object_set_new(o, "trace_line",
				    json_integer((json_int_t)at));
	return o;
}

static json_t *violation(const struct report *r, const struct nwv_violation *v)
{
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "rule",
		v->rule->id, "title", v->rule->title, "manual", v->rule->manual,
		"text", words(v, nwv_violation_text), "event",
		place(r, v->event.seq, v->event.kind, v->event.cpu,
		      v->event.file, v->event.line),
		"armed_by",
		place(r, v->armed.seq, v->armed.kind, v->armed.cpu,
		      v->armed.file, v->armed.line),
		"missing", words(v, nwv_violation_missing), "near_miss",
		words(v, nwv_violation_near), "also", (json_int_t)v->also);

	if (!o || !v->has_entry)
		return o;
	json_object_set_new(o, "entry",
			    json_pack("{s:o, s:o, s:o, s:i}", "before",
				      hex(v->before), "after", hex(v->after),
				      "input_address", hex(v->ia), "level",
				      (int)v->level));
	return o;
}

static int dump(json_t *root)
{
	int status;

	if (!root)
		return -1;
	status = json_dumpf(root, stdout, JSON_INDENT(2));
	json_decref(root);
	printf("\n");
	return status;
}

int report_json(const struct report *r)
{
	json_t *list = json_array(), *remarks = json_array();

	for (size_t i = 0; i < nwv_check_violations(r->check); i++)
		json_array_append_new(
			list, violation(r, nwv_check_violation(r->check, i)));
	for (size_t i = 0; i < r->remarks; i++)
		json_array_append_new(remarks,
				      json_pack("{s:I, s:o}", "trace_line",
						(json_int_t)r->remark[i].line,
						"text",
						any_text(r->remark[i].text)));
	return dump(json_pack(
		"{s:o, s:s, s:s, s:o, s:I, s:o, s:I, s:o}", "trace",
		any_text(r->path), "encoding",
		nwv_encoding_name(nwv_trace_encoding(r->trace)), "verdict",
		report_verdict(r), "error", any_text(r->error), "events",
		(json_int_t)r->events, "violations", list, "not_listed",
		(json_int_t)nwv_check_dropped(r->check), "recorder", remarks));
}

/* The source line where it is known, else the trace's. */
static json_t *sarif_location(const struct report *r, uint64_t seq,
			      const char *file, unsigned line)
{
	const uint64_t at = file ? line : report_line(r, seq);
	json_t *location = json_pack("{s:{s:{s:o}}}", "physicalLocation",
				     "artifactLocation", "uri",
				     any_text(file ? file : r->path));

	if (at)
		json_object_set_new(
			json_object_get(location, "physicalLocation"), "region",
			json_pack("{s:I}", "startLine", (json_int_t)at));
	return location;
}

static json_t *sarif_result(const struct report *r,
			    const struct nwv_violation *v)
{
	json_t *o = json_pack(
		"{s:s, s:s, s:{s:o}, s:[o]}", "ruleId", v->rule->id, "level",
		"error", "message", "text", words(v, nwv_violation_text),
		"locations",
		sarif_location(r, v->event.seq, v->event.file, v->event.line));

	if (!o || v->armed.kind == NW_EV_NONE)
		return o;
	json_object_set_new(
		o, "relatedLocations",
		json_pack("[o]", sarif_location(r, v->armed.seq, v->armed.file,
						v->armed.line)));
	return o;
}

static json_t *sarif_remark(const struct report *r,
			    const struct report_remark *remark)
{
	return json_pack("{s:s, s:{s:o}, s:[{s:{s:{s:o}, s:{s:I}}}]}", "level",
			 "error", "message", "text", any_text(remark->text),
			 "locations", "physicalLocation", "artifactLocation",
			 "uri", any_text(r->path), "region", "startLine",
			 (json_int_t)remark->line);
}

static json_t *sarif_rules(void)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < nwv_rule_count(); i++) {
		const struct nwv_rule *rule = nwv_rule_at(i);

		json_array_append_new(
			rules,
			json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s}}", "id",
				  rule->id, "shortDescription", "text",
				  rule->title, "fullDescription", "text",
				  rule->explain, "help", "text", rule->manual));
	}
	return rules;
}

int report_sarif(const struct report *r)
{
	json_t *results = json_array(), *notes = json_array();

	for (size_t i = 0; i < nwv_check_violations(r->check); i++)
		json_array_append_new(
			results,
			sarif_result(r, nwv_check_violation(r->check, i)));
	for (size_t i = 0; i < r->remarks; i++)
		json_array_append_new(results, sarif_remark(r, &r->remark[i]));
	if (r->error)
		json_array_append_new(notes,
				      json_pack("{s:s, s:{s:o}}", "level",
						"error", "message", "text",
						any_text(r->error)));
	return dump(json_pack(
		"{s:s, s:s, s:[{s:{s:{s:s, s:o}}, s:[{s:b, s:i, s:o}], s:o}]}",
		"$schema", "https://json.schemastore.org/sarif-2.1.0.json",
		"version", "2.1.0", "runs", "tool", "driver", "name",
		"nestwalk", "rules", sarif_rules(), "invocations",
		"executionSuccessful", r->error == NULL, "exitCode", r->exit,
		"toolExecutionNotifications", notes, "results", results));
}
