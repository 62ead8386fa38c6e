"""Running one path again, to see which source ranges it goes through.

Paths do not record every line they pass: that would slow down all executions for the few paths that someone looks at. A path carries a
model, a packet and answers that take it; running nf_process once more and deciding every fork by the model gives the same path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..source.text import Span
from . import expr as X
from .code import Code
from .expr import Expr
from .memory import Problem
from .state import Condition, Fork, State, Stop

# of these only the head is a step of the path; their bodies are steps of their own
_WITH_BODY = frozenset({"if_statement", "for_statement", "while_statement", "do_statement", "switch_statement", "case_statement",
                        "labeled_statement", "else_clause"})  # fmt: skip
_NO_STEP = frozenset({"function_definition", "compound_statement", "translation_unit"})


def follow(st: State, model: Mapping[Expr, int]) -> tuple[Span, ...]:
    """The source ranges of the steps that a state takes under a model, sorted, each once."""
    steps: dict[tuple[int, int], Code] = {}
    _walk(st, model, lambda code, pc: steps.setdefault((id(code), pc), code))
    spans = {s for (_, pc), code in steps.items() if (s := _range(code, pc)) is not None}
    return tuple(sorted(spans))


def last_step(st: State, model: Mapping[Expr, int], byte: tuple[str, int] | None) -> Span | None:
    """The step that gives a byte of the packet, as (array, offset), its last value; without one the step that decides where the packet
    goes: the last of nf_process itself."""
    found: list[tuple[Code, int]] = []
    before: list[object] = [None]

    def see(code: Code, pc: int) -> None:
        # called before a step: what changed since the call before, the step before has done
        if byte is None:
            if len(st.frames) == 1 and _range(code, pc) is not None:
                found[:] = [(code, pc)]
            return
        now = next(
            (b.data[byte[1]] for b in st.memory.values() if b.info.kind == "packet" and b.info.name == byte[0]), None
        )
        if now is not before[0] and before[0] is not None and last:
            found[:] = last
        before[0] = now
        last[:] = [(code, pc)]

    last: list[tuple[Code, int]] = []
    _walk(st, model, see)
    return _range(*found[0]) if found else None


def _walk(st: State, model: Mapping[Expr, int], see: Callable[[Code, int], object]) -> None:
    """Runs a state to its end under a model; `see` is called before each instruction."""
    st.model = dict(model)
    while not st.finished:
        try:
            _run(st, see)
        except Fork as f:
            c = f.condition if X.evaluate(f.condition, st.model) else X.not_(f.condition, 1)
            assert isinstance(c, Expr)
            st.conditions.append(Condition(c, False, st.place()))
            st.learn(c)
        except (Stop, Problem):
            break


def _run(st: State, see: Callable[[Code, int], object]) -> None:
    """As `Engine.run`."""
    while True:
        frame = st.frames[-1]
        code = frame.code
        pc = frame.pc
        while pc >= 0:
            frame.pc = pc
            see(code, pc)
            pc = code.instructions[pc](st)
        if pc == -2:
            if st.finished:
                return
            top = st.frames[-1]
            top.pc = top.resume


def _range(code: Code, pc: int) -> Span | None:
    """The source range of an instruction; of statements with a body only the head."""
    node = code.nodes[pc]
    if node.type in _NO_STEP:
        return None
    if node.type in _WITH_BODY:
        head = node.child_by_field_name("condition") or node.child_by_field_name("value")
        if head is None:
            return None
        node = head
    return code.unit.span(node)
