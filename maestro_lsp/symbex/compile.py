"""Compiling C functions to instruction lists.

`compile_function` walks a function's syntax once. Scalars whose address is never taken live in registers, everything else in
memory. Calls, assignments and jumps become instructions; see code.py for what an instruction is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..source import ctypes as T
from ..source.declarations import declare, type_of
from ..source.expressions import constant as evaluate_constant
from ..source.scope import Scope
from . import expr as X
from .code import CALL, RETURN, Code
from .compile_expr import (
    INT,
    Lvalue,
    Rvalue,
    arithmetic,
    bits_of,
    constant,
    convert,
    is_aggregate,
    is_float,
    load,
    member,
    number,
    store,
    text_object,
    truth,
    unescape,
)
from .memory import ObjectInfo, Problem, size_of
from .state import State

if TYPE_CHECKING:
    from tree_sitter import Node

    from ..source.unit import FunctionDef, Unit

LOOP_LIMIT = 70_000  # iterations of one loop in one activation: more than any table that start-up code fills
FORKING_LOOP_LIMIT = 64  # iterations of one loop that each needed a decision
UNINITIALISED = "uninitialised"

Label = list[int]  # the instruction a jump goes to, filled in when it is known


class Compiler:
    """Compiles one function of one unit."""

    def __init__(self, definition: FunctionDef, unit: Unit, link: Any) -> None:
        self.unit = unit
        self.link = link  # the engine: resolves names to functions and globals
        self.code = Code(definition, unit)
        self.node = definition.body
        self.names: list[dict[str, Lvalue]] = [{}]
        self.scopes: list[Scope] = [Scope(unit.scope)]
        self.breaks: list[Label] = []
        self.continues: list[Label] = []
        self.labels: dict[str, Label] = {}
        self.cases: list[list[tuple[Any, Label]]] = []
        self.in_memory = _addressed(definition.body, unit)
        self.result_type = definition.type.result

    # -------------------------------------------------------------------------------------------------------- plumbing

    def emit(self, instruction: Callable[[State], int]) -> None:
        self.code.instructions.append(instruction)
        self.code.nodes.append(self.node)

    def here(self) -> int:
        return len(self.code.instructions)

    def register(self) -> int:
        r = self.code.registers
        self.code.registers = r + 1
        return r

    def effect(self, action: Callable[[State], None]) -> None:
        """Emit an instruction that does something and goes on."""
        nxt = self.here() + 1

        def run(st: State) -> int:
            action(st)
            return nxt

        self.emit(run)

    def jump(self, label: Label) -> None:
        self.emit(lambda st: label[0])

    def branch(self, condition: Callable[[State], Any], yes: Label, no: Label) -> None:
        def run(st: State) -> int:
            c = condition(st)
            if isinstance(c, int):
                return yes[0] if c else no[0]
            return yes[0] if st.decide(c) else no[0]

        self.emit(run)

    def place(self, label: Label) -> None:
        label[:] = [self.here()]

    def temporary(self, v: Rvalue) -> Rvalue:
        """Evaluate now, keep in a register."""
        if v.const is not None:
            return v
        r, fn = self.register(), v.fn

        def run(st: State) -> None:
            st.regs[r] = fn(st)

        self.effect(run)
        return Rvalue(lambda st: st.regs[r], v.type)

    # -------------------------------------------------------------------------------------------------------- function

    def run(self) -> Code:
        d = self.code.definition
        for name, t in d.params:
            if isinstance(t, (T.Array, T.Function)):
                t = T.Pointer(t.of if isinstance(t, T.Array) else t)
            r = self.register()
            in_memory = name in self.in_memory or isinstance(t, T.Record)
            self.code.params.append((in_memory, r, size_of(t), ObjectInfo("local", name or "parameter", t)))
            if name:
                if in_memory:
                    self.names[-1][name] = Lvalue(t, address=_reader(r))
                else:
                    self.names[-1][name] = Lvalue(t, register=r)
        if isinstance(self.result_type, T.Record):
            self.code.result_size = size_of(self.result_type)
        self.statement(d.body)
        self.node = d.body
        self._return(None)
        for name, label in self.labels.items():
            if not label:
                raise Problem("unsupported-construct", f"goto to a label that does not exist: {name}")
        return self.code

    def _return(self, v: Rvalue | None) -> None:
        size = self.code.result_size
        fn = v.fn if v is not None else None
        result_type = self.result_type

        def run(st: State) -> int:
            value: Any = fn(st) if fn is not None else 0
            if size and fn is not None:
                data = st.load_bytes(value, size)
                value = st.allocate(ObjectInfo("local", "result", result_type), list(data))
            frame = st.frames.pop()
            if not st.frames:
                st.result = value
                st.finished = True
            else:
                st.regs = st.frames[-1].regs
                if frame.result >= 0:
                    st.regs[frame.result] = value
            return RETURN

        self.emit(run)

    # ------------------------------------------------------------------------------------------------------ statements

    def statement(self, n: Node) -> None:
        outer, self.node = self.node, n
        try:
            handler = _STATEMENTS.get(n.type)
            if handler is not None:
                handler(self, n)
            elif n.type in _NO_STATEMENT:
                pass
            elif n.is_named:
                self.value(n, used=False)
        except Problem as p:
            self._unsupported(p)
        except RecursionError:
            self._unsupported(Problem("unsupported-construct", "this is nested too deeply"))
        finally:
            self.node = outer

    def _unsupported(self, p: Problem) -> None:
        def run(st: State) -> int:
            raise Problem(p.code, p.message)

        self.emit(run)

    def s_compound(self, n: Node) -> None:
        self.names.append({})
        self.scopes.append(Scope(self.scopes[-1]))
        for c in n.named_children:
            self.statement(c)
        self.scopes.pop()
        self.names.pop()

    def s_expression(self, n: Node) -> None:
        for c in n.named_children:
            if c.type != "comment":
                self.value(c, used=False)

    def s_if(self, n: Node) -> None:
        yes: Label = []
        no: Label = []
        end: Label = []
        cond = child(n, "condition")
        alternative = n.child_by_field_name("alternative")
        self.condition(cond, yes, no)
        self.place(yes)
        self.statement(child(n, "consequence"))
        if alternative is not None:
            self.jump(end)
            self.place(no)
            for c in alternative.named_children if alternative.type == "else_clause" else [alternative]:
                self.statement(c)
            self.place(end)
        else:
            self.place(no)

    def _loop_head(self) -> Label:
        """A loop's entry: counts iterations so that none goes on for ever."""
        key = (id(self.code), self.here())
        nxt = self.here() + 1
        link = self.link

        def run(st: State) -> int:
            k = (key, len(st.frames))
            link.tick()
            count, decided, known_then = st.loops.get(k, (0, 0, -1))
            conditions = len(st.conditions)
            if known_then not in (conditions, -1):
                decided += 1
            count += 1
            if decided > FORKING_LOOP_LIMIT or count > LOOP_LIMIT:
                raise Problem(
                    "loop-limit",
                    f"this loop has no bound that the analysis can see (gave up after {count - 1} iterations)",
                )
            st.loops[k] = (count, decided, conditions)
            return nxt

        self.emit(run)
        return [self.here() - 1]

    def _loop_entry(self) -> None:
        """Before a loop: its count starts again."""
        key = (id(self.code), self.here() + 1)
        nxt = self.here() + 1

        def run(st: State) -> int:
            st.loops.pop((key, len(st.frames)), None)
            return nxt

        self.emit(run)

    def s_while(self, n: Node) -> None:
        body: Label = []
        end: Label = []
        self._loop_entry()
        head = self._loop_head()
        self.condition(child(n, "condition"), body, end)
        self.place(body)
        self._loop_body(child(n, "body"), end, head)
        self.jump(head)
        self.place(end)

    def s_do(self, n: Node) -> None:
        end: Label = []
        test: Label = []
        self._loop_entry()
        head = self._loop_head()
        self._loop_body(child(n, "body"), end, test)
        self.place(test)
        self.condition(child(n, "condition"), head, end)
        self.place(end)

    def s_for(self, n: Node) -> None:
        self.names.append({})
        self.scopes.append(Scope(self.scopes[-1]))
        init = n.child_by_field_name("initializer")
        if init is not None:
            if init.type == "declaration":
                self.statement(init)
            else:
                self.value(init, used=False)
        body: Label = []
        end: Label = []
        step: Label = []
        self._loop_entry()
        head = self._loop_head()
        cond = n.child_by_field_name("condition")
        if cond is not None:
            self.condition(cond, body, end)
        self.place(body)
        self._loop_body(child(n, "body"), end, step)
        self.place(step)
        update = n.child_by_field_name("update")
        if update is not None:
            self.value(update, used=False)
        self.jump(head)
        self.place(end)
        self.scopes.pop()
        self.names.pop()

    def _loop_body(self, body: Node, end: Label, again: Label) -> None:
        self.breaks.append(end)
        self.continues.append(again)
        self.statement(body)
        self.breaks.pop()
        self.continues.pop()

    def s_break(self, n: Node) -> None:
        if not self.breaks:
            raise Problem("unsupported-construct", "break outside a loop or switch")
        self.jump(self.breaks[-1])

    def s_continue(self, n: Node) -> None:
        if not self.continues:
            raise Problem("unsupported-construct", "continue outside a loop")
        self.jump(self.continues[-1])

    def s_return(self, n: Node) -> None:
        kids = [c for c in n.named_children if c.type != "comment"]
        if not kids:
            self._return(None)
            return
        v = self.value(kids[0])
        if not isinstance(self.result_type, (T.Record, T.Void)):
            v = convert(v, self.result_type)
        self._return(v)

    def s_switch(self, n: Node) -> None:
        v = convert(self.temporary(self.value(_unwrap(child(n, "condition")))), T.LONG)
        v = self.temporary(v)
        end: Label = []
        start: Label = []
        self.jump(start)
        self.cases.append([])
        self.breaks.append(end)
        self.statement(child(n, "body"))
        self.breaks.pop()
        self.jump(end)
        self.place(start)
        default = end
        fn = v.fn
        for value, label in self.cases.pop():
            if value is None:
                default = label
                continue
            nxt: Label = []
            low, high = value
            mask = (1 << 64) - 1
            if low == high:
                self.branch(lambda st, c=low & mask: X.eq(fn(st), c, 64), label, nxt)  # type: ignore[misc]
            else:
                self.branch(
                    lambda st, a=low & mask, b=high & mask: X.and_(X.sle(a, fn(st), 64), X.sle(fn(st), b, 64), 1),  # type: ignore[misc]
                    label,
                    nxt,
                )
            self.place(nxt)
        self.jump(default)
        self.place(end)

    def s_case(self, n: Node) -> None:
        label: Label = []
        self.place(label)
        if not self.cases:
            raise Problem("unsupported-construct", "case outside a switch")
        kids = list(n.children)
        value = n.child_by_field_name("value")
        if value is None:
            self.cases[-1].append((None, label))
        else:
            low = self._constant(value)
            high = low
            if any(k.type == "..." for k in kids):
                others = [k for k in n.named_children if k.id != value.id]
                high = self._constant(others[0])
            self.cases[-1].append(((low, high), label))
        colon = next((i for i, k in enumerate(kids) if k.type == ":"), 0)
        for c in kids[colon + 1 :]:
            if c.is_named:
                self.statement(c)

    def _constant(self, n: Node) -> int:
        v = evaluate_constant(n, self.scopes[-1])
        if v is None:
            raise Problem("unsupported-construct", "a case label that is not a constant")
        return v

    def s_goto(self, n: Node) -> None:
        self.jump(self.labels.setdefault(self.unit.node_text(child(n, "label")), []))

    def s_labeled(self, n: Node) -> None:
        label = child(n, "label")
        self.place(self.labels.setdefault(self.unit.node_text(label), []))
        for c in n.named_children:
            if c.id != label.id:
                self.statement(c)

    def s_inner(self, n: Node) -> None:
        for c in n.named_children:
            if c.type not in ("attribute_declaration", "attribute_specifier"):
                self.statement(c)

    def s_declaration(self, n: Node) -> None:
        for d in declare(n, self.scopes[-1]):
            t = d.type
            if d.storage in ("typedef", "extern") or isinstance(t, T.Function):
                continue
            if d.storage == "static":
                self.names[-1][d.name] = self._static(d)
                continue
            if isinstance(t, T.Array) and t.length is None:
                t = self._sized_array(t, d.init)
            in_memory = d.name in self.in_memory or is_aggregate(t)
            r = self.register()
            place = Lvalue(t, address=_reader(r)) if in_memory else Lvalue(t, register=r)
            if in_memory:
                self._allocate_local(r, d.name, t)
            else:
                self._poison(r, d.name, t)
            self.names[-1][d.name] = place
            if d.init is not None:
                self.initialise(place, d.init)

    def _sized_array(self, t: T.Array, init: Node | None) -> T.Array:
        if init is not None and init.type == "initializer_list":
            return T.Array(t.of, self._list_length(t, init))
        if init is not None and init.type in ("string_literal", "concatenated_string"):
            return T.Array(t.of, len(self._string(init)) + 1)
        raise Problem("unsupported-construct", "an array without a size")

    def _list_length(self, t: T.Array, init: Node) -> int:
        length = at = 0
        for item in init.named_children:
            if item.type == "comment":
                continue
            if item.type == "initializer_pair":
                d = item.child_by_field_name("designator")
                if d is not None and d.type == "subscript_designator":
                    at = self._constant(d.named_children[0])
            at += 1
            length = max(length, at)
        return length

    def _allocate_local(self, r: int, name: str, t: T.CType) -> None:
        size = size_of(t)
        info = ObjectInfo("local", name, t)

        def run(st: State) -> None:
            fill = X.sym(f"{UNINITIALISED} {name}#{st.next_id}", 8)
            st.regs[r] = st.allocate(info, [fill] * size)

        self.effect(run)

    def _poison(self, r: int, name: str, t: T.CType) -> None:
        w = bits_of(t)
        undefined = X.sym(f"{UNINITIALISED} {name}", w)

        def run(st: State) -> None:
            st.regs[r] = undefined

        self.effect(run)

    def _static(self, d: Any) -> Lvalue:
        link, code, unit, scope = self.link, self.code, self.unit, self.scopes[-1]
        name, t, init = d.name, d.type, d.init
        if isinstance(t, T.Array) and t.length is None:
            t = self._sized_array(t, init)

        def address(st: State) -> Any:
            return link.static_address(
                st, (unit.path, code.name, name, d.node.start_byte), name, t, init, unit, scope, d.node
            )

        return Lvalue(t, address=address)

    # -------------------------------------------------------------------------------------------------- initialisers

    def initialise(self, place: Lvalue, init: Node) -> None:
        t = place.type
        if init.type == "initializer_list" and is_aggregate(t):
            assert place.address is not None
            self.zero(place.address, size_of(t))
            self.fill(place.address, t, init)
            return
        if init.type == "initializer_list":
            kids = [c for c in init.named_children if c.type != "comment"]
            if not kids:
                self.effect(store(place, lambda st: 0))
                return
            init = kids[0]
        if isinstance(t, T.Array) and init.type in ("string_literal", "concatenated_string"):
            data = (self._string(init) + b"\0")[: t.length or 0]
            assert place.address is not None
            self.zero(place.address, size_of(t))
            addr = place.address
            self.effect(lambda st: st.store_bytes(addr(st), data, len(data)))
            return
        v = self.value(init)
        if not is_aggregate(t):
            v = convert(v, t)
        self.effect(store(place, v.fn))

    def zero(self, address: Any, size: int) -> None:
        data = bytes(size)
        self.effect(lambda st: st.store_bytes(address(st), data, size))

    def fill(self, address: Any, t: T.CType, init: Node) -> None:
        """Store an initializer list's items; the object is already zero."""
        items = [c for c in init.named_children if c.type != "comment"]
        self._fill_items(address, t, items, 0)

    def _fill_items(self, address: Any, t: T.CType, items: list[Node], at: int) -> int:
        """Consume items from `at` for an aggregate (braces may be left out inside); returns the next item."""
        if isinstance(t, T.Array):
            index = 0
            nested = at > 0
            while at < len(items):
                if nested and index >= (t.length or 0):
                    break
                item = items[at]
                value = item
                if item.type == "initializer_pair":
                    if nested and index:
                        break
                    designators = [c for c in item.children if c.type.endswith("_designator")]
                    if designators and designators[0].type == "subscript_designator":
                        index = self._constant(designators[0].named_children[0])
                    value = child(item, "value")
                    place = self._designated(address, t, designators)
                    self.initialise(place, value)
                    at += 1
                else:
                    place = _element(address, t, index)
                    at = self._fill_one(place, items, at, value)
                index += 1
            return at
        assert isinstance(t, T.Record)
        fields = [f for f in t.fields if f.name or isinstance(f.type, T.Record)]
        position = 0
        nested = at > 0
        while at < len(items):
            item = items[at]
            if item.type == "initializer_pair":
                if nested and position:
                    break
                designators = [c for c in item.children if c.type.endswith("_designator")]
                if designators and designators[0].type == "field_designator":
                    name = self.unit.node_text(designators[0].named_children[0])
                    position = next(
                        (i for i, f in enumerate(fields) if f.name == name or (not f.name and _has(f.type, name))), 0
                    )
                self.initialise(self._designated(address, t, designators), child(item, "value"))
                at += 1
            else:
                if position >= len(fields):
                    break
                f = fields[position]
                place = _field(address, f)
                at = self._fill_one(place, items, at, item)
            position += 1
            if t.kind == "union" and nested:
                break
        return at

    def _fill_one(self, place: Lvalue, items: list[Node], at: int, value: Node) -> int:
        t = place.type
        if is_aggregate(t) and value.type not in ("initializer_list", "string_literal", "concatenated_string"):
            v = None if value.type in ("number_literal", "char_literal") else self._try_record(value)
            if v is None:
                return max(self._fill_items(place.address, t, items, at), at + 1)
            self.effect(store(place, v.fn))
            return at + 1
        self.initialise(place, value)
        return at + 1

    def _try_record(self, n: Node) -> Rvalue | None:
        t = self.type_of_expression(n)
        return self.value(n) if isinstance(t, T.Record) else None

    def _designated(self, address: Any, t: T.CType, designators: list[Node]) -> Lvalue:
        place = Lvalue(t, address=address)
        for d in designators:
            assert place.address is not None
            if d.type == "field_designator" and isinstance(place.type, T.Record):
                place = member(place.address, place.type, self.unit.node_text(d.named_children[0]))
            elif d.type == "subscript_designator" and isinstance(place.type, T.Array):
                place = _element(place.address, place.type, self._constant(d.named_children[0]))
            else:
                raise Problem("unsupported-construct", "this designator does not fit the type")
        return place

    # ------------------------------------------------------------------------------------------------------ conditions

    def condition(self, n: Node, yes: Label, no: Label) -> None:
        """Jump to one of two labels; && || and ! become jumps, so that each test is a decision of its own."""
        n = _unwrap(n)
        outer, self.node = self.node, n
        if n.type == "binary_expression":
            op = self.unit.node_text(child(n, "operator"))
            if op in ("&&", "||"):
                mid: Label = []
                left, right = child(n, "left"), child(n, "right")
                if op == "&&":
                    self.condition(left, mid, no)
                else:
                    self.condition(left, yes, mid)
                self.place(mid)
                self.condition(right, yes, no)
                self.node = outer
                return
        elif n.type == "unary_expression" and self.unit.node_text(child(n, "operator")) == "!":
            self.condition(child(n, "argument"), no, yes)
            self.node = outer
            return
        v = self.value(n)
        self.branch(truth(v), yes, no)
        self.node = outer

    # ----------------------------------------------------------------------------------------------------- expressions

    def type_of_expression(self, n: Node) -> T.CType:
        """The type of an expression without keeping its code."""
        mark, marked_nodes = len(self.code.instructions), len(self.code.nodes)
        try:
            n = _unwrap(n)
            if n.type == "string_literal":
                return T.Array(T.CHAR, len(self._string(n)) + 1)
            is_constant = n.type == "identifier" and self.scopes[-1].constant(self.unit.node_text(n)) is not None
            if n.type in _PLACES and not is_constant:
                return self.place_of(n).type
            return self.value(n).type
        finally:
            del self.code.instructions[mark:]
            del self.code.nodes[marked_nodes:]

    def value(self, n: Node, used: bool = True) -> Rvalue:
        """Compile an expression for its value; arrays decay to pointers, functions to their address."""
        handler = _EXPRESSIONS.get(n.type)
        if handler is None:
            if n.type in ("ERROR",) or n.is_missing:
                raise Problem("unsupported-construct", "this is not valid C")
            raise Problem("unsupported-construct", f"cannot execute this ({n.type.replace('_', ' ')})")
        outer, self.node = self.node, n
        try:
            return handler(self, n, used)
        finally:
            self.node = outer

    def place_of(self, n: Node) -> Lvalue:
        """Compile an expression for the place it names."""
        n = _unwrap(n)
        kind = n.type
        if kind == "identifier":
            return self._named(n)
        if kind == "pointer_expression":
            v = self.value(child(n, "argument"))
            if not isinstance(v.type, T.Pointer):
                raise Problem("unsupported-construct", "only pointers can be dereferenced")
            return Lvalue(v.type.to, address=v.fn)
        if kind == "subscript_expression":
            base = self.value(child(n, "argument"))
            index = self.value(child(n, "index"))
            v = arithmetic("+", base, index)
            if not isinstance(v.type, T.Pointer):
                raise Problem("unsupported-construct", "only arrays and pointers can be indexed")
            return Lvalue(v.type.to, address=v.fn)
        if kind == "field_expression":
            return self._field(n)
        if kind == "compound_literal_expression":
            return self._compound_literal(n)
        if kind in ("string_literal", "concatenated_string"):
            v = self.value(n)
            return Lvalue(T.Array(T.CHAR, len(self._string(n)) + 1), address=v.fn)
        if kind == "cast_expression":
            v = self.value(n)
            if isinstance(v.type, T.Record):
                return Lvalue(v.type, address=v.fn)
        v = self.value(n)
        if isinstance(v.type, T.Record):
            return Lvalue(v.type, address=self.temporary(v).fn)
        raise Problem("unsupported-construct", "this cannot be assigned to")

    def _field(self, n: Node) -> Lvalue:
        arg = child(n, "argument")
        name = self.unit.node_text(child(n, "field"))
        op = child(n, "operator")
        if (op is not None and op.type == "->") or (op is None and any(c.type == "->" for c in n.children)):
            v = self.value(arg)
            t = v.type.to if isinstance(v.type, T.Pointer) else None
            if not isinstance(t, T.Record):
                raise Problem(
                    "unsupported-construct", f"->{name} needs a pointer to a struct whose definition is known"
                )
            return member(v.fn, t, name)
        place = self.place_of(arg)
        if not isinstance(place.type, T.Record) or place.address is None:
            raise Problem("unsupported-construct", f".{name} needs a struct whose definition is known")
        return member(place.address, place.type, name)

    def _named(self, n: Node) -> Lvalue:
        name = self.unit.node_text(n)
        for names in reversed(self.names):
            got = names.get(name)
            if got is not None:
                return got
        link, unit = self.link, self.unit
        g = link.find_global(name, unit)
        if g is not None:
            t = link.global_type(g)
            return Lvalue(t, address=lambda st: link.global_address(st, g))
        f = link.find_function(name, unit)
        if f is not None or link.is_library(name) or name in unit.declared:
            t = f.type if f is not None else unit.declared.get(name, T.Function(INT, (), True))
            return Lvalue(t, address=lambda st: link.function_address(st, name, unit))
        raise Problem("missing-function" if n.parent and n.parent.type == "call_expression" else "unsupported-construct",
                      f"{name} is not declared in any file of this NF")  # fmt: skip

    def e_identifier(self, n: Node, used: bool) -> Rvalue:
        name = self.unit.node_text(n)
        for names in reversed(self.names):
            if name in names:
                return load(names[name])
        c = self.scopes[-1].constant(name)
        if c is not None:
            return constant(c, INT)
        if name in ("__func__", "__FUNCTION__", "__PRETTY_FUNCTION__"):
            data = self.code.name.encode() + b"\0"
            return Rvalue(lambda st: text_object(st, data, "__func__"), T.Pointer(T.CHAR))
        return load(self._named(n))

    def e_number(self, n: Node, used: bool) -> Rvalue:
        return number(self.unit.node_text(n))

    def e_char(self, n: Node, used: bool) -> Rvalue:
        text = self.unit.node_text(n)
        data = unescape(text[text.index("'") + 1 : -1])
        return constant(X.sext(data[0] if data else 0, 8, 32), INT)  # type: ignore[arg-type]

    def _string(self, n: Node) -> bytes:
        out = b""
        for s in [n] if n.type == "string_literal" else n.named_children:
            if s.type == "string_literal":
                text = self.unit.node_text(s)
                out += unescape(text[text.index('"') + 1 : -1])
            elif s.type == "identifier":
                raise Problem("unsupported-construct", f"{self.unit.node_text(s)} is not a string")
        return out

    def e_string(self, n: Node, used: bool) -> Rvalue:
        data = self._string(n) + b"\0"
        name = f"{self.code.name}:{n.start_byte}"
        return Rvalue(lambda st: text_object(st, data, name), T.Pointer(T.CHAR))

    def e_true(self, n: Node, used: bool) -> Rvalue:
        return constant(int(n.type == "true"), INT)

    def e_null(self, n: Node, used: bool) -> Rvalue:
        return constant(0, T.Pointer(T.VOID))

    def e_parenthesized(self, n: Node, used: bool) -> Rvalue:
        kids = [c for c in n.named_children if c.type != "comment"]
        if len(kids) == 1 and kids[0].type == "compound_statement":
            return self._statement_expression(kids[0])
        if not kids:
            raise Problem("unsupported-construct", "this is not valid C")
        return self.value(kids[0], used)

    def _statement_expression(self, body: Node) -> Rvalue:
        self.names.append({})
        self.scopes.append(Scope(self.scopes[-1]))
        kids = [c for c in body.named_children if c.type != "comment"]
        result = constant(0, INT)
        for i, c in enumerate(kids):
            if i == len(kids) - 1 and c.type == "expression_statement" and c.named_children:
                result = self.temporary(self.value(c.named_children[0]))
            else:
                self.statement(c)
        self.scopes.pop()
        self.names.pop()
        return result

    def e_comma(self, n: Node, used: bool) -> Rvalue:
        self.value(child(n, "left"), used=False)
        return self.value(child(n, "right"), used)

    def e_place(self, n: Node, used: bool) -> Rvalue:
        return load(self.place_of(n))

    def e_pointer(self, n: Node, used: bool) -> Rvalue:
        arg = child(n, "argument")
        if self.unit.node_text(child(n, "operator")) == "*":
            v = self.value(arg)
            if isinstance(v.type, T.Pointer) and isinstance(v.type.to, T.Function):
                return v
            return load(self.place_of(n))
        inner = _unwrap(arg)
        if inner.type == "pointer_expression" and self.unit.node_text(child(inner, "operator")) == "*":
            return self.value(child(inner, "argument"))
        place = self.place_of(inner)
        if place.address is None or place.bits is not None:
            raise Problem("unsupported-construct", "the address of this cannot be taken")
        return Rvalue(place.address, T.Pointer(place.type))

    def e_unary(self, n: Node, used: bool) -> Rvalue:
        op = self.unit.node_text(child(n, "operator"))
        arg = child(n, "argument")
        if op == "!":
            v = self.value(arg)
            t = truth(v)
            if v.const is not None:
                return constant(int(v.const == 0), INT)
            return Rvalue(lambda st: X.zext(X.not_(t(st), 1), 1, 32), INT)
        v = self.value(arg)
        if is_float(v.type):
            size, fn = size_of(v.type), v.fn
            if op == "-":
                return Rvalue(lambda st: X.xor(fn(st), 1 << (8 * size - 1), 8 * size), v.type)
            return v
        t2 = T.promote(v.type)
        v = convert(v, t2)
        w, fn = bits_of(t2), v.fn
        if op == "-":
            return constant(-v.const, t2) if v.const is not None else Rvalue(lambda st: X.neg(fn(st), w), t2)
        if op == "~":
            return constant(~v.const, t2) if v.const is not None else Rvalue(lambda st: X.not_(fn(st), w), t2)
        return v

    def e_binary(self, n: Node, used: bool) -> Rvalue:
        op = self.unit.node_text(child(n, "operator"))
        left, right = child(n, "left"), child(n, "right")
        if op in ("&&", "||"):
            return self._logical(op, left, right)
        cast = self._cast_in_disguise(op, left, right)
        if cast is not None:
            return cast
        a = self.value(left)
        b = self.value(right)
        return arithmetic(op, a, b)

    def _cast_in_disguise(self, op: str, left: Node, right: Node) -> Rvalue | None:
        """`(type) -1`, `(type) *p`, `(type) &x`: the grammar takes them for binary operators."""
        if op not in ("-", "+", "*", "&") or left.type != "parenthesized_expression" or len(left.named_children) != 1:
            return None
        name = left.named_children[0]
        if name.type != "identifier":
            return None
        t = self._type_name(self.unit.node_text(name))
        if t is None:
            return None
        if op in ("+", "-"):
            v = self.value(right)
            if op == "-":
                v = arithmetic("-", constant(0, INT), v)
            return convert(v, t)
        if op == "*":
            v = self.value(right)
            if not isinstance(v.type, T.Pointer):
                raise Problem("unsupported-construct", "only pointers can be dereferenced")
            return convert(load(Lvalue(v.type.to, address=v.fn)), t)
        place = self.place_of(right)
        if place.address is None:
            raise Problem("unsupported-construct", "the address of this cannot be taken")
        return convert(Rvalue(place.address, T.Pointer(place.type)), t)

    def _type_name(self, name: str) -> T.CType | None:
        if any(name in names for names in self.names):
            return None
        return self.scopes[-1].typedef(name)

    def _logical(self, op: str, left: Node, right: Node) -> Rvalue:
        """&& and || as a value: jumps when an operand needs instructions, else a closure that decides as it goes."""
        mark = self.here()
        a = truth(self.value(left))
        middle = self.here()
        b = truth(self.value(right))
        if self.here() == middle:
            if op == "&&":
                return Rvalue(lambda st: X.zext(b(st), 1, 32) if st.decide(a(st)) else 0, INT)
            return Rvalue(lambda st: 1 if st.decide(a(st)) else X.zext(b(st), 1, 32), INT)
        del self.code.instructions[mark:]
        del self.code.nodes[mark:]
        r = self.register()
        yes: Label = []
        no: Label = []
        end: Label = []
        mid: Label = []
        if op == "&&":
            self.condition(left, mid, no)
        else:
            self.condition(left, yes, mid)
        self.place(mid)
        self.condition(right, yes, no)
        self.place(yes)
        self.effect(_setter(r, 1))
        self.jump(end)
        self.place(no)
        self.effect(_setter(r, 0))
        self.place(end)
        return Rvalue(lambda st: st.regs[r], INT)

    def e_conditional(self, n: Node, used: bool) -> Rvalue:
        cond = child(n, "condition")
        yes_node, no_node = n.child_by_field_name("consequence"), child(n, "alternative")
        r = self.register()
        if yes_node is None:  # GNU a ?: b
            first = self.temporary(self.value(cond))
            yes_type = first.type
        else:
            first = None
            yes_type = self._decayed(self.type_of_expression(yes_node))
        no_type = self._decayed(self.type_of_expression(no_node))
        t = _conditional_type(yes_type, no_type)
        yes: Label = []
        no: Label = []
        end: Label = []
        if first is not None:
            self.branch(truth(first), yes, no)
        else:
            self.condition(cond, yes, no)
        for label, node in ((yes, yes_node), (no, no_node)):
            self.place(label)
            v = first if node is None and first is not None else self.value(child(n, "consequence") if node is None else node)
            if not is_aggregate(t) and not isinstance(t, T.Void):
                v = convert(v, t)
            fn = v.fn

            def keep(st: State, fn: Any = fn) -> None:
                st.regs[r] = fn(st)

            self.effect(keep)
            if label is yes:
                self.jump(end)
        self.place(end)
        return Rvalue(lambda st: st.regs[r], t)

    def _decayed(self, t: T.CType) -> T.CType:
        return T.Pointer(t.of) if isinstance(t, T.Array) else T.Pointer(t) if isinstance(t, T.Function) else t

    def e_assignment(self, n: Node, used: bool) -> Rvalue:
        op = self.unit.node_text(child(n, "operator"))
        left, right = child(n, "left"), child(n, "right")
        if op == "=":
            place = self.place_of(left)
            v = self.value(right)
        else:
            place = self._steady(self.place_of(left))
            v = arithmetic(op[:-1], load(place), self.value(right))
        if not isinstance(place.type, T.Record):
            v = convert(v, place.type)
        if used:
            v = self.temporary(v)
        self.effect(store(place, v.fn))
        return v

    def _steady(self, place: Lvalue) -> Lvalue:
        """A place whose address is computed once."""
        if place.address is None:
            return place
        addr = self.temporary(Rvalue(place.address, T.Pointer(place.type)))
        return Lvalue(place.type, address=addr.fn, bits=place.bits)

    def e_update(self, n: Node, used: bool) -> Rvalue:
        place = self._steady(self.place_of(child(n, "argument")))
        op = "+" if self.unit.node_text(child(n, "operator")) == "++" else "-"
        prefix = n.children[0].type in ("++", "--")
        old = load(place)
        if used and not prefix:
            old = self.temporary(old)
        new = arithmetic(op, old, constant(1, INT))
        if not isinstance(place.type, T.Pointer):
            new = convert(new, place.type)
        if used and prefix:
            new = self.temporary(new)
        self.effect(store(place, new.fn))
        return new if prefix else old

    def e_cast(self, n: Node, used: bool) -> Rvalue:
        t = type_of(child(n, "type"), self.scopes[-1])
        return convert(self.value(child(n, "value"), used), t)

    def _compound_literal(self, n: Node) -> Lvalue:
        t = type_of(child(n, "type"), self.scopes[-1])
        init = child(n, "value")
        if isinstance(t, T.Array) and t.length is None:
            t = self._sized_array(t, init)
        r = self.register()
        self._allocate_local(r, "literal", t)
        place = Lvalue(t, address=_reader(r))
        self.initialise(place, init)
        return place

    def e_sizeof(self, n: Node, used: bool) -> Rvalue:
        t_node, v_node = n.child_by_field_name("type"), n.child_by_field_name("value")
        alignment = n.type == "alignof_expression"
        if t_node is not None:
            name = self.unit.node_text(t_node)
            if any(name in names for names in self.names):  # sizeof(x): the grammar cannot tell
                t = next(names[name] for names in reversed(self.names) if name in names).type
            else:
                t = type_of(t_node, self.scopes[-1])
                if isinstance(t, T.Record) and not t.is_complete and self.link.find_global(name, self.unit) is not None:
                    t = self.link.global_type(self.link.find_global(name, self.unit))
        else:
            t = self.type_of_expression(v_node if v_node is not None else child(n, "value"))
        return constant(T.alignof_(t) if alignment else size_of(t), T.UNSIGNED_LONG)

    def e_offsetof(self, n: Node, used: bool) -> Rvalue:
        v = evaluate_constant(n, self.scopes[-1])
        if v is None:
            raise Problem("unsupported-construct", "offsetof of an unknown member")
        return constant(v, T.UNSIGNED_LONG)

    def e_extension(self, n: Node, used: bool) -> Rvalue:
        return self.value(n.named_children[-1], used)

    def e_asm(self, n: Node, used: bool) -> Rvalue:
        raise Problem("unsupported-construct", "inline assembly cannot be executed")

    def e_list(self, n: Node, used: bool) -> Rvalue:
        raise Problem("unsupported-construct", "an initializer where a value is expected")

    # ----------------------------------------------------------------------------------------------------------- calls

    def e_call(self, n: Node, used: bool) -> Rvalue:
        callee = child(n, "function")
        arg_nodes = [c for c in child(n, "arguments").named_children if c.type != "comment"]
        target = _unwrap(callee)
        name = self.unit.node_text(target) if target.type == "identifier" else None
        if name is not None and callee.type == "parenthesized_expression" and len(arg_nodes) == 1:
            t = self._type_name(name)
            if t is not None:  # (type)(x): the grammar cannot tell
                return convert(self.value(arg_nodes[0]), t)
        if name is not None and not any(name in names for names in self.names):
            special = self.link.builtin(name)
            if special is not None:
                return special(self, n, arg_nodes)  # type: ignore[no-any-return]
            g = self.link.find_global(name, self.unit)
            if g is None:
                return self._direct_call(n, name, arg_nodes, used)
        v = self.value(callee)
        t2 = v.type
        while isinstance(t2, T.Pointer):
            t2 = t2.to
        ftype = t2 if isinstance(t2, T.Function) else T.Function(INT, (), True)
        args = self._arguments(arg_nodes, ftype)
        link, count = self.link, len(args)
        return self._emit_call(lambda st: link.function_at(st, v.fn(st), count), args, ftype.result)

    def _direct_call(self, n: Node, name: str, arg_nodes: list[Node], used: bool) -> Rvalue:
        link, unit = self.link, self.unit
        f = link.find_function(name, unit)
        ftype = f.type if f is not None else unit.declared.get(name)
        if not isinstance(ftype, T.Function):
            ftype = link.declared_type(name) or T.Function(INT, (), True)
        if link.is_quiet(name, f is not None, len(arg_nodes)):
            for a in arg_nodes:  # only for their side effects
                with contextlib.suppress(Problem):
                    self.value(a, used=False)
            return constant(0, ftype.result if not isinstance(ftype.result, (T.Void, T.Record)) else INT)
        args = self._arguments(arg_nodes, ftype)
        count = len(args)
        return self._emit_call(lambda st: link.target(name, unit, count), args, ftype.result)

    def _arguments(self, nodes: list[Node], ftype: T.Function) -> list[Rvalue]:
        out = []
        for i, a in enumerate(nodes):
            v = self.value(a)
            if i < len(ftype.params):
                p = ftype.params[i]
                if not is_aggregate(p) and not is_aggregate(v.type):
                    v = convert(v, p)
            elif not is_aggregate(v.type):
                v = convert(v, T.DOUBLE if is_float(v.type) else T.promote(v.type))
            out.append(v)
        return out

    def _emit_call(self, target: Callable[[State], Any], args: list[Rvalue], result: T.CType) -> Rvalue:
        link = self.link
        r = self.register()
        nxt = self.here() + 1
        fns = tuple(a.fn for a in args)
        types = tuple(a.type for a in args)

        def run(st: State) -> int:
            callee = target(st)
            values = [f(st) for f in fns]
            if type(callee) is Code or isinstance(callee, Code):
                link.push(st, callee, values, r, nxt)
                return CALL
            v = callee(st, values, types, result)
            st.regs[r] = v
            return nxt

        self.emit(run)
        return Rvalue(lambda st: st.regs[r], result)


def _reader(r: int) -> Callable[[State], Any]:
    return lambda st: st.regs[r]


def _setter(r: int, v: int) -> Callable[[State], None]:
    def run(st: State) -> None:
        st.regs[r] = v

    return run


def _element(address: Any, t: T.Array, i: int) -> Lvalue:
    off = i * size_of(t.of)
    return Lvalue(t.of, address=(lambda st: X.add(address(st), off, 64)) if off else address)


def _field(address: Any, f: T.Field) -> Lvalue:
    off = f.offset
    if f.bit_width is not None:
        return Lvalue(f.type, address=address, bits=(8 * off + (f.bit_offset or 0), f.bit_width))
    return Lvalue(f.type, address=(lambda st: X.add(address(st), off, 64)) if off else address)


def _has(t: T.CType, name: str) -> bool:
    return isinstance(t, T.Record) and t.find(name) is not None


def _conditional_type(a: T.CType, b: T.CType) -> T.CType:
    if is_aggregate(a) or isinstance(a, T.Void):
        return a
    if isinstance(a, T.Pointer):
        return b if isinstance(b, T.Pointer) and isinstance(a.to, T.Void) and not isinstance(b.to, T.Void) else a
    if isinstance(b, T.Pointer):
        return b
    return T.common_type(a, b)


def child(n: Node, field: str) -> Node:
    """A part that valid C always has there."""
    found = n.child_by_field_name(field)
    if found is None:
        raise Problem("unsupported-construct", "this is not valid C")
    return found


def _unwrap(n: Node) -> Node:
    """Strip parentheses."""
    while n.type == "parenthesized_expression":
        kids = [c for c in n.named_children if c.type != "comment"]
        if len(kids) != 1 or kids[0].type == "compound_statement":
            return n
        n = kids[0]
    return n


def _addressed(body: Node, unit: Unit) -> frozenset[str]:
    """Names whose address is taken somewhere in a function (by name: shadowed variables are counted together)."""
    out: set[str] = set()
    stack = [body]
    while stack:
        n = stack.pop()
        if n.type == "pointer_expression" and n.children[0].type == "&":
            inner = _unwrap(child(n, "argument"))
            while inner.type in ("field_expression", "subscript_expression"):
                inner = _unwrap(child(inner, "argument"))
            if inner.type == "identifier":
                out.add(unit.node_text(inner))
        elif n.type == "binary_expression" and n.children[1].type == "&":
            right = _unwrap(n.children[2])  # (type) &x
            if right.type == "identifier":
                out.add(unit.node_text(right))
        stack.extend(n.named_children)
    return frozenset(out)


_PLACES = frozenset({"identifier", "subscript_expression", "field_expression", "compound_literal_expression"})
_NO_STATEMENT = frozenset({"comment", ";", "type_definition", "struct_specifier", "union_specifier", "enum_specifier",
                           "attribute_specifier", "preproc_call"})  # fmt: skip
_STATEMENTS: dict[str, Callable[[Compiler, Any], None]] = {
    "compound_statement": Compiler.s_compound,
    "expression_statement": Compiler.s_expression,
    "if_statement": Compiler.s_if,
    "while_statement": Compiler.s_while,
    "do_statement": Compiler.s_do,
    "for_statement": Compiler.s_for,
    "break_statement": Compiler.s_break,
    "continue_statement": Compiler.s_continue,
    "return_statement": Compiler.s_return,
    "switch_statement": Compiler.s_switch,
    "case_statement": Compiler.s_case,
    "goto_statement": Compiler.s_goto,
    "labeled_statement": Compiler.s_labeled,
    "attributed_statement": Compiler.s_inner,
    "else_clause": Compiler.s_inner,
    "declaration": Compiler.s_declaration,
}
_EXPRESSIONS: dict[str, Callable[[Compiler, Any, bool], Rvalue]] = {
    "identifier": Compiler.e_identifier,
    "number_literal": Compiler.e_number,
    "char_literal": Compiler.e_char,
    "string_literal": Compiler.e_string,
    "concatenated_string": Compiler.e_string,
    "true": Compiler.e_true,
    "false": Compiler.e_true,
    "null": Compiler.e_null,
    "parenthesized_expression": Compiler.e_parenthesized,
    "comma_expression": Compiler.e_comma,
    "subscript_expression": Compiler.e_place,
    "field_expression": Compiler.e_place,
    "compound_literal_expression": Compiler.e_place,
    "pointer_expression": Compiler.e_pointer,
    "unary_expression": Compiler.e_unary,
    "binary_expression": Compiler.e_binary,
    "conditional_expression": Compiler.e_conditional,
    "assignment_expression": Compiler.e_assignment,
    "update_expression": Compiler.e_update,
    "cast_expression": Compiler.e_cast,
    "sizeof_expression": Compiler.e_sizeof,
    "alignof_expression": Compiler.e_sizeof,
    "offsetof_expression": Compiler.e_offsetof,
    "extension_expression": Compiler.e_extension,
    "gnu_asm_expression": Compiler.e_asm,
    "initializer_list": Compiler.e_list,
    "call_expression": Compiler.e_call,
}


def compile_function(definition: FunctionDef, unit: Unit, link: Any) -> Code:
    """Compile a function. Constructs that cannot be executed raise their Problem when they are reached, not here."""
    return Compiler(definition, unit, link).run()
