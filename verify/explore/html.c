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
	":root{--ink:#1b1f24;--paper:#fff;--soft:#f3f5f8;--line:#d0d7de;"
	"--now:#fff0b8;--walk:#0550ae;--bad:#a40e26;--badpaper:#ffebe9;"
	"--dim:#59636e}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;"
	"--soft:#161b22;--line:#30363d;--now:#4b3a00;--walk:#79c0ff;"
	"--bad:#ff7b72;--badpaper:#3c1618;--dim:#9198a1}}\n"
	"*{box-sizing:border-box}\n"
	"body{font:14px/1.4 system-ui,sans-serif;margin:0;padding:1em 1.5em;"
	"color:var(--ink);background:var(--paper);height:100vh;display:flex;"
	"flex-direction:column}\n"
	"h1{font-size:1.4em;margin:0}h2{font-size:1em;margin:1.2em 0 .3em}\n"
	"p{margin:.3em 0}\n"
	".bad{color:var(--bad);background:var(--badpaper);"
	"font:12px/1.5 ui-monospace,monospace;"
	"padding:.5em .8em;border-left:4px solid var(--bad);"
	"white-space:pre-wrap;max-height:30vh;overflow:auto}\n"
	".bad::first-line{font:600 15px/1.5 system-ui,sans-serif}\n"
	"main{flex:1;min-height:0;display:grid;gap:1.5em;"
	"grid-template-columns:minmax(0,3fr) minmax(0,2fr)}\n"
	"#steps,aside{overflow:auto;min-height:0}\n"
	"table{border-collapse:collapse;width:100%%}\n"
	"td,th{padding:2px 10px;text-align:left;vertical-align:top;"
	"font:12px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}\n"
	"#steps td,#steps th{border-left:1px solid var(--line)}\n"
	"#steps td:first-child,#steps th:first-child{border-left:0;width:5em;"
	"white-space:nowrap;text-align:right;color:var(--dim)}\n"
	"th{position:sticky;top:0;background:var(--soft);font-weight:600;"
	"border-bottom:1px solid var(--line)}\n"
	"#steps tbody tr{cursor:pointer}\n"
	"#steps tbody tr:hover td{background:var(--soft)}\n"
	"tr.now td,#steps tbody tr.now:hover td{background:var(--now)}\n"
	"td.w{color:var(--walk)}td.n{color:var(--dim);font-style:italic}\n"
	"td.x{color:var(--bad);font-weight:700}\n"
	"aside td{border-bottom:1px solid var(--line)}\n"
	"td.new{background:var(--now)}\n"
	"button{font:inherit;padding:.2em .9em}\n"
	"small{color:var(--dim)}\n"
	"</style></head><body>\n";

static const char script[] =
	"<script>\n"
	"const $=i=>document.getElementById(i);\n"
	"const rows=[...document.querySelectorAll('#steps tbody tr')];let at=0;\n"
	"/* What did not change stands only in the row where it did. */\n"
	"function state(n,key){while(n>=0&&!(key in rows[n].dataset))n--;\n"
	"return n<0?[]:rows[n].dataset[key].split(';').filter(Boolean);}\n"
	"/* Value of a table entry, for people. */\n"
	"function meaning(place,v){if(!/\\[/.test(place))return '';\n"
	"const d=BigInt(v);if(!(d&1n))return d?'invalid, not empty':'empty';\n"
	"return '\\u2192 0x'+(d&0xfffffffff000n).toString(16);}\n"
	"function fill(id,cells,before,empty){const t=$(id);t.textContent='';\n"
	"if(!cells.length)t.insertRow().insertCell().textContent=empty;\n"
	"for(const c of cells){const r=t.insertRow();for(const x of c){\n"
	"const d=r.insertCell();d.textContent=x;\n"
	"if(!before.has(c.join('|')))d.className='new';}}}\n"
	"function tlb(l){return l.map(x=>{const m=x.match(/^(CPU \\d+) (\\S+) "
	"(\\S+ -> \\S+) (\\S*) ?(since.*)$/);return m?m.slice(1):[x]})}\n"
	"function mem(l){return l.map(x=>{const m=x.split(' = ');"
	"return m.length<2?[x]:[m[0],m[1],meaning(m[0],m[1])]})}\n"
	"function go(n){at=Math.max(0,Math.min(rows.length-1,n));\n"
	"rows.forEach((r,i)=>r.classList.toggle('now',i===at));\n"
	"for(const [id,f,empty] of [['tlb',tlb,'nothing cached'],"
	"['mem',mem,'nothing written']]){\n"
	"const before=new Set(f(state(at-1,id)).map(c=>c.join('|')));\n"
	"fill(id,f(state(at,id)),before,empty);}\n"
	"$('pos').textContent='step '+rows[at].cells[0].textContent+' ('+(at+1)+"
	"' of '+rows.length+')';\n"
	"rows[at].scrollIntoView({block:'nearest'});}\n"
	"rows.forEach((r,i)=>r.onclick=()=>go(i));\n"
	"$('first').onclick=()=>go(0);$('last').onclick=()=>go(rows.length-1);\n"
	"$('prev').onclick=()=>go(at-1);$('next').onclick=()=>go(at+1);\n"
	"document.onkeydown=e=>{const k={ArrowDown:at+1,ArrowRight:at+1,"
	"ArrowUp:at-1,ArrowLeft:at-1,Home:0,End:rows.length-1}[e.key];\n"
	"if(k!==undefined){go(k);e.preventDefault()}};\n"
	"/* page.html#7: begin at the 7th row */\n"
	"go(/^#\\d+$/.test(location.hash)?+location.hash.slice(1)-1:"
	"rows.length-1);\n"
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
	char *last[2]; /* TLBs and memory of the row before */
};

/* Only when it is not what the row before says. */
static void html_state(struct page *p, unsigned which, const char *name,
		       const char *text)
{
	if (!text || (p->last[which] && !strcmp(p->last[which], text)))
		return;
	free(p->last[which]);
	p->last[which] = strdup(text);
	fprintf(p->out, " data-%s=\"", name);
	escaped(p->out, text);
	fputc('"', p->out);
}

static const char *cell_class(const struct nwx_record *r)
{
	if (!strncmp(r->text, "!!", 2))
		return " class=\"x\"";
	if (r->is_walker)
		return " class=\"w\"";
	return strncmp(r->text, "--", 2) ? "" : " class=\"n\"";
}

static void html_record(const struct nwx_record *r, void *arg)
{
	struct page *p = arg;

	fprintf(p->out, "<tr");
	html_state(p, 0, "tlb", r->tlb);
	html_state(p, 1, "mem", r->memory);
	fprintf(p->out, "><td>%u</td>", r->step);
	for (unsigned cpu = 0; cpu < p->cpus; cpu++) {
		fprintf(p->out, "<td%s>", cpu == r->cpu ? cell_class(r) : "");
		if (cpu == r->cpu) {
			fputs(r->is_walker ? "~ " : "", p->out);
			escaped(p->out, r->text);
		}
		fputs("</td>", p->out);
	}
	fputs("</tr>\n", p->out);
}

static void html_begin(struct page *p, const struct nwx_scenario *s,
		       const struct nwx_result *r)
{
	FILE *out = p->out;

	fprintf(out, head, s->name);
	fprintf(out, "<h1>%s</h1><p>", s->name);
	escaped(out, s->doc);
	fprintf(out, " <small>(%s)</small></p>\n<p class=\"bad\">%s: ", s->rule,
		nwx_violation_name(r));
	escaped(out, r->text);
	fprintf(out, "</p>\n<main><div id=\"steps\"><table><thead><tr>"
		     "<th>step</th>");
	for (unsigned cpu = 0; cpu < p->cpus; cpu++)
		fprintf(out, "<th>CPU %u</th>", cpu);
	fprintf(out, "</tr></thead><tbody>\n");
}

static void html_end(const struct page *p)
{
	fprintf(p->out,
		"</tbody></table></div>\n<aside><p>"
		"<button id=\"first\">first</button> "
		"<button id=\"prev\">previous</button> "
		"<button id=\"next\">next</button> "
		"<button id=\"last\">last</button> <span id=\"pos\"></span></p>"
		"<p><small>Arrow keys and clicks move. ~ is what a CPU&#39;s "
		"walker does on its own; what this step changed is coloured."
		"</small></p>"
		"<h2>TLBs after this step</h2><table id=\"tlb\"></table>"
		"<h2>Memory written so far, newest values</h2>"
		"<table id=\"mem\"></table></aside></main>\n");
	fputs(script, p->out);
}

int nwx_html(const struct nwx_scenario *s, const struct nwx_options *o,
	     const struct nwx_result *r, FILE *out)
{
	struct nwx_options options = *o;
	struct page p = {.out = out, .cpus = r->cpus};
	struct nwx_fold fold = {.fn = html_record, .arg = &p};
	struct nwx_result again;
	int status;

	options.target = r->violation;
	options.walks = (int)r->walks;
	options.cpus = r->cpus;
	html_begin(&p, s, r);
	status = nwx_replay(s, &options, r->choices, &again, nwx_fold_record,
			    &fold);
	nwx_fold_end(&fold);
	html_end(&p);
	free(p.last[0]);
	free(p.last[1]);
	free(again.choices);
	return status;
}
