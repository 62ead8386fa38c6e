"""The decision tree as a graph for Graphviz and for editors, its nodes in the source's terms."""

from __future__ import annotations

from typing import Any

from ..check import Report
from ..source.text import Span
from ..synthesis.tree import Node, Tree, decision_tree
from .expressions import Printer
from .paths import call_text, outcome

_SHAPES = {"condition": "diamond", "call": "box", "outcome": "box, style=rounded"}


def graph(r: Report) -> tuple[Tree, dict[int, str], list[tuple[str, str, str]]]:
    """The tree, a name for each of its nodes by id, and the edges (from, to, label)."""
    engine = r.execution.engine
    tree = decision_tree(r.paths, engine.solver if engine is not None else None)
    names = {n.id: f"n{i}" for i, n in enumerate(tree.nodes)}
    edges = []
    for n in tree.nodes:
        yes = "yes" if n.kind == "condition" else ""
        following = ((n.then, yes), (n.otherwise, "no"))
        edges += [(names[n.id], names[to.id], word) for to, word in following if to is not None]
    return tree, names, edges


def label(r: Report, n: Node) -> str:
    """A node in words."""
    show = Printer(r, n.path)
    if n.condition is not None:
        return show(n.condition.expr)
    if n.call is not None:
        return call_text(r, n.call, show, answer=False)
    writes = [f"{name} = {value}" for name, value in show.writes(n.path.writes)]
    return "\n".join([*writes, outcome(n.path, show)])


def span(r: Report, n: Node) -> Span | None:
    """Where a node stands in the source."""
    if n.condition is not None:
        return n.condition.span
    return n.call.span if n.call is not None else r.execution.entry


def dot(r: Report) -> str:
    """The tree for Graphviz."""
    tree, names, edges = graph(r)
    lines = [f'digraph "{_quoted(r.name)}" {{', "  node [fontname=monospace];"]
    for device, root in tree.roots.items():
        lines += [f'  d{device} [label="device {device}", shape=ellipse];', f"  d{device} -> {names[root.id]};"]
    lines += [f'  {names[n.id]} [label="{_quoted(label(r, n))}", shape={_SHAPES[n.kind]}];' for n in tree.nodes]
    lines += [f'  {a} -> {b} [label="{word}"];' if word else f"  {a} -> {b};" for a, b, word in edges]
    return "\n".join([*lines, "}"])


def document(r: Report) -> dict[str, Any]:
    """The tree as data: nodes with their spans, and edges. Ids are those of dot."""
    tree, names, edges = graph(r)
    return {
        "roots": [{"device": d, "node": names[root.id]} for d, root in tree.roots.items()],
        "nodes": [{"id": names[n.id], "label": label(r, n), "kind": n.kind, "span": span(r, n)} for n in tree.nodes],
        "edges": [{"from": a, "to": b, "label": word} for a, b, word in edges],
    }


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
