"""The constraint matrix as people read it: conjunctions of field equalities for each pair of devices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..rss.fields import WIDTHS
from .algebra import BitEquation, Conjunction
from .conflicts import Conflict

Equality = tuple[str, str | int]  # field of d, field of e or a constant


@dataclass(frozen=True, slots=True)
class Row:
    """Which packets of two devices must meet: a disjunction of conjunctions; empty is never, an empty conjunction always."""

    devices: tuple[int, int]
    constraint: tuple[tuple[Equality, ...], ...]
    exact: bool = True
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "devices": list(self.devices),
            "constraint": [[list(e) for e in c] for c in self.constraint],
        }
        if not self.exact:
            out["exact"] = False
            out["text"] = self.text
        return out

    def __str__(self) -> str:
        if not self.constraint:
            return "never"
        return " or ".join(show(c) for c in self.constraint)


def show(conjunction: Sequence[Equality]) -> str:
    """A conjunction for people."""
    return " and ".join(f"{a} = {b}" for a, b in conjunction) or "always"


def in_words(equalities: Sequence[Equality]) -> str:
    """A conjunction of the matrix in words: of fields of two packets, the one on the first device first."""
    if not equalities:
        return "all"
    same = [a for a, b in equalities if a == b]
    rest = [f"{a} = {b}" for a, b in equalities if a != b]
    return ", ".join((["equal " + ", ".join(same)] if same else []) + rest)


def tied_packets(when: Conjunction) -> str:
    """The packets of a pair that must meet, as a message names them."""
    equalities, rest = equalities_of(when)
    if equalities:
        return f"packets with {in_words(equalities)}"
    return f"packets that satisfy {len(rest)} equations between bits" if rest else "all packets"


def rows(devices: Sequence[int], conflicts: Iterable[Conflict]) -> tuple[Row, ...]:
    """One row for each pair of devices, absorbed conjunctions dropped, the rest sorted."""
    found = list(conflicts)
    out = []
    for a, i in enumerate(devices):
        for j in devices[a:]:
            mine = [c for c in found if (c.i, c.j) == (i, j)]
            whens = {c.when for c in mine}
            if i == j:  # d and e can be exchanged
                whens |= {_swapped(w) for w in whens}
            kept = [w for w in whens if not any(o < w for o in whens)]
            shown, exact, texts = set(), True, []
            for w in kept:
                equalities, rest = equalities_of(w)
                shown.add(equalities)
                if rest:
                    exact = False
                    texts.append(" and ".join([*([show(equalities)] if equalities else []), *_rest_in_words(rest)]))
            shown = {s for s in shown if not any(set(o) < set(s) for o in shown)}
            order = tuple(sorted(shown, key=lambda c: [(a, str(b)) for a, b in c]))
            out.append(Row((i, j), order, exact, "; ".join(sorted(texts))))
    return tuple(out)


def _rest_in_words(rest: Sequence[BitEquation]) -> list[str]:
    """Equations that are no equalities of fields: constants of the second packet, and how many others there are."""
    alone = [(next(iter(q.terms)), q.constant) for q in rest if len(q.terms) == 1]
    out = [f"{part(name, start, n)} = {v} of the second" for _, name, start, n, v in _constant_runs(dict(alone))]
    others = len(rest) - len(alone)
    return [*out, f"{others} equation{'s' if others > 1 else ''} between bits"] if others else out


def _swapped(when: Conjunction) -> Conjunction:
    return frozenset(BitEquation(frozenset((1 - s, f, b) for s, f, b in q.terms), q.constant) for q in when)


@lru_cache(maxsize=1024)
def equalities_of(when: Conjunction) -> tuple[tuple[Equality, ...], tuple[BitEquation, ...]]:
    """A conjunction as equalities of fields or parts of fields; and the equations that are none."""
    pairs: dict[tuple[str, int], tuple[str, int]] = {}
    constants: dict[tuple[int, str, int], int] = {}
    rest: list[BitEquation] = []
    for terms, q in sorted((sorted(q.terms), q) for q in when):  # a bit that equals two is shown as the first of them
        if len(terms) == 2 and terms[0][0] == 0 and terms[1][0] == 1 and q.constant == 0:
            left = terms[0][1:]
            if left in pairs:
                rest.append(q)
            else:
                pairs[left] = terms[1][1:]
        elif len(terms) == 1:
            constants[terms[0]] = q.constant
        else:
            rest.append(q)
    out: list[Equality] = []
    for left, right, length in _runs(pairs):
        out.append((part(left[0], left[1], length), part(right[0], right[1], length)))
    for side, name, start, length, value in _constant_runs(constants):
        if side == 0:
            out.append((part(name, start, length), value))
        elif not any(b == part(name, start, length) and (a, value) in out for a, b in out):  # else it is said already
            bits = [(start + n, value >> (length - 1 - n) & 1) for n in range(length)]
            rest += [BitEquation(frozenset({(1, name, bit)}), v) for bit, v in bits]
    return tuple(sorted(_merge_bytes(out), key=lambda e: (_rank(e[0]), e[0], str(e[1])))), tuple(rest)


_ORDER = ["ipv4.src", "ipv4.dst", "ipv6.src", "ipv6.dst", "l4.src", "l4.dst", "ipv4.proto", "ipv6.proto"]


def _rank(name: str) -> int:
    base = name.split("[")[0]
    return _ORDER.index(base) if base in _ORDER else len(_ORDER)


def _runs(pairs: dict[tuple[str, int], tuple[str, int]]) -> list[tuple[tuple[str, int], tuple[str, int], int]]:
    out: list[tuple[tuple[str, int], tuple[str, int], int]] = []
    for (f, b), (g, c) in sorted(pairs.items()):
        if out:
            (f0, b0), (g0, c0), n = out[-1]
            if (f, b, g, c) == (f0, b0 + n, g0, c0 + n):
                out[-1] = ((f0, b0), (g0, c0), n + 1)
                continue
        out.append(((f, b), (g, c), 1))
    return out


def _constant_runs(constants: dict[tuple[int, str, int], int]) -> list[tuple[int, str, int, int, int]]:
    out: list[tuple[int, str, int, int, int]] = []
    for (side, f, b), v in sorted(constants.items()):
        if out:
            s0, f0, b0, n, value = out[-1]
            if (side, f, b) == (s0, f0, b0 + n):
                out[-1] = (s0, f0, b0, n + 1, value << 1 | v)
                continue
        out.append((side, f, b, 1, v))
    return out


def part(name: str, start: int, length: int) -> str:
    """A field or a part of one, as reports write it."""
    if name.startswith("packet["):
        return name if (start, length) == (0, 8) else f"{name}[{start}:{start + length}]"
    if (start, length) == (0, WIDTHS.get(name, -1)):
        return name
    return f"{name}[{start}:{start + length}]"


BYTE = re.compile(r"packet\[(\d+):(\d+)\]")


def _merge_bytes(equalities: list[Equality]) -> list[Equality]:
    """Join equalities of neighbouring bytes: packet[14:15], packet[15:16] -> packet[14:16]."""
    out: list[Equality] = []
    plain: dict[tuple[int, int], int] = {}
    for a, b in equalities:
        m, n = BYTE.fullmatch(a), BYTE.fullmatch(b) if isinstance(b, str) else None
        if m and n:
            plain[(int(m[1]), int(n[1]))] = 1
        else:
            out.append((a, b))
    while plain:
        a0, b0 = min(plain)
        n_ = 0
        while (a0 + n_, b0 + n_) in plain:
            del plain[(a0 + n_, b0 + n_)]
            n_ += 1
        out.append((f"packet[{a0}:{a0 + n_}]", f"packet[{b0}:{b0 + n_}]"))
    return out
