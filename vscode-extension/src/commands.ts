// The palette's commands. Their ids differ from the server's (maestro.ui.*), which the language client registers.

import * as vscode from 'vscode';
import type { Maestro } from './extension';
import { chooseStrategy, verify } from './parallelize';
import { EXPORT_FORMS, type ExportForm } from './protocol';

const NICS: [string, string][] = [
  ['x710', 'Intel X710 and XL710: 52-byte key, 512 entries'],
  ['e810', 'Intel E810'],
  ['82599', 'Intel 82599: 40-byte key, 128 entries'],
  ['connectx', 'NVIDIA ConnectX'],
  ['virtio', 'virtio-net'],
  ['generic', 'the NIC of the thesis: any packet field of IPv4, TCP and UDP'],
  ['software', 'a core steers packets by any of their bytes'],
  ['null', 'a device without RSS'],
];

const FORMS: Record<ExportForm, string> = {
  'dpdk-c': 'C for DPDK',
  ethtool: 'ethtool commands',
  testpmd: 'testpmd commands',
  json: 'JSON',
};

export function registerCommands(maestro: Maestro): vscode.Disposable[] {
  const command = (id: string, run: (uri: vscode.Uri, form?: ExportForm) => unknown) =>
    vscode.commands.registerCommand(`maestro.ui.${id}`, async (uri?: vscode.Uri, form?: ExportForm) => {
      const target = uri ?? vscode.window.activeTextEditor?.document.uri ?? maestro.shownFile;
      if (target === undefined) {
        void vscode.window.showInformationMessage('Maestro: open a file of a network function first.');
        return;
      }
      try {
        await maestro.start();
        if (maestro.running) await run(target, form);
      } catch (error) {
        void vscode.window.showErrorMessage(`Maestro: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  return [
    command('showMatrix', (uri) => maestro.panels.show('maestro.matrix', uri)),
    command('showPaths', (uri) => maestro.panels.show('maestro.paths', uri)),
    command('copyRss', (uri, form) => copyRss(maestro, uri, form)),
    command('chooseNic', (uri) => chooseNic(maestro, uri)),
    command('parallelize', (uri) => chooseStrategy(maestro, uri)),
    command('verify', (uri) => verify(maestro, uri)),
    command('analyseAgain', (uri) => maestro.serverExecute('maestro.restartAnalysis', { uri: uri.toString() })),
    vscode.commands.registerCommand('maestro.ui.restart', () => maestro.restart()),
    vscode.commands.registerCommand('maestro.ui.setUp', () => maestro.setUp()),
    vscode.commands.registerCommand('maestro.ui.showOutput', () => maestro.log.show()),
  ];
}

async function copyRss(maestro: Maestro, uri: vscode.Uri, given: ExportForm | undefined): Promise<void> {
  const items = EXPORT_FORMS.map((form) => ({ label: FORMS[form], form }));
  const form = given ?? (await vscode.window.showQuickPick(items, { title: 'Copy RSS configuration as' }))?.form;
  if (form === undefined) return;
  const { text } = await maestro.serverExecute<{ text: string }>('maestro.exportRss', { uri: uri.toString(), form });
  await vscode.env.clipboard.writeText(text);
  void vscode.window.showInformationMessage(`Maestro: the RSS configuration is on the clipboard, as ${FORMS[form]}.`);
}

/** Writes the NIC into the NF's maestro.toml, which every tool reads. A setting of VS Code's would win over it, and has to go first. */
async function chooseNic(maestro: Maestro, uri: vscode.Uri): Promise<void> {
  if (!(await withoutSetting('nic', uri))) return;
  const { rss } = await maestro.request<{ rss?: { nic: string } | null }>('maestro/analysis', uri.toString());
  const items = NICS.map(([nic, description]) => ({ label: nic === rss?.nic ? `$(check) ${nic}` : nic, description, nic }));
  const choice = await vscode.window.showQuickPick(items, { title: 'NIC whose RSS is configured (written to maestro.toml)', matchOnDescription: true });
  if (choice === undefined) return;
  const { file } = await maestro.serverExecute<{ file: string }>('maestro.chooseNic', { uri: uri.toString(), nic: choice.nic });
  await (await vscode.workspace.openTextDocument(file)).save(); // the edit leaves it changed
}

/** Whether a setting is not set, or the user removed it when asked. */
async function withoutSetting(name: string, uri: vscode.Uri): Promise<boolean> {
  const settings = vscode.workspace.getConfiguration('maestro', uri);
  const found = settings.inspect<unknown>(name);
  const places: [unknown, vscode.ConfigurationTarget][] = [
    [found?.globalValue, vscode.ConfigurationTarget.Global],
    [found?.workspaceValue, vscode.ConfigurationTarget.Workspace],
    [found?.workspaceFolderValue, vscode.ConfigurationTarget.WorkspaceFolder],
  ];
  const set = places.filter(([value]) => value !== undefined && value !== null);
  if (set.length === 0) return true;
  const remove = 'Remove the Setting';
  const text = `The setting maestro.${name} is ${String(settings.get(name))}, and wins over maestro.toml.`;
  if ((await vscode.window.showWarningMessage(text, remove)) !== remove) return false;
  for (const [, target] of set) await settings.update(name, undefined, target);
  return true;
}
