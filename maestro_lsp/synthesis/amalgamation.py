"""One program out of many files: the pieces of an NF's sources that its entry points reach, in an order that compiles.

Takes a program and the names to start from; gives the pieces, unit by unit, those that are called before those that call them, and
within a unit in the order of the source. Declarations stay only where something is used before its definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..libvig.catalogue import Catalogue
from ..source.headers import PREFIX
from ..source.program import Program
from ..source.unit import Unit
from .definitions import Definition, Libraries, Name, Place, UnitPieces, mentioned, pieces_of
from .excerpt import excerpt

_WORD = re.compile(r"[A-Za-z_$]\w*")
_NO_CODE = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


@dataclass(frozen=True)
class Amalgamation:
    """The pieces of an NF.

    pieces     in order
    includes   headers to include: the operand as it is written, brackets or quotes included
    undefined  for a piece (by place): macros that an earlier file defined otherwise
    external   names that headers introduce
    copies     pieces of headers that several units reach (by place): as each of them reads it
    """

    pieces: tuple[Definition, ...]
    includes: tuple[str, ...]
    undefined: Mapping[Place, tuple[str, ...]]
    external: frozenset[str]
    copies: Mapping[Place, tuple[Definition, ...]]
    links: Links = field(repr=False)


class Links:
    """What the names in a unit mean, across units."""

    def __init__(self, program: Program, catalogue: Catalogue, own: Iterable[str], provided: frozenset[str]) -> None:
        self.program = program
        self.catalogue = catalogue
        self.libraries = Libraries(program, catalogue, own)
        self.provided = provided
        self._units: dict[str, UnitPieces] = {}
        self._mentioned: dict[Place, Definition] = {}

    def unit(self, unit: Unit) -> UnitPieces:
        found = self._units.get(unit.path)
        if found is None:
            found = self._units[unit.path] = pieces_of(unit, self.libraries)
        return found

    def full(self, piece: Definition) -> Definition:
        """The piece with what it mentions."""
        found = self._mentioned.get(piece.place)
        if found is None:
            words = frozenset(_WORD.findall(_NO_CODE.sub(" ", excerpt(piece))))
            names = mentioned(piece.node) - piece.names if piece.node is not None else frozenset()
            found = self._mentioned[piece.place] = replace(piece, mentions=names, words=words | piece.words)
        return found

    def lookup(self, name: Name, unit: Unit) -> list[Definition]:
        """The pieces that a name in a unit may mean, declarations among them; empty if it is not the program's."""
        if name[0] == "name" and name[1] in self.provided:
            return []
        pieces = self.unit(unit)
        found = list(pieces.by_name.get(name, ()))
        if any(not p.only_declares for p in found) or name[0] == "tag" or name[1] in pieces.external:
            return found
        definition = self._defined(name[1], unit)
        return [*found, definition] if definition is not None else found

    def _defined(self, name: str, unit: Unit) -> Definition | None:
        """The definition in another unit."""
        if name not in unit.declared and name not in unit.globals:
            return None
        function = self.program.function(name, unit)
        other = function.unit if function is not None else None
        if other is None:
            variable = self.program.global_(name, unit)
            other = variable.unit if variable is not None and not variable.extern else None
        if other is None or other is unit:
            return None
        candidates = self.unit(other).by_name.get(("name", name), ())
        return next((p for p in candidates if not p.only_declares), None)


def amalgamate(
    program: Program, catalogue: Catalogue, own: Sequence[str], roots: Sequence[str], provided: frozenset[str]
) -> Amalgamation:
    """Collect what the roots reach.

    own       the NF's files, which are never taken for a library's
    roots     names of functions; those that nobody defines are left out
    provided  names that the runtime gives: definitions of them are left out
    """
    links = Links(program, catalogue, own, provided)
    kept, copies = _closure(links, roots)
    order = _in_order(links, kept, program, roots)
    order = _without_idle_declarations(links, order)
    external = frozenset().union(*(links.unit(u).external for u in _units_of(order)))
    return Amalgamation(tuple(order), _includes(links, order), _redefinitions(order), external, copies, links)


def _closure(links: Links, roots: Sequence[str]) -> tuple[dict[Place, Definition], dict[Place, tuple[Definition, ...]]]:
    """All pieces that are reached, and declarations of what is reached; and those that several units reach."""
    kept: dict[Place, Definition] = {}
    reached: dict[Place, dict[str, Definition]] = {}
    pending: list[Definition] = []

    def add(piece: Definition) -> None:
        units = reached.setdefault(piece.place, {})
        if piece.unit.path not in units:
            units[piece.unit.path] = piece
            kept.setdefault(piece.place, piece)
            pending.append(piece)

    for root in roots:
        for unit in list(links.program.units):
            for piece in links.unit(unit).by_name.get(("name", root), ()):
                if piece.kind == "function":
                    add(piece)
    while pending:
        unit = pending[-1].unit
        piece = links.full(pending.pop())
        kept[piece.place] = piece
        macros = links.unit(unit).macros
        for word in sorted(piece.words):
            macro = macros.get(word)
            if macro is not None and word not in links.provided:
                add(macro)
        for name in sorted(piece.mentions):
            for found in links.lookup(name, unit):
                for one in _made_together(links.unit(found.unit), found):
                    add(one)
    return kept, {place: tuple(units.values()) for place, units in reached.items() if len(units) > 1}


def _made_together(unit: UnitPieces, piece: Definition) -> list[Definition]:
    """A piece, with those that the same invocation of a macro makes."""
    same = [p for p in unit.pieces if (p.file, p.start) == (piece.file, piece.start)] if piece.kind != "macro" else []
    return same if len(same) > 1 else [piece]


def _units_of(pieces: Iterable[Definition]) -> list[Unit]:
    return list({p.unit.path: p.unit for p in pieces}.values())


def _in_order(
    links: Links, kept: Mapping[Place, Definition], program: Program, roots: Sequence[str]
) -> list[Definition]:
    """The pieces unit by unit, those that others call first."""
    order: list[Definition] = []
    seen: set[Place] = set()
    for unit in _units_by_calls(links, kept, program):
        pieces = links.unit(unit)
        mine = [kept[p.place] for p in pieces.pieces if p.place in kept and p.place not in seen]
        seen.update(p.place for p in mine)
        macros = [kept[m.place] for m in pieces.macros.values() if m.place in kept and m.place not in seen]
        seen.update(m.place for m in macros)
        order += _with_macros(mine, macros, pieces)
    return order


def _units_by_calls(links: Links, kept: Mapping[Place, Definition], program: Program) -> list[Unit]:
    """Units in such an order that what one calls comes before it, as far as they do not call each other in turn."""
    needs: dict[str, set[str]] = {}
    for piece in kept.values():
        for name in piece.mentions:
            for other in links.lookup(name, piece.unit):
                if other.kind == "function" and other.file == other.unit.path:
                    needs.setdefault(piece.unit.path, set()).add(other.unit.path)
    units = {u.path: u for u in program.units}
    position = {path: i for i, path in enumerate(units)}
    out: list[Unit] = []
    visited: set[str] = set()

    def visit(path: str) -> None:
        if path in visited:
            return
        visited.add(path)
        for other in sorted(needs.get(path, ()), key=lambda p: -position.get(p, 0)):
            visit(other)
        out.append(units[path])

    entry, *others = units
    for path in (*others, entry):
        visit(path)
    return out


def _with_macros(pieces: list[Definition], macros: list[Definition], unit: UnitPieces) -> list[Definition]:
    """Pieces with the macros that they use: each before the next piece of its file, and before its first use."""
    before: dict[int, list[Definition]] = {}
    uses = _first_uses(pieces, macros)
    own = next((i for i, p in enumerate(pieces) if p.file == unit.unit.path), len(pieces))
    for macro in sorted(macros, key=lambda m: (m.file, m.start)):
        beside = (i for i, p in enumerate(pieces) if p.file == macro.file and p.start > macro.start)
        at = min(next(beside, own), uses.get(macro.place, len(pieces)))
        before.setdefault(at, []).append(macro)
    order: list[Definition] = []
    for i in range(len(pieces) + 1):
        order += before.get(i, [])
        order += pieces[i : i + 1]
    return order


def _first_uses(pieces: Sequence[Definition], macros: Sequence[Definition]) -> dict[Place, int]:
    """For each macro the first piece whose text it changes, by way of other macros too."""
    by_name = {name: m for m in macros for _, name in m.names}
    found: dict[Place, int] = {}
    for i, piece in enumerate(pieces):
        pending = [by_name[w] for w in piece.words if w in by_name]
        while pending:
            macro = pending.pop()
            if macro.place not in found:
                found[macro.place] = i
                pending += [by_name[w] for w in macro.words if w in by_name]
    return found


def _without_idle_declarations(links: Links, order: list[Definition]) -> list[Definition]:
    """Leave out declarations of what is defined before it is used, and repeated ones."""
    while True:
        defined: dict[Name, int] = {}
        used: dict[Name, int] = {}
        for i, piece in enumerate(order):
            if piece.kind == "macro":
                continue
            if not piece.only_declares:
                for name in piece.names:
                    defined.setdefault(name, i)
            for name in piece.mentions:
                used.setdefault(name, i)
        declared: set[Name] = set()
        out: list[Definition] = []
        for piece in order:
            if piece.only_declares:
                external = links.unit(piece.unit).external
                needed = [
                    n
                    for n in piece.names
                    if n in used and n not in declared and n[1] not in external and used[n] < defined.get(n, len(order))
                ]
                if not needed:
                    continue
                declared.update(piece.names)
            out.append(piece)
        if len(out) == len(order):
            return out
        order = out


def _redefinitions(order: Sequence[Definition]) -> dict[Place, tuple[str, ...]]:
    """Macros to forget before a piece defines them otherwise."""
    texts: dict[str, str] = {}
    out: dict[Place, tuple[str, ...]] = {}
    for piece in order:
        if piece.kind != "macro":
            continue
        ((_, name),) = piece.names
        text = piece.unit.pre.macros[name].text
        if name in texts and texts[name] != text:
            out[piece.place] = (name,)
        texts[name] = text
    return out


def _includes(links: Links, order: Sequence[Definition]) -> tuple[str, ...]:
    """The operands of #include lines of the program's own files: all that lead to headers of the system and of DPDK, and those to
    libVig's containers whose names are used."""
    words = frozenset().union(*(p.words for p in order)) if order else frozenset()
    found: dict[str, None] = {}
    for unit in _units_of(order):
        mine = [i for i in unit.pre.includes if i.span.file not in links.libraries]
        needed = {path for name, path in links.unit(unit).external.items() if name in words and _is_libvig(path)}
        direct = {i.path for i in mine}
        inner: dict[str, set[str]] = {}
        for include in unit.pre.includes:
            if include.path is not None:
                inner.setdefault(include.span.file, set()).add(include.path)
        for include in mine:
            if include.path is not None and _is_libvig(include.path) and include.path in links.libraries:
                reached = _reached(include.path, inner)
                if not _is_about_packets(reached, links, unit) and (
                    include.path in needed or not (reached & needed) <= direct or include.path.endswith("/libvig.h")
                ):
                    # a project without libVig is built with ours, whatever folder it names
                    ours = include.path.startswith(PREFIX + "libvig/")
                    found[f'"{include.path.removeprefix(PREFIX) if ours else include.name}"'] = None
            elif include.path is None or include.path in links.libraries:
                text = unit.pre.scans[include.span.file].source.text
                found[text[include.span.start : include.span.end]] = None
    return tuple(found)


def _is_libvig(path: str) -> bool:
    """Whether a library's header is libVig's, rather than the system's or DPDK's."""
    return bool(path) and (not path.startswith(PREFIX) or path.startswith((PREFIX + "libvig/", PREFIX + "libvig.h")))


def _reached(path: str, inner: Mapping[str, set[str]]) -> set[str]:
    """A header and all that it includes."""
    found = {path}
    pending = [path]
    while pending:
        new = inner.get(pending.pop(), set()) - found
        found |= new
        pending.extend(new)
    return found


def _is_about_packets(paths: set[str], links: Links, unit: Unit) -> bool:
    """Whether headers declare packet I/O, which is the runtime's part."""
    packets = {n for n, specs in links.catalogue.calls.items() if any(s.op.startswith("packet-") for s in specs)}
    external = links.unit(unit).external
    return any(external.get(n) in paths for n in packets)
