"""The decision tree of an NF: which conditions lead packets to which calls and outcomes (thesis, algorithm 3.1).

Takes call paths; gives nodes. All paths of a device are walked at the same rate: a call that they share is a node; where they differ,
a condition tells them apart, and each side goes on by itself. (As printed, the algorithm compares each path's call i with call 0 of
the first; it means call i.) Equal subtrees are one, so the tree is a graph without cycles, and a condition whose sides are equal is
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import Call, CallPath, PathCondition, answering
from ..symbex.solver import Solver


class Undecided(ValueError):
    """Paths that no condition tells apart, which call paths of one program never are."""


@dataclass(frozen=True, eq=False)
class Node:
    """One node.

    path       a path through it, in whose terms it can be shown
    call       of a call
    condition  of a condition, as it stands on `path`: where it holds, `then` follows, else `otherwise`
    then       what follows; None for an outcome
    """

    id: int
    kind: Literal["condition", "call", "outcome"]
    path: CallPath
    call: Call | None = None
    condition: PathCondition | None = None
    then: Node | None = None
    otherwise: Node | None = None


@dataclass(frozen=True)
class Tree:
    """The tree of each device, and all nodes in the order in which they were first met."""

    roots: Mapping[int, Node]
    nodes: tuple[Node, ...]


def decision_tree(paths: Sequence[CallPath], solver: Solver | None = None) -> Tree:
    """The tree of an NF's call paths.

    Raises:
        Undecided: for paths that do not come from one program.
    """
    build = _Builder(solver or Solver())
    roots = {d: build.group([p for p in paths if p.device == d], 0) for d in sorted({p.device for p in paths})}
    return Tree(roots, _in_order(roots.values()))


@dataclass
class _Builder:
    solver: Solver
    made: dict[tuple[object, ...], Node] = field(default_factory=dict)

    def group(self, paths: list[CallPath], i: int) -> Node:
        """The tree of paths that agree in everything before call i."""
        first = paths[0]
        shared: list[tuple[object, Call]] = []
        while i <= len(first.calls) and all(_mark(p, i) == _mark(first, i) for p in paths[1:]):
            if i == len(first.calls):
                node = self.node(("outcome", _mark(first, i)), "outcome", first)
                break
            shared.append((_mark(first, i), first.calls[i]))
            i += 1
        else:
            node = self.branch(paths, i)
        for mark, call in reversed(shared):
            node = self.node(("call", mark, node.id), "call", first, call=call, then=node)
        return node

    def branch(self, paths: list[CallPath], i: int) -> Node:
        """The tree of paths that differ in call i, or in what follows the last."""
        condition, yes, no = self.split(paths, i)
        then, otherwise = self.group(yes, i), self.group(no, i)
        if then is otherwise:
            return then
        key = ("condition", condition.expr, then.id, otherwise.id)
        return self.node(key, "condition", yes[0], condition=condition, then=then, otherwise=otherwise)

    def node(
        self,
        key: tuple[object, ...],
        kind: Literal["condition", "call", "outcome"],
        path: CallPath,
        call: Call | None = None,
        condition: PathCondition | None = None,
        then: Node | None = None,
        otherwise: Node | None = None,
    ) -> Node:
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = Node(len(self.made), kind, path, call, condition, then, otherwise)
        return found

    def split(self, paths: list[CallPath], i: int) -> tuple[PathCondition, list[CallPath], list[CallPath]]:
        """The first condition of the first path that tells the paths apart and asks for nothing that a later call answers; a path that
        leaves it open is on both sides. Failing that, how a call before call i ended: `.call_path` files have what it returned as a
        number, and no condition on it."""
        parts = {
            part: condition
            for condition in reversed(paths[0].conditions)
            for part in (*reversed(X.conjuncts(condition.expr)), condition.expr)
            if all((n := answering(leaf)) is None or n < i for leaf in X.leaves(part))
        }
        for sides in (self.stated, self.found):
            for part, condition in reversed(parts.items()):
                both = sides(paths, part)
                if both and all(both) and all(len(side) < len(paths) for side in both):
                    return PathCondition(part, condition.assumed, condition.span), *both
        for call in paths[0].calls[:i]:
            yes, no = ([p for p in paths if _ended(p, call.number) is not other] for other in (False, True))
            if len(yes) < len(paths) and len(no) < len(paths):
                return PathCondition(X.sym(f"found#{call.number}", 1), False, call.span), yes, no
        raise Undecided(f"no condition tells paths {paths[0].number} and {paths[1].number} apart")

    def stated(self, paths: list[CallPath], e: Expr) -> tuple[list[CallPath], list[CallPath]] | None:
        """The paths that require a condition, and those that require its opposite; None when a path requires neither."""
        opposite = X.not_(e, 1)
        assert isinstance(opposite, Expr)  # a path's condition is no constant
        yes, no = [p for p in paths if p.requires(e)], [p for p in paths if p.requires(opposite)]
        return (yes, no) if len(yes) + len(no) == len(paths) else None

    def found(self, paths: list[CallPath], e: Expr) -> tuple[list[CallPath], list[CallPath]] | None:
        """The paths that can be taken where a condition holds, and where it does not; None when all can where it holds."""
        opposite = X.not_(e, 1)
        assert isinstance(opposite, Expr)
        yes = [p for p in paths if self.possible(p, e, opposite)]
        return (yes, [p for p in paths if self.possible(p, opposite, e)]) if len(yes) < len(paths) else None

    def possible(self, p: CallPath, e: Expr, opposite: Expr) -> bool:
        if p.requires(e) or p.requires(opposite):
            return p.requires(e)
        return self.solver.find([c.expr for c in p.conditions], p.model, e) is not None


def _ended(p: CallPath, call: int) -> bool | None:
    """Whether a call succeeded, None where the path leaves that open."""
    touches = p.calls[call].touches
    return touches[0].found if touches else None


def _mark(p: CallPath, i: int) -> tuple[object, ...]:
    """What a path does at call i, its answer left out: equal marks are one node. Behind the last call: what becomes of the packet."""
    if i >= len(p.calls):
        return p.outcome, p.output, p.returned, p.writes
    c = p.calls[i]
    objects = tuple(t.object for t in c.touches)
    given = tuple(t.key for t in c.touches if t.index and t.role != "allocate")
    stored = tuple(t.stored for t in c.touches if t.stored)
    return c.function, c.stack, c.keys, objects, given, stored


def _in_order(roots: Iterable[Node]) -> tuple[Node, ...]:
    found: dict[int, Node] = {}
    pending = list(roots)[::-1]
    while pending:
        node = pending.pop()
        if node.id not in found:
            found[node.id] = node
            pending += [n for n in (node.otherwise, node.then) if n is not None]
    return tuple(found.values())
