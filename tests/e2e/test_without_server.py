"""The extension when it has nothing to do, or cannot: the negative control of the other end-to-end tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import workbench
from tests.e2e.workbench import CodeServer, Window, code_server, copy_fixtures

pytestmark = pytest.mark.xdist_group("workbench")

BROKEN = "/nowhere/maestro-lsp"


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[CodeServer]:
    with code_server(home, {}, {"maestro.server.path": BROKEN}) as running:
        yield running


@pytest.fixture
def window(browser: Browser, server: CodeServer, request: pytest.FixtureRequest) -> Iterator[Window]:
    folder: Path = request.getfixturevalue(request.param)
    window = Window(browser, server, folder)
    yield window
    window.close()


@pytest.fixture(scope="module")
def nfs(home: Path) -> Path:
    return copy_fixtures(home, "bridge")


@pytest.fixture(scope="module")
def plain_c(home: Path) -> Path:
    folder = home / "plain"
    folder.mkdir()
    (folder / "hello.c").write_text('#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n')
    return folder


@pytest.mark.parametrize("window", ["plain_c"], indirect=True)
def test_c_that_is_no_nf_wakes_nothing(window: Window):
    window.open("hello.c")
    window.seen('.statusbar-item[id="status.editor.mode"]', "C")
    # another extension that is activated by the same file has shown something; ours has had its chance when this command runs
    window.run("Maestro: Show Output")
    window.seen('[id="workbench.panel.output"]')
    expect(window.page.locator('.statusbar-item[id*="maestro"]')).to_have_count(0)
    expect(window.page.locator(".notification-list-item-message")).to_have_count(0)


@pytest.mark.parametrize("window", ["nfs"], indirect=True)
def test_a_broken_server_path_is_named_and_nothing_is_shown_as_found(window: Window):
    window.open("bridge_main.c")
    message = window.seen(".notification-list-item-message", "maestro.server.path")
    expect(message).to_have_text(
        f"Maestro: maestro.server.path is {BROKEN}, which does not start: there is no such program"
    )
    window.seen(".statusbar-item.has-background-color", "Maestro")
    window.photograph("broken-server-path")
    expect(window.page.locator(".editor-instance .squiggly-warning")).to_have_count(0)
    expect(window.page.locator(".editor-instance .codelens-decoration a")).to_have_count(0)


@pytest.mark.parametrize("window", ["nfs"], indirect=True)
def test_without_a_server_one_is_offered_and_a_failed_set_up_says_what_to_do(window: Window, server: CodeServer):
    machine = server.home / "d/Machine/settings.json"
    machine.write_text(json.dumps({"maestro.setup.pipArguments": ["--no-index"]}))  # no network, and no wheels but ours
    window.open("bridge_main.c")
    window.seen(".notification-list-item-message", "its server (maestro-lsp) is not installed. Set it up")
    window.photograph("set-up-offered")
    window.page.get_by_role("button", name="Set Up", exact=True).click()
    failed = window.seen(".notification-list-item-message", "could not be installed")
    expect(failed).to_contain_text("No matching distribution found for")
    expect(failed).to_contain_text("set maestro.setup.pipArguments to --no-index --find-links FOLDER")
    assert not list(
        server.home.glob("d/User/globalStorage/maestro-lsp.maestro-lsp/server")
    )  # no half an environment stays


def test_a_tool_that_is_missing_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch):
    which = shutil.which
    for tool in ("node", "chromium"):
        monkeypatch.setattr(workbench.shutil, "which", lambda name, tool=tool: None if tool in name else which(name))
        with pytest.raises(workbench.Missing, match=r"apt-get install .*" + tool):
            workbench.requirements()
