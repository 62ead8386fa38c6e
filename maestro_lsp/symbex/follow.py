"""Running one path again, to see which source ranges it goes through.

Paths do not record every line they pass: that would slow down all executions for the few paths that someone looks at. A path carries a
model, a packet and answers that take it; running nf_process once more and deciding every fork by the model gives the same path.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..source.text import Span
from . import expr as X
from .code import Code
from .engine import Engine
from .expr import Expr
from .memory import Problem
from .state import Condition, Fork, State, Stop

# of these only the head is a step of the path; their bodies are steps of their own
_WITH_BODY = frozenset({"if_statement", "for_statement", "while_statement", "do_statement", "switch_statement", "case_statement",
                        "labeled_statement", "else_clause"})  # fmt: skip
_NO_STEP = frozenset({"function_definition", "compound_statement", "translation_unit"})


def follow(engine: Engine, st: State, model: Mapping[Expr, int]) -> tuple[Span, ...]:
    """The source ranges of the steps that a state takes under a model, sorted, each once."""
    st.model = dict(model)
    steps: dict[tuple[int, int], Code] = {}
    while not st.finished:
        try:
            _run(st, steps)
        except Fork as f:
            c = f.condition if X.evaluate(f.condition, st.model) else X.not_(f.condition, 1)
            assert isinstance(c, Expr)
            st.conditions.append(Condition(c, False, st.place()))
            st.learn(c)
        except (Stop, Problem):
            break
    spans = {s for (_, pc), code in steps.items() if (s := _range(code, pc)) is not None}
    return tuple(sorted(spans))


def _run(st: State, steps: dict[tuple[int, int], Code]) -> None:
    """As `Engine.run`, noting every instruction."""
    while True:
        frame = st.frames[-1]
        code = frame.code
        pc = frame.pc
        while pc >= 0:
            frame.pc = pc
            steps[id(code), pc] = code
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
