"""Compiling C functions to instruction lists.

`compile_function` walks a function's syntax once. Scalars whose address is never taken live in registers, everything else in
memory. Calls, assignments and jumps become instructions; see code.py for what an instruction is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..source import ctypes as T
from ..source.declarations import declare
from ..source.dialect import CASE_RANGE
from ..source.expressions import constant as evaluate_constant
from ..source.scope import Scope
from . import expr as X
from . import expressions, initialisers
from .code import RETURN, Code
from .memory import UNINITIALISED, ObjectInfo, Problem, modelled, size_of
from .state import State
from .syntax import addressed, child, unwrap
from .values import Eval, Lvalue, Rvalue, arithmetic, bits_of, constant, convert, is_aggregate, is_signed, reader, truth

if TYPE_CHECKING:
    from tree_sitter import Node

    from ..source.unit import FunctionDef, Unit

LOOP_LIMIT = 70_000  # iterations of one loop in one activation: more than any table that start-up code fills
FORKING_LOOP_LIMIT = 64  # iterations of one loop that each needed a decision

Label = list[int]  # the instruction a jump goes to, filled in when it is known


class Compiler:
    """Compiles one function of one unit."""

    def __init__(self, definition: FunctionDef, unit: Unit, link: Any) -> None:
        self.unit = unit
        self.link = (
            link  # what names mean (link.py); the code itself holds for every engine, and asks the state for its own
        )
        self.code = Code(definition, unit)
        self.node = definition.body
        self.names: list[dict[str, Lvalue]] = [{}]
        self.scopes: list[Scope] = [Scope(unit.scope)]
        self.breaks: list[Label] = []
        self.continues: list[Label] = []
        self.labels: dict[str, Label] = {}
        self.unplaced: list[Label] = []  # jumped to, and perhaps not placed yet
        self.cases: list[list[tuple[Any, Label]]] = []
        self.in_memory = addressed(definition.body, unit)
        self.result_type = definition.type.result
        self.at_file_scope = False  # it is the initialiser of a variable that lives as long as the program

    def emit(self, instruction: Callable[[State], int]) -> None:
        self.code.instructions.append(instruction)
        self.code.nodes.append(self.node)

    def here(self) -> int:
        return len(self.code.instructions)

    def register(self) -> int:
        r = self.code.registers
        self.code.registers = r + 1
        return r

    def part(self, t: T.CType) -> int:
        """A register for a value that an expression still needs when later parts of it are evaluated."""
        r = self.register()
        if T.is_scalar(t):
            self.code.temporaries[r] = bits_of(t)
        return r

    def effect(self, action: Callable[[State], None]) -> None:
        """Emit an instruction that does something and goes on."""
        nxt = self.here() + 1

        def run(st: State) -> int:
            action(st)
            return nxt

        self.emit(run)

    def jump(self, label: Label) -> None:
        self.unplaced.append(label)
        self.emit(lambda st: label[0])

    def branch(self, condition: Callable[[State], Any], yes: Label, no: Label) -> None:
        self.unplaced += (yes, no)

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
        r, fn = self.part(v.type), v.fn

        def run(st: State) -> None:
            st.regs[r] = fn(st)

        self.effect(run)
        return Rvalue(lambda st: st.regs[r], v.type)

    def run(self) -> Code:
        d = self.code.definition
        for name, t in d.params:
            if isinstance(t, (T.Array, T.Function)):
                t = T.Pointer(t.of if isinstance(t, T.Array) else t)
            r = self.register()
            in_memory = name in self.in_memory or isinstance(t, T.Record)
            self.code.params.append((in_memory, r, size_of(t), ObjectInfo("local", name or "parameter", t)))
            if name:
                self.scopes[-1].variables[name] = t
                if in_memory:
                    self.names[-1][name] = Lvalue(t, address=reader(r))
                else:
                    self.names[-1][name] = Lvalue(t, register=r)
        if isinstance(self.result_type, T.Record):
            self.code.result_size = size_of(self.result_type)
        if d.body.has_error:  # what a broken function does cannot be known, also where it happens to parse
            self._unsupported(Problem("unsupported-construct", f"{d.name} is not valid C"))
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

    def statement(self, n: Node) -> None:
        outer, self.node = self.node, n
        stacks: list[list[Any]] = [self.names, self.scopes, self.breaks, self.continues, self.cases]
        depths = [len(stack) for stack in stacks]
        try:
            handler = _STATEMENTS.get(n.type)
            if handler is not None:
                handler(self, n)
            elif n.type in _NO_STATEMENT:
                pass
            elif n.is_named:
                self.value(n, used=False)
        except (Problem, RecursionError) as e:
            for stack, depth in zip(stacks, depths, strict=True):
                del stack[depth:]
            deep = Problem("unsupported-construct", "this is nested too deeply")
            self._unsupported(e if isinstance(e, Problem) else deep)
        finally:
            self.node = outer

    def _unsupported(self, p: Problem) -> None:
        """Emit what raises a problem. What was compiled of a statement before may jump to places that there will be none of."""

        def run(st: State) -> int:
            raise Problem(p.code, p.message)

        for label in self.unplaced:
            if not label:
                self.place(label)  # until a statement around this one places it
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
        yes, no, end = Label(), Label(), Label()
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

        def run(st: State) -> int:
            k = (key, len(st.frames))
            st.engine.tick()
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
        body, end = Label(), Label()
        self._loop_entry()
        head = self._loop_head()
        self.condition(child(n, "condition"), body, end)
        self.place(body)
        self._loop_body(child(n, "body"), end, head)
        self.jump(head)
        self.place(end)

    def s_do(self, n: Node) -> None:
        end, test = Label(), Label()
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
        body, end, step = Label(), Label(), Label()
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
        v = self.temporary(self.value(unwrap(child(n, "condition"))))
        t = T.promote(v.type)  # of the labels too
        v = self.temporary(convert(convert(v, t), T.LONG))
        end, start = Label(), Label()
        self.jump(start)
        self.cases.append([])
        self.breaks.append(end)
        self.statement(child(n, "body"))
        self.breaks.pop()
        self.jump(end)
        self.place(start)
        default = end
        at_most = X.sle if is_signed(t) else X.ule
        for value, label in self.cases.pop():
            if value is None:
                default = label
                continue
            if isinstance(value, Problem):
                self._unsupported(value)
                continue
            nxt: Label = []
            low, high = (convert(constant(x, t), T.LONG).fn for x in value)
            self.branch(_within(v.fn, low, high, at_most) if value[0] != value[1] else _equal(v.fn, low), label, nxt)
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
            first = last = value
            if value.type == "call_expression" and self.unit.node_text(child(value, "function")) == CASE_RANGE:
                first, last = child(value, "arguments").named_children
            try:
                self.cases[-1].append(((self._constant(first), self._constant(last)), label))
            except Problem as p:  # the switch may come here with any value that it does not name before
                self.cases[-1].append((p, label))
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
        label = self.labels.setdefault(self.unit.node_text(child(n, "label")), [])
        self.emit(lambda st: label[0])

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

    def s_type(self, n: Node) -> None:
        declare(n, self.scopes[-1])

    def s_declaration(self, n: Node) -> None:
        for d in declare(n, self.scopes[-1]):
            t = d.type
            if d.storage in ("typedef", "extern") or isinstance(t, T.Function):
                continue
            if d.storage == "static":
                self.names[-1][d.name] = self._static(d)
                continue
            if isinstance(t, T.Array) and t.length is None:
                t = initialisers.sized_array(self, t, d.init)
            in_memory = d.name in self.in_memory or is_aggregate(t)
            r = self.register()
            place = Lvalue(t, address=reader(r)) if in_memory else Lvalue(t, register=r)
            if in_memory:
                self._allocate_local(r, d.name, t)
            else:
                self._poison(r, d.name, t)
            self.names[-1][d.name] = place
            if d.init is not None:
                initialisers.initialise(self, place, d.init)

    def _allocate_local(self, r: int, name: str, t: T.CType) -> None:
        size = size_of(t)
        info = ObjectInfo("local", name, t)

        def run(st: State) -> None:
            fill = X.sym(f"{UNINITIALISED}{name}#{st.next_local_id}", 8)
            st.regs[r] = st.allocate(info, [fill] * modelled(size, name))

        self.effect(run)

    def _poison(self, r: int, name: str, t: T.CType) -> None:
        w = bits_of(t)
        self.code.variables[r] = name, w

        def run(st: State) -> None:
            st.regs[r] = X.sym(f"{UNINITIALISED}{name}", w)

        self.effect(run)

    def _static(self, d: Any) -> Lvalue:
        code, unit, scope = self.code, self.unit, self.scopes[-1]
        name, t, init = d.name, d.type, d.init
        if isinstance(t, T.Array) and t.length is None:
            t = initialisers.sized_array(self, t, init)

        key = (unit.path, code.name, name, d.node.start_byte)

        def address(st: State) -> Any:
            return st.engine.static_address(st, key, name, t, init, unit, scope, d.node)

        return Lvalue(t, address=address)

    def condition(self, n: Node, yes: Label, no: Label) -> None:
        """Jump to one of two labels; && || and ! become jumps, so that each test is a decision of its own."""
        n = unwrap(n)
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

    def type_of_expression(self, n: Node) -> T.CType:
        """The type of an expression without keeping its code."""
        mark, marked_nodes = len(self.code.instructions), len(self.code.nodes)
        try:
            n = unwrap(n)
            if n.type in ("string_literal", "concatenated_string"):
                return T.Array(T.CHAR, len(expressions.string(self, n)) + 1)
            is_constant = n.type == "identifier" and self.scopes[-1].constant(self.unit.node_text(n)) is not None
            dereferenced = n.type == "pointer_expression" and self.unit.node_text(child(n, "operator")) == "*"
            if (n.type in _PLACES or dereferenced) and not is_constant:
                return self.place_of(n).type
            return self.value(n).type
        finally:
            del self.code.instructions[mark:]
            del self.code.nodes[marked_nodes:]

    def value(self, n: Node, used: bool = True) -> Rvalue:
        """Compile an expression for its value; arrays decay to pointers, functions to their address."""
        handler = expressions.EXPRESSIONS.get(n.type)
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
        n = unwrap(n)
        kind = n.type
        if kind == "identifier":
            return expressions.named(self, n)
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
            return expressions.field(self, n)
        if kind == "compound_literal_expression":
            return expressions.compound_literal(self, n)
        if kind in ("string_literal", "concatenated_string"):
            v = self.value(n)
            return Lvalue(T.Array(T.CHAR, len(expressions.string(self, n)) + 1), address=v.fn)
        if kind == "cast_expression":
            v = self.value(n)
            if isinstance(v.type, T.Record):
                return Lvalue(v.type, address=v.fn)
        v = self.value(n)
        if isinstance(v.type, T.Record):
            return Lvalue(v.type, address=self.temporary(v).fn)
        raise Problem("unsupported-construct", "this cannot be assigned to")


def _equal(fn: Eval, label: Eval) -> Eval:
    return lambda st: X.eq(fn(st), label(st), 64)


def _within(fn: Eval, low: Eval, high: Eval, at_most: Callable[..., int | X.Expr]) -> Eval:
    return lambda st: X.and_(at_most(low(st), fn(st), 64), at_most(fn(st), high(st), 64), 1)


_PLACES = frozenset({"identifier", "subscript_expression", "field_expression", "compound_literal_expression"})
_NO_STATEMENT = frozenset({"comment", ";", "attribute_specifier", "preproc_call"})
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
    **dict.fromkeys(("type_definition", "struct_specifier", "union_specifier", "enum_specifier"), Compiler.s_type),
}


def compile_function(definition: FunctionDef, unit: Unit, link: Any) -> Code:
    """Compile a function. Constructs that cannot be executed raise their Problem when they are reached, not here."""
    return Compiler(definition, unit, link).run()
