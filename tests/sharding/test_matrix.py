"""Conjunctions of bit equations as equalities of fields."""

from __future__ import annotations

import random

import pytest

from maestro_lsp.rss.constraint import Conjunction as RssConjunction
from maestro_lsp.rss.fields import Field
from maestro_lsp.sharding.algebra import BitEquation
from maestro_lsp.sharding.demands import conjunction
from maestro_lsp.sharding.matrix import equalities_of


def equal(field: str, other: str, bits: int) -> frozenset[BitEquation]:
    return frozenset(BitEquation(frozenset({(0, field, b), (1, other, b)})) for b in range(bits))


def test_bits_that_equal_two_are_shown_as_the_first_whatever_order_sets_have() -> None:
    equalities, rest = equalities_of(equal("ipv4.dst", "ipv4.src", 32) | equal("ipv4.dst", "ipv4.dst", 32))
    assert equalities == (("ipv4.dst", "ipv4.dst"),)
    assert set(rest) == equal("ipv4.dst", "ipv4.src", 32)
    assert list(rest) == sorted(rest, key=lambda q: sorted(q.terms))


BITS = [("ipv4.src", b) for b in (0, 1, 2, 3, 30, 31)] + [("ipv4.dst", b) for b in (0, 1, 2, 3)]


@pytest.mark.parametrize("seed", range(200))
def test_a_requirement_says_all_that_a_conjunction_of_bits_says(seed):
    """Fields' equalities, constants of either packet, and what is neither: the solver gets what the packets were compared by."""
    pick = random.Random(seed)
    equations = set()
    for field, bit in pick.sample(BITS, 5):
        value = pick.getrandbits(1)
        one, other = (0, field, bit), (1, *pick.choice([(field, bit), pick.choice(BITS)]))
        terms, constant = pick.choice(
            [({one, other}, 0), ({one}, value), ({(1, field, bit)}, value), ({one, other}, 1)]
        )
        equations.add(BitEquation(frozenset(terms), constant))
    when = frozenset(equations)
    asked = conjunction(when)
    for _ in range(200):
        packets = [{t: pick.getrandbits(1) for t in BITS} for _ in range(2)]
        if pick.random() < 0.7:  # mostly satisfied, or nothing is tested
            for q in sorted(when, key=lambda q: sorted(q.terms)):
                if sum(packets[s][f, b] for s, f, b in q.terms) % 2 != q.constant:
                    s, f, b = max(q.terms)
                    packets[s][f, b] ^= 1
        holds = all(sum(packets[s][f, b] for s, f, b in q.terms) % 2 == q.constant for q in when)
        assert holds == satisfied(asked, packets)


def satisfied(asked: RssConjunction, packets: list[dict[tuple[str, int], int]]) -> bool:
    def bits(side: int, e: Field | int, width: int) -> list[int]:
        if isinstance(e, int):
            return [e >> (width - 1 - n) & 1 for n in range(width)]
        return [packets[side][e.name, b] for b in range(e.start, e.stop)]

    for e in asked.equalities:
        width = next(f.width for f in (e.left, e.right) if isinstance(f, Field))
        if bits(0, e.left, width) != bits(1, e.right, width):
            return False
    return all(sum(packets[s][f, b] for s, f, b in q.terms) % 2 == q.constant for q in asked.equations)
