"""Names that two files use for two things, which one program cannot. Takes an amalgamation; gives edits that rename what is a file's own.

Functions and variables that are static get their file's name behind theirs, in the file that comes later. Types with one name and
two meanings cannot be told apart safely, so they are refused.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from tree_sitter import Node

from ..source.nodes import node_text
from .definitions import Definition, Name, Place
from .excerpt import Edit, excerpt


class Clash(ValueError):
    """Two things of one name that cannot be renamed; one line that says which and what to do."""


def repeated(pieces: Sequence[Definition]) -> set[Place]:
    """Types that a second file spells out again in the same words."""
    first: dict[Name, Definition] = {}
    out: set[Place] = set()
    for piece in pieces:
        if piece.kind != "type":
            continue
        others = [first[n] for n in piece.names if n in first and first[n].place != piece.place]
        if others and all(_words(excerpt(o)) == _words(excerpt(piece)) for o in others):
            out.add(piece.place)
        elif others:
            name = sorted(n for _, n in piece.names)[0]
            files = f"{posixpath.basename(others[0].file)} and {posixpath.basename(piece.file)}"
            raise Clash(f"{files} define {name} differently, and one file cannot hold both: rename one of them")
        for n in piece.names:
            first.setdefault(n, piece)
    return out


def check_prefix(pieces: Sequence[Definition]) -> None:
    """See that no name can be one of the runtime's.

    Raises:
        Clash: if one has the runtime's prefix.
    """
    for piece in pieces:
        for _, name in sorted(piece.names):
            if name.lower().startswith("maestro_"):
                raise Clash(
                    f"{name} ({piece.line(piece.start)}) has the prefix of what a generated program adds: give it another name"
                )


def check_copies(copies: Mapping[Place, Sequence[Definition]]) -> None:
    """See that what several files take from a header means the same in all of them.

    Raises:
        Clash: if macros make it something else.
    """
    for _, pieces in sorted(copies.items()):
        texts = {" ".join(node_text(p.node).split()) for p in pieces if p.node is not None}
        if len(texts) > 1:
            name = sorted(n for _, n in pieces[0].names)[0]
            files = " and ".join(sorted({posixpath.basename(p.unit.path) for p in pieces}))
            raise Clash(
                f"{name} ({pieces[0].line(pieces[0].start)}) means different things in {files}, and one file cannot hold both: give "
                "each a name of its own"
            )


def check_macros(pieces: Sequence[Definition]) -> None:
    """See that each macro that a piece uses has one meaning in its file.

    Raises:
        Clash: if one has several, or loses its meaning before the file ends.
    """
    for piece in pieces:
        changing = piece.unit.pre.redefined if piece.kind != "macro" else frozenset()
        if not changing:
            continue
        own = set(re.findall(r"#[ \t]*define[ \t]+(\w+)", excerpt(piece)))
        seen: set[str] = set()
        pending = list(piece.words)
        while pending:
            word = pending.pop()
            if word in seen:
                continue
            seen.add(word)
            if word in changing and word not in own:
                raise Clash(
                    f"{word}, which {piece.line(piece.start)} uses, is defined several times with different meanings, or undefined "
                    "later: give each meaning a name of its own"
                )
            macro = piece.unit.pre.macros.get(word)
            pending += macro.words if macro is not None else ()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL))


def renamed(pieces: Sequence[Definition]) -> dict[str, list[Edit]]:
    """Edits, by file, that give static functions and variables names of their own."""
    owner: dict[str, Definition] = {}
    new: dict[str, dict[str, str]] = {}  # path of the unit -> old name -> new name
    for piece in pieces:
        if piece.kind not in ("function", "variable"):
            continue
        for _, name in sorted(n for n in piece.names if n[0] == "name"):
            other = owner.setdefault(name, piece)
            if other.place == piece.place:
                continue
            loser = piece if piece.static else other
            if not loser.static:
                files = f"{posixpath.basename(other.file)} and {posixpath.basename(piece.file)}"
                raise Clash(f"{files} both define {name}: make one of them static, or rename it")
            stem = re.sub(r"\W", "_", posixpath.splitext(posixpath.basename(loser.file))[0])
            new.setdefault(loser.unit.path, {})[name] = f"{name}_{stem}"
    edits: dict[str, list[Edit]] = {}
    for piece in pieces:
        names = new.get(piece.unit.path)
        if not names or piece.file != piece.unit.path:
            continue
        if piece.node is None:
            _rename_words(piece, names, edits)
        else:
            _rename_identifiers(piece, piece.node, names, edits)
    return {path: sorted(set(found)) for path, found in edits.items()}


def _rename_identifiers(piece: Definition, node: Node, names: dict[str, str], edits: dict[str, list[Edit]]) -> None:
    pending = [node]
    while pending:
        current = pending.pop()
        if current.type == "identifier":
            old = node_text(current)
            span = piece.unit.range_span(current.start_byte, current.end_byte)
            text = piece.unit.pre.scans[span.file].source.text[span.start : span.end]
            if old in names and text == old:
                edits.setdefault(span.file, []).append((span.start, span.end, names[old]))
            elif old in names:  # within an invocation of a macro
                for match in re.finditer(rf"(?<![\w.]){re.escape(old)}\b", text):
                    at = span.start + match.start()
                    edits.setdefault(span.file, []).append((at, at + len(old), names[old]))
        else:
            pending.extend(current.children)


def _rename_words(piece: Definition, names: dict[str, str], edits: dict[str, list[Edit]]) -> None:
    text = piece.unit.pre.scans[piece.file].source.text
    for match in re.finditer(r"(?<![\w.>])[A-Za-z_]\w*", text[piece.start : piece.end]):
        if match[0] in names:
            at = piece.start + match.start()
            edits.setdefault(piece.file, []).append((at, at + len(match[0]), names[match[0]]))
