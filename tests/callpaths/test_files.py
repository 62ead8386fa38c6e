"""Reading and writing `.call_path` files: without loss, and with a clear error for everything that is none."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_lsp.callpaths.files import FileReader, PathFile, position, write
from maestro_lsp.callpaths.folder import MAX_FILE, MAX_FILES, read_directory
from maestro_lsp.callpaths.kquery import InvalidCallPath, Reader, Writer
from maestro_lsp.callpaths.load import load
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.solver import Solver
from tests.vigor import NFS

from .recorded import texts

FIXTURE = Path(__file__).parents[2] / "fixtures" / "call-paths" / "counter.call_path"
TEXT = FIXTURE.read_text()


def essence(f: PathFile) -> tuple[object, ...]:
    return f.arrays, f.constraints, f.values, tuple(replace(c, start=0, end=0) for c in f.calls)


@pytest.mark.parametrize("name", [*NFS, "heavy-hitters"])
def test_every_real_file_is_read_and_written_without_loss(name: str) -> None:
    X.forget()
    reader = FileReader()
    files = [reader.read(path, text) for path, text in texts(name)]
    assert files
    for f in files:
        assert essence(FileReader().read(f.path, write(f))) == essence(f)


def test_a_file_of_ours_is_read_with_its_structure() -> None:
    f = FileReader().read("counter", TEXT)
    assert [c.function for c in f.calls][-3:] == ["vector_return", "packet_return_chunk", "packet_send"]
    get = next(c for c in f.calls if c.function == "map_get")
    assert (get.line, get.arguments[1].fields[0].name) == (20, "addr")
    assert essence(FileReader().read("again", write(f))) == essence(f)


def test_line_ends_do_not_matter() -> None:
    plain = FileReader().read("x", TEXT)
    assert essence(FileReader().read("x", TEXT.replace("\n", "\r\n"))) == essence(plain)


def test_a_file_cut_anywhere_is_an_error_inside_it() -> None:
    whole = essence(FileReader().read("x", TEXT))
    end = len(TEXT.rstrip())
    for n in range(len(TEXT)):
        try:
            cut = FileReader().read("x", TEXT[:n])
        except InvalidCallPath as e:
            assert 0 <= e.offset <= n and e.message
        else:
            assert n >= end and essence(cut) == whole


@pytest.mark.parametrize("seed", range(4))
def test_mutations_never_escape(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(300):
        chars = list(TEXT)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(chars))
            chars[at : at + rng.choice((0, 1, 5))] = rng.choice(
                ("", "(", ")", "[", "]", "0", "w", "N0:", "\n", "->", "\x00", "é", "99999999")
            )
        recorded = load([("m", "".join(chars))], Catalogue.builtin())
        assert all(r.line >= 1 and r.column >= 1 and r.message for r in recorded.rejected)
        assert len(recorded.files) + len(recorded.rejected) >= 1


def test_a_map_with_keys_of_two_shapes_is_refused() -> None:
    odd = TEXT.replace(
        "[addr(ReadLSB w32 (w32 53) packet_chunks)->(ReadLSB w32 (w32 53) packet_chunks)]",
        "[addr(Read w8 (w32 53) packet_chunks)->]",
    )
    assert odd != TEXT
    recorded = load([("a", TEXT), ("b", odd)], Catalogue.builtin())
    assert [r.path for r in recorded.rejected] == ["b"] and "parts of (8,) bits" in recorded.rejected[0].message


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "(" * 1_000_000,
        ";;-- kQuery --\n(query [" + "(Not w8 " * 300_000,
        "\x00" * 2_000_000,
        "array " * 200_000,
        TEXT * 3,
    ],
)
def test_garbage_is_refused_at_once(garbage: str) -> None:
    start = time.process_time()
    with pytest.raises(InvalidCallPath):
        FileReader().read("g", garbage)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("(w32 128))]", "(w31 128))]", 11, "bits"),
        ("12) packet_chunks))\n        (Eq false", "12) packets))\n        (Eq false", 10, "packets"),
        ("(w32 53) packet_chunks)][addr", "(w32 58) packet_chunks)][addr", 35, "byte 61"),
        ("-> (w32 1)\n11:", "-> (w32 1) more\n11:", 28, "left over"),
        ("(w16 1)])", "(w16 0)])", 27, "values"),
        ("Ult (ReadLSB", "Foo (ReadLSB", 44, "Foo"),
    ],
)
def test_errors_say_where_and_what(old: str, new: str, line: int, says: str) -> None:
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new)
    with pytest.raises(InvalidCallPath) as e:
        FileReader().read("x", text)
    assert says in e.value.message, e.value.message
    assert abs(position(text, e.value.offset)[0] - line) <= 3, position(text, e.value.offset)


def test_a_huge_file_and_too_many_files_are_reported_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.call_path").open("wb") as f:
        f.truncate(1 << 30)
    (tmp_path / "b.call_path").write_text(TEXT)
    for i in range(MAX_FILES):
        (tmp_path / f"c{i}.call_path").write_text("garbage")
    start = time.process_time()
    found, rejected = read_directory(str(tmp_path))
    recorded = load(found, Catalogue.builtin(), rejected)
    assert time.process_time() - start < 10
    assert len(recorded.files) == 1
    messages = [r.message for r in recorded.rejected]
    assert any(str(MAX_FILE) in m for m in messages) and any(str(MAX_FILES) in m for m in messages)
    assert not recorded.execution.complete


# ------------------------------------------------------------------------------------------ the language, against Z3

_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "And": lambda a, b: a & b,
    "Or": lambda a, b: a | b, "Xor": lambda a, b: a ^ b, "Shl": lambda a, b: a << b, "LShr": z3.LShR, "AShr": lambda a, b: a >> b,
    "UDiv": z3.UDiv, "URem": z3.URem, "SDiv": lambda a, b: a / b, "SRem": z3.SRem,
}  # fmt: skip
_TESTS: dict[str, Callable[[Any, Any], Any]] = {
    "Eq": lambda a, b: a == b, "Ne": lambda a, b: a != b, "Ult": z3.ULT, "Ule": z3.ULE, "Ugt": z3.UGT, "Uge": z3.UGE,
    "Slt": lambda a, b: a < b, "Sle": lambda a, b: a <= b, "Sgt": lambda a, b: a > b, "Sge": lambda a, b: a >= b,
}  # fmt: skip


def _byte(i: int) -> Any:
    return z3.BitVec(f"a[{i}]", 8)


@st.composite
def _expressions(draw: Any, depth: int = 3) -> tuple[str, Any]:
    """KQuery text of 16 bits and what Z3 makes of it."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        if draw(st.booleans()):
            n = draw(st.integers(0, 65535))
            return f"(w16 {n})", z3.BitVecVal(n, 16)
        i = draw(st.integers(0, 6))
        if draw(st.booleans()):
            return f"(ReadLSB w16 (w32 {i}) a)", z3.Concat(_byte(i + 1), _byte(i))
        return f"(ReadMSB w16 {i} a)", z3.Concat(_byte(i), _byte(i + 1))
    (x, zx), (y, zy) = draw(_expressions(depth=depth - 1)), draw(_expressions(depth=depth - 1))
    kind = draw(st.integers(0, 5))
    if kind <= 1:
        op = draw(st.sampled_from(sorted(_OPS)))
        return f"({op} w16 {x} {y})", _OPS[op](zx, zy)
    if kind == 2:
        test = draw(st.sampled_from(sorted(_TESTS)))
        return f"(Select w16 ({test} {x} {y}) {x} {y})", z3.If(_TESTS[test](zx, zy), zx, zy)
    if kind == 3:
        low = draw(st.integers(0, 8))
        extend, zext = draw(st.sampled_from([("ZExt", z3.ZeroExt), ("SExt", z3.SignExt)]))
        return f"({extend} w16 (Extract w8 {low} {x}))", zext(8, z3.Extract(low + 7, low, zx))
    if kind == 4:
        return f"(Concat w16 (Extract w8 0 {x}) (Extract w8 8 {y}))", z3.Concat(
            z3.Extract(7, 0, zx), z3.Extract(15, 8, zy)
        )
    return f"(Xor N1:(Not w16 {x}) N1)", z3.BitVecVal(0, 16) & ~zx


@settings(max_examples=60, deadline=None)
@given(_expressions())
def test_expressions_mean_what_z3_says_and_survive_writing(case: tuple[str, Any]) -> None:
    text, meaning = case
    reader = Reader()
    reader.array("array a[8] : w32 -> w8 = symbolic", 0)
    term, end = reader.expression(text, 0)
    assert (end, term.width) == (len(text), 16)
    solver = z3.Solver()
    solver.set("timeout", 3000)
    solver.add(Solver().to_z3(term.value, 16) != meaning)
    assert solver.check() != z3.sat
    assert reader.expression(Writer().term(*term), 0)[0] == term


def test_update_lists_are_read_through() -> None:
    reader = Reader()
    reader.array("array a[4] : w32 -> w8 = symbolic", 0)
    reader.array("array c[3] : w32 -> w8 = [7 8 9]", 0)
    assert reader.expression("(Read w8 2 U0:[1=(w8 5), 2=(w8 6)] @ a)", 0)[0].value == 6
    assert reader.expression("(ReadLSB w16 0 [1=(w8 5)] @ U0)", 0)[0].value is X.concat([(5, 8), (X.byte("a", 0), 8)])
    assert reader.expression("(Read w8 1 c)", 0)[0].value == 8
