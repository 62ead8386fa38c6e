// Sets up the server in a virtual environment of this extension's own, after asking. The wheel that comes with the extension is
// installed; what it depends on comes from where pip is configured to look, or from `maestro.setup.pipArguments`.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { pipArguments, pythonCandidates, pythonOfEnvironment } from './discovery';
import { activePythons, managedFolder, runProgram } from './environment';

const INSTALL_TIMEOUT_MS = 15 * 60_000;
const CAN_RUN_IT = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))';

async function suitablePython(): Promise<string | undefined> {
  for (const python of pythonCandidates(await activePythons())) {
    try {
      await runProgram(python, ['-c', CAN_RUN_IT]);
      return python;
    } catch {
      continue; // not there, too old, or without venv
    }
  }
  return undefined;
}

/** Whether the server can be started afterwards. */
export async function setUpServer(context: vscode.ExtensionContext, log: vscode.OutputChannel): Promise<boolean> {
  const python = await suitablePython();
  if (python === undefined) {
    const open = 'Open Settings';
    const text = 'Maestro needs Python 3.11 or later with the venv module (on Debian: apt install python3-venv). Install it, or set maestro.server.path.';
    if ((await vscode.window.showErrorMessage(text, open)) === open) await openServerSetting();
    return false;
  }
  const folder = managedFolder(context);
  const wheels = path.join(context.extensionPath, 'wheels');
  const bundled = fs.existsSync(wheels) ? fs.readdirSync(wheels) : [];
  const extra = vscode.workspace.getConfiguration('maestro').get<string[]>('setup.pipArguments', []);
  try {
    await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'Maestro: setting up the server' }, async (progress) => {
      progress.report({ message: 'making a virtual environment' });
      log.appendLine(`Making a virtual environment in ${folder} with ${python}`);
      fs.mkdirSync(path.dirname(folder), { recursive: true });
      await runProgram(python, ['-m', 'venv', '--clear', folder], log, INSTALL_TIMEOUT_MS);
      progress.report({ message: 'installing maestro-lsp' });
      await runProgram(pythonOfEnvironment(folder), pipArguments(bundled, wheels, extra), log, INSTALL_TIMEOUT_MS);
    });
    return true;
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message : String(error);
    log.appendLine(`Setting up the server failed: ${reason}`);
    const show = 'Show Output';
    const text = `Maestro's server could not be installed: ${reason}. Without a network, put the wheels it needs in a folder and set maestro.setup.pipArguments to --no-index --find-links FOLDER.`;
    if ((await vscode.window.showErrorMessage(text, show)) === show) log.show();
    return false;
  }
}

export async function openServerSetting(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettings', 'maestro.server.path');
}
