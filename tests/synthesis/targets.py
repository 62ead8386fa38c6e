"""NFs to write programs of: all fixtures, and Vigor's where MAESTRO_VIGOR names them; and what tests do with the programs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

from maestro_lsp.check import Report, check
from maestro_lsp.settings import Settings
from maestro_lsp.synthesis.parallel import STRATEGIES, Parallel, applicable, parallelize
from maestro_lsp.synthesis.runtime_part import nf_part
from maestro_lsp.workspace import find_nfs, reader
from tests.vigor import GIVEN, NFS, VIGOR

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "fixtures"
RUNTIME = ROOT / "maestro_lsp" / "runtime"
FULL = bool(os.environ.get("MAESTRO_FULL"))

TARGETS = sorted(p.parent for p in FIXTURES.glob("*/Makefile"))
if GIVEN:
    TARGETS += [VIGOR / name for name in NFS]


@cache
def report(folder: Path) -> Report:
    (nf,) = find_nfs(folder)
    return check(nf)


@cache
def program(folder: Path, strategy: str) -> Parallel | None:
    """The program of an NF, or None where the strategy does not apply."""
    r = report(folder)
    return parallelize(r, strategy) if applicable(r)[strategy] is None else None


def cases() -> list[tuple[Path, str]]:
    return [(folder, strategy) for folder in TARGETS for strategy in STRATEGIES]


def name(case: object) -> str:
    return case.name if isinstance(case, Path) else str(case)


def analysed_again(r: Report, made: Parallel, settings: Settings | None = None) -> Report:
    """What `check` says about the NF part of a generated file."""
    path = f"{r.nf.root}/{made.file_name}"
    nf = replace(r.nf, entry_file=path, files=(path,), helpers=())
    return check(nf, settings, reader({path: nf_part(made.text)}))


@cache
def dpdk_flags() -> tuple[str, ...]:
    command = ["pkg-config", "--cflags", "libdpdk"]
    return tuple(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def complaints(compiler: str, folder: Path, made: Parallel, file: Path) -> str:
    """What a compiler has to say about a program, all warnings on."""
    file.write_text(made.text)
    words = made.build().replace('"$LIBVIG"', str(RUNTIME)).split()
    own = [word for word in words if word.startswith(("-I", "-D"))]
    command = [compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", *own, *dpdk_flags()]
    command += ["-O3", "-S", "-o", os.devnull] if FULL else ["-fsyntax-only"]
    done = subprocess.run([*command, str(file)], cwd=folder, capture_output=True, text=True)
    return done.stderr if done.returncode or done.stderr else ""
