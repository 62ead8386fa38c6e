"""From a conjunction to the linear span of the pairs of hash inputs that satisfy it.

Equal table indices are linear in the pair of inputs, so they hold on a set of pairs exactly when they hold on
its span. A pair (input A of packet d, input B of packet e) is a vector of |A| + |B| bits: bit p is input bit
p of A for p < |A|, input bit p - |A| of B otherwise (input bit 0 is the first one that the NIC hashes).
Fields that neither input reads are projected away: the span is that of the pairs for which *some* value of
those fields satisfies the conjunction. Equalities between whole fields stay ranges of bits; affine
conjunctions take one elimination.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import constraint, fields, gf2
from .constraint import Bit, Conjunction, Equation
from .fields import Field, FieldError
from .predicate import Formula


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the bits of a hash input come from."""

    width: int
    segments: tuple[tuple[Field, int], ...]  # (canonical run of bits, its offset in the input)
    offsets: dict[tuple[str, int], int]  # (field name, bit) -> input bit
    names: frozenset[str]

    def locate(self, field: Field) -> int | None:
        """Offset of a canonical field that lies in one segment; -1 if not hashed at all; None if cut in
        pieces.
        """
        for run, offset in self.segments:
            if run.name == field.name and run.start < field.stop and field.start < run.stop:
                inside = run.start <= field.start and field.stop <= run.stop
                return offset + field.start - run.start if inside else None
        return -1


@lru_cache(maxsize=512)
def layout(hash_input: tuple[Field, ...]) -> Layout:
    """Layout of the fields of a hash input, in hash order. Raises FieldError if a bit occurs twice."""
    segments: list[tuple[Field, int]] = []
    offsets: dict[tuple[str, int], int] = {}
    width = 0
    for field in hash_input:
        for run in fields.canonical(field):
            segments.append((run, width))
            for bit in range(run.start, run.stop):
                if (run.name, bit) in offsets:
                    raise FieldError(f"hash input reads {field} twice")
                offsets[run.name, bit] = width
                width += 1
    return Layout(width, tuple(segments), offsets, frozenset(run.name for run, _ in segments))


@dataclass(frozen=True, slots=True)
class Span:
    """Span of the pairs: generators by ranges of bits, and single vectors."""

    ties: tuple[tuple[int, int, int], ...] = ()  # (offset in A, offset in B, width): both at once, bit by bit
    free: tuple[tuple[int, int, int], ...] = ()  # (side, offset, width): every bit by itself
    vectors: tuple[int, ...] = ()
    unknown: int = 0  # questions that Z3 left open; their directions are in the span

    def generators(self, width_a: int) -> Iterator[int]:
        """All generators as vectors of |A| + |B| bits; they may depend on each other."""
        for a, b, width in self.ties:
            for bit in range(width):
                yield 1 << (a + bit) | 1 << (width_a + b + bit)
        for side, offset, width in self.free:
            for bit in range(width):
                yield 1 << (offset + bit + (width_a if side else 0))
        yield from self.vectors


Facts = dict[str, tuple[bool, frozenset[int]]]


@lru_cache(maxsize=4096)
def span(when: Conjunction, a: tuple[Field, ...], b: tuple[Field, ...], class_d: str, class_e: str) -> Span | None:
    """Span of { (A(d), B(e)) : `when` holds, d is of `class_d`, e of `class_e` }; None if no pair satisfies
    it.
    """
    matter = _facts_that_matter(when, class_d, class_e)
    if matter is None:
        return None
    at = (layout(a), layout(b))
    known = (
        tuple((name, fact) for name, fact, named in matter[side] if named or name in at[side].names) for side in (0, 1)
    )
    return _span(when, a, b, tuple(known))


@lru_cache(maxsize=4096)
def _facts_that_matter(
    when: Conjunction, class_d: str, class_e: str
) -> tuple[tuple[tuple[str, tuple[bool, frozenset[int]], bool], ...], ...] | None:
    """What the classes of two packets say about fields of either, and whether the conjunction may depend on it (a predicate that cannot
    tell may); None if the conjunction contradicts it.
    """
    facts = (fields.known_values(class_d), fields.known_values(class_e))
    if not _classes_allow(when, facts):
        return None
    opaque = when.predicate is not None and not isinstance(when.predicate, Formula)
    named = (when.names(0), when.names(1))
    return tuple(
        tuple((name, fact, opaque or name in named[side]) for name, fact in facts[side].items()) for side in (0, 1)
    )


@lru_cache(maxsize=4096)
def _span(
    when: Conjunction,
    a: tuple[Field, ...],
    b: tuple[Field, ...],
    known: tuple[tuple[tuple[str, tuple[bool, frozenset[int]]], ...], ...],
) -> Span | None:
    facts = (dict(known[0]), dict(known[1]))
    at = (layout(a), layout(b))
    if when.predicate is not None:
        from . import growth  # imports z3

        return growth.grow(when, *at, facts)
    quick = None if when.equations or _classes_matter(when, at, facts) else _by_ranges(when, *at)
    return quick if quick is not None else by_elimination(when, *at, facts)


def _classes_matter(when: Conjunction, at: tuple[Layout, Layout], facts: tuple[Facts, Facts]) -> bool:
    """Whether what the classes say about a field may change the span, beyond what `_classes_allow` compares."""
    for equality in when.equalities:
        ends = [(side, end) for side, end in enumerate((equality.left, equality.right)) if isinstance(end, Field)]
        runs = [(side, run) for side, end in ends for run in fields.canonical(end)]
        told = [(side, run) for side, run in runs if run.name in facts[side]]
        if told and (
            any(at[side].locate(run) != -1 for side, run in runs)
            or any(run.width != fields.width(run.name) for _, run in told)
        ):
            return True
    return any(only and name in at[side].names for side in (0, 1) for name, (only, _) in facts[side].items())


def _classes_allow(when: Conjunction, facts: tuple[Facts, Facts]) -> bool:
    """False if an equality of whole fields contradicts what the classes of the two packets say about them."""
    for equality in when.equalities:
        allowed = [
            (True, frozenset({end})) if isinstance(end, int) else _values(end, facts[side])
            for side, end in enumerate((equality.left, equality.right))
        ]
        (only_left, left), (only_right, right) = allowed
        if only_left and only_right:
            possible = bool(left & right)
        elif only_left:
            possible = bool(left - right)
        elif only_right:
            possible = bool(right - left)
        else:
            possible = True
        if not possible:
            return False
    return True


def _values(field: Field, facts: Facts) -> tuple[bool, frozenset[int]]:
    whole = all(field == Field(run.name, 0, fields.width(run.name)) for run in fields.canonical(field))
    return facts.get(field.name, (False, frozenset())) if whole else (False, frozenset())


def _by_ranges(when: Conjunction, a: Layout, b: Layout) -> Span | None:
    """The span without elimination, if no bit is used twice and no constant is hashed; None otherwise."""
    ties: list[tuple[int, int, int]] = []
    used = [0, 0]  # hashed bits named by an equality
    unhashed: set[tuple[int, str]] = set()
    for equality in when.equalities:
        if isinstance(equality.left, int) or isinstance(equality.right, int):
            side, field = (0, equality.left) if isinstance(equality.left, Field) else (1, equality.right)
            assert isinstance(field, Field)
            runs: Sequence[tuple[tuple[int, Field], ...]] = [((side, run),) for run in fields.canonical(field)]
        else:
            left, right = fields.canonical(equality.left), fields.canonical(equality.right)
            if len(left) != 1 or len(right) != 1:
                return None
            runs = [((0, left[0]), (1, right[0]))]
        for ends in runs:
            offsets = [(a, b)[side].locate(field) for side, field in ends]
            if None in offsets:
                return None
            for (side, field), offset in zip(ends, offsets, strict=True):
                assert offset is not None
                if offset < 0:
                    if (side, field.name) in unhashed:
                        return None
                    unhashed.add((side, field.name))
                    continue
                if len(ends) == 1:
                    return None
                mask = ((1 << field.width) - 1) << offset
                if used[side] & mask:
                    return None
                used[side] |= mask
            match offsets:
                case [int(x), int(y)] if x >= 0 and y >= 0:
                    ties.append((x, y, ends[0][1].width))
                case [int(x), int(y)]:  # the hashed end equals something unhashed: it is free
                    for side, (offset, (_, field)) in enumerate(zip((x, y), ends, strict=True)):
                        if offset >= 0:
                            used[side] &= ~(((1 << field.width) - 1) << offset)
    free = [
        (side, start, width)
        for side, at in enumerate((a, b))
        for start, width in _runs(~used[side] & ((1 << at.width) - 1))
    ]
    return Span(tuple(ties), tuple(free))


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """Runs of set bits, (first, how many)."""
    while mask:
        start = (mask & -mask).bit_length() - 1
        width = (~(mask >> start) & ((mask >> start) + 1)).bit_length() - 1
        yield start, width
        mask &= ~(((1 << width) - 1) << start)


class AffineSystem:
    """Equations over the bits of both packets, kept in echelon form with the hashed bits lowest.

    Coordinate 0 is the constant, 1 to |A| + |B| are the hashed bits, the others are what nobody hashes; since
    the highest coordinate of a row is its pivot, rows with a hashed pivot are the projection on the hashed
    bits.
    """

    def __init__(self, a: Layout, b: Layout) -> None:
        self.hashed = a.width + b.width
        self._layouts = ((a, 1), (b, 1 + a.width))
        self._unhashed: dict[Bit, int] = {}
        self._rows: dict[int, int] = {}
        self.consistent = True

    def coordinate(self, bit: Bit) -> int:
        """Coordinate of a bit of packet d or e."""
        side, name, index = bit
        at, base = self._layouts[side]
        offset = at.offsets.get((fields.ALIASES.get(name, name), index))
        if offset is not None:
            return base + offset
        return self._unhashed.setdefault(
            (side, fields.ALIASES.get(name, name), index), 1 + self.hashed + len(self._unhashed)
        )

    def row(self, equation: Equation) -> int:
        """The equation as a vector over the coordinates."""
        row = equation.constant & 1
        for bit in equation.terms:
            row ^= 1 << self.coordinate(bit)
        return row

    def add(self, rows: Sequence[int]) -> None:
        """Add equations given as vectors."""
        for row in rows:
            if row and gf2.extend(self._rows, row) and 0 in self._rows:
                self.consistent = False  # 0 = 1
                return

    def with_value(self, bits: Sequence[Bit], value: int) -> AffineSystem:
        """A copy in which these bits spell `value`."""
        copy = AffineSystem.__new__(AffineSystem)
        copy.hashed, copy._layouts, copy.consistent = self.hashed, self._layouts, self.consistent
        copy._unhashed, copy._rows = self._unhashed, dict(self._rows)
        last = len(bits) - 1
        copy.add([1 << self.coordinate(bit) | value >> (last - at) & 1 for at, bit in enumerate(bits)])
        return copy

    def values(self, bits: Sequence[Bit], most: int) -> list[int] | None:
        """What these bits can spell in a solution; None if that is more than 2^`most` values."""
        own = [self.coordinate(bit) for bit in reversed(bits)]
        mask = sum(1 << at for at in own)
        rows = []  # the same equations with these bits lowest, so that elimination projects on them
        for row in self._rows.values():
            low = sum((row >> at & 1) << (1 + place) for place, at in enumerate(own))
            rows.append((row & ~mask & ~1) << (1 + len(own)) | low | row & 1)
        projection = {pivot: row for pivot, row in gf2.echelon(rows).items() if pivot <= len(own)}
        if len(own) - len(projection) > most:
            return None
        solutions = [1]  # vectors with the constant, coordinate 0, set; each free bit doubles them
        for direction in gf2.nullspace(projection, 1 + len(own)):
            if direction & 1:
                solutions = [s ^ direction ^ 1 for s in solutions]
            else:
                solutions += [s ^ direction for s in solutions]
        return [s >> 1 for s in solutions]

    def span(self) -> tuple[int, ...]:
        """Basis of the span of the solutions, projected on the hashed bits; the system must be consistent.

        With the constant as one more unknown the solutions become a linear space; projecting that unknown
        away as well gives the directions and one solution.
        """
        projection = {pivot: row for pivot, row in self._rows.items() if pivot <= self.hashed}
        basis = gf2.nullspace(projection, 1 + self.hashed)
        return tuple(vector >> 1 for vector in basis if vector >> 1)


def affine_system(when: Conjunction, a: Layout, b: Layout, facts: tuple[Facts, Facts]) -> AffineSystem:
    """Equalities, equations and the constants that the classes fix, as one system."""
    system = AffineSystem(a, b)
    rows = [system.row(e) for equality in when.equalities for e in constraint.equations(equality)]
    rows += [system.row(equation) for equation in when.equations]
    for side in (0, 1):
        for name, (only, values) in facts[side].items():
            if only and len(values) == 1:
                whole = Field(name, 0, fields.width(name))
                bits = constraint.field_bits(side, whole)
                (value,) = values
                rows += [
                    system.row(Equation(frozenset({bit}), value >> (whole.width - 1 - at) & 1))
                    for at, bit in enumerate(bits)
                ]
    system.add(rows)
    return system


def by_elimination(when: Conjunction, a: Layout, b: Layout, facts: tuple[Facts, Facts]) -> Span | None:
    """Span of an affine conjunction; None if it is contradictory, also with what the classes say."""
    system = affine_system(when, a, b, facts)
    told = [
        (constraint.field_bits(side, Field(name, 0, fields.width(name))), fact)
        for side in (0, 1)
        for name, fact in facts[side].items()
    ]
    told.sort(key=lambda item: not item[1][0])
    found: dict[int, int] = {}
    possible = False
    for case in _cases(system, told):
        possible = True
        for vector in case.span():
            gf2.extend(found, vector)
    return Span(vectors=tuple(gf2.reduced(found).values())) if possible else None


_FEW = 3
"""Values are told apart where no more than 2^3 are left. Excluding three of at least 16, on either side, leaves more
than half of an affine space, which has the same span.
"""


def _cases(
    system: AffineSystem, told: Sequence[tuple[Sequence[Bit], tuple[bool, frozenset[int]]]]
) -> Iterator[AffineSystem]:
    """Affine systems whose solutions together have the span of those of `system` that the classes allow."""
    if not system.consistent:
        return
    for bits, (only, values) in told:
        possible = values if only else system.values(bits, _FEW)
        if possible is None:
            continue
        others = [one for one in told if one[0] is not bits]
        for value in sorted(possible):
            if (value in values) == only:
                yield from _cases(system.with_value(bits, value), others)
        return
    yield system
