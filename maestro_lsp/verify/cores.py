"""Whether each core of a shared-nothing program has state of its own, and whether cores that share state have none of their own.

Variables that packets write, and those from which state that packets write is reached, must be declared MAESTRO_PER_CORE. Symbolic
execution knows one core only and cannot see that; this looks at what start-up left in memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..source.text import Span
from ..symbex import expr as X
from ..symbex.memory import ADDRESS_BITS
from ..symbex.run import Execution
from ..symbex.state import State
from ..synthesis.amalgamation import amalgamate
from ..synthesis.equivalence import Difference
from ..synthesis.variables import Callers, changed, globals_of

_POINTER = 8  # bytes


def per_core(execution: Execution, executed: str) -> frozenset[int]:
    """Variables of which each core has its own, by their declarations in the text that was executed."""
    return frozenset(oid for oid, o in execution.objects.items() if _is_own(executed, o.declared))


def _is_own(executed: str, declared: Span | None) -> bool:
    return declared is not None and "MAESTRO_PER_CORE" in _line(executed, declared.start)


def check_cores(execution: Execution, executed: str) -> Iterator[Difference]:
    """Variables that cores would share."""
    start, engine = execution.start, execution.engine
    own = per_core(execution, executed)
    written = {t.object for p in execution.paths for c in p.calls for t in c.touches if t.write}
    written |= {a.object for p in execution.paths for a in p.plain if a.write}
    for oid, o in sorted(execution.objects.items()):
        if o.kind == "global" and oid in written and oid not in own and not o.info.detail.get("scratch"):
            yield Difference(
                f"packets write {o.name}, and all cores share it: it needs MAESTRO_PER_CORE", there=o.declared
            )
    if start is None or engine is None:
        return
    files = [u.path for u in engine.program.units]
    parts = amalgamate(engine.program, engine.catalogue, files, ("nf_config_init",), frozenset())
    configured = changed(parts, Callers(parts).reached("nf_config_init"))
    for place, variable in sorted(globals_of(parts).items()):
        if place in configured and _is_own(executed, variable.place):
            yield Difference(
                f"each core has {variable.name} for itself, and nf_config_init sets it on one of them only",
                there=variable.place,
            )
    for oid, block in sorted(start.memory.items()):  # also what only start-up uses: it would give all cores one state
        there = engine.declaration(oid)
        if block.info.kind != "global" or oid in written or _is_own(executed, there):
            continue
        if reached := _reached(start, oid) & written:
            names = sorted(execution.objects[r].name for r in reached if r in execution.objects)
            what = names[0] if names else "state"
            yield Difference(
                f"all cores reach {what} through {block.info.name}: it needs MAESTRO_PER_CORE", there=there
            )


def check_scratch(execution: Execution, executed: str) -> Iterator[Difference]:
    """Variables of which each core has its own although all share the state: packets must write them before they read them."""
    own = per_core(execution, executed)
    for p in execution.paths:
        written: set[tuple[int, int]] = set()
        for a in p.plain:
            if a.object not in own:
                continue
            cells = (
                {(a.object, at) for at in range(a.offset, a.offset + a.size)} if isinstance(a.offset, int) else set()
            )
            if a.write:
                written |= cells
            elif not cells or not cells <= written:
                o = execution.objects[a.object]
                yield Difference(
                    f"each core has {o.name} for itself, and packets find in it what others left",
                    a.span,
                    o.declared,
                    p.device,
                )
                return
    start, engine = execution.start, execution.engine
    found = {a.object for p in execution.paths for a in p.plain if a.write}
    for oid, block in sorted(start.memory.items()) if start is not None and engine is not None else ():
        there = engine.declaration(oid) if engine is not None else None
        if block.info.kind == "global" and oid not in found and _is_own(executed, there):
            yield Difference(
                f"each core has {block.info.name} for itself, and start-up sets it on one of them only", there=there
            )


def _reached(st: State, oid: int) -> set[int]:
    """Objects that pointers lead to from an object, at whatever distance."""
    found: set[int] = set()
    todo = [oid]
    while todo:
        block = st.memory.get(todo.pop())
        if block is None or block.info.kind == "handle":
            continue
        for at in range(0, block.size - _POINTER + 1, _POINTER):
            value = X.from_bytes(tuple(block.data[at : at + _POINTER]))
            target = value >> ADDRESS_BITS if isinstance(value, int) else 0
            if target in st.memory and target not in found:
                found.add(target)
                todo.append(target)
    return found


def _line(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 : (text + "\n").find("\n", at)]
