"""Proof that keys do what the requirements ask, by means that do not trust the solver.

For every requirement and every pair of hash inputs that it ties (docs/explanation/span.md):
1. Z3 shows that no pair of packets that must meet lies outside the span the solver used: for no vector y of
the
   span's dual is there a member on which y is 1. This does not depend on the keys.
2. Exact arithmetic: the keys send every generator of the span to index difference 0.
3. Members drawn by Z3 are hashed with the reference Toeplitz hash and must have equal indices.
Takes a key space and keys; gives a `Proof` that names what was checked and the first thing that failed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import z3

from . import fields, gf2, growth
from .constraint import Requirement
from .solve import HASH_BITS, Device, HashInput, Keys, KeySpace
from .span import layout, span
from .toeplitz import toeplitz

PATIENCE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement on one pair of hash inputs."""

    requirement: Requirement
    classes: tuple[str, str]  # of packet d and packet e
    generators: int  # of the span; 0 with `never` if no pair of packets satisfies the requirement
    members: int  # random pairs of packets hashed
    never: bool
    failure: str  # what is wrong, in one line; empty if nothing is

    def __str__(self) -> str:
        pair = f"{self.requirement} ({self.classes[0]} with {self.classes[1]})"
        if self.failure:
            return f"{pair}: FAILED: {self.failure}"
        if self.never:
            return f"{pair}: proved to hold for no packets"
        return f"{pair}: {self.generators} generators, {self.members} random pairs"


@dataclass(frozen=True, slots=True)
class Proof:
    """All checks; `holds` if none failed."""

    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether every requirement is proved for the keys."""
        return all(not check.failure for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.failure)


def prove(space: KeySpace, keys: Keys, seed: int = 0, members: int = 4) -> Proof:
    """Check the keys against every requirement of the space. Raises SpecError for keys of the wrong shape."""
    space.join(keys)  # the shape of the keys
    draw = random.Random(seed)
    return Proof(tuple(_check(pair, keys, draw, members) for pair in _pairs(space)))


@dataclass(frozen=True, slots=True)
class _Pair:
    requirement: Requirement
    devices: tuple[Device, Device]
    inputs: tuple[HashInput, HashInput]
    index_bits: int


def _pairs(space: KeySpace) -> Iterator[_Pair]:
    """Every requirement on every pair of inputs it ties; classes with the same inputs and facts only once."""
    for requirement in space.requirements:
        first, second = space.device(requirement.i), space.device(requirement.j)
        q = HASH_BITS if space.equal == "hash" else max(first.table_bits, second.table_bits)
        seen = set()
        for a in first.inputs:
            for b in second.inputs:
                if not (a.fields or b.fields) or not requirement.applies(a.packet_class, b.packet_class):
                    continue
                facts = tuple(
                    tuple((name, fact) for name, fact in fields.known_values(i.packet_class).items()) for i in (a, b)
                )
                named = requirement.when.predicate is None and not any(
                    name in requirement.when.names(side) or any(name == f.name for f in i.fields)
                    for side, i in enumerate((a, b))
                    for name, _ in facts[side]
                )
                key = (a.fields, b.fields, None if named else facts)
                if key not in seen:
                    seen.add(key)
                    yield _Pair(requirement, (first, second), (a, b), q)


def _check(pair: _Pair, keys: Keys, draw: random.Random, members: int) -> Check:
    requirement, (a, b) = pair.requirement, pair.inputs
    classes = (a.packet_class, b.packet_class)
    must_meet = span(requirement.when, a.fields, b.fields, *classes)
    at = (layout(a.fields), layout(b.fields))
    facts = (fields.known_values(classes[0]), fields.known_values(classes[1]))
    condition, packets = growth.condition(requirement.when, facts)
    bits = growth.hashed_bits(packets, *at)
    solver = z3.SolverFor("QF_BV")
    solver.set("timeout", PATIENCE_MS)
    solver.set("random_seed", draw.getrandbits(16))
    solver.add(condition)
    if must_meet is None:
        empty = solver.check() == z3.unsat
        failure = "" if empty else "the solver took it for a contradiction, Z3 does not"
        return Check(requirement, classes, 0, 0, empty, failure)
    basis = gf2.echelon(must_meet.generators(at[0].width))
    hashed = 0
    failure = _outside_span(solver, basis, bits) or _unequal_generator(pair, keys, basis, at[0].width)
    if not failure:
        terms = [packets[side].run(run) for side in (0, 1) for run, _ in at[side].segments]
        for _ in range(members):
            pair_bits = _draw_member(solver, terms, draw)
            if pair_bits is None:
                break
            hashed += 1
            failure = _unequal_member(pair, keys, pair_bits, at[0].width)
            if failure:
                break
    return Check(requirement, classes, len(basis), hashed, False, failure)


def _outside_span(solver: Any, basis: dict[int, int], bits: list[Any]) -> str:
    """Empty if Z3 proves that every member lies in the span."""
    duals = gf2.nullspace(basis, len(bits))
    answer = solver.check(z3.Or([growth.odd(dual, bits) for dual in duals])) if duals else z3.unsat
    if answer == z3.sat:
        return "two packets that must meet lie outside the span that the keys were made for"
    return "" if answer == z3.unsat else "Z3 gave up on the span; the keys may still be right"


def _unequal_generator(pair: _Pair, keys: Keys, basis: dict[int, int], width_a: int) -> str:
    """Empty if the keys give index difference 0 for every generator, by integer arithmetic on whole keys."""
    low = (1 << pair.index_bits) - 1
    for vector in basis.values():
        u, v = vector & ((1 << width_a) - 1), vector >> width_a
        difference = 0
        for side, part in enumerate((u, v)):
            key = keys[pair.devices[side].number]
            window, top = int.from_bytes(key), 8 * len(key) - HASH_BITS
            for bit in gf2.bits(part):
                difference ^= window >> (top - bit)
        if difference & low:
            return f"index difference {difference & low:#x} on a generator of the span"
    return ""


def _draw_member(solver: Any, terms: list[Any], draw: random.Random) -> list[int] | None:
    """Bits of a pair of inputs that satisfies the requirement, with random fields as far as it leaves a
    choice.

    `terms` are the fields of both inputs in hash order.
    """
    wishes = {z3.FreshBool(): term == draw.getrandbits(term.size()) for term in terms}
    solver.push()
    try:
        solver.add([z3.Implies(name, wish) for name, wish in wishes.items()])
        while (answer := solver.check(*wishes)) == z3.unsat:
            core = solver.unsat_core()
            del wishes[draw.choice([name for name in wishes if name in core])]
        if answer != z3.sat:
            return None
        model = solver.model()
        values = ((term.size(), model.eval(term, model_completion=True).as_long()) for term in terms)
        return [int(bit) for width, value in values for bit in f"{value:0{width}b}"]
    finally:
        solver.pop()


def _unequal_member(pair: _Pair, keys: Keys, bits: list[int], width_a: int) -> str:
    """Empty if the reference hash gives both packets of a pair one index."""
    indices, inputs = [], []
    for side, own in enumerate((bits[:width_a], bits[width_a:])):
        value = int("0" + "".join(map(str, own)), 2) << (-len(own) % 8)
        data = value.to_bytes((len(own) + 7) // 8)
        hashed = toeplitz(keys[pair.devices[side].number], data) if own else 0
        indices.append(hashed & ((1 << pair.index_bits) - 1))
        inputs.append(data.hex())
    if indices[0] != indices[1]:
        return f"hash inputs {inputs[0]} and {inputs[1]} get indices {indices[0]} and {indices[1]}"
    return ""
