"""What call path files say of an NF: the paths' contents, and the verdicts that follow from the files alone."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from maestro_lsp.callpaths.align import align, placed
from maestro_lsp.callpaths.export import export
from maestro_lsp.callpaths.files import write
from maestro_lsp.callpaths.load import Recorded, load
from maestro_lsp.check import check
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.rss.nic import profile
from maestro_lsp.sharding.analysis import Analysis, Options, analyse
from maestro_lsp.symbex import expr as X
from maestro_lsp.workspace import Settings, find_nfs

from .recorded import NFS, texts

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


def test_the_largest_set_is_read_and_analysed_in_five_seconds() -> None:
    start = time.perf_counter()
    recorded("heavy-hitters")
    assert time.perf_counter() - start < 5


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
        [(f"{p.number:06}", write(export(p, r.execution.objects, Catalogue.builtin()))) for p in r.execution.paths], Catalogue.builtin()
    )
    assert not again.rejected and len(again.execution.paths) == len(r.execution.paths)
    b = analyse(again.execution, 2, Options(profile("x710")))
    assert b.verdict == a.verdict
    assert [str(x) for x in b.rows] == [str(x) for x in a.rows]


VIGOR = os.environ.get("MAESTRO_VIGOR")


@pytest.mark.skipif(not VIGOR, reason="MAESTRO_VIGOR does not name a tree of Vigor (branch pregenerated20.08)")
@pytest.mark.parametrize("name", NFS)
def test_files_and_source_say_the_same(name: str) -> None:
    real = texts(name)
    (nf,) = find_nfs(Path(VIGOR or "") / name)
    source = check(nf, Settings(nic="x710"))
    r = load(real, Catalogue.builtin())
    a = analyse(r.execution, source.devices, Options(profile("x710")))
    assert a.verdict == source.analysis.verdict
    assert [str(x) for x in a.rows] == [str(x) for x in source.analysis.rows]

    def codes(x: Analysis) -> set[str]:
        return {f.code for f in x.findings}

    assert codes(a) == codes(source.analysis)
    aligned = align(r, source.execution.paths, source.execution.objects, source.devices)
    if name == "vigbridge":
        # KLEE's build leaves out reading the static table, whose contents are then anything; as run, it is empty
        assert aligned.only_files and not aligned.only_source
        assert {"map_get succeeds here, fails there"} == {d.why for d in aligned.only_files}
    elif name == "viglb":
        # KLEE assumes of each backend's NIC that it is not the one that clients are on, so it never sends a packet back there
        assert not aligned.only_files
        assert all(isinstance(d.path.output, X.Expr) for d in aligned.only_source)
    else:
        assert aligned.agrees
    where = {c.span.file for p in placed(r, aligned, source.execution.paths) for c in p.calls if p.number in aligned.partners}
    assert all(f.endswith(".c") for f in where)
