"""Which variables a function may change, by its text: for what is not executed."""

from __future__ import annotations

import re

from ..source.nodes import node_text
from ..source.program import Program
from ..source.unit import FunctionDef

_NAME = re.compile(r"[A-Za-z_]\w*")
_PLACE = r"(?:\s*(?:\.|->)\s*\w+|\s*\[[^\]]*\])*"
_ASSIGNED = re.compile(
    rf"\b([A-Za-z_]\w*){_PLACE}\s*(?:=(?!=)|(?:[-+*/%&|^]|<<|>>)=|\+\+|--)|(?:&|\+\+|--)\s*([A-Za-z_]\w*)"
)


def assigned_names(program: Program, start: FunctionDef) -> set[str]:
    """Names that a function, or one that it may call, assigns to or takes the address of; and those to which variables that it names
    point from the beginning, as tables of options do."""
    defined = {name: f for u in program.units for name, f in u.functions.items()}
    pointing = {name: g.init for u in program.units for name, g in u.globals.items() if g.init is not None}
    variables = {name for u in program.units for name in u.globals}
    out: set[str] = set()
    todo, seen = [node_text(start.body)], {start.name}
    while todo:
        text = todo.pop()
        out |= {name for m in _ASSIGNED.finditer(text) for name in m.groups() if name}
        for name in set(_NAME.findall(text)) - seen:
            if name in defined:
                todo.append(node_text(defined[name].body))
            elif name in pointing:
                todo.append(node_text(pointing[name]))
                out |= variables.intersection(_NAME.findall(todo[-1]))
            else:
                continue
            seen.add(name)
    return out
