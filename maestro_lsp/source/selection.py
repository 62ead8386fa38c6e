"""Declarations of built-in headers, one by one, so that a unit takes only those that it mentions.

A unit that includes DPDK's headers includes some hundred declarations and uses a dozen. Takes the text of a built-in
header between directives; gives its declarations with the names that they introduce; and chooses those that a text
needs, with those that they need in turn. The texts are this package's own, so a simple reading of them is enough; a
test compares it with the parser's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_MARK = re.compile(r"[;{}]")
_WORD = re.compile(r"[A-Za-z_]\w*")
# A struct, union or enum, its tag if any, and a brace or the end.
_RECORD = re.compile(r"(?:typedef\s+|extern\s+|static\s+)?(struct|union|enum)\b\s*(\w*)\s*(?:(\{)|\Z)")
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)+", re.DOTALL)
_POINTED = re.compile(r"\(\s*\*\s*(\w+)")
_CALLED = re.compile(r"(\w+)\s*\(")


class Declaration(NamedTuple):
    """One declaration: clean[start:end] of its header, the names that it introduces, and all words in it."""

    start: int
    end: int
    names: frozenset[str]
    words: frozenset[str]


def declarations(text: str, start: int) -> tuple[Declaration, ...]:
    """The declarations of a text that begins at `start` of its header."""
    found = []
    depth = begin = 0
    for match in _MARK.finditer(text):
        if match[0] == "{":
            depth += 1
            continue
        depth -= match[0] == "}"
        if depth == 0 and (match[0] == ";" or _is_body(text[begin : match.end()])):
            part = text[begin : match.end()]
            found.append(
                Declaration(start + begin, start + match.end(), names_of(part), frozenset(_WORD.findall(part)))
            )
            begin = match.end()
    return tuple(found)


def choose(declared: Iterable[Declaration], mentioned: set[str]) -> set[Declaration]:
    """The declarations that introduce a mentioned name, and those that these mention."""
    by_name: dict[str, list[Declaration]] = {}
    for declaration in declared:
        for name in declaration.names:
            by_name.setdefault(name, []).append(declaration)
    chosen: set[Declaration] = set()
    pending = [name for name in by_name if name in mentioned]
    while pending:
        for declaration in by_name.pop(pending.pop(), ()):
            if declaration not in chosen:
                chosen.add(declaration)
                pending.extend(word for word in declaration.words if word in by_name)
    return chosen


def names_of(part: str) -> frozenset[str]:
    """The names that a declaration introduces: tags, enumeration constants, typedefs, functions, variables."""
    part = _ATTRIBUTE.sub("", part).strip(" \n;")
    names: set[str] = set()
    record = _RECORD.match(part)
    if record is not None and record[1] == "enum" and record[3]:
        inside = part[record.end() : part.index("}")]
        names.update(constant.split("=")[0].strip() for constant in inside.split(",") if constant.strip())
    if record is not None and record[2]:
        names.add(record[2])
    tail = part[part.rfind("}") + 1 :] if record is not None else part[: part.find("{")] if _is_body(part) else part
    called, pointed = _CALLED.search(tail), _POINTED.search(tail)
    if called is not None and pointed is not None and pointed.start() == called.end() - 1:
        names.add(pointed[1])  # void (*name)(...), or a function that returns such a pointer
    elif called is not None:
        names.add(called[1])
    elif record is None or record[3]:
        for declarator in tail.split(","):
            names.update(_WORD.findall(declarator.split("[")[0])[-1:])
    return frozenset(names)


def _is_body(part: str) -> bool:
    """Whether a part that ends in a brace is a function's definition."""
    opening = part.find("{")
    return opening >= 0 and part[:opening].rstrip().endswith(")") and part.split(None, 1)[0] != "struct"
