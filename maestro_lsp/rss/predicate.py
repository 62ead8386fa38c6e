"""Predicates about two packets as text, for conditions that are more than equalities of fields.

The language is a subset of Python's expressions over packets `d` and `e`:

    d.ipv4.src & 0xffffff00 == e.ipv4.dst & 0xffffff00 and (d.l4.dst < 1024 or e.ipv4.ttl + 1 == d.ipv4.ttl)

Numbers are unsigned; operands of different widths are extended with zeros; arithmetic wraps at the width of
the wider operand. Takes text; gives a `Formula`, checked at once without Z3, that builds its Z3 term when it
is called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import fields
from .fields import Field, FieldError

_BINARY = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.BitAnd: "__and__",
    ast.BitOr: "__or__",
    ast.BitXor: "__xor__",
    ast.LShift: "__lshift__",
    ast.RShift: "LShR",
    ast.Mod: "URem",
    ast.FloorDiv: "UDiv",
}
_COMPARE = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Lt: "ULT",
    ast.LtE: "ULE",
    ast.Gt: "UGT",
    ast.GtE: "UGE",
}


class FormulaError(ValueError):
    """Text that is not a predicate about packets d and e; the message is one line for people."""


@dataclass(frozen=True)
class Formula:
    """A predicate written as text. Raises FormulaError when it is made from text outside the language."""

    text: str

    def __post_init__(self) -> None:
        _check(self._tree, boolean=True)

    def __str__(self) -> str:
        return self.text

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text.strip(), mode="eval").body
        except SyntaxError as error:
            raise FormulaError(f"'{self.text}': {error.msg}") from None

    def fields(self, side: int) -> frozenset[Field]:
        """Fields of packet d (side 0) or e (side 1) that the text mentions."""
        return frozenset(fields.parse(name) for at, name in _mentioned(self._tree) if at == side)

    def names(self, side: int) -> frozenset[str]:
        """Names of these fields."""
        return frozenset(field.name for field in self.fields(side))

    def __call__(self, d: Any, e: Any) -> Any:
        """The Z3 Boolean for packets d and e (`constraint.Packet`)."""
        return _boolean(self._tree, (d, e))


def _field(node: ast.AST) -> tuple[int, str] | None:
    """(side, field) if the node is `d.ipv4.src`, `d.packet[0:4]` or `d.ipv4.src[0:8]`; None for anything
    else.
    """
    parts = ""
    while isinstance(node, ast.Subscript):
        cut = node.slice
        if not isinstance(cut, ast.Slice) or cut.step is not None:
            raise FormulaError(f"'{ast.unparse(node)}': write a part as [first:end]")
        ends = [str(end.value) for end in (cut.lower, cut.upper) if isinstance(end, ast.Constant)]
        if len(ends) != 2 or not all(end.isdigit() for end in ends):
            raise FormulaError(f"'{ast.unparse(node)}': write a part as [first:end]")
        parts = f"[{ends[0]}:{ends[1]}]{parts}"
        node = node.value
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if not names or not isinstance(node, ast.Name) or node.id not in ("d", "e"):
        return None
    name = ".".join(names)
    if not parts and name in {known.partition(".")[0] for known in fields.WIDTHS if "." in known}:
        return None  # the inner part of d.ipv4.src
    return "de".index(node.id), name + parts


def _mentioned(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The largest nodes that are fields, each as (side, field)."""
    if isinstance(node, ast.Attribute | ast.Subscript) and (named := _field(node)):
        yield named
        return
    for child in ast.iter_child_nodes(node):
        yield from _mentioned(child)


def _check(node: ast.expr, boolean: bool) -> None:
    """Raise FormulaError unless the node is a formula of the language (`boolean`) or a number (not)."""
    match node:
        case ast.BoolOp() if boolean:
            for value in node.values:
                _check(value, True)
        case ast.UnaryOp(op=ast.Not()) if boolean:
            _check(node.operand, True)
        case ast.Compare() if boolean and all(type(op) in _COMPARE for op in node.ops):
            for value in (node.left, *node.comparators):
                _check(value, False)
        case ast.Constant(value=bool()) if boolean:
            pass
        case ast.Constant(value=int()) if not boolean and not isinstance(node.value, bool):
            pass
        case ast.BinOp() if not boolean and type(node.op) in _BINARY:
            _check(node.left, False)
            _check(node.right, False)
        case ast.UnaryOp(op=ast.Invert()) if not boolean:
            _check(node.operand, False)
        case ast.Attribute() | ast.Subscript() if not boolean and (named := _field(node)):
            try:
                fields.parse(named[1])
            except FieldError as error:
                raise FormulaError(str(error)) from None
        case _:
            wanted = "a condition" if boolean else "a number or a field of d or e"
            raise FormulaError(f"'{ast.unparse(node)}' is not {wanted}")


def _boolean(node: ast.expr, packets: tuple[Any, Any]) -> Any:
    import z3

    match node:
        case ast.BoolOp():
            join = z3.And if isinstance(node.op, ast.And) else z3.Or
            return join([_boolean(value, packets) for value in node.values])
        case ast.UnaryOp():
            return z3.Not(_boolean(node.operand, packets))
        case ast.Compare():
            values = [_number(value, packets) for value in (node.left, *node.comparators)]
            steps = zip(node.ops, values, values[1:], strict=False)
            return z3.And([_apply(_COMPARE[type(op)], a, b) for op, a, b in steps])
        case ast.Constant():
            return z3.BoolVal(node.value)
    raise AssertionError(ast.dump(node))  # _check lets nothing else through


def _number(node: ast.expr, packets: tuple[Any, Any]) -> Any:
    import z3

    match node:
        case ast.Constant(value=int(value)):
            return z3.BitVecVal(value, max(1, value.bit_length()))
        case ast.BinOp():
            return _apply(_BINARY[type(node.op)], _number(node.left, packets), _number(node.right, packets))
        case ast.UnaryOp():
            return ~_number(node.operand, packets)
    named = _field(node)
    assert named is not None  # _check lets nothing else through
    return packets[named[0]].field(named[1])


def _apply(operation: str, a: Any, b: Any) -> Any:
    import z3

    width = max(a.size(), b.size())
    a, b = (z3.ZeroExt(width - x.size(), x) if x.size() < width else x for x in (a, b))
    return getattr(a, operation)(b) if operation.startswith("__") else getattr(z3, operation)(a, b)
