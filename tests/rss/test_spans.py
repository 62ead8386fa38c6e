"""Three ways to the same space: elimination, growing the span with Z3, and the thesis's quantified formula."""

from types import SimpleNamespace

import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_lsp import rss
from maestro_lsp.rss import gf2

# Two devices that hash one byte each, at different places of the key, with tables of eight entries.
LEFT, RIGHT = "ipv4.tos", "ipv4.ttl"
DEVICES = [
    rss.Device(0, (rss.HashInput.of("x", LEFT),), key_bytes=5, table_bits=3),
    rss.Device(1, (rss.HashInput.of("x", RIGHT),), key_bytes=5, table_bits=3),
]
NAMES = [LEFT, RIGHT, "ipv4.proto"]  # the last is hashed by neither

bits = st.tuples(st.sampled_from([0, 1]), st.sampled_from(NAMES), st.integers(0, 7))
equation = st.builds(rss.Equation, st.frozensets(bits, min_size=1, max_size=4), st.integers(0, 1))
systems = st.lists(st.lists(equation, max_size=9).map(tuple), min_size=1, max_size=3)
devices = st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1]))


def as_predicate(equations):
    """The same equations, hidden from elimination."""

    def predicate(d, e):
        parts = []
        for one in equations:
            total = z3.BitVecVal(one.constant, 1)
            for side, name, bit in one.terms:
                total = total ^ z3.Extract(7 - bit, 7 - bit, (d, e)[side].field(name))
            parts.append(total == 0)
        return z3.And(parts)

    return predicate


def same_space(first, second):
    return first.dimension == second.dimension and all(
        second.contains(first.keys(1 << at)) for at in range(first.dimension)
    )


@settings(max_examples=60, deadline=None)
@given(systems, devices)
def test_growing_agrees_with_elimination(system, pair):
    direct = [rss.Requirement(*pair, rss.Conjunction(equations=equations)) for equations in system]
    hidden = [rss.Requirement(*pair, rss.Conjunction(predicate=as_predicate(e))) for e in system]
    assert same_space(rss.solve(DEVICES, direct), rss.solve(DEVICES, hidden))


def quantified(space, system, pair):
    """The thesis's formula (3.11 - 3.20): for all packets, C implies equal index; free in the used key bits."""
    packets = [{name: z3.BitVec(f"{side}{name}", 8) for name in NAMES} for side in "de"]
    keys = [z3.BitVec(f"k{number}", 40) for number in (0, 1)]

    def index(side):
        value = packets[side][(LEFT, RIGHT)[pair[side]]]
        total = z3.BitVecVal(0, 32)
        for bit in range(8):
            window = z3.Extract(39 - bit, 8 - bit, keys[pair[side]])
            total = total ^ z3.If(z3.Extract(7 - bit, 7 - bit, value) == 1, window, z3.BitVecVal(0, 32))
        return z3.Extract(2, 0, total)

    rules = []
    for equations in system:
        condition = [
            z3.Extract(0, 0, z3.BitVecVal(e.constant, 1))
            == sum_bits(z3.Extract(7 - bit, 7 - bit, packets[side][name]) for side, name, bit in e.terms)
            for e in equations
        ]
        rules.append(z3.Implies(z3.And(condition), index(0) == index(1)))
    everything = [variable for packet in packets for variable in packet.values()]
    return keys, z3.ForAll(everything, z3.And(rules))


def sum_bits(terms):
    total = z3.BitVecVal(0, 1)
    for term in terms:
        total = total ^ term
    return total


@settings(max_examples=6, deadline=None)
@given(systems, devices)
def test_the_quantified_formula_has_the_same_solutions(system, pair):
    direct = [rss.Requirement(*pair, rss.Conjunction(equations=equations)) for equations in system]
    space = rss.solve(DEVICES, direct)
    keys, formula = quantified(space, system, pair)
    for seed in range(3):  # every member is a solution
        member = space.random(seed)
        solver = z3.Solver()
        solver.add(formula, *(keys[n] == int.from_bytes(member[n]) for n in (0, 1)))
        assert solver.check() == z3.sat
    duals = [y for y in gf2.nullspace(gf2.echelon(space.basis), 80) if y & space.used]
    outside = [
        sum_bits(z3.Extract(39 - at % 40, 39 - at % 40, keys[at // 40]) for at in gf2.bits(y & space.used)) == 1
        for y in duals
    ]
    solver = z3.Solver()  # and there is no solution outside the space
    solver.add(formula, z3.Or(outside))
    assert solver.check() == z3.unsat


FORMULAS = [
    "d.ipv4.tos < 9 and e.ipv4.ttl[0:4] == d.ipv4.tos[4:8]",
    "d.ipv4.tos & 12 == e.ipv4.ttl & 12 and d.ipv4.tos >> 4 == e.ipv4.ttl >> 4",
    "d.ipv4.tos == e.ipv4.ttl or d.ipv4.tos == 3",
    "not (d.ipv4.tos != e.ipv4.ttl or d.ipv4.proto > 6)",
    "d.ipv4.tos < e.ipv4.ttl < 3",
    "d.ipv4.tos == 17 and e.ipv4.ttl | 1 == 129",
    "d.ipv4.tos > 255",
]


class Byte(int):
    """A field that can be cut as in the language of formulas."""

    def __getitem__(self, part):
        return self >> (8 - part.stop) & ((1 << (part.stop - part.start)) - 1)


def satisfying(text):
    """The pairs of bytes that satisfy a formula by Python's own evaluation; 0 suits the field nobody hashes."""
    code = compile(text, "formula", "eval")
    d, e = (SimpleNamespace(ipv4=SimpleNamespace(proto=0)) for _ in "de")
    for d.ipv4.tos in map(Byte, range(256)):
        for e.ipv4.ttl in map(Byte, range(256)):
            if eval(code, {"d": d, "e": e}):
                yield d.ipv4.tos, e.ipv4.ttl


def test_formulas_have_the_span_of_all_pairs_that_satisfy_them():
    for text in FORMULAS:
        vectors = (int(f"{u:08b}"[::-1], 2) | int(f"{v:08b}"[::-1], 2) << 8 for u, v in satisfying(text))
        basis = gf2.echelon(vectors)
        exact = [
            rss.Requirement(0, 1, rss.Conjunction(equations=tuple(equations_of(vector)))) for vector in basis.values()
        ]
        grown = [rss.Requirement(0, 1, rss.Conjunction(predicate=rss.Formula(text)))]
        assert same_space(rss.solve(DEVICES, exact), rss.solve(DEVICES, grown)), text


def equations_of(vector):
    """Equations whose only solution is the given pair of bytes."""
    for at in range(16):
        side, bit = divmod(at, 8)
        yield rss.Equation(frozenset({(side, (LEFT, RIGHT)[side], bit)}), vector >> at & 1)


def test_formulas_outside_the_language_are_refused_in_one_line():
    for text, message in [
        ("d.ipv4 == 1", "not a number"),
        ("d.nothing.src == 1", "unknown field"),
        ("x.l4.src == 1", "not a number"),
        ("d.l4.src", "not a condition"),
        ("d.l4.src ==", "invalid syntax"),
        ("d.l4.src[0:99] == 1", "bits 0 to 16"),
        ("d.l4.src[3] == 1", "write a part as"),
        ("__import__('os')", "not a condition"),
    ]:
        try:
            rss.Formula(text)
        except rss.FormulaError as error:
            assert message in str(error) and "\n" not in str(error), text
        else:
            raise AssertionError(text)


def test_questions_that_z3_leaves_open_are_taken_into_the_span(monkeypatch):
    from maestro_lsp.rss import growth

    monkeypatch.setattr(growth, "QUESTION_MS", 1)
    # 40-bit multiplication is out of reach in a millisecond; the affine part still bounds the span.
    hard = rss.Formula("d.ipv4.src * d.ipv4.dst * 2654435761 == e.ipv4.src * e.ipv4.dst + 77 and d.l4.dst == e.l4.dst")
    device = rss.Device(0, (rss.HashInput.of("ipv4-tcp", "ipv4.src", "ipv4.dst"),))
    open_, exact = (
        rss.solve([device], [rss.Requirement(0, 0, rss.Conjunction(predicate=predicate))])
        for predicate in (hard, rss.Formula("d.l4.dst == e.l4.dst"))
    )
    assert open_.overapproximated
    assert not exact.overapproximated
    assert all(exact.contains(exact.split(0)) and open_.contains(exact.random(s)) for s in range(3))
