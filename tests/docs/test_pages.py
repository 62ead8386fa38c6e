"""The documentation holds together: links lead somewhere, examples are what they claim to be, JSON is as the schema says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from maestro_lsp.check import check
from maestro_lsp.cli import build_parser
from maestro_lsp.render.json_ import document
from maestro_lsp.render.json_ import nf as as_json
from maestro_lsp.sharding.findings import RULES
from maestro_lsp.workspace import find_nfs
from tests.e2e.workbench import launch_chromium

from .pages import ROOT, anchors, blocks, pages, without_blocks

NAMES = [str(p.relative_to(ROOT)) for p in pages()]
SCHEMA = json.loads((ROOT / "docs" / "reference" / "report.schema.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(pages()[page])):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = Path(os.path.normpath(page.parent / path)) if path else page
        exists = file in pages() or file.exists()
        if not exists or (anchor and anchor not in anchors(pages().get(file, ""))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("name", NAMES)
def test_code_blocks_are_what_they_say(name: str) -> None:
    text = pages()[ROOT / name]
    for block in blocks(text, "toml"):
        tomllib.loads(block)
    for block in blocks(text, "json"):
        json.loads(block)
    for block in blocks(text, "python"):
        compile(block, name, "exec")


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_ones_that_there_are(name: str) -> None:
    """Those that are only shown; blocks of terminals are run by test_console.py."""
    placeholders = {"S": "locks", "N": "1", "PORT": "1"}
    for line in re.findall(r"^    (?:\S*/)?maestro-lsp +([^#|>\n]+)", pages()[ROOT / name], re.M):
        words = [placeholders.get(word, word) for word in shlex.split(line)]
        build_parser(words).parse(words)  # exits with what is wrong


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_and_folders_that_are_named_are_there(name: str) -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    there = {f"/{file}" for file in tracked} | {
        f"/{folder}/" for file in tracked for folder in map(str, Path(file).parents)
    }
    shown = re.findall(r"`([\w./-]+(?:\.(?:py|ts|toml|h|md)|/))`", without_blocks(pages()[ROOT / name]))
    named = {n.replace("STRATEGY", "locks").replace("CODE", "global-state") for n in shown} - {
        "maestro.toml",
        "build/",
        "expected.toml",
    }
    assert named
    assert [n for n in sorted(named) if not any(t.endswith(f"/{n}") for t in there)] == []


def test_every_page_can_be_reached_from_the_start() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    docs = {p.relative_to(ROOT / "docs").as_posix() for p in pages() if p.is_relative_to(ROOT / "docs")}
    listed = set(re.findall(r"([\w/-]+\.md)", navigation)) | {f"findings/{code}.md" for code in RULES}
    assert docs - listed == set()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation's web site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-q",
        "-f",
        str(ROOT / "mkdocs.yml"),
        "-d",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_has_the_generated_pages_and_loads_nothing_from_the_network(site: Path) -> None:
    assert "maestro-lsp check" in (site / "reference" / "cli.html").read_text()
    loaded = {
        url
        for page in site.rglob("*.html")
        for url in re.findall(r"<(?:script|link|img)\b[^>]*(?:src|href)=\"?(https?://[^\s\">]+)", page.read_text())
    }
    assert loaded == set()


@pytest.mark.parametrize("page", ["index.html", "explanation/limits.html"])
def test_the_site_is_searched_also_when_opened_from_the_disk(page: str, site: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = launch_chromium(play)
        tab = browser.new_page()
        tab.goto((site / page).as_uri())
        tab.fill("input.md-search__input", "deviation")
        for _ in range(100):  # what is typed before the index is there counts for nothing
            tab.press("input.md-search__input", "Shift")
            tab.wait_for_timeout(100)
            if re.match(r"\d+ matching", tab.inner_text(".md-search-result__meta")):
                break
        tab.wait_for_selector(".md-search-result__item", state="attached", timeout=5000)
        assert "explanation/limits.html" in tab.inner_html(".md-search-result__list")
        browser.close()


@pytest.mark.parametrize("nf", find_nfs(ROOT / "fixtures"), ids=lambda nf: nf.name)
def test_reports_are_as_the_schema_says(nf) -> None:
    jsonschema.validate(document([as_json(check(nf))]), SCHEMA)


def test_the_schema_is_one_that_can_refuse() -> None:
    report = document([as_json(check(find_nfs(ROOT / "fixtures" / "fw")[0]))])
    report["nfs"][0]["verdict"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, SCHEMA)
