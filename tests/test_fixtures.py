"""Every fixture's analysis is what its expected.toml reasons out by hand, on the default NIC and on the thesis's."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.rss.fields import parse
from maestro_lsp.settings import Settings
from maestro_lsp.sharding.findings import Finding
from maestro_lsp.symbex.run import Inputs, execute
from maestro_lsp.workspace import find_nfs, load

FIXTURES = Path(__file__).parent.parent / "fixtures"
NAMES = sorted(p.parent.name for p in FIXTURES.glob("*/expected.toml"))


def several(x: Any) -> list[Any]:
    return x if isinstance(x, list) else [x]


@cache
def expected(name: str) -> dict[str, Any]:
    return tomllib.loads((FIXTURES / name / "expected.toml").read_text())


@cache
def report(name: str, nic: str, strict: bool = False) -> Report:
    (nf,) = find_nfs(FIXTURES / name)
    return check(nf, Settings(nic=nic, strict=strict))


def place(span: Any) -> tuple[str, int]:
    return os.path.basename(span.file), span.start


def places_of(name: str, file: str, texts: Any) -> set[tuple[str, int]]:
    source = (FIXTURES / name / file).read_text()
    out = set()
    for text in several(texts):
        at = source.find(text)
        assert at >= 0, f"{name}/{file} has no {text!r}"
        while at >= 0:
            out.add((file, at))
            at = source.find(text, at + 1)
    return out


def test_there_are_fixtures():
    assert len(NAMES) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_nothing_makes_the_analysis_incomplete(name):
    assert report(name, "x710").analysis.complete, report(name, "x710").execution.troubles


@pytest.mark.parametrize("name", NAMES)
def test_it_is_analysed_without_z3(name):
    engine = report(name, "x710").execution.engine
    assert engine is not None and engine.solver.z3_calls == 0


@pytest.mark.parametrize("name", NAMES)
def test_verdicts(name):
    want = expected(name)
    assert report(name, "x710").analysis.verdict == want["verdict"]
    assert report(name, "generic").analysis.verdict == want["verdict"]
    assert report(name, "x710", True).analysis.verdict == want.get("verdict_strict", want["verdict"])
    assert report(name, "x710").analysis.stateless == want["stateless"]
    assert bool(report(name, "x710").analysis.deviations) == want.get("deviations", False)
    assert not report(name, "x710", True).analysis.deviations


@pytest.mark.parametrize("nic", ["x710", "generic"])
@pytest.mark.parametrize("name", NAMES)
def test_matrix(name, nic):
    rows = {row.devices: row for row in report(name, nic).analysis.rows}
    for want in expected(name).get("matrix", []):
        row = rows[tuple(want["devices"])]
        got = sorted(sorted(map(list, c)) for c in row.constraint)
        assert got == sorted(sorted(map(list, c)) for c in want["constraint"]), want["devices"]


@pytest.mark.parametrize("name", NAMES)
def test_findings(name):
    want = expected(name)
    for w in want.get("finding", []):
        r = report(name, w.get("nic", "x710"))
        codes = several(w["code"])
        found = [f for f in r.analysis.findings if f.code in codes and w.get("object", "") in f.message]
        if "at" in w:
            where = places_of(name, w["file"], w["at"])
            found = [f for f in found if place(f.span) in where]
        assert found, f"no {codes} at {w.get('at')}: {[(f.code, place(f.span)) for f in r.analysis.findings]}"
        if "related_at" in w:
            related = places_of(name, w["file"], w["related_at"])
            assert any(place(x.span) in related for f in found for x in f.related)


@pytest.mark.parametrize("name", NAMES)
def test_there_are_no_warnings_that_nobody_expected(name):
    want = expected(name)
    stated = {code for w in want.get("finding", []) for code in several(w["code"])}
    found: list[Finding] = list(report(name, "x710").analysis.findings)
    assert not [f for f in found if f.severity != "hint" and f.code not in stated]
    assert not [f for f in found if f.code in want["none_of"]]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_rows_and_messages_name_fields_that_exist(name, strict):
    analysis = report(name, "x710", strict).analysis
    for row in analysis.rows:
        for field in (f for c in row.constraint for equality in c for f in equality if isinstance(f, str)):
            parse(field)
    assert not [f.message for f in analysis.findings if "packet@" in f.message]


def test_a_key_is_named_as_the_packets_have_it_that_the_nic_cannot_hash():
    texts = {f.message for f in report("portstats", "x710", True).analysis.findings if f.severity == "warning"}
    assert texts == {
        "state->counters is keyed by ipv4.payload[0:16], which no RSS option of x710 hashes; "
        "packets with equal ipv4.payload[0:16] must meet"
    }


def test_a_counter_is_said_to_be_changed_once():
    r = report("trap-static-counter", "x710")
    (told,) = (f for f in r.analysis.findings if f.code == "global-state")
    assert told.message.startswith("calls is changed here, and it is the same for all packets")


def test_one_core_for_each_device_is_advised_only_where_it_would_do():
    advised = {n for n in NAMES for f in report(n, "x710").analysis.findings if "one core for each device" in f.message}
    assert advised == {"device-counter"}


@pytest.mark.parametrize("name", ["fw", "nat", "lb"])
def test_running_a_program_again_finds_the_same_paths(name):
    (nf,) = find_nfs(FIXTURES / name)
    program, inputs = load(nf), Inputs(nf.devices or 2, nf.nf_args)
    first, second = (execute(program, Catalogue.builtin(), inputs) for _ in range(2))
    assert [tuple(c.function for c in p.calls) for p in first.paths] == [
        tuple(c.function for c in p.calls) for p in second.paths
    ]
    assert [(o.name, o.kind) for o in first.objects.values()] == [(o.name, o.kind) for o in second.objects.values()]
    assert first.troubles == second.troubles
