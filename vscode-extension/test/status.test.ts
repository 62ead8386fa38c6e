import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NfStatus } from '../src/protocol';
import { nfOfFile, statusItem } from '../src/status';

const fw: NfStatus = { name: 'fw', root: 'fw', uri: 'file:///w/fw/fw_main.c', state: 'fresh', verdict: 'shared-nothing', keys: 'ready', proof: 'proved' };
const inner: NfStatus = { ...fw, name: 'inner', root: 'fw/inner', uri: 'file:///w/fw/inner/main.c', verdict: 'locks' };

test('a file belongs to the innermost NF around it', () => {
  assert.equal(nfOfFile([fw, inner], 'file:///w/fw/inner/state.h')?.name, 'inner');
  assert.equal(nfOfFile([inner, fw], 'file:///w/fw/state.h')?.name, 'fw');
  assert.equal(nfOfFile([fw, inner], 'file:///w/fwx/state.h'), undefined);
});

test('the item shows the verdict of the NF that is shown, and the state of its keys', () => {
  const item = statusItem({ kind: 'running' }, [fw, inner], 'file:///w/fw/state.c');
  assert.equal(item.text, '$(check) fw: shared-nothing');
  assert.match(item.tooltip, /RSS keys ready, proved/);
});

test('an analysis under way turns, and shows the last verdict', () => {
  assert.equal(statusItem({ kind: 'running' }, [{ ...fw, state: 'stale' }], fw.uri).text, '$(sync~spin) fw: shared-nothing');
  assert.equal(statusItem({ kind: 'running' }, [{ ...fw, state: 'pending', verdict: null, keys: 'none' }], fw.uri).text, '$(sync~spin) fw: analysing');
});

test('a failed proof is an error', () => {
  const item = statusItem({ kind: 'running' }, [{ ...fw, proof: 'failed' }], fw.uri);
  assert.equal(item.level, 'error');
  assert.match(item.tooltip, /FAILED/);
});

test('a stopped server says why', () => {
  assert.deepEqual(statusItem({ kind: 'stopped', reason: 'gone' }, [fw], fw.uri), { text: '$(error) Maestro', tooltip: 'gone', level: 'error' });
});

test('with several NFs and a file of none, their number is shown', () => {
  assert.equal(statusItem({ kind: 'running' }, [fw, inner], 'file:///w/README.md').tooltip, '2 network functions analysed');
});
