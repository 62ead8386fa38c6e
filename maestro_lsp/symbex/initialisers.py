"""Compiling initialisers: lists with and without braces and designators, strings, single values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..source import ctypes as T
from ..source.initialisers import behind_one, initialized_members, without_braces
from . import expressions
from .memory import Problem, modelled, size_of
from .syntax import child
from .values import Lvalue, convert, element, field_place, is_aggregate, member, store

if TYPE_CHECKING:
    from tree_sitter import Node

    from .compile import Compiler


MAX_RANGE = 1 << 16  # elements of one range designator


def sized_array(c: Compiler, t: T.Array, init: Node | None) -> T.Array:
    if init is not None and init.type == "initializer_list":
        return T.Array(t.of, list_length(c, t, init))
    if init is not None and init.type in ("string_literal", "concatenated_string"):
        return T.Array(t.of, len(expressions.string(c, init)) + 1)
    raise Problem("unsupported-construct", "an array without a size")


def list_length(c: Compiler, t: T.Array, init: Node) -> int:
    length = index = at = 0
    items = [item for item in init.named_children if item.type != "comment"]
    while at < len(items):
        item = items[at]
        if item.type == "initializer_pair":
            d = item.child_by_field_name("designator")
            if d is not None and d.type.startswith("subscript"):
                index = subscripts(c, d)[-1]
            at += 1
        else:
            at = behind_one(t.of, items, at, c.type_of_expression)
        index += 1
        length = max(length, index)
    return length


def initialise(c: Compiler, place: Lvalue, init: Node) -> None:
    t = place.type
    if init.type == "initializer_list" and is_aggregate(t):
        assert place.address is not None
        zero(c, place.address, size_of(t))
        fill(c, place.address, t, init)
        return
    if init.type == "initializer_list":
        kids = [k for k in init.named_children if k.type != "comment"]
        if not kids:
            c.effect(store(place, lambda st: 0))
            return
        init = kids[0]
    if isinstance(t, T.Array) and init.type in ("string_literal", "concatenated_string"):
        data = (expressions.string(c, init) + b"\0")[: t.length or 0]
        assert place.address is not None
        zero(c, place.address, size_of(t))
        addr = place.address
        c.effect(lambda st: st.store_bytes(addr(st), data, len(data)))
        return
    v = c.value(init)
    if not is_aggregate(t):
        v = convert(v, t)
    c.effect(store(place, v.fn))


def zero(c: Compiler, address: Any, size: int) -> None:
    data = bytes(modelled(size, "what is initialised"))
    c.effect(lambda st: st.store_bytes(address(st), data, size))


def fill(c: Compiler, address: Any, t: T.CType, init: Node) -> None:
    """Store an initializer list's items; the object is already zero."""
    items = [k for k in init.named_children if k.type != "comment"]
    fill_items(c, address, t, items, 0, nested=False)


def fill_items(c: Compiler, address: Any, t: T.CType, items: list[Node], at: int, nested: bool) -> int:
    """Consume items from `at` for an aggregate (braces may be left out inside); returns the next item. nested: it has no braces
    of its own, so that what it has no room for is another's."""
    if isinstance(t, T.Array):
        index = 0
        while at < len(items):
            if nested and index >= (t.length or 0):
                break
            item = items[at]
            value = item
            if item.type == "initializer_pair":
                if nested and index:
                    break
                designators = [k for k in item.children if k.type.endswith("_designator")]
                value = child(item, "value")
                for i in subscripts(c, designators[0]) if designators else ():
                    place = designated(c, element(address, t, i).address, t.of, designators[1:])
                    initialise(c, place, value)
                    index = i
                at += 1
            else:
                place = element(address, t, index)
                at = fill_one(c, place, items, at, value)
            index += 1
        return at
    assert isinstance(t, T.Record)
    fields = initialized_members(t)
    position = 0
    while at < len(items):
        item = items[at]
        if item.type == "initializer_pair":
            if nested and position:
                break
            designators = [k for k in item.children if k.type.endswith("_designator")]
            if designators and designators[0].type == "field_designator":
                name = c.unit.node_text(designators[0].named_children[0])
                position = next(
                    (i for i, f in enumerate(fields) if f.name == name or (not f.name and has_member(f.type, name))), 0
                )
            initialise(c, designated(c, address, t, designators), child(item, "value"))
            at += 1
        else:
            if position >= len(fields):
                break
            f = fields[position]
            place = field_place(address, f)
            at = fill_one(c, place, items, at, item)
        position += 1
        if t.kind == "union" and nested:
            break
    return at


def fill_one(c: Compiler, place: Lvalue, items: list[Node], at: int, value: Node) -> int:
    t = place.type
    if is_aggregate(t) and without_braces(value, c.type_of_expression):
        return max(fill_items(c, place.address, t, items, at, nested=True), at + 1)
    initialise(c, place, value)
    return at + 1


def designated(c: Compiler, address: Any, t: T.CType, designators: list[Node]) -> Lvalue:
    place = Lvalue(t, address=address)
    for d in designators:
        assert place.address is not None
        if d.type == "field_designator" and isinstance(place.type, T.Record):
            place = member(place.address, place.type, c.unit.node_text(d.named_children[0]))
        elif d.type == "subscript_designator" and isinstance(place.type, T.Array):
            place = element(place.address, place.type, c._constant(d.named_children[0]))
        else:
            raise Problem("unsupported-construct", "this designator does not fit the type")
    return place


def subscripts(c: Compiler, designator: Node) -> range:
    """The elements that `[i]` or GNU C's `[first ... last]` means."""
    if designator.type == "subscript_designator":
        first = c._constant(designator.named_children[0])
        return range(first, first + 1)
    if designator.type == "subscript_range_designator":
        first, last = c._constant(child(designator, "start")), c._constant(child(designator, "end"))
        if first <= last < first + MAX_RANGE:
            return range(first, last + 1)
    raise Problem("unsupported-construct", "this designator does not fit the type")


def has_member(t: T.CType, name: str) -> bool:
    return isinstance(t, T.Record) and t.find(name) is not None
