"""Small questions about syntax trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .memory import Problem

if TYPE_CHECKING:
    from tree_sitter import Node


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
