"""Translation phase 4 of C. Takes a file's path and a way to read texts; gives the preprocessed text, with the
way back from every part of it to what the user wrote, and what was included, defined and wrong.

Text between directives that mentions no macro is copied as it is, so that the work is in proportion to the
macros used. Headers that cannot be found are recorded; they are no error, since DPDK may not be installed.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from maestro_lsp.source import headers
from maestro_lsp.source.conditions import BadCondition, evaluate
from maestro_lsp.source.macros import (
    NOTHING,
    Expander,
    Incomplete,
    Macro,
    Token,
    TooMuch,
    define,
    spell,
    tokenize,
)
from maestro_lsp.source.predefined import PREDEFINED
from maestro_lsp.source.scan import Block, Directive, Scan, scan
from maestro_lsp.source.selection import Declaration, choose
from maestro_lsp.source.text import Read, Span

_MAX_DEPTH = 60  # include nesting; gcc stops at 200
_MAX_FILES = 3000  # files opened for one unit, repetitions counted
_MAX_TEXT = 32_000_000  # code points of one unit
_MAX_CARRY = 40  # directives within one macro invocation
_MAX_PROBLEMS = 200  # of one unit

_CANDIDATE = re.compile(
    r"""(?:u8|[uUL])?(?:"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)
    |[A-Za-z_$\u0080-\U0010ffff][\w$]*|\.?\d(?:[eEpP][+-]|[\w.])*""",
    re.DOTALL | re.VERBOSE,
)
_PARENTHESIS = re.compile(r"""[()]|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")
_SPACE = re.compile(r"\s*")
_PACK = re.compile(r"pack\s*\(\s*(?:(?P<pop>pop)|(?P<push>push\s*,?)?\s*(?P<bytes>1|2|4|8|16)?)\s*\)")
_PACK_OPERATOR = re.compile(r'\b_Pragma\s*\(\s*"\s*pack\b')
_CONDITIONALS = frozenset(("if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif"))


@dataclass(frozen=True, slots=True)
class Include:
    """One #include: the name as written between the quotes or angles, and where it was found."""

    name: str
    path: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a place."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class _Segment:
    """Where a part of the output comes from: a copy of scan.clean from `start` on, or, if `end` is not
    negative, the expansion of what stands at [start, end) there."""

    scan: Scan
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """One translation unit after preprocessing.

    path      of the file
    text      what the compiler proper would read; of built-in headers only the declarations that the unit mentions
    includes  in order, of all files
    problems  #error, bad directives, unfinished conditionals
    files     paths read, each once, without built-in headers
    macros    the table at the end
    packing   (offset in the text, n): from there on #pragma pack aligns members to at most n bytes; 0: as usual
    redefined names of macros that the user's files define in several ways, or undefine
    """

    path: str
    text: str
    includes: tuple[Include, ...]
    problems: tuple[Problem, ...]
    files: tuple[str, ...]
    macros: Mapping[str, Macro]
    redefined: frozenset[str]
    _starts: list[int]
    _segments: list[_Segment]
    packing: tuple[tuple[int, int], ...] = ()

    @property
    def sources(self) -> list[tuple[int, str, str, int, int]]:
        """Where every part of the text comes from; two units with equal texts and equal sources are the same."""
        return [
            (start, part.scan.source.path, part.scan.source.text, part.start, part.end)
            for start, part in zip(self._starts, self._segments, strict=True)
        ]

    @cached_property
    def scans(self) -> dict[str, Scan]:
        """The scan of every file that the text comes from, by its path."""
        return {part.scan.source.path: part.scan for part in self._segments}

    @cached_property
    def _live(self) -> dict[str, list[int]]:
        """Where parts of the text come from, as sorted offsets into the clean text of each file."""
        found: dict[str, set[int]] = {}
        for part in self._segments:
            found.setdefault(part.scan.source.path, set()).add(part.start)
        return {path: sorted(starts) for path, starts in found.items()}

    def is_live(self, path: str, block: Block) -> bool:
        """Whether a block of a file was compiled, here or by another inclusion of the file."""
        starts = self._live.get(path, [])
        index = bisect_left(starts, block.start)
        return index < len(starts) and starts[index] < block.end

    def origin(self, start: int, end: int) -> Span:
        """The user's text behind text[start:end]; for code from a macro, the outermost invocation. A range that
        runs over an #include gives the part in the file where it starts."""
        if not self._segments:
            return Span(self.path, 0, 0)
        first = max(0, bisect_right(self._starts, start) - 1)
        last = max(first, bisect_right(self._starts, max(start, end - 1)) - 1)
        segment = self._segments[first]
        source = segment.scan
        begin = segment.start + start - self._starts[first] if segment.end < 0 else segment.start
        while self._segments[last].scan is not source:
            last -= 1
        segment = self._segments[last]
        if segment.end >= 0:
            finish = segment.end
        else:
            limit = self._starts[last + 1] if last + 1 < len(self._starts) else len(self.text)
            finish = segment.start + min(end, limit) - self._starts[last]
        low = source.offset(begin)
        high = source.end_offset(finish) if end > start else low
        return Span(source.source.path, low, max(low, min(high, len(source.source.text))))


def preprocess(
    path: str,
    read: Read,
    search: Sequence[str] = (),
    defines: Mapping[str, str] | None = None,
) -> Preprocessed:
    """Preprocess the file at `path`.

    read     gives the text of a path, or None if there is no such file
    search   folders for #include, in order; the including file's folder comes first for "..."
    defines  what -D would define: name (with parameters, if any) to replacement
    """
    run = _Run(path, read, tuple(search), dict(defines or {}))
    run.start()
    return run.result()


@dataclass(slots=True)
class _Group:
    """An open #if: whether the enclosing text is live, a branch was taken, the current branch is live."""

    outer: bool
    taken: bool
    live: bool
    at: Span
    has_else: bool = False


class _Run:
    def __init__(self, path: str, read: Read, search: tuple[str, ...], defines: dict[str, str]) -> None:
        self.path = path
        self.read = read
        self.search = search
        self.out: list[str] = []
        self.segments: list[_Segment] = []
        self.length = 0
        # Declarations that the unit takes only if it mentions them, by their place in `out`.
        self.optional: dict[int, Declaration] = {}
        self.packed = [0]  # the stack of #pragma pack
        self.packing: list[tuple[int, int]] = []  # (piece of the output, bytes)
        self.includes: list[Include] = []
        self.problems: list[Problem] = []
        self.files: dict[str, None] = {}
        self.once: set[str] = set()
        self.opened = 0
        self.counter = -1
        self.here: tuple[Scan, int] | None = None
        self.macros: dict[str, Macro] = dict(PREDEFINED)
        self.redefined: set[str] = set()
        self.expander = Expander(self.macros)
        self.exhausted = False
        for name in ("__LINE__", "__FILE__", "__BASE_FILE__", "__COUNTER__", "__INCLUDE_LEVEL__"):
            self.macros[name] = Macro(name, None, False, "", dynamic=self.dynamic(name))
        self.depth = 0
        for name, value in defines.items():
            macro = define(f"{name} {value}")
            if isinstance(macro, Macro):
                self.macros[macro.name] = macro
            else:
                self.problems.append(Problem(Span(path, 0, 0), f"definition of {name} in the settings: {macro}"))

    def start(self) -> None:
        text = self.read(self.path)
        if text is None:
            self.problems.append(Problem(Span(self.path, 0, 0), f"cannot read {self.path}"))
            return
        self.file(self.path, text)

    def result(self) -> Preprocessed:
        if self.optional:
            chosen = choose(self.optional.values(), set(_WORD.findall("".join(self.out))))
            for place, declaration in self.optional.items():
                if declaration in chosen:
                    self.out[place] = self.segments[place].scan.clean[declaration.start : declaration.end]
        starts = [0, *accumulate(map(len, self.out[:-1]))] if self.out else []
        return Preprocessed(
            self.path,
            "".join(self.out),
            tuple(self.includes),
            tuple(self.problems),
            tuple(self.files),
            self.macros,
            frozenset(self.redefined),
            starts,
            self.segments,
            tuple((starts[n] if n < len(starts) else sum(map(len, self.out)), value) for n, value in self.packing),
        )

    def dynamic(self, name: str) -> Callable[[], str]:
        def line() -> str:
            return str(self.here[0].line(self.here[1])) if self.here else "0"

        def file() -> str:
            path = self.here[0].source.path if self.here and name == "__FILE__" else self.path
            return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'

        def counter() -> str:
            self.counter += 1
            return str(self.counter)

        def level() -> str:
            return str(self.depth - 1)

        return {"__LINE__": line, "__COUNTER__": counter, "__INCLUDE_LEVEL__": level}.get(name, file)

    # --- output ---------------------------------------------------------------------------------------------

    def emit(self, text: str, source: Scan, start: int, end: int = -1) -> None:
        if not text:
            return
        self.out.append(text)
        self.segments.append(_Segment(source, start, end))
        self.length += len(text)

    def offer(self, declaration: Declaration, source: Scan) -> None:
        """Emit a declaration if the unit turns out to mention it."""
        self.optional[len(self.out)] = declaration
        self.out.append("")
        self.segments.append(_Segment(source, declaration.start, -1))

    def complain(self, source: Scan, start: int, end: int, message: str) -> None:
        if len(self.problems) >= _MAX_PROBLEMS:
            return
        span = Span(source.source.path, source.offset(start), source.end_offset(end))
        self.problems.append(Problem(span, message))

    # --- files ----------------------------------------------------------------------------------------------

    def file(self, path: str, text: str) -> None:
        if path in self.once:
            return
        if not path.startswith(headers.PREFIX):
            self.files[path] = None
        self.opened += 1
        self.depth += 1
        scanned = scan(path, text)
        for match in _PACK_OPERATOR.finditer(scanned.clean) if "_Pragma" in text else ():
            self.complain(scanned, match.start(), match.end(), '_Pragma("pack") is not modelled: write #pragma pack')
        _FileRun(self, scanned).run()
        self.depth -= 1

    def find(self, name: str, quoted: bool, includer: str) -> tuple[str, str] | None:
        """(path, text) of a header: the user's, else a built-in one."""
        folders = [posixpath.dirname(includer), *self.search] if quoted else list(self.search)
        if name.startswith("/"):
            folders = [""]
        for folder in folders:
            path = posixpath.normpath(posixpath.join(folder, name))
            text = self.read(path)
            if text is not None:
                return path, text
        return headers.builtin(name)


class _FileRun:
    """The preprocessing of one file of a unit."""

    def __init__(self, unit: _Run, source: Scan) -> None:
        self.unit = unit
        self.source = source
        self.is_built_in = source.source.path.startswith(headers.PREFIX)
        self.groups: list[_Group] = []
        self.live = True
        # Text of an invocation that has not ended yet, and where each part of it starts in the clean text.
        self.carried: list[tuple[int, str]] = []

    def run(self) -> None:
        unit, clean = self.unit, self.source.clean
        for item in self.source.items:
            if isinstance(item, Directive):
                self.directive(item)
            elif self.live:
                if self.carried or not unit.macros.keys().isdisjoint(item.words):
                    self.block(item)
                elif self.is_built_in:
                    for declaration in self.source.declarations(item):
                        unit.offer(declaration, self.source)
                else:
                    unit.emit(clean[item.start : item.end], self.source, item.start)
            if unit.length > _MAX_TEXT and not unit.exhausted:
                unit.exhausted = True
                unit.complain(self.source, item.start, item.end, "the unit is too large to analyse")
            if unit.exhausted and unit.length > _MAX_TEXT:
                return
        if self.carried:
            self.finish_carried()
        for group in self.groups[:_MAX_PROBLEMS]:
            unit.problems.append(Problem(group.at, "unterminated conditional: no #endif"))
        unit.emit("\n", self.source, max(0, len(clean) - 1))

    def block(self, item: Block) -> None:
        self.carried.append((item.start, self.source.clean[item.start : item.end]))
        parts, self.carried = self.carried, []
        self.text(_Text(parts), final=len(parts) > _MAX_CARRY)

    def finish_carried(self) -> None:
        parts, self.carried = self.carried, []
        self.text(_Text(parts), final=True)

    def text(self, text: _Text, final: bool) -> None:
        """Emit text with its macros expanded. An invocation that the text leaves unfinished is carried to the next
        block unless `final`."""
        unit, macros = self.unit, self.unit.macros
        position = search = 0
        while (match := _CANDIDATE.search(text.all, search)) is not None:
            search = match.end()
            macro = macros.get(match[0])
            if macro is None or unit.exhausted:
                continue
            start, end = match.span()
            if macro.is_plain and macros.keys().isdisjoint(macro.words):
                replacement: str | None = macro.text
            else:
                try:
                    replacement, end = self.expand(macro, text, start, end, final)
                except Incomplete:
                    self.verbatim(text, position, start)
                    self.carried = text.parts_from(start)
                    return
            first, last = text.clean(start), text.clean(end - 1) + 1
            if replacement is not None:
                self.verbatim(text, position, start)
                unit.emit(f" {replacement} ", self.source, first, last)
                position = search = end
            for message in unit.expander.complaints:
                unit.complain(self.source, first, last, message)
            unit.expander.complaints.clear()
        self.verbatim(text, position, len(text.all))

    def expand(self, macro: Macro, text: _Text, start: int, end: int, final: bool) -> tuple[str | None, int]:
        """What the macro named at [start, end) stands for, or None if that is just its name; and where its
        invocation ends. Raises Incomplete."""
        unit, expander = self.unit, self.unit.expander
        unit.here = (self.source, text.clean(start))
        if macro.params is not None and text.is_open(end):
            if not final:
                raise Incomplete
            expander.complaints.append(f"unterminated argument list of macro {macro.name}")
            return None, end
        name = Token(macro.name, False, NOTHING)
        try:
            tokens, finish = expander.expand_at(text.all, name, end, final)
        except TooMuch:
            unit.exhausted = expander.is_spent
            expander.complaints.append(f"macro {macro.name} expands to too much")
            return None, end
        if finish == end and len(tokens) == 1 and tokens[0].text == macro.name:
            return None, end
        return spell(tokens), finish

    def verbatim(self, text: _Text, start: int, end: int) -> None:
        for low, high in text.runs(start, end):
            self.unit.emit(text.all[low:high], self.source, text.clean(low))

    # --- directives -----------------------------------------------------------------------------------------

    def directive(self, item: Directive) -> None:
        name = item.name
        if name in _CONDITIONALS:
            self.conditional(item)
        elif not self.live or not name or name[0].isdigit():
            return
        elif name == "define":
            self.define(item)
        elif name == "undef":
            if self.unit.macros.pop(item.rest.strip(), None) is not None and not self.is_built_in:
                self.unit.redefined.add(item.rest.strip())
        elif name in ("include", "include_next", "import"):
            self.include(item)
        elif name == "error":
            self.complain(item, f"#error {item.rest.strip()}")
        elif name == "pragma":
            if item.rest.split()[:1] == ["once"]:
                self.unit.once.add(self.source.source.path)
            elif item.rest.split("(")[0].strip() == "pack":
                self.pack(item)
        elif name not in ("line", "warning", "ident", "sccs", "assert", "unassert"):
            self.complain(item, f"unknown directive #{name}")

    def pack(self, item: Directive) -> None:
        """#pragma pack: what records that end from here on have their members aligned to at most."""
        match = _PACK.fullmatch(item.rest.strip())
        unit = self.unit
        if match is None or (match["pop"] and len(unit.packed) == 1):
            self.complain(item, f"#pragma {item.rest.strip()} is not understood")
            return
        if match["pop"]:
            unit.packed.pop()
        else:
            if match["push"]:
                unit.packed.append(unit.packed[-1])
            if match["bytes"] or not match["push"]:
                unit.packed[-1] = int(match["bytes"] or 0)
        unit.packing.append((len(unit.out), unit.packed[-1]))

    def complain(self, item: Directive, message: str) -> None:
        start = (
            item.start
            + len(self.source.clean[item.start : item.end])
            - len(self.source.clean[item.start : item.end].lstrip())
        )
        self.unit.complain(self.source, start, item.rest_start + len(item.rest), message)

    def define(self, item: Directive) -> None:
        macro = self.source.definitions.get(item.start)
        if macro is None:
            macro = define(item.rest, (self.source, item.start, item.rest_start + len(item.rest)))
            self.source.definitions[item.start] = macro
        if isinstance(macro, Macro):
            old = self.unit.macros.get(macro.name)
            if old is not None and old.body != macro.body and not self.is_built_in:
                self.unit.redefined.add(macro.name)
            self.unit.macros[macro.name] = macro
        else:
            self.complain(item, str(macro))

    def include(self, item: Directive) -> None:
        unit = self.unit
        written = item.rest.strip()
        match = re.match(r'"([^"\n]+)"|<([^>\n]+)>', written)
        if match is None:
            unit.here = (self.source, item.start)
            try:
                written = spell(unit.expander.expand(tokenize(written))).strip()
            except TooMuch:
                written = ""
            match = re.match(r'"([^"\n]+)"|<([^>\n]+)>', written)
        if match is None:
            self.complain(item, '#include expects "file" or <file>')
            return
        name = (match[1] or match[2]).strip()
        found = unit.find(name, match[1] is not None, self.source.source.path)
        start = item.rest_start
        span = Span(
            self.source.source.path,
            self.source.offset(start + len(item.rest) - len(item.rest.lstrip())),
            self.source.end_offset(start + len(item.rest)),
        )
        unit.includes.append(Include(name, found[0] if found else None, span))
        if found is None:
            return
        if unit.depth >= _MAX_DEPTH or unit.opened >= _MAX_FILES:
            self.complain(item, f"#include nested too deeply: {name}")
            return
        unit.file(*found)

    def conditional(self, item: Directive) -> None:
        name = item.name
        if name in ("if", "ifdef", "ifndef"):
            live = self.live and self.test(item)
            start = self.source.offset(item.start)
            at = Span(self.source.source.path, start, self.source.end_offset(item.rest_start + len(item.rest)))
            self.groups.append(_Group(self.live, live, live, at))
        elif not self.groups:
            self.complain(item, f"#{name} without #if")
            return
        elif name == "endif":
            self.live = self.groups.pop().outer
            return
        else:
            group = self.groups[-1]
            if group.has_else:
                self.complain(item, f"#{name} after #else")
            if name == "else":
                group.has_else = True
                group.live = group.outer and not group.taken
            else:
                group.live = group.outer and not group.taken and self.test(item)
            group.taken = group.taken or group.live
        self.live = self.groups[-1].live

    def test(self, item: Directive) -> bool:
        unit, macros = self.unit, self.unit.macros
        if item.name.endswith("def"):
            word = re.match(r"\s*([\w$]+)", item.rest)
            if word is None:
                self.complain(item, f"#{item.name} expects a macro's name")
                return False
            return (word[1] in macros) != item.name.endswith("ndef")

        def has_include(name: str) -> bool:
            quoted = name.startswith('"')
            return unit.find(name.strip('"<>'), quoted, self.source.source.path) is not None

        unit.here = (self.source, item.start)
        try:
            tokens = unit.expander.expand_condition(tokenize(item.rest))
            return evaluate(tokens, macros.__contains__, has_include) != 0
        except BadCondition as bad:
            self.complain(item, str(bad))
        except TooMuch:
            self.complain(item, "the condition expands to too much")
        return False


class _Text:
    """Text of one or more blocks, joined as if no directives stood between them."""

    def __init__(self, parts: list[tuple[int, str]]) -> None:
        self._parts = parts  # where each part starts in the clean text, and what it is
        self.all = parts[0][1] if len(parts) == 1 else "".join(part for _, part in parts)
        self._starts = [0]  # where each part starts in `all`
        for _, part in parts[:-1]:
            self._starts.append(self._starts[-1] + len(part))
        self._open: set[int] | None = None

    def clean(self, offset: int) -> int:
        """The offset in the clean text of an offset in `all`."""
        index = bisect_right(self._starts, offset) - 1
        return self._parts[index][0] + offset - self._starts[index]

    def runs(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """all[start:end] cut where a directive stands."""
        while start < end:
            index = bisect_right(self._starts, start)
            stop = min(end, self._starts[index]) if index < len(self._starts) else end
            yield start, stop
            start = stop

    def parts_from(self, start: int) -> list[tuple[int, str]]:
        """The parts from an offset on."""
        index = bisect_right(self._starts, start) - 1
        clean, text = self._parts[index]
        cut = start - self._starts[index]
        return [(clean + cut, text[cut:]), *self._parts[index + 1 :]]

    def is_open(self, end: int) -> bool:
        """Whether a parenthesis follows that does not close within the text."""
        if self._open is None:
            self._open = set()
            stack = []
            for match in _PARENTHESIS.finditer(self.all):
                if match[0] == "(":
                    stack.append(match.start())
                elif match[0] == ")" and stack:
                    stack.pop()
            self._open.update(stack)
        following = _SPACE.match(self.all, end)
        return following is not None and following.end() in self._open
