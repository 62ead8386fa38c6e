"""Which items of an initialiser list belong to which part of an object, where braces are left out (C11 6.7.9). Takes nodes and types."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from maestro_lsp.source import expressions
from maestro_lsp.source.ctypes import Array, CType, Field, Record
from maestro_lsp.source.nodes import without_parentheses
from maestro_lsp.source.scope import Scope

TypeOf = Callable[[Node], CType | None]


def initializer_length(init: Node, of: CType, scope: Scope) -> int | None:
    """How many elements of a type an initialiser gives an array of unknown length."""
    init = without_parentheses(init)
    if init.type == "string_literal" or init.type == "concatenated_string":
        found = expressions.expression_type(init, scope)
        return found.length if isinstance(found, Array) else None
    if init.type != "initializer_list":
        return None
    inside = [child for child in init.named_children if child.type != "comment"]
    if len(inside) == 1 and inside[0].type in ("string_literal", "concatenated_string") and not isinstance(of, Array):
        return initializer_length(inside[0], of, scope)
    length = index = at = 0
    while at < len(inside):
        if inside[at].type == "initializer_pair":
            wanted = _last_subscript(inside[at], scope)
            index = index if wanted is None or wanted < 0 else wanted
            at += 1
        else:
            at = behind_one(of, inside, at, lambda n: expressions.expression_type(n, scope))
        index += 1
        length = max(length, index)
    return length


def _last_subscript(pair: Node, scope: Scope) -> int | None:
    designator = pair.child_by_field_name("designator")
    subscript: Node | None = None
    if designator is not None and designator.type == "subscript_designator" and designator.named_children:
        subscript = designator.named_children[0]
    elif designator is not None and designator.type == "subscript_range_designator":
        subscript = designator.child_by_field_name("end")
    return expressions.constant(subscript, scope) if subscript is not None else None


def behind_one(t: CType, items: list[Node], at: int, type_of: TypeOf) -> int:
    """The item behind those that an element of a type takes from `at` on: several where its own braces are left out."""
    if items[at].type == "initializer_pair":
        return at
    if not isinstance(t, (Array, Record)) or not without_braces(items[at], type_of):
        return at + 1
    if isinstance(t, Array):
        parts = [t.of] * min(t.length or 0, len(items) - at)
    else:
        parts = [f.type for f in initialized_members(t)][: 1 if t.kind == "union" else None]
    first = at
    for part in parts:
        if at < len(items):
            at = behind_one(part, items, at, type_of)
    return max(at, first + 1)


def without_braces(value: Node, type_of: TypeOf) -> bool:
    """Whether an item for an aggregate is only the first scalar in it, its braces being left out."""
    if value.type in ("initializer_list", "string_literal", "concatenated_string"):
        return False
    return value.type in ("number_literal", "char_literal") or not isinstance(type_of(value), Record)


def initialized_members(t: Record) -> list[Field]:
    """The members that items without designators go to, in order."""
    return [f for f in t.fields if f.name or isinstance(f.type, Record)]
