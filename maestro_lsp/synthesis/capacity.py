"""Dividing tables between cores: which allocations get a core's share of what the NF asks for.

Only a dchain and the maps and vectors of the same capacity that it indexes are divided, and only where nothing but the dchain's own
indices can address them. Everything else keeps its size on each core.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tree_sitter import Node

from ..libvig.catalogue import Catalogue
from ..sharding.analysis import Analysis
from ..sharding.tables import Table
from ..source.nodes import node_text
from ..source.text import Span
from ..symbex.path import Object
from .definitions import Definition
from .excerpt import Edit

_SHARES = {"dchain": "maestro_share", "vector": "maestro_share", "map": "maestro_share_pow2"}


class Division(NamedTuple):
    """What is divided: edits by file, and the names of the objects; and what is not, with the reason."""

    edits: Mapping[str, list[Edit]]
    divided: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]


class Undivided(ValueError):
    """A table that cannot be divided though it must be; one line that says which and what to do."""


def divide(
    analysis: Analysis, objects: Mapping[int, Object], start: Iterable[Definition], catalogue: Catalogue
) -> Division:
    """Edits at the allocation calls in functions that nf_init reaches.

    Raises:
        Undivided: where a capacity has no place of its own in the text.
    """
    functions = list(start)
    calls = {_span(f, node): (f, node) for f in functions for node in _calls(f) if _op(node, catalogue) == "allocate"}
    fills = any(_op(n, catalogue) in ("vector-borrow", "vector-return") for f in functions for n in _calls(f))
    sites: dict[Span, list[int]] = {}
    for o in objects.values():
        if o.declared in calls:
            sites.setdefault(o.declared, []).append(o.id)
    wanted: dict[int, str] = {}
    kept: list[tuple[str, str]] = []
    for table in analysis.conflicts.tables.values():
        why = _undivided(table, analysis)
        if why:
            kept.append((objects[table.chain].name, why))
            continue
        wanted[table.chain] = _SHARES["dchain"]
        for member in sorted((table.maps | table.vectors) & objects.keys()):
            o = objects[member]
            if o.capacity != objects[table.chain].capacity or o.capacity is None:
                kept.append((o.name, "its capacity is not that of its dchain"))
            elif o.kind == "vector" and fills:
                kept.append((o.name, "nf_init may fill it"))
            else:
                wanted[member] = _SHARES[o.kind]
    edits: dict[str, list[Edit]] = {}
    divided: list[str] = []
    for span, ids in sorted(sites.items()):
        shares = {wanted.get(i) for i in ids}
        if shares == {None}:
            continue
        share = shares.pop()
        function, call = calls[span]
        argument = _capacity(call, catalogue)
        if shares or share is None or argument is None:
            kept += [(objects[i].name, "its allocation makes objects of other tables too") for i in ids if i in wanted]
            continue
        place = _span(function, argument)
        if place in [_span(function, n) for n in (call, *_arguments(call)) if n != argument]:
            raise Undivided(
                f"a macro gives {function.line(place.start)} the capacity of {objects[ids[0]].name} together with other things, and "
                "each core needs a share of it: write the capacity as an argument of its own"
            )
        edits.setdefault(place.file, []).append((place.start, place.start, f"{share}("))
        edits.setdefault(place.file, []).append((place.end, place.end, ")"))
        divided += [objects[i].name for i in ids]
    return Division(edits, tuple(sorted(divided)), tuple(sorted(kept)))


def _undivided(table: Table, analysis: Analysis) -> str:
    """Why a table has to keep its size; empty if it can be divided."""
    if table.packet_indices:
        return "packets name its indices, so all of them must exist on each core"
    if table.breaches or table.foreign:
        return "it is addressed by other numbers than indices of its dchain"
    if any(a.role == "expire-range" and a.object.id in table.members for a in analysis.accesses):
        return "the NF clears it by ranges of cells"
    if not table.maps and not table.vectors:
        return "nothing but the dchain itself is known of it"
    return ""


def calls_of(functions: Iterable[Definition], name: str) -> Iterator[tuple[Definition, Node]]:
    """The calls of a function by name."""
    for function in functions:
        for call in _calls(function):
            called = call.child_by_field_name("function")
            if called is not None and node_text(called) == name:
                yield function, call


def _calls(function: Definition) -> Iterator[Node]:
    pending = [function.node] if function.node is not None else []
    while pending:
        node = pending.pop()
        if node.type == "call_expression":
            yield node
        pending.extend(node.named_children)


def _span(function: Definition, node: Node) -> Span:
    return function.unit.range_span(node.start_byte, node.end_byte)


def _arguments(call: Node) -> list[Node]:
    listed = call.child_by_field_name("arguments")
    return [a for a in listed.named_children if a.type != "comment"] if listed is not None else []


def _op(call: Node, catalogue: Catalogue) -> str:
    function = call.child_by_field_name("function")
    spec = catalogue.find(node_text(function), len(_arguments(call))) if function is not None else None
    return spec.op if spec is not None else ""


def _capacity(call: Node, catalogue: Catalogue) -> Node | None:
    """The argument that is the capacity."""
    function = call.child_by_field_name("function")
    arguments = _arguments(call)
    spec = catalogue.find(node_text(function), len(arguments)) if function is not None else None
    position = spec.roles.get("capacity") if spec is not None else None
    return arguments[position] if position is not None else None
