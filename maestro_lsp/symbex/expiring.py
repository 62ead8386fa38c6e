"""Loops that expire a dchain's entries one by one.

Such a loop runs as often as there are old entries, which only the dchain knows. What its body changes becomes unknown after each
round, so that what happens later holds for any number of rounds; sharding sees by the names of the unknowns whether it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import is_
from typing import Any

from . import expr as X
from .calls import same
from .expr import Expr
from .memory import Problem
from .path import borrowing
from .state import State

AFTER_EXPIRING = "after expiring#"
EXPIRED_ROUNDS = 2


@dataclass(frozen=True)
class Expiring:
    """The state as it was when a round began."""

    rounds: int
    changed: frozenset[object]  # what the round before changed
    indices: tuple[Expr, ...]  # expired so far
    registers: tuple[tuple[Any, ...], ...]  # of each frame
    memory: Mapping[int, tuple[Sequence[int | Expr], int]]  # object -> (bytes, symbolic stores)

    @staticmethod
    def now(st: State, rounds: int, changed: frozenset[object], indices: tuple[Expr, ...]) -> Expiring:
        """The state as it is; blocks that other states share are not copied, since nobody writes to them."""
        memory = {
            oid: (tuple(b.data) if b.owner is st else b.data, len(b.updates))
            for oid, b in st.memory.items()
            if b.info.kind not in ("text", "function", "handle")
        }
        return Expiring(rounds, changed, indices, tuple(tuple(f.regs) for f in st.frames), memory)

    def renamed(self, named: Callable[[Any], Any], variables: Iterable[int]) -> Expiring:
        """The same with other names for the values of variables: the input device has become known."""
        memory = dict(self.memory)
        for oid in memory.keys() & variables:
            data, updates = memory[oid]
            new = tuple(map(named, data))
            memory[oid] = data if all(map(is_, new, data)) else new, updates
        return replace(self, registers=tuple(tuple(map(named, regs)) for regs in self.registers), memory=memory)

    def forget_changes(self, st: State, name: str) -> frozenset[object]:
        """Make all that has changed since then unknown, and say what it was."""
        for frame, old in zip(st.frames, self.registers, strict=False):
            _need_changed(st, frame.regs, old)
        for oid, (data, _) in self.memory.items():
            if oid in st.memory and st.memory[oid].info.kind == "local":
                _need_changed(st, st.memory[oid].data, data)
        changed: set[object] = set()
        for depth, (frame, old) in enumerate(zip(st.frames, self.registers, strict=False)):
            for r, (variable, width) in frame.code.variables.items():
                if r < len(old) and not same(frame.regs[r], old[r]):
                    frame.regs[r] = X.sym(f"{name} {variable}", width)
                    changed.add((depth, r))
            for r, width in frame.code.temporaries.items():  # what the call's own expression has evaluated before it
                if r < len(old) and not same(frame.regs[r], old[r]):
                    frame.regs[r] = X.sym(f"{name} part {r}", width)
        for oid, (data, updates) in self.memory.items():
            if oid not in st.memory:
                raise Problem(
                    "unsupported-construct", "a loop over expired entries frees memory that it has not allocated"
                )
            b = st.memory[oid]
            if len(b.updates) != updates:
                raise Problem(
                    "unsupported-construct", f"a loop over expired entries writes {b.info.name} at unknown offsets"
                )
            if b.data is data:
                continue
            for i, (new, was) in enumerate(zip(b.data, data, strict=True)):
                if not same(new, was):
                    b = st.own(oid)
                    b.data[i] = X.byte(f"{name} {oid}", i)
                    changed.add((oid, i))
        return frozenset(changed)


def _need_changed(st: State, now: Sequence[Any], before: Sequence[Any]) -> None:
    """Whether something has changed may be another answer on each device."""
    if now is not before:
        st.needs(*(v for pair in zip(now, before, strict=False) if not same(*pair) for v in pair))


def is_expired_key(st: State, raw: Sequence[int | Expr]) -> bool:
    """Whether a key is what stands in the cell of an index that has just expired."""
    cells = {borrowing(v) if isinstance(v, Expr) and v.op == "byte" else None for v in raw}
    number = cells.pop() if len(cells) == 1 else None
    if number is None:
        return False
    borrow = st.calls[number]
    index = borrow.arguments[borrow.spec.roles["index"]]
    return isinstance(index, Expr) and index.op == "sym" and str(index.args[0]).startswith("expired_index#")
