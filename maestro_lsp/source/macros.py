"""Macros: preprocessing tokens, definitions and their expansion. Takes the table of macros and tokens; gives
tokens. Expansion follows the C standard with hide sets (Prosser's algorithm, which the standard's wording
comes from), and GNU C where NFs use it: `, ##__VA_ARGS__`, named variadic parameters, `__VA_OPT__`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from maestro_lsp.source.scan import Scan
from maestro_lsp.source.text import Span

_MAX_TOKENS = 1_200_000  # produced by all expansions of a unit: some seconds
_MAX_TOKENS_ONCE = 100_000  # produced by one invocation
_MAX_DEPTH = 60  # nesting of macro arguments; C requires 63 nested parentheses, programs use a handful

LEXEME = re.compile(
    r"""(?P<space>\s+)
    |(?P<name>[A-Za-z_$\u0080-\U0010ffff][\w$]*)
    |(?P<number>\.?\d(?:[eEpP][+-]|'(?=\w)|[\w.])*)
    |(?P<string>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)
    |(?P<mark>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|%:%:|.)""",
    re.VERBOSE | re.DOTALL,
)
_DEFINED = re.compile(r"\s*([A-Za-z_$\u0080-\U0010ffff][\w$]*)")
_GLUE = frozenset("+-&|<>=#.*/%:!^")


class Token(NamedTuple):
    """A preprocessing token: its spelling, whether white space stood before it, and the macros that must not
    expand it any more."""

    text: str
    space: bool
    hide: frozenset[str]


NOTHING: frozenset[str] = frozenset()
_PLACEMARKER = Token("", False, NOTHING)


@dataclass(frozen=True, eq=False)
class Macro:
    """A definition.

    params    names, the variadic one last; None for an object-like macro
    variadic  whether the last parameter takes all remaining arguments
    text      the replacement list as written
    dynamic   for __LINE__ and its like: computes the replacement at each use
    """

    name: str
    params: tuple[str, ...] | None
    variadic: bool
    text: str
    where: tuple[Scan, int, int] | None = None
    dynamic: Callable[[], str] | None = None

    @cached_property
    def body(self) -> tuple[Token, ...]:
        """The replacement list."""
        return tuple(tokenize(self.text))

    @cached_property
    def words(self) -> frozenset[str]:
        """The identifiers in the replacement list."""
        return frozenset(token.text for token in self.body if token.text[0].isidentifier())

    @property
    def is_plain(self) -> bool:
        """Whether it stands for its text, but for macros in that."""
        return self.params is None and self.dynamic is None and "##" not in self.text

    @property
    def span(self) -> Span | None:
        """Where the user wrote the definition; None for those that come from settings or are built in."""
        if self.where is None:
            return None
        scan, start, end = self.where
        return Span(scan.source.path, scan.offset(start), scan.end_offset(end))


class TooMuch(Exception):
    """The expansion exceeds what a real program needs (a macro bomb)."""


class Incomplete(Exception):
    """The text ends within an invocation."""


def tokenize(text: str) -> list[Token]:
    """The preprocessing tokens of a text."""
    tokens = []
    space = False
    position = 0
    while position < len(text):
        token, position = _lex(text, position, space)
        if token is None:
            space = True
        else:
            tokens.append(token)
            space = False
    return tokens


def _lex(text: str, position: int, space: bool) -> tuple[Token | None, int]:
    """The token at a position, or None for white space; and where it ends."""
    match = LEXEME.match(text, position)
    assert match is not None  # the last alternative matches any character
    end = match.end()
    if match.lastgroup == "space":
        return None, end
    if match.lastgroup == "name" and end < len(text) and text[end] in "\"'" and match[0] in ("L", "u", "U", "u8"):
        literal = LEXEME.match(text, end)
        if literal is not None and literal.lastgroup == "string":
            end = literal.end()
    return Token(text[position:end], space, NOTHING), end


def spell(tokens: Iterable[Token]) -> str:
    """The text of tokens, with a space wherever two of them would otherwise read as one."""
    parts: list[str] = []
    last = ""
    for token in tokens:
        text = token.text
        if not text:
            continue
        if last and (token.space or _sticks(last, text)):
            parts.append(" ")
        parts.append(text)
        last = text
    return "".join(parts)


def _sticks(left: str, right: str) -> bool:
    a, b = left[-1], right[0]
    if a in _GLUE and b in _GLUE:
        return True
    word = b.isalnum() or b in "_$" or b > "\x7f"
    if a.isalnum() or a in "_$" or a > "\x7f":
        return word or b in "\"'" or (b in ".+-" and left[0] in ".0123456789")
    return a == "." and b.isdigit()


def define(rest: str, where: tuple[Scan, int, int] | None = None) -> Macro | str:
    """The macro that `#define rest` defines, or what is wrong with it."""
    match = _DEFINED.match(rest)
    if match is None:
        return "macro names must be identifiers"
    name = match[1]
    if name == "defined":
        return '"defined" cannot be a macro name'
    position = match.end()
    params: list[str] | None = None
    variadic = False
    if rest[position : position + 1] == "(":
        close = rest.find(")", position)
        if close < 0:
            return f"missing ')' in the parameter list of macro {name}"
        params = []
        inside = rest[position + 1 : close].strip()
        for written in inside.split(",") if inside else []:
            param = written.strip()
            if variadic:
                return f"'...' must be the last parameter of macro {name}"
            if param.endswith("..."):
                variadic = True
                param = param[:-3].strip() or "__VA_ARGS__"
            if not re.fullmatch(r"[^\W\d][\w$]*", param) or param in params:
                return f"expected a new parameter name in macro {name}, found '{written.strip()}'"
            params.append(param)
        position = close + 1
    text = rest[position:].strip()
    if text.startswith("##") or text.endswith("##"):
        return f"'##' cannot be at either end of macro {name}"
    return Macro(name, None if params is None else tuple(params), variadic, text, where)


class Expander:
    """Expands macros of a table that may change between calls.

    complaints  what was wrong with invocations so far
    """

    def __init__(self, macros: dict[str, Macro]) -> None:
        self.macros = macros
        self._budget = _MAX_TOKENS
        self._budget_once = 0
        self.complaints: list[str] = []
        self._text = ""
        self._position = 0
        self._final = True
        self._depth = 0
        self._condition = False

    @property
    def is_spent(self) -> bool:
        """Whether no expansion is affordable any more."""
        return self._budget <= 0

    def expand(self, tokens: list[Token]) -> list[Token]:
        """Tokens fully expanded, with nothing behind them."""
        return self._expand(tokens, None)

    def expand_condition(self, tokens: list[Token]) -> list[Token]:
        """The same for #if, where operands of `defined` and `__has_include` stay as they are."""
        self._condition = True
        try:
            return self._expand(tokens, None)
        finally:
            self._condition = False

    def expand_at(self, text: str, name: Token, end: int, final: bool) -> tuple[list[Token], int]:
        """Expand the name that ends at an offset of a text, taking arguments from what follows.

        Gives the tokens and where the invocation ends. final: the file ends with this text; else the function
        raises Incomplete when the invocation does not end in it."""
        self._text, self._position, self._final = text, end, final
        return self._expand([name], self._pull), self._position

    def _pull(self) -> Token | None:
        """The next token of the source text; None at its end."""
        space = False
        while self._position < len(self._text):
            token, self._position = _lex(self._text, self._position, space)
            if token is not None:
                return token
            space = True
        if not self._final:
            raise Incomplete
        return None

    def _expand(self, tokens: list[Token], pull: Callable[[], Token | None] | None) -> list[Token]:
        if self._depth == 0:
            self._budget_once = max(0, self._budget - _MAX_TOKENS_ONCE)
        elif self._depth >= _MAX_DEPTH:
            raise TooMuch
        self._depth += 1
        try:
            return self._run(tokens, pull)
        finally:
            self._depth -= 1

    def _spend(self, tokens: int) -> None:
        self._budget -= tokens
        if self._budget < self._budget_once:
            raise TooMuch

    def _run(self, tokens: list[Token], pull: Callable[[], Token | None] | None) -> list[Token]:
        out: list[Token] = []
        stack = tokens[::-1]
        macros = self.macros
        while stack:
            token = stack.pop()
            macro = macros.get(token.text)
            if macro is None or token.text in token.hide:
                out.append(token)
                if self._condition and token.text in ("defined", "__has_include", "__has_include_next"):
                    _keep_operand(stack, out)
                continue
            if macro.dynamic is not None:
                out.append(token._replace(text=macro.dynamic()))
                continue
            if macro.params is None:
                hide = token.hide | {macro.name}
                result = self._substitute(macro, macro.body, [], hide) if macro.body else []
            else:
                invocation = self._arguments(macro, stack, pull)
                if invocation is None:
                    out.append(token)
                    continue
                arguments, close_hide = invocation
                hide = (token.hide & close_hide) | {macro.name}
                result = self._substitute(macro, macro.body, arguments, hide)
            self._spend(len(result) + 1)
            if result:
                if result[0].space != token.space:
                    result[0] = Token(result[0].text, token.space, result[0].hide)
                stack.extend(reversed(result))
            elif token.space and stack and not stack[-1].space:
                stack[-1] = stack[-1]._replace(space=True)
        return out

    def _arguments(
        self, macro: Macro, stack: list[Token], pull: Callable[[], Token | None] | None
    ) -> tuple[list[list[Token]], frozenset[str]] | None:
        """Take `( ... )` from the stack, then from the source. None, and nothing taken, if there is none."""
        position = self._position
        unstacked: list[Token] = []

        def take() -> Token | None:
            if stack:
                unstacked.append(stack.pop())
                return unstacked[-1]
            return pull() if pull is not None else None

        def give_back() -> None:
            self._position = position
            stack.extend(reversed(unstacked))

        opening = take()
        if opening is None or opening.text != "(":
            give_back()
            return None
        arguments: list[list[Token]] = [[]]
        params = macro.params or ()
        depth = 0
        while True:
            self._spend(1)
            token = take()
            if token is None:
                self.complaints.append(f"unterminated argument list of macro {macro.name}")
                give_back()
                return None
            if token.text == ")":
                if depth == 0:
                    break
                depth -= 1
            elif token.text == "(":
                depth += 1
            elif token.text == "," and depth == 0 and not (macro.variadic and len(arguments) == len(params)):
                arguments.append([])
                continue
            arguments[-1].append(token)
        if not params and arguments == [[]]:
            arguments = []
        if macro.variadic and len(arguments) == len(params) - 1:
            arguments.append([_PLACEMARKER])  # absent, which differs from empty
        if len(arguments) != len(params):
            self.complaints.append(
                f"macro {macro.name} takes {len(params)} argument{'s' * (len(params) != 1)}, got {len(arguments)}"
            )
            give_back()
            return None
        return arguments, token.hide

    def _substitute(
        self, macro: Macro, body: tuple[Token, ...], arguments: list[list[Token]], hide: frozenset[str]
    ) -> list[Token]:
        """The replacement list with its parameters replaced, # and ## done, and hide added to every token."""
        out: list[Token] = []
        params = {name: index for index, name in enumerate(macro.params or ())}
        expanded: dict[int, list[Token]] = {}
        index = 0
        while index < len(body):
            token = body[index]
            if token.text == "##" and 0 < index < len(body) - 1:
                if (
                    macro.variadic
                    and body[index - 1].text == ","
                    and params.get(body[index + 1].text) == len(params) - 1
                    and not (index + 2 < len(body) and body[index + 2].text == "##")
                ):
                    # GNU: the comma goes when the variable arguments are absent, which differs from empty.
                    if arguments[-1] == [_PLACEMARKER] or (not arguments[-1] and len(params) == 1):
                        out.pop()
                    else:
                        out.extend(arguments[-1])
                    index += 2
                    continue
                right, index = self._operand(macro, body, index + 1, params, arguments, hide)
                _paste(out, right)
                continue
            raw = index + 1 < len(body) and body[index + 1].text == "##"
            if token.text in params and not raw:
                which = params[token.text]
                if which not in expanded:
                    expanded[which] = self._expand(_present(arguments[which]), None)
                part, index = list(expanded[which]), index + 1
            else:
                part, index = self._operand(macro, body, index, params, arguments, hide)
            if part and part[0].space != token.space:
                part[0] = Token(part[0].text, token.space, part[0].hide)
            out.extend(part)
        return [Token(t.text, t.space, t.hide | hide if t.hide else hide) for t in out if t.text]

    def _operand(
        self,
        macro: Macro,
        body: tuple[Token, ...],
        index: int,
        params: dict[str, int],
        arguments: list[list[Token]],
        hide: frozenset[str],
    ) -> tuple[list[Token], int]:
        """One element of a replacement list that takes part in no full expansion; and the index behind it."""
        token = body[index]
        if token.text == "#" and macro.params is not None and index + 1 < len(body):
            which = params.get(body[index + 1].text)
            if which is not None:
                return [Token(_stringify(_present(arguments[which])), token.space, NOTHING)], index + 2
        if token.text in params:
            return _present(arguments[params[token.text]]) or [_PLACEMARKER], index + 1
        if token.text == "__VA_OPT__" and macro.variadic and index + 1 < len(body) and body[index + 1].text == "(":
            close = _matching(body, index + 1)
            if close is not None:
                if not self._expand(_present(arguments[-1]), None):
                    return [_PLACEMARKER], close + 1
                inner = self._substitute(macro, body[index + 2 : close], arguments, hide)
                return inner or [_PLACEMARKER], close + 1
        return [token], index + 1


def _present(argument: list[Token]) -> list[Token]:
    return [token for token in argument if token.text]


def _keep_operand(stack: list[Token], out: list[Token]) -> None:
    """Move the operand of `defined` to the output unexpanded."""
    if stack and stack[-1].text == "(":
        while stack:
            out.append(stack.pop())
            if out[-1].text == ")":
                return
    elif stack:
        out.append(stack.pop())


def _matching(body: tuple[Token, ...], opening: int) -> int | None:
    depth = 0
    for index in range(opening, len(body)):
        if body[index].text == "(":
            depth += 1
        elif body[index].text == ")":
            depth -= 1
            if depth == 0:
                return index
    return None


def _stringify(tokens: list[Token]) -> str:
    parts = []
    for index, token in enumerate(tokens):
        if token.space and index:
            parts.append(" ")
        text = token.text
        if text.lstrip("uUL8")[:1] in ('"', "'"):
            text = text.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(text)
    return '"' + "".join(parts) + '"'


def _paste(out: list[Token], right: list[Token]) -> None:
    """Join the last token of `out` and the first of `right`; what does not make one token stays apart."""
    left = out.pop() if out else _PLACEMARKER
    first = right[0] if right else _PLACEMARKER
    joined = left.text + first.text
    hide = left.hide & first.hide if left.text and first.text else left.hide | first.hide
    pieces = tokenize(joined)
    if len(pieces) <= 1:
        out.append(Token(joined, left.space, hide))
    else:
        out.extend((left, first))
    out.extend(right[1:])
