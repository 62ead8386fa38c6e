// The language client: one for a window, whatever folders it shows. It registers the server's commands; those that a code lens
// uses to open a panel or to copy something are answered here.

import * as vscode from 'vscode';
import { LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';
import type { Launch } from './discovery';
import type { Previews } from './preview';
import type { StatusNotification } from './protocol';

export interface ClientEvents {
  /** A server command that this client answers itself; undefined: the server's business. */
  command(id: string, argument: { uri?: string; form?: string; strategy?: string }): Promise<unknown> | undefined;
  status(notification: StatusNotification): void;
  stopped(): void;
}

const WATCHED = '**/{*.c,*.h,*.call_path,Makefile,*.toml,compile_commands.json}';

export async function startClient(launch: Launch, log: vscode.OutputChannel, previews: Previews, events: ClientEvents): Promise<LanguageClient> {
  const client = new LanguageClient(
    'maestro',
    'Maestro',
    {
      command: launch.command,
      args: launch.args,
      options: { env: { ...process.env, PYTHONUTF8: '1' } },
    },
    {
      documentSelector: [
        { scheme: 'file', language: 'c' },
        { scheme: 'file', language: 'cpp', pattern: '**/*.h' }, // VS Code takes headers for C++
        { scheme: 'file', pattern: '**/maestro.toml' },
        { scheme: 'file', language: 'klee-call-path' },
      ],
      synchronize: { configurationSection: 'maestro', fileEvents: vscode.workspace.createFileSystemWatcher(WATCHED) },
      outputChannel: log,
      traceOutputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      markdown: { supportHtml: false },
      middleware: {
        executeCommand: (id, args: unknown[], next) => events.command(id, (args[0] ?? {}) as object) ?? next(id, args),
      },
    },
  );
  client.onNotification('maestro/status', (notification: StatusNotification) => events.status(notification));
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Stopped) events.stopped();
  });
  await client.start();
  previews.attach(client); // afterwards: it replaces the client's own way
  return client;
}
