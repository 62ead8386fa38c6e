"""Paths that differ only in what nothing they do depends on are judged once. The second opinion: each path by itself.

Every third of the small NFs; MAESTRO_FULL=1: all of them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from maestro_lsp.check import DEFAULT_NIC
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.rss.nic import profile
from maestro_lsp.sharding.alike import Alike
from maestro_lsp.sharding.analysis import Analysis, Options, analyse
from maestro_lsp.symbex.path import CallPath
from maestro_lsp.symbex.run import Inputs, execute
from maestro_lsp.workspace import NfSources, find_nfs, load
from tests.fixtures.nfs import fixture_paths
from tests.vigor import GIVEN, NFS, VIGOR

SMALL = sorted(Path(__file__).with_name("nfs").glob("*.c"))[:: 1 if os.environ.get("MAESTRO_FULL") else 3]
FOLDERS = [*fixture_paths(), *(VIGOR / name for name in NFS if GIVEN)]


def judged_both_ways(nf: NfSources, monkeypatch: pytest.MonkeyPatch) -> tuple[Analysis, Analysis]:
    devices = nf.devices or 2
    execution = execute(load(nf), Catalogue.builtin(), Inputs(devices, nf.nf_args))
    options = Options(profile(DEFAULT_NIC))
    together = analyse(execution, devices, options)
    with monkeypatch.context() as m:
        m.setattr(Alike, "first", lambda _, p: p)
        alone = analyse(execution, devices, options)
    return together, alone


def said(analysis: Analysis) -> tuple[object, ...]:
    """What an analysis says, whichever of several equal accesses it says it of."""
    findings = {(f.code, f.message, f.span, tuple(r.span for r in f.related)) for f in analysis.findings}
    conflicts = {
        (c.i, c.j, frozenset((frozenset(q.terms), q.constant) for q in c.when), frozenset(c.classes), c.exact)
        for c in analysis.conflicts.conflicts
    }
    return analysis.verdict, analysis.rows, findings, conflicts, analysis.assumes, analysis.deviations


def alike(analysis: Analysis) -> int:
    """How many accesses stand on a path that is like another one on the same device."""
    return sum(a.like is not None and a.path.like is None for a in analysis.accesses)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_paths_judged_together_are_judged_as_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nf,) = find_nfs(folder)
    together, alone = judged_both_ways(nf, monkeypatch)
    assert said(together) == said(alone)
    assert not alike(alone)


@pytest.mark.parametrize("path", SMALL, ids=lambda p: p.stem)
def test_small_nfs_too(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(path, tmp_path / "main.c")
    for header in path.parent.glob("*.h"):
        shutil.copy(header, tmp_path)
    (nf,) = find_nfs(tmp_path)
    together, alone = judged_both_ways(nf, monkeypatch)
    assert said(together) == said(alone)


def test_a_condition_on_what_a_key_is_made_of_keeps_paths_apart(tmp_path: Path) -> None:
    small = Path(__file__).with_name("nfs")
    judged = {}
    for name, condition in (
        ("none", "0"),
        ("on-nothing", "ip->type_of_service & 1"),
        ("on-the-key", "ip->src_addr & 1"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(small / "table.h", folder)
        before, _, after = (small / "a-table.c").read_text().partition("  EXPIRE\n")
        (folder / "main.c").write_text(f"{before}  if ({condition}) l4 = NULL;\n  EXPIRE\n{after}")
        (nf,) = find_nfs(folder)
        analysis = analyse(execute(load(nf), Catalogue.builtin(), Inputs(2, ())), 2, Options(profile(DEFAULT_NIC)))
        judged[name] = len({a.path.number for a in analysis.accesses if a.like is None})
    assert judged["on-nothing"] == judged["none"]
    assert judged["on-the-key"] == 2 * judged["none"]


def test_alike_paths_make_the_same_calls() -> None:
    (nf,) = find_nfs(next(p for p in FOLDERS if p.name == "heavy-hitters"))
    devices = nf.devices or 2
    execution = execute(load(nf), Catalogue.builtin(), Inputs(devices, nf.nf_args))
    by_first: dict[int, list[CallPath]] = {}
    finder = Alike(frozenset())
    for p in execution.paths:
        if p.like is None and p.calls:
            by_first.setdefault(finder.first(p).number, []).append(p)
    assert any(len(group) > 1 for group in by_first.values())
    for first, *others in by_first.values():
        for p in others:
            assert [(c.function, c.span, c.touches) for c in p.calls] == [
                (c.function, c.span, c.touches) for c in first.calls
            ]
            assert (p.returned, p.writes) == (first.returned, first.writes)
