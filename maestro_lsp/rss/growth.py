"""The span of any constraint that Z3 can decide, found by growing it from members.

Takes a conjunction with a predicate and two hash inputs; gives the same `Span` that elimination gives for
affine ones. With V the span of the members found so far and P the dual vectors that are proved to vanish on
every member, each question "is there a member on which y is 1?" (y vanishes on V, independent of P) adds a
vector to V if the answer is yes and y to P if it is no: at most |A| + |B| questions, none quantified
(docs/explanation/span.md). Members near one that is known are tried first by plain evaluation. What Z3 cannot decide is taken
into the span, which is sound.
"""

from __future__ import annotations

from typing import Any

import z3
from z3.z3util import get_vars

from . import fields, gf2
from .constraint import Conjunction
from .fields import Field
from .span import Facts, Layout, Span, affine_system

QUESTION_MS = 2000
"""Patience for one question; the questions that come up are about a few hundred bits and take milliseconds.
"""


class SymbolicPacket:
    """One packet of the pair: a Z3 constant for each header field, for each frame byte that has no name."""

    def __init__(self, side: int) -> None:
        self._prefix = "de"[side]

    def field(self, name: str) -> Any:
        """Bit-vector of a field or a part, `ipv4.src[0:8]`. Raises FieldError."""
        runs = [self.run(run) for run in fields.canonical(fields.parse(name))]
        return z3.Concat(*runs) if len(runs) > 1 else runs[0]

    def symbol(self, name: str, width: int) -> Any:
        """Bit-vector of `width` bits that no NIC hashes; the same name gives the same symbol."""
        return z3.BitVec(f"{self._prefix}:{name}", width)

    def run(self, run: Field) -> Any:
        """Bit-vector of a canonical field."""
        if run.name != "packet":
            return self._cut(self.symbol(run.name, fields.width(run.name)), run.start, run.stop)
        pieces = []
        for byte in range(run.start // 8, -(-run.stop // 8)):
            first, last = max(run.start, 8 * byte) - 8 * byte, min(run.stop, 8 * byte + 8) - 8 * byte
            pieces.append(self._cut(self.symbol(f"packet[{byte}:{byte + 1}]", 8), first, last))
        return z3.Concat(*pieces) if len(pieces) > 1 else pieces[0]

    def bit(self, name: str, index: int) -> Any:
        """One bit, also of a name outside the table of fields (a symbol of its own)."""
        if name == "packet" or name in fields.WIDTHS:
            return self.run(Field(name, index, index + 1))
        return self.symbol(f"{name}[{index}]", 1)

    @staticmethod
    def _cut(term: Any, start: int, stop: int) -> Any:
        width = term.size()
        return term if (start, stop) == (0, width) else z3.Extract(width - 1 - start, width - stop, term)


def condition(when: Conjunction, facts: tuple[Facts, Facts]) -> tuple[Any, tuple[Any, Any]]:
    """The conjunction and what the classes say, as one Z3 Boolean, and the two packets it is about."""
    packets = (SymbolicPacket(0), SymbolicPacket(1))
    parts = []
    for same in when.equalities:
        left, right = (
            end if isinstance(end, int) else packets[side].field(str(end))
            for side, end in enumerate((same.left, same.right))
        )
        parts.append(left == right)
    for equation in when.equations:
        terms = [packets[side].bit(fields.ALIASES.get(name, name), at) for side, name, at in equation.terms]
        total = z3.BitVecVal(equation.constant & 1, 1)
        for term in terms:
            total = total ^ term
        parts.append(total == 0)
    if when.predicate is not None:
        parts.append(when.predicate(packets[0], packets[1]))
    for packet, known in zip(packets, facts, strict=True):
        for name, (only, values) in known.items():
            one_of = z3.Or([packet.field(name) == value for value in sorted(values)])
            parts.append(one_of if only else z3.Not(one_of))
    return z3.And(parts), packets


def hashed_bits(packets: tuple[SymbolicPacket, SymbolicPacket], a: Layout, b: Layout) -> list[Any]:
    """One-bit vectors of the pair of inputs, in the order of `span`'s vectors."""
    return [
        packets[side].bit(name, index)
        for side, at in enumerate((a, b))
        for (name, index), _ in sorted(at.offsets.items(), key=lambda item: item[1])
    ]


def odd(dual: int, bits: list[Any]) -> Any:
    """Z3 Boolean: the dual vector is 1 on the pair of inputs."""
    total = z3.BitVecVal(0, 1)
    for at in gf2.bits(dual):
        total = total ^ bits[at]
    return total == 1


def grow(when: Conjunction, a: Layout, b: Layout, facts: tuple[Facts, Facts]) -> Span | None:
    """Span of the pairs of inputs that satisfy `when`; None if none does.  Its `unknown` counts undecided
    questions.
    """
    formula, packets = condition(when, facts)
    bits = hashed_bits(packets, a, b)
    solver = z3.SolverFor("QF_BV")
    solver.set("timeout", QUESTION_MS)
    solver.set("random_seed", 1)
    solver.add(formula)
    proved = gf2.echelon(_affine_duals(when, a, b, facts))
    found: dict[int, int] = {}
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer == z3.sat:
        model = solver.model()
        gf2.extend(found, _member(model, bits))
        _neighbours(found, gf2.nullspace(proved, len(bits)), formula, model, bits)
    unknown = 0 if answer == z3.sat else 1
    while len(found) + len(proved) < len(bits):
        dual = next(y for y in gf2.nullspace(found, len(bits)) if _reduce(proved, y))
        answer = solver.check(odd(dual, bits))
        if answer == z3.unsat:
            gf2.extend(proved, dual)
        elif answer == z3.sat:
            gf2.extend(found, _member(solver.model(), bits))
        else:
            unknown += 1
            gf2.extend(found, next(v for v in gf2.nullspace(proved, len(bits)) if gf2.parity(v & dual)))
    return Span(vectors=tuple(gf2.reduced(found).values()), unknown=unknown)


def _affine_duals(when: Conjunction, a: Layout, b: Layout, facts: tuple[Facts, Facts]) -> list[int]:
    """Dual vectors that the affine part alone proves to vanish on every member."""
    system = affine_system(when, a, b, facts)
    basis = system.span() if system.consistent else ()
    return gf2.nullspace(gf2.echelon(basis), system.hashed)


def _reduce(pivots: dict[int, int], vector: int) -> int:
    while vector and (row := pivots.get(vector.bit_length() - 1)) is not None:
        vector ^= row
    return vector


def _member(model: Any, bits: list[Any]) -> int:
    vector = 0
    for at, bit in enumerate(bits):
        vector |= model.eval(bit, model_completion=True).as_long() << at
    return vector


def _neighbours(found: dict[int, int], directions: list[int], formula: Any, model: Any, bits: list[Any]) -> None:
    """Add to `found` the members that differ from the model by one direction: evaluation, no questions."""
    start = _member(model, bits)
    variables = {str(v): v for v in _variables(formula)}
    for bit in bits:
        for v in _variables(bit):
            variables.setdefault(str(v), v)
    values = {name: model.eval(v, model_completion=True).as_long() for name, v in variables.items()}
    places = [_place(bit) for bit in bits]
    for direction in directions:
        moved = dict(values)
        for at in gf2.bits(direction):
            name, shift = places[at]
            moved[name] ^= 1 << shift
        pairs = [(v, z3.BitVecVal(moved[name], v.size())) for name, v in variables.items()]
        if z3.is_true(z3.simplify(z3.substitute(formula, *pairs))):
            gf2.extend(found, start ^ direction)


def _place(bit: Any) -> tuple[str, int]:
    """(constant, how far its bit is from the least significant one) of a one-bit term of `hashed_bits`."""
    if z3.is_app_of(bit, z3.Z3_OP_EXTRACT):
        return str(bit.arg(0)), bit.params()[1]
    return str(bit), 0


def _variables(term: Any) -> list[Any]:
    """The uninterpreted constants of a Z3 term."""
    return list(get_vars(term))
