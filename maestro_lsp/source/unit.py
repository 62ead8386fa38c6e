"""A translation unit: preprocessed text parsed, with the names that it declares. Takes a Preprocessed; gives
functions, globals, prototypes and the file scope, all read only when asked for, and places in the user's text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from tree_sitter import Node, Parser, Point, Tree

from maestro_lsp.source.ctypes import CType, Function, Record
from maestro_lsp.source.declarations import base_type, declarator_type, declare, parameters, specified, with_initializer
from maestro_lsp.source.dialect import LANGUAGE, adapt
from maestro_lsp.source.nodes import (
    ATOMS,
    SPECIFIERS,
    declared_name,
    declares_function,
    inner_declarator,
    node_text,
    storage_of,
)
from maestro_lsp.source.preprocess import Preprocessed, Problem
from maestro_lsp.source.scope import FileScope, Scope
from maestro_lsp.source.text import Span

T = TypeVar("T")

_PARSER = Parser(LANGUAGE)
_MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True, eq=False)
class FunctionDef:
    """A function with its body.

    params  name (None if unnamed) and type of each parameter
    body    the compound_statement
    node    the function_definition
    """

    name: str
    type: Function
    params: tuple[tuple[str | None, CType], ...]
    body: Node
    static: bool
    node: Node
    unit: Unit
    kept: dict[str, Any] = field(
        default_factory=dict, repr=False
    )  # what later stages keep for as long as the function stays


@dataclass(frozen=True, slots=True, eq=False)
class GlobalDef:
    """A variable at file scope.

    init    its initialiser, if any
    extern  declared only: `extern` and no initialiser
    node    the declarator
    """

    name: str
    type: CType
    init: Node | None
    static: bool
    extern: bool
    node: Node
    unit: Unit


class Lazy(Mapping[str, T]):
    """A mapping whose values are made at the first look; iteration is in the order of the source."""

    def __init__(self) -> None:
        self._make: dict[str, Callable[[], T]] = {}
        self._made: dict[str, T] = {}

    def put(self, name: str, make: Callable[[], T]) -> None:
        """Say how to make the value of a name; the latest word counts."""
        self._make[name] = make

    def __getitem__(self, name: str) -> T:
        if name not in self._made:
            self._made[name] = self._make[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)

    def __contains__(self, name: object) -> bool:
        return name in self._make


class Unit:
    """One translation unit.

    pre        what was parsed
    source     the bytes that tree-sitter read; offsets of nodes count in them
    tree       the syntax tree
    scope      the file scope
    functions  definitions by name
    globals    variables by name; a definition wins over extern declarations
    declared   types of functions that are declared, with a body or without
    problems   what the preprocessor complained of, and places that do not parse
    made_from  for who loads units again: all texts that were read or missed, search folders, macros
    """

    made_from: tuple[Mapping[str, str | None], tuple[str, ...], Mapping[str, str]] | None = None

    def __init__(self, pre: Preprocessed, old: Unit | None = None) -> None:
        self.pre = pre
        self.path = pre.path
        edits = adapt(pre.text)
        self._cut_new, self._cut_old = [0], [0]
        self.text = _apply(pre.text, edits, self._cut_new, self._cut_old) if edits else pre.text
        self.source = self.text.encode("utf-8", "surrogatepass")
        self._wide = None if len(self.source) == len(self.text) else _wide_characters(self.text)
        self.tree = _parse(self.source, old)
        self.scope = FileScope()
        if pre.packing:
            self.scope.packed = self._packed
        self.functions: Lazy[FunctionDef] = Lazy()
        self.globals: Lazy[GlobalDef] = Lazy()
        self.declared: Lazy[CType] = Lazy()
        self._extern_only: set[str] = set()
        self._index(self.tree.root_node)
        self.problems: tuple[Problem, ...] = (*pre.problems, *self._syntax_problems())

    @classmethod
    def parse(cls, pre: Preprocessed, old: Unit | None = None) -> Unit:
        """Parse a preprocessed text; `old`, an earlier version of the unit, makes that faster. Never fails."""
        return cls(pre, old)

    def span(self, node: Node) -> Span:
        """The user's text behind a node; for code from a macro, the outermost invocation."""
        return self.range_span(node.start_byte, node.end_byte)

    def range_span(self, start_byte: int, end_byte: int) -> Span:
        """The user's text behind a range of `source`."""
        start, end = self._offset(start_byte), self._offset(end_byte)
        return self.pre.origin(start, max(start, end))

    def node_text(self, node: Node) -> str:
        """The text of a node after preprocessing."""
        return node_text(node)

    def _offset(self, byte: int) -> int:
        """The offset in the preprocessed text of a byte of `source`."""
        offset = byte
        if self._wide is not None:
            at, shift = self._wide
            index = bisect_right(at, byte) - 1
            offset = byte - shift[index] if index >= 0 else byte
        if len(self._cut_new) > 1:
            index = bisect_right(self._cut_new, offset) - 1
            limit = self._cut_old[index + 1] if index + 1 < len(self._cut_old) else len(self.pre.text)
            offset = min(self._cut_old[index] + offset - self._cut_new[index], limit)
        return offset

    def _packed(self, byte: int) -> int:
        """What #pragma pack aligns members to at most at a byte of `source`; 0: as usual."""
        index = bisect_right(self.pre.packing, (self._offset(byte), 1 << 62)) - 1
        return self.pre.packing[index][1] if index >= 0 else 0

    # --- names ----------------------------------------------------------------------------------------------

    def _index(self, root: Node) -> None:
        for node in root.children:
            kind = node.type
            if kind == "declaration":
                self._index_declaration(node)
            elif kind == "function_definition":
                self._index_function(node)
            elif kind == "type_definition":
                self._index_tags(node.child_by_field_name("type"))
                for declarator in node.children_by_field_name("declarator"):
                    name = declared_name(declarator)
                    if name is not None:
                        self.scope.later["typedef"][name] = partial(declare, node, self.scope)
            elif kind in SPECIFIERS:
                self._index_tags(node)
            elif kind in ("linkage_specification", "declaration_list", "ERROR"):
                self._index(node)

    def _index_declaration(self, node: Node) -> None:
        self._index_tags(node.child_by_field_name("type"))
        storage: str | None = ""
        for declarator in node.children_by_field_name("declarator"):
            name = declared_name(declarator)
            if name is None:
                continue
            if storage == "":
                storage = storage_of(node)
            if storage == "typedef":
                self.scope.later["typedef"][name] = partial(declare, node, self.scope)
                continue
            if declares_function(declarator):
                if name not in self.declared:
                    self.declared.put(name, partial(self._variable_type, node, declarator, name))
                self.scope.later["variable"].setdefault(name, partial(self._enter, name))
                continue
            value = declarator.child_by_field_name("value") if declarator.type == "init_declarator" else None
            extern = storage == "extern" and value is None
            if name in self.globals and name not in self._extern_only and value is None:
                continue
            if extern:
                if name in self.globals:
                    continue
                self._extern_only.add(name)
            else:
                self._extern_only.discard(name)
            self.globals.put(name, partial(self._global, name, node, declarator, value, storage == "static", extern))
            self.scope.later["variable"][name] = partial(self._enter, name)

    def _index_function(self, node: Node) -> None:
        self._index_tags(node.child_by_field_name("type"))
        declarator = node.child_by_field_name("declarator")
        body = node.child_by_field_name("body")
        name = declared_name(declarator) if declarator is not None else None
        if declarator is None or name is None or body is None or not declares_function(declarator):
            return
        self.functions.put(name, partial(self._function, name, node, declarator, body))
        self.declared.put(name, partial(self._variable_type, node, declarator, name))
        self.scope.later["variable"][name] = partial(self._enter, name)

    def _index_tags(self, specifier: Node | None) -> None:
        if specifier is None or not specifier.type.endswith("_specifier"):
            return
        body = specifier.child_by_field_name("body")
        if body is None:
            return
        if specifier.type == "enum_specifier":
            define = partial(specified, specifier, self.scope)
            name = specifier.child_by_field_name("name")
            if name is not None:
                self.scope.later["tag"][node_text(name)] = define
            for enumerator in body.named_children:
                label = enumerator.child_by_field_name("name")
                if label is not None:
                    self.scope.later["constant"][node_text(label)] = define
            return
        name = specifier.child_by_field_name("name")
        if name is not None:
            tag = node_text(name)
            if tag not in self.scope.tags:
                record = Record("union" if specifier.type == "union_specifier" else "struct", tag)
                record.define_by(partial(self._define, specifier))
                self.scope.tags[tag] = record
        if (specifier.text or b"").count(b"{") > 1:
            for line in body.named_children:
                self._index_tags(line.child_by_field_name("type"))

    def _define(self, specifier: Node) -> None:
        specified(specifier, self.scope)

    def _enter(self, name: str) -> None:
        """Tell the file scope the type of a variable or function."""
        if name in self.globals:
            self.scope.variables[name] = self.globals[name].type
        elif name in self.declared:
            self.scope.variables[name] = self.declared[name]

    def _variable_type(self, node: Node, declarator: Node, name: str) -> CType:
        return declarator_type(declarator, base_type(node, self.scope), self.scope)[0]

    def _global(
        self, name: str, node: Node, declarator: Node, value: Node | None, static: bool, extern: bool
    ) -> GlobalDef:
        ctype = self._variable_type(node, declarator, name)
        if value is not None:
            ctype = with_initializer(ctype, value, self.scope)
        return GlobalDef(name, ctype, value, static, extern, declarator, self)

    def _function(self, name: str, node: Node, declarator: Node, body: Node) -> FunctionDef:
        ctype = self._variable_type(node, declarator, name)
        assert isinstance(ctype, Function)
        inner: Node | None = declarator
        function = declarator
        while inner is not None and inner.type not in ATOMS:
            if inner.type == "function_declarator":
                function = inner
            inner = inner_declarator(inner)
        params = tuple(parameters(function, Scope(self.scope)))
        return FunctionDef(name, ctype, params, body, storage_of(node) == "static", node, self)

    # --- problems -------------------------------------------------------------------------------------------

    def _syntax_problems(self) -> list[Problem]:
        found: list[Problem] = []
        pending = [self.tree.root_node] if self.tree.root_node.has_error else []
        while pending and len(found) < _MAX_PROBLEMS:
            node = pending.pop()
            if node.is_missing:
                if not _is_valid(node):
                    found.append(Problem(self.span(node), f"syntax error: missing {_shown(node.type)}"))
            elif node.type == "ERROR" and not _is_case_range(node):
                text = " ".join(node_text(node).split())
                if text:
                    text = text if len(text) <= 40 else text[:37] + "..."
                    found.append(Problem(self.span(node), f"syntax error at '{text}'"))
                else:
                    found.append(Problem(self.span(node), "syntax error"))
            else:
                pending.extend(child for child in reversed(node.children) if child.has_error)
        return found


def _is_valid(missing: Node) -> bool:
    """Whether a name that the parser misses may be left out: in `struct s { ... } __attribute__((packed));` and
    in bit-fields such as `int : 0;`."""
    parent = missing.parent
    if missing.type == "field_identifier":
        following = missing.next_sibling
        return following is not None and following.type == "bitfield_clause"
    if missing.type != "identifier" or parent is None or parent.type != "declaration":
        return False
    specifier = parent.child_by_field_name("type")
    return specifier is not None and specifier.child_by_field_name("body") is not None


def _is_case_range(error: Node) -> bool:
    """Whether the parser stumbles over GNU's `case 1 ... 3:`, which it reads all the same."""
    parent = error.parent
    return parent is not None and parent.type == "case_statement" and node_text(error).startswith("...")


def _shown(kind: str) -> str:
    return f"'{kind}'" if not kind.isidentifier() else kind.replace("_", " ")


def _apply(text: str, edits: list[tuple[int, int, str]], cut_new: list[int], cut_old: list[int]) -> str:
    pieces: list[str] = []
    length = position = 0
    for start, end, replacement in edits:
        pieces.extend((text[position:start], replacement))
        length += start - position
        cut_new.append(length)
        cut_old.append(start)
        length += len(replacement)
        cut_new.append(length)
        cut_old.append(end)
        position = end
    pieces.append(text[position:])
    return "".join(pieces)


def _wide_characters(text: str) -> tuple[list[int], list[int]]:
    """For each character of more than one byte: the byte behind it, and how much bytes are ahead there."""
    at, shift = [], []
    ahead = 0
    for index, char in enumerate(text):
        if char > "\x7f":
            width = len(char.encode("utf-8", "surrogatepass"))
            ahead += width - 1
            at.append(index + 1 + ahead)
            shift.append(ahead)
    return at, shift


def _parse(source: bytes, old: Unit | None) -> Tree:
    if old is None:
        return _PARSER.parse(source)
    before = old.source
    prefix = _common_prefix(before, source)
    suffix = _common_suffix(before[prefix:], source[prefix:])
    tree = old.tree.copy()
    old_end, new_end = len(before) - suffix, len(source) - suffix
    tree.edit(prefix, old_end, new_end, _point(before, prefix), _point(before, old_end), _point(source, new_end))
    return _PARSER.parse(source, tree)


def _common_prefix(a: bytes, b: bytes) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(a: bytes, b: bytes) -> int:
    return _common_prefix(a[::-1], b[::-1])


def _point(source: bytes, offset: int) -> Point:
    return Point(source.count(b"\n", 0, offset), offset - (source.rfind(b"\n", 0, offset) + 1))
