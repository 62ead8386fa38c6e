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


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
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
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stderr
    assert "maestro-lsp check" in (tmp_path / "reference" / "cli.html").read_text()


@pytest.mark.parametrize("nf", find_nfs(ROOT / "fixtures"), ids=lambda nf: nf.name)
def test_reports_are_as_the_schema_says(nf) -> None:
    jsonschema.validate(document([as_json(check(nf))]), SCHEMA)


def test_the_schema_is_one_that_can_refuse() -> None:
    report = document([as_json(check(find_nfs(ROOT / "fixtures" / "fw")[0]))])
    report["nfs"][0]["verdict"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, SCHEMA)
