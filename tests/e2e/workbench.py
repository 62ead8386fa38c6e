"""A real VS Code workbench without a display: its server and extension host (code-server), and Chromium as its window.

`CodeServer` starts and stops one with an extension, `Window` does in it what a person does: open files, type, point, choose.
Nothing here waits for a length of time; everything waits for what a person would see.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Error, Frame, Locator, Page, TimeoutError, expect

REPOSITORY = Path(__file__).parent.parent.parent
CODE_SERVER = REPOSITORY / "build/workbench/node_modules/code-server/out/node/entry.js"
EXTENSION = REPOSITORY / "build/maestro-lsp.vsix"
SCREENSHOTS = REPOSITORY / "build/e2e"

START_SECONDS = 60  # of two loaded cores
SEEN_MS = 30_000  # until something must be seen
SOON_MS = 5_000  # until it is tried once more
PATIENCE = 6  # tries

QUICK_INPUT = '.quick-input-widget:not([style*="display: none"])'

SETTINGS: dict[str, Any] = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "files.autoSave": "off",
    "chat.disableAIFeatures": True,
    "workbench.colorTheme": "Default Dark Modern",
    "editor.minimap.enabled": False,
    "editor.hover.delay": 100,
    "workbench.reduceMotion": "on",
    "window.restoreWindows": "none",
}


class Missing(Exception):
    """Something that these tests need is not on this machine; the text says how to get it."""


def find_chromium() -> str:
    """Chromium's program."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise Missing("the end-to-end tests need Chromium (on Debian: apt-get install chromium)")
    return found


def requirements() -> tuple[str, str]:
    """The programs of Node.js and Chromium."""
    node = shutil.which("node")
    if node is None:
        raise Missing(
            "the end-to-end tests need Node.js 20 (on Debian: apt-get install nodejs npm), then: make workbench vsix"
        )
    chromium = find_chromium()
    for needed in (CODE_SERVER, EXTENSION):
        if not needed.exists():
            raise Missing(f"{needed} is missing: make workbench vsix")
    return node, chromium


@dataclass
class CodeServer:
    """One running workbench server, its folders below `home` (a short path: socket paths end at 108 characters)."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, opened: Path) -> str:
        """Of a window that shows a folder, or the folders of a workspace file."""
        kind = "workspace" if opened.suffix == ".code-workspace" else "folder"
        return f"http://127.0.0.1:{self.port}/?{kind}={quote(str(opened))}"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@contextmanager
def code_server(
    home: Path, user: dict[str, Any], machine: dict[str, Any], trusting: bool = True, others: Sequence[Path] = ()
) -> Iterator[CodeServer]:
    """Starts a workbench with the extension installed; `user` and `machine` are settings of those scopes. Not `trusting`: folders
    are only trusted once the user says so. `others` are more extensions to install."""
    node, _ = requirements()
    data, extensions, config = home / "d", home / "x", home / "c.yaml"
    for folder, settings in (("User", SETTINGS | user), ("Machine", machine)):
        (data / folder).mkdir(parents=True)
        (data / folder / "settings.json").write_text(json.dumps(settings))
    (home / "t").mkdir()
    config.write_text("")
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith("VSCODE_") and k not in ("PORT", "PASSWORD", "VIRTUAL_ENV")
    }
    own = {
        "HOME": home,
        "TMPDIR": home / "t",
        "XDG_CONFIG_HOME": home / "xc",
        "XDG_DATA_HOME": home / "xd",
        "XDG_CACHE_HOME": home / "xk",
    }
    own |= {
        "PATH": os.pathsep.join(
            p for p in os.environ["PATH"].split(os.pathsep) if not (Path(p) / "maestro-lsp").exists()
        )
    }
    env = kept | {k: str(v) for k, v in own.items()} | {"EXTENSIONS_GALLERY": '{"serviceUrl":""}'}
    command = [
        node,
        str(CODE_SERVER),
        "--user-data-dir",
        str(data),
        "--extensions-dir",
        str(extensions),
        "--config",
        str(config),
    ]
    installed = [word for extension in (EXTENSION, *others) for word in ("--install-extension", str(extension))]
    subprocess.run(
        [*command, *installed],
        env=env,
        check=True,
        capture_output=True,
        timeout=START_SECONDS,
    )
    port = free_port()
    options = [
        "--auth=none",
        "--disable-telemetry",
        "--disable-update-check",
        *(["--disable-workspace-trust"] if trusting else []),
        "--ignore-last-opened",
    ]
    log = (home / "log").open("wb")
    process = subprocess.Popen(
        [*command, f"--bind-addr=127.0.0.1:{port}", "--disable-getting-started-override", *options],
        env=env, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until_healthy(process, port, home / "log")
        yield CodeServer(home, port, process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=START_SECONDS)
        log.close()


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the workbench's server did not start:\n{log.read_text()[-2000:]}")


def launch_chromium(playwright: Any) -> Browser:
    quiet = [
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    browser: Browser = playwright.chromium.launch(
        executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu", *quiet]
    )
    return browser


def copy_fixtures(home: Path, *names: str) -> Path:
    """Fixtures as they lie here, with the libVig they use, in a folder whose name has a space and a letter beyond ASCII."""
    folder = home / "NFs schön"
    for name in names:
        shutil.copytree(REPOSITORY / "fixtures" / name, folder / name)
    for shared in [*(REPOSITORY / "fixtures").glob("*.[ch]"), REPOSITORY / "fixtures/Makefile"]:
        shutil.copy(shared, folder)
    shutil.copytree(
        REPOSITORY / "maestro_lsp/runtime/libvig", folder / "libvig"
    )  # make splits paths at spaces, so the -I is lost
    return folder


class Window:
    """A window of the workbench, as a person sees it."""

    def __init__(self, browser: Browser, server: CodeServer, folder: Path):
        self.server = server
        self.folder = folder
        context = browser.new_context(
            viewport={"width": 1400, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
        )
        self.page: Page = context.new_page()
        self.page.set_default_timeout(SEEN_MS)
        self.page.goto(server.url(folder), wait_until="domcontentloaded")
        expect(self.page.locator(".explorer-folders-view .monaco-list-row").first).to_be_visible(timeout=SEEN_MS)

    def close(self) -> None:
        self.page.context.close()

    # what there is to see

    def seen(self, selector: str, text: str | re.Pattern[str] | None = None) -> Locator:
        """The first such element, once it is visible."""
        found = self.page.locator(selector)
        if text is not None:
            found = found.filter(has_text=text)
        expect(found.first).to_be_visible(timeout=SEEN_MS)
        return found.first

    def gone(self, selector: str, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator(selector).filter(has_text=text)).to_have_count(0, timeout=SEEN_MS)

    def photograph(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    # what there is to do

    def open(self, name: str) -> None:
        """Opens a file of the folder by its name, in the first column."""
        self.page.keyboard.press("Control+1")
        self._pick("Control+P", name, f'.monaco-list-row[aria-label*="{name}"]')
        self.seen(f'.tab.active[data-resource-name="{name}"]')
        self.seen(".editor-instance .view-lines .view-line")

    def run(self, command: str) -> None:
        """Runs a command of the palette by its title."""
        self._pick("F1", f">{command}", f'.monaco-list-row[aria-label*="{command}"]')

    def _pick(self, key: str, text: str, row: str) -> None:
        """Opens a list by a key, types into it, and chooses. Once more if the list closes by itself: it does when something else
        takes the focus, as a panel that has just been made."""
        for _ in range(PATIENCE):
            self.page.keyboard.press(key)
            with suppress(TimeoutError):
                self.page.locator(f"{QUICK_INPUT} input").first.fill(text, timeout=SOON_MS)
                self.page.locator(f"{QUICK_INPUT} {row}").first.click(timeout=SOON_MS)
                return
            self.page.keyboard.press("Escape")
        raise AssertionError(f"{text!r} is not offered")

    def choose(self, text: str) -> None:
        """Chooses an item of the list that has just been offered."""
        self.seen(".quick-input-list .monaco-list-row", text).click()

    def go_to(self, line: int, column: int = 1) -> None:
        """Puts the cursor there; both count from 1."""
        self.page.keyboard.press("Control+G")
        self.seen(f"{QUICK_INPUT} input").fill(f":{line}:{column}")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(QUICK_INPUT)).to_have_count(0)

    def token(self, line_text: str, token: str) -> Locator:
        """The text of a token on the visible line that contains `line_text`."""
        line = self.page.locator(".editor-instance .view-line").filter(has_text=visible(line_text)).first
        found = line.locator("span > span").filter(has_text=token).first
        expect(found).to_be_visible(timeout=SEEN_MS)
        return found

    def hover(self, line_text: str, token: str) -> Locator:
        """Rests the mouse on a token, and gives what is shown there."""
        at = self.token(line_text, token).bounding_box()
        assert at is not None
        self.page.mouse.move(5, 5)
        self.page.mouse.move(at["x"] + 4, at["y"] + at["height"] / 2, steps=4)
        shown = self.seen(".monaco-hover:not(.hidden) .hover-contents")
        self.page.wait_for_function(  # it fades in
            "() => document.getAnimations().every(animation => animation.playState !== 'running')", timeout=SEEN_MS
        )
        return shown

    def problems(self, file: str) -> list[tuple[str, int, int]]:
        """Findings that the Problems view lists for a file: message, line and column, which count from 1."""
        self.filter_problems(file)  # the list makes only the rows that are in sight
        rows = self.page.locator(".markers-panel .monaco-list-row")
        expect(rows.filter(has_text=file).first).to_be_visible(timeout=SEEN_MS)
        found, before = self._listed(file), None
        end = time.monotonic() + SEEN_MS / 1000
        while (not found or found != before) and time.monotonic() < end:  # the list is drawn row by row
            self.page.wait_for_timeout(200)
            found, before = self._listed(file), found
        return sorted(found)

    def _listed(self, file: str) -> list[tuple[str, int, int]]:
        found: list[tuple[str, int, int]] = []
        inside = False
        labels = "rows => rows.map(row => [Number(row.dataset.index), row.getAttribute('aria-label') ?? ''])"
        for _, label in sorted(self.page.locator(".markers-panel .monaco-list-row").evaluate_all(labels)):
            if heading := re.match(r"\d+ problems? in file (.+) of folder", label):
                inside = heading[1] == file
            elif inside and (
                finding := re.match(r"(?:Error|Warning|Info): (.*) at line (\d+) and character (\d+)\.", label)
            ):
                found.append((finding[1], int(finding[2]), int(finding[3])))
        return found

    def filter_problems(self, text: str) -> None:
        """Shows those findings in the Problems view that name a text."""
        box = self.page.locator('.panel input[placeholder^="Filter"]')
        if not box.is_visible():
            self.page.keyboard.press("Control+Shift+M")
        box.fill(text)

    def code_action(self, line_text: str, token: str, title: str) -> None:
        """Chooses a quick fix at a token. The list is opened until the fix is in it: some are found in the background."""
        self.page.mouse.move(5, 5)
        self.token(line_text, token).click()
        offered = self.page.locator(".action-widget .monaco-list-row")
        for _ in range(SEEN_MS // 1000):
            self.page.keyboard.press("Control+.")
            self.seen(".action-widget .monaco-list-row")
            if offered.filter(has_text=title).count() > 0:
                break
            self.page.keyboard.press("Escape")
            self.page.wait_for_timeout(1000)
        focused = self.page.locator(".action-widget .monaco-list-row.focused")
        for _ in range(offered.count()):
            if title in focused.inner_text():
                break
            self.page.keyboard.press("ArrowDown")
        expect(focused).to_contain_text(title)
        self.photograph("quick-fix")
        self.page.keyboard.press("Enter")

    def webview(self, heading: str) -> Frame:
        """The page inside the webview whose heading begins so."""
        end = time.monotonic() + SEEN_MS / 1000
        while time.monotonic() < end:
            for frame in self.page.frames:
                with suppress(Error):  # a webview that is being made replaces its frames
                    if (
                        "fake.html" in frame.url
                        and frame.locator("h1", has_text=re.compile(rf"^\s*{heading}\b")).count() > 0
                    ):
                        return frame
            self.page.wait_for_timeout(100)
        raise AssertionError(f"no webview shows {heading!r}; frames: {[f.url[:80] for f in self.page.frames]}")


def visible(text: str) -> re.Pattern[str]:
    """Text as the editor shows it, with spaces that do not break."""
    return re.compile(r"\s+".join(re.escape(word) for word in text.split()))
