// Where is the language server? In this order: the setting, the active Python environment, PATH, the virtual environment that
// this extension made. A place counts only if the program there answers `--version`; a setting that does not is an error, and
// nothing else is tried, because the user said which one to take.

import * as path from 'node:path';

export interface Launch {
  command: string;
  args: string[];
  /** `1.2.3` */
  version: string;
  /** For people: where it was found. */
  origin: string;
}

export interface Surroundings {
  /** `maestro.server.path`, as the user wrote it. */
  setting: string;
  /** Interpreters of active Python environments, best first. */
  pythons: readonly string[];
  managedPython: string;
  platform: NodeJS.Platform;
  home: string;
  exists(file: string): boolean;
  /** Runs a program and gives what it prints; rejects if it cannot be run or fails. */
  run(command: string, args: readonly string[]): Promise<string>;
}

export type Discovery = { found: Launch } | { error: string } | { missing: string[] };

const VERSION = /^maestro-lsp (\d+\.\d+\.\d+\S*)\s*$/m;

async function probe(around: Surroundings, command: string, args: string[], origin: string): Promise<Launch | string> {
  let answer: string;
  try {
    answer = await around.run(command, [...args, '--version']);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const version = VERSION.exec(answer)?.[1];
  if (version === undefined) return `it is not maestro-lsp: it answers --version with ${JSON.stringify(answer.slice(0, 80))}`;
  return { command, args: [...args, 'serve'], version, origin };
}

function expandHome(file: string, home: string): string {
  return file === '~' || file.startsWith('~/') ? path.join(home, file.slice(1)) : file;
}

export async function discover(around: Surroundings): Promise<Discovery> {
  if (around.platform === 'win32') {
    return { error: 'the server runs on Linux and macOS: open this folder in WSL (“WSL: Reopen Folder in WSL” of the extension WSL)' };
  }
  const setting = around.setting.trim();
  if (setting !== '') {
    const command = expandHome(setting, around.home);
    if (command.includes('/') && !path.isAbsolute(command)) {
      return { error: `maestro.server.path is ${command}: give an absolute path, one that starts with ~, or the name of a program on PATH` };
    }
    const result = await probe(around, command, [], 'the setting maestro.server.path');
    if (typeof result !== 'string') return { found: result };
    return { error: `maestro.server.path is ${command}, which does not start: ${result}` };
  }

  const tried: string[] = [];
  for (const python of around.pythons) {
    // asking a Python costs its start; an environment that has the package has the program beside the interpreter
    if (!around.exists(path.join(path.dirname(python), 'maestro-lsp'))) {
      tried.push(`${python}: maestro-lsp is not installed there`);
      continue;
    }
    const result = await probe(around, python, ['-m', 'maestro_lsp'], `the Python environment of ${python}`);
    if (typeof result !== 'string') return { found: result };
    tried.push(`${python}: ${result}`);
  }

  const onPath = await probe(around, 'maestro-lsp', [], 'PATH');
  if (typeof onPath !== 'string') return { found: onPath };
  tried.push(`PATH: ${onPath}`);

  if (around.exists(around.managedPython)) {
    const managed = await probe(around, around.managedPython, ['-m', 'maestro_lsp'], "the extension's own environment");
    if (typeof managed !== 'string') return { found: managed };
    tried.push(`the extension's own environment: ${managed}`);
  }
  return { missing: tried };
}

/** Python interpreters to make an environment with, best first. */
export function pythonCandidates(active: readonly string[]): string[] {
  return [...active, 'python3.13', 'python3.12', 'python3.11', 'python3', 'python'];
}

export function pythonOfEnvironment(folder: string): string {
  return path.join(folder, 'bin', 'python');
}

/** Arguments for pip that install the server. A bundled wheel wins; its folder also serves what it depends on. */
export function pipArguments(wheels: readonly string[], wheelFolder: string, extra: readonly string[]): string[] {
  const own = wheels.filter((name) => /^maestro_lsp-.*\.whl$/.test(name)).sort().at(-1);
  const source = own === undefined ? ['maestro-lsp'] : ['--find-links', wheelFolder, path.join(wheelFolder, own)];
  return ['-m', 'pip', 'install', '--disable-pip-version-check', '--upgrade', ...extra, ...source];
}
