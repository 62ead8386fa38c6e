import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CallPath, CheckedNf, PanelAnswer, Tree } from '../src/protocol';
import { constraintLines } from '../src/view/constraint';
import { html } from '../src/view/html';
import { link, placeName } from '../src/view/links';
import { matrixPanel } from '../src/view/matrix';
import { pathDetail, pathsPanel } from '../src/view/paths';
import { imbalance, spreadChart, spreadText } from '../src/view/spread';
import { drawTree } from '../src/view/tree';

/** What `maestro-lsp check --format json` says of a fixture, recorded. */
function checked(name: string): CheckedNf {
  return JSON.parse(readFileSync(`test/data/check-${name}.json`, 'utf8')) as CheckedNf;
}

const place = { uri: 'file:///w/NFs%20sch%C3%B6n/fw_main.c', range: { start: { line: 18, character: 2 }, end: { line: 18, character: 9 } } };
const HOSTILE = `<img src=x onerror="alert(1)">&'`;

function answer(name: string, more: Partial<PanelAnswer> = {}): PanelAnswer {
  const nf = checked(name);
  const access = { ...place, function: 'map_get', object: 'state->flows', text: 'map_get(state->flows, …)' };
  return {
    state: 'fresh',
    nf,
    rows: nf.matrix.map((row) => ({ ...row, text: '', accesses: [{ first: access, second: access }] })),
    devices: (nf.rss?.devices ?? []).map((d) => ({
      device: d.device,
      key: d.key,
      option_text: d.inputs.map((i) => i.option).join('\n'),
      queue_bits: d.queue_bits,
      spread: { queues: [3, 5, 4, 4], cores: 4 },
      exports: { json: '{}', 'dpdk-c': 'uint8_t key[52];' },
    })),
    proof: 'proved',
    ...more,
  };
}

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
  const nf = { ...checked('fw'), name: HOSTILE };
  const access = { uri: HOSTILE, range: place.range, function: HOSTILE, object: HOSTILE, text: HOSTILE };
  const rows = [{ devices: [0, 0] as [number, number], text: HOSTILE, exact: false, constraint: [[[HOSTILE, HOSTILE] as [string, string]]], accesses: [{ first: access, second: access }] }];
  const tree: Tree = { nodes: [{ id: 0, label: HOSTILE, kind: 'call', uri: HOSTILE, range: place.range }], edges: [] };
  const path: CallPath = { number: 0, device: 0, outcome: HOSTILE, condition: [HOSTILE], calls: [access], lines: [] };
  for (const page of [matrixPanel(answer('fw', { nf, rows, tree })), pathsPanel({ state: 'fresh', nf: HOSTILE, paths: [path] }, 0), pathDetail(path)]) {
    assert.ok(!page.text.includes('<img'));
    wellFormed(page.text);
  }
});

test('constraints read as on the command line', () => {
  assert.deepEqual(
    checked('bridge').matrix.map((row) => constraintLines(row.constraint))[0],
    ['eth.dst = eth.src', 'eth.src = eth.dst', 'equal eth.src'],
  );
  assert.deepEqual(constraintLines(checked('fw').matrix[1]?.constraint ?? []), ['equal ipv4.proto, ipv4.src = ipv4.dst, ipv4.dst = ipv4.src, l4.src = l4.dst, l4.dst = l4.src']);
  assert.deepEqual(constraintLines([]), ['none need meet']);
  assert.deepEqual(constraintLines([[]]), ['all must meet']);
});

for (const name of ['fw', 'bridge']) {
  test(`the matrix panel of ${name} has a cell for each pair of devices, with its accesses`, () => {
    const { text } = matrixPanel(answer(name));
    wellFormed(text);
    assert.equal([...text.matchAll(/<td class="filled">/g)].length, 3);
    assert.equal([...text.matchAll(/<details id="row-\d-\d">/g)].length, 3);
    assert.ok(text.includes(`<span class="verdict ${checked(name).verdict}">`));
    assert.ok(text.includes('fw_main.c:19'));
  });
}

test('the panel says whose text it is about, and what the proof came to', () => {
  assert.match(matrixPanel(answer('fw', { state: 'stale' })).text, /role="status">Of an earlier text/);
  assert.match(matrixPanel(answer('fw')).text, /are proved to meet/);
  assert.match(matrixPanel(answer('fw', { proof: 'failed' })).text, /do not use them/);
  assert.match(matrixPanel({ state: 'pending' }).text, /Analysing/);
  assert.match(matrixPanel({ state: 'none' }).text, /No network function/);
});

test('with many devices the matrix is a list', () => {
  const nf = { ...checked('fw'), devices: [0, 1, 2, 3, 4] };
  const { text } = matrixPanel(answer('fw', { nf }));
  assert.ok(!text.includes('class="matrix"'));
  assert.equal([...text.matchAll(/<div class="constraint">/g)].length, 3);
  wellFormed(text);
});

test('a form is offered once if it covers all devices, and keys for each', () => {
  const { text } = matrixPanel(answer('fw'));
  assert.equal([...text.matchAll(/data-copy="json"/g)].length, 1);
  assert.equal([...text.matchAll(/data-copy="key"/g)].length, 2);
  assert.ok(!text.includes('data-copy="ethtool"'), 'a form that the server did not send');
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

const PATH: CallPath = {
  number: 7,
  device: 1,
  outcome: 'forward to 0',
  condition: [{ text: 'length >= 14', assumed: true, ...place }, { text: 'eth.type == 0x800', ...place }, 'found(state->flows)'],
  calls: [{ text: 'map_get(state->flows)', ...place }],
  lines: [place],
};

test('a path is listed with what tells it apart, and can be searched by calls and conditions', () => {
  const { text } = pathsPanel({ state: 'fresh', nf: 'fw', source: 'symbex', paths: [PATH] }, undefined);
  wellFormed(text);
  assert.match(text, /device 1: forward to 0<span class="quiet summary">eth.type == 0x800, found\(state-&gt;flows\)/);
  assert.match(text, /data-search="[^"]*map_get\(state-&gt;flows\)/);
  assert.match(text, /No path is chosen/);
});

test('a chosen path stays chosen, and what was assumed stands apart', () => {
  const { text } = pathsPanel({ state: 'stale', paths: [PATH] }, 7);
  assert.match(text, /value="7" checked/);
  assert.match(text, /<summary>1 assumption<\/summary>/);
  assert.match(text, /Of an earlier text/);
  wellFormed(pathDetail({ ...PATH, condition: [], calls: [] }).text);
});
