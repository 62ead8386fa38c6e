"""What documentation shows on a terminal is what the commands print. UPDATE_GOLDEN=1 writes it anew.

Blocks marked `console` are run in the order of the page, in a clone of the repository whose environment `make demo` has set up, with
nothing else. A line `...` stands for any lines.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [p for p in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if "```console\n" in p.read_text()]
_BLOCK = re.compile(r"(^```console\n)(.*?)(^```)", re.M | re.S)
_SETTINGS = {"COLUMNS": "120", "NO_COLOR": "1", "PIP_QUIET": "2"}  # pip may warn of how a machine is set up
pytestmark = pytest.mark.xdist_group("clone")  # which takes a while to set up
SCREEN = (120, 50)  # columns and rows of a window that a person works in


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows, as they are now, and nothing else."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    subprocess.run(["make", "-s", ".venv/.installed"], cwd=folder, check=True, capture_output=True, env=_environment())
    return folder


def _environment() -> dict[str, str]:
    return {
        k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")
    } | _SETTINGS


def _run(command: str, folder: Path) -> str:
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, env=_environment())
    return "".join(f"{line.rstrip()}\n" for line in (done.stdout + done.stderr).splitlines())


def _matches(expected: str, printed: str) -> bool:
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in expected.splitlines())
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_terminals_show_what_is_printed(page: Path, clone: Path) -> None:
    wrong: list[str] = []

    def replay(block: re.Match[str]) -> str:
        out = []
        for step in re.split(r"^(?=\$ )", block[2], flags=re.M)[1:]:
            command, _, expected = step.partition("\n")
            printed = _run(command.removeprefix("$ "), clone)
            if not _matches(expected, printed):
                wrong.append(f"{command}\nprints\n{printed}instead of\n{expected}")
            out.append(f"{command}\n{expected if _matches(expected, printed) else printed}")
        return block[1] + "".join(out) + block[3]

    text = _BLOCK.sub(replay, page.read_text())
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(text)
    else:
        assert not wrong, "\n".join(wrong)


def test_the_demo_shows_an_analysis_on_one_screen_and_ends_with_what_to_do_next(clone: Path) -> None:
    columns, rows = SCREEN
    printed = _run("make demo", clone).splitlines()
    assert sum(max(1, -(-len(line) // columns)) for line in printed) <= rows
    assert any("call paths on 2 devices" in line for line in printed) and any(
        "fw_flows.c:32:7: warning" in line for line in printed
    )
    assert any(line.startswith("build/fw.c: equal to fw, shared-nothing") for line in printed)
    for number, said in zip(
        (-4, -3, -2, -1), ("build/fw.c", "paths fixtures/fw", "check PATH", "docs/editors.md"), strict=True
    ):
        assert said in printed[number]
