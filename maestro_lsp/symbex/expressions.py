"""Compiling expressions: a function for each kind of node, given the compiler it works for.

What an expression does to the state (assignments, increments, calls) becomes instructions before it is used; what is left is a
closure that reads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..source import ctypes as T
from ..source.declarations import type_of
from ..source.expressions import constant as evaluate_constant
from ..source.expressions import named_type
from ..source.literals import character_value, string_bytes
from ..source.scope import Scope
from . import expr as X
from . import initialisers
from .code import CALL, Code
from .memory import Problem, size_of
from .quiet import has_effects, outcome_of, succeeds
from .state import State
from .syntax import child, unwrap
from .texts import COUNTS
from .values import (
    INT,
    Lvalue,
    Rvalue,
    arithmetic,
    as_stored,
    bits_of,
    check_width,
    constant,
    convert,
    is_aggregate,
    is_float,
    load,
    member,
    number,
    old_value,
    reader,
    setter,
    store,
    truth,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from .compile import Compiler, Label


def field(c: Compiler, n: Node) -> Lvalue:
    arg = child(n, "argument")
    name = c.unit.node_text(child(n, "field"))
    op = child(n, "operator")
    if (op is not None and op.type == "->") or (op is None and any(k.type == "->" for k in n.children)):
        v = c.value(arg)
        t = v.type.to if isinstance(v.type, T.Pointer) else None
        if not isinstance(t, T.Record):
            raise Problem("unsupported-construct", f"->{name} needs a pointer to a struct whose definition is known")
        return member(v.fn, t, name)
    place = c.place_of(arg)
    if not isinstance(place.type, T.Record) or place.address is None:
        raise Problem("unsupported-construct", f".{name} needs a struct whose definition is known")
    return member(place.address, place.type, name)


def named(c: Compiler, n: Node) -> Lvalue:
    name = c.unit.node_text(n)
    for names in reversed(c.names):
        got = names.get(name)
        if got is not None:
            return got
    link, unit = c.link, c.unit
    g = link.find_global(name, unit)
    if g is not None:
        t = link.global_type(g)
        return Lvalue(t, address=lambda st: st.engine.global_address(st, g))
    f = link.find_function(name, unit)
    if f is not None or link.is_library(name) or name in unit.declared:
        t = f.type if f is not None else unit.declared.get(name, T.Function(INT, (), True))
        return Lvalue(t, address=lambda st: st.engine.function_address(st, name, unit))
    raise Problem("missing-function" if n.parent and n.parent.type == "call_expression" else "unsupported-construct",
                  f"{name} is not declared in any file of this NF")  # fmt: skip


def e_identifier(c: Compiler, n: Node, used: bool) -> Rvalue:
    name = c.unit.node_text(n)
    for names in reversed(c.names):
        if name in names:
            return load(names[name])
    enumerator = c.scopes[-1].constant(name)
    if enumerator is not None:
        return constant(enumerator, c.scopes[-1].constant_type(name))
    if name in ("__func__", "__FUNCTION__", "__PRETTY_FUNCTION__"):
        data = c.code.name.encode() + b"\0"
        return Rvalue(lambda st: st.engine.text_address(st, "__func__", data), T.Pointer(T.CHAR))
    return load(named(c, n))


def e_number(c: Compiler, n: Node, used: bool) -> Rvalue:
    return number(c.unit.node_text(n))


def e_char(c: Compiler, n: Node, used: bool) -> Rvalue:
    return constant(character_value(c.unit.node_text(n)) & 0xFFFFFFFF, INT)


def string(c: Compiler, n: Node) -> bytes:
    out = b""
    for s in [n] if n.type == "string_literal" else n.named_children:
        if s.type == "string_literal":
            text = c.unit.node_text(s)
            if not text.startswith(('"', 'u8"')):
                raise Problem("unsupported-construct", f"{text} is a string of wide characters")
            out += string_bytes(text)
        elif s.type == "identifier":
            raise Problem("unsupported-construct", f"{c.unit.node_text(s)} is not a string")
    return out


def e_string(c: Compiler, n: Node, used: bool) -> Rvalue:
    data = string(c, n) + b"\0"
    name = f"{c.code.name}:{n.start_byte}"
    return Rvalue(lambda st: st.engine.text_address(st, name, data), T.Pointer(T.CHAR))


def e_true(c: Compiler, n: Node, used: bool) -> Rvalue:
    return constant(int(n.type == "true"), INT)


def e_null(c: Compiler, n: Node, used: bool) -> Rvalue:
    return constant(0, T.Pointer(T.VOID))


def e_parenthesized(c: Compiler, n: Node, used: bool) -> Rvalue:
    kids = [k for k in n.named_children if k.type != "comment"]
    if len(kids) == 1 and kids[0].type == "compound_statement":
        return statement_expression(c, kids[0])
    if not kids:
        raise Problem("unsupported-construct", "this is not valid C")
    return c.value(kids[0], used)


def statement_expression(c: Compiler, body: Node) -> Rvalue:
    c.names.append({})
    c.scopes.append(Scope(c.scopes[-1]))
    kids = [k for k in body.named_children if k.type != "comment"]
    result = constant(0, INT)
    for i, k in enumerate(kids):
        if i == len(kids) - 1 and k.type == "expression_statement" and k.named_children:
            result = c.temporary(c.value(k.named_children[0]))
        else:
            c.statement(k)
    c.scopes.pop()
    c.names.pop()
    return result


def e_comma(c: Compiler, n: Node, used: bool) -> Rvalue:
    c.value(child(n, "left"), used=False)
    return c.value(child(n, "right"), used)


def e_place(c: Compiler, n: Node, used: bool) -> Rvalue:
    return load(c.place_of(n))


def e_pointer(c: Compiler, n: Node, used: bool) -> Rvalue:
    arg = child(n, "argument")
    if c.unit.node_text(child(n, "operator")) == "*":
        v = c.value(arg)  # once: it may have effects
        if not isinstance(v.type, T.Pointer):
            raise Problem("unsupported-construct", "only pointers can be dereferenced")
        return v if isinstance(v.type.to, T.Function) else load(Lvalue(v.type.to, address=v.fn))
    inner = unwrap(arg)
    if inner.type == "pointer_expression" and c.unit.node_text(child(inner, "operator")) == "*":
        return c.value(child(inner, "argument"))
    place = c.place_of(inner)
    if place.address is None or place.bits is not None:
        raise Problem("unsupported-construct", "the address of this cannot be taken")
    return Rvalue(place.address, T.Pointer(place.type))


def e_unary(c: Compiler, n: Node, used: bool) -> Rvalue:
    op = c.unit.node_text(child(n, "operator"))
    arg = child(n, "argument")
    if op == "!":
        v = c.value(arg)
        t = truth(v)
        if v.const is not None:
            return constant(int(v.const == 0), INT)
        return Rvalue(lambda st: X.zext(X.not_(t(st), 1), 1, 32), INT)
    v = c.value(arg)
    if is_float(v.type):
        size, fn = size_of(v.type), v.fn
        if op == "-":
            return Rvalue(lambda st: X.xor(fn(st), 1 << (8 * size - 1), 8 * size), v.type)
        return v
    check_width(op, v, v)
    t2 = T.promote(v.type)
    v = convert(v, t2)
    w, fn = bits_of(t2), v.fn
    if op == "-":
        return constant(-v.const, t2) if v.const is not None else Rvalue(lambda st: X.neg(fn(st), w), t2)
    if op == "~":
        return constant(~v.const, t2) if v.const is not None else Rvalue(lambda st: X.not_(fn(st), w), t2)
    return v


def e_binary(c: Compiler, n: Node, used: bool) -> Rvalue:
    op = c.unit.node_text(child(n, "operator"))
    left, right = child(n, "left"), child(n, "right")
    if op in ("&&", "||"):
        return logical(c, op, left, right)
    cast = cast_in_disguise(c, op, left, right)
    if cast is not None:
        return cast
    a = c.value(left)
    b = c.value(right)
    return arithmetic(op, a, b)


def cast_in_disguise(c: Compiler, op: str, left: Node, right: Node) -> Rvalue | None:
    """`(type) -1`, `(type) *p`, `(type) &x`: the grammar takes them for binary operators."""
    if op not in ("-", "+", "*", "&") or left.type != "parenthesized_expression" or len(left.named_children) != 1:
        return None
    name = left.named_children[0]
    if name.type != "identifier":
        return None
    t = type_name(c, c.unit.node_text(name))
    if t is None:
        return None
    if op in ("+", "-"):
        v = c.value(right)
        if op == "-":
            v = arithmetic("-", constant(0, INT), v)
        return convert(v, t)
    if op == "*":
        v = c.value(right)
        if not isinstance(v.type, T.Pointer):
            raise Problem("unsupported-construct", "only pointers can be dereferenced")
        return convert(load(Lvalue(v.type.to, address=v.fn)), t)
    place = c.place_of(right)
    if place.address is None:
        raise Problem("unsupported-construct", "the address of this cannot be taken")
    return convert(Rvalue(place.address, T.Pointer(place.type)), t)


def type_name(c: Compiler, name: str) -> T.CType | None:
    if any(name in names for names in c.names):
        return None
    return c.scopes[-1].typedef(name)


def logical(c: Compiler, op: str, left: Node, right: Node) -> Rvalue:
    """&& and || as a value: jumps when an operand needs instructions, else a closure that decides as it goes."""
    mark = c.here()
    a = truth(c.value(left))
    middle = c.here()
    b = truth(c.value(right))
    if c.here() == middle:
        if op == "&&":
            return Rvalue(lambda st: X.zext(b(st), 1, 32) if st.decide(a(st)) else 0, INT)
        return Rvalue(lambda st: 1 if st.decide(a(st)) else X.zext(b(st), 1, 32), INT)
    del c.code.instructions[mark:]
    del c.code.nodes[mark:]
    r = c.part(INT)
    yes: Label = []
    no: Label = []
    end: Label = []
    mid: Label = []
    if op == "&&":
        c.condition(left, mid, no)
    else:
        c.condition(left, yes, mid)
    c.place(mid)
    c.condition(right, yes, no)
    c.place(yes)
    c.effect(setter(r, 1))
    c.jump(end)
    c.place(no)
    c.effect(setter(r, 0))
    c.place(end)
    return Rvalue(lambda st: st.regs[r], INT)


def e_conditional(c: Compiler, n: Node, used: bool) -> Rvalue:
    cond = child(n, "condition")
    yes_node, no_node = n.child_by_field_name("consequence"), child(n, "alternative")
    if yes_node is None:  # GNU a ?: b
        first = c.temporary(c.value(cond))
        yes_type = first.type
    else:
        first = None
        yes_type = decayed(c, c.type_of_expression(yes_node))
    no_type = decayed(c, c.type_of_expression(no_node))
    t = conditional_type(yes_type, no_type)
    r = c.part(t)
    yes: Label = []
    no: Label = []
    end: Label = []
    if first is not None:
        c.branch(truth(first), yes, no)
    else:
        c.condition(cond, yes, no)
    for label, node in ((yes, yes_node), (no, no_node)):
        c.place(label)
        v = first if node is None and first is not None else c.value(child(n, "consequence") if node is None else node)
        if not is_aggregate(t) and not isinstance(t, T.Void):
            v = convert(v, t)
        fn = v.fn

        def keep(st: State, fn: Any = fn) -> None:
            st.regs[r] = fn(st)

        c.effect(keep)
        if label is yes:
            c.jump(end)
    c.place(end)
    return Rvalue(lambda st: st.regs[r], t)


def decayed(c: Compiler, t: T.CType) -> T.CType:
    return T.Pointer(t.of) if isinstance(t, T.Array) else T.Pointer(t) if isinstance(t, T.Function) else t


def e_assignment(c: Compiler, n: Node, used: bool) -> Rvalue:
    op = c.unit.node_text(child(n, "operator"))
    left, right = child(n, "left"), child(n, "right")
    if op == "=":
        place = c.place_of(left)
        v = c.value(right)
    else:
        place = steady(c, c.place_of(left))
        v = arithmetic(op[:-1], old_value(place, op), c.value(right))
    v = as_stored(v, place)
    if used:
        v = c.temporary(v)
    c.effect(store(place, v.fn))
    return v


def steady(c: Compiler, place: Lvalue) -> Lvalue:
    """A place whose address is computed once."""
    if place.address is None:
        return place
    addr = c.temporary(Rvalue(place.address, T.Pointer(place.type)))
    return Lvalue(place.type, address=addr.fn, bits=place.bits)


def e_update(c: Compiler, n: Node, used: bool) -> Rvalue:
    place = steady(c, c.place_of(child(n, "argument")))
    op = "+" if c.unit.node_text(child(n, "operator")) == "++" else "-"
    prefix = n.children[0].type in ("++", "--")
    old = old_value(place, op)
    if used and not prefix:
        old = c.temporary(old)
    new = arithmetic(op, old, constant(1, INT))
    new = as_stored(new, place)
    if used and prefix:
        new = c.temporary(new)
    c.effect(store(place, new.fn))
    return new if prefix else old


def e_cast(c: Compiler, n: Node, used: bool) -> Rvalue:
    t = type_of(child(n, "type"), c.scopes[-1])
    return convert(c.value(child(n, "value"), used), t)


def compound_literal(c: Compiler, n: Node) -> Lvalue:
    t = type_of(child(n, "type"), c.scopes[-1])
    init = child(n, "value")
    if isinstance(t, T.Array) and t.length is None:
        t = initialisers.sized_array(c, t, init)
    r = c.register()
    if not c.at_file_scope:
        c._allocate_local(r, "literal", t)
        place = Lvalue(t, address=reader(r))
        initialisers.initialise(c, place, init)
        return place
    unit, scope = c.unit, c.scopes[-1]
    key = ("literal", unit.path, n.start_byte)

    def allocate(st: State) -> None:
        st.regs[r] = st.engine.static_address(st, key, "literal", t, init, unit, scope, n)

    c.effect(allocate)
    return Lvalue(t, address=reader(r))


def e_sizeof(c: Compiler, n: Node, used: bool) -> Rvalue:
    t_node, v_node = n.child_by_field_name("type"), n.child_by_field_name("value")
    alignment = n.type == "alignof_expression"
    if t_node is not None:
        name = c.unit.node_text(t_node).removesuffix(" const")  # which may be a typedef's name elsewhere
        if any(name in names for names in c.names):  # sizeof(x): the grammar cannot tell
            t = next(names[name] for names in reversed(c.names) if name in names).type
        else:
            t = type_of(t_node, c.scopes[-1])
            if isinstance(t, T.Record) and not t.is_complete and c.link.find_global(name, c.unit) is not None:
                t = c.link.global_type(c.link.find_global(name, c.unit))
    else:
        operand = unwrap(v_node if v_node is not None else child(n, "value"))
        base = operand
        while base.type == "subscript_expression":
            base = child(base, "argument")
        is_variable = any(c.unit.node_text(base) in names for names in c.names)
        t = (None if is_variable else named_type(operand, c.scopes[-1])) or c.type_of_expression(operand)
    size = T.alignof_(t) if alignment else size_of(t)
    if isinstance(t, T.Record) and t.missing is not None:
        return Rvalue(lambda st: _guessed(st, size, t), T.UNSIGNED_LONG)
    return constant(size, T.UNSIGNED_LONG)


def _guessed(st: State, size: int, t: T.Record) -> int:
    """The size of a record with a member that is not known: enough to allocate it, not to say where the next header begins."""
    if st.tracking:
        raise Problem(
            "unsupported-construct", f"the size of {t} is not known: one of its members' types is in no file of this NF"
        )
    return size


def e_offsetof(c: Compiler, n: Node, used: bool) -> Rvalue:
    v = evaluate_constant(n, c.scopes[-1])
    if v is None:
        raise Problem("unsupported-construct", "offsetof of an unknown member")
    return constant(v, T.UNSIGNED_LONG)


def e_extension(c: Compiler, n: Node, used: bool) -> Rvalue:
    return c.value(n.named_children[-1], used)


def e_asm(c: Compiler, n: Node, used: bool) -> Rvalue:
    raise Problem("unsupported-construct", "inline assembly cannot be executed")


def e_list(c: Compiler, n: Node, used: bool) -> Rvalue:
    raise Problem("unsupported-construct", "an initializer where a value is expected")


def e_call(c: Compiler, n: Node, used: bool) -> Rvalue:
    callee = child(n, "function")
    arg_nodes = [k for k in child(n, "arguments").named_children if k.type != "comment"]
    target = unwrap(callee)
    name = c.unit.node_text(target) if target.type == "identifier" else None
    if name is not None and callee.type == "parenthesized_expression" and len(arg_nodes) == 1:
        t = type_name(c, name)
        if t is not None:  # (type)(x): the grammar cannot tell
            return convert(c.value(arg_nodes[0]), t)
    if name is not None and not any(name in names for names in c.names):
        special = c.link.builtin(name)
        if special is not None:
            return special(c, n, arg_nodes)  # type: ignore[no-any-return]
        g = c.link.find_global(name, c.unit)
        if g is None:
            return direct_call(c, n, name, arg_nodes, used)
    v = c.value(callee)
    t2 = v.type
    while isinstance(t2, T.Pointer):
        t2 = t2.to
    ftype = t2 if isinstance(t2, T.Function) else T.Function(INT, (), True)
    args = arguments(c, arg_nodes, ftype)
    pointer, count = v.fn, len(args)
    return emit_call(c, lambda st: st.engine.function_at(st, pointer(st), count), args, ftype.result)


def direct_call(c: Compiler, n: Node, name: str, arg_nodes: list[Node], used: bool) -> Rvalue:
    link, unit = c.link, c.unit
    f = link.find_function(name, unit)
    ftype = f.type if f is not None else unit.declared.get(name)
    if not isinstance(ftype, T.Function):
        ftype = link.declared_type(name) or T.Function(INT, (), True)
    if link.is_quiet(name, f is not None, len(arg_nodes)):
        return quiet_call(c, name, arg_nodes, used, ftype.result)
    args = arguments(c, arg_nodes, ftype)
    count = len(args)
    return emit_call(c, lambda st: st.engine.target(name, unit, count), args, ftype.result)


def quiet_call(c: Compiler, name: str, arg_nodes: list[Node], used: bool, result: T.CType) -> Rvalue:
    """A call that touches nothing, such as one that prints: of its arguments only the side effects count."""
    given = []
    for a in arg_nodes:
        if "print" in name and COUNTS.search(c.unit.node_text(a).encode()):
            raise Problem("unsupported-construct", f"{name} stores how much it has printed (%n)")
        if has_effects(a):
            given.append(c.value(a, used=used))
            continue
        with contextlib.suppress(Problem):  # what it would print is not known, and does not matter
            given.append(c.value(a, used=used))
    if isinstance(result, (T.Void, T.Record)):
        return constant(0, INT)
    if not used:
        return constant(0, result)
    return emit_call(c, lambda st: outcome_of(name) if st.tracking else succeeds, given, result)


def arguments(c: Compiler, nodes: list[Node], ftype: T.Function) -> list[Rvalue]:
    out = []
    for i, a in enumerate(nodes):
        v = c.value(a)
        if i < len(ftype.params):
            p = ftype.params[i]
            if not is_aggregate(p) and not is_aggregate(v.type):
                v = convert(v, p)
        elif not is_aggregate(v.type):
            v = convert(v, T.DOUBLE if is_float(v.type) else T.promote(v.type))
        out.append(v)
    return out


def emit_call(c: Compiler, target: Callable[[State], Any], args: list[Rvalue], result: T.CType) -> Rvalue:
    r = c.part(result)
    nxt = c.here() + 1
    fns = tuple(a.fn for a in args)
    types = tuple(a.type for a in args)
    records = [i for i, t in enumerate(types) if isinstance(t, T.Record)]

    def run(st: State) -> int:
        callee = target(st)
        values = [f(st) for f in fns]
        if type(callee) is Code or isinstance(callee, Code):
            if records and records[-1] >= len(callee.params):
                raise Problem("unsupported-construct", "a structure is passed behind the parameters of a function")
            st.engine.push(st, callee, values, r, nxt)
            return CALL
        v = callee(st, values, types, result)
        st.regs[r] = v
        return nxt

    c.emit(run)
    return Rvalue(lambda st: st.regs[r], result)


def conditional_type(a: T.CType, b: T.CType) -> T.CType:
    if is_aggregate(a) or isinstance(a, T.Void):
        return a
    if isinstance(a, T.Pointer):
        return b if isinstance(b, T.Pointer) and isinstance(a.to, T.Void) and not isinstance(b.to, T.Void) else a
    if isinstance(b, T.Pointer):
        return b
    return T.common_type(a, b)


EXPRESSIONS: dict[str, Callable[[Compiler, Any, bool], Rvalue]] = {
    "identifier": e_identifier,
    "number_literal": e_number,
    "char_literal": e_char,
    "string_literal": e_string,
    "concatenated_string": e_string,
    "true": e_true,
    "false": e_true,
    "null": e_null,
    "parenthesized_expression": e_parenthesized,
    "comma_expression": e_comma,
    "subscript_expression": e_place,
    "field_expression": e_place,
    "compound_literal_expression": e_place,
    "pointer_expression": e_pointer,
    "unary_expression": e_unary,
    "binary_expression": e_binary,
    "conditional_expression": e_conditional,
    "assignment_expression": e_assignment,
    "update_expression": e_update,
    "cast_expression": e_cast,
    "sizeof_expression": e_sizeof,
    "alignof_expression": e_sizeof,
    "offsetof_expression": e_offsetof,
    "extension_expression": e_extension,
    "gnu_asm_expression": e_asm,
    "initializer_list": e_list,
    "call_expression": e_call,
}
