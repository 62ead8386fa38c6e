"""Conflicts as requirements on RSS keys: what is left of them on the fields that a NIC hashes.

An equation that names a bit which nothing hashes, and which no other equation names, can always be satisfied by choosing that bit:
it asks for nothing. Conflicts that are equal without such equations are one requirement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..rss.constraint import Conjunction as RssConjunction
from ..rss.constraint import Equation, Requirement, equal
from ..rss.fields import FieldError, known_values
from ..rss.nic import Profile
from .algebra import BitEquation, Conjunction
from .conflicts import Conflict
from .matrix import equalities_of


@dataclass(frozen=True, eq=False)
class Demand:
    """A requirement and the conflicts that it stands for."""

    requirement: Requirement
    when: Conjunction  # over hashed fields
    conflicts: tuple[Conflict, ...]


def demands(conflicts: Iterable[Conflict], profile: Profile) -> list[Demand]:
    """The requirements of an NF for a NIC, without duplicates."""
    hashed = frozenset(f.name for o in profile.options for f in o.fields)
    found: dict[tuple[int, int, Conjunction], tuple[set[tuple[str, str]], list[Conflict]]] = {}
    for c in conflicts:
        tied = _tied(c.when)
        pairs = {(d, e) for d, e in c.counted if _classes_agree(tied, d, e)}
        if not pairs:
            continue
        classes, members = found.setdefault((c.i, c.j, project(c.when, hashed)), (set(), []))
        classes |= pairs
        members.append(c)
    return [
        Demand(Requirement(i, j, conjunction(when), frozenset(classes)), when, tuple(members))
        for (i, j, when), (classes, members) in found.items()
    ]


def project(when: Conjunction, hashed: frozenset[str]) -> Conjunction:
    """What a conjunction says about hashed fields."""
    left = set(when)
    while True:
        count = Counter(t for q in left for t in q.terms)
        drop = {
            q for q in left if any(name not in hashed and count[side, name, bit] == 1 for side, name, bit in q.terms)
        }
        if not drop:
            return frozenset(left)
        left -= drop


def conjunction(when: Conjunction) -> RssConjunction:
    """A conjunction in the solver's terms: equalities of fields where it can be said so, which solves fastest."""
    pairs, rest = equalities_of(when)
    equalities = []
    equations = [Equation(q.terms, q.constant) for q in sorted(rest, key=_order)]
    for left, right in pairs:
        try:
            equalities.append(equal(left, right))
        except FieldError:  # bytes that have no name of their own
            return RssConjunction(equations=tuple(Equation(q.terms, q.constant) for q in sorted(when, key=_order)))
    return RssConjunction(equalities=tuple(equalities), equations=tuple(equations))


def _order(q: BitEquation) -> tuple[object, ...]:
    return tuple(sorted(q.terms)), q.constant


def _tied(when: Conjunction) -> frozenset[str]:
    """Fields that classes of packets fix and that a conjunction equates as a whole."""
    equated = ({name for _, name, _ in terms} for terms, constant in when if not constant and len(terms) == 2)
    bits = Counter(name for names in equated if len(names) == 1 for name in names)
    return frozenset(name for name, count in bits.items() if count >= (16 if name == "eth.type" else 8))


def _classes_agree(tied: frozenset[str], d: str, e: str) -> bool:
    """Whether packets of two classes can have these fields equal, by what the classes fix."""
    facts = known_values(d), known_values(e)
    for name in facts[0].keys() & facts[1].keys() & tied:
        (only_d, values_d), (only_e, values_e) = facts[0][name], facts[1][name]
        if only_d and only_e and not values_d & values_e:
            return False
        if only_d and not only_e and not values_d - values_e:
            return False
        if only_e and not only_d and not values_e - values_d:
            return False
    return True


def classes_demanded(wanted: Iterable[Demand]) -> dict[int, set[str]]:
    """For each device, the classes of packets that some requirement names."""
    out: dict[int, set[str]] = {}
    for d in wanted:
        for first, second in d.requirement.classes or ():
            out.setdefault(d.requirement.i, set()).add(first)
            out.setdefault(d.requirement.j, set()).add(second)
    return out
