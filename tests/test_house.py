"""The house's own rules, where a machine can check them: sizes of files, and one version."""

from __future__ import annotations

import json
import re
import subprocess
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


def test_a_commit_is_held_to_what_make_lint_holds() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    (command,) = re.findall(r"entry: make -s (\S+)", hooks)
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.M)
