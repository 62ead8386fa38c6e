import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { folderHoldsNf, isNfCode, type Folder } from '../src/activation';

const FIXTURES = path.join(process.cwd(), '../fixtures');

const disk: Folder = {
  list: async (folder) => readdirSync(folder),
  read: async (folder, name, most) => readFileSync(path.join(folder, name)).subarray(0, most).toString(),
};

function made(files: Record<string, string>): Folder & { read_: string[] } {
  const read_: string[] = [];
  return {
    read_,
    list: async () => Object.keys(files),
    read: async (_, name) => {
      read_.push(name);
      return files[name] ?? '';
    },
  };
}

test('every fixture is seen to be an NF', async () => {
  const nfs = readdirSync(FIXTURES).filter((name) => existsSync(path.join(FIXTURES, name, 'expected.toml')));
  assert.ok(nfs.length > 40);
  for (const name of nfs) assert.ok(await folderHoldsNf(path.join(FIXTURES, name), disk), name);
});

test('a definition of nf_process, an include of libVig, or a call of its containers is NF code', () => {
  assert.ok(isNfCode('int nf_process(uint16_t device) {'));
  assert.ok(isNfCode('#  include "libvig/verified/map.h"'));
  assert.ok(isNfCode('#include "../libvig/map.h"'));
  assert.ok(isNfCode('  if (map_get(m, &k, &v)) {'));
});

test('other C code is not, not even if it speaks of maps and packets', () => {
  assert.ok(!isNfCode('#include <linux/skbuff.h>\nint netif_rx(struct sk_buff *skb);'));
  assert.ok(!isNfCode('bitmap_get(m); my_nf_process_count = 1; int nf_process;'));
  assert.ok(!isNfCode('// see libvig for more'));
});

test('a folder of plain C is no NF, and only so many of its files are read', async () => {
  const files = made(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}.c`, 'int main(void) {}'])));
  assert.equal(await folderHoldsNf('/src', files), false);
  assert.equal(files.read_.length, 40);
});

test('a folder with maestro.toml is one without reading any file', async () => {
  const files = made({ 'maestro.toml': '', 'a.c': '' });
  assert.equal(await folderHoldsNf('/src', files), true);
  assert.deepEqual(files.read_, []);
});
