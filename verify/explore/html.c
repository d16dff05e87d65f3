/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A replay as one self-contained page: the timeline, one column a CPU; arrow
 * keys or clicks move through it, and the panes beside show TLBs and memory as
 * they were after that step.
 */
#include <string.h>

#include "engine.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<title>%s</title>\n<style>\n"
	"body{font:14px system-ui,sans-serif;margin:1.5em;color:#1b1f24;"
	"background:#fff}\n"
	"main{display:flex;gap:2em;align-items:flex-start}\n"
	"table{border-collapse:collapse}\n"
	"td,th{padding:2px 10px;border-left:1px solid #d0d7de;text-align:left;"
	"font:12px ui-monospace,monospace;vertical-align:top}\n"
	"tr.now td{background:#fff3c4}\n"
	"td.w{color:#0550ae}\n"
	"tr:last-child td{border-bottom:2px solid #cf222e}\n"
	"aside{position:sticky;top:1em;min-width:26em}\n"
	"pre{font:12px ui-monospace,monospace;background:#f6f8fa;padding:.7em;"
	"white-space:pre-wrap}\n"
	".bad{color:#a40e26;font-weight:600}\n"
	"@media(prefers-color-scheme:dark){body{background:#0d1117;"
	"color:#e6edf3}pre{background:#161b22}tr.now td{background:#3b2e00}"
	"td.w{color:#79c0ff}.bad{color:#ff7b72}}\n"
	"</style></head><body>\n";

static const char script[] =
	"<script>\n"
	"const rows=[...document.querySelectorAll('tr[data-tlb]')];let at=0;\n"
	"const lines=t=>t.split(';').filter(Boolean).join('\\n')||'(empty)';\n"
	"function go(n){at=Math.max(0,Math.min(rows.length-1,n));\n"
	"rows.forEach((r,i)=>r.classList.toggle('now',i===at));\n"
	"document.getElementById('tlb').textContent=lines(rows[at].dataset.tlb);"
	"\n"
	"document.getElementById('mem').textContent=lines(rows[at].dataset.mem);"
	"\n"
	"document.getElementById('pos').textContent=(at+1)+' of '+rows.length;\n"
	"rows[at].scrollIntoView({block:'nearest'});}\n"
	"rows.forEach((r,i)=>r.onclick=()=>go(i));\n"
	"document.getElementById('prev').onclick=()=>go(at-1);\n"
	"document.getElementById('next').onclick=()=>go(at+1);\n"
	"document.onkeydown=e=>{if(e.key==='ArrowDown'||e.key==='ArrowRight')"
	"{go(at+1);e.preventDefault()}\n"
	"if(e.key==='ArrowUp'||e.key==='ArrowLeft'){go(at-1);"
	"e.preventDefault()}};\ngo(rows.length-1);\n"
	"</script></body></html>\n";

static void escaped(FILE *out, const char *text)
{
	for (; text && *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
}

struct page {
	FILE *out;
	unsigned cpus;
};

static void html_record(const struct nwx_record *r, void *arg)
{
	struct page *p = arg;

	if (!r->text || !r->step)
		return;
	fprintf(p->out, "<tr data-tlb=\"");
	escaped(p->out, r->tlb);
	fprintf(p->out, "\" data-mem=\"");
	escaped(p->out, r->memory);
	fprintf(p->out, "\"><td>%u</td>", r->step);
	for (unsigned cpu = 0; cpu < p->cpus; cpu++) {
		fprintf(p->out, "<td%s>",
			cpu == r->cpu && r->is_walker ? " class=\"w\"" : "");
		if (cpu == r->cpu) {
			fputs(r->is_walker ? "~ " : "", p->out);
			escaped(p->out, r->text);
		}
		fputs("</td>", p->out);
	}
	fputs("</tr>\n", p->out);
}

int nwx_html(const struct nwx_scenario *s, const struct nwx_options *o,
	     const struct nwx_result *r, FILE *out)
{
	struct nwx_options options = *o;
	struct page p = {.out = out};
	struct nwx_result again;
	int status;

	options.target = r->violation;
	options.walks = (int)r->walks;
	options.cpus = r->cpus;
	p.cpus = r->cpus;
	fprintf(out, head, s->name);
	fprintf(out, "<h1>%s</h1><p>", s->name);
	escaped(out, s->doc);
	fprintf(out, "</p><p class=\"bad\">%s: ",
		nwm_violation_id(r->violation));
	escaped(out, r->text);
	fprintf(out, "</p>\n<main><table><thead><tr><th>step</th>");
	for (unsigned cpu = 0; cpu < p.cpus; cpu++)
		fprintf(out, "<th>CPU %u</th>", cpu);
	fprintf(out, "</tr></thead><tbody>\n");
	status = nwx_replay(s, &options, r->choices, &again, html_record, &p);
	fprintf(out,
		"</tbody></table>\n<aside><p><button id=\"prev\">previous"
		"</button> <button id=\"next\">next</button> "
		"<span id=\"pos\"></span></p><h2>TLBs after this step</h2>"
		"<pre id=\"tlb\"></pre><h2>Memory written so far, newest values"
		"</h2><pre id=\"mem\"></pre></aside></main>\n");
	fputs(script, out);
	free(again.choices);
	return status;
}
