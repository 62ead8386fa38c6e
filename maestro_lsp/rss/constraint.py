"""The language of requirements: which pairs of packets must reach the same queue.

A `Requirement` says that packet d on device i and packet e on device j must meet whenever a `Conjunction`
holds for
them. A conjunction has three kinds of conjuncts, any of which may be empty:
- `Equality`: a field of d equals a field of e, or either equals a constant;
- `Equation`: bits of both packets xor to a constant (masks, prefixes, byte swaps, anything affine over
GF(2));
- a predicate: anything that Z3 can decide about the fields (inequalities, arithmetic, disjunctions).
A disjunction is several requirements: the span of a union is the sum of the spans (docs/explanation/span.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from . import fields
from .fields import Field, FieldError
from .predicate import Formula

Bit = tuple[int, str, int]
"""(side, field name, bit): side 0 is packet d, 1 is packet e; bit 0 is the field's most significant one."""


class Equality(NamedTuple):
    """Field `left` of d equals field `right` of e; an int on one side is a constant for the other."""

    left: Field | int
    right: Field | int

    def __str__(self) -> str:
        return f"{self.left} = {self.right}"


class Equation(NamedTuple):
    """The xor of `terms` is `constant`. Field names outside the table of fields are allowed: never hashed."""

    terms: frozenset[Bit]
    constant: int = 0


class Packet(Protocol):
    """One packet of the pair, as a predicate sees it: fields as Z3 bit-vectors."""

    def field(self, name: str) -> Any:
        """Bit-vector of a field or a part, `ipv4.src[0:8]`."""

    def symbol(self, name: str, width: int) -> Any:
        """Bit-vector of `width` bits that no NIC hashes; the same name gives the same symbol."""


Predicate = Callable[[Packet, Packet], Any]
"""(d, e) -> Z3 Boolean; called once for each solve, after z3 is imported."""


@dataclass(frozen=True)
class Conjunction:
    """Equalities, equations and a predicate that all hold; an empty one is true for every pair of packets."""

    equalities: tuple[Equality, ...] = ()
    equations: tuple[Equation, ...] = ()
    predicate: Predicate | None = None
    text: str = ""  # how to print it; default: the equalities

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:  # spans are looked up by it
        return hash((self.equalities, self.equations, self.predicate, self.text))

    def __str__(self) -> str:
        if self.text:
            return self.text
        parts = [str(equality) for equality in self.equalities]
        if self.equations:
            parts.append(f"{len(self.equations)} bit equations")
        if self.predicate is not None:
            parts.append(str(self.predicate) if isinstance(self.predicate, Formula) else "a predicate")
        return " and ".join(parts) or "true"

    def fields(self, side: int) -> frozenset[Field]:
        """Fields of packet d (side 0) or e (side 1) that equalities, equations and a written formula read."""
        ends = (equality.left if side == 0 else equality.right for equality in self.equalities)
        found = {run for end in ends if isinstance(end, Field) for run in fields.canonical(end)}
        for equation in self.equations:
            for at, name, bit in equation.terms:
                if at == side and (name == "packet" or name in fields.WIDTHS):
                    found.add(Field(name, bit - bit % 8, bit - bit % 8 + 8))
        if isinstance(self.predicate, Formula):
            found.update(run for field in self.predicate.fields(side) for run in fields.canonical(field))
        return frozenset(found)

    def names(self, side: int) -> frozenset[str]:
        """Names of the fields of packet d (side 0) or e (side 1), as far as they can be read off."""
        ends = [equality.left if side == 0 else equality.right for equality in self.equalities]
        found = {end.name for end in ends if isinstance(end, Field)}
        for equation in self.equations:
            found.update(name for at, name, _ in equation.terms if at == side)
        if isinstance(self.predicate, Formula):
            found |= self.predicate.names(side)
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Requirement:
    """Packets d on device i and e on device j must meet if `when` holds and their classes are among
    `classes`.

    `classes` holds pairs (class of d, class of e); None means every pair of classes that carry all the fields
    that `when` names.
    """

    i: int
    j: int
    when: Conjunction = Conjunction()
    classes: frozenset[tuple[str, str]] | None = None
    label: str = ""  # for explanations; default: devices and conjunction

    def __str__(self) -> str:
        return self.label or f"devices {self.i},{self.j}: {self.when}"

    def applies(self, class_d: str, class_e: str) -> bool:
        """Whether d of `class_d` and e of `class_e` may be a pair that this requirement names."""
        if self.classes is not None:
            return (class_d, class_e) in self.classes
        return all(
            fields.carries(packet_class, name)
            for side, packet_class in enumerate((class_d, class_e))
            for name in self.when.names(side)
        )


def equal(left: str | int | Field, right: str | int | Field) -> Equality:
    """Equality of two fields of one width, or of a field and a constant that fits it. Raises FieldError."""
    a = fields.parse(left) if isinstance(left, str) else left
    b = fields.parse(right) if isinstance(right, str) else right
    if isinstance(a, int) and isinstance(b, int):
        raise FieldError(f"{left} = {right}: at least one side must be a field")
    for field, value in ((a, b), (b, a)):
        if isinstance(field, Field) and isinstance(value, int) and not 0 <= value < 1 << field.width:
            raise FieldError(f"{field} = {value}: the constant does not fit into {field.width} bits")
    if isinstance(a, Field) and isinstance(b, Field) and a.width != b.width:
        raise FieldError(f"{a} = {b}: {a.width} bits cannot equal {b.width} bits")
    return Equality(a, b)


def all_equal(*pairs: Sequence[str | int]) -> Conjunction:
    """Conjunction of equalities as in a report: [field of d, field of e or constant]."""
    return Conjunction(tuple(equal(left, right) for left, right in pairs))


def field_bits(side: int, field: Field) -> tuple[Bit, ...]:
    """Bits of a field of packet d (side 0) or e (side 1), most significant first, under canonical names."""
    return tuple((side, run.name, bit) for run in fields.canonical(field) for bit in range(run.start, run.stop))


def equations(equality: Equality) -> tuple[Equation, ...]:
    """The equality bit by bit."""
    left, right = equality.left, equality.right
    if isinstance(left, Field) and isinstance(right, Field):
        pairs = zip(field_bits(0, left), field_bits(1, right), strict=True)
        return tuple(Equation(frozenset(pair)) for pair in pairs)
    side, field, value = (0, left, right) if isinstance(left, Field) else (1, right, left)
    assert isinstance(field, Field) and isinstance(value, int)
    names = field_bits(side, field)
    return tuple(Equation(frozenset({bit}), value >> (len(names) - 1 - at) & 1) for at, bit in enumerate(names))


def from_matrix(rows: Iterable[Mapping[str, Any]]) -> tuple[Requirement, ...]:
    """Requirements of the rows of `check`'s matrix: {"devices": [i, j], "constraint": [[[field, field],
    ...]]}.
    """
    return tuple(
        Requirement(row["devices"][0], row["devices"][1], all_equal(*conjunction))
        for row in rows
        for conjunction in row["constraint"]
    )
