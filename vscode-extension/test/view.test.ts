import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CallPath, CheckedNf, PanelAnswer, PathsAnswer, Row, Tree } from '../src/protocol';
import { constraintLines } from '../src/view/constraint';
import { html } from '../src/view/html';
import { link, placeName } from '../src/view/links';
import { matrixPanel } from '../src/view/matrix';
import { pathDetail, pathsPanel } from '../src/view/paths';
import { imbalance, spreadChart, spreadText } from '../src/view/spread';
import { drawTree } from '../src/view/tree';

/** What the server says of the firewall, recorded by tests/server/test_recorded_answers.py. */
const FIREWALL = JSON.parse(readFileSync('test/data/panel-fw.json', 'utf8')) as PanelAnswer & { nf: CheckedNf; rows: Row[]; tree: Tree };
const FIREWALL_PATHS = JSON.parse(readFileSync('test/data/paths-fw.json', 'utf8')) as PathsAnswer & { paths: CallPath[] };

const place = { uri: 'file:///w/NFs%20sch%C3%B6n/fw_main.c', range: { start: { line: 18, character: 2 }, end: { line: 18, character: 9 } } };
const HOSTILE = `<img src=x onerror="alert(1)">&'`;

/** Every element that is opened is closed, in order; and ids are unique. */
function wellFormed(markup: string): void {
  const open: string[] = [];
  for (const [tag, closing, name] of markup.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:\s[^>]*)?>/g)) {
    if (tag.endsWith('/>')) continue;
    if (closing === '') open.push(name ?? '');
    else assert.equal(open.pop(), name, `</${name}> in …${markup.slice(Math.max(0, markup.indexOf(tag) - 80), markup.indexOf(tag) + 20)}`);
  }
  assert.deepEqual(open, []);
  const ids = [...markup.matchAll(/ id="([^"]*)"/g)].map((m) => m[1]);
  assert.equal(new Set(ids).size, ids.length, `ids twice: ${ids.join(' ')}`);
  for (const [, target] of markup.matchAll(/(?:aria-labelledby|for)="([^"]*)"/g)) assert.ok(ids.includes(target), `${target} labels nothing`);
}

test('every value is escaped', () => {
  assert.equal(html`<b title="${HOSTILE}">${[HOSTILE]}</b>`.text.includes('<img'), false);
  assert.equal(html`${html`<i>x</i>`}${null}${undefined}${false}${0}`.text, '<i>x</i>0');
});

test('names of a hostile program stay text in every panel', () => {
  const nf = { ...FIREWALL.nf, name: HOSTILE };
  const access = { uri: HOSTILE, range: place.range, function: HOSTILE, object: HOSTILE, write: true, text: HOSTILE };
  const row = { devices: [0, 0], text: HOSTILE, exact: false, constraint: [[[HOSTILE, HOSTILE]]], accesses: [{ first: access, second: access, when: HOSTILE }] } as Row;
  const tree: Tree = { nodes: [{ id: 0, label: HOSTILE, kind: 'call', uri: HOSTILE, range: place.range }], edges: [] };
  const path: CallPath = { number: 0, device: 0, outcome: HOSTILE, condition: [HOSTILE], assumed: [HOSTILE], calls: [access], writes: [{ field: HOSTILE, value: HOSTILE }], lines: [] };
  for (const page of [matrixPanel({ ...FIREWALL, nf, rows: [row], tree }), pathsPanel({ state: 'fresh', nfs: [HOSTILE], paths: [path] }, 0), pathDetail(path)]) {
    assert.ok(page.text.includes('&lt;img'));
    assert.ok(!page.text.includes('<img'));
    wellFormed(page.text);
  }
});

test('constraints read as the server says them', () => {
  for (const row of FIREWALL.rows) assert.equal(constraintLines(row.constraint).join(' or '), row.text);
  assert.deepEqual(constraintLines([[['eth.dst', 'eth.src']], [['eth.src', 'eth.src']], [['l4.src', 80]]]), ['eth.dst = eth.src', 'equal eth.src', 'l4.src = 80']);
  assert.deepEqual(constraintLines([]), ['none need meet']);
  assert.deepEqual(constraintLines([[]]), ['all must meet']);
});

test('the matrix panel has a cell for each pair of devices, with its accesses', () => {
  const { text } = matrixPanel(FIREWALL);
  wellFormed(text);
  assert.equal([...text.matchAll(/<td class="filled">/g)].length, 3);
  assert.equal([...text.matchAll(/<details id="row-\d-\d">/g)].length, 3);
  assert.equal([...text.matchAll(/meet if /g)].length, FIREWALL.rows.reduce((n, row) => n + row.accesses.length, 0));
  assert.match(text, /<span class="verdict shared-nothing">/);
  assert.match(text, /fw_flows\.c:32/);
  assert.match(text, /<strong>9 of 9<\/strong> bits/);
});

test('the panel says whose text it is about, and what the proof came to', () => {
  assert.match(matrixPanel({ ...FIREWALL, state: 'stale' }).text, /role="status">Of an earlier text/);
  assert.match(matrixPanel({ ...FIREWALL, proof: 'proved' }).text, /are proved to meet/);
  assert.match(matrixPanel({ ...FIREWALL, proof: 'failed' }).text, /do not use them/);
  assert.match(matrixPanel({ state: 'pending' }).text, /Analysing/);
  assert.match(matrixPanel({ state: 'failed' }).text, /failed/);
  assert.match(matrixPanel({ state: 'none' }).text, /No network function/);
});

test('with many devices the matrix is a list', () => {
  const nf = { ...FIREWALL.nf, devices: [0, 1, 2, 3, 4] };
  const { text } = matrixPanel({ ...FIREWALL, nf });
  assert.ok(!text.includes('class="matrix"'));
  assert.equal([...text.matchAll(/<div class="constraint">/g)].length, 3);
  wellFormed(text);
});

test('a row that says less than what was solved is shown as its text', () => {
  const row: Row = { devices: [0, 0], text: 'ipv4.src + 1 = ipv4.dst', exact: false, constraint: [[]], accesses: [] };
  const { text } = matrixPanel({ ...FIREWALL, rows: [row] });
  assert.match(text, /ipv4\.src \+ 1 = ipv4\.dst/);
  assert.ok(!text.includes('all packets must meet'));
});

test('a form is offered once if it covers all devices, and keys for each', () => {
  const { text } = matrixPanel(FIREWALL);
  for (const form of ['dpdk-c', 'ethtool', 'testpmd', 'json']) assert.equal([...text.matchAll(new RegExp(`data-copy="${form}"`, 'g'))].length, 1);
  assert.equal([...text.matchAll(/data-copy="key"/g)].length, 2);
});

test('links carry the place, and name file and line as people count', () => {
  assert.equal(placeName(place), 'fw_main.c:19');
  assert.match(link(place, 'x').text, /data-range="18 2 18 9"/);
  assert.equal(link({}, 'x').text, '<span>x</span>');
});

test('the spread is told in numbers', () => {
  assert.equal(imbalance([2, 2, 2]), 1);
  assert.equal(imbalance([6, 0, 0]), 3);
  assert.equal(spreadText([6, 0, 0]), 'only 1 of 3 queues gets packets');
  assert.equal(spreadText([3, 5, 4, 4]), 'every one of 4 queues gets packets, the fullest 1.25 times the mean');
  assert.equal(spreadText([]), 'no packets');
});

test('bars are as high as their packets, and empty queues have none', () => {
  const heights = [...spreadChart({ queues: [10, 5, 0], cores: 3 }, 0).text.matchAll(/height="([\d.]+)"/g)].map((m) => Number(m[1]));
  assert.equal(heights[1], (heights[0] ?? 0) / 2);
  assert.equal(heights[2], 0);
  wellFormed(spreadChart({ queues: Array.from({ length: 128 }, (_, i) => i), cores: 128 }, 0).text);
});

const TREE: Tree = {
  nodes: [
    { id: 0, label: 'device == 0', kind: 'condition', ...place },
    { id: 1, label: 'map_get', kind: 'call' },
    { id: 2, label: 'drop', kind: 'outcome' },
    { id: 3, label: 'map_put', kind: 'call' },
    { id: 4, label: 'forward', kind: 'outcome' },
  ],
  edges: [
    { from: 0, to: 1, label: 'yes' },
    { from: 0, to: 3, label: 'no' },
    { from: 1, to: 2, label: 'hit' },
    { from: 1, to: 3, label: 'miss' },
    { from: 3, to: 4, label: '' },
  ],
};

test('a subtree that branches share is drawn once, and pointed to after that', () => {
  const { markup, nodes } = drawTree(TREE);
  wellFormed(markup.text);
  assert.equal(nodes, 5);
  assert.equal([...markup.text.matchAll(/id="node-3"/g)].length, 1);
  assert.equal([...markup.text.matchAll(/class="box again"/g)].length, 1);
  assert.equal([...markup.text.matchAll(/>forward</g)].length, 1);
});

test('items say their level, and those with children whether they are unfolded', () => {
  const { text } = drawTree(TREE).markup;
  assert.match(text, /aria-level="1" aria-expanded="true" tabindex="-1" id="node-0"/);
  assert.match(text, /aria-level="3" tabindex="-1" id="node-2"/);
});

test('what is always done one after the other is one item', () => {
  const { text } = drawTree({ nodes: TREE.nodes.slice(0, 3), edges: [{ from: 0, to: 1, label: 'yes' }, { from: 1, to: 2, label: '' }] }).markup;
  assert.equal([...text.matchAll(/role="treeitem"/g)].length, 1);
  assert.equal([...text.matchAll(/class="box /g)].length, 3);
});

test('the recorded tree is drawn whole', () => {
  const { markup, nodes } = drawTree(FIREWALL.tree);
  assert.equal(nodes, FIREWALL.tree.nodes.length);
  wellFormed(markup.text);
});

test('every path is listed with what tells it apart, and can be searched by calls and conditions', () => {
  const { text } = pathsPanel(FIREWALL_PATHS, undefined);
  wellFormed(text);
  assert.equal([...text.matchAll(/type="radio"/g)].length, FIREWALL_PATHS.paths.length);
  assert.match(text, /device 0: drop<span class="quiet summary">eth\.type != 0x800</);
  assert.match(text, /data-search="[^"]*map_get\(state-&gt;flows/);
  assert.match(text, /No path is chosen/);
});

test('a chosen path stays chosen, with its calls as links, its writes, and apart what was assumed', () => {
  const path = FIREWALL_PATHS.paths.find((p) => p.writes.length > 0);
  assert.ok(path !== undefined);
  const { text } = pathsPanel({ ...FIREWALL_PATHS, state: 'stale' }, path.number);
  wellFormed(text);
  assert.match(text, new RegExp(`value="${path.number}" checked`));
  assert.match(text, new RegExp(`<summary>${path.assumed.length} assumptions</summary>`));
  assert.match(text, /Of an earlier text/);
  assert.equal([...pathDetail(path).text.matchAll(/<a href="#" data-uri/g)].length, path.calls.length);
  assert.match(text, /eth\.dst = /);
});

test('a path without conditions and calls says so', () => {
  const { text } = pathDetail({ number: 0, device: 0, outcome: 'drop', condition: [], assumed: [], calls: [], writes: [], lines: [] });
  assert.match(text, /always/);
  assert.match(text, /no call of libVig/);
});
