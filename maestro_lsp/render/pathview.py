"""Call paths for an editor: how many go through a place, and for each its conditions, calls and lines as places to jump to.

Shapes are those of the request `maestro/paths`, with file and range for places; servers make addresses of the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..check import Report
from ..source.text import Span
from ..symbex.path import CallPath
from .expressions import Printer
from .json_ import Places
from .paths import call_text, outcome

Locate = Callable[[Span], dict[str, Any]]


def paths_through(r: Report) -> dict[Span, tuple[int, ...]]:
    """The numbers of the paths that go through each call of the source: library calls and the calls around them."""
    found: dict[Span, dict[int, None]] = {}
    for p in r.paths:
        for c in p.calls:
            for span in c.stack:
                found.setdefault(span, {})[p.number] = None
    return {span: tuple(numbers) for span, numbers in sorted(found.items())}


def paths_within(r: Report, file: str, start: int, end: int) -> tuple[int, ...]:
    """The numbers of the paths that run through any part of a source range (offsets in code points, end excluded). Paths are followed
    through the source, so the report must be of the latest analysis of this process."""
    follow = r.execution.follow
    if follow is None:
        return tuple(sorted({n for s, ns in paths_through(r).items() if _meets(s, file, start, end) for n in ns}))
    return tuple(p.number for p in r.paths if any(_meets(s, file, start, end) for s in follow(p)))


def _meets(s: Span, file: str, start: int, end: int) -> bool:
    return s.file == file and s.start < end and start < s.end


def panel(r: Report, locate: Locate | None = None) -> dict[str, Any]:
    """All paths, as `maestro/paths` answers. `locate` makes a place of a span (default: {"file", "range"}). For the latest analysis of
    this process only."""
    places = Places(r)
    where = locate or (lambda span: {"file": span.file, "range": places.range(span)})
    return {"state": "fresh", "source": r.source, "paths": [_path(r, p, places, where) for p in r.paths]}


def _path(r: Report, p: CallPath, places: Places, where: Locate) -> dict[str, Any]:
    show = Printer(r, p)
    decisions = [show(c.expr) for c in p.conditions if not c.assumed]
    out: dict[str, Any] = {
        "number": p.number,
        "device": p.device,
        "outcome": outcome(p, show),
        "condition": list(dict.fromkeys(decisions)),
        "calls": [{"text": call_text(r, c, show), **where(c.span)} for c in p.calls],
        "writes": [f"{name} = {value}" for name, value in show.writes(p.writes)],
        "lines": [where(s) for s in lines(r, p, places)],
    }
    c = r.comparison
    if c is not None and c.alignment is not None and not c.any_contents and r.execution.engine is not None:
        out["files"] = [c.recorded.path_files[n].path for n, qs in sorted(c.alignment.partners.items()) if p.number in qs]
    elif c is not None and r.execution.engine is None:
        out["files"] = [c.recorded.path_files[p.number].path]
    return out


def lines(r: Report, p: CallPath, places: Places) -> list[Span]:
    """The whole lines that a path runs through, neighbouring ones as one span; of call path files alone, the lines of its calls."""
    follow = r.execution.follow
    spans: Iterable[Span] = follow(p) if follow is not None else (c.span for c in p.calls)
    covered: dict[str, set[int]] = {}
    for s in spans:
        text = places.text(s.file)
        covered.setdefault(s.file, set()).update(range(text.line(s.start), text.line(max(s.start, s.end - 1)) + 1))
    out = []
    for file, numbers in sorted(covered.items()):
        text = places.text(file)
        for first, last in _runs(numbers):
            start = text.line_starts[first]
            end = text.line_starts[last] + len(text.line_text(last))
            out.append(Span(file, start, end))
    return out


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for n in sorted(numbers):
        if out and out[-1][1] == n - 1:
            out[-1] = out[-1][0], n
        else:
            out.append((n, n))
    return out
