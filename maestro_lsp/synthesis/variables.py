"""Which variables of an NF every core needs for itself. Takes an amalgamation; gives, for each variable, who may change it.

A variable is changed where it is assigned to, counted up or down, or where its address is taken (what is done with the address is
not followed). Configuration is what only nf_config_init and its callees change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from ..source.ctypes import Array
from ..source.expressions import expression_type
from ..source.nodes import declared_name, node_text, storage_of
from ..source.text import Span
from .amalgamation import Amalgamation, Links
from .definitions import Definition, Place

# Library functions that read an array they are handed and do not keep it
_READERS = frozenset(
    (
        "fopen", "printf", "fprintf", "puts", "fputs", "perror", "strcmp", "strncmp", "strcasecmp", "strlen", "strtol", "strtoul",
        "strtoull", "strtoimax", "strtoumax", "atoi", "memcmp", "rte_exit", "sscanf", "free",
    )
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Static:
    """A variable that lives as long as the program.

    piece   the definition at file scope, or the function that a static local is in
    node    its declaration
    local   whether it is declared in a function
    """

    name: str
    piece: Definition
    node: Node
    local: bool

    @property
    def place(self) -> Span:
        """Where it is declared."""
        return self.piece.unit.range_span(self.node.start_byte, self.node.end_byte)


class Callers:
    """Which functions the entry points reach."""

    def __init__(self, program: Amalgamation) -> None:
        self._program = program
        self._links: Links = program.links
        self._functions = {p.place: p for p in program.pieces if p.kind == "function"}
        self._calls: dict[Place, list[Definition]] = {}

    def reached(self, *roots: str) -> list[Definition]:
        """The functions that these may run, themselves among them."""
        found: dict[Place, Definition] = {}
        pending = [p for p in self._functions.values() if any(("name", r) in p.names for r in roots)]
        while pending:
            piece = pending.pop()
            if piece.place not in found:
                found[piece.place] = piece
                pending += self._called(piece)
        return list(found.values())

    def initialised_by(self, variables: Iterable[Static]) -> tuple[Static, str] | None:
        """A variable whose initialiser needs the address of one of these, and the name of that."""
        own = {v.piece.place for v in variables if not v.local}
        listed = [
            *globals_of(self._program, constants=True).values(),
            *statics(self._functions.values(), constants=True),
        ]
        for static in listed:
            for declarator in static.node.children_by_field_name("declarator"):
                value = declarator.child_by_field_name("value") if declarator.type == "init_declarator" else None
                for node in _identifiers(value, ("sizeof_expression",)) if value is not None else ():
                    found = _variable(self._links, node_text(node), static.piece)
                    if found is not None and found.place in own:
                        return static, node_text(node)
        return None

    def _called(self, piece: Definition) -> list[Definition]:
        """Functions that a piece mentions, also by way of tables of functions."""
        known = self._calls.get(piece.place)
        if known is None:
            known = []
            self._calls[piece.place] = known
            for name in sorted(piece.mentions):
                for other in self._links.lookup(name, piece.unit):
                    full = self._functions.get(other.place)
                    if full is not None:
                        known.append(full)
                    elif other.kind == "variable" and other.node is not None:
                        known += self._called(self._links.full(other))
        return known


def changed(program: Amalgamation, functions: Iterable[Definition]) -> set[Place]:
    """Variables at file scope that some of these functions may change, by the place of their definition."""
    out: set[Place] = set()
    for function in functions:
        assert function.node is not None
        names = {n for kind, n in function.mentions if kind == "name"}
        variables = {n: v for n in names if (v := _variable(program.links, n, function)) is not None}
        for node in _identifiers(function.node) if variables else ():
            variable = variables.get(node_text(node))
            if variable is not None and variable.place not in out and _is_change(node, function, program.links):
                out.add(variable.place)
    return out


def _variable(links: Links, name: str, function: Definition) -> Definition | None:
    found = links.lookup(("name", name), function.unit)
    return next(
        (p for p in found if p.kind == "variable" and p.node is not None and p.node.type == "declaration"), None
    )


def _identifiers(node: Node, beside: tuple[str, ...] = ()) -> Iterator[Node]:
    pending = [node]
    while pending:
        current = pending.pop()
        if current.type == "identifier":
            yield current
        elif current.type not in beside:
            pending.extend(current.children)


def _is_change(node: Node, piece: Definition, links: Links) -> bool:
    """Whether a mention of a variable may change it, rather than what it points to."""
    current = node
    parent = current.parent
    while parent is not None:
        kind = parent.type
        if kind == "field_expression":
            if any(c.type == "->" for c in parent.children):
                return False
        elif kind == "subscript_expression":
            if parent.child_by_field_name("argument") != current:
                return False  # it is the index
        elif kind == "parenthesized_expression":
            pass
        else:
            break
        current, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type == "assignment_expression":
        return parent.child_by_field_name("left") == current
    if parent.type == "update_expression":
        return True
    if parent.type == "pointer_expression":
        return any(c.type == "&" for c in parent.children)
    return _is_array(current, piece) and not _is_only_read(current, parent, links, piece)


def _is_array(node: Node, piece: Definition) -> bool:
    """Whether a mention is an array, whose address is what is passed on."""
    return isinstance(expression_type(node, piece.unit.scope), Array)


def _is_only_read(argument: Node, arguments: Node, links: Links, piece: Definition) -> bool:
    """Whether an argument goes to a function that only reads what it is handed."""
    call = arguments.parent
    function = call.child_by_field_name("function") if call is not None else None
    if function is None:
        return False
    if node_text(function) in _READERS:
        return True
    position = [a for a in arguments.named_children if a.type != "comment"].index(argument)
    for callee in links.lookup(("name", node_text(function)), piece.unit):
        if callee.kind == "function" and callee.node is not None:
            declarator = callee.node.child_by_field_name("declarator")
            while declarator is not None and declarator.type == "pointer_declarator":
                declarator = declarator.child_by_field_name("declarator")
            listed = declarator.child_by_field_name("parameters") if declarator is not None else None
            parameters = listed.named_children if listed is not None else []
            return position < len(parameters) and "const " in node_text(parameters[position])
    return False


def statics(functions: Iterable[Definition], constants: bool = False) -> list[Static]:
    """The static variables that are declared within functions; constants are left out unless asked for."""
    out: list[Static] = []
    for function in functions:
        assert function.node is not None
        pending = [function.node]
        while pending:
            node = pending.pop()
            if node.type == "declaration" and storage_of(node) == "static":
                for declarator in node.children_by_field_name("declarator"):
                    name = declared_name(declarator)
                    if name is not None and (constants or not is_constant(node, declarator)):
                        out.append(Static(name, function, node, True))
            else:
                pending.extend(node.named_children)
    return sorted(out, key=lambda s: s.place)


def globals_of(program: Amalgamation, constants: bool = False) -> Mapping[Place, Static]:
    """The variables at file scope, by the place of their definition; constants are left out unless asked for."""
    out: dict[Place, Static] = {}
    for piece in program.pieces:
        if piece.kind == "variable" and piece.node is not None and piece.node.type == "declaration":
            for declarator in piece.node.children_by_field_name("declarator"):
                name = declared_name(declarator)
                if name is not None and (constants or not is_constant(piece.node, declarator)):
                    out[piece.place] = Static(name, piece, piece.node, False)
    return out


def is_constant(node: Node, declarator: Node) -> bool:
    """Whether a declared variable itself is const, rather than what it points to."""
    current: Node | None = (
        declarator.child_by_field_name("declarator") if declarator.type == "init_declarator" else declarator
    )
    while current is not None and current.type in ("array_declarator", "parenthesized_declarator"):
        current = current.child_by_field_name("declarator") or (
            current.named_children[0] if current.named_children else None
        )
    holder = current if current is not None and current.type == "pointer_declarator" else node
    return any(c.type == "type_qualifier" and node_text(c) == "const" for c in holder.children)
