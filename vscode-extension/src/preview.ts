// Shows a file that the server wants to write before it is written: as a difference from what is there, or as it would be. VS
// Code's own preview of edits asks to tick every change of a list, which is tedious for one file.

import * as path from 'node:path';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { ApplyWorkspaceEditParams, ApplyWorkspaceEditResult, TextDocumentEdit } from 'vscode-languageserver-protocol';

const SCHEME = 'maestro-preview';

export class Previews implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? '';
  }

  /** Takes over the client's application of edits: those that want to be confirmed are shown first. */
  attach(client: LanguageClient): void {
    client.onRequest('workspace/applyEdit', (params: ApplyWorkspaceEditParams) => this.apply(client, params));
  }

  private async apply(client: LanguageClient, { edit, label }: ApplyWorkspaceEditParams): Promise<ApplyWorkspaceEditResult> {
    const asks = Object.values(edit.changeAnnotations ?? {}).some((annotation) => annotation.needsConfirmation);
    const written = (edit.documentChanges ?? []).filter((change): change is TextDocumentEdit => 'edits' in change);
    const only = written[0];
    if (!asks || only === undefined || written.length > 1) {
      return { applied: await vscode.workspace.applyEdit(await client.protocol2CodeConverter.asWorkspaceEdit(edit)) };
    }
    const target = vscode.Uri.parse(only.textDocument.uri);
    const text = only.edits.map((change) => ('newText' in change ? change.newText : '')).join('');
    if (!(await this.confirm(target, text, label ?? ''))) return { applied: false, failureReason: 'it was discarded' };
    const plain = { ...edit, documentChanges: (edit.documentChanges ?? []).map(withoutAnnotation) };
    delete plain.changeAnnotations;
    return { applied: await vscode.workspace.applyEdit(await client.protocol2CodeConverter.asWorkspaceEdit(plain)) };
  }

  private async confirm(target: vscode.Uri, text: string, label: string): Promise<boolean> {
    const name = path.basename(target.fsPath);
    const preview = target.with({ scheme: SCHEME, authority: '' });
    this.texts.set(preview.path, text);
    const exists = await vscode.workspace.fs.stat(target).then(
      () => true,
      () => false,
    );
    if (exists) await vscode.commands.executeCommand('vscode.diff', target, preview, `${name}: now ↔ to be written`);
    else await vscode.window.showTextDocument(preview, { preview: true });
    const choice = await vscode.window.showInformationMessage(`Write ${name}? (${label})`, 'Write', 'Discard');
    await closeTabsOf(preview);
    this.texts.delete(preview.path);
    return choice === 'Write';
  }

  dispose(): void {
    this.registration.dispose();
  }
}

type Change = NonNullable<ApplyWorkspaceEditParams['edit']['documentChanges']>[number];

function withoutAnnotation(change: Change): Change {
  if ('edits' in change) return { ...change, edits: change.edits.map(({ annotationId: _, ...rest }: { annotationId?: string } & TextDocumentEdit['edits'][number]) => rest as TextDocumentEdit['edits'][number]) };
  const { annotationId: _, ...rest } = change;
  return rest as Change;
}

async function closeTabsOf(uri: vscode.Uri): Promise<void> {
  const shows = ({ input }: vscode.Tab) =>
    (input instanceof vscode.TabInputText && input.uri.toString() === uri.toString()) ||
    (input instanceof vscode.TabInputTextDiff && input.modified.toString() === uri.toString());
  await vscode.window.tabGroups.close(vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(shows));
}
