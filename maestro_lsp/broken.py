"""Which broken places of the source matter. Takes a program and the problems its front end met; gives findings for those
that the analysis depends on: an error in a header that the NF does not use says nothing about the NF.

A broken function body makes trouble when it is executed, and a name that nothing declares does so where it is used; neither is
repeated here. What is left are preprocessor errors, and declarations that do not parse although the program needs them, such
as a structure that would get the wrong layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from .sharding.findings import Finding
from .source.nodes import declared_name, node_text
from .source.program import Program
from .source.unit import Unit

ENTRIES = ("nf_process", "nf_init", "nf_config_init", "nf_config_init_cmdline")
_WORD = re.compile(r"[A-Za-z_]\w*")
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\((.*?)\)\s*\)", re.DOTALL)
_MEANINGFUL = frozenset((
    "cleanup", "constructor", "mode", "vector_size", "scalar_storage_order", "ms_struct", "gcc_struct", "transparent_union", "ifunc",
))  # fmt: skip
_GROUPS = ("linkage_specification", "declaration_list", "ERROR")


def findings(program: Program, root: str) -> list[Finding]:
    """Problems that make the analysis of the NF in folder `root` incomplete, in no particular order.

    Preprocessor errors count in the NF's own files only: what a shared header of another build asks for (`#error`) is its own
    affair, and what it then does not declare is missed where it is used.
    """
    own = root.rstrip("/") + "/"
    out = [
        Finding("unsupported-construct", p.message, p.span)
        for u in program.units
        for p in u.pre.problems
        if p.span.file.startswith(own)
    ]
    for u in program.units:
        out += (f for f in _meaningful_attributes(u) if f.span.file.startswith(own) or f.span.file == u.path)
    if any(u.tree.root_node.has_error for u in program.units):
        needed = _needed(program)
        for u in program.units:
            if u.tree.root_node.has_error:
                out += _syntax(u, needed)
    return list(dict.fromkeys(out))


def _meaningful_attributes(unit: Unit) -> Iterator[Finding]:
    """Attributes that change what a program does, or the layout of a type, and that the front end does not follow."""
    text = unit.pre.text
    if "__attribute__" not in text:
        return
    for match in _ATTRIBUTE.finditer(text):
        names_a_type = _follows_typedef_name(text, match.start())  # then an alignment is the name's, not the type's
        for name in dict.fromkeys(word.strip("_") for word in _WORD.findall(match[1])):
            if name in _MEANINGFUL or (names_a_type and name == "aligned"):
                message = f"__attribute__(({name})) is not modelled"
                yield Finding("unsupported-construct", message, unit.pre.origin(*match.span(1)))


def _follows_typedef_name(text: str, at: int) -> bool:
    """Whether the name that a typedef introduces stands before a place, or is still to come in a declaration without members."""
    start = _statement_start(text, at)
    before = _ATTRIBUTE.sub("", text[start:at]).split()
    if "typedef" in before or text[start - 1 : start] != "}":
        return "typedef" in before
    depth, opening = 1, start - 1
    while depth and opening:
        opening -= 1
        depth += {"}": 1, "{": -1}.get(text[opening], 0)
    return bool(before) and "typedef" in text[_statement_start(text, opening) : opening].split()


def _statement_start(text: str, at: int) -> int:
    return max(text.rfind(c, 0, at) for c in ";{}") + 1


def _syntax(unit: Unit, needed: set[str]) -> Iterator[Finding]:
    problems = [p for p in unit.problems if p not in unit.pre.problems]
    for node in _top(unit.tree.root_node):
        if not node.has_error or _only_body_broken(node):
            continue
        names = _words(node) - _declared_elsewhere(unit, node) if node.type == "ERROR" else _declares(node)
        if needed.isdisjoint(names):
            continue
        place = unit.span(node)
        inside = [p for p in problems if p.span.file == place.file and place.start <= p.span.start <= place.end]
        if inside:
            yield Finding("unsupported-construct", inside[0].message, inside[0].span)
        elif _holds_error(node):  # pieced together from several files
            yield Finding("unsupported-construct", "syntax error", place)


def _holds_error(node: Node) -> bool:
    return node.type == "ERROR" or any(_holds_error(c) for c in node.children if c.has_error)


def _top(root: Node) -> Iterator[Node]:
    """Declarations at file scope; what stands between broken ones counts as well."""
    for node in root.children:
        if node.type in _GROUPS:
            yield from _top(node)
        if node.type not in _GROUPS or node.type == "ERROR":
            yield node


def _only_body_broken(node: Node) -> bool:
    body = node.child_by_field_name("body")
    if node.type != "function_definition" or body is None:
        return False
    return not any(c.has_error or c.is_missing or c.type == "ERROR" for c in node.children if c != body)


def _declares(node: Node) -> set[str]:
    """The names that a declaration gives a meaning: of functions, variables, types, tags and enumerators."""
    names = {declared_name(d) for d in node.children_by_field_name("declarator")}
    pending: list[Node | None] = [node] if node.type.endswith("_specifier") else [node.child_by_field_name("type")]
    while pending:
        specifier = pending.pop()
        body = specifier.child_by_field_name("body") if specifier is not None else None
        if specifier is None or body is None:
            continue
        tag = specifier.child_by_field_name("name")
        names.add(node_text(tag) if tag is not None else None)
        for inner in body.named_children:
            if inner.type == "enumerator":
                label = inner.child_by_field_name("name")
                names.add(node_text(label) if label is not None else None)
            pending.append(inner.child_by_field_name("type"))
    return {n for n in names if n}


def _words(node: Node) -> set[str]:
    """The identifiers of a declaration; of a place that does not parse, those outside of the declarations within it."""
    if node.type != "ERROR":
        return set(_WORD.findall(node_text(node)))
    return {
        w
        for c in node.children
        if not c.type.endswith(("_definition", "declaration"))
        for w in _WORD.findall(node_text(c))
    }


def _declared_elsewhere(unit: Unit, broken: Node) -> set[str]:
    """Names that declarations other than `broken` give a meaning, and that `broken` therefore only uses."""
    return {
        name
        for node in _top(unit.tree.root_node)
        if node != broken and node.type != "ERROR"
        for name in _declares(node)
    }


def _needed(program: Program) -> set[str]:
    """The names that the entry functions use, and those that their declarations use, and so on."""
    uses: dict[str, set[str]] = {}
    for u in program.units:
        for node in _top(u.tree.root_node):
            if node.type != "ERROR":
                words = _words(node)
                for name in _declares(node):
                    uses.setdefault(name, set()).update(words)
    needed = set(ENTRIES)
    pending = list(needed)
    while pending:
        for word in uses.get(pending.pop(), ()):
            if word not in needed:
                needed.add(word)
                pending.append(word)
    return needed
