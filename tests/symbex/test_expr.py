"""Expressions: what is built simplified means what Z3 and plain evaluation say it means."""

from __future__ import annotations

import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.expr import Expr
from maestro_lsp.symbex.known_bits import contradict
from maestro_lsp.symbex.solver import Solver, search

BINARY = {
    "add": (X.add, lambda x, y: x + y),
    "sub": (X.sub, lambda x, y: x - y),
    "mul": (X.mul, lambda x, y: x * y),
    "and": (X.and_, lambda x, y: x & y),
    "or": (X.or_, lambda x, y: x | y),
    "xor": (X.xor, lambda x, y: x ^ y),
    "udiv": (X.udiv, z3.UDiv),
    "urem": (X.urem, z3.URem),
    "sdiv": (X.sdiv, lambda x, y: x / y),
    "srem": (X.srem, z3.SRem),
    "shl": (X.shl, lambda x, y: x << y),
    "lshr": (X.lshr, z3.LShR),
    "ashr": (X.ashr, lambda x, y: x >> y),
}
COMPARE = {
    "eq": (X.eq, lambda x, y: x == y),
    "ult": (X.ult, z3.ULT),
    "ule": (X.ule, z3.ULE),
    "slt": (X.slt, lambda x, y: x < y),
    "sle": (X.sle, lambda x, y: x <= y),
}


@st.composite
def terms(draw, width=None, depth=4):
    """A pair (expression built by our constructors, the same term built by Z3) with its width."""
    w = width or draw(st.sampled_from([1, 8, 16, 32]))
    kind = draw(st.sampled_from(["leaf", "const", "bin", "cmp", "cast", "not", "ite", "bytes"])) if depth else "leaf"
    if kind == "const":
        c = draw(
            st.one_of(
                st.integers(0, (1 << w) - 1), st.sampled_from([0, 1, (1 << w) - 1, 1 << (w - 1), 0xFF & ((1 << w) - 1)])
            )
        )
        return c, z3.BitVecVal(c, w), w
    if kind == "bin":
        op = draw(st.sampled_from(sorted(BINARY)))
        a, za, _ = draw(terms(w, depth - 1))
        b, zb, _ = draw(terms(w, depth - 1))
        return BINARY[op][0](a, b, w), BINARY[op][1](za, zb), w
    if kind == "cmp" and w == 1:
        op = draw(st.sampled_from(sorted(COMPARE)))
        a, za, wa = draw(terms(None, depth - 1))
        b, zb, _ = draw(terms(wa, depth - 1))
        return COMPARE[op][0](a, b, wa), z3.If(COMPARE[op][1](za, zb), z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)), 1
    if kind == "cast" and w > 1:
        a, za, wa = draw(terms(None, depth - 1))
        if wa < w:
            if draw(st.booleans()):
                return X.zext(a, wa, w), z3.ZeroExt(w - wa, za), w
            return X.sext(a, wa, w), z3.SignExt(w - wa, za), w
        lo = draw(st.integers(0, wa - w))
        return X.extract(a, lo, w), z3.Extract(lo + w - 1, lo, za), w
    if kind == "not":
        a, za, _ = draw(terms(w, depth - 1))
        return X.not_(a, w), ~za, w
    if kind == "ite":
        c, zc, _ = draw(terms(1, depth - 1))
        a, za, _ = draw(terms(w, depth - 1))
        b, zb, _ = draw(terms(w, depth - 1))
        return X.ite(c, a, b, w), z3.If(zc == 1, za, zb), w
    if kind == "bytes" and w in (16, 32):
        a, za, _ = draw(terms(w, depth - 1))
        bs = tuple(X.bytes_of(a, w // 8))
        swapped = z3.Concat(*(z3.Extract(8 * i + 7, 8 * i, za) for i in range(w // 8)))
        return X.from_bytes(tuple(reversed(bs))), swapped, w
    name = draw(st.sampled_from("abc"))
    return X.sym(f"{name}{w}", w), z3.BitVec(f"{name}{w}:{w}", w), w


@settings(max_examples=400, deadline=None)
@given(terms())
def test_building_keeps_the_meaning(term):
    ours, theirs, w = term
    solver = Solver()
    s = z3.Solver()
    s.add(solver.to_z3(ours, w) != theirs)
    assert s.check() == z3.unsat


@settings(max_examples=200, deadline=None)
@given(terms(), st.data())
def test_evaluation_agrees_with_z3(term, data):
    ours, theirs, w = term
    names = {X.sym(f"{n}{v}", v): z3.BitVec(f"{n}{v}:{v}", v) for n in "abc" for v in (1, 8, 16, 32)}
    model = {s: data.draw(st.integers(0, (1 << s.width) - 1)) for s in names}
    value = z3.simplify(z3.substitute(theirs, *((z, z3.BitVecVal(model[s], s.width)) for s, z in names.items())))
    assert X.evaluate(ours, model) == value.as_long()


@settings(max_examples=200, deadline=None)
@given(terms(), st.data())
def test_a_table_has_the_values_that_evaluation_gives(term, data):
    byte = X.byte("packet", 0)
    names = [X.sym(f"{n}{v}", v) for n in "abc" for v in (1, 8, 16, 32)]
    wider = {s: X.zext(byte, 8, s.width) if s.width > 8 else X.extract(byte, 0, s.width) for s in names}
    constant = {s: data.draw(st.integers(0, (1 << s.width) - 1)) for s in names if data.draw(st.booleans())}
    ours = X.substitute(term[0], {**wider, **constant})
    memo = {}
    for _ in range(2):  # from what is remembered, too
        assert list(X.tabulate(ours, byte, memo)) == [X.evaluate(ours, {byte: v}) for v in range(256)]


@settings(max_examples=400, deadline=None)
@given(st.lists(terms(width=1), min_size=1, max_size=4), st.data())
def test_conditions_that_a_model_satisfies_never_contradict(conditions, data):
    model = {X.sym(f"{n}{v}", v): data.draw(st.integers(0, (1 << v) - 1)) for n in "abc" for v in (1, 8, 16, 32)}
    true = [e if X.evaluate(e, model) else X.not_(e, 1) for e, _, _ in conditions if isinstance(e, Expr)]
    assert not contradict(true)


def test_known_bits_show_what_equalities_and_bounds_of_pieces_contradict():
    high, low, index = X.byte("packet", 20), X.byte("packet", 21), X.sym("index", 32)
    offset = X.concat(((X.extract(high, 0, 6), 6), (low, 8)))
    shorter = X.eq(X.concat(((X.extract(high, 0, 5), 5), (low, 8))), 0, 13)
    bit = X.not_(X.extract(high, 5, 1), 1)
    assert contradict([shorter, bit, X.not_(X.eq(offset, 0, 14), 1)])
    assert not contradict([shorter, X.not_(X.eq(offset, 0, 14), 1)])
    assert contradict([X.extract(index, 31, 1), X.ult(index, 65536, 32)])
    assert not contradict([X.extract(index, 15, 1), X.ult(index, 65536, 32)])


@settings(max_examples=200, deadline=None)
@given(terms(width=1))
def test_a_found_model_satisfies_and_no_model_means_unsatisfiable(term):
    ours, theirs, _ = term
    if isinstance(ours, int):
        return
    found = Solver().find([], {}, ours)
    s = z3.Solver()
    s.add(theirs == 1)
    if found is None:
        assert s.check() == z3.unsat
    else:
        assert X.evaluate(ours, found) == 1


@settings(max_examples=200, deadline=None)
@given(terms(), st.data())
def test_substitution_agrees_with_evaluation(term, data):
    ours, _, w = term
    syms = [X.sym(f"{n}{v}", v) for n in "abc" for v in (1, 8, 16, 32)]
    model = {s: data.draw(st.integers(0, (1 << s.width) - 1)) for s in syms}
    assert X.substitute(ours, model) == X.evaluate(ours, model)


@settings(max_examples=300, deadline=None)
@given(terms(width=8), terms(width=8), terms(width=8), st.integers(0, 255), st.booleans())
def test_sums_without_their_common_terms_compare_alike(a, b, c, constant, negated):
    first, second = X.add(X.add(a[0], constant, 8), b[0], 8), X.add(c[0], a[0], 8)
    e = X.eq(first, second, 8)
    if isinstance(e, int):
        return
    e = X.not_(e, 1) if negated else e
    solver, s = Solver(), z3.Solver()
    s.add(solver.to_z3(e, 1) != solver.to_z3(X.cancelled(e), 1))
    assert s.check() == z3.unsat


@settings(max_examples=200, deadline=None)
@given(terms(), terms(), st.integers(0, 31))
def test_the_parts_of_a_sum_make_it_up(x, y, cut):
    """Halves of words that no carry joins, and sums that are none."""
    low = X.zext(X.extract(X.zext(x[0], x[2], 32), 0, cut), cut, 32) if cut else 0
    high = X.shl(X.zext(y[0], y[2], 32), cut, 32)
    for e in (X.add(low, high, 32), X.add(X.zext(x[0], x[2], 32), high, 32)):
        if isinstance(e, X.Expr):
            solver, s = Solver(), z3.Solver()
            s.add(solver.to_z3(e) != solver.to_z3(X.concat(X.summed_parts(e)), 32))
            assert s.check() == z3.unsat


def test_byte_swaps_masks_and_reassembly_meet_in_one_form():
    field = X.from_bytes(tuple(X.byte("packet", 26 + i) for i in range(4)))
    swapped = X.from_bytes(tuple(reversed(list(X.bytes_of(field, 4)))))
    shifted = X.or_(
        X.or_(
            X.shl(X.zext(X.byte("packet", 26), 8, 32), 24, 32), X.shl(X.zext(X.byte("packet", 27), 8, 32), 16, 32), 32
        ),
        X.or_(X.shl(X.zext(X.byte("packet", 28), 8, 32), 8, 32), X.zext(X.byte("packet", 29), 8, 32), 32),
        32,
    )
    assert swapped is shifted
    assert X.and_(swapped, 0xFF000000, 32) is X.shl(X.lshr(swapped, 24, 32), 24, 32)


def test_the_search_inverts_what_branches_test():
    x = X.sym("x", 16)
    model: dict[X.Expr, int] = {}
    assert search([X.eq(X.add(X.zext(x, 16, 32), 5, 32), 105, 32)], model)
    assert model[x] == 100
