// The status bar item: the verdict of the NF whose file is shown. `statusItem` is a pure function from the server's statuses.

import type { NfStatus } from './protocol';

export interface StatusItem {
  text: string;
  /** Markdown. */
  tooltip: string;
  level: 'normal' | 'warning' | 'error';
}

export type ServerState = { kind: 'starting' } | { kind: 'running' } | { kind: 'stopped'; reason: string };

const ICONS = { 'shared-nothing': '$(check)', locks: '$(lock)', unknown: '$(question)' } as const;

/** The NF in whose folder a file lies: the innermost one. */
export function nfOfFile(nfs: readonly NfStatus[], uri: string | undefined): NfStatus | undefined {
  if (uri === undefined) return undefined;
  const folder = (nf: NfStatus) => nf.uri.slice(0, nf.uri.lastIndexOf('/') + 1);
  const around = nfs.filter((nf) => uri === nf.uri || uri.startsWith(folder(nf)));
  return around.sort((a, b) => folder(b).length - folder(a).length)[0];
}

function keysText(nf: NfStatus): string {
  if (nf.keys === 'solving') return 'searching for RSS keys …';
  if (nf.keys !== 'ready') return '';
  return { proved: 'RSS keys ready, proved', running: 'RSS keys ready, being proved', failed: 'the proof of the keys FAILED', none: 'RSS keys ready' }[nf.proof];
}

export function statusItem(server: ServerState, nfs: readonly NfStatus[], uri: string | undefined): StatusItem {
  if (server.kind === 'stopped') return { text: '$(error) Maestro', tooltip: server.reason, level: 'error' };
  if (server.kind === 'starting') return { text: '$(sync~spin) Maestro', tooltip: 'The server is starting', level: 'normal' };
  const nf = nfOfFile(nfs, uri) ?? (nfs.length === 1 ? nfs[0] : undefined);
  if (nf === undefined) {
    return { text: '$(circuit-board) Maestro', tooltip: nfs.length === 0 ? 'No network function analysed yet' : `${nfs.length} network functions analysed`, level: 'normal' };
  }
  const busy = nf.state === 'pending' || nf.state === 'stale';
  const verdict = nf.state === 'failed' ? 'not analysed' : (nf.verdict ?? 'analysing');
  const icon = nf.state === 'failed' ? '$(error)' : busy || nf.verdict === null ? '$(sync~spin)' : ICONS[nf.verdict];
  const lines = [`**${nf.name}**: ${verdict}`, keysText(nf), nf.message ?? ''].filter((line) => line !== '');
  return { text: `${icon} ${nf.name}: ${verdict}`, tooltip: lines.join('\n\n'), level: nf.proof === 'failed' ? 'error' : 'normal' };
}
