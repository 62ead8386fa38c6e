"""What stands at file scope of an NF's sources, as pieces of the user's text. Takes the program's units; gives, for each name, the
definitions and declarations that introduce it, with the names that each of them mentions.

Pieces come in the order in which a compiler meets them, so that pieces chosen from a unit compile in that order.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tree_sitter import Node

from ..libvig.catalogue import Catalogue
from ..source.headers import PREFIX
from ..source.macros import Macro
from ..source.nodes import SPECIFIERS, declared_name, declares_function, node_text, storage_of
from ..source.program import Program
from ..source.text import Span
from ..source.unit import Unit

Kind = Literal["function", "prototype", "variable", "extern", "type", "forward", "macro"]
Name = tuple[Literal["name", "tag"], str]  # C's name spaces at file scope: ordinary identifiers, and tags

Place = tuple[str, int, int]

_DECLARES_ONLY: frozenset[Kind] = frozenset(("prototype", "extern", "forward"))


@dataclass(frozen=True, eq=False)
class Definition:
    """One piece: text[start:end] of `file`, without comments around it.

    names     what it introduces
    mentions  names that it uses, as the compiler sees them, those of its own parameters left out
    words     identifiers in the user's text, among which are macros
    node      the syntax tree of it in `unit`; None for a macro
    part      its number among the pieces that one invocation of a macro makes
    """

    kind: Kind
    file: str
    start: int
    end: int
    unit: Unit
    names: frozenset[Name]
    node: Node | None
    static: bool = False
    mentions: frozenset[Name] = frozenset()
    words: frozenset[str] = frozenset()
    part: int = 0

    @property
    def place(self) -> Place:
        """What makes two pieces the same, when several units include one header."""
        return self.file, self.start, self.part

    @property
    def packing(self) -> int:
        """What `#pragma pack` says of its structs and unions; 0 for nothing."""
        record = _last_record(self.node) if self.node is not None and self.unit.pre.packing else None
        return self.unit.scope.packing(record.end_byte) if record is not None else 0

    def is_written(self, node: Node) -> bool:
        """Whether a node stands in the user's text as such, rather than in what a macro stands for."""
        span = self.unit.range_span(node.start_byte, node.end_byte)
        return "".join(self.text(span).split()) == "".join(node_text(node).split())

    def text(self, span: Span) -> str:
        """The user's text."""
        return self.unit.pre.scans[span.file].source.text[span.start : span.end]

    def line(self, offset: int) -> str:
        """Where something stands, for people: the file's name and the line."""
        return f"{posixpath.basename(self.file)}:{self.unit.pre.scans[self.file].source.line(offset) + 1}"

    @property
    def only_declares(self) -> bool:
        """Whether something else defines what this introduces."""
        return self.kind in _DECLARES_ONLY


@dataclass(eq=False)
class UnitPieces:
    """The pieces of one unit, in order; those of library headers are left out.

    external  names that headers of the system, of DPDK and of libVig introduce, and the header
    """

    unit: Unit
    pieces: list[Definition] = field(default_factory=list)
    by_name: dict[Name, list[Definition]] = field(default_factory=dict)
    macros: dict[str, Definition] = field(default_factory=dict)
    external: dict[str, str] = field(default_factory=dict)


class Libraries:
    """Which files are libVig's: headers that declare containers or packet I/O, and all that lies beside them.

    The NF's own folder, and those of files that the build names, are never a library.
    """

    def __init__(self, program: Program, catalogue: Catalogue, own: Iterable[str]) -> None:
        names = {n for n, specs in catalogue.calls.items() for s in specs if _is_library_call(s.op, s.roles)}
        own_files = set(own)
        names -= {n for u in program.units if u.path in own_files for n in u.functions}  # described, and the NF's own
        own_folders = {posixpath.dirname(path) for path in own_files}
        self._files: set[str] = set()
        for unit in program.units:
            for node in _top_level(unit.tree.root_node):
                if node.type == "declaration" and _introduced(node)[0] == "prototype":
                    if not names.isdisjoint(name for _, name in _introduced(node)[1]):
                        self._files.add(unit.range_span(node.start_byte, node.end_byte).file)
        self._files -= own_files
        self._folders = {posixpath.dirname(path) for path in self._files} - own_folders

    def __contains__(self, path: str) -> bool:
        return path.startswith(PREFIX) or path in self._files or posixpath.dirname(path) in self._folders


def _last_record(node: Node) -> Node | None:
    """The last struct or union with its members inside a piece."""
    for child in reversed(node.named_children):
        found = _last_record(child)
        if found is not None:
            return found
    defines = node.type in ("struct_specifier", "union_specifier") and node.child_by_field_name("body") is not None
    return node if defines else None


def _is_library_call(op: str, roles: object) -> bool:
    return op == "allocate" or op.startswith("packet-") or (isinstance(roles, dict) and "object" in roles)


def pieces_of(unit: Unit, libraries: Libraries) -> UnitPieces:
    """The pieces of a unit."""
    found = UnitPieces(unit)
    for node in _top_level(unit.tree.root_node):
        start, end = node.start_byte, _with_semicolon(node)
        span = unit.range_span(start, end)
        kind, names, static = _introduced(node)
        if span.file in libraries:
            found.external.update(dict.fromkeys((name for _, name in names), span.file))
            continue
        if not names or not span.file:
            continue
        before = found.pieces[-1] if found.pieces else None
        again = before is not None and (before.file, before.start, before.end) == (span.file, span.start, span.end)
        part = before.part + 1 if before is not None and again else 0
        piece = Definition(kind, span.file, span.start, span.end, unit, frozenset(names), node, static, part=part)
        found.pieces.append(piece)
        for name in names:
            found.by_name.setdefault(name, []).append(piece)
    for macro in unit.pre.macros.values():
        place = macro.span
        if place is None or place.file in libraries:
            found.external[macro.name] = place.file if place is not None else ""
            continue
        found.macros[macro.name] = _macro_piece(macro, unit)
    return found


def _macro_piece(macro: Macro, unit: Unit) -> Definition:
    place = macro.span
    assert place is not None
    return Definition(
        "macro", place.file, place.start, place.end, unit, frozenset({("name", macro.name)}), None, words=macro.words
    )


def _top_level(root: Node) -> Iterator[Node]:
    for node in root.children:
        if node.type in ("linkage_specification", "declaration_list", "ERROR"):
            yield from _top_level(node)
        elif node.is_named:
            yield node


def _with_semicolon(node: Node) -> int:
    """Where a piece ends: `struct s { ... }` is one node, and the semicolon behind it another."""
    following = node.next_sibling
    if node.type in SPECIFIERS and following is not None and following.type == ";":
        return following.end_byte
    if node.type in SPECIFIERS and following is not None and following.type == "expression_statement":
        return following.end_byte
    return node.end_byte


def _introduced(node: Node) -> tuple[Kind, list[Name], bool]:
    """What a node at file scope introduces: its kind, the names, and whether they are the unit's own."""
    names: list[Name] = []
    if node.type == "function_definition":
        names += _tags(node.child_by_field_name("type"))
        declarator = node.child_by_field_name("declarator")
        name = declared_name(declarator) if declarator is not None else None
        if name is not None:
            names.append(("name", name))
        return "function", names, storage_of(node) == "static"
    if node.type in SPECIFIERS:
        names += _tags(node)
        if names:
            return "type", names, False
        tag = node.child_by_field_name("name")
        return "forward", [("tag", node_text(tag))] if tag is not None else [], False
    if node.type not in ("declaration", "type_definition"):
        return "type", [], False
    specifier = node.child_by_field_name("type")
    names += _tags(specifier)
    declared: list[Name] = []
    functions = variables = defined = False
    storage = storage_of(node)
    for declarator in node.children_by_field_name("declarator"):
        name = declared_name(declarator)
        if name is None:
            continue
        declared.append(("name", name))
        if declares_function(declarator):
            functions = True
        else:
            variables = True
            defined = defined or declarator.type == "init_declarator" or storage != "extern"
    if storage == "typedef":
        return "type", names + declared, False
    if not declared:
        return "type", names, False
    if functions and not variables:
        return ("type" if names else "prototype"), names + declared, storage == "static"
    return ("variable" if defined or names else "extern"), names + declared, storage == "static"


def _tags(specifier: Node | None) -> list[Name]:
    """Tags and enumeration constants that a specifier defines, those within it too."""
    if specifier is None or not specifier.type.endswith("_specifier"):
        return []
    body = specifier.child_by_field_name("body")
    if body is None:
        return []
    found: list[Name] = []
    tag = specifier.child_by_field_name("name")
    if tag is not None and not tag.is_missing:
        found.append(("tag", node_text(tag)))
    for line in body.named_children:
        if line.type == "enumerator":
            label = line.child_by_field_name("name")
            if label is not None:
                found.append(("name", node_text(label)))
        else:
            found += _tags(line.child_by_field_name("type"))
    return found


def mentioned(node: Node) -> frozenset[Name]:
    """The names that a piece of syntax uses, as the compiler sees them."""
    names: set[Name] = set()
    local = _parameters(node)
    pending = [node]
    while pending:
        current = pending.pop()
        if current.type == "identifier":
            name = node_text(current)
            if name not in local:
                names.add(("name", name))
        elif current.type == "type_identifier":
            parent = current.parent
            is_tag = parent is not None and parent.type in ("struct_specifier", "union_specifier", "enum_specifier")
            names.add(("tag" if is_tag else "name", node_text(current)))
        else:
            pending.extend(current.children)
    return frozenset(names)


def _parameters(node: Node) -> frozenset[str]:
    """Parameters of a function, and variables at the top of its body that are declared before they are used."""
    if node.type != "function_definition":
        return frozenset()
    found: set[str] = set()
    declarator = node.child_by_field_name("declarator")
    pending = [declarator] if declarator is not None else []
    while pending:
        current = pending.pop()
        if current.type == "parameter_declaration":
            inner = current.child_by_field_name("declarator")
            name = declared_name(inner) if inner is not None else None
            if name is not None:
                found.add(name)
        else:
            pending.extend(current.named_children)
    return frozenset(found)
