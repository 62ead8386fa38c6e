"""Broken and altered NFs: the whole analysis never raises, never takes long, and never calls shared-nothing what is not.

Mutants of all fixtures: lines cut, repeated, swapped or filled with random bytes, brackets lost, files cut off, operators flipped.

A mutant of an NF that needs locks may rightly be shared-nothing: the mutation may have removed the access that asks for locks, or
made every packet leave before it. Which lines those are is itself a question of analysis, so nobody is asked but the mutant: what
is called shared-nothing and complete is compiled and run, on one core and divided by the keys that the analysis found, and
must treat all packets alike. Mutants that gcc rejects, that do not start or that crash have no behaviour to compare. The
comparison itself can fail: tests/soundness runs every NF that needs locks through it.

MAESTRO_FULL=1 makes thousands of mutants.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.settings import Settings
from maestro_lsp.sharding.analysis import Analysis
from maestro_lsp.source.preprocess import preprocess
from maestro_lsp.source.program import Program
from maestro_lsp.source.text import decode
from maestro_lsp.source.unit import Unit
from maestro_lsp.symbex.run import Inputs, execute
from maestro_lsp.workspace import find_nfs, reader
from tests.fixtures.conftest import libvig  # noqa: F401  (a fixture of pytest)
from tests.fixtures.nfs import HERE, Fixture, compiler_flags, fixture_paths, load
from tests.soundness.divided import differences, steering

from .against_gcc import PRELUDE

EACH = 70 if os.environ.get("MAESTRO_FULL") else 2  # mutants of each fixture
SECONDS = 5.0
PACKETS = 1500
NAMES = [path.name for path in fixture_paths()]
FLIPS = [("==", "!="), ("!=", "=="), ("&&", "||"), ("||", "&&"), ("<", ">="), ("+", "-"), ("->", "."), ("!", ""), ("return", ""),
         ("0", "1"), ("*", ""), ("&", "")]  # fmt: skip
ALIKE, DIFFERENT = 0, 3  # how a comparison ends; anything else: there was nothing to compare


@cache
def fixture(name: str) -> Fixture:
    return load(next(path for path in fixture_paths() if path.name == name))


def cut(lines: list[bytes], pick: random.Random) -> None:
    at = pick.randrange(len(lines))
    del lines[at : at + pick.choice([1, 1, 1, 2, 5])]


def repeat(lines: list[bytes], pick: random.Random) -> None:
    at = pick.randrange(len(lines))
    lines[at:at] = lines[at : at + pick.choice([1, 1, 3])]


def swap(lines: list[bytes], pick: random.Random) -> None:
    i = pick.randrange(len(lines))
    j = min(len(lines) - 1, i + pick.choice([1, 1, 2, 10]))
    lines[i], lines[j] = lines[j], lines[i]


def noise(lines: list[bytes], pick: random.Random) -> None:
    at = pick.randrange(len(lines))
    line = bytearray(lines[at] or b" ")
    for _ in range(pick.choice([1, 1, 4])):
        line[pick.randrange(len(line))] = pick.randrange(256)
    lines[at] = bytes(line)


def unbalance(lines: list[bytes], pick: random.Random) -> None:
    at = pick.choice([i for i, line in enumerate(lines) if any(b in line for b in b'(){};,*"')] or [0])
    where = [i for i, b in enumerate(lines[at]) if b in b'(){};,*"'] or [0]
    i = pick.choice(where)
    lines[at] = lines[at][:i] + lines[at][i + 1 :]


def cut_off(lines: list[bytes], pick: random.Random) -> None:
    del lines[pick.randrange(len(lines)) :]


def flip(lines: list[bytes], pick: random.Random) -> None:
    old, new = (text.encode() for text in pick.choice(FLIPS))
    found = [i for i, line in enumerate(lines) if old in line]
    if found:
        at = pick.choice(found)
        lines[at] = lines[at].replace(old, new, 1)


MUTATIONS = [cut, cut, cut, repeat, swap, noise, noise, unbalance, cut_off, flip, flip]


def mutate(nf: Fixture, pick: random.Random) -> tuple[Path, bytes]:
    """One source file of the NF, changed in one to three ways."""
    file = pick.choice([p for p in nf.sources if p.parent == nf.path] + sorted(nf.path.glob("*.h")))
    lines = file.read_bytes().split(b"\n")
    for _ in range(pick.choice([1, 1, 1, 2, 3])):
        pick.choice(MUTATIONS)(lines, pick)
        lines = lines or [b""]
    return file, b"\n".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_mutants_are_analysed_in_time_and_never_wrongly_divided(
    name: str,
    libvig: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nf = fixture(name)
    monkeypatch.chdir(nf.path)  # its arguments may name files
    for seed in range(EACH):
        file, content = mutate(nf, random.Random(f"{name}/{seed}"))
        what = f"mutant {seed} of {name}, {file.name}"
        started = time.process_time()
        reports = analysed(nf, file, content)
        took = time.process_time() - started
        assert took <= SECONDS * max(1, len(reports)), f"{what} took {took:.1f} s"
        for report in reports:
            assert not report.error, f"{what}:\n{report.error}"
            analysis = report.analysis
            if analysis.verdict == "shared-nothing" and nf.expected["verdict"] != "shared-nothing":
                assert analysis.complete, what
                assert judged(nf, file, content, analysis, libvig, tmp_path / str(seed)) != DIFFERENT, (
                    f"{what} needs locks"
                )


def analysed(nf: Fixture, file: Path, content: bytes) -> list[Report]:
    read = reader({file.as_posix(): decode(content)})
    return [check(found, Settings(args=tuple(nf.traffic["args"])), read) for found in find_nfs(nf.path, None, read)]


def judged(nf: Fixture, file: Path, content: bytes, analysis: Analysis, objects: list[Path], folder: Path) -> int:
    """Runs a mutant on one core and divided; see ALIKE."""
    shutil.copytree(nf.path, folder, ignore=shutil.ignore_patterns("nf"))
    (folder / file.name).write_bytes(content)
    sources = tuple(folder / p.name if p.parent == nf.path else p for p in nf.sources)
    mutant = dataclasses.replace(nf, path=folder, sources=sources)
    target = folder / "mutant.so"
    command = ["gcc", "-std=gnu11", "-O1", "-w", "-shared", "-fPIC", "-Wl,-Bsymbolic", f"-I{folder}", *compiler_flags()]
    command += [f"-DDEVICES={nf.devices}", *(["-DNF_TAKES_MBUF"] if nf.takes_mbuf else []), "-o", str(target)]
    command += [str(s) for s in sources if s.name != "nf.c"] + [str(HERE / "shim.c"), *map(str, objects)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        return -1

    def run() -> None:
        assert analysis.configuration is not None
        steer = steering(analysis.configuration, analysis.configuration.keys, seed=1)
        found = any(True for _ in differences(mutant, target, analysis, steer, PACKETS, seed=1))
        os._exit(DIFFERENT if found and not analysis.deviations else ALIKE)

    return in_a_process_of_its_own(run)


def in_a_process_of_its_own(run: Callable[[], None]) -> int:
    """How a call ends that may crash, exit or never return."""
    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode if process.exitcode is not None else -1


@pytest.mark.parametrize(
    "declaration",
    [
        "struct s { int a; struct s x; int b; };",
        "struct s { int a; struct s; };",
        "struct s { int a; struct t y; }; struct t { struct s x; };",
        "struct s { struct s x[3]; int a; };",
    ],
)
def test_structs_that_hold_themselves_are_executed_as_far_as_they_go(declaration: str) -> None:
    text = f"{PRELUDE}{declaration}\nstruct s g;\nPROCESS {{ return g.a + buffer[0]; }}"
    program = Program([Unit.parse(preprocess("/nf/main.c", {"/nf/main.c": text}.get))])
    found = execute(program, Catalogue.builtin(), Inputs(devices=1))
    assert found.paths or found.troubles


def test_an_analysis_is_bounded_as_a_whole(tmp_path: Path) -> None:
    """Ten arrays, each found to be written only once the one before it is: every round of the execution stays within its own
    limits, and so do the accesses of every path, but not their sum."""
    steps = "".join(
        f"a{i + 1}[buffer[{i}]] = a{i}[buffer[{i + 1}]] + 1; if (a{i}[buffer[{i + 3}]] == a{i + 1}[buffer[{i + 2}]]) return 1;\n"
        for i in range(9)
    )
    arrays = "".join(f"static uint32_t a{i}[256];\n" for i in range(10))
    (tmp_path / "main.c").write_text(
        f"#include <stdbool.h>\n#include <stdint.h>\n{arrays}bool nf_init(void) {{ return true; }}\n"
        f"int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {{\n{steps}a0[buffer[1]] = 1; return 1; }}\n"
    )
    started = time.process_time()
    (report,) = (check(found, Settings(), reader({})) for found in find_nfs(tmp_path, None, reader({})))
    assert time.process_time() - started < SECONDS
    assert report.analysis.verdict == "unknown"
    assert any(f.code == "path-limit" for f in report.analysis.findings)


def test_questions_about_nested_arithmetic_are_counted_by_their_size() -> None:
    """Each iteration asks about all before it; Z3's own units count the least of that, and the analysis took half a minute."""
    loop = "uint64_t x = now; while (x != 1) x = x % 2 ? 3 * x + 1 : x / 2;"
    text = f"{PRELUDE}PROCESS {{ {loop} return 1; }}"
    program = Program([Unit.parse(preprocess("/nf/main.c", {"/nf/main.c": text}.get))])
    found = execute(program, Catalogue.builtin(), Inputs(devices=1))
    assert [t.code for t in found.troubles] == ["path-limit"]
    assert found.engine is not None and found.engine.questions < 300
