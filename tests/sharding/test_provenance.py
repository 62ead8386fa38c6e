"""Where in an expression an index stands, and that it can be read back there: against all values of small ones."""

from __future__ import annotations

import random
from itertools import product

from maestro_lsp.sharding.provenance import Provenance, _piece
from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.expr import Expr
from maestro_lsp.symbex.path import CallPath
from maestro_lsp.symbex.solver import Solver

W = 8
INDEX, A, B = X.sym("index", 4), X.sym("a", 3), X.sym("b", 2)
BOUND = 16


def term(rng: random.Random, leaf: Expr) -> int | Expr:
    """A leaf somewhere in eight bits, by a shift, a factor or a concatenation."""
    wide = X.zext(leaf, leaf.width, W)
    at = rng.randrange(W - leaf.width + 1)
    return rng.choice((X.shl(wide, at, W), X.mul(wide, 1 << at, W), X.mul(wide, rng.choice((1, 2, 3, 4, 8)), W)))


def condition(rng: random.Random) -> list[Expr]:
    """Something about the other leaves."""
    leaf = rng.choice((A, B))
    made = rng.choice((X.ult(leaf, rng.randrange(1, 1 << leaf.width), leaf.width), X.eq(leaf, 1, leaf.width), 1))
    return [made] if isinstance(made, Expr) else []


def test_an_index_is_read_back_where_it_is_said_to_stand() -> None:
    rng = random.Random(3)
    found = by_conditions = 0
    for _ in range(3000):
        e: int | Expr = term(rng, INDEX)
        for leaf in rng.sample((A, B), rng.randrange(1, 3)):
            e = rng.choice((X.add, X.add, X.or_))(e, term(rng, leaf), W)
        conditions = [*condition(rng), *condition(rng)]
        if not isinstance(e, Expr) or INDEX not in X.leaves(e):
            continue
        place = _piece(e, INDEX, BOUND, conditions)
        if place is None:
            continue
        found += 1
        by_conditions += _piece(e, INDEX, BOUND, []) is None
        first, width = place
        for i, a, b in product(range(BOUND), range(1 << A.width), range(1 << B.width)):
            model = {INDEX: i, A: a, B: b}
            if all(X.evaluate(c, model) for c in conditions):
                assert X.evaluate(e, model) >> first & ((1 << width) - 1) == i, (X.show(e), place)
    assert found > 300 and by_conditions > 30


def cell(rng: random.Random, index: Expr) -> int | Expr:
    """The number of a cell that an index leads to, in eight bits."""
    wide = X.add(X.zext(index, index.width, W), rng.randrange(4), W)
    return X.add(X.mul(wide, rng.choice((1, 2, 3, 4, 5)), W), rng.randrange(4), W)


def test_indices_of_different_widths_are_told_apart_only_where_all_values_are() -> None:
    """One may stand in a cell, with fewer bits than those that libVig gives, and than the range of a dchain has."""
    rng = random.Random(5)
    path = CallPath(0, 0, (), (), (), (), (), "drop", None, {})
    narrow = X.sym("narrow", 3)
    answers = []
    for _ in range(300):
        origin = Provenance(Solver(), rng.choice((5, 8, 16, 1000)))
        e, f = cell(rng, INDEX), cell(rng, narrow)
        assert isinstance(e, Expr) and isinstance(f, Expr)
        pairs = product(range(min(origin.bound, 16)), range(min(origin.bound, 8)))
        are_apart = all(X.evaluate(e, {INDEX: x}) != X.evaluate(f, {narrow: y}) or x == y for x, y in pairs)
        answers.append(origin.apart(path, e, INDEX, path, f, narrow))
        assert answers[-1] <= are_apart, (X.show(e), X.show(f), origin.bound)
    assert 20 < sum(answers) < 280
