// Highlights the lines of the chosen call path in every editor that shows one of its files.

import * as vscode from 'vscode';
import type { Place } from './protocol';

export class PathHighlight implements vscode.Disposable {
  private readonly decoration = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('maestro.pathBackground'),
    overviewRulerColor: new vscode.ThemeColor('maestro.pathRuler'),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
    borderColor: new vscode.ThemeColor('maestro.pathRuler'),
    borderStyle: 'solid',
    borderWidth: '0 0 0 3px',
  });
  private lines = new Map<string, vscode.Range[]>();
  private readonly listener = vscode.window.onDidChangeVisibleTextEditors(() => this.paint());

  show(places: readonly Place[]): void {
    this.lines = new Map();
    for (const { uri, range } of places) {
      const key = vscode.Uri.parse(uri).toString();
      const ranges = this.lines.get(key) ?? [];
      ranges.push(new vscode.Range(range.start.line, 0, range.end.line, 0));
      this.lines.set(key, ranges);
    }
    this.paint();
  }

  clear(): void {
    this.show([]);
  }

  private paint(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      editor.setDecorations(this.decoration, this.lines.get(editor.document.uri.toString()) ?? []);
    }
  }

  dispose(): void {
    this.listener.dispose();
    this.decoration.dispose();
  }
}
