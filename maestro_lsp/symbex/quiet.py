"""Calls that touch nothing, such as those that print: what they return, and what of their arguments is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from .libc import anything
from .memory import size_of
from .state import State
from .texts import check_format, unknown_text
from .variadic import arguments_left

_EFFECTS = frozenset(("assignment_expression", "update_expression", "call_expression", "gnu_asm_expression"))


def has_effects(n: Node) -> bool:
    """Whether an expression may do more than give a value."""
    return n.type in _EFFECTS or any(map(has_effects, n.named_children))


def succeeds(st: State, values: Any, types: Any, result: Any) -> int:
    """At start-up, output works."""
    return 0


def outcome_of(name: str) -> Callable[..., Any]:
    """What such a call returns to a packet: anything that what it is given decides, the length of what it prints for one."""

    def run(st: State, values: Any, types: Any, result: Any) -> Any:
        st.needs(*values)
        check_format(st, name, values[:2])
        if name in ("vprintf", "vfprintf"):
            values = [*values[:-1], *arguments_left(st, values[-1])]
        return anything(st, name, 8 * size_of(result), *values, *unknown_text(st, *values))

    return run
