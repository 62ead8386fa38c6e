import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { discover, pipArguments, pythonCandidates, type Discovery, type Surroundings } from '../src/discovery';

/** A machine whose programs answer `--version` as `programs` says; a program that is not there cannot be run. */
function machine(programs: Record<string, string>, given: Partial<Surroundings> = {}): Surroundings & { ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    setting: '',
    pythons: [],
    managedPython: '/storage/server/bin/python',
    platform: 'linux',
    home: '/home/me',
    exists: (file) => file in programs,
    run: async (command, args) => {
      const line = [command, ...args].join(' ');
      ran.push(line);
      const answer = programs[command];
      if (answer === undefined) throw new Error('there is no such program');
      return answer;
    },
    ...given,
  };
}

function found(discovery: Discovery) {
  assert.ok('found' in discovery, JSON.stringify(discovery));
  return discovery.found;
}

const SERVER = 'maestro-lsp 0.1.0\n';

test('the setting wins over everything else', async () => {
  const around = machine({ '/opt/m': SERVER, 'maestro-lsp': SERVER }, { setting: ' /opt/m ' });
  const launch = found(await discover(around));
  assert.deepEqual([launch.command, launch.args, launch.version], ['/opt/m', ['serve'], '0.1.0']);
});

test('Windows is told where the server runs, and nothing is started', async () => {
  const around = machine({ 'maestro-lsp': SERVER }, { platform: 'win32' });
  const discovery = await discover(around);
  assert.ok('error' in discovery && discovery.error.includes('WSL'));
  assert.deepEqual(around.ran, []);
});

test('a setting may start with ~', async () => {
  const around = machine({ [path.join('/home/me', 'bin/m')]: SERVER }, { setting: '~/bin/m' });
  assert.equal(found(await discover(around)).command, path.join('/home/me', 'bin/m'));
});

test('a setting that does not work is an error that names it, and nothing else is tried', async () => {
  const around = machine({ 'maestro-lsp': SERVER }, { setting: '/nowhere' });
  assert.deepEqual(await discover(around), { error: 'maestro.server.path is /nowhere, which does not start: there is no such program' });
  assert.equal(around.ran.length, 1);
});

test('a relative path is refused, because nobody knows to what', async () => {
  const discovery = await discover(machine({ 'venv/bin/m': SERVER }, { setting: 'venv/bin/m' }));
  assert.ok('error' in discovery && discovery.error.includes('absolute path'));
});

test('a program of that name which is something else is not taken', async () => {
  const discovery = await discover(machine({ '/bin/cat': 'cat (GNU coreutils) 9.1\n' }, { setting: '/bin/cat' }));
  assert.ok('error' in discovery && discovery.error.includes('it is not maestro-lsp'));
});

test('the active Python environment comes before PATH, and is started as a module', async () => {
  const around = machine({ '/v/bin/python': SERVER, '/v/bin/maestro-lsp': SERVER, 'maestro-lsp': SERVER }, { pythons: ['/v/bin/python'] });
  const launch = found(await discover(around));
  assert.deepEqual([launch.command, launch.args], ['/v/bin/python', ['-m', 'maestro_lsp', 'serve']]);
});

test('an environment without the server is passed over without starting its Python', async () => {
  const around = machine({ '/v/bin/python': '', 'maestro-lsp': SERVER }, { pythons: ['/v/bin/python'] });
  assert.equal(found(await discover(around)).origin, 'PATH');
  assert.deepEqual(around.ran, ['maestro-lsp --version']);
});

test('the managed environment is the last resort', async () => {
  const around = machine({ '/storage/server/bin/python': SERVER });
  assert.equal(found(await discover(around)).command, '/storage/server/bin/python');
});

test('when there is none, every place that was tried is named with its reason', async () => {
  const discovery = await discover(machine({}, { pythons: ['/v/bin/python'] }));
  assert.deepEqual(discovery, { missing: ['/v/bin/python: maestro-lsp is not installed there', 'PATH: there is no such program'] });
});

test('the bundled wheel is installed, with its folder as a source for what it needs', () => {
  assert.deepEqual(pipArguments(['maestro_lsp-0.1.0-py3-none-any.whl', 'pygls-2.1.1-py3-none-any.whl'], '/w', ['--no-index']).slice(-4), [
    '--no-index',
    '--find-links',
    '/w',
    path.join('/w', 'maestro_lsp-0.1.0-py3-none-any.whl'),
  ]);
});

test('without a wheel the package is installed by name', () => {
  assert.equal(pipArguments([], '/w', []).at(-1), 'maestro-lsp');
});

test('active interpreters come before those of PATH', () => {
  assert.deepEqual(pythonCandidates(['/v/bin/python']).slice(0, 2), ['/v/bin/python', 'python3.13']);
});
