"""What the end-to-end tests share: one Chromium, and a folder for each workbench."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.workbench import Missing, Window, launch_chromium, requirements


@pytest.fixture(scope="module")  # while it lives, its event loop keeps tests that are coroutines from running
def browser() -> Iterator[Browser]:
    try:
        requirements()
    except Missing as missing:
        pytest.fail(str(missing))
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A short folder for a workbench; pytest's own are too long for its sockets."""
    folder = Path(tempfile.mkdtemp(prefix="mw-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test leaves a photograph of the window."""
    report = yield
    window = getattr(item, "funcargs", {}).get("window")
    if report.failed and isinstance(window, Window):
        window.photograph(f"FAILED-{item.name}")
    return report
