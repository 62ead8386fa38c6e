"""Walking expressions: leaves, substitution, evaluation, printing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .conditions import eq, sle, slt, ule, ult
from .terms import (
    Expr,
    add,
    and_,
    ashr,
    concat,
    extract,
    ite,
    lshr,
    mul,
    not_,
    or_,
    sdiv,
    sdiv_values,
    sext,
    shl,
    signed,
    srem,
    srem_values,
    udiv,
    udiv_values,
    uf,
    urem,
    urem_values,
    xor,
)


def leaves(e: int | Expr) -> frozenset[Expr]:
    """The leaves of an expression (arguments of uninterpreted functions included)."""
    if isinstance(e, int):
        return frozenset()
    got = e._leaves
    if got is None:
        op = e.op
        if op in ("sym", "byte"):
            got = frozenset((e,))
        elif op == "concat":
            got = frozenset().union(*(leaves(a) for a in e.args[0] if not isinstance(a, int)))
        else:
            got = frozenset().union(*(leaves(a) for a in e.args if isinstance(a, Expr)))
            if op == "uf":
                got |= {e}
        e._leaves = got
    return got


def conjuncts(e: int | Expr) -> tuple[Expr, ...]:
    """The conditions that a one-bit expression is the conjunction of (negated disjunctions are taken apart too)."""
    if isinstance(e, int):
        return ()
    got = e._conjuncts
    if got is None:
        got = e._conjuncts = tuple(_take_apart(e))
    return got


def _take_apart(e: Expr) -> list[Expr]:
    out: list[Expr] = []
    todo: list[int | Expr] = [e]
    while todo:
        x = todo.pop()
        if isinstance(x, int):
            continue
        if x.op == "and" and x.width == 1:
            todo += reversed(x.args)
        elif x.op == "not" and x.args[0].op == "or":
            a, b = x.args[0].args
            todo += [not_(b, 1), not_(a, 1)]
        else:
            out.append(x)
    return out


def size(*expressions: int | Expr) -> int:
    """Number of distinct nodes."""
    seen: set[Expr] = set()
    stack = list(expressions)
    while stack:
        x = stack.pop()
        if isinstance(x, Expr) and x not in seen:
            seen.add(x)
            stack.extend(children(x))
    return len(seen)


def children(e: Expr) -> tuple[Any, ...]:
    """The operand values of an expression (ints and Exprs; nothing for leaves but uf)."""
    op = e.op
    if op in ("sym", "byte"):
        return ()
    if op == "concat":
        return e.args[0]  # type: ignore[no-any-return]
    if op == "uf":
        return e.args[1:]
    if op == "extract":
        return (e.args[0],)
    return e.args


def rebuild(e: Expr, kids: tuple[Any, ...]) -> int | Expr:
    """The same operator over other operands, simplified again."""
    op, w = e.op, e.width
    if op == "concat":
        return concat(zip(kids, e.args[1], strict=True))
    if op == "uf":
        return pure(e.args[0], w, *kids)
    if op == "extract":
        return extract(kids[0], e.args[1], w)
    if op == "sext":
        return sext(kids[0], e.args[0].width, w)
    if op in _COMPARE:
        src = next(x.width for x in e.args if isinstance(x, Expr))
        return _COMPARE[op](kids[0], kids[1], src)
    if op == "ite":
        return ite(kids[0], kids[1], kids[2], w)
    if op == "not":
        return not_(kids[0], w)
    return _BINARY[op](kids[0], kids[1], w)


_COMPARE: dict[str, Callable[[int | Expr, int | Expr, int], int | Expr]] = {
    "eq": eq, "ult": ult, "ule": ule, "slt": slt, "sle": sle,
}  # fmt: skip
_BINARY: dict[str, Callable[[int | Expr, int | Expr, int], int | Expr]] = {
    "add": add, "mul": mul, "udiv": udiv, "sdiv": sdiv, "urem": urem, "srem": srem,
    "and": and_, "or": or_, "xor": xor, "shl": shl, "lshr": lshr, "ashr": ashr,
}  # fmt: skip


def substitute(
    e: int | Expr, mapping: Mapping[Expr, int | Expr], memo: dict[Expr, int | Expr] | None = None
) -> int | Expr:
    """Replace sub-expressions (usually leaves) and simplify. `memo` may be shared between calls with one mapping."""
    if isinstance(e, int):
        return e
    if memo is None:
        memo = {}
    got = memo.get(e)
    if got is not None:
        return got
    hit = mapping.get(e)
    if hit is None:
        kids = children(e)
        new = tuple([k if isinstance(k, int) else substitute(k, mapping, memo) for k in kids])
        hit = e if all(map(operator.is_, kids, new)) else rebuild(e, new)
    memo[e] = hit
    return hit


def crc32c(acc: int, data: int, n: int) -> int:
    """CRC-32C of the n low bytes of data onto acc, as the SSE 4.2 instruction computes it."""
    crc = acc ^ (data & ((1 << 8 * n) - 1) if n <= 4 else data)
    for _ in range(8 * n):
        crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc & 0xFFFFFFFF


def bit_scan(v: int, w: int, leading: bool) -> int:
    """Leading or trailing zeros of a w-bit value (w when it is 0)."""
    if v == 0:
        return w
    return w - v.bit_length() if leading else (v & -v).bit_length() - 1


_CONCRETE_UF: dict[str, Callable[..., int]] = {
    "crc32_8": lambda acc, x: crc32c(acc, x, 1),
    "crc32_16": lambda acc, x: crc32c(acc, x, 2),
    "crc32_32": lambda acc, x: crc32c(acc, x, 4),
    "crc32_64": lambda acc, x: crc32c(acc, x, 8),
    "popcount": lambda x: x.bit_count(),
    "clz32": lambda x: bit_scan(x, 32, True),
    "clz64": lambda x: bit_scan(x, 64, True),
    "ctz32": lambda x: bit_scan(x, 32, False),
    "ctz64": lambda x: bit_scan(x, 64, False),
}


def pure(name: str, width: int, *args: int | Expr) -> int | Expr:
    """A pure function by name: computed on constants where it is known, else uninterpreted."""
    f = _CONCRETE_UF.get(name)
    if f is not None and all(isinstance(a, int) for a in args):
        return f(*args)
    return uf(name, width, *args)


def evaluate(e: int | Expr, model: Mapping[Expr, int], memo: dict[Expr, int] | None = None) -> int:
    """The value of e where leaves have the values of `model` (0 where it says nothing); known functions are computed."""
    if isinstance(e, int):
        return e
    if memo is None:
        memo = {}
    v = memo.get(e)
    if v is not None:
        return v
    op, w, args = e.op, e.width, e.args
    if op in ("sym", "byte"):
        v = model.get(e, 0)
    elif op == "concat":
        v = 0
        for p, pw in zip(args[0], args[1], strict=True):
            v = (v << pw) | (p if isinstance(p, int) else evaluate(p, model, memo))
    elif op == "extract":
        v = (evaluate(args[0], model, memo) >> args[1]) & ((1 << w) - 1)
    elif op == "not":
        v = ~evaluate(args[0], model, memo) & ((1 << w) - 1)
    elif op == "ite":
        v = evaluate(args[1] if evaluate(args[0], model, memo) else args[2], model, memo)
    elif op == "uf":
        f = _CONCRETE_UF.get(args[0])
        v = model.get(e)
        if f is not None:
            v = f(*(evaluate(a, model, memo) for a in args[1:]))
        elif v is None:
            v = 0
    elif op == "sext":
        inner = args[0]
        v = signed(evaluate(inner, model, memo), inner.width) & ((1 << w) - 1)
    else:
        a, b = evaluate(args[0], model, memo), evaluate(args[1], model, memo)
        if op == "eq":
            v = int(a == b)
        elif op == "add":
            v = (a + b) & ((1 << w) - 1)
        elif op == "ult":
            v = int(a < b)
        elif op == "ule":
            v = int(a <= b)
        elif op == "and":
            v = a & b
        elif op == "or":
            v = a | b
        elif op == "xor":
            v = a ^ b
        elif op == "mul":
            v = (a * b) & ((1 << w) - 1)
        elif op == "shl":
            v = (a << b) & ((1 << w) - 1) if b < w else 0
        elif op == "lshr":
            v = a >> b if b < w else 0
        elif op == "ashr":
            v = (signed(a, w) >> min(b, w - 1)) & ((1 << w) - 1)
        elif op == "udiv":
            v = udiv_values(a, b, w)
        elif op == "urem":
            v = urem_values(a, b, w)
        elif op == "sdiv":
            v = sdiv_values(a, b, w)
        elif op == "srem":
            v = srem_values(a, b, w)
        else:
            src = next(x.width for x in args if isinstance(x, Expr))
            x, y = signed(a, src), signed(b, src)
            v = int(x < y) if op == "slt" else int(x <= y)
    memo[e] = v
    return v


_TABULATED: dict[str, Callable[[int, int], int]] = {
    "add": operator.add, "mul": operator.mul, "and": operator.and_, "or": operator.or_, "xor": operator.xor,
    "eq": operator.eq, "ult": operator.lt, "ule": operator.le,
}  # fmt: skip


def tabulate(e: int | Expr, leaf: Expr, memo: dict[Expr, Sequence[int]]) -> Sequence[int]:
    """The values of an expression for all values of its only leaf. `memo` may be shared between calls."""
    if isinstance(e, int):
        return (e,) * (1 << leaf.width)
    if e is leaf:
        return range(1 << leaf.width)
    got = memo.get(e)
    if got is not None:
        return got
    args, mask = e.args, (1 << e.width) - 1
    if e.op == "extract":
        low = args[1]
        got = [x >> low & mask for x in tabulate(args[0], leaf, memo)]
    elif e.op == "not":
        got = [x ^ mask for x in tabulate(args[0], leaf, memo)]
    elif e.op == "concat":
        got = [0] * (1 << leaf.width)
        for part, width in zip(*args, strict=True):
            got = [x << width | y for x, y in zip(got, tabulate(part, leaf, memo), strict=True)]
    elif e.op in _TABULATED:
        left, right = tabulate(args[0], leaf, memo), tabulate(args[1], leaf, memo)
        got = [x & mask for x in map(_TABULATED[e.op], left, right)]
    else:
        kids = [(k, tabulate(k, leaf, memo)) for k in children(e) if isinstance(k, Expr)]
        got = [evaluate(e, {leaf: v}, {k: of_kid[v] for k, of_kid in kids}) for v in range(1 << leaf.width)]
    memo[e] = got
    return got


def show(e: int | Expr, depth: int = 6) -> str:
    """A short readable form, for messages and debugging."""
    if isinstance(e, int):
        return str(e) if e < 4096 else hex(e)
    if e.op == "sym":
        return str(e.args[0])
    if e.op == "byte":
        return f"{e.args[0]}[{e.args[1]}]"
    if depth == 0:
        return "..."
    if e.op == "uf":
        return f"{e.args[0]}({', '.join(show(a, depth - 1) for a in e.args[1:])})"
    if e.op == "concat":
        return "{" + ", ".join(show(p, depth - 1) for p in e.args[0]) + "}"
    if e.op == "extract":
        return f"{show(e.args[0], depth - 1)}<{e.args[1] + e.width - 1}:{e.args[1]}>"
    if e.op in _SIGNS and len(e.args) == 2:
        return f"({show(e.args[0], depth - 1)} {_SIGNS[e.op]} {show(e.args[1], depth - 1)})"
    return f"{e.op}({', '.join(show(a, depth - 1) for a in e.args)})"


_SIGNS = {"eq": "==", "ult": "<", "ule": "<=", "slt": "<s", "sle": "<=s", "add": "+", "mul": "*", "and": "&", "or": "|",
          "xor": "^", "shl": "<<", "lshr": ">>", "ashr": ">>s", "udiv": "/", "urem": "%", "sdiv": "/s", "srem": "%s"}  # fmt: skip
