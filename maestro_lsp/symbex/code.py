"""Compiled functions: lists of instructions that the engine runs.

An instruction is a Python closure over the state that returns the index of the next instruction, or CALL when it has pushed a
frame, or RETURN when it has popped one. Expressions are closures too; they only read, and may raise Fork, so an instruction can
always be run again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Node

    from ..source.text import Span
    from ..source.unit import FunctionDef, Unit
    from .state import State

CALL = -1
RETURN = -2

Instruction = Callable[["State"], int]


class Code:
    """One compiled function. `nodes[i]` is the syntax that instruction i stands for."""

    __slots__ = (
        "definition",
        "instructions",
        "name",
        "nodes",
        "params",
        "registers",
        "result_size",
        "temporaries",
        "unit",
        "variables",
    )

    def __init__(self, definition: FunctionDef, unit: Unit) -> None:
        self.definition = definition
        self.unit = unit
        self.name: str = definition.name
        self.instructions: list[Instruction] = []
        self.nodes: list[Node] = []
        self.registers = 0
        self.variables: dict[int, tuple[str, int]] = {}  # registers that are variables of the program: (name, bits)
        self.temporaries: dict[int, int] = {}  # registers that hold a part of an expression: bits
        self.params: list[Any] = []  # ("register" | "memory", index, size, info) of each parameter
        self.result_size = 0  # bytes of a struct result, else 0

    def span(self, pc: int) -> Span:
        """The source range of an instruction."""
        return self.unit.span(self.nodes[pc])

    def __repr__(self) -> str:
        return f"<code of {self.name}>"
