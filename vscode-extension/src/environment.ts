// What this machine offers to start the server: Python environments, programs, folders. The rules are in discovery.ts.

import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { pythonOfEnvironment, type Surroundings } from './discovery';

const PROGRAM_TIMEOUT_MS = 20_000;

/** The part of the Python extension's public interface that is used here. */
interface PythonApi {
  environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(environment: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonApi(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (extension === undefined) return undefined;
  try {
    return await extension.activate();
  } catch {
    return undefined; // broken or disabled: as if it were not there
  }
}

export async function onPythonChange(listener: () => void): Promise<vscode.Disposable> {
  const api = await pythonApi();
  return api?.environments.onDidChangeActiveEnvironmentPath(listener) ?? { dispose: () => undefined };
}

/**
 * Interpreters of the active environments. A workspace that is not trusted names none: an interpreter in it is a program that
 * somebody else wrote.
 */
export async function activePythons(): Promise<string[]> {
  if (!vscode.workspace.isTrusted) return [];
  const folders: (vscode.WorkspaceFolder | undefined)[] = [...(vscode.workspace.workspaceFolders ?? [])];
  const found: string[] = [];
  const api = await pythonApi();
  for (const folder of folders.length > 0 ? folders : [undefined]) {
    if (api !== undefined) {
      const active = api.environments.getActiveEnvironmentPath(folder?.uri);
      const resolved = await api.environments.resolveEnvironment(active);
      if (resolved?.executable.uri !== undefined) found.push(resolved.executable.uri.fsPath);
    }
    const setting = vscode.workspace.getConfiguration('python', folder ?? null).get<string>('defaultInterpreterPath', '');
    if (setting !== '' && setting !== 'python') found.push(setting.replace('${workspaceFolder}', folder?.uri.fsPath ?? ''));
    if (folder?.uri.scheme === 'file') found.push(pythonOfEnvironment(path.join(folder.uri.fsPath, '.venv')));
  }
  if (process.env.VIRTUAL_ENV !== undefined) found.push(pythonOfEnvironment(process.env.VIRTUAL_ENV));
  return [...new Set(found)].filter((file) => path.isAbsolute(file) && fs.existsSync(file));
}

export function runProgram(command: string, args: readonly string[], log?: vscode.OutputChannel, timeoutMs = PROGRAM_TIMEOUT_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { timeout: timeoutMs, encoding: 'utf8', maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return reject(new Error('there is no such program'));
      if (code === 'EACCES') return reject(new Error('it is not an executable file'));
      if (error.killed === true) return reject(new Error(`it did not end within ${timeoutMs / 1000} s`));
      const last = stderr.trim().split('\n').at(-1);
      reject(new Error(last === undefined || last === '' ? `it ended with exit status ${String(error.code)}` : last));
    });
    if (log !== undefined) {
      child.stdout?.on('data', (text: string) => log.append(text));
      child.stderr?.on('data', (text: string) => log.append(text));
    }
  });
}

export function managedFolder(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, 'server');
}

export async function surroundings(context: vscode.ExtensionContext): Promise<Surroundings> {
  return {
    setting: vscode.workspace.getConfiguration('maestro').get<string>('server.path', ''),
    pythons: await activePythons(),
    managedPython: pythonOfEnvironment(managedFolder(context)),
    platform: process.platform,
    home: os.homedir(),
    exists: fs.existsSync,
    run: (command, args) => runProgram(command, args),
  };
}
