"""Variables of GNU Makefiles, read without running make. Takes a Makefile's path and a reader of texts; gives
the values of its variables, those of included files too.

Rules, recipes and `define` are skipped. `$(shell ...)` gives nothing, but for `pwd`: nothing is ever executed.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Sequence

from maestro_lsp.source.text import Read

_ASSIGNMENT = re.compile(r"\s*(?:export\s+|override\s+)*([^\s:#=+?!]+)\s*(:{0,3}=|\+=|\?=)\s*(.*)", re.DOTALL)
_CONDITION = re.compile(r"\s*(else\s+)?(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)", re.DOTALL)
_MAX_DEPTH = 40
_MAX_VALUE = 100_000  # characters; more is no list of files
_MAX_STEPS = 100_000  # references expanded

List = Callable[[str], Sequence[str]]


class Makefile:
    """The variables of a Makefile.

    read     gives the text of a path or None
    folder   where make would run; `names` lists the files of a folder, for $(wildcard)
    """

    def __init__(self, path: str, read: Read, names: List, follow_includes: bool = True) -> None:
        self._read = read
        self._names = names
        self._folder = posixpath.dirname(path)
        self._follow = follow_includes
        self._steps = 0
        self._values: dict[str, tuple[str, bool]] = {}  # text, and whether it is expanded already
        self._opened: list[str] = []
        for name, value in (("CURDIR", self._folder), ("MAKE", "make"), ("CC", "cc")):
            self._values[name] = (value, True)
        self._include(path)

    def get(self, name: str) -> str | None:
        """The value of a variable, expanded; None if it is not set."""
        return self._variable(name, 0) if name in self._values else None

    def words(self, name: str) -> list[str]:
        """The words of a variable's value; empty if it is not set."""
        return (self.get(name) or "").split()

    # --- reading --------------------------------------------------------------------------------------------

    def _include(self, path: str) -> None:
        path = posixpath.normpath(path)
        text = self._read(path)
        if text is None or len(self._opened) >= _MAX_DEPTH:
            return
        self._opened.append(path)
        listed = self._values.get("MAKEFILE_LIST", ("", True))[0]
        self._values["MAKEFILE_LIST"] = (f"{listed} {path}".strip(), True)
        self._lines(re.sub(r"[ \t]*\\\r?\n[ \t]*", " ", text).splitlines())

    def _lines(self, lines: list[str]) -> None:
        groups: list[tuple[bool, bool]] = []  # (some branch was taken, this branch is live)
        define = 0
        for line in lines:
            stripped = line.strip()
            if define or re.match(r"(override\s+)?define\b", stripped):
                define += stripped.startswith(("define", "override define")) - (stripped == "endef")
                continue
            live = all(live for _, live in groups)
            condition = _CONDITION.match(stripped)
            if condition is not None and not line.startswith("\t"):
                outer = all(live for _, live in (groups[:-1] if condition[1] else groups))
                taken = groups.pop()[0] if condition[1] and groups else False
                now = outer and not taken and self._holds(condition[2], condition[3])
                groups.append((taken or now, now))
            elif re.match(r"else\b", stripped) and groups and not line.startswith("\t"):
                taken, _ = groups.pop()
                groups.append((True, not taken))
            elif re.match(r"endif\b", stripped) and groups and not line.startswith("\t"):
                groups.pop()
            elif live and not line.startswith("\t"):
                self._line(_without_comment(line))

    def _line(self, line: str) -> None:
        include = re.match(r"\s*(?:-|s)?include\s+(.*)", line)
        if include is not None:
            if self._follow:
                for name in self.expand(include[1]).split():
                    self._include(posixpath.join(self._folder, name))
            return
        assignment = _ASSIGNMENT.match(line)
        if assignment is None:
            return
        name, operator, value = self.expand(assignment[1]), assignment[2], assignment[3].rstrip()
        if operator == "?=" and name in self._values:
            return
        if operator == "+=" and name in self._values:
            old, expanded = self._values[name]
            joined = f"{old} {self.expand(value) if expanded else value}".strip()
            self._values[name] = (joined[:_MAX_VALUE], expanded)
        elif operator.startswith(":"):
            self._values[name] = (self.expand(value), True)
        else:
            self._values[name] = (value, False)

    def _holds(self, kind: str, rest: str) -> bool:
        rest = _without_comment(rest).strip()
        if kind in ("ifdef", "ifndef"):
            return bool(self._values.get(self.expand(rest), ("", True))[0]) == (kind == "ifdef")
        if rest.startswith("("):
            left, right = ([*_arguments(rest[1:].rsplit(")", 1)[0]), ""])[:2]
        else:
            quoted = re.findall(r"\"([^\"]*)\"|'([^']*)'", rest)
            if len(quoted) != 2:
                return False
            left, right = ("".join(pair) for pair in quoted)
        return (self.expand(left).strip() == self.expand(right).strip()) == (kind == "ifeq")

    # --- expansion ------------------------------------------------------------------------------------------

    def expand(self, text: str, depth: int = 0) -> str:
        """A text with its references replaced; what is too deep or too long comes out empty."""
        if "$" not in text:
            return text
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return ""
        out: list[str] = []
        position = 0
        while (found := text.find("$", position)) >= 0:
            out.append(text[position:found])
            following = text[found + 1 : found + 2]
            if following in ("(", "{") and following:
                close = _closing(text, found + 1)
                out.append(self._reference(text[found + 2 : close], depth + 1))
                position = close + 1
            else:
                out.append("$" if following == "$" else self._variable(following, depth + 1))
                position = found + 2
        out.append(text[position:])
        return "".join(out)[:_MAX_VALUE]

    def _variable(self, name: str, depth: int) -> str:
        value, expanded = self._values.get(name, ("", True))
        return value if expanded else self.expand(value, depth + 1)

    def _reference(self, inside: str, depth: int) -> str:
        function = re.match(r"([a-z-]+)[ \t]+(.*)", inside, re.DOTALL)
        if function is not None and (function[1] in _FUNCTIONS or function[1] in _SPECIAL):
            return self._call(function[1], _arguments(function[2]), depth)
        substitution = re.match(r"([^:=]+):([^=]*)=(.*)", inside, re.DOTALL)
        if substitution is not None:
            old, new = self.expand(substitution[2], depth), self.expand(substitution[3], depth)
            if "%" not in old:
                old, new = "%" + old, "%" + new
            return _patsubst(old, new, self._variable(self.expand(substitution[1], depth), depth))
        return self._variable(self.expand(inside, depth), depth)

    def _call(self, name: str, arguments: list[str], depth: int) -> str:
        if name == "if":
            chosen = 1 if self.expand(arguments[0], depth).strip() else 2
            return self.expand(arguments[chosen], depth) if chosen < len(arguments) else ""
        if name == "foreach" and len(arguments) >= 3:
            variable, words = self.expand(arguments[0], depth).strip(), self.expand(arguments[1], depth).split()
            saved = self._values.get(variable)
            parts = []
            for word in words:
                self._values[variable] = (word, True)
                parts.append(self.expand(arguments[2], depth))
            if saved is None:
                self._values.pop(variable, None)
            else:
                self._values[variable] = saved
            return " ".join(parts)
        values = [self.expand(argument, depth) for argument in arguments]
        if name == "or":
            return next((value.strip() for value in values if value.strip()), "")
        if name == "and":
            return values[-1].strip() if all(value.strip() for value in values) else ""
        if name == "shell":
            return self._folder if values[0].strip() == "pwd" else ""
        if name in ("abspath", "realpath"):
            return " ".join(posixpath.normpath(posixpath.join(self._folder, w)) for w in values[0].split())
        if name == "wildcard":
            return " ".join(self._wildcard(pattern) for pattern in values[0].split()).strip()
        if name in ("value", "origin", "flavor", "call", "eval", "info", "warning", "error", "foreach"):
            return ""
        wanted, compute = _FUNCTIONS[name]
        return compute(*values[:wanted]) if len(values) >= wanted else ""

    def _wildcard(self, pattern: str) -> str:
        folder, last = posixpath.split(pattern)
        found = [n for n in self._names(posixpath.join(self._folder, folder)) if fnmatch.fnmatchcase(n, last)]
        return " ".join(posixpath.join(folder, name) for name in sorted(found))


def _without_comment(line: str) -> str:
    return re.sub(r"(?<!\\)#.*", "", line, flags=re.DOTALL).replace("\\#", "#")


def _closing(text: str, opening: int) -> int:
    """Where the bracket that opens at an offset closes; the end of the text if it does not."""
    left = text[opening]
    right = ")" if left == "(" else "}"
    depth = 0
    for index in range(opening, len(text)):
        if text[index] == left:
            depth += 1
        elif text[index] == right:
            depth -= 1
            if depth == 0:
                return index
    return len(text)


def _arguments(text: str) -> list[str]:
    """Arguments of a function, separated by commas outside brackets."""
    found = [""]
    depth = 0
    for char in text:
        depth += (char in "({") - (char in ")}")
        if char == "," and depth == 0:
            found.append("")
        else:
            found[-1] += char
    return found


def _match(pattern: str, word: str) -> str | None:
    """What % stands for in a word that matches a pattern."""
    before, percent, after = pattern.partition("%")
    if not percent:
        return "" if word == pattern else None
    if len(word) < len(before) + len(after) or not word.startswith(before) or not word.endswith(after):
        return None
    return word[len(before) : len(word) - len(after)]


def _patsubst(pattern: str, replacement: str, text: str) -> str:
    out = []
    for word in text.split():
        stem = _match(pattern, word)
        out.append(word if stem is None else replacement.replace("%", stem, 1))
    return " ".join(out)


def _filter(patterns: str, text: str, keep: bool) -> str:
    listed = patterns.split()
    return " ".join(w for w in text.split() if any(_match(p, w) is not None for p in listed) == keep)


def _word(index: str, text: str) -> str:
    words = text.split()
    number = int(index) if index.strip().isdigit() else 0
    return words[number - 1] if 0 < number <= len(words) else ""


def _each(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: " ".join(map(change, text.split()))


_SPECIAL = frozenset(
    [
        "if",
        "foreach",
        "or",
        "and",
        "shell",
        "abspath",
        "realpath",
        "wildcard",
        "value",
        "origin",
        "flavor",
        "call",
        "eval",
        "info",
        "warning",
        "error",
    ]
)
_FUNCTIONS: dict[str, tuple[int, Callable[..., str]]] = {
    "subst": (3, lambda old, new, text: text.replace(old, new) if old else text),
    "patsubst": (3, _patsubst),
    "strip": (1, lambda text: " ".join(text.split())),
    "findstring": (2, lambda part, text: part if part in text else ""),
    "filter": (2, lambda patterns, text: _filter(patterns, text, True)),
    "filter-out": (2, lambda patterns, text: _filter(patterns, text, False)),
    "sort": (1, lambda text: " ".join(sorted(set(text.split())))),
    "word": (2, _word),
    "words": (1, lambda text: str(len(text.split()))),
    "firstword": (1, lambda text: " ".join(text.split()[:1])),
    "lastword": (1, lambda text: " ".join(text.split()[-1:])),
    "dir": (1, _each(lambda w: posixpath.dirname(w) + "/" if "/" in w else "./")),
    "notdir": (1, _each(posixpath.basename)),
    "basename": (1, _each(lambda w: posixpath.splitext(w)[0])),
    "suffix": (1, _each(lambda w: posixpath.splitext(w)[1])),
    "addprefix": (2, lambda prefix, text: " ".join(prefix + w for w in text.split())),
    "addsuffix": (2, lambda suffix, text: " ".join(w + suffix for w in text.split())),
}
