// The "call paths" panel: every way a packet can take through an NF. A pure function from the answer of `maestro/paths`.
// Choosing a path shows its condition and its calls, and highlights its lines in the editor. The list is a group of radio
// buttons, so that arrow keys walk it; details are made when a path is chosen, because an NF can have thousands.

import type { Call, CallPath, Condition, PathsAnswer } from '../protocol';
import { count, html, type Html } from './html';
import { link } from './links';

export function conditions(path: CallPath): Condition[] {
  return path.condition.map((c) => (typeof c === 'string' ? { text: c } : c));
}

/** What tells a path from its neighbours: the last branches it took. */
export function summary(path: CallPath): string {
  const taken = conditions(path).filter((c) => c.assumed !== true);
  return taken.map((c) => c.text).slice(-2).join(', ') || 'always';
}

export function pathsPanel(answer: PathsAnswer, chosen: number | undefined): Html {
  const paths = answer.paths;
  if (answer.state === 'none') return html`<header><h1>No network function</h1><p role="status">This file belongs to no network function.</p></header>`;
  if (paths === undefined) return html`<header><h1>Analysing …</h1><p role="status">The first analysis of this network function is under way.</p></header>`;
  const stale = answer.state === 'fresh' ? '' : 'Of an earlier text; the analysis of this one is under way.';
  const picked = paths.find((path) => path.number === chosen);
  return html`<header><h1>Call paths${answer.nf !== undefined && ` of ${answer.nf}`}</h1>
<p class="quiet">${count(paths.length, 'call path')}, from ${answer.source === 'symbex' || answer.source === undefined ? 'the source' : answer.source}. Choose one to see its lines in the editor. <span role="status">${stale}</span></p>
<div class="toolbar"><label for="filter">Filter</label><input id="filter" type="search" placeholder="device, outcome, call or condition" /><button data-command="clear">Clear highlights</button></div></header>
<div class="columns"><div class="list" role="radiogroup" aria-label="Call paths">${paths.map((path) => pathItem(path, path.number === chosen))}</div>
<div class="detail" id="detail" aria-live="polite">${picked === undefined ? html`<p class="quiet">No path is chosen.</p>` : pathDetail(picked)}</div></div>`;
}

function pathItem(path: CallPath, chosen: boolean): Html {
  const searched = [`device ${path.device}`, path.outcome, ...conditions(path).map((c) => c.text), ...path.calls.map((c) => c.text)];
  return html`<label class="path" data-search="${searched.join('\n').toLowerCase()}"><input type="radio" name="path" value="${path.number}"${chosen && html` checked`} /><span><strong>${path.number}</strong> device ${path.device}: ${path.outcome}<span class="quiet summary">${summary(path)}</span></span></label>`;
}

export function pathDetail(path: CallPath): Html {
  const all = conditions(path);
  const taken = all.filter((c) => c.assumed !== true);
  const assumed = all.filter((c) => c.assumed === true);
  const list = (items: readonly (Condition | Call)[]) => html`<ol>${items.map((item) => html`<li>${link(item, html`<code>${item.text}</code>`)}</li>`)}</ol>`;
  return html`<h2>Path ${path.number}: device ${path.device}, ${path.outcome}</h2>
<h3>When</h3>${taken.length > 0 ? list(taken) : html`<p class="quiet">always</p>`}
<h3>Calls</h3>${path.calls.length > 0 ? list(path.calls) : html`<p class="quiet">no call of libVig</p>`}
${assumed.length > 0 && html`<details><summary>${count(assumed.length, 'assumption')}</summary>${list(assumed)}</details>`}`;
}
