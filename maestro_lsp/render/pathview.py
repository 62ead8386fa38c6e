"""Call paths seen from the source: which go through a place, which lines one of them runs through, which call path files are it."""

from __future__ import annotations

from collections.abc import Iterable

from ..check import Report
from ..source.text import Span
from ..symbex.path import CallPath
from .json_ import Places


def paths_through(r: Report) -> dict[Span, tuple[int, ...]]:
    """The numbers of the paths that go through each call of the source: library calls and the calls around them."""
    found: dict[Span, dict[int, None]] = {}
    for p in r.paths:
        for c in p.calls:
            for span in c.stack:
                found.setdefault(span, {})[p.number] = None
    return {span: tuple(numbers) for span, numbers in sorted(found.items())}


def files_of(r: Report, p: CallPath) -> list[str]:
    """The call path files that are a path of the report."""
    c = r.comparison
    if c is None:
        return []
    if r.execution.engine is None:
        return [c.recorded.path_files[p.number].path]
    if c.alignment is None or c.any_contents:
        return []
    return [c.recorded.path_files[n].path for n, qs in sorted(c.alignment.partners.items()) if p.number in qs]


def lines(r: Report, p: CallPath) -> list[Span]:
    """The whole lines that a path runs through, neighbouring ones as one span; of call path files alone, the lines of its calls. The
    report must be of the latest analysis of this process."""
    places = Places(r)
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
