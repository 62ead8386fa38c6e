"""What call path files say of an NF: the paths' contents, and the verdicts that follow from the files alone."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from maestro_lsp import rss
from maestro_lsp.callpaths.align import align, placed
from maestro_lsp.callpaths.complete import gap
from maestro_lsp.callpaths.differ import Side
from maestro_lsp.callpaths.export import export
from maestro_lsp.callpaths.files import write
from maestro_lsp.callpaths.load import Recorded, load
from maestro_lsp.check import check
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.rss.constraint import from_matrix
from maestro_lsp.rss.nic import profile
from maestro_lsp.settings import Settings
from maestro_lsp.sharding.analysis import Analysis, Options, analyse
from maestro_lsp.symbex import expr as X
from maestro_lsp.workspace import find_nfs
from tests.test_vigor import MATRICES
from tests.vigor import NFS

from .recorded import SHARED, source, texts

FULL = bool(os.environ.get("MAESTRO_FULL"))
FIXTURE = Path(__file__).parents[2] / "fixtures" / "call-paths" / "counter.call_path"


def recorded(name: str) -> tuple[Recorded, Analysis]:
    X.forget()
    r = load(texts(name), Catalogue.builtin())
    assert not r.rejected
    return r, analyse(r.execution, 3 if name == "viglb" else 2, Options(profile("x710")))


def test_a_path_has_the_names_of_our_own_execution() -> None:
    X.forget()
    r = load([("counter", FIXTURE.read_text())], Catalogue.builtin())
    assert r.execution.complete
    (p,) = r.execution.paths
    get, borrow, give_back = p.calls
    source = X.from_bytes(tuple(X.byte("packet", 26 + i) for i in range(4)))
    assert get.touches[0].key is not None and get.touches[0].key[0].value is source
    assert get.touches[0].value is X.sym("allocated_index#0", 32)
    assert (borrow.touches[0].role, give_back.touches[0].write) == ("borrow", True)
    assert [(c.array, c.offset, c.length) for c in p.chunks] == [("packet", 0, 14), ("packet", 14, 20)]
    assert [(w.offset, w.value) for w in p.writes] == [(32, 7)]
    assert (p.device, p.outcome, p.output) == (0, "forward", 1)


@pytest.mark.parametrize(
    ("name", "verdict", "rows"),
    [
        ("vignop", "shared-nothing", ["never", "never", "never"]),
        ("vigpol", "shared-nothing", ["ipv4.dst = ipv4.dst", "never", "never"]),
        ("heavy-hitters", "shared-nothing", ["ipv4.src[0:28] = ipv4.src[0:28]", "never", "never"]),
        ("vigbridge", "locks", ["eth.dst = eth.src or eth.src = eth.dst or eth.src = eth.src"] * 3),
    ],
)
def test_the_files_alone_say_what_must_meet(name: str, verdict: str, rows: list[str]) -> None:
    _, a = recorded(name)
    assert a.verdict == verdict
    assert [str(r) for r in a.rows] == rows


def test_the_firewall_nat_and_balancer_get_the_thesis_verdicts() -> None:
    assert recorded("vigfw")[1].verdict == "shared-nothing"
    _, nat = recorded("vignat")
    assert nat.verdict == "shared-nothing" and "dchain-index-guarded" in {f.code for f in nat.findings}
    assert ("ipv4.dst", "ipv4.src") in nat.rows[1].constraint[0] and ("l4.dst", "l4.src") in nat.rows[1].constraint[0]
    _, lb = recorded("viglb")
    assert lb.verdict == "locks" and "dchain-scan" in {f.code for f in lb.findings}


@pytest.mark.parametrize("name", NFS)
def test_every_file_is_classified(name: str) -> None:
    r, _ = recorded(name)
    kinds = Counter(r.kinds.values())
    assert kinds["no-packet"] >= 2 and kinds["start-failed"] >= 1
    assert kinds["packet"] == len(r.execution.paths) and sum(kinds.values()) == len(texts(name))


@pytest.mark.parametrize("name", [*NFS, "heavy-hitters"])
def test_real_files_are_all_there_are_and_none_can_be_missing(name: str) -> None:
    r, _ = recorded(name)
    devices = 3 if name == "viglb" else 2
    assert gap(r.execution.paths, devices) is None
    given = {f.path: p.device for f, p in zip(r.path_files, r.execution.paths, strict=True)}
    every = texts(name)
    for gone, device in (
        sorted(given.items()) if FULL else random.Random(1).sample(sorted(given.items()), min(3, len(given)))
    ):
        X.forget()
        left = load([(path, text) for path, text in every if path != gone], Catalogue.builtin())
        g = gap(left.execution.paths, devices)
        assert g is not None and g.device == device, gone


@pytest.mark.parametrize("name", ["vigfw", "vignat", "vigbridge"])
def test_paths_align_with_themselves_and_only_with_their_like(name: str) -> None:
    r, _ = recorded(name)
    a = align(r, r.execution.paths, r.execution.objects, 2)
    assert a.agrees and all(n in partners for n, partners in a.partners.items())
    assert all(x == y for x, y in a.objects.items())
    assert placed(r, a, r.execution.paths) == r.execution.paths


def test_a_missing_path_is_reported_with_the_first_difference() -> None:
    r, _ = recorded("vigfw")
    gone = next(p for p in r.execution.paths if any(c.function == "map_put" for c in p.calls))
    shape = [c.function for c in gone.calls]
    rest = [p for p in r.execution.paths if [c.function for c in p.calls] != shape]
    a = align(r, rest, r.execution.objects, 2)
    assert not a.only_source and gone in [d.path for d in a.only_files]
    (why,) = {d.why for d in a.only_files if d.path is gone}
    assert "dchain_allocate_new_index succeeds here, fails there" in why


def test_files_of_two_nfs_together_are_refused() -> None:
    X.forget()
    mixed = load([*texts("vigfw"), *texts("vigbridge")], Catalogue.builtin())
    assert mixed.rejected and not mixed.execution.complete
    assert all("different NFs" in r.message for r in mixed.rejected)


@pytest.mark.parametrize("name", ["vignop", "vigfw", "vignat", "vigpol", "vigbridge"])
def test_exported_paths_read_again_say_the_same(name: str) -> None:
    r, a = recorded(name)
    again = load(
        [(f"{p.number:06}", write(export(p, r.execution.objects, Catalogue.builtin()))) for p in r.execution.paths],
        Catalogue.builtin(),
    )
    assert not again.rejected and len(again.execution.paths) == len(r.execution.paths)
    b = analyse(again.execution, 2, Options(profile("x710")))
    assert b.verdict == a.verdict
    assert [str(x) for x in b.rows] == [str(x) for x in a.rows]


@pytest.mark.parametrize("name", NFS)
def test_real_files_agree_with_their_source_in_both_directions(name: str) -> None:
    texts(name)
    (nf,) = find_nfs(source(name))
    r = check(nf, Settings(nic="x710", call_paths=str(SHARED / "call-paths" / name)))
    c = r.comparison
    assert c is not None and c.alignment is not None and c.analysis is not None
    assert r.source == "call-paths" and not [f for f in r.findings if f.code.startswith("call-paths")], c.summary
    # every packet's file is a path of the source, every path of the source a file, or one that KLEE's models exclude
    assert set(c.alignment.partners) == {p.number for p in c.recorded.execution.paths}
    matched = {n for numbers in c.alignment.partners.values() for n in numbers}
    assert c.execution is not None
    left = [p for p in c.execution.paths if p.number not in matched]
    assert {p.number for p in c.alignment.excluded} <= {p.number for p in left}
    # the rest differ from one that is matched only in that a key is one that the path used before, which KLEE's maps do not ask
    assert all(Side(p).repeats for p in left if p not in c.alignment.excluded)
    assert bool(left) == (name in ("vigbridge", "viglb"))
    # KLEE's build does not read the static table, and its maps hold anything: as run, without a file, it is empty
    assert c.any_contents == (name == "vigbridge")
    if name == "viglb":
        outside = [
            p
            for p in c.alignment.excluded
            if any(t.found is False for k in p.calls if k.op == "dchain-allocate" for t in k.touches)
        ]
        # the dchain is full though the path has just freed an index; or the backend's NIC is the one that clients are on
        assert outside and all(
            any(k.op == "dchain-free" for k in p.calls) or isinstance(p.output, X.Expr) or p.outcome == "drop"
            for p in c.alignment.excluded
        )
    # and both analyses say the same
    assert c.analysis.verdict == r.analysis.verdict
    assert [str(x) for x in c.analysis.rows] == [str(x) for x in r.analysis.rows]
    assert {f.code for f in c.analysis.findings} == {f.code for f in r.analysis.findings}
    spans = {k.span.file for p in placed(c.recorded, c.alignment, c.execution.paths) for k in p.calls}
    assert all(f.endswith(".c") for f in spans)


def test_real_files_have_the_matrix_of_the_thesis() -> None:
    """thesis.json: the same spaces of valid keys, for the roles that the NFs' own Makefiles give."""
    for name in ("vigfw", "vignat", "vigpol", "vignop"):
        _, a = recorded(name)
        tuple4 = rss.HashInput.of("ipv4-tcp", "ipv4.src", "ipv4.dst", "l4.src", "l4.dst")
        devices = [rss.Device(d, (tuple4,), 52, 9) for d in (0, 1)]
        rows = [{"devices": list(d), "constraint": c} for d, c in MATRICES[name].items()]
        theirs = rss.solve(devices, from_matrix(rows), "hash")
        ours = rss.solve(devices, from_matrix([row.to_json() for row in a.rows]), "hash")
        assert ours.dimension == theirs.dimension
        assert theirs.contains(ours.random(1)) and ours.contains(theirs.random(1))
