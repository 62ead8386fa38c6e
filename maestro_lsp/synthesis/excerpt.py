"""The user's text of one piece, as it goes into a generated file: byte for byte, without what does not belong there.

What goes: branches of the preprocessor that are not compiled, with their directives; VeriFast's annotations, which are about the
original files. What comes along: comments directly above a piece and behind it on its line. Edits of the caller are made in the
same pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ..source.scan import Block, Directive, Scan
from ..source.unit import Unit
from .definitions import Definition

Edit = tuple[int, int, str]  # text[start:end] of the file becomes the string

_TOKEN = re.compile(r"""//[^\n]*|/\*(?:.*?\*/|.*\Z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""", re.DOTALL)
_CONDITIONALS = frozenset(("if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif"))
_GAP = re.compile(r"[ \t]*\r?\n?[ \t]*")
_BEHIND = re.compile(r"[ \t]*(?://[^\r\n]*|/\*(?:(?!\*/)[^\r\n])*\*/)[ \t]*(?=\r?\n|\Z)")
_CUT = "\0"  # stands for text that was left out


def excerpt(piece: Definition, edits: Iterable[Edit] = ()) -> str:
    """The text of a piece with the comments that belong to it; several lines, no line end at the last."""
    text = piece.unit.pre.scans[piece.file].source.text
    start = _with_comments(text, piece.start)
    end = piece.end
    behind = _BEHIND.match(text, end)
    if behind is not None and not _is_annotation(behind[0].strip()):
        end = behind.end()
    cuts = [*_inactive(piece.unit, piece.file, start, end), *_annotations(text, start, end)]
    body = _apply(text, start, end, [*edits, *((a, b, _CUT) for a, b in cuts)])
    if piece.kind == "macro":
        body = re.sub(r"^(\s*)#[ \t]+", r"\1#", body, count=1, flags=re.MULTILINE).lstrip()
    return _tidy(body)


def head_comment(scan: Scan) -> str:
    """The comment with which a file begins; empty if there is none."""
    text = scan.source.text
    found: list[str] = []
    position = 0
    for match in _TOKEN.finditer(text):
        if (
            match[0][0] != "/"
            or text[position : match.start()].strip()
            or text.count("\n", position, match.start()) > 1
        ):
            break
        if not _is_annotation(match[0]):
            found.append(match[0].rstrip())
        position = match.end()
    return _tidy("\n".join(found))


def _with_comments(text: str, start: int) -> int:
    """Where the comments directly above a piece begin; the start of its line if there are none."""
    line = text.rfind("\n", 0, start) + 1
    best = line if not text[line:start].strip() else start
    position = best
    for first, last in reversed(_comments(text, start)):
        begin = text.rfind("\n", 0, first) + 1
        if last > position or not _GAP.fullmatch(text, last, position) or text[begin:first].strip():
            break
        position = begin
        if not _is_annotation(text[first:last]):
            best = begin
    return best


@lru_cache(maxsize=64)
def _all_comments(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((m.start(), m.end()) for m in _TOKEN.finditer(text) if m[0][0] == "/")


def _comments(text: str, before: int) -> list[tuple[int, int]]:
    return [c for c in _all_comments(text) if c[1] <= before]


def _is_annotation(comment: str) -> bool:
    """Whether a comment is VeriFast's."""
    return comment.startswith(("//@", "/*@", "//~", "/*~"))


def _annotations(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return [(a, b) for a, b in _all_comments(text) if start <= a and b <= end and _is_annotation(text[a:b])]


def _inactive(unit: Unit, path: str, start: int, end: int) -> list[tuple[int, int]]:
    """What the preprocessor leaves out of text[start:end], and the directives that say so."""
    scan = unit.pre.scans[path]
    text = scan.source.text
    cuts: list[tuple[int, int]] = []
    since = 0  # where the part between two conditionals began
    blocks: list[Block] = []
    definitions: list[bool] = []
    for item in (*scan.items, None):
        if isinstance(item, Block):
            blocks.append(item)
            continue
        if isinstance(item, Directive) and item.name not in _CONDITIONALS:
            if item.name == "define":
                definitions.append(_is_defined(unit, scan, item))
            continue
        begin, finish = (len(text), len(text)) if item is None else _lines(scan, item)
        dead = not any(unit.pre.is_live(path, b) for b in blocks) if blocks else definitions and not any(definitions)
        if dead and since < end and begin > start:
            cuts.append((max(since, start), min(begin, end)))
        if item is not None and begin >= start and finish <= end:
            cuts.append((begin, finish))
        since, blocks, definitions = finish, [], []
        if since >= end:
            break
    return cuts


def _is_defined(unit: Unit, scan: Scan, item: Directive) -> bool:
    """Whether a #define is the one that holds at the end of the unit."""
    return any(
        m.where is not None and m.where[0] is scan and m.where[1] == item.start for m in unit.pre.macros.values()
    )


def _lines(scan: Scan, item: Directive) -> tuple[int, int]:
    """The lines of a directive, its line end included."""
    text = scan.source.text
    begin = scan.offset(item.start)
    begin = text.rfind("\n", 0, begin + len(text[begin:]) - len(text[begin:].lstrip())) + 1
    stop = text.find("\n", scan.end_offset(item.rest_start + len(item.rest)))
    return begin, len(text) if stop < 0 else stop + 1


def _apply(text: str, start: int, end: int, edits: Iterable[Edit]) -> str:
    """text[start:end] with edits; an edit within one that was made before it is left out."""
    out: list[str] = []
    position = start
    for first, last, replacement in sorted(edits, key=lambda e: (e[0], -e[1])):
        if first < position or last > end:
            continue
        out += (text[position:first], replacement)
        position = last
    out.append(text[position:end])
    return "".join(out)


def _tidy(text: str) -> str:
    """Lines of which nothing is left are dropped, and so are repeated blank lines and white space at line ends."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if _CUT in line:
            line = line.replace(_CUT, "")
            if not line.strip():
                continue
        line = line.rstrip()
        if line or (lines and lines[-1]):
            lines.append(line)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines)
