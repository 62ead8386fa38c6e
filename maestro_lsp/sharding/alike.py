"""Paths that are alike: they do the same, under conditions that differ only in what nothing they do depends on.

An NF that looks at the length of a header, or at a protocol, before it looks at its state has each of its paths several times. What rules
say of tables, indices and cells holds for all of them, and is judged on the first.
"""

from __future__ import annotations

from collections.abc import Set

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.memo import Memo
from ..symbex.path import CallPath


class Alike:
    """Finds paths that are alike. `counted` are the accesses to plain state that matter, by their identities."""

    def __init__(self, counted: Set[int]) -> None:
        self.counted = counted
        self._first: dict[tuple[object, ...], CallPath] = {}
        self._used: dict[tuple[object, ...], frozenset[Expr]] = {}  # leaves of calls, by what they touch
        self._on_packet: Memo[Expr, bool] = Memo(lambda e: all(map(_is_of_packet, X.leaves(e))))

    def first(self, p: CallPath) -> CallPath:
        """The first path so far that a path is alike, perhaps itself."""
        calls = tuple([(id(c.touches), c.result_used) for c in p.calls])
        used = self._used.get(calls)
        if used is None:
            used = self._used[calls] = frozenset().union(*[c.leaves for c in p.calls])
        conditions = [
            id(c) for c in p.conditions if not self._on_packet[c.expr] or not used.isdisjoint(X.leaves(c.expr))
        ]
        plain = tuple([q for q in p.plain if id(q) in self.counted]) if self.counted else ()
        mark = (calls, tuple(conditions), plain, p.writes, p.mbuf, p.regions, p.checksums, p.returned)
        return self._first.setdefault(mark, p)


def _is_of_packet(leaf: Expr) -> bool:
    return str(leaf.args[0]).startswith("packet") if leaf.op == "byte" else leaf is X.sym("pkt_len", 16)
