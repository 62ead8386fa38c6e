"""Small changes to a generated file, each of which might make it another program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from maestro_lsp.synthesis.runtime_part import runtime_blocks

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
_SWAPS = [
    ("src_", "dst_"),
    ("dst_", "src_"),
    ("saddr", "daddr"),
    ("daddr", "saddr"),
    ("src_addr", "dst_addr"),
    ("s_addr", "d_addr"),
]
_OPERATORS = [
    ("==", "!="),
    ("!=", "=="),
    ("&&", "||"),
    ("||", "&&"),
    (" < ", " <= "),
    (" > ", " >= "),
    (" + ", " - "),
    (" AND ", " || "),
]


@dataclass(frozen=True)
class Mutant:
    """A changed file."""

    kind: str
    what: str
    text: str


def mutants(text: str) -> Iterator[Mutant]:
    """All of them, in the order of the file."""
    masked = _masked(text)
    for start, end in _functions(masked):
        yield from _in_function(text, masked, start, end)
    for m in re.finditer(r"\bMAESTRO_PER_CORE\b ?", masked):
        yield _replaced("core", text, m.start(), m.end(), "")
    for m in re.finditer(
        r"^static const uint8_t maestro_key_\d+\[\d+\] = \{\s*(0x[0-9a-f]{2}), (0x[0-9a-f]{2})", masked, re.M
    ):
        flipped = f"0x{int(m[2], 16) ^ 0x10:02x}"
        yield _replaced("rss", text, m.start(2), m.end(2), flipped)
    for m in re.finditer(r"\{MAESTRO_\w+, \d, \{(MAESTRO_\w+), (MAESTRO_\w+)", masked):
        yield _replaced("rss", text, m.start(1), m.end(2), f"{m[2]}, {m[1]}")


def _in_function(text: str, masked: str, start: int, end: int) -> Iterator[Mutant]:
    body = masked[start:end]
    for m in re.finditer(r"^[ \t]*(\w+)\([^;{}]*\);$", body, re.M):
        yield _replaced("call", text, start + m.start(1), start + m.end(), ";")
    for a, b in _SWAPS:
        for m in re.finditer(rf"(?:->|\.){a}\w*", body):
            yield _replaced("field", text, start + m.start(), start + m.end(), m[0].replace(a, b, 1))
    for a, b in _OPERATORS:
        for m in re.finditer(re.escape(a), body):
            yield _replaced("operator", text, start + m.start(), start + m.end(), b)
    for m in re.finditer(r"(?<![\w.#\"'])(\d+)(?=[uUlL]*\b)(?!\.)", body):
        yield _replaced("constant", text, start + m.start(1), start + m.end(1), str(int(m[1], 0) + 1))
    for m in re.finditer(r"^[ \t]*(?:\*|\w)[\w\->.\[\]*]* [-+|&^]?= [^;{}]*;$", body, re.M):
        yield _replaced("assignment", text, start + m.start(), start + m.end(), ";")


def _replaced(kind: str, text: str, start: int, end: int, by: str) -> Mutant:
    line = text.count("\n", 0, start) + 1
    return Mutant(kind, f"line {line}: {text[start:end].strip()} -> {by}", text[:start] + by + text[end:])


def _masked(text: str) -> str:
    """The text with runtime, comments and strings blank, at the same places."""

    for block in runtime_blocks(text):
        text = text.replace(block, _blank(block), 1)
    return _STRING.sub(lambda m: _blank(m[0]), _COMMENT.sub(lambda m: _blank(m[0]), text))


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _functions(masked: str) -> Iterator[tuple[int, int]]:
    """Bodies of functions that packets or start-up run: all but the parsing and printing of arguments."""
    for m in re.finditer(r"^[\w *]+?\b(\w+)\([^;{}]*\) \{\n(.*?)^\}", masked, re.M | re.S):
        if not re.search(r"config|parse|usage|print|log|mac_to_str", m[1]):
            yield m.start(2), m.end(2)
