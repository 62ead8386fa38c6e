"""Field algebra: equal keys of two packets as equations between bits of their header fields.

Most accesses of an NF ask what others have asked already: paths share conditions and classes of packets, keys share fields. So every
answer is remembered, for one analysis, under exactly what it depends on: what matters of a path is its `PathKind`, what matters of two
pieces of keys is their `Match`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.immutable import immutable
from ..symbex.memo import Memo
from ..symbex.path import CallPath
from .headers import PacketView
from .linear import Affine, Pair, bits, equate, is_packet_bit


@dataclass(frozen=True)
class AdmittedViews:
    """The packet views of each path by its number.

    `named` are the classes for which the matrix holds; `counted` those of them that the verdict counts for a NIC.
    """

    named: dict[int, tuple[PacketView, ...]]
    counted: dict[int, frozenset[str]]


Term = tuple[int, str, int]  # side (0: packet d, 1: packet e), field, bit


class BitEquation(NamedTuple):
    """The exclusive or of `terms` is `constant`."""

    terms: frozenset[Term]
    constant: int = 0


Conjunction = frozenset[BitEquation]
TRUE: Conjunction = frozenset()

HASHABLE = ("ipv4.src", "ipv4.dst", "ipv6.src", "ipv6.dst", "l4.src", "l4.dst")
FixedBit = tuple[Affine, int]  # a form over packet bits, and the value that a path demands of it


@immutable(eq=False)
class PathKind:
    """What of a path matters to which packets meet; paths that agree in it share one object."""

    device: int
    views: tuple[PacketView, ...]
    counted: frozenset[str]
    fixed: tuple[FixedBit, ...]  # by the path's conditions
    config: frozenset[Expr]  # conditions on the configuration
    leaves: frozenset[Expr] = field(repr=False)  # packet bytes in `fixed`


@immutable(eq=False)
class Match:
    """What the equality of two pieces of keys, one of packet d and one of e, amounts to; equal pieces share one object."""

    pairs: tuple[Pair, ...]
    left: frozenset[Expr]  # bytes of packet d in it
    right: frozenset[Expr]  # bytes of packet e in it

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Match:
        kept = tuple(pairs)
        left = frozenset(leaf for pair in kept for leaf, _ in pair.left[0])
        right = frozenset(leaf for pair in kept for leaf, _ in pair.right[0])
        return cls(kept, left, right)

    def exchanged(self) -> Match:
        """The same with d and e exchanged."""
        return Match(tuple(Pair(p.right, p.left) for p in self.pairs), self.right, self.left)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Packets d and e of some classes meet if `when` holds."""

    when: Conjunction
    classes: frozenset[tuple[str, str]]
    counted: frozenset[tuple[str, str]]


class Algebra:
    """Answers for the paths of one NF, each computed once."""

    def __init__(self, paths: Sequence[CallPath], views: AdmittedViews) -> None:
        self._fixed_by = Memo(_fixed_bits)
        self._on_config = Memo(_is_on_config)
        self._matches: dict[tuple[int | Expr, int | Expr, int], Match | None] = {}
        self._groups: dict[tuple[PathKind, int, tuple[Match, ...]], list[list[PacketView]]] = {}
        self._equations: dict[tuple[Match, PacketView, PacketView], Conjunction | None] = {}
        self._equation_of = Memo(_demand)
        self._demanded: dict[tuple[PathKind, int, PacketView], Conjunction] = {}
        self._conjunctions: dict[Conjunction, Conjunction] = {}
        self._kinds: dict[int, PathKind] = {}
        self._classes: dict[PathKind, Hashable] = {}
        shared: dict[tuple[object, ...], PathKind] = {}
        for p in paths:
            if p.number in views.named:
                kind = self._kind(p, views) if p.like is None else replace(self._kinds[p.like], device=p.device)
                mark = (kind.device, kind.views, kind.counted, kind.fixed, kind.config)
                self._kinds[p.number] = shared.setdefault(mark, kind)

    def kind(self, path: CallPath) -> PathKind:
        """What of a path matters."""
        return self._kinds[path.number]

    def classes(self, kind: PathKind) -> Hashable:
        """What of a kind matters to which packets meet where no keys are compared: not what their bytes are called."""
        if kind not in self._classes:
            demanded = tuple([(v.packet_class, self._demands(kind, 0, v)) for v in kind.views])
            self._classes[kind] = kind.device, demanded, kind.counted, kind.config
        return self._classes[kind]

    def _kind(self, p: CallPath, views: AdmittedViews) -> PathKind:
        fixed = tuple(chain.from_iterable(map(self._fixed_by.__getitem__, p.conjuncts)))
        leaves = frozenset([leaf for form, _ in fixed for leaf, _ in form[0]])
        config = frozenset(filter(self._on_config.__getitem__, [c.expr for c in p.conditions]))
        return PathKind(p.device, views.named[p.number], views.counted[p.number], fixed, config, leaves)

    def match(self, x: int | Expr, y: int | Expr, width: int) -> Match | None:
        """When two pieces of keys are equal; None: never."""
        key = (x, y, width)
        if key not in self._matches:
            pairs = equate(x, y, width)
            self._matches[key] = None if pairs is None else Match.of(pairs)
        return self._matches[key]

    def meetings(self, p: PathKind, q: PathKind, matches: Sequence[Match]) -> list[Meeting]:
        """Which packets d of one path and e of another meet, when those that have pieces of keys equal do."""
        out = []
        for ds in self._named_alike(p, 0, tuple(matches)):
            for es in self._named_alike(q, 1, tuple(matches)):
                when = self._conjunction(matches, p, q, ds[0], es[0])
                if when is None:
                    continue
                classes = frozenset([(d.packet_class, e.packet_class) for d in ds for e in es])
                counted = frozenset([c for c in classes if c[0] in p.counted and c[1] in q.counted])
                out.append(Meeting(when, classes, counted))
        return out

    def _named_alike(self, p: PathKind, side: int, matches: tuple[Match, ...]) -> list[list[PacketView]]:
        """Views of a path grouped by the names that they give to the bytes of one packet that some matches are about."""
        got = self._groups.get((p, side, matches))
        if got is None:
            leaves = tuple(p.leaves.union(*[m.right if side else m.left for m in matches]))
            groups: dict[tuple[object, ...], list[PacketView]] = {}
            for v in p.views:
                names = tuple(map(v.names.get, leaves))
                groups.setdefault((names, *v.payloads.items()) if None in names else names, []).append(v)
            got = self._groups[p, side, matches] = list(groups.values())
        return got

    def _conjunction(
        self, matches: Iterable[Match], p: PathKind, q: PathKind, d: PacketView, e: PacketView
    ) -> Conjunction | None:
        """The matches as equations between field bits; None if they contradict each other by themselves."""
        parts = [self._demands(p, 0, d), self._demands(q, 1, e)]
        for m in matches:
            key = (m, d, e)
            if key not in self._equations:
                self._equations[key] = _equations(m, d, e)
            found = self._equations[key]
            if found is None:
                return None
            parts.append(found)
        when = TRUE.union(*parts)
        return self._conjunctions.setdefault(when, when)

    def _demands(self, p: PathKind, side: int, view: PacketView) -> Conjunction:
        """What a path fixes of the addresses and ports of one packet of a pair: what a NIC can hash."""
        key = (p, side, view)
        got = self._demanded.get(key)
        if got is None:
            demanded = [self._equation_of[fixed, side, view] for fixed in p.fixed]
            got = self._demanded[key] = frozenset([e for e in demanded if e is not None])
        return got


def _demand(question: tuple[FixedBit, int, PacketView]) -> BitEquation | None:
    """What a fixed bit says of addresses and ports of one packet of a pair; None if nothing."""
    (form, value), side, view = question
    terms = _terms(side, form, view)
    return BitEquation(terms, value) if terms and all(name in HASHABLE for _, name, _ in terms) else None


def _equations(match: Match, d: PacketView, e: PacketView) -> Conjunction | None:
    out: set[BitEquation] = set()
    for left, right in match.pairs:
        terms = _terms(0, left, d) ^ _terms(1, right, e)
        constant = left[1] ^ right[1]
        if terms:
            out.add(BitEquation(terms, constant))
        elif constant:
            return None
    return frozenset(out)


def _terms(side: int, form: Affine, view: PacketView) -> frozenset[Term]:
    out: set[Term] = set()
    for leaf, bit in form[0]:
        name, at = view.bit(leaf, bit)
        out ^= {(side, name, at)}
    return frozenset(out)


def _fixed_bits(e: Expr) -> tuple[FixedBit, ...]:
    """Packet bits that a condition fixes."""
    if e.op != "eq" or not all(is_packet_bit(leaf) for leaf in X.leaves(e)):
        return ()
    x, y = e.args
    out: list[FixedBit] = []
    for p, q in zip(bits(x, x.width), bits(y, x.width), strict=True):
        if p is not None and q is not None and (p[0] or q[0]):
            out.append(((p[0] ^ q[0], 0), p[1] ^ q[1]))
    return tuple(out)


def _is_on_config(e: Expr) -> bool:
    """Whether a condition is on the configuration alone."""
    leaves = X.leaves(e)
    return bool(leaves) and all(leaf.op == "byte" and str(leaf.args[0]).startswith("config.") for leaf in leaves)
