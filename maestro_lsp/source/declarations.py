"""Declarations: takes `declaration` nodes and type names of a syntax tree and a scope; gives names with types,
and enters typedefs, tags, enumeration constants and variables into the scope.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tree_sitter import Node

from maestro_lsp.source import expressions
from maestro_lsp.source.ctypes import (
    INT,
    LONG,
    SHORT,
    SIGNED_CHAR,
    UNSIGNED_CHAR,
    UNSIGNED_INT,
    UNSIGNED_LONG,
    UNSIGNED_SHORT,
    Array,
    CType,
    Enum,
    Function,
    Integer,
    Member,
    Pointer,
    Record,
    Unknown,
    Void,
    decay,
    sized_type,
)
from maestro_lsp.source.dialect import typeof_operand
from maestro_lsp.source.initialisers import initializer_length
from maestro_lsp.source.nodes import ATOMS, SPECIFIERS, inner_declarator, node_text, storage_of
from maestro_lsp.source.scope import Scope


class Declared(NamedTuple):
    """A declared name.

    init     the initialiser expression or list, if any
    storage  "static", "extern", "typedef" or None
    node     the declarator, for places
    """

    name: str
    type: CType
    init: Node | None
    storage: str | None
    node: Node


class Attributes(NamedTuple):
    """What matters of `__attribute__` and `_Alignas`; aligned in bytes, 0 for none."""

    packed: bool
    aligned: int


def declare(node: Node, scope: Scope) -> list[Declared]:
    """The names that a declaration, type definition or bare struct, union or enum specifier declares, entered
    into the scope. Names whose type is `typedef` are given too, with storage "typedef"."""
    if node.type in SPECIFIERS:
        specified(node, scope)
        return []
    base = base_type(node, scope)
    storage = storage_of(node)
    found = []
    for declarator in node.children_by_field_name("declarator"):
        init = declarator.child_by_field_name("value") if declarator.type == "init_declarator" else None
        ctype, name = declarator_type(declarator, base, scope)
        if name is None or declarator.is_missing:
            continue
        if init is not None:
            ctype = with_initializer(ctype, init, scope)
            if isinstance(ctype, Unknown) and ctype.name == "__auto_type":
                ctype = decay(expressions.expression_type(init, scope) or ctype)
        if storage == "typedef":
            scope.typedefs[name] = ctype
        else:
            scope.variables[name] = ctype
        found.append(Declared(name, ctype, init, storage, declarator))
    return found


def type_of(node: Node, scope: Scope) -> CType:
    """The type that a `type_descriptor` names: that of a cast, sizeof or compound literal."""
    base = base_type(node, scope)
    declarator = node.child_by_field_name("declarator")
    return base if declarator is None else declarator_type(declarator, base, scope)[0]


def parameters(node: Node, scope: Scope) -> list[tuple[str | None, CType]]:
    """Names and types of a `function_declarator`'s parameters, adjusted as C11 6.7.6.3 says."""
    listed = node.child_by_field_name("parameters")
    found: list[tuple[str | None, CType]] = []
    for parameter in listed.named_children if listed is not None else []:
        if parameter.type == "parameter_declaration":
            base = base_type(parameter, scope)
            declarator = parameter.child_by_field_name("declarator")
            ctype, name = (base, None) if declarator is None else declarator_type(declarator, base, scope)
            found.append((name, decay(ctype)))
        elif parameter.type == "identifier":
            name = node_text(parameter)
            found.append((name, _declared_later(node, scope).get(name, INT)))
    if len(found) == 1 and found[0][0] is None and isinstance(found[0][1], Void):
        return []
    return found


def _declared_later(node: Node, scope: Scope) -> dict[str, CType]:
    """Parameters that old-style definitions declare between the list of their names and the body."""
    definition = node.parent
    while definition is not None and definition.type.endswith("declarator"):
        definition = definition.parent
    lines = definition.named_children if definition is not None and definition.type == "function_definition" else []
    return {d.name: decay(d.type) for line in lines if line.type == "declaration" for d in declare(line, Scope(scope))}


def declarator_type(node: Node, base: CType, scope: Scope) -> tuple[CType, str | None]:
    """The type and the name that a declarator gives to a base type. Abstract declarators have no name."""
    name = None
    current: Node | None = node
    while current is not None:
        kind = current.type
        if kind in ATOMS:
            name = node_text(current)
            break
        if kind in ("pointer_declarator", "abstract_pointer_declarator"):
            base = Pointer(base)
        elif kind in ("array_declarator", "abstract_array_declarator"):
            size = current.child_by_field_name("size")
            length = None if size is None else expressions.constant(size, scope)
            base = Array(base, length if length is None or length >= 0 else None)
        elif kind in ("function_declarator", "abstract_function_declarator"):
            params = tuple(ctype for _, ctype in parameters(current, Scope(scope)))
            listed = current.child_by_field_name("parameters")
            variadic = listed is not None and any(c.type == "variadic_parameter" for c in listed.named_children)
            base = Function(base, params, variadic)
        current = inner_declarator(current)
    return base, name


def base_type(node: Node, scope: Scope) -> CType:
    """The type that the specifiers of a declaration name, without its declarators."""
    specifier = node.child_by_field_name("type")
    if specifier is None:
        specifier = next((child for child in node.named_children if child.type in SPECIFIERS), None)
    return INT if specifier is None else specified(specifier, scope)


def specified(node: Node, scope: Scope) -> CType:
    """The type of one type specifier. Defines tags and enumeration constants that it introduces."""
    kind = node.type
    if kind in ("primitive_type", "type_identifier"):
        name = node_text(node)
        return scope.typedef(name) or Unknown(name)
    if kind == "sized_type_specifier":
        words = node_text(node).split()
        found = sized_type(words)
        if found is not None:
            return found
        named = next((w for w in words if w not in ("unsigned", "signed", "long", "short")), "int")
        return scope.typedef(named) or Unknown(" ".join(words))
    if kind == "struct_specifier":
        return _record(node, "struct", scope)
    if kind == "union_specifier":
        return _record(node, "union", scope)
    if kind == "enum_specifier":
        return _enum(node, scope)
    return Unknown(node_text(node))


def with_initializer(ctype: CType, init: Node, scope: Scope) -> CType:
    """The type of an object after its initialiser: `[]` gets its length."""
    if not isinstance(ctype, Array) or ctype.length is not None:
        return ctype
    return Array(ctype.of, initializer_length(init, ctype.of, scope))


def attributes(node: Node, scope: Scope) -> Attributes:
    """The attributes among the children of a specifier or a declaration."""
    packed, aligned = False, 0
    for child in node.children:
        if child.type == "attribute_specifier":
            listed = next((c for c in child.named_children if c.type == "argument_list"), None)
            for attribute in listed.named_children if listed is not None else []:
                function = attribute.child_by_field_name("function")
                name = node_text(function if function is not None else attribute).strip("_")
                if name == "packed":
                    packed = True
                elif name == "aligned":
                    given = attribute.child_by_field_name("arguments")
                    value = given.named_children[0] if given is not None and given.named_children else None
                    wanted = 16 if value is None else expressions.constant(value, scope) or 0
                    aligned = max(aligned, wanted)
        elif child.type == "type_qualifier" and child.named_children:
            inner = child.named_children[0]
            if inner.type == "alignas_qualifier" and inner.named_children:
                operand = inner.named_children[0]
                aligned = max(aligned, expressions.alignment(operand, scope) or 0)
    return Attributes(packed, aligned)


def _record(node: Node, kind: Literal["struct", "union"], scope: Scope) -> CType:
    name = node.child_by_field_name("name")
    body = node.child_by_field_name("body")
    tag = node_text(name) if name is not None and not name.is_missing else None
    if tag is not None and tag.startswith("__typeof_"):
        operand = typeof_operand(tag)
        if operand is not None:
            if operand.type == "type_descriptor":
                return type_of(operand, scope)
            return expressions.expression_type(operand, scope) or Unknown("typeof")
    if body is None:
        return scope.record(kind, tag) if tag is not None else Record(kind, None)
    record = scope.record(kind, tag, here=True) if tag is not None else Record(kind, None)
    if not record.is_complete:
        _complete(record, node, body, scope)
    return record


def _complete(record: Record, node: Node, body: Node, scope: Scope) -> None:
    own = attributes(node, scope)
    members: list[Member] = []
    for line in body.named_children:
        if line.type == "field_declaration":
            members.extend(_members(line, scope))
    record.complete(members, own.packed, own.aligned, scope.packing(node.end_byte))


def _members(line: Node, scope: Scope) -> list[Member]:
    """The members that one line of a struct declares."""
    base = base_type(line, scope)
    given = attributes(line, scope)
    found: list[Member] = []
    named = False  # whether a bit-field's width that comes next belongs to the latest member
    for index, child in enumerate(line.children):
        if line.field_name_for_child(index) == "declarator":
            named = not child.is_missing
            if named:
                ctype, name = declarator_type(child, base, scope)
                found.append(Member(name, ctype, None, given.aligned, given.packed))
        elif child.type == "bitfield_clause":
            width = expressions.constant(child.named_children[0], scope) if child.named_children else None
            member = found.pop() if named else Member(None, base, None, given.aligned, given.packed)
            found.append(member._replace(bits=width or 0))
            named = False
    if not found and isinstance(base, Record) and base.tag is None:
        found.append(Member(None, base, None, given.aligned, given.packed))
    return found


def _enum(node: Node, scope: Scope) -> CType:
    name = node.child_by_field_name("name")
    body = node.child_by_field_name("body")
    tag = node_text(name) if name is not None else None
    if body is None:
        return (scope.enum(tag) if tag is not None else None) or Enum(tag, (), UNSIGNED_INT)
    constants: list[tuple[str, int]] = []
    value = -1
    for enumerator in body.named_children:
        if enumerator.type != "enumerator":
            continue
        label = enumerator.child_by_field_name("name")
        given = enumerator.child_by_field_name("value")
        known = expressions.constant(given, scope) if given is not None else None
        value = value + 1 if known is None else known
        if label is not None:
            constants.append((node_text(label), value))
            scope.constants[node_text(label)] = value
    values = [v for _, v in constants]
    small = not values or (max(values) < 1 << 32 and min(values) >= -(1 << 31))
    negative = bool(values) and min(values) < 0
    underlying = (INT if negative else UNSIGNED_INT) if small else LONG if negative else UNSIGNED_LONG
    if attributes(node, scope).packed:
        underlying = _smallest(min(values, default=0), max(values, default=0))
    scope.wide_constants.update((label, underlying) for label, v in constants if not -(1 << 31) <= v < 1 << 31)
    result = Enum(tag, tuple(constants), underlying)
    if tag is not None:
        scope.tags[tag] = result
    return result


def _smallest(low: int, high: int) -> Integer:
    """The smallest integer type for a range, as gcc chooses for a packed enumeration."""
    types = (SIGNED_CHAR, SHORT, INT, LONG) if low < 0 else (UNSIGNED_CHAR, UNSIGNED_SHORT, UNSIGNED_INT, UNSIGNED_LONG)
    for ctype in types:
        bits = 8 * ctype.size - ctype.signed
        if high < 1 << bits and low >= -(1 << bits):
            return ctype
    return types[-1]
