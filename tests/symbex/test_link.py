"""Compiled functions are kept with their parsed text, and used again only where the names in them mean the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.source.program import Program
from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.link import Link, compile_ahead
from maestro_lsp.symbex.run import Execution, Inputs, execute
from maestro_lsp.workspace import NfSources, find_nfs, load, reader

MAIN = """
#include <stdbool.h>
#include <stdint.h>
#include "other.h"
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t packet_length, int64_t now) {
  return calls_other(packet_length) + scale[1] + sizeof(table) + helper_of_main(device);
}
int helper_of_main(int x) { return x + 1; }
int calls_other(uint16_t x) { return other(x); }
"""
HEADER = """
#include <stdint.h>
int other(uint16_t x);
extern uint8_t scale[];
extern uint8_t table[];
int helper_of_main(int x);
int calls_other(uint16_t x);
"""
OTHER = """
#include "other.h"
int other(uint16_t x) { return x & 7; }
uint8_t scale[] = {1, 2, 3};
uint8_t table[] = {1, 2, 3};
"""
CHANGES = {  # text of the other unit, and whether code of this one stays
    "nothing": (OTHER, True),
    "a comment": (OTHER.replace("return", "/* more */ return"), False),  # the variables are others
    "a value": (OTHER.replace("2, 3};\nuint8_t t", "5, 3};\nuint8_t t"), False),
    "a length": (OTHER.replace("table[] = {1, 2, 3}", "table[] = {1, 2, 3, 4}"), False),
    "a type": (OTHER.replace("uint16_t x", "uint32_t x"), False),
    "a definition": (OTHER.replace("int other", "static int other"), False),
}


def written(folder: Path, other: str) -> NfSources:
    for name, text in (
        ("main.c", MAIN),
        ("other.h", HEADER),
        ("other.c", other),
        ("Makefile", "NF_FILES := main.c other.c\n"),
    ):
        (folder / name).write_text(text)
    (nf,) = find_nfs(folder, None, reader({}))
    return nf


def shown(execution: Execution) -> list[object]:
    """What an execution found, in words: expressions of two executions are never identical."""
    paths = [
        (p.device, p.outcome, X.show(p.returned), [X.show(c.expr) for c in p.conditions], [c.function for c in p.calls])
        for p in execution.paths
    ]
    return [*paths, *(t.message for t in execution.troubles)]


def run(program: Program) -> Execution:
    return execute(program, Catalogue.builtin(), Inputs())


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_kept_gives_what_a_fresh_program_gives(change: str, tmp_path: Path) -> None:
    before = load(written(tmp_path, OTHER))
    assert shown(run(before))
    text, kept = CHANGES[change]
    nf = written(tmp_path, text)
    after = load(nf, old=before)
    mine = after.function("nf_process")
    assert mine is not None and mine is before.function("nf_process")  # its own text has not changed
    code = mine.kept["code"].code
    assert shown(run(after)) == shown(run(load(nf)))
    assert (mine.kept["code"].code is code) == kept
    assert (change in ("a value", "a length")) == (shown(run(after)) != shown(run(before)))


def test_code_outlives_changes_in_what_it_calls(tmp_path: Path) -> None:
    before = load(written(tmp_path, OTHER))
    run(before)
    helper = before.function("helper_of_main")
    caller = before.function("calls_other")
    assert helper is not None and caller is not None
    codes = [f.kept["code"].code for f in (helper, caller)]
    nf = written(tmp_path, OTHER.replace("x & 7", "x & 3"))
    after = load(nf, old=before)
    assert shown(run(after)) == shown(run(load(nf))) != shown(run(before))
    assert [f.kept["code"].code for f in (helper, caller)] == codes


def test_code_is_compiled_ahead_and_not_twice(tmp_path: Path) -> None:
    nf = written(tmp_path, OTHER)
    first = run(load(nf))
    assert first.engine is not None
    assert {name for _, name in first.engine.reached} == {
        "nf_init",
        "nf_process",
        "other",
        "helper_of_main",
        "calls_other",
    }
    program = load(nf)
    compile_ahead(program, Catalogue.builtin(), (*first.engine.reached, ("gone.c", "gone"), ("main.c", "gone")))
    codes = {name: f.kept["code"].code for u in program.units for name, f in u.functions.items()}
    assert shown(run(program)) == shown(first)
    assert all(f.kept["code"].code is codes[name] for u in program.units for name, f in u.functions.items())


def test_another_catalogue_compiles_anew(tmp_path: Path) -> None:
    program = load(written(tmp_path, OTHER))
    f = program.function("nf_process")
    assert f is not None
    own, other = Catalogue.builtin(), Catalogue({}, frozenset(), frozenset())
    code = Link(program, own).compiled(f)
    assert Link(program, own).compiled(f) is code
    assert Link(program, other).compiled(f) is not code
