"""Values of C literals: integers, characters and strings, as their spelling gives them (C11 6.4.4, 6.4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9]\d*)([uUlL]*|[uU]?[iI]64)\Z")
_SUFFIXES = frozenset(("", "u", "l", "ul", "lu", "ll", "ull", "llu"))
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIMPLE = {
    "n": 10,
    "t": 9,
    "r": 13,
    "0": 0,
    "a": 7,
    "b": 8,
    "f": 12,
    "v": 11,
    "e": 27,
    "\\": 92,
    "'": 39,
    '"': 34,
}


class IntegerLiteral(NamedTuple):
    """longs counts the `l` of the suffix; decimal literals never become unsigned by size alone."""

    value: int
    unsigned: bool
    longs: int
    decimal: bool


def integer_literal(text: str) -> IntegerLiteral | None:
    """The value of an integer literal; None if it is none. `'` separates digits as in C23."""
    match = _INTEGER.match(text.replace("'", ""))
    if match is None:
        return None
    digits, suffix = match[1], match[2].lower()
    if suffix not in _SUFFIXES:
        return None
    if digits[:2] in ("0x", "0X"):
        value = int(digits[2:], 16)
    elif digits[:2] in ("0b", "0B"):
        value = int(digits[2:], 2)
    elif digits[0] == "0":
        value = int(digits, 8)
    else:
        value = int(digits) if len(digits) < 100 else int(digits[:100])
    return IntegerLiteral(value, "u" in suffix, suffix.count("l"), digits[0] != "0")


def character_value(text: str) -> int:
    """The int that a character constant such as 'a', '\\n' or 'ab' stands for (char is signed on x86-64)."""
    wide = text[0] != "'"
    inside = text[text.find("'") + 1 : -1]
    if wide:
        return next(reversed([value for value, _ in _characters(inside)]), 0)
    values = _bytes(inside)
    if not values:
        return 0
    if len(values) == 1:
        return values[0] - 256 if values[0] > 127 else values[0]
    result = 0
    for value in values:
        result = (result << 8 | value) & 0xFFFFFFFF
    return result - (1 << 32) if result >> 31 else result


def string_bytes(text: str) -> bytes:
    """The bytes of a string literal `"..."` (prefix u8 or none), without the final zero."""
    return _bytes(text[text.find('"') + 1 : -1])


def _bytes(inside: str) -> bytes:
    return b"".join(
        chr(value).encode("utf-8", "surrogatepass") if is_code_point else bytes([value & 0xFF])
        for value, is_code_point in _characters(inside)
    )


def _characters(inside: str) -> Iterator[tuple[int, bool]]:
    """The value of each character, and whether it is one of Unicode rather than a byte that is given by its number."""
    position = 0
    for match in _ESCAPE.finditer(inside):
        yield from ((ord(char), True) for char in inside[position : match.start()])
        escape = match[1]
        if escape[0] == "x" and len(escape) > 1:
            yield int(escape[1:], 16), False
        elif escape[0] in "01234567":
            yield int(escape, 8), False
        elif escape[0] in "uU" and len(escape) > 1:
            yield min(int(escape[1:], 16), 0x10FFFF), True
        else:
            yield _SIMPLE.get(escape, ord(escape)), True
        position = match.end()
    yield from ((ord(char), True) for char in inside[position:])
