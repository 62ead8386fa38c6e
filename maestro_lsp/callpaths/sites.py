"""Call sites in what there is of a source: for NFs of which files are missing, so that nothing can be executed.

A `.call_path` file gives a line for each call but not the file it is in. Where one source calls that function on that line, that is the
place. Calls that the sources have on other lines, or have and the files do not, say that the files are of another version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..libvig.catalogue import Catalogue
from ..source.scan import scan
from ..source.text import Span

SILENT = frozenset({"allocate", "fill", "ignore", "environment", "hash", "checksum"})
_NAME = re.compile(r"\b[A-Za-z_]\w*(?=\s*\()")


@dataclass(frozen=True)
class Sites:
    """Where sources call library functions that touch state, by function and line (from 1)."""

    places: Mapping[tuple[str, int], tuple[Span, ...]]

    @staticmethod
    def of(texts: Iterable[tuple[str, str]], catalogue: Catalogue) -> Sites:
        """The sites in texts, given as (path, text)."""
        found: dict[tuple[str, int], list[Span]] = {}
        for path, text in texts:
            scanned = scan(path, text)
            for m in _NAME.finditer(scanned.clean):
                specs = catalogue.calls.get(m.group(), ())
                if any(s.op not in SILENT and not s.op.startswith("packet-") for s in specs):
                    close = _closing(scanned.clean, m.end())
                    span = Span(path, scanned.offset(m.start()), scanned.end_offset(close))
                    found.setdefault((m.group(), scanned.line(m.start())), []).append(span)
        return Sites({k: tuple(v) for k, v in found.items()})

    def at(self, function: str, line: int | None) -> Span | None:
        """The call of a function on a line, if there is only one."""
        spans = self.places.get((function, line or 0), ())
        return spans[0] if len(spans) == 1 else None

    def contradiction(self, recorded: Iterable[tuple[str, int | None]], all_here: bool) -> tuple[str, Span] | None:
        """Why recorded calls, as (function, line), cannot be those of these sources, and where; None if they can. `all_here`: all
        functions that packets reach have a source."""
        calls = set(recorded)
        if all(line is None for _, line in calls):
            return None
        called = {function for function, _ in self.places}
        for (function, line), spans in sorted(self.places.items(), key=lambda item: (item[1][0], item[0])):
            if (function, line) not in calls:
                return f"{function} is called here, in no file on line {line}", spans[0]
        for function, at in sorted(calls, key=str):
            if (function in called or all_here) and (function, at) not in self.places:
                mine = [spans[0] for (name, _), spans in self.places.items() if name == function]
                first = min(mine or [spans[0] for spans in self.places.values()], default=Span("", 0, 0))
                return f"the files call {function} on line {at}, where no source does", first
        return None


def _closing(text: str, at: int) -> int:
    """The end of the parentheses that open at or behind an offset."""
    depth = 0
    for i in range(at, min(len(text), at + 4096)):
        if text[i] == "(":
            depth += 1
        elif text[i] == ")":
            depth -= 1
            if depth == 0:
                return i + 1
    return at
