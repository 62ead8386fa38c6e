"""Programs of every fixture and every NF of Vigor, by every strategy that applies: they compile without a warning, they are short,
and to the analysis they are the NF that they were made of. MAESTRO_FULL=1: with optimisation, and by both compilers each.
"""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import pytest

from maestro_lsp.synthesis.parallel import STRATEGIES, Refused, applicable, parallelize
from maestro_lsp.synthesis.runtime_part import nf_part

from .targets import FIXTURES, FULL, ROOT, TARGETS, analysed_again, cases, complaints, name, program, report

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(("folder", "strategy"), cases(), ids=name)
def test_compiles_without_a_warning(folder: Path, strategy: str, tmp_path: Path) -> None:
    made = program(folder, strategy)
    if made is None:
        assert applicable(report(folder))[strategy]
        return
    compilers = ["gcc", "clang"]
    if not FULL:
        compilers = [compilers[zlib.crc32(f"{folder.name} {strategy}".encode()) % 2]]
    for compiler in compilers:
        assert complaints(compiler, folder, made, tmp_path / made.file_name) == ""


@pytest.mark.parametrize("folder", TARGETS, ids=name)
def test_is_the_same_nf_to_the_analysis(folder: Path) -> None:
    r = report(folder)
    for strategy in STRATEGIES:
        made = program(folder, strategy)
        if made is not None:
            again = analysed_again(r, made)
            assert again.analysis.rows == r.analysis.rows
            assert again.analysis.verdict == r.analysis.verdict
            assert len(again.paths) == len(r.paths)


@pytest.mark.parametrize("folder", TARGETS, ids=name)
def test_is_at_most_twice_as_long_as_the_sources(folder: Path) -> None:
    """Lines that are not blank, comments among them. Of the sources those in the NF's own folder count, not what it includes from
    elsewhere; of the program all but the runtime: keys, requirements, and what comes from elsewhere, too."""
    r = report(folder)
    own = {p for u in r.execution.engine.program.units for p in u.pre.files if p.rpartition("/")[0] == r.nf.root}
    sources = sum(map(lines, (r.read(p) or "" for p in own)))
    for strategy in STRATEGIES:
        made = program(folder, strategy)
        if made is not None:
            assert lines(nf_part(made.text)) <= 2 * sources, strategy


def lines(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("folder", TARGETS, ids=name)
def test_shared_nothing_is_refused_unless_that_is_the_verdict(folder: Path) -> None:
    r = report(folder)
    why = applicable(r)["shared-nothing"]
    assert (why is None) == (r.analysis.verdict == "shared-nothing")
    assert why is None or "\n" not in why


def test_the_firewall_reads_as_before() -> None:
    """UPDATE_GOLDEN=1 writes what is compared here anew."""
    made = program(FIXTURES / "fw", "shared-nothing")
    assert made is not None
    text = re.sub(r"\n{3,}", "\n\n", nf_part(made.text)).strip("\n") + "\n"
    golden = GOLDEN / "fw-shared-nothing.c"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
    assert str(ROOT) not in made.text


def test_is_the_same_bytes_each_time() -> None:
    program.cache_clear()
    first = program(FIXTURES / "nat", "shared-nothing")
    report.cache_clear()
    program.cache_clear()
    second = program(FIXTURES / "nat", "shared-nothing")
    assert first is not None and second is not None
    assert first.text == second.text


@pytest.mark.parametrize(
    "folder", [f for f in TARGETS if f.name in ("fw", "nat", "policer", "vigfw", "vigpol")], ids=name
)
def test_tables_can_be_balanced_where_all_state_is_in_tables(folder: Path, tmp_path: Path) -> None:
    r = report(folder)
    made = parallelize(r, "shared-nothing", "balanced")
    assert "struct maestro_live_chain" in made.text and "--balance 1" in made.run()
    for compiler in ("gcc", "clang"):
        assert complaints(compiler, folder, made, tmp_path / made.file_name) == ""
    assert analysed_again(r, made).analysis.rows == r.analysis.rows


@pytest.mark.parametrize(("nf", "why"), [("sketch-limiter", "state in no table"), ("portstats", "state in no table")])
def test_balancing_is_refused_where_state_lies_outside_tables(nf: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        parallelize(report(FIXTURES / nf), "shared-nothing", "balanced")
    with pytest.raises(Refused, match="needs no packet"):
        parallelize(report(FIXTURES / "fw"), "locks", "balanced")
