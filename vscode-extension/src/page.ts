// The frame of our webviews: one page that shows markup made by the extension, and tells it what was clicked. The page has no
// network, no inline style, and only our script.

import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { html, type Html } from './view/html';

/** What a page tells the extension. */
export type FromPage =
  | { kind: 'ready' }
  | { kind: 'open'; uri: string; range: [number, number, number, number] }
  | { kind: 'copy'; form: string; device: number }
  | { kind: 'choose'; path: number }
  | { kind: 'command'; name: string };

/** What the extension tells a page: the markup of all of it, or of one element. */
export type ToPage = { kind: 'body'; markup: string; uri: string } | { kind: 'part'; id: string; markup: string };

export function preparePage(panel: vscode.WebviewPanel, extension: vscode.Uri, title: string): void {
  const media = vscode.Uri.joinPath(extension, 'media');
  const dist = vscode.Uri.joinPath(extension, 'dist');
  panel.webview.options = { enableScripts: true, localResourceRoots: [media, dist] };
  panel.iconPath = vscode.Uri.joinPath(media, 'matrix.svg');
  panel.webview.html = frame(panel.webview, media, dist, title).text;
}

function frame(webview: vscode.Webview, media: vscode.Uri, dist: vscode.Uri, title: string): Html {
  const nonce = randomBytes(16).toString('base64');
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8" /><meta http-equiv="Content-Security-Policy" content="${policy}" />
<meta name="viewport" content="width=device-width, initial-scale=1" /><title>${title}</title>
<link rel="stylesheet" href="${webview.asWebviewUri(vscode.Uri.joinPath(media, 'page.css')).toString()}" /></head>
<body><main id="main"></main><div id="announce" role="status" class="unseen"></div>
<script nonce="${nonce}" src="${webview.asWebviewUri(vscode.Uri.joinPath(dist, 'page.js')).toString()}"></script></body></html>`;
}

/** Opens a place in the source, beside the page. */
export async function openPlace(uri: string, [line, character, endLine, endCharacter]: [number, number, number, number]): Promise<void> {
  const shown = vscode.window.visibleTextEditors.find((editor) => editor.document.uri.toString() === vscode.Uri.parse(uri).toString());
  await vscode.window.showTextDocument(vscode.Uri.parse(uri), {
    viewColumn: shown?.viewColumn ?? vscode.window.visibleTextEditors[0]?.viewColumn ?? vscode.ViewColumn.One,
    selection: new vscode.Range(line, character, endLine, endCharacter),
  });
}
