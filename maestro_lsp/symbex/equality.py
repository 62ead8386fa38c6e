"""When a map takes two keys for equal, as its own equality function says."""

from __future__ import annotations

from dataclasses import dataclass

from . import expr as X
from .expr import Expr


@dataclass(frozen=True)
class Equality:
    """When a map takes two keys for equal: the conjunction of `parts[i](a) == parts[i](b)`.

    `parts` are expressions over the bytes of the array "key a"; None when the function is no such conjunction (then `relation`
    over "key a" and "key b" is all there is).
    """

    size: int  # bytes of a key that are looked at
    parts: tuple[tuple[int | Expr, int], ...] | None
    relation: int | Expr


def equal_parts(conjuncts: list[int | Expr]) -> tuple[tuple[int | Expr, int], ...] | None:
    """Conditions of the form f(key a) == f(key b), as the f(key a); None if one is of another form."""
    parts: list[tuple[int | Expr, int]] = []
    todo = list(conjuncts)
    while todo:
        c = todo.pop(0)
        if isinstance(c, int):
            if c:
                continue
            return None
        if c.op == "and":
            todo = [*c.args, *todo]
            continue
        if c.op != "eq" or isinstance(c.args[1], int):
            return None
        x, y = c.args
        if any(leaf.args[0] == "key b" for leaf in X.leaves(x) if leaf.op == "byte"):
            x, y = y, x
        renamed = X.substitute(x, {leaf: X.byte("key b", leaf.args[1]) for leaf in X.leaves(x) if leaf.op == "byte"})
        if renamed is not y:
            return None
        if (x, x.width) not in parts:
            parts.append((x, x.width))
    return tuple(parts)
