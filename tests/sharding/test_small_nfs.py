"""Small NFs, each of which is a way to a wrong "shared-nothing" (or honest, and near one). What each is called, and why by hand,
stands in its first lines. Several were called shared-nothing once.

The fixtures of the whole project are run natively as well; these are too small to be told apart from luck by random traffic.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from maestro_lsp.check import check
from maestro_lsp.settings import Settings
from maestro_lsp.workspace import find_nfs, reader
from tests.fixtures.nfs import compiler_flags

FOLDER = Path(__file__).with_name("nfs")
NAMES = sorted(p.stem for p in FOLDER.glob("*.c"))


@pytest.mark.parametrize("name", NAMES)
def test_a_small_nf_is_called_what_it_is(name: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / f"{name}.c", tmp_path / "main.c")
    for header in FOLDER.glob("*.h"):
        shutil.copy(header, tmp_path)
    verdict = (FOLDER / f"{name}.c").read_text().removeprefix("// ").partition(":")[0]
    (report,) = (check(nf, Settings(), reader({})) for nf in find_nfs(tmp_path, None, reader({})))
    assert not report.error
    assert report.analysis.verdict == verdict, [f.message for f in report.analysis.findings]


def test_a_second_name_that_another_file_gives_is_seen(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "table.h", tmp_path)
    text = (FOLDER / "second-name-of-a-variable.c").read_text()
    alias = ' __attribute__((alias("counter")))'
    assert alias in text
    (tmp_path / "main.c").write_text(text.replace("uint32_t counter;", "extern uint32_t counter;").replace(alias, ""))
    names = f"#include <stdint.h>\nuint32_t counter;\nextern uint32_t same_counter{alias};\n"
    (tmp_path / "names.c").write_text(names)
    (report,) = (check(nf, Settings(), reader({})) for nf in find_nfs(tmp_path, None, reader({})))
    assert report.analysis.verdict == "unknown", [f.message for f in report.analysis.findings]


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("__attribute__((weak)) int counts(void) { return 0; }", "int counts(void) { return 1; }"),
        ("int counts(void) { return 1; }", "int __attribute__((weak)) counts(void) { return 0; }"),
        ("__attribute__((weak)) int mode = 0;\nstatic int counts(void) { return mode; }", "int mode = 1;"),
    ],
)
def test_which_of_two_definitions_the_linker_takes_is_not_guessed(mine: str, other: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "table.h", tmp_path)
    text = (FOLDER / "a-table.c").read_text()
    text = text.replace("\nINIT", f"{mine}\nINIT").replace(
        "return full", "static int n;\n  if (counts()) n++;\n  return full || n > 9"
    )
    (tmp_path / "main.c").write_text(text)
    (tmp_path / "other.c").write_text(f"{other}\n")
    (report,) = (check(nf, Settings(), reader({})) for nf in find_nfs(tmp_path, None, reader({})))
    assert report.analysis.verdict == "unknown", [f.message for f in report.analysis.findings]
    assert any("defined in several files" in f.message for f in report.analysis.findings)


def test_the_small_nfs_are_c(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    gcc = ["gcc", "-std=gnu11", "-w", *compiler_flags()]
    table = os.fspath(tmp_path / "table.h")  # with DPDK's headers, which take a hundred times as long as an NF
    subprocess.run([*gcc, "-x", "c-header", table, "-o", f"{table}.gch"], check=True)
    for name in NAMES:
        command = [gcc[0], "-include", table, *gcc[1:], "-fsyntax-only", os.fspath(tmp_path / f"{name}.c")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_where_a_header_field_lies_is_not_guessed_behind_a_type_that_is_missing(tmp_path: Path) -> None:
    text = (FOLDER / "a-table.c").read_text()
    view = '#include "not-there.h"\nstruct view { uint8_t before[26]; far_away_t first; uint32_t address; };\n'
    text = text.replace("\nINIT", f"{view}\nINIT").replace(
        "  SOURCE\n", "  ip->src_addr = ((struct view *)buffer)->address;\n  SOURCE\n"
    )
    (tmp_path / "main.c").write_text(text)
    for header in FOLDER.glob("*.h"):
        shutil.copy(header, tmp_path)
    (report,) = (check(nf, Settings(), reader({})) for nf in find_nfs(tmp_path, None, reader({})))
    assert report.analysis.verdict == "unknown"
    assert any("far_away_t" in f.message for f in report.analysis.findings)
