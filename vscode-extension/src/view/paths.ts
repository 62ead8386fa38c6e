// The "call paths" panel: every way a packet can take through an NF. A pure function from the answer of `maestro/paths`.
// Choosing a path shows its condition and its calls, and highlights its lines in the editor. The list is a group of radio
// buttons, so that arrow keys walk it; details are made when a path is chosen, because an NF can have thousands.

import type { CallPath, PathsAnswer } from '../protocol';
import { count, html, type Html } from './html';
import { link } from './links';
import { stateText, waiting } from './state';

/** What tells a path from its neighbours: the last branches it took. */
export function summary(path: CallPath): string {
  return path.condition.slice(-2).join(', ') || 'always';
}

export function pathsPanel(answer: PathsAnswer, chosen: number | undefined): Html {
  const paths = answer.paths;
  if (paths === undefined) return waiting(answer.state);
  const picked = paths.find((path) => path.number === chosen);
  return html`<header><h1>Call paths${answer.nfs?.[0] !== undefined && ` of ${answer.nfs[0]}`}</h1>
<p class="quiet">${count(paths.length, 'call path')}, from ${answer.source === 'symbex' || answer.source === undefined ? 'the source' : 'call path files'}${answer.complete === false && '; the analysis is incomplete, so there may be more'}. Choose one to see its lines in the editor. <span role="status">${stateText(answer.state)}</span></p>
<div class="toolbar"><label for="filter">Filter</label><input id="filter" type="search" placeholder="device, outcome, call or condition" /><button data-command="clear">Clear highlights</button></div></header>
<div class="columns"><div class="list" role="radiogroup" aria-label="Call paths">${paths.map((path) => pathItem(path, path.number === chosen))}</div>
<div class="detail" id="detail" aria-live="polite">${picked === undefined ? html`<p class="quiet">No path is chosen.</p>` : pathDetail(picked)}</div></div>`;
}

function pathItem(path: CallPath, chosen: boolean): Html {
  const searched = [`device ${path.device}`, path.outcome, ...path.condition, ...path.calls.map((c) => c.text)];
  return html`<label class="path" data-search="${searched.join('\n').toLowerCase()}"><input type="radio" name="path" id="path-${path.number}" value="${path.number}"${chosen && html` checked`} /><span><strong>${path.number}</strong> device ${path.device}: ${path.outcome}<span class="quiet summary">${summary(path)}</span></span></label>`;
}

export function pathDetail(path: CallPath): Html {
  const { condition, calls, writes, assumed } = path;
  const list = (items: readonly Html[]) => html`<ol>${items.map((item) => html`<li>${item}</li>`)}</ol>`;
  const code = (text: string) => html`<code>${text}</code>`;
  return html`<h2>Path ${path.number}: device ${path.device}, ${path.outcome}</h2>
<h3>When</h3>${condition.length > 0 ? list(condition.map(code)) : html`<p class="quiet">always</p>`}
<h3>Calls</h3>${calls.length > 0 ? list(calls.map((call) => link(call, code(call.text)))) : html`<p class="quiet">no call of libVig</p>`}
${writes.length > 0 && html`<h3>Writes to the packet</h3><ul>${writes.map((w) => html`<li><code>${w.field} = ${w.value}</code></li>`)}</ul>`}
${assumed.length > 0 && html`<details id="assumed"><summary>${count(assumed.length, 'assumption')}</summary>${list(assumed.map(code))}</details>`}`;
}
