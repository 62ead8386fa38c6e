"""Sharing one state between cores: where a packet begins to write it, and what a packet that is only read back needs.

A packet is first taken for a reader; before its first write of state it calls `maestro_write`, which leaves the pass, and it is
processed again as a writer (thesis, algorithms 3.2 and 3.3; runtime/maestro/sections.h). Takes an amalgamation and the analysis;
gives edits. What call paths write is known exactly, and each access knows its call, so writes are found by their places in the
source; one that has no place there is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from ..sharding.analysis import Analysis
from ..source.text import Span
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import Call, CallPath, PlainTouch, Touch
from ..symbex.run import Execution
from .chains import SHARED, replace_chains, words
from .definitions import Definition
from .excerpt import Edit

_WRITE = "maestro_write();"
_MAX_HEADERS = 512  # bytes in front of a packet that can be restored; headers are shorter
_ALLOCATING = re.compile(r"\b(malloc|calloc|realloc|strdup|strndup|rte_malloc|rte_zmalloc|fopen)\b")


class Unguarded(ValueError):
    """A write of state that cannot be guarded; one line that says which and why."""


@dataclass
class Sections:
    """What sharing asks of the text.

    edits          by file
    headers        of the runtime, that stand after libVig's
    restore        bytes at the front of a packet that a path may have changed when it comes to its first write
    per_core       places of declarations of scratch variables, of which each core needs its own
    writers        devices all of whose packets that are kept write
    """

    edits: dict[str, list[Edit]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    restore: int = 0
    per_core: frozenset[Span] = frozenset()
    writers: tuple[int, ...] = ()


def sections(
    pieces: Sequence[Definition], running: Sequence[Definition], execution: Execution, analysis: Analysis
) -> Sections:
    """Edits for sharing the state.

    pieces   of the whole program
    running  the functions that nf_process reaches

    Raises:
        Unguarded: for a write that is not found in the text.
    """
    for piece in running:
        found = _ALLOCATING.search(" ".join(word for _, _, word in words(piece)))
        if found is not None:
            name = next(n for _, n in sorted(piece.names))
            raise Unguarded(
                f"{name} calls {found[1]} while a packet is processed, and a packet that begins again as a writer would do it twice: "
                "do it in nf_init"
            )
    out = Sections()
    out.edits, out.headers = replace_chains(pieces, SHARED)
    state = frozenset(a.object.id for a in analysis.accesses)
    out.per_core, shared = _scratch(execution, state)
    _guard(_writes(execution.paths, state | shared), running, out.edits)
    out.restore = _restored(execution.paths, state | shared)
    writing = {p.number for p in execution.paths if _is_writer(p, state | shared)}
    kept = [p for p in execution.paths if p.outcome != "drop"]
    out.writers = tuple(
        sorted(d for d in {p.device for p in kept} if all(p.number in writing for p in kept if p.device == d))
    )
    return out


# --------------------------------------------------------------------------------------------------------- writes


def _writes(paths: Sequence[CallPath], state: frozenset[int]) -> list[tuple[Span, str]]:
    """The places where paths first write state, and what is written there. What follows on a path needs no guard, nor do calls of
    the runtime's dchains, which see to it themselves. Plain C state is guarded everywhere."""
    found: dict[Span, str] = {}
    for p in paths:
        for c in _first_writes(p, state):
            found[c.span] = c.function
        for q in _plain_writes(p, state):
            found[q.span] = "a variable"
    return sorted(found.items())


def _plain_writes(p: CallPath, state: frozenset[int]) -> list[PlainTouch]:
    return [q for q in p.plain if q.write and q.object in state]


def _first_writes(p: CallPath, state: frozenset[int]) -> list[Call]:
    """The call on a path at which it has to be a writer, if it is not one before by a call on a dchain."""
    borrowed = {
        b.number for c in p.calls for t in c.touches if _writes_cell(t, state) for b in _borrows(p, c, t.object)
    }
    for c in p.calls:
        if c.function in SHARED:
            if any(t.write and t.role in ("allocate", "free") and t.found for t in c.touches):
                return []
        elif c.number in borrowed or any(
            t.write and t.object in state and not _writes_cell(t, state) for t in c.touches
        ):
            return [c]
    return []


def _writes_cell(t: Touch, state: frozenset[int]) -> bool:
    """Whether a touch is what shows that a borrowed cell was written."""
    return t.write and t.object in state and t.role in ("return", "borrow")


def _borrows(p: CallPath, written: Call, vector: int) -> list[Call]:
    """The calls that borrowed a cell which a path writes: those with the key of the call that shows it, else all before."""
    keys = [t.key for t in written.touches if t.object == vector and t.write]
    mine = [
        (c, t) for c in p.calls[: written.number + 1] for t in c.touches if t.object == vector and t.role == "borrow"
    ]
    same = [c for c, t in mine if t.key in keys]
    return same or [c for c, _ in mine]


def _is_writer(p: CallPath, state: frozenset[int]) -> bool:
    """Whether a path writes more than its core's time stamps; expiry counts as nothing, since it is rarely due."""
    for c in p.calls:
        for t in c.touches:
            if t.write and t.role != "rejuvenate" and not (t.role == "expire" and c.function in SHARED):
                if not (c.op == "expire" and c.function in SHARED):
                    return True
    return bool(_plain_writes(p, state))


def _guard(writes: Sequence[tuple[Span, str]], running: Sequence[Definition], edits: dict[str, list[Edit]]) -> None:
    """Put `maestro_write` before each write."""
    places = dict(writes)
    done: set[tuple[str, int]] = set()
    for piece in running:
        if not any(span.file == piece.file and piece.start <= span.start < piece.end for span in places):
            continue
        for node in _expressions(piece.node):
            span = piece.unit.range_span(node.start_byte, node.end_byte)
            if span not in places:
                continue
            del places[span]
            _insert(piece, node, edits, done)
    for span, what in places.items():
        raise Unguarded(
            f"the place where {what} is written is not in the program's text: {span.file}, character {span.start}"
        )


def _expressions(node: Node | None) -> Iterator[Node]:
    """Expressions that can write, outer ones first."""
    pending = [node] if node is not None else []
    while pending:
        current = pending.pop()
        if current.type.endswith("_expression") or current.type in (
            "init_declarator",
            "declaration",
            "expression_statement",
        ):
            yield current
        pending.extend(reversed(current.named_children))


def _insert(piece: Definition, node: Node, edits: dict[str, list[Edit]], done: set[tuple[str, int]]) -> None:
    """`maestro_write` on a line of its own before the statement, where the write is all that the statement does or declares; else
    within the expression, so that only those packets write that come to it."""
    if not piece.is_written(node):
        node = _invocation(piece, node)
    statement = node
    while (
        statement.parent is not None and not statement.type.endswith("_statement") and statement.type != "declaration"
    ):
        if statement.parent.type in ("compound_statement", "conditional_expression") or (
            statement.parent.type == "binary_expression" and statement.parent.child_by_field_name("right") == statement
        ):
            break
        statement = statement.parent
    listed = statement.parent is not None and statement.parent.type in ("compound_statement", "case_statement")
    is_statement = node.type.endswith("_statement")
    whole = (is_statement or statement.type in ("expression_statement", "declaration")) and listed
    target = statement if whole else node
    span = piece.unit.range_span(target.start_byte, target.end_byte)
    if (span.file, span.start) in done:
        return
    done.add((span.file, span.start))
    text = piece.unit.pre.scans[span.file].source.text
    if whole:
        line = text.rfind("\n", 0, span.start) + 1
        indent = text[line : span.start]
        gap = f"\n{indent}" if not indent.strip() else " "
        edits.setdefault(span.file, []).append((span.start, span.start, _WRITE + gap))
        return
    if is_statement:
        edits.setdefault(span.file, []).append((span.start, span.start, f"{{ {_WRITE} "))
        edits.setdefault(span.file, []).append((span.end, span.end, " }"))
        return
    if not node.type.endswith("_expression"):
        raise Unguarded(f"at {piece.line(span.start)} state is written where nothing can be put before it")
    edits.setdefault(span.file, []).append((span.start, span.start, f"({_WRITE[:-1]}, "))
    edits.setdefault(span.file, []).append((span.end, span.end, ")"))


def _invocation(piece: Definition, node: Node) -> Node:
    """The largest piece of syntax that begins where the macro is invoked of which a node is made: what comes first in it is done
    first."""
    start = piece.unit.range_span(node.start_byte, node.end_byte).start
    while (parent := node.parent) is not None and parent.type != "translation_unit":
        if piece.unit.range_span(parent.start_byte, parent.end_byte).start != start:
            break
        node = parent
    if node.type == "function_definition":
        raise Unguarded(f"a macro makes the function at {piece.line(start)}, which writes state: write it without")
    return node


# -------------------------------------------------------------------------------------------------------- packets


def _restored(paths: Sequence[CallPath], state: frozenset[int]) -> int:
    """How many bytes at the front of a packet some path may have changed when it comes to a write.

    Raises:
        Unguarded: when they cannot be bounded.
    """
    count = 0
    for p in paths:
        late = [
            c
            for c in p.calls
            if c.packet_changed and (any(t.write or t.role == "rejuvenate" for t in c.touches) or c.op == "expire")
        ]
        reshaped = any(c.op == "packet-reshape" for c in p.calls) and _is_writer(p, state)
        if p.mbuf and _is_writer(p, state):
            raise Unguarded("the mbuf is changed by packets that write state, so a reader could not begin again")
        if late or (p.writes and _plain_writes(p, state)):
            for w in p.writes:
                count = max(count, _start(w.array, p) + w.offset + 1)
        if reshaped:
            count = max(count, sum(_upper(chunk.length) for chunk in p.chunks))
    if count > _MAX_HEADERS:
        raise Unguarded(
            "packets are changed at places that are not bounded before state is written, so a reader could not begin again: change "
            "packets after the state"
        )
    return count


def _start(array: str, p: CallPath) -> int:
    """Where an array of the packet can begin at most."""
    return next((_upper(offset) for name, offset in p.regions if name == array), 0)


def _upper(e: int | Expr) -> int:
    """An upper bound of an unsigned number."""
    if isinstance(e, int):
        return e
    limit = (1 << e.width) - 1
    if e.op == "concat":
        total = 0
        for value, width in X.parts_of(e, e.width):
            total = total << width | min(_upper(value), (1 << width) - 1)
        return total
    if e.op == "add":
        return min(limit, sum(_upper(a) for a in e.args))
    if e.op == "mul":
        return min(limit, _upper(e.args[0]) * _upper(e.args[1]))
    if e.op == "and":
        return min(limit, *(_upper(a) for a in e.args))
    return limit


# -------------------------------------------------------------------------------------------------------- scratch


def written_variables(execution: Execution) -> frozenset[Span]:
    """Where the variables are declared that packets write."""
    written = (execution.objects.get(q.object) for p in execution.paths for q in p.plain if q.write)
    return frozenset(o.declared for o in written if o is not None and o.kind == "global" and o.declared is not None)


def _scratch(execution: Execution, state: frozenset[int]) -> tuple[frozenset[Span], frozenset[int]]:
    """What packets write that keeps nothing from one packet to the next: where the variables are declared, each core needing its
    own; and other memory, which counts as state, since cores would write it at the same time."""
    variables: set[Span] = set()
    other: set[int] = set()
    for p in execution.paths:
        for q in p.plain:
            o = execution.objects.get(q.object)
            if q.write and o is not None and q.object not in state:
                if o.kind == "global" and o.declared is not None:
                    variables.add(o.declared)
                else:
                    other.add(q.object)
    return frozenset(variables), frozenset(other)
