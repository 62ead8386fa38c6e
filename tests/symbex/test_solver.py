"""Questions with divisions, which the solver asks in another form, against Z3's own division."""

from __future__ import annotations

import random

import z3

from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.expr import Expr
from maestro_lsp.symbex.solver import Solver

W = 8
COMPARISONS = (X.slt, X.ult, X.sle, X.ule, X.eq)


def term(rng: random.Random, depth: int = 0) -> int | Expr:
    """A random term over two bytes, with divisions in one another."""
    x: int | Expr = rng.choice((X.sym("x", W), X.sym("y", W)))
    if depth == 3 or rng.random() < 0.3:
        return x
    inner = term(rng, depth + 1)
    if rng.random() < 0.6:
        return rng.choice((X.sdiv, X.udiv, X.srem, X.urem))(inner, rng.choice((3, 5, 7, 10, 100, 127)), W)
    if rng.random() < 0.5:
        return X.mul(inner, rng.choice((3, 5, 7, 10)), W)
    return X.add(inner, rng.choice((x, rng.randrange(256))), W)


def holds_somewhere(goal: list[int | Expr]) -> bool:
    solver, ours = z3.Solver(), Solver()
    for c in goal:
        solver.add(z3.BoolVal(bool(c)) if isinstance(c, int) else ours.to_z3(c) == 1)
    return bool(solver.check() == z3.sat)


def test_divisions_by_constants_are_answered_exactly() -> None:
    rng = random.Random(7)
    found = 0
    for _ in range(250):
        goal = [rng.choice(COMPARISONS)(term(rng), term(rng), W) for _ in range(2)]
        answer = Solver().ask(goal)
        if isinstance(answer, dict):
            assert all(X.evaluate(c, answer) if isinstance(c, Expr) else c for c in goal)
            found += 1
        assert isinstance(answer, dict) == holds_somewhere(goal), [X.show(c) for c in goal]
    assert 50 < found < 240


def test_rounding_time_down_is_no_question_for_minutes() -> None:
    now = X.sym("time", 64)
    window = X.mul(X.sdiv(now, 1_000_000, 64), 1_000_000, 64)
    solver = Solver()
    assert solver.ask([X.sle(0, now, 64), X.slt(now, window, 64)]) is None
    assert isinstance(solver.ask([X.slt(now, window, 64)]), dict)  # a negative time


def bucket(tokens: Expr, last: Expr, now: Expr) -> list[Expr]:
    """That a packet of 34 bytes finds enough in a bucket which the time since `last` has not filled: much arithmetic."""
    elapsed = X.sub(now, last, 64)
    filled = X.add(tokens, X.udiv(X.mul(elapsed, 400_000, 64), 1_000_000_000, 64), 64)
    length = X.sym("length", 64)
    goal = [X.not_(X.slt(now, 0, 64), 1), X.sle(last, now, 64), X.ult(elapsed, 2_000_000, 64), X.ule(filled, 800, 64),
            X.ule(34, length, 64), X.ule(length, filled, 64)]  # fmt: skip
    return [c for c in goal if isinstance(c, Expr)]


def test_models_of_arithmetic_that_are_hard_for_z3_are_searched_for() -> None:
    *known, asked = bucket(X.sym("tokens", 64), X.sym("last", 64), X.sym("now", 64))
    found = Solver().find(known, dict.fromkeys(X.leaves(asked), 0), asked)
    assert isinstance(found, dict)
    assert all(X.evaluate(c, found) for c in [*known, asked])


def test_what_was_asked_before_by_others_does_not_change_an_answer() -> None:
    """Neither the answer nor the work: both decide verdicts when the budget is short."""
    goal = bucket(X.sym("t", 64), X.sym("l", 64), X.sym("n", 64))
    first, second = Solver(), Solver()
    answer = first.ask(goal, 20_000)
    rng = random.Random(3)
    for _ in range(50):
        Solver().ask([rng.choice(COMPARISONS)(term(rng), term(rng), W)])
    assert second.ask(goal, 20_000) == answer
    assert second._spent == first._spent > 0
