// Entry point: waits until NF code is seen, then starts the server and shows what it says.

import * as path from 'node:path';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { folderHoldsNf, isNfCode, type Folder } from './activation';
import { startClient } from './client';
import { registerCommands } from './commands';
import { discover } from './discovery';
import { onPythonChange, surroundings } from './environment';
import { PathHighlight } from './highlight';
import { Panels } from './panels';
import { parallelize } from './parallelize';
import { Previews } from './preview';
import type { NfStatus } from './protocol';
import { openServerSetting, setUpServer } from './setup';
import { nfOfFile, statusItem, type ServerState } from './status';

export class Maestro implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('Maestro');
  readonly panels: Panels;
  private readonly item = vscode.window.createStatusBarItem('maestro.status', vscode.StatusBarAlignment.Left, 0);
  private readonly highlight = new PathHighlight();
  private readonly previews = new Previews();
  private client: LanguageClient | undefined;
  private nfs: readonly NfStatus[] = [];
  /** The file that is shown, or was before one of our panels was. */
  shownFile = vscode.window.activeTextEditor?.document.uri;
  private starting: Promise<void> | undefined;
  private active = false;
  private asked = false;

  constructor(readonly context: vscode.ExtensionContext) {
    this.panels = new Panels(context.extensionUri, { request: (method, uri) => this.request(method, uri) }, this.highlight);
    this.item.name = 'Maestro';
  }

  /** Starts the server once; later calls wait for that start. */
  start(): Promise<void> {
    this.starting ??= this.startServer();
    return this.starting;
  }

  /** Whether it was looked for in vain. */
  get wantsServer(): boolean {
    return this.starting !== undefined && this.client === undefined;
  }

  get running(): boolean {
    return this.client !== undefined;
  }

  /** Once, when NF code is first seen: before that nothing of ours is in sight, and no other extension is woken. */
  private async becomeActive(): Promise<void> {
    if (this.active) return;
    this.active = true;
    await vscode.commands.executeCommand('setContext', 'maestro.active', true);
    this.context.subscriptions.push(await onPythonChange(() => void this.restart()));
  }

  private async startServer(): Promise<void> {
    this.show({ kind: 'starting' });
    await this.becomeActive();
    const discovery = await discover(await surroundings(this.context));
    if ('error' in discovery) return this.refuse(discovery.error);
    if ('missing' in discovery) {
      for (const line of discovery.missing) this.log.appendLine(`No server: ${line}`);
      return this.offerSetUp();
    }
    const { found } = discovery;
    this.log.appendLine(`Starting maestro-lsp ${found.version}, found by ${found.origin}: ${[found.command, ...found.args].join(' ')}`);
    try {
      this.client = await startClient(found, this.log, this.previews, {
        command: (id, argument) => this.serverCommand(id, argument),
        status: ({ nfs }) => {
          this.nfs = nfs;
          this.show({ kind: 'running' });
          this.panels.refresh();
        },
        stopped: () => this.show({ kind: 'stopped', reason: 'The server has stopped. “Maestro: Restart Server” starts it again.' }),
      });
      await vscode.commands.executeCommand('setContext', 'maestro.serverRunning', true);
      this.show({ kind: 'running' });
      this.panels.refresh();
    } catch (error) {
      this.refuse(`The server does not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private refuse(reason: string): void {
    this.log.appendLine(reason);
    this.show({ kind: 'stopped', reason });
    void vscode.window.showErrorMessage(`Maestro: ${reason}`, 'Open Settings', 'Show Output').then((choice) => {
      if (choice === 'Open Settings') void openServerSetting();
      if (choice === 'Show Output') this.log.show();
    });
  }

  private offerSetUp(): void {
    this.show({ kind: 'stopped', reason: 'The server is not installed. “Maestro: Set Up Server” installs it.' });
    if (this.asked) return;
    this.asked = true;
    const restricted = vscode.workspace.isTrusted ? '' : ' In Restricted Mode the environments of this folder are not looked at.';
    const text = `This is a network function. Maestro can analyse it, but its server (maestro-lsp) is not installed.${restricted} Set it up in a virtual environment of its own?`;
    void vscode.window.showInformationMessage(text, 'Set Up', 'Use My Own', 'Show Output').then((choice) => {
      if (choice === 'Set Up') void this.setUp();
      if (choice === 'Use My Own') void openServerSetting();
      if (choice === 'Show Output') this.log.show();
    });
  }

  async setUp(): Promise<void> {
    if (await setUpServer(this.context, this.log)) await this.restart();
  }

  async restart(): Promise<void> {
    await this.starting;
    const old = this.client;
    this.client = undefined;
    this.nfs = [];
    await old?.dispose();
    this.starting = undefined;
    await this.start();
  }

  /** The NF of a file; of one that several share, the NF of that name. */
  nfOf(uri: vscode.Uri, name: string | undefined): NfStatus | undefined {
    return nfOfFile(this.nfs, uri.toString()) ?? this.nfs.find((nf) => nf.name === name);
  }

  request<Answer>(method: string, uri: string): Promise<Answer> {
    return this.send(method, { textDocument: { uri } });
  }

  serverExecute<Answer>(command: string, argument: object): Promise<Answer> {
    return this.send('workspace/executeCommand', { command, arguments: [argument] });
  }

  async send<Answer>(method: string, parameters: object): Promise<Answer> {
    await this.start();
    if (this.client === undefined) throw new Error('the server does not run');
    return this.client.sendRequest<Answer>(method, parameters);
  }

  /** Commands of the server's that come from code lenses and want something shown. */
  private serverCommand(id: string, { uri, form, strategy }: { uri?: string; form?: string; strategy?: string }): Promise<unknown> | undefined {
    if (id === 'maestro.parallelize' && uri !== undefined && strategy !== undefined) return parallelize(this, uri, strategy);
    const shown: Record<string, string> = {
      'maestro.showMatrix': 'maestro.ui.showMatrix',
      'maestro.showPaths': 'maestro.ui.showPaths',
      'maestro.exportRss': 'maestro.ui.copyRss',
    };
    const command = shown[id];
    if (command === undefined || uri === undefined) return undefined;
    return Promise.resolve(vscode.commands.executeCommand(command, vscode.Uri.parse(uri), form));
  }

  private server: ServerState = { kind: 'starting' };

  private show(server: ServerState): void {
    this.server = server;
    this.updateStatus();
  }

  updateStatus(): void {
    const { text, tooltip, level } = statusItem(this.server, this.nfs, this.shownFile?.toString());
    const links = this.server.kind === 'stopped' ? ['[Restart](command:maestro.ui.restart)', '[Set up](command:maestro.ui.setUp)'] : ['[Matrix](command:maestro.ui.showMatrix)', '[Call paths](command:maestro.ui.showPaths)', '[Copy RSS configuration](command:maestro.ui.copyRss)'];
    const markdown = new vscode.MarkdownString(`${tooltip}\n\n${links.join(' · ')}`, true);
    markdown.isTrusted = { enabledCommands: ['maestro.ui.restart', 'maestro.ui.setUp', 'maestro.ui.showMatrix', 'maestro.ui.showPaths', 'maestro.ui.copyRss'] };
    this.item.text = text;
    this.item.tooltip = markdown;
    this.item.command = this.server.kind === 'stopped' ? 'maestro.ui.restart' : 'maestro.ui.showMatrix';
    this.item.backgroundColor = level === 'normal' ? undefined : new vscode.ThemeColor(`statusBarItem.${level}Background`);
    this.item.show();
  }

  dispose(): void {
    this.panels.dispose();
    this.highlight.dispose();
    this.previews.dispose();
    this.item.dispose();
    this.log.dispose();
  }

  async stop(): Promise<void> {
    await this.client?.dispose();
  }
}

const FILES: Folder = {
  async list(folder) {
    const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.file(folder));
    return entries.filter(([, type]) => type !== vscode.FileType.Directory).map(([name]) => name);
  },
  async read(folder, name, mostBytes) {
    const bytes = await vscode.workspace.fs.readFile(vscode.Uri.file(path.join(folder, name)));
    return new TextDecoder().decode(bytes.subarray(0, mostBytes));
  },
};

/** Whether a document, or a file beside it, is NF code. Folders are looked at once. */
async function seesNf(document: vscode.TextDocument, looked: Map<string, Promise<boolean>>): Promise<boolean> {
  if (document.uri.scheme !== 'file' || !/\.([ch]|call_path)$|\/maestro\.toml$/.test(document.fileName)) return false;
  if (/(maestro\.toml|\.call_path)$/.test(document.fileName) || isNfCode(document.getText())) return true;
  const folder = path.dirname(document.fileName);
  const answer = looked.get(folder) ?? folderHoldsNf(folder, FILES).catch(() => false);
  looked.set(folder, answer);
  return answer;
}

async function workspaceHasOurFiles(): Promise<boolean> {
  return (await vscode.workspace.findFiles('**/{maestro.toml,*.call_path}', '**/node_modules/**', 1)).length > 0;
}

let maestro: Maestro | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const instance = new Maestro(context);
  maestro = instance;
  context.subscriptions.push(instance, ...registerCommands(instance));

  const looked = new Map<string, Promise<boolean>>();
  const look = async (document: vscode.TextDocument) => {
    if (!instance.running && (await seesNf(document, looked))) await instance.start();
  };
  context.subscriptions.push(
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidSaveTextDocument(look),
    vscode.window.onDidChangeActiveTextEditor((editor) => {
      if (editor?.document.uri.scheme === 'file') instance.shownFile = editor.document.uri;
      if (instance.running) instance.updateStatus();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (instance.wantsServer) void instance.restart();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('maestro.server.path')) void instance.restart();
    }),
  );
  for (const document of vscode.workspace.textDocuments) await look(document);
  if (!instance.running && (await workspaceHasOurFiles())) await instance.start();
}

export async function deactivate(): Promise<void> {
  await maestro?.stop();
}
