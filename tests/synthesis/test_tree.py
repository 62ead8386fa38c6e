"""The decision tree: every path, and every packet, walks it to its own calls and its own outcome."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.expr import Expr
from maestro_lsp.symbex.path import CallPath
from maestro_lsp.synthesis.tree import Node, Tree, decision_tree

from .targets import FULL, TARGETS, name, report

PACKETS = 2000 if FULL else 60  # random assignments for each NF
VALUES = (0, 1, 2, 5, 6, 8, 17, 20, 64, 69, 255)  # for bytes: lengths, protocols, ether types


def walk(node: Node, model: dict[Expr, int]) -> list[Node]:
    """The nodes that a packet comes to, given all that conditions depend on."""
    found = []
    current: Node | None = node
    while current is not None:
        found.append(current)
        if current.condition is None:
            current = current.then
        else:
            current = current.then if X.evaluate(current.condition.expr, model) else current.otherwise
    return found


def is_walk_of(nodes: list[Node], p: CallPath) -> bool:
    """Whether a walk goes through a path's calls and ends in its outcome."""
    calls = [n.call for n in nodes if n.call is not None]
    end = nodes[-1].path
    same = all(
        c.function == d.function and c.stack == d.stack and c.keys == d.keys
        for c, d in zip(calls, p.calls, strict=False)
    )
    outcome = (end.outcome, end.output, end.returned, end.writes) == (p.outcome, p.output, p.returned, p.writes)
    return len(calls) == len(p.calls) and same and outcome


def tree_of(folder: Path) -> Tree:
    r = report(folder)
    assert r.execution.engine is not None
    return decision_tree(r.paths, r.execution.engine.solver)


@pytest.mark.parametrize("folder", TARGETS, ids=name)
def test_every_path_walks_to_its_own_outcome(folder: Path) -> None:
    tree = tree_of(folder)
    for p in report(folder).paths:
        assert is_walk_of(walk(tree.roots[p.device], dict(p.model)), p)


@pytest.mark.parametrize("folder", TARGETS, ids=name)
def test_any_packet_walks_as_its_path_does(folder: Path) -> None:
    rng = random.Random(folder.name)
    tree = tree_of(folder)
    paths = report(folder).paths
    leaves = sorted({leaf for p in paths for c in p.conditions for leaf in X.leaves(c.expr)}, key=lambda e: e.serial)
    met = 0
    for _ in range(PACKETS):
        model = dict(rng.choice(paths).model)
        for leaf in rng.sample(leaves, min(len(leaves), rng.randrange(4))):
            model[leaf] = rng.choice(VALUES) if leaf.width == 8 else rng.getrandbits(leaf.width)
        for p in paths:
            if all(X.evaluate(c.expr, model) for c in p.conditions):
                met += 1
                assert is_walk_of(walk(tree.roots[p.device], model), p)
    assert met


@pytest.mark.parametrize("folder", TARGETS, ids=name)
def test_equal_subtrees_are_one(folder: Path) -> None:
    tree = tree_of(folder)
    conditions = [(n.condition.expr, n.then, n.otherwise) for n in tree.nodes if n.condition is not None]
    assert len(conditions) == len(set(conditions))
    assert all(then is not otherwise for _, then, otherwise in conditions)
    outcomes = [
        (n.path.outcome, n.path.output, n.path.returned, n.path.writes) for n in tree.nodes if n.kind == "outcome"
    ]
    assert len(outcomes) == len(set(outcomes)) <= len(report(folder).paths)
