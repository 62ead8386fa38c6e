"""Call paths are exact: each has a model, no two can happen at once, and together they are all that can happen."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
import z3

from maestro_lsp.check import Report, check
from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.path import CallPath, PathCondition
from maestro_lsp.symbex.solver import Solver
from maestro_lsp.workspace import find_nfs
from tests.fixtures.nfs import FIXTURES, fixture_paths

FULL = bool(os.environ.get("MAESTRO_FULL"))
NAMES = [p.name for p in fixture_paths()]
MOST = 10_000 if FULL else 60  # forks of one fixture that are put to Z3


def report(name: str) -> Report:
    (nf,) = find_nfs(FIXTURES / name)
    return check(nf)


def forks(paths: Sequence[CallPath], depth: int = 0) -> list[tuple[list[PathCondition], list[X.Expr]]]:
    """(conditions before, conditions of the branches) wherever paths part."""
    out = []
    while paths and all(len(p.conditions) > depth for p in paths):
        first = paths[0].conditions[depth]
        if any(p.conditions[depth].expr is not first.expr for p in paths):
            break
        depth += 1
    if len(paths) < 2:
        return out
    groups: dict[X.Expr, list[CallPath]] = {}
    for p in paths:
        groups.setdefault(p.conditions[depth].expr, []).append(p)
    out.append((list(paths[0].conditions[:depth]), list(groups)))
    for g in groups.values():
        out += forks(g, depth + 1)
    return out


@pytest.mark.parametrize("name", NAMES)
def test_paths_have_models_and_part_at_exhaustive_and_exclusive_conditions(name):
    r = report(name)
    for p in r.paths:
        for c in p.conditions:
            assert X.evaluate(c.expr, p.model) == 1, f"path {p.number}: the model breaks {X.show(c.expr)}"
    solver = Solver()
    asked = 0
    for device in range(r.devices):
        for before, branches in forks([p for p in r.paths if p.device == device])[:MOST]:
            s = z3.Solver()
            for c in before:
                s.add(solver.to_z3(c.expr) == 1)
            branch = [solver.to_z3(b) == 1 for b in branches]
            s.push()
            s.add(z3.Not(z3.Or(*branch)))
            assert s.check() == z3.unsat, f"not exhaustive: {[X.show(b) for b in branches]}"
            s.pop()
            for i, a in enumerate(branch):
                for b in branch[i + 1 :]:
                    s.push()
                    s.add(a, b)
                    assert s.check() == z3.unsat, "two paths at once"
                    s.pop()
            asked += 1
    assert asked or len(r.paths) == r.devices
