"""Broken and mutilated NFs: the analysis never raises, never takes long, and never promises more than the whole NF allowed.

Mutants cut, double, swap and scramble lines and bytes of fixtures that need locks. A mutant may lose the very access that needs
them; then shared-nothing is right. So a mutant that is called shared-nothing, and complete, must have lost a line of the NF's
own logic: one that only gained or garbled text may not.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from maestro_lsp.check import check
from maestro_lsp.workspace import find_nfs, reader

FULL = bool(os.environ.get("MAESTRO_FULL"))
MUTANTS = 200 if FULL else 3  # of each fixture and kind
SECONDS = 5.0
FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
LOCKS = ["first-100", "bridge", "lb", "trap-static-counter", "trap-hash-vector", "trap-read-before-write", "dchain-unguarded"]


def cut(lines: list[str], pick: random.Random) -> list[str]:
    at = pick.randrange(len(lines))
    return lines[:at] + lines[at + pick.randint(1, 3) :]


def double(lines: list[str], pick: random.Random) -> list[str]:
    at = pick.randrange(len(lines))
    return lines[: at + 1] + lines[at:]


def swap(lines: list[str], pick: random.Random) -> list[str]:
    a, b = pick.randrange(len(lines)), pick.randrange(len(lines))
    lines = lines[:]
    lines[a], lines[b] = lines[b], lines[a]
    return lines


def scramble(lines: list[str], pick: random.Random) -> list[str]:
    text = list("\n".join(lines))
    for _ in range(pick.randint(1, 4)):
        text[pick.randrange(len(text))] = chr(pick.choice([0, 9, 34, 39, 40, 41, 42, 59, 123, 125, 0x2028, pick.randrange(32, 127)]))
    return "".join(text).split("\n")


KINDS = {"cut": cut, "double": double, "swap": swap, "scramble": scramble}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("name", LOCKS)
def test_mutants(name, kind):
    pick = random.Random(f"{name} {kind}")
    folder = FIXTURES / name
    sources = sorted(p for p in folder.glob("*.c") if "gen" not in p.name and "config" not in p.name)
    (nf,) = find_nfs(folder)
    for n in range(MUTANTS):
        victim = pick.choice(sources)
        lines = victim.read_text().split("\n")
        mutant = "\n".join(KINDS[kind](lines, pick))
        started = time.process_time()
        report = check(nf, read=reader({str(victim): mutant}))
        took = time.process_time() - started
        what = f"mutant {n} of {victim.name}"
        assert not report.error, f"{what}: {report.error}"
        assert took < SECONDS, f"{what} took {took:.1f} s"
        if kind == "double":  # nothing is lost, so nothing may be gained
            assert report.analysis.verdict != "shared-nothing", what
