"""Small questions about syntax trees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .memory import Problem

if TYPE_CHECKING:
    from tree_sitter import Node

    from ..source.unit import Unit


def child(n: Node, field: str) -> Node:
    """A part that valid C always has there."""
    found = n.child_by_field_name(field)
    if found is None:
        raise Problem("unsupported-construct", "this is not valid C")
    return found


def unwrap(n: Node) -> Node:
    """Strip parentheses."""
    while n.type == "parenthesized_expression":
        kids = [c for c in n.named_children if c.type != "comment"]
        if len(kids) != 1 or kids[0].type == "compound_statement":
            return n
        n = kids[0]
    return n


def addressed(body: Node, unit: Unit) -> frozenset[str]:
    """Names whose address is taken somewhere in a function (by name: shadowed variables are counted together)."""
    out: set[str] = set()
    stack = [body] if re.search("(?<!&)&(?!&)", unit.node_text(body)) else []
    while stack:
        n = stack.pop()
        if n.type == "pointer_expression" and n.children[0].type == "&":
            inner = unwrap(child(n, "argument"))
            while inner.type in ("field_expression", "subscript_expression"):
                inner = unwrap(child(inner, "argument"))
            if inner.type == "identifier":
                out.add(unit.node_text(inner))
        elif n.type == "binary_expression" and n.children[1].type == "&":
            right = unwrap(n.children[2])  # (type) &x
            if right.type == "identifier":
                out.add(unit.node_text(right))
        stack.extend(n.named_children)
    return frozenset(out)
