"""What KLEE's models promise of the answers of calls, told from the decisions of the NF.

Files list both among the constraints of a path. Takes all paths of an NF and gives them with the promises marked as assumed, and the
promises about each object's cells and values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CELL, Call, CallPath, answering
from ..symbex.solver import Solver
from .model import FRESH


def assume_invariants(paths: Sequence[CallPath]) -> tuple[list[CallPath], dict[int, frozenset[Expr]]]:
    """Mark what the models say of every answer of a call (a cell of a vector, a value of a map, a fresh index: their ranges and
    `*_set_entry_condition`) as assumed. Also gives what that is for each object's cells and values: conditions on the bytes of the array
    "cell" or on the symbol "value".

    Files list these conditions among the NF's branches. A condition on one answer (and the time) that stands on every path wherever
    that object gives such an answer is no branch: a branch that can go both ways gives a path without it.
    """
    held_at: dict[_Origin, list[_Held]] = {}  # what stands wherever an answer of that kind is given
    found: list[
        dict[int, tuple[str, Expr]]
    ] = []  # for each path: condition number -> symbol, condition on any such answer
    now = X.sym("time", 64)
    for p in paths:
        origin = _origins(p)
        templates: dict[str, set[Expr]] = {name: set() for name in origin}
        others: dict[str, set[Expr]] = {name: set() for name in origin}
        mine: dict[int, tuple[str, Expr]] = {}
        read: set[str] = set()
        for k, condition in enumerate(p.conditions):
            leaves = X.leaves(condition.expr)
            got = {leaf for leaf in leaves if leaf.args[0] in origin}
            names = {str(leaf.args[0]) for leaf in got}
            read |= names
            if len(names) != 1 or not leaves - got <= {now}:
                for name in names:
                    here = {leaf: _general(leaf, origin[name]) for leaf in got if leaf.args[0] == name}
                    more = X.substitute(condition.expr, here)
                    others[name] |= {more} if isinstance(more, Expr) else set()
                continue
            general = X.substitute(condition.expr, {leaf: _general(leaf, origin[str(leaf.args[0])]) for leaf in got})
            if isinstance(general, Expr):
                name = names.pop()
                templates[name].add(general)
                mine[k] = (name, general)
        for name, held in templates.items():
            if held or name in read or not _cell_known(p, name):
                held_at.setdefault(origin[name], []).append((frozenset(held), frozenset(others[name])))
        found.append(mine)
    solver = Solver()
    always = {o: _held_everywhere(solver, gets) for o, gets in held_at.items()}
    out: list[CallPath] = []
    for p, mine in zip(paths, found, strict=True):
        origin = _origins(p)
        conditions = list(p.conditions)
        for k, (name, general) in mine.items():
            if general in always.get(origin[name], frozenset()):
                conditions[k] = replace(conditions[k], assumed=True)
        out.append(_with_used_results(replace(p, conditions=tuple(conditions))))
    return out, {oid: held for (oid, kind), held in always.items() if kind in ("cell", "value")}


def instantiated(invariants: Mapping[int, frozenset[Expr]], object_id: int, c: Call) -> list[int | Expr]:
    """What holds of the cell or value that a call gets, given what holds of all of the object's."""
    value = c.touches[0].value if c.op == "map-get" and c.touches[0].found else None
    if value is None and c.op != "vector-borrow":
        return []
    out = []
    for e in sorted(invariants.get(object_id, ()), key=lambda e: e.serial):
        here = {leaf: X.byte(f"{CELL}#{c.number}", leaf.args[1]) for leaf in X.leaves(e) if leaf.args[0] == "cell"}
        there = {leaf: value for leaf in X.leaves(e) if leaf.args[0] == "value" and value is not None}
        out.append(X.substitute(e, {**here, **there}))
    return out


_Origin = tuple[int, str]  # an object, and what it gives: "cell", "value", or the name of a symbol


def _origins(p: CallPath) -> dict[str, _Origin]:
    """The symbols that stand for what calls give, with where each comes from."""
    given = [v for c in p.calls for v in (c.result, *(v for _, v in c.outputs)) if v is not None]
    given += [c.expr for c in p.conditions]
    out = {f"{CELL}#{c.number}": (c.touches[0].object, "cell") for c in p.calls if c.op == "vector-borrow"}
    for leaf in frozenset().union(*(X.leaves(v) for v in given)) if given else ():
        number = answering(leaf)
        # whether a call succeeded is never a promise, also when all files that are left say the same
        if number is None or leaf.op != "sym" or leaf.width == 1 or number >= len(p.calls):
            continue
        c = p.calls[number]
        if c.touches:
            name = str(leaf.args[0]).partition("#")[0]
            out[str(leaf.args[0])] = (
                c.touches[0].object,
                "value" if name == FRESH.get(c.op) and c.op == "map-get" else name,
            )
    return out


def _general(leaf: Expr, origin: _Origin) -> Expr:
    return X.byte("cell", leaf.args[1]) if leaf.op == "byte" else X.sym(origin[1], leaf.width)


_Held = tuple[frozenset[Expr], frozenset[Expr]]  # conditions on one answer; on the answer and others


def _held_everywhere(solver: Solver, gets: Sequence[_Held]) -> frozenset[Expr]:
    """Conditions that stand wherever an answer is given, or follow from what stands there (KLEE drops those that a branch implies)."""
    distinct = sorted(set(gets), key=lambda held: (sorted(map(X.show, held[0])), sorted(map(X.show, held[1]))))

    def follows(e: Expr, held: _Held) -> bool:
        if e in held[0]:
            return True
        ordered = sorted(held[0] | held[1], key=lambda x: x.serial)
        opposite = X.not_(e, 1)
        return bool(ordered) and isinstance(opposite, Expr) and solver.find(ordered, {}, opposite) is None

    return frozenset(
        e for e in frozenset().union(*(held for held, _ in distinct)) if all(follows(e, held) for held in distinct)
    )


def _cell_known(p: CallPath, name: str) -> bool:
    """Whether a borrow gave a cell that the path had before, so that its symbols are an earlier borrow's."""
    if not name.startswith(f"{CELL}#"):
        return False
    number = int(name.removeprefix(f"{CELL}#"))
    mine = p.calls[number].touches[0]
    return any(
        t.object == mine.object and t.key == mine.key and t.role == "borrow"
        for c in p.calls[:number]
        for t in c.touches
    )


def _with_used_results(p: CallPath) -> CallPath:
    """A path whose calls say whether its decisions, arguments and effects depend on their results."""
    values: list[int | Expr] = [c.expr for c in p.conditions if not c.assumed]
    for call in p.calls:
        values += call.arguments
        values += [v for _, raw in call.keys for v in raw]
        values += [v for t in call.touches for _, v in t.stored]
    values += [w.value for w in p.writes]
    if p.output is not None:
        values.append(p.output)
    used = frozenset().union(*(X.leaves(v) for v in values)) if values else frozenset()

    def is_used(c: Call) -> bool:
        given = frozenset().union(
            *(X.leaves(v) for v in (*(v for _, v in c.outputs), *(t.value for t in c.touches)) if v is not None)
        )
        return any(leaf.op == "sym" and answering(leaf) == c.number for leaf in used - given)

    return replace(p, calls=tuple(replace(c, result_used=is_used(c)) for c in p.calls))
