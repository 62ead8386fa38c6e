// The matrix panel: everything known of one NF, on one page. A pure function from the answer of `maestro/panel`.

import type { Access, CheckedNf, PanelAnswer, PanelDevice, Proof, Row, Verdict } from '../protocol';
import { EXPORT_FORMS } from '../protocol';
import { constraintHtml, constraintLines } from './constraint';
import { count, html, type Html } from './html';
import { link, placeName } from './links';
import { spreadChart } from './spread';
import { stateText, waiting } from './state';
import { drawTree } from './tree';

/** With more devices the matrix is a list of its rows. */
const MOST_COLUMNS = 4;

const VERDICTS: Record<Verdict, string> = {
  'shared-nothing': 'Every core can keep its own state: RSS brings together the packets that must meet.',
  locks: 'Cannot be sharded as written, so cores have to share state.',
  unknown: 'Not known: the analysis is incomplete. The findings say where.',
};
const STATELESS = 'No packet changes state: packets may go to any core.';

const PROOFS: Record<Proof, string> = {
  proved: 'The keys are proved to meet the constraints.',
  running: 'The keys are being proved …',
  none: '',
  failed: 'The proof of the keys failed: do not use them, and report this.',
};

const FORM_NAMES = { 'dpdk-c': 'C for DPDK', ethtool: 'ethtool', testpmd: 'testpmd', json: 'JSON' } as const;

export function matrixPanel(answer: PanelAnswer): Html {
  const { nf } = answer;
  if (nf === undefined) return waiting(answer.state);
  return html`${header(nf, answer)}
${matrixSection(nf, answer.rows ?? [])}
${rssSection(nf, answer)}
${treeSection(answer)}
${notesSection(nf)}`;
}

function header(nf: CheckedNf, answer: PanelAnswer): Html {
  const proof = PROOFS[answer.proof ?? 'none'];
  const warnings = nf.findings.filter((finding) => finding.severity === 'warning' || finding.severity === 'error').length;
  return html`<header><h1>${nf.name} <span class="verdict ${nf.verdict}">${nf.verdict}</span></h1>
<p>${nf.stateless ? STATELESS : VERDICTS[nf.verdict]} ${proof}</p>
<p class="quiet">${count(nf.paths, 'call path')} on ${count(nf.devices.length, 'device')}, ${count(warnings, 'warning')}, from ${nf.source === 'symbex' ? 'the source' : 'call path files'}. <span role="status">${stateText(answer.state)}</span></p>
<div class="toolbar" role="group" aria-label="Actions"><button data-command="paths">Show call paths</button><button data-command="nic">Choose NIC</button><button data-command="again">Analyse again</button></div></header>`;
}

function rowId(row: Row): string {
  return `row-${row.devices.join('-')}`;
}

function rowConstraint(row: Row): Html {
  return row.exact === false ? html`<span>${row.text}</span>` : constraintHtml(row.constraint);
}

function matrixSection(nf: CheckedNf, rows: readonly Row[]): Html {
  const grid = nf.devices.length <= MOST_COLUMNS && rows.length > 0;
  return html`<section aria-labelledby="matrix-title"><h2 id="matrix-title">Constraint matrix</h2>
<p class="quiet">Which packets must meet on one core: the first field is of the packet on the row's device, the second of the packet on the column's.</p>
${grid && matrixTable(nf.devices, rows)}
<h3>Accesses behind each cell</h3>
${rows.length === 0 && html`<p>No two packets touch the same state.</p>`}
${rows.map((row) => rowDetails(row, !grid))}</section>`;
}

function matrixTable(devices: readonly number[], rows: readonly Row[]): Html {
  const cells = new Map(rows.map((row) => [row.devices.join(' '), row]));
  return html`<table class="matrix"><thead><tr><td></td>${devices.map((j) => html`<th scope="col">device ${j}</th>`)}</tr></thead><tbody>
${devices.map(
  (i) => html`<tr><th scope="row">device ${i}</th>${devices.map((j) => {
    const row = cells.get(`${i} ${j}`);
    if (row === undefined) return html`<td class="mirrored"><span class="quiet">as ${j}, ${i}</span></td>`;
    const empty = row.constraint.length === 0;
    return html`<td class="${empty ? 'empty' : 'filled'}">${rowConstraint(row)}${row.accesses.length > 0 && html`<a class="more" href="#" data-jump="${rowId(row)}">${count(row.accesses.length, 'pair')} of accesses</a>`}</td>`;
  })}</tr>`,
)}</tbody></table>`;
}

function rowDetails(row: Row, withConstraint: boolean): Html {
  const [i, j] = row.devices;
  const title = `Devices ${i} and ${j}`;
  const text = row.exact === false ? row.text : constraintLines(row.constraint).join('; or ');
  return html`<details id="${rowId(row)}"><summary>${title}: <span class="quiet">${text}</span></summary>
${withConstraint && html`<div class="constraint">${rowConstraint(row)}</div>`}
${row.accesses.length === 0 ? html`<p class="quiet">No pair of accesses.</p>` : accessTable(title, row)}</details>`;
}

function accessTable(title: string, row: Row): Html {
  const cell = (access: Access) =>
    html`<td>${link(access, html`<code>${access.text}</code>`)}<div class="quiet">${access.write ? 'writes' : 'reads'} <code>${access.object}</code> at ${placeName(access)}</div></td>`;
  return html`<table class="accesses" aria-label="Accesses of ${title}"><thead><tr><th scope="col">packet on device ${row.devices[0]}</th><th scope="col">packet on device ${row.devices[1]}</th></tr></thead>
<tbody>${row.accesses.map(({ first, second, when }) => html`<tr>${cell(first)}${cell(second)}</tr>${when !== undefined && html`<tr class="when"><td colspan="2" class="quiet">meet if ${when}</td></tr>`}`)}</tbody></table>`;
}

function rssSection(nf: CheckedNf, answer: PanelAnswer): Html {
  const devices = answer.devices ?? [];
  if (nf.rss === null || devices.length === 0) {
    return html`<section aria-labelledby="rss-title"><h2 id="rss-title">RSS configuration</h2><p>There is none yet.</p></section>`;
  }
  const { rss } = nf;
  const purpose = nf.verdict === 'locks' ? ' Packets may go to any core, so the keys only spread them.' : '';
  return html`<section aria-labelledby="rss-title"><h2 id="rss-title">RSS configuration for ${rss.nic}</h2>
<p class="quiet">${rss.equal === 'index' ? 'Packets that must meet agree on the index into the indirection table.' : 'Packets that must meet agree on the whole hash.'}${purpose}</p>
${exportsToolbar(devices)}
${devices.map(deviceCard)}</section>`;
}

/** One set of buttons if all devices export the same text (it covers them all), else one for each device. */
function exportsToolbar(devices: readonly PanelDevice[]): Html {
  const first = devices[0];
  if (first === undefined || !sameExports(devices)) return html``;
  return copyButtons(first, 'all devices');
}

function sameExports(devices: readonly PanelDevice[]): boolean {
  return devices.every((device) => EXPORT_FORMS.every((form) => device.exports[form] === devices[0]?.exports[form]));
}

function copyButtons(device: PanelDevice, whose: string): Html {
  const forms = EXPORT_FORMS.filter((form) => device.exports[form] !== undefined);
  if (forms.length === 0) return html``;
  return html`<div class="toolbar" role="group" aria-label="Copy the configuration of ${whose}"><span>Copy as</span>${forms.map((form) => html`<button data-copy="${form}" data-device="${device.device}">${FORM_NAMES[form]}</button>`)}</div>`;
}

function deviceCard(device: PanelDevice): Html {
  const key = device.key.replace(/(..)/g, '$1 ').trim();
  return html`<article aria-labelledby="device-${device.device}"><h3 id="device-${device.device}">Device ${device.device}</h3>
<dl><dt>Spreads</dt><dd><strong>${device.queue_bits} of ${device.index_bits}</strong> bits of the table index</dd>
<dt>Hash inputs</dt><dd>${device.option_text.split('; ').map((line) => html`<div>${line}</div>`)}</dd>
<dt>Key</dt><dd class="key"><code>${key}</code> <button data-copy="key" data-device="${device.device}" aria-label="Copy the key of device ${device.device}">Copy</button></dd></dl>
${device.spread !== null && spreadChart(device.spread, device.device)}</article>`;
}

function treeSection(answer: PanelAnswer): Html {
  const tree = answer.tree;
  if (tree?.why !== undefined) {
    return html`<section aria-labelledby="tree-title"><h2 id="tree-title">Decision tree</h2><p>These call paths have none: ${tree.why}.</p></section>`;
  }
  if (tree === undefined || tree.nodes.length === 0) return html``;
  const { markup, nodes } = drawTree(tree);
  return html`<section aria-labelledby="tree-title"><h2 id="tree-title">Decision tree</h2>
<p class="quiet">What happens to a packet: ${count(nodes, 'node')}${tree.complete === false && ', of a larger tree that is cut off'}. Arrow keys walk and fold it; Enter opens the source.</p>
<div class="toolbar" role="group" aria-label="Decision tree"><button data-tree="out" aria-label="Zoom out">−</button><button data-tree="in" aria-label="Zoom in">+</button><button data-tree="reset">Actual size</button><button data-tree="open">Unfold all</button><button data-tree="close">Fold all</button></div>
<div class="canvas">${markup}</div></section>`;
}

function notesSection(nf: CheckedNf): Html {
  const devices = (numbers: readonly number[]) => (numbers.length === 1 ? `device ${numbers[0]}` : `devices ${numbers.join(', ')}`);
  return html`<section aria-labelledby="notes-title"><h2 id="notes-title">State and assumptions</h2>
<table class="objects"><thead><tr><th scope="col">Object</th><th scope="col">Kind</th><th scope="col">Capacity</th><th scope="col">While processing</th></tr></thead><tbody>
${nf.objects.map((object) => html`<tr><td><code>${object.name}</code></td><td>${object.kind}</td><td>${object.capacity ?? '–'}</td><td>${object.written ? 'written' : 'only read'}</td></tr>`)}</tbody></table>
${nf.assumes.length > 0 && html`<h3>Assumed not to arrive</h3><ul>${nf.assumes.map((a) => html`<li><code>${a.class}</code> on ${devices(a.devices)}: ${a.why}</li>`)}</ul>`}
${nf.deviations.length > 0 && html`<h3>Where the parallel program may differ</h3><ul>${nf.deviations.map((d) => html`<li><code>${d.code}</code>: ${d.why}</li>`)}</ul>`}</section>`;
}
