// The two panels, one of each kind for an NF: they ask the server, show what a pure function makes of the answer, and ask again
// when the server says that something changed.

import * as vscode from 'vscode';
import type { PathHighlight } from './highlight';
import { openPlace, preparePage, type FromPage, type ToPage } from './page';
import type { ExportForm, PanelAnswer, PathsAnswer } from './protocol';
import { matrixPanel } from './view/matrix';
import { pathDetail, pathsPanel } from './view/paths';

export interface Server {
  request<Answer>(method: string, uri: string): Promise<Answer>;
}

type Kind = 'maestro.matrix' | 'maestro.paths';

const TITLES: Record<Kind, string> = { 'maestro.matrix': 'Constraint matrix', 'maestro.paths': 'Call paths' };

abstract class Page {
  private asked = 0;

  constructor(
    readonly panel: vscode.WebviewPanel,
    readonly uri: string,
    protected readonly server: Server,
    extension: vscode.Uri,
  ) {
    preparePage(panel, extension, TITLES[panel.viewType.replace(/^mainThreadWebview-/, '') as Kind]);
    panel.webview.onDidReceiveMessage((message: FromPage) => void this.receive(message));
  }

  protected abstract draw(): Promise<{ title: string; markup: string }>;
  protected abstract act(message: FromPage): Promise<void>;
  closed(): void {}

  protected post(message: ToPage): void {
    void this.panel.webview.postMessage(message);
  }

  async refresh(): Promise<void> {
    const turn = ++this.asked;
    try {
      const { title, markup } = await this.draw();
      if (turn !== this.asked) return; // a later question is under way
      this.panel.title = title;
      this.post({ kind: 'body', markup, uri: this.uri });
    } catch {
      // the server stops or restarts: its next status brings us here again
    }
  }

  private async receive(message: FromPage): Promise<void> {
    if (message.kind === 'ready') await this.refresh();
    else if (message.kind === 'open') await openPlace(message.uri, message.range);
    else if (message.kind === 'command' && message.name !== 'clear') {
      const ids: Record<string, string> = { paths: 'maestro.ui.showPaths', nic: 'maestro.ui.chooseNic', again: 'maestro.ui.analyseAgain' };
      const id = ids[message.name];
      if (id !== undefined) await vscode.commands.executeCommand(id, vscode.Uri.parse(this.uri));
    } else await this.act(message);
  }
}

class MatrixPage extends Page {
  private answer: PanelAnswer | undefined;

  protected async draw() {
    this.answer = await this.server.request<PanelAnswer>('maestro/panel', this.uri);
    return { title: this.answer.nf === undefined ? 'Constraint matrix' : `Matrix: ${this.answer.nf.name}`, markup: matrixPanel(this.answer).text };
  }

  protected async act(message: FromPage): Promise<void> {
    if (message.kind !== 'copy') return;
    const device = this.answer?.devices?.find((d) => d.device === message.device);
    const text = message.form === 'key' ? device?.key : device?.exports[message.form as ExportForm];
    if (text === undefined) return;
    await vscode.env.clipboard.writeText(text);
    this.post({ kind: 'part', id: 'announce', markup: 'Copied' });
    vscode.window.setStatusBarMessage('$(clippy) Copied', 2000);
  }
}

class PathsPage extends Page {
  private answer: PathsAnswer | undefined;
  private chosen: number | undefined;

  constructor(
    panel: vscode.WebviewPanel,
    uri: string,
    server: Server,
    extension: vscode.Uri,
    private readonly highlight: PathHighlight,
  ) {
    super(panel, uri, server, extension);
  }

  protected async draw() {
    this.answer = await this.server.request<PathsAnswer>('maestro/paths', this.uri);
    if (this.chosen !== undefined) this.highlight.show(this.path(this.chosen)?.lines ?? []);
    return { title: this.answer.nfs?.[0] === undefined ? 'Call paths' : `Call paths: ${this.answer.nfs[0]}`, markup: pathsPanel(this.answer, this.chosen).text };
  }

  protected async act(message: FromPage): Promise<void> {
    if (message.kind === 'choose') {
      const path = this.path(message.path);
      if (path === undefined) return;
      this.chosen = path.number;
      this.post({ kind: 'part', id: 'detail', markup: pathDetail(path).text });
      this.highlight.show(path.lines);
    } else if (message.kind === 'command') {
      this.chosen = undefined;
      this.highlight.clear();
      await this.refresh();
    }
  }

  override closed(): void {
    this.highlight.clear();
  }

  private path(number: number) {
    return this.answer?.paths?.find((path) => path.number === number);
  }
}

export class Panels implements vscode.Disposable {
  private readonly pages = new Map<string, Page>();
  private readonly serializers: vscode.Disposable[];

  constructor(
    private readonly extension: vscode.Uri,
    private readonly server: Server,
    private readonly highlight: PathHighlight,
  ) {
    // a window that is reloaded shows its panels again
    this.serializers = (Object.keys(TITLES) as Kind[]).map((kind) =>
      vscode.window.registerWebviewPanelSerializer(kind, {
        deserializeWebviewPanel: async (panel, state: { uri?: string } | undefined) => {
          if (state?.uri === undefined) panel.dispose();
          else this.adopt(kind, panel, state.uri);
        },
      }),
    );
  }

  show(kind: Kind, uri: vscode.Uri): void {
    const key = this.key(kind, uri.toString());
    const existing = this.pages.get(key);
    if (existing !== undefined) {
      existing.panel.reveal(undefined, true);
      void existing.refresh();
      return;
    }
    const beside = [...this.pages.values()][0]?.panel.viewColumn ?? vscode.ViewColumn.Beside; // all panels share one column
    this.adopt(kind, vscode.window.createWebviewPanel(kind, TITLES[kind], beside, { retainContextWhenHidden: true }), uri.toString());
  }

  refresh(): void {
    for (const page of this.pages.values()) void page.refresh();
  }

  private key(kind: Kind, uri: string): string {
    return `${kind} ${uri.slice(0, uri.lastIndexOf('/'))}`; // an NF is a folder
  }

  private adopt(kind: Kind, panel: vscode.WebviewPanel, uri: string): void {
    const page = kind === 'maestro.matrix' ? new MatrixPage(panel, uri, this.server, this.extension) : new PathsPage(panel, uri, this.server, this.extension, this.highlight);
    const key = this.key(kind, uri);
    this.pages.set(key, page);
    panel.onDidDispose(() => {
      page.closed();
      this.pages.delete(key);
    });
  }

  dispose(): void {
    for (const disposable of this.serializers) disposable.dispose();
    for (const page of this.pages.values()) page.panel.dispose();
  }
}
