"""Functions that an NF hands to the library: what its maps take for equal, how they hash, what fresh cells hold.

The library calls them when it likes and on any core, so they may depend on nothing but their arguments. One that keeps something in a
variable would share it between cores, and between packets that are read side by side; one that reads a variable which packets write
means something else before and after. Neither is modelled, so `objections` makes troubles of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tree_sitter import Node

from ..source import ctypes as T
from ..source.nodes import node_text, storage_of
from ..source.unit import FunctionDef, Unit
from . import expr as X
from .equality import Equality, equal_parts
from .expr import Expr
from .memory import ObjectInfo, Problem, size_of, symbolic_bytes
from .state import PlainAccess, State

if TYPE_CHECKING:
    from .engine import Engine

_KEY_BYTES = 512  # of what a pointer leads to


@dataclass
class _Callback:
    """What is known of a function that the library calls.

    accesses   to variables and heap blocks, on all its paths
    mentioned  variables that it names, where it cannot be executed
    modelled   whether what it computes was taken for what it computes when packets arrive
    looks_at   which bytes behind its first argument decide what it returns; None where that is not known
    """

    function: FunctionDef
    accesses: list[PlainAccess] = field(default_factory=list)
    mentioned: list[str] = field(default_factory=list)
    modelled: bool = False
    looks_at: tuple[int, ...] | None = None


class Callbacks:
    """Runs the functions that one engine's program hands to the library."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._equalities: dict[Any, Equality] = {}
        self._templates: dict[Any, list[int | Expr]] = {}
        self._known: dict[tuple[str, str], _Callback] = {}

    # ------------------------------------------------------------------------------------------- functions run for values

    def equality(self, function: int | Expr) -> Equality:
        """What a map's equality function compares, by running it on two symbolic keys."""
        target = self._engine.resolve_pointer(function)
        if target is None:
            raise Problem("unsupported-construct", "the map's equality function is not known")
        key = (target[0], target[1].path)
        got = self._equalities.get(key)
        if got is None:
            f = self._defined(*target, "compares a map's keys")
            got = self._equalities[key] = self._run_equality(f)
        return got

    def _run_equality(self, f: FunctionDef) -> Equality:
        engine = self._engine
        before = len(engine.troubles)
        ends = self._explore(self._callback(f, modelled=True))
        relation: int | Expr = 0
        conjuncts: list[int | Expr] = []
        true_paths = 0
        width = 8 * max(size_of(f.type.result), 1)
        for end in ends:
            yes = X.nonzero(end.result if end.result is not None else 0, width)
            cond: int | Expr = yes
            for c in end.conditions:
                cond = X.and_(cond, c.expr, 1)
            if yes != 0:
                true_paths += 1
                conjuncts = [*(c.expr for c in end.conditions), yes]
            relation = X.or_(relation, cond, 1)
        if len(engine.troubles) > before:
            raise Problem("unsupported-construct", f"{f.name}, which compares a map's keys, cannot be executed")
        used = [leaf.args[1] for leaf in X.leaves(relation) if leaf.op == "byte"]
        parts = equal_parts(conjuncts) if true_paths == 1 else None
        return Equality(max(used, default=0) + 1, parts, relation)

    def hashed(self, function: int | Expr) -> tuple[int, ...] | None:
        """Which bytes of a key decide its hash, by a hash function that the program has handed over; None where that is not known."""
        target = self._engine.resolve_pointer(function)
        f = self._engine.link.find_function(*target) if target is not None else None
        known = self._known.get((f.name, f.unit.path)) if f is not None else None
        return known.looks_at if known is not None else None

    def template(self, init: int | Expr, size: int) -> list[int | Expr]:
        """A cell's bytes after its initialiser ran on zeroed memory."""
        engine = self._engine
        target = engine.resolve_pointer(init)
        if target is None:
            return [0] * size
        key = (target[0], target[1].path, size)
        got = self._templates.get(key)
        if got is None:
            f = self._defined(*target, "initialises a vector's cells")
            st = engine.new_state()
            st.tracking = True
            cell = st.allocate(ObjectInfo("local", "cell"), [0] * size)
            engine.nested(st, engine.compile(f), [cell])
            self._callback(f, modelled=True).accesses += st.plain
            got = self._templates[key] = st.load_bytes(cell, size)
        return list(got)

    def _defined(self, name: str, unit: Unit, what: str) -> FunctionDef:
        f = self._engine.link.find_function(name, unit)
        if f is None:
            raise Problem("missing-function", f"{name}, which {what}, is not defined in any file of this NF")
        return f

    def _callback(self, f: FunctionDef, modelled: bool = False) -> _Callback:
        got = self._known.setdefault((f.name, f.unit.path), _Callback(f))
        got.modelled |= modelled
        return got

    def _explore(self, callback: _Callback) -> list[State]:
        """All paths of a function whose arguments, and what they point to, may be anything."""
        engine, f = self._engine, callback.function
        st = engine.new_state()
        st.tracking = True
        values: list[Any] = []
        for name, (_, t) in zip("abcdefgh", f.params, strict=False):
            if isinstance(t, T.Pointer):
                values.append(
                    st.allocate(ObjectInfo("local", f"key {name}"), symbolic_bytes(f"key {name}", _KEY_BYTES))
                )
            else:
                values.append(X.sym(f"argument {name}", 8 * size_of(t)))
        engine.push(st, engine.compile(f), values, -1, 0)
        others, engine.abandoned = engine.abandoned, []  # paths of the program that were not followed to their ends
        try:
            ends = engine.explore(st)
            callback.accesses += [a for end in (*ends, *engine.abandoned) for a in end.plain]
        finally:
            engine.abandoned = others
        return ends

    # ---------------------------------------------------------------------------------------------------- what they keep

    def hand_over(self, values: Sequence[Any]) -> None:
        """Look at the functions among the arguments of a call that makes an object of the library."""
        engine = self._engine
        for target in filter(None, map(engine.resolve_pointer, values)):
            f = engine.link.find_function(*target)
            if f is None or (f.name, f.unit.path) in self._known:
                continue
            callback = self._callback(f)
            troubles, explored, abandoned = len(engine.troubles), engine.explored, engine.abandoned
            engine.abandoned = []
            ends: list[State] = []
            try:
                ends = self._explore(callback)
            except Problem:
                callback.mentioned = _variables(engine, f)
            if len(engine.troubles) > troubles:
                callback.mentioned = _variables(engine, f)
            elif ends:
                callback.looks_at = _deciding(ends)
            del engine.troubles[troubles:]
            engine.explored, engine.abandoned = explored, abandoned

    def objections(self, start: State) -> Iterator[tuple[FunctionDef, str]]:
        """Functions that depend on more than their arguments, and what is wrong with them.

        Args:
            start: what start-up left.
        """
        for callback in self._known.values():
            kept = [a for a in callback.accesses if a.write]
            changing = [a for a in callback.accesses if not a.write and self._changes(a, start, callback.modelled)]
            names = [self._engine.object_name(a.object) for a in (*kept, *changing)] + callback.mentioned
            if names:
                does = "keeps something in" if kept or not changing else "reads"
                which = "" if kept or not changing else ", which changes"
                why = f"{callback.function.name}, which the library calls, {does} {names[0]}{which}: it may depend on nothing but its arguments"
                yield callback.function, why

    def _changes(self, read: PlainAccess, start: State, modelled: bool) -> bool:
        """Whether what a function reads may not be what it read when it was looked at."""
        engine = self._engine
        at = read.offset
        offsets = range(at, at + read.size) if isinstance(at, int) else None
        written = engine.havoc_bytes.get(read.object, frozenset())
        if read.object in start.havoc or (written if offsets is None else not written.isdisjoint(offsets)):
            return True
        now, first = start.memory.get(read.object), engine.initial.get(read.object)
        if not modelled or now is None:
            return False
        return first is None or any(
            now.data[o] is not first[o] and now.data[o] != first[o] for o in offsets or range(now.size)
        )


def _deciding(ends: Sequence[State]) -> tuple[int, ...]:
    """Bytes behind a function's first argument that decide what it returns, by all its paths."""
    found: set[Expr] = set()
    for end in ends:
        found |= X.leaves(end.result or 0).union(*(X.leaves(c.expr) for c in end.conditions))
    return tuple(sorted(leaf.args[1] for leaf in found if leaf.op == "byte" and leaf.args[0] == "key a"))


def _variables(engine: Engine, function: FunctionDef) -> list[str]:
    """Variables of static storage that are no constants and that a function, or one that it calls, names."""
    out: dict[str, None] = {}
    todo, seen = [function], {function.name}
    while todo:
        f = todo.pop()
        for node in _nodes(f.body):
            if node.type == "declaration" and storage_of(node) == "static" and not _is_constant(node):
                out[node_text(node)] = None
            elif node.type == "identifier":
                name = node_text(node)
                g, called = engine.link.find_global(name, f.unit), engine.link.find_function(name, f.unit)
                if g is not None and g.node.parent is not None and not _is_constant(g.node.parent):
                    out[name] = None
                if called is not None and name not in seen:
                    seen.add(name)
                    todo.append(called)
    return list(out)


def _nodes(root: Node) -> Iterator[Node]:
    todo = [root]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(node.named_children))


def _is_constant(declaration: Node) -> bool:
    return any(c.type == "type_qualifier" and node_text(c) == "const" for c in declaration.children)
