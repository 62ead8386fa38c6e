"""Where the server comes from, and what is opened: the environment that the extension makes, those of Python, folders that are not
trusted, several folders at once, folders without sources.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.workbench import REPOSITORY, Window, code_server, copy_fixtures

pytestmark = pytest.mark.xdist_group("workbench")

SERVER = Path(sys.executable).parent / "maestro-lsp"
STATUS = '.statusbar-item[id*="maestro"]'
MESSAGE = ".notification-list-item-message"
NOT_INSTALLED = "its server (maestro-lsp) is not installed. Set it up"
SET_UP_MS = 180_000


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mw-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def environment(folder: Path, marker: Path) -> Path:
    """A Python environment with the server, which leaves a marker when it is run; gives its interpreter."""
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin/python"
    python.write_text(f"#!/bin/sh\ntouch '{marker}'\nexec '{sys.executable}' \"$@\"\n")
    python.chmod(0o755)
    shutil.copy(SERVER, folder / "bin")
    return python


def test_the_server_is_set_up_from_the_wheel_of_the_extension_without_a_network(
    browser: Browser, home: Path, tmp_path: Path
):
    needed = ["-q", "download", "--disable-pip-version-check", "--only-binary", ":all:", "-d", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", *needed, str(REPOSITORY)], check=True, timeout=300)
    for wheel in tmp_path.glob("maestro_lsp-*"):
        wheel.unlink()  # the extension brings it
    arguments = {"maestro.setup.pipArguments": ["--no-index", "--find-links", str(tmp_path)]}
    with code_server(home, {}, arguments) as server:
        window = Window(browser, server, copy_fixtures(home, "fw"))
        window.open("fw_main.c")
        window.seen(MESSAGE, NOT_INSTALLED)
        window.page.get_by_role("button", name="Set Up", exact=True).click()
        expect(window.page.locator(STATUS).filter(has_text="fw: shared-nothing")).to_be_visible(timeout=SET_UP_MS)
        window.photograph("set-up-done")
        (made,) = (home / "d/User/globalStorage/maestro-lsp.maestro-lsp/server").glob("bin/maestro-lsp")
        assert subprocess.run([made, "--version"], capture_output=True, check=True).stdout.startswith(b"maestro-lsp ")
        window.close()


def test_an_environment_in_a_folder_that_is_not_trusted_is_not_run(browser: Browser, home: Path):
    folder = copy_fixtures(home, "fw")
    marker = home / "was-run"
    environment(folder / ".venv", marker)
    settings = {"security.workspace.trust.enabled": True, "security.workspace.trust.startupPrompt": "never"}
    with code_server(home, settings, {}, trusting=False) as server:
        window = Window(browser, server, folder)
        window.seen('.statusbar-item[id="status.workspaceTrust"]', "Restricted Mode")
        window.open("fw_main.c")
        window.seen(MESSAGE, "In Restricted Mode the environments of this folder are not looked at.")
        window.photograph("restricted")
        assert not marker.exists()
        window.run("Workspaces: Manage Workspace Trust")
        window.page.get_by_role("button", name="Trust", exact=True).first.click()
        window.open("fw_main.c")
        window.seen(STATUS, "fw: shared-nothing")
        assert marker.exists()  # the control: now it is
        window.close()


PYTHON_EXTENSION = """
const environments = {
  getActiveEnvironmentPath: () => ({ id: 'chosen', path: CHOSEN }),
  resolveEnvironment: async ({ path }) => ({ executable: { uri: require('vscode').Uri.file(path) } }),
  onDidChangeActiveEnvironmentPath: () => ({ dispose() {} }),
};
exports.activate = () => ({ environments });
"""


def test_the_interpreter_that_is_chosen_in_the_python_extension_starts_the_server(
    browser: Browser, home: Path, tmp_path: Path
):
    """By the Python extension's public interface, which a small extension of that name answers here: the real one is not to be had
    without its marketplace."""
    marker = home / "was-run"
    chosen = environment(home / "env", marker)
    package = {"name": "python", "publisher": "ms-python", "version": "2024.0.0", "engines": {"vscode": "^1.91.0"}}
    (tmp_path / "package.json").write_text(json.dumps({**package, "main": "./main.js", "activationEvents": []}))
    (tmp_path / "main.js").write_text(PYTHON_EXTENSION.replace("CHOSEN", json.dumps(str(chosen))))
    vsce = REPOSITORY / "vscode-extension/node_modules/.bin/vsce"
    options = ["--no-dependencies", "--allow-missing-repository", "--skip-license", "--out", "python.vsix"]
    subprocess.run([vsce, "package", *options], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    with code_server(home, {}, {}, others=[tmp_path / "python.vsix"]) as server:
        window = Window(browser, server, copy_fixtures(home, "fw"))
        window.open("fw_main.c")
        window.seen(STATUS, "fw: shared-nothing")
        assert marker.exists()
        window.close()


def servers_of(home: Path) -> list[str]:
    """The language servers that run for the workbench of a home; other tests have theirs at the same time."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            words = (process / "cmdline").read_bytes().decode().split("\0")
            if words[1:3] == [str(SERVER), "serve"] and f"HOME={home}".encode() in (
                process / "environ"
            ).read_bytes().split(b"\0"):
                found.append(process.name)
    return found


def test_folders_of_a_workspace_have_their_own_settings_and_one_server(browser: Browser, home: Path):
    both = copy_fixtures(home, "fw", "bridge")
    settings = both / "bridge/.vscode/settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"maestro.nic": "connectx"}))
    workspace = home / "two.code-workspace"
    workspace.write_text(json.dumps({"folders": [{"path": str(both / name)} for name in ("fw", "bridge")]}))
    with code_server(home, {}, {"maestro.server.path": str(SERVER)}) as server:
        window = Window(browser, server, workspace)
        window.open("bridge_main.c")
        window.seen(STATUS, "bridge: locks")
        assert any("no RSS option of connectx hashes" in message for message, _, _ in window.problems("bridge_main.c"))
        window.run("View: Hide Panel")
        window.open("fw_flows.c")
        window.seen(STATUS, "fw: shared-nothing")
        window.run("Maestro: Show Constraint Matrix")
        expect(window.webview("fw").locator("#rss-title")).to_have_text("RSS configuration for x710")
        window.photograph("two-folders")
        window.run("Maestro: Choose NIC")  # in the folder of the firewall nothing is set
        window.choose("connectx")
        expect(window.webview("fw").locator("#rss-title")).to_have_text("RSS configuration for connectx")
        assert (both / "fw/maestro.toml").read_text() == '[maestro]\nnic = "connectx"\n'
        window.open("bridge_main.c")
        window.run("Maestro: Choose NIC")
        window.seen(MESSAGE, "The setting maestro.nic is connectx, and wins over maestro.toml.")
        window.page.get_by_role("button", name="Remove the Setting").click()
        window.choose("82599")
        window.run("Maestro: Show Constraint Matrix")
        expect(window.webview("bridge").locator("#rss-title")).to_have_text("RSS configuration for 82599")
        assert json.loads(settings.read_text()) == {}
        assert len(servers_of(home)) == 1
        window.close()


def test_a_folder_with_call_path_files_alone_is_analysed(browser: Browser, home: Path):
    recorded = home / "recorded/fw/klee-last"
    write = [SERVER, "paths", REPOSITORY / "fixtures/fw", "--format", "call-path", "--out", recorded]
    subprocess.run(write, check=True, capture_output=True, timeout=60)
    first = min(path.name for path in recorded.glob("*.call_path"))
    with code_server(home, {}, {"maestro.server.path": str(SERVER)}) as server:
        window = Window(browser, server, home / "recorded")
        window.seen(STATUS, "fw: shared-nothing")  # before any file is opened
        window.open(first)
        lens = window.seen(".editor-instance .codelens-decoration a", "shared-nothing: RSS keys for x710")
        lens.click()
        try:
            panel = window.webview("fw")
        except AssertionError:  # a lens that is drawn anew under the pointer loses a click, on a loaded machine
            lens.click()
            panel = window.webview("fw")
        expect(panel.locator("header")).to_contain_text("28 call paths on 2 devices")
        window.photograph("call-paths-alone")
        window.close()
