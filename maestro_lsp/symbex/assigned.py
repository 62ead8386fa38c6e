"""What functions may reach and assign to, judged by their texts: names, whatever they mean there, so rather too many than too few."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from ..source.nodes import declared_name, node_text, storage_of
from ..source.program import Program
from ..source.unit import FunctionDef

_NAME = re.compile(r"[A-Za-z_]\w*")
_PLACE = r"(?:\s*(?:\.|->)\s*\w+|\s*\[[^\]]*\])*"
_ASSIGNED = re.compile(
    rf"\b([A-Za-z_]\w*){_PLACE}\s*(?:=(?!=)|(?:[-+*/%&|^]|<<|>>)=|\+\+|--)|(?:&|\+\+|--)\s*([A-Za-z_]\w*)"
)


def assigned_names(program: Program, start: FunctionDef, run: Set[str] = frozenset()) -> set[str]:
    """Names that a function, or one that it may call, assigns to or takes the address of; and those to which variables that it names
    point from the beginning, as tables of options do. Functions that are `run` count for themselves."""
    variables = {name for u in program.units for name in u.globals}
    out: set[str] = set()
    for f, text in _texts(program, [start], run).values():
        if f is None:
            out |= variables.intersection(_NAME.findall(text))
            continue
        names = {name for m in _ASSIGNED.finditer(text) for name in m.groups() if name}
        out |= names - (_locals(f) if run else set())
    return out


def _locals(f: FunctionDef) -> set[str]:
    """The variables that a function declares, those that live on after it excepted."""
    out = {name for name, _ in f.params if name}
    todo = [f.body]
    while todo:
        n = todo.pop()
        todo += n.named_children
        if n.type == "declaration" and storage_of(n) is None:
            out |= {name for d in n.children_by_field_name("declarator") if (name := declared_name(d)) is not None}
    return out


def reached(program: Program, starts: Sequence[FunctionDef]) -> Set[str]:
    """The functions and those that they may call, by name."""
    return {name for name, (f, _) in _texts(program, starts).items() if f is not None}


def _texts(
    program: Program, starts: Sequence[FunctionDef], without: Set[str] = frozenset()
) -> dict[str, tuple[FunctionDef | None, str]]:
    """Functions and those that they may call, and what variables that they name are initialised with (None), by name."""
    functions = {name: f for u in program.units for name, f in u.functions.items() if name not in without}
    initial = {name: g.init for u in program.units for name, g in u.globals.items() if g.init is not None}
    found: dict[str, tuple[FunctionDef | None, str]] = {f.name: (f, node_text(f.body)) for f in starts}
    todo = list(found)
    while todo:
        for name in set(_NAME.findall(found[todo.pop()][1])) - found.keys():
            f = functions.get(name)
            node = f.body if f is not None else initial.get(name)
            if node is not None:
                found[name] = f, node_text(node)
                todo.append(name)
    return found
