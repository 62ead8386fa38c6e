"""Constant expressions of #if and #elif. Takes expanded tokens; gives the value. Arithmetic is that of C's
preprocessor: 64 bits, signed or unsigned, identifiers that are left count 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from maestro_lsp.source.literals import character_value, integer_literal
from maestro_lsp.source.macros import Token

_BINARY = {
    "*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<": 7, "<=": 7, ">": 7, ">=": 7,
    "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1,
}  # fmt: skip
_MAX_DEPTH = 150


class BadCondition(Exception):
    """The expression cannot be evaluated; the message says why."""


class _Value(NamedTuple):
    value: int
    unsigned: bool


def evaluate(tokens: list[Token], is_defined: Callable[[str], bool], has_include: Callable[[str], bool]) -> int:
    """The value of a condition. Raises BadCondition."""
    parser = _Parser([token.text for token in tokens], is_defined, has_include)
    if not parser.tokens:
        raise BadCondition("#if with no expression")
    value = parser.conditional(True)
    if parser.position < len(parser.tokens):
        raise BadCondition(f"unexpected '{parser.tokens[parser.position]}' in the condition")
    return value.value


class _Parser:
    """Recursive descent. `live` is false in operands that are not evaluated, where dividing by 0 is fine."""

    def __init__(
        self, tokens: list[str], is_defined: Callable[[str], bool], has_include: Callable[[str], bool]
    ) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0
        self.is_defined = is_defined
        self.has_include = has_include

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise BadCondition("the condition ends too early")
        self.position += 1
        return token

    def expect(self, text: str) -> None:
        if self.next() != text:
            raise BadCondition(f"missing '{text}' in the condition")

    def conditional(self, live: bool) -> _Value:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise BadCondition("the condition is nested too deeply")
        value = self.binary(1, live)
        if self.peek() == "?":
            self.position += 1
            yes = self.conditional(live and value.value != 0)
            self.expect(":")
            no = self.conditional(live and value.value == 0)
            unsigned = yes.unsigned or no.unsigned
            value = _wrap((yes if value.value else no).value, unsigned)
        self.depth -= 1
        return value

    def binary(self, least: int, live: bool) -> _Value:
        left = self.unary(live)
        while (level := _BINARY.get(self.peek(), 0)) >= least:
            operator = self.next()
            right_live = live and not (operator == "&&" and not left.value) and not (operator == "||" and left.value)
            right = self.binary(level + 1, right_live)
            left = _apply(operator, left, right, right_live)
        return left

    def unary(self, live: bool) -> _Value:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise BadCondition("the condition is nested too deeply")
        try:
            return self._unary(live)
        finally:
            self.depth -= 1

    def _unary(self, live: bool) -> _Value:
        token = self.next()
        if token == "(":
            value = self.conditional(live)
            self.expect(")")
            return value
        if token == "!":
            return _Value(int(not self.unary(live).value), False)
        if token in ("-", "+", "~"):
            value = self.unary(live)
            result = -value.value if token == "-" else ~value.value if token == "~" else value.value
            return _wrap(result, value.unsigned)
        if token == "defined":
            return _Value(int(self.is_defined(self.name())), False)
        if token in ("__has_include", "__has_include_next"):
            return _Value(int(self.has_include(self.header())), False)
        if token in (
            "__has_attribute",
            "__has_builtin",
            "__has_c_attribute",
            "__has_feature",
            "__has_extension",
        ):
            self.name()
            return _Value(0, False)
        if token[-1] == "'":
            return _Value(character_value(token), False)
        if token[0].isdigit():
            literal = integer_literal(token)
            if literal is None:
                raise BadCondition(f"'{token}' is no integer")
            return _wrap(literal.value, literal.unsigned or literal.value >= 1 << 63)
        if token[0].isidentifier():
            return _Value(int(token == "true"), False)
        raise BadCondition(f"unexpected '{token}' in the condition")

    def name(self) -> str:
        token = self.next()
        if token != "(":
            return token
        name = self.next()
        depth = 1
        while depth:
            token = self.next()
            depth += (token == "(") - (token == ")")
        return name

    def header(self) -> str:
        self.expect("(")
        parts = []
        while (token := self.next()) != ")":
            parts.append(token)
        return "".join(parts)


def _wrap(value: int, unsigned: bool) -> _Value:
    value &= (1 << 64) - 1
    if not unsigned and value >> 63:
        value -= 1 << 64
    return _Value(value, unsigned)


def _apply(operator: str, left: _Value, right: _Value, live: bool) -> _Value:
    a, b = left.value, right.value
    if operator == "&&":
        return _Value(int(bool(a) and bool(b)), False)
    if operator == "||":
        return _Value(int(bool(a) or bool(b)), False)
    if operator in ("<<", ">>"):
        if b < 0:
            operator, b = (">>" if operator == "<<" else "<<"), -b
        if b >= 64:
            return _wrap(-1 if operator == ">>" and a < 0 else 0, left.unsigned)
        return _wrap(a << b if operator == "<<" else a >> b, left.unsigned)
    unsigned = left.unsigned or right.unsigned
    a, b = _wrap(a, unsigned).value, _wrap(b, unsigned).value
    if operator in ("/", "%"):
        if b == 0:
            if live:
                raise BadCondition("division by zero in the condition")
            return _Value(0, unsigned)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return _wrap(quotient if operator == "/" else a - b * quotient, unsigned)
    if operator in _COMPARE:
        return _Value(int(_COMPARE[operator](a, b)), False)
    return _wrap(_ARITHMETIC[operator](a, b), unsigned)


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, "==": int.__eq__, "!=": int.__ne__,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "*": int.__mul__, "+": int.__add__, "-": int.__sub__, "&": int.__and__, "^": int.__xor__, "|": int.__or__,
}  # fmt: skip
