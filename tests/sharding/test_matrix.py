"""Conjunctions of bit equations as equalities of fields."""

from __future__ import annotations

from maestro_lsp.sharding.algebra import BitEquation
from maestro_lsp.sharding.matrix import equalities_of


def equal(field: str, other: str, bits: int) -> frozenset[BitEquation]:
    return frozenset(BitEquation(frozenset({(0, field, b), (1, other, b)})) for b in range(bits))


def test_bits_that_equal_two_are_shown_as_the_first_whatever_order_sets_have() -> None:
    equalities, rest = equalities_of(equal("ipv4.dst", "ipv4.src", 32) | equal("ipv4.dst", "ipv4.dst", 32))
    assert equalities == (("ipv4.dst", "ipv4.dst"),)
    assert set(rest) == equal("ipv4.dst", "ipv4.src", 32)
    assert list(rest) == sorted(rest, key=lambda q: sorted(q.terms))
