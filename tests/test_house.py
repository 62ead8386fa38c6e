"""The house's own rules, where a machine can check them: sizes of files, and one version."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

from maestro_lsp import __version__

ROOT = Path(__file__).parent.parent
LINES = 600  # of a file that people read
WRITTEN = (".py", ".ts", ".c", ".h")


def test_no_source_is_longer_than_people_read() -> None:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sources = [ROOT / name for name in names if name.endswith(WRITTEN) and "/golden/" not in name]
    assert len(sources) > 300
    lines = {
        str(s.relative_to(ROOT)): len(s.read_text("utf-8", "replace").splitlines()) for s in sources if s.is_file()
    }
    assert {name: count for name, count in lines.items() if count > LINES} == {}


def test_there_is_one_version() -> None:
    extension = ROOT / "vscode-extension"
    told = {json.loads((extension / name).read_text())["version"] for name in ("package.json", "package-lock.json")}
    (latest, *_) = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert told | {latest} == {__version__}


def test_the_import_contracts_speak_of_every_part() -> None:
    """A part that a contract does not name could import what it likes."""
    contracts = {
        c["name"]: c for c in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    }
    package = ROOT / "maestro_lsp"
    parts = ({p.stem for p in package.glob("*.py")} | {p.parent.name for p in package.glob("*/*.py")}) - {"__init__"}
    for name, allowed in (
        ("only rss and symbex use Z3", {"rss", "symbex"}),
        ("only the server speaks LSP", {"server"}),
    ):
        assert {m.removeprefix("maestro_lsp.") for m in contracts[name]["source_modules"]} == parts - allowed
    server = {p.stem for p in (package / "server").glob("*.py")} | {"features"}
    named = contracts["of the server, only engine and facts know the analysis"]["source_modules"]
    assert {m.removeprefix("maestro_lsp.server.") for m in named} == server - {"__init__"}
    assert contracts["dependencies point one way (ARCHITECTURE.md)"]["exhaustive"]


def test_a_commit_is_held_to_what_make_lint_holds() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    (command,) = re.findall(r"entry: make -s (\S+)", hooks)
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.M)
