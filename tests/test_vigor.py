"""The six real NFs of Vigor, untouched, as they lie in their tree: MAESTRO_VIGOR names it."""

from __future__ import annotations

import json
from functools import cache

import pytest

from maestro_lsp import rss
from maestro_lsp.check import Report, check
from maestro_lsp.rss.constraint import from_matrix
from maestro_lsp.settings import Settings
from maestro_lsp.workspace import find_nfs
from tests.vigor import VIGOR, needs_vigor

pytestmark = needs_vigor

# the thesis's results (shared/facts/thesis.json), for the device roles of the NFs' own Makefiles
FIVE_TUPLE = [["ipv4.src", "ipv4.src"], ["ipv4.dst", "ipv4.dst"], ["l4.src", "l4.src"], ["l4.dst", "l4.dst"]]
MIRRORED = [["ipv4.src", "ipv4.dst"], ["ipv4.dst", "ipv4.src"], ["l4.src", "l4.dst"], ["l4.dst", "l4.src"]]
MATRICES = {
    "vigfw": {(0, 0): [FIVE_TUPLE], (0, 1): [MIRRORED], (1, 1): [FIVE_TUPLE]},
    "vignat": {(0, 1): [[["ipv4.dst", "ipv4.src"], ["l4.dst", "l4.src"]]]},
    "vigpol": {(0, 0): [[["ipv4.dst", "ipv4.dst"]]]},  # its Makefile makes device 0 the outside
    "vignop": {},
}
VERDICTS = {
    "vigfw": "shared-nothing",
    "vignat": "shared-nothing",
    "vigpol": "shared-nothing",
    "vignop": "shared-nothing",
    "vigbridge": "locks",
    "viglb": "locks",
}


@cache
def report(name: str, nic: str = "generic") -> Report:
    (nf,) = find_nfs(VIGOR / name)
    return check(nf, Settings(nic=nic))


def lines(r: Report, code: str) -> set[str]:
    """Source lines at which a finding of this code stands."""
    out = set()
    for f in r.analysis.findings:
        if f.code == code:
            text = r.text(f.span.file)
            out.add(text.line_text(text.line(f.span.start)).strip())
    return out


@pytest.mark.parametrize("nic", ["generic", "x710"])
@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_verdict_and_completeness(name, nic):
    r = report(name, nic)
    assert r.analysis.complete, r.execution.troubles
    assert r.analysis.verdict == VERDICTS[name]
    assert r.analysis.stateless == (name == "vignop")


@pytest.mark.parametrize("nic", ["generic", "x710"])
@pytest.mark.parametrize("name", sorted(MATRICES))
def test_the_keys_that_satisfy_the_matrix_are_the_thesis_keys(name, nic):
    tuple4 = rss.HashInput.of("ipv4-tcp", "ipv4.src", "ipv4.dst", "l4.src", "l4.dst")
    devices = [rss.Device(d, (tuple4,), 52, 9) for d in (0, 1)]
    rows = [{"devices": list(d), "constraint": c} for d, c in MATRICES[name].items()]
    theirs = rss.solve(devices, from_matrix(rows), "hash")
    ours = rss.solve(devices, from_matrix([row.to_json() for row in report(name, nic).analysis.rows]), "hash")
    assert ours.dimension == theirs.dimension
    for seed in range(20):
        assert theirs.contains(ours.random(seed)) and ours.contains(theirs.random(seed))


def test_the_load_balancer_scans_its_backends():
    assert any("cht_find_preferred_available_backend" in line for line in lines(report("viglb"), "dchain-scan"))
    assert not lines(report("viglb"), "global-state")


def test_the_nat_is_saved_by_a_condition():
    r = report("vignat")
    assert lines(r, "dchain-index-guarded") == {"if (dchain_is_index_allocated(manager->state->heap, index) == 0) {"}
    assert [d.code for d in r.analysis.deviations] == ["dchain-index-guarded"]


def test_the_bridge_keeps_macs_in_its_dynamic_table_and_only_reads_the_static_one():
    r = report("vigbridge")
    assert len(lines(r, "rss-incompatible-field")) >= 2
    read_only = [f.message for f in r.analysis.findings if f.code == "read-only-state"]
    assert read_only and all("st_map" in m for m in read_only)


def test_the_whole_tree_is_found_and_analysed():
    names = {nf.name for nf in find_nfs(VIGOR)}
    assert set(VERDICTS) <= names
    assert json.dumps(sorted(names))
