"""Where an index comes from: a fresh allocation, a map, a cell, a scan, the packet, a constant.

Everything that is said about tables rests on this. Answers are remembered for one analysis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.immutable import immutable
from ..symbex.known_bits import possible_ones
from ..symbex.memo import Memo
from ..symbex.path import CELL, Call, CallPath, Part, Touch, borrowing
from ..symbex.solver import Solver, search
from .access import Access

MAX_PROOFS = 1000  # questions to the solver; what was not asked is not proved
DEFAULT_CAPACITY = 1 << 16  # of a dchain whose range is not known: what its index is taken to be below


@immutable(slots=True)
class Source:
    """Where an index comes from on a path: `kind` is fresh, map, cell, scan, expired, packet, constant or other."""

    kind: str
    object: int | None = None  # the dchain, map or vector it came from
    number: int = -1  # of the call


# A place that an index, or what it is a one-to-one function of, comes from: kind (fresh, scan, expired, map, cell), object, and the
# first of the four bytes of a cell.
Origin = tuple[str, int, int]


class Provenance:
    """Answers about the indices of one NF's paths."""

    def __init__(self, solver: Solver, bound: int = 1 << 31) -> None:
        self.solver = solver
        self.bound = bound  # what every index is below: the largest range of a dchain
        self._given: dict[int, dict[Expr, tuple[Touch, int]]] = {}
        self._sources: dict[tuple[int, Expr], Source] = {}
        self._inner: dict[tuple[int, Expr], Expr | None] = {}
        self._origins: dict[tuple[int, Expr], tuple[Origin, ...]] = {}
        self._read: dict[int, dict[str, set[int]]] = {}
        self._used: dict[
            int, frozenset[Expr]
        ] = {}  # by the identity of a call: it is given the same on all paths that share it
        # of library accesses, and what of their paths' conditions matters to their indices: what is said of one holds for all with its mark
        self.marks: Memo[Access, tuple[int, object]] = Memo(self._mark)
        self._makings: dict[tuple[int, Expr], tuple[Expr, frozenset[Expr]] | int | None] = {}  # by touch and index
        self._about: dict[tuple[int, Expr, frozenset[Expr]], tuple[int, frozenset[Expr]]] = {}
        self._are_on: dict[frozenset[Expr], Memo[Expr, bool]] = {}  # whether conditions are on some leaves alone
        self._places: dict[tuple[Expr, Expr, frozenset[Expr]], tuple[int, int] | None] = {}
        self._of_cells: Memo[Expr, bool] = Memo(lambda leaf: borrowing(leaf) is not None)
        self._proved: dict[object, bool] = {}
        self._asked = 0

    def given(self, p: CallPath) -> dict[Expr, tuple[Touch, int]]:
        """Indices that library calls gave on a path, with the touch and the number of the call."""
        got = self._given.get(p.number)
        if got is None:
            got = {}
            for c in p.calls:
                for t in c.touches:
                    if isinstance(t.value, Expr) and (t.role in _GIVING or t.role.startswith("get")):
                        got.setdefault(t.value, (t, c.number))
            self._given[p.number] = got
        return got

    def context(self, p: CallPath, touch: Touch, index: int | Expr) -> object:
        """What of a path's conditions decides where an index comes from. Paths that have a touch in common share the calls before it;
        those that agree in this as well agree about the index."""
        if isinstance(index, int) or index.op == "sym":
            return None
        key = (id(touch), index)
        if key not in self._makings:
            self._makings[key] = self._making(p, X.leaves(index))
        making = self._makings[key]
        if making is None:
            return None
        if isinstance(making, tuple):
            return self._said(p, *making)
        borrow = p.calls[making].touches[0]  # its index is the holder's, perhaps
        return self.context(p, borrow, borrow.key[0].value) if borrow.key else None

    def _making(self, p: CallPath, leaves: frozenset[Expr]) -> tuple[Expr, frozenset[Expr]] | int | None:
        """What something is made of: a number that a call gave, and the rest; or the cell that a call borrowed."""
        given = self.given(p)
        inside = [leaf for leaf in leaves if leaf in given]
        if len(inside) == 1:
            return inside[0], leaves - {inside[0]}
        cells = {borrowing(leaf) for leaf in leaves}
        return cells.pop() if len(cells) == 1 else None

    def _mark(self, a: Access) -> tuple[int, object]:
        assert a.touch is not None
        return id(a.touch), self.context(a.path, a.touch, a.key[0].value if a.index and a.key else 0)

    def _said(self, p: CallPath, x: Expr, rest: frozenset[Expr]) -> tuple[int, frozenset[Expr]]:
        """What a path says about an index and about what it is put together with."""
        key = (p.number, x, rest)
        if key not in self._about:
            self._about[key] = p.bounds.get(x, self.bound), self._on(p, rest)
        return self._about[key]

    def _on(self, p: CallPath, leaves: frozenset[Expr]) -> frozenset[Expr]:
        """A path's conditions on these leaves alone."""
        if not leaves:
            return leaves
        if leaves not in self._are_on:
            self._are_on[leaves] = Memo(lambda c: bool(X.leaves(c)) and X.leaves(c) <= leaves)
        return frozenset(filter(self._are_on[leaves].__getitem__, p.conjuncts))

    def source(self, p: CallPath, index: int | Expr) -> Source:
        """Where an index expression comes from."""
        if isinstance(index, int):
            return Source("constant")
        key = (p.number, index)
        got = self._sources.get(key)
        if got is None:
            got = self._sources[key] = self._find(p, index)
        return got

    def _find(self, p: CallPath, index: Expr) -> Source:
        found = self.given(p).get(index)
        if found is not None:
            touch, call = found
            return Source(_GIVING.get(touch.role, "map"), touch.object, call)
        leaves = X.leaves(index)
        cells = {borrowing(leaf) for leaf in leaves}
        number = cells.pop() if len(cells) == 1 else None
        if number is not None and cell_bytes(index) is not None:
            return Source("cell", p.calls[number].touches[0].object, number)
        if leaves and all(leaf.op == "byte" and str(leaf.args[0]).startswith(("packet", "config.")) for leaf in leaves):
            return Source("packet")
        return Source("other")

    def inner(self, p: CallPath, index: int | Expr) -> Expr | None:
        """The index that an expression is a one-to-one function of, if it is one of something else than itself."""
        if isinstance(index, int):
            return None
        key = (p.number, index)
        if key not in self._inner:
            found = injective_argument(index) or self.arithmetic(p, index)
            self._inner[key] = found if found is not index else None
        return self._inner[key]

    def origins(self, p: CallPath, index: int | Expr) -> tuple[Origin, ...]:
        """Where an index comes from, and what it is a one-to-one function of, and so on inwards."""
        if isinstance(index, int):
            return ()
        key = (p.number, index)
        got = self._origins.get(key)
        if got is None:
            s = self.source(p, index)
            read = cell_bytes(index) if s.kind == "cell" else (0, 4)
            mine: tuple[Origin, ...] = ()
            if s.object is not None and read is not None and read[1] == 4:
                mine = ((s.kind, s.object, read[0]),)
            inner = self.inner(p, index)
            got = self._origins[key] = mine + (self.origins(p, inner) if inner is not None else ())
        return got

    def holder(self, p: CallPath, index: int | Expr) -> tuple[int, tuple[Part, ...]] | None:
        """(map or vector, key) by which a path got an index that earlier packets stored; None for a fresh index."""
        s = self.source(p, index)
        if s.kind == "map":
            for t in p.calls[s.number].touches:
                if t.object == s.object and t.key is not None:
                    return t.object, t.key
        if s.kind == "cell" and s.object is not None:
            key = p.calls[s.number].touches[0].key
            if key is not None:
                return self.holder(p, key[0].value) or (s.object, key)
        if s.kind in ("fresh", "scan", "expired", "constant"):
            return None
        inner = self.inner(p, index)
        return self.holder(p, inner) if inner is not None else None

    def cells_of(self, p: CallPath) -> dict[str, int]:
        """Names of the cells that a path has borrowed, with their vectors."""
        return {f"{CELL}#{c.number}": t.object for c in p.calls for t in c.touches if t.role == "borrow"}

    def holder_of_cell(self, p: CallPath, leaves: Set[Expr]) -> tuple[int, tuple[Part, ...]] | None:
        """(map or vector, key) by which a path got the index of the cell whose bytes the leaves are."""
        cells = {borrowing(leaf) for leaf in leaves}
        number = cells.pop() if len(cells) == 1 else None
        if number is None:
            return None
        key = p.calls[number].touches[0].key
        return self.holder(p, key[0].value) if key is not None else None

    def arithmetic(self, p: CallPath, index: int | Expr) -> Expr | None:
        """x, where equal values of the expression imply equal x, as in `ports * x + port` with port < ports; shown by its bits, or proved by Z3.
        Depends on nothing but `context`.

        x is an index that a library call gave on this path; that it is below its dchain's capacity is part of condition 1.
        """
        if isinstance(index, int) or X.is_leaf(index):
            return None
        given = self.given(p)
        inside = [leaf for leaf in X.leaves(index) if leaf in given]
        if len(inside) != 1:
            return None
        x = inside[0]
        bound, conditions = self._said(p, x, X.leaves(index) - {x})
        if _piece(index, x, bound, []) is not None:
            return x
        key = (index, conditions, bound)
        proved = self._proved.get(key)
        if proved is None:
            ordered = sorted(conditions, key=lambda e: e.serial)
            proved = _piece(index, x, bound, ordered) is not None or self._prove(index, x, bound, ordered)
            self._proved[key] = proved
        return x if proved else None

    def cell_bytes_read(self, p: CallPath) -> dict[str, set[int]]:
        """For each borrowed cell, the bytes of it as it was before the path on which anything that the path does depends."""
        got = self._read.get(p.number)
        if got is None:
            got = self._read[p.number] = {}
            for leaf in filter(self._of_cells.__getitem__, self.used_leaves(p)):
                got.setdefault(leaf.args[0], set()).add(leaf.args[1])
        return got

    def used_leaves(self, p: CallPath, in_packet: bool = True) -> set[Expr]:
        """Leaves on which a path's conditions, calls and effects depend, and (`in_packet`) what it writes into the packet; a byte
        that goes back to its own place is no effect."""
        for call in p.calls:
            if id(call) not in self._used:
                self._used[id(call)] = _used_by(call, p)
        found = p.effects(in_packet).union(p.asked, *[self._used[id(call)] for call in p.calls])
        return p.with_checked(found)

    def apart(self, p: CallPath, e: Expr, x: Expr, q: CallPath, f: Expr, y: Expr) -> bool:
        """Whether e(x) == f(y) implies x == y, whatever the rest of two packets' paths holds."""
        mine = self._said(p, x, X.leaves(e) - X.leaves(x))[1]
        theirs = self._said(q, y, X.leaves(f) - X.leaves(y))[1]
        place = self._place(e, x, mine)
        if place is not None and place == self._place(f, y, theirs):
            return True
        first, second = (sorted(conditions, key=lambda c: c.serial) for conditions in (mine, theirs))
        twin = {leaf: X.sym(f"twin of {leaf.serial}", leaf.width) for leaf in X.leaves(f)}
        other = X.substitute(y, twin)
        claim: list[int | Expr] = [
            X.eq(e, X.substitute(f, twin), e.width), *_two_below(self.bound, (x, x.width), (other, y.width)),
            *first, *(X.substitute(c, twin) for c in second),
        ]  # fmt: skip
        return self.impossible(claim, {x: 1, other: 0} if isinstance(other, Expr) and X.is_leaf(other) else {})

    def _place(self, e: Expr, x: Expr, conditions: frozenset[Expr]) -> tuple[int, int] | None:
        """Where in an expression an index stands, as `_piece` says it."""
        key = (e, x, conditions)
        if key not in self._places:
            ordered = sorted(conditions, key=lambda c: c.serial)
            self._places[key] = _piece(e, x, self.bound, ordered)
        return self._places[key]

    def _prove(self, index: Expr, x: Expr, bound: int, conditions: list[Expr]) -> bool:
        twin = {leaf: X.sym(f"twin of {leaf.serial}", leaf.width) for leaf in X.leaves(index)}
        y = twin[x]
        claim: list[int | Expr] = [
            X.eq(index, X.substitute(index, twin), index.width), *_two_below(bound, (x, x.width), (y, y.width)),
            *conditions, *(X.substitute(c, twin) for c in conditions),
        ]  # fmt: skip
        return self.impossible(claim, {x: 1, y: 0})

    def impossible(self, claim: Sequence[int | Expr], likely: Mapping[Expr, int] = MappingProxyType({})) -> bool:
        """Whether conditions are proved never to hold together. A counterexample is first looked for where leaves are as is `likely`."""
        if likely:
            narrowed = [X.substitute(c, likely) for c in claim]
            if 0 not in narrowed and search([c for c in narrowed if isinstance(c, Expr)], {}):
                return False
        if any(isinstance(c, int) and not c for c in claim):
            return True
        goal = [c for c in claim if isinstance(c, Expr)]
        self._asked += 1
        return bool(goal) and self._asked <= MAX_PROOFS and self.solver.find(goal[1:], {}, goal[0]) is None


def _two_below(bound: int, *indices: tuple[int | Expr, int]) -> list[int | Expr]:
    """Conditions: two indices are below a bound, and not the same one. Each is given with its width: what stands in a cell may be narrow."""
    w = max(bound.bit_length(), *(width for _, width in indices))
    x, y = (X.zext(index, width, w) for index, width in indices)
    return [X.not_(X.eq(x, y, w), 1), X.ult(x, bound, w), X.ult(y, bound, w)]


def _used_by(call: Call, p: CallPath) -> frozenset[Expr]:
    """Leaves of what a call of a path is given, gives and stores, but for bytes that go back to their own places."""
    values: list[int | Expr] = []
    for t in call.touches:
        values += [part.value for part in t.key or ()]
        values += (*t.arguments, t.time or 0, t.value or 0)
        values += [v for offset, v in t.stored if not _is_kept(p, t, offset, v)]
    return frozenset().union(*map(X.leaves, values))


def _is_kept(p: CallPath, t: Touch, offset: int, v: int | Expr) -> bool:
    """Whether a byte that is stored in a cell is the one that stood there when the path borrowed it."""
    number = borrowing(v) if isinstance(v, Expr) and v.op == "byte" and v.args[1] == offset else None
    borrowed = p.calls[number].touches if number is not None else ()
    return any(b.role == "borrow" and b.object == t.object and b.key == t.key for b in borrowed)


_GIVING = {"allocate": "fresh", "add": "fresh", "expire": "expired", "scan": "scan"}


def cell_bytes(index: Expr) -> tuple[int, int] | None:
    """(first byte, bytes) of the cell that an index is, when it is a run of its bytes, zero-extended at most."""
    offsets: list[int] = []
    for p, w in X.parts_of(index, index.width):
        if isinstance(p, int):
            if p or offsets:
                return None
            continue
        if p.op != "byte" or w != 8:
            return None
        offsets.append(p.args[1])
    if not offsets or offsets != list(range(offsets[0], offsets[0] - len(offsets), -1)):
        return None
    return offsets[-1], len(offsets)


def _piece(e: Expr, x: Expr, bound: int, conditions: Sequence[Expr]) -> tuple[int, int] | None:
    """(first bit, bits) of e that hold x, which is below the bound, if that shows. The conditions are on other leaves than x."""
    if e.op == "add" and isinstance(e.args[0], Expr) and isinstance(e.args[1], Expr):
        rest, holding = sorted(e.args, key=lambda a: x in X.leaves(a))
        if x not in X.leaves(rest) and not possible_ones(rest, conditions) & possible_ones(holding, conditions):
            return _piece(holding, x, bound, conditions)  # no bit is carried
    first = e.width
    for part, w in X.summed_parts(e):
        first -= w
        if part is x or (w >= (bound - 1).bit_length() and part is X.extract(x, 0, w)):
            return first, w
    return None


def injective_argument(e: int | Expr) -> Expr | None:
    """x, where e is a one-to-one function of the index x alone: x + c, x * odd, zero-extension,"""
    if isinstance(e, int):
        return None
    if e.op == "add" and isinstance(e.args[1], int) and isinstance(e.args[0], Expr):
        return e.args[0]
    if e.op == "mul" and isinstance(e.args[1], int) and e.args[1] & 1 and isinstance(e.args[0], Expr):
        return e.args[0]
    if e.op == "concat" and isinstance(e.args[0][0], int) and len(e.args[0]) == 2 and isinstance(e.args[0][1], Expr):
        inner = e.args[0][1]
        return inner if inner.op != "extract" else None
    return None


def same_index(p: CallPath, x: int | Expr, y: int | Expr | None) -> bool:
    """Whether two index expressions are equal on a path."""
    if x is y:
        return True
    if y is None or isinstance(x, int) or isinstance(y, int):
        return x == y
    return p.requires(X.eq(x, y, x.width))
