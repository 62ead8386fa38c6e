"""A report for people: verdict, matrix, RSS configuration, findings with their source lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..check import Report
from ..rss.balance import ZIPF_EXPONENT, ZIPF_FLOWS, expected
from ..rss.configure import Configuration
from ..sharding.findings import Finding
from ..sharding.matrix import Row, in_words
from ..sharding.wording import on_devices
from ..source.text import Span
from .json_ import Places, relative

VERDICTS = {
    "shared-nothing": "every core can keep its own state, and RSS brings together the packets that must meet",
    "locks": "cannot be sharded as written, so cores have to share state",
    "unknown": "the analysis is incomplete, so nothing is promised",
}
LONGEST = 160  # columns of a source line that is shown
STATELESS = "no packet changes state, so any packet may go to any core"
COLOURS = {"error": "31", "warning": "33", "information": "36", "hint": "2", "bold": "1", "good": "32"}


@dataclass(frozen=True, slots=True)
class Style:
    """How much to say, and whether in colour."""

    colour: bool = False
    verbosity: int = 0  # -1 verdicts only, 0 without hints, 1 everything
    width: int = (
        0  # columns of the terminal at whose words' ends lines are broken; 0: lines stay whole, for pipes and files
    )

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self.colour else text


class _Verbatim(str):
    """Text that is not broken: a line of the source, the caret under it, a traceback."""


def report(r: Report, style: Style) -> str:
    """The whole report, without a line end."""
    lines = _lines(r, style)
    if style.width:
        lines = (part for line in lines for part in _broken(line, style.width))
    return "\n".join(lines)


_PAINT = re.compile(r"\x1b\[\d+m")
_FIRST_COLUMN = re.compile(r" *\S[^:]{,9}? {2,}(?=\S)")


def _broken(line: str, width: int) -> Iterator[str]:
    """A line as several of at most `width` columns, what goes on being indented; words that are longer stay whole, so that
    keys and places can be copied."""
    if isinstance(line, _Verbatim) or len(_PAINT.sub("", line)) <= width:
        yield line
        return
    column = _FIRST_COLUMN.match(line)
    indent = " " * (column.end() if column else len(line) - len(line.lstrip()) + 4)
    start = column.end() if column else len(line) - len(line.lstrip())
    head, *words = line[start:].split(" ")
    current = line[:start] + head
    for word in words:
        if len(_PAINT.sub("", f"{current} {word}")) > width:
            yield current
            current = indent + word
        else:
            current = f"{current} {word}"
    yield current


def _lines(r: Report, style: Style) -> Iterator[str]:
    a = r.analysis
    colour = "good" if a.verdict == "shared-nothing" else "warning"
    what = STATELESS if a.stateless else VERDICTS[a.verdict]
    yield f"{style.paint(r.name, 'bold')}: {style.paint(a.verdict, colour)}: {what}"
    if style.verbosity < 0:
        return
    found = "" if a.complete else ", as far as the analysis got"
    yield f"  {_count(len(r.paths), 'call path')} on {_count(r.devices, 'device')}{found}"
    if r.comparison is not None:
        yield f"  call paths: {r.comparison.summary}"
    if r.objects:
        yield "  state: " + ", ".join(f"{o.name} ({o.kind})" for o in r.objects)
    if r.roles:
        chosen = ", ".join(f"{n} = {v}" for n, v in r.roles.items())
        yield f"  the NF's arguments are not known; of all device roles the worst is shown: {chosen}"
    if r.paths:
        yield from _matrix(a.rows)
    if a.complete:
        yield from _rss(r)
    if r.proof is not None:
        yield (
            f"  keys proved on {_count(len(r.proof.checks), 'pair')} of hash inputs"
            if r.proof.holds
            else (f"  {style.paint('the proof of the keys FAILED', 'error')}: {r.proof.failures[0]}")
        )
    for x in a.assumes:
        if x.packet_class == "call-paths":
            yield f"  taken for granted: {x.why}"
            continue
        yield f"  assumed not to arrive on {on_devices(x.devices)}: {x.packet_class} ({x.why})"
    for d in a.deviations:
        yield f"  differs from the sequential program: {d.why}"
    places = Places(r)
    shown = [f for f in r.findings if f.severity != "hint" or style.verbosity > 0]
    for f in shown:
        yield ""
        yield from finding(f, places, style)
    if len(shown) < len(r.findings):
        yield f"\n  {_count(len(r.findings) - len(shown), 'hint')} not shown (-v)"
    if r.error and style.verbosity > 0:
        yield _Verbatim(r.error)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _matrix(rows: tuple[Row, ...]) -> Iterator[str]:
    yield "  devices   packets that must meet (a field on the first = a field on the second)"
    for row in rows:
        i, j = row.devices
        shown = [in_words(c) for c in row.constraint] or ["none"]
        if not row.exact:
            shown.append(f"(more exactly: {row.text})")
        for n, text in enumerate(shown):
            yield f"  {f'{i}, {j}' if n == 0 else '':8}  {'or ' if n and text[0] != '(' else ''}{text}"


def _rss(r: Report) -> Iterator[str]:
    configuration = r.analysis.configuration
    if configuration is None:
        return
    why = "" if r.analysis.verdict == "shared-nothing" else ", to spread packets that may go to any core"
    yield f"  RSS on {r.nic}{why}:"
    matter = {name for c in r.analysis.conflicts.conflicts for pair in c.counted for name in pair}
    for d in configuration.to_json()["devices"]:
        yield f"    device {d['device']}: {d['queue_bits']} of {d['index_bits']} bits of the table index spread, key {d['key']}"
        shown = [i for i in d["inputs"] if i["class"] in matter] or d["inputs"]
        for names in dict.fromkeys(", ".join(i["fields"]) for i in shown):
            options = ", ".join(i["option"] for i in shown if ", ".join(i["fields"]) == names)
            yield f"      {options}: {names}"
        if len(shown) < len(d["inputs"]):
            others = _count(len(d["inputs"]) - len(shown), "other option")
            yield f"      {others}, for packets that reach no state, as the NIC has them"
        off = sorted(configuration.off.get(d["device"], ()))
        if off:
            yield f"      left off: {', '.join(off)}, whose packets meet at table entry 0"
    if r.analysis.verdict == "shared-nothing" and not r.analysis.stateless:
        yield f"    {_cores(configuration)}"


def _cores(configuration: Configuration) -> str:
    """How many cores pay, by the device that is spread worst."""
    spread = [configuration.queue_bits(d.number) for d in configuration.space.devices]
    bits = min((bits for bits in spread if bits), default=0)
    even, skewed = expected(bits), expected(bits, ZIPF_FLOWS, ZIPF_EXPONENT)
    return (
        f"cores worth using, of 16: {even.cores} if flows are many and equal (speed-up {even.speedup:.1f}), {skewed.cores} if few carry "
        f"most ({skewed.speedup:.1f}, Zipf {ZIPF_EXPONENT}); memory, PCIe and the NIC's rate may set in before"
    )


def finding(f: Finding, places: Places, style: Style) -> Iterator[str]:
    """A finding with its source line and a caret, then the other places it is about."""
    severity = style.paint(f.severity, f.severity)
    yield f"{_place(f.span, places)}: {severity}: {f.message} [{f.code}]"
    text = places.text(f.span.file)
    line = text.line(f.span.start)
    source = text.line_text(line)
    column = f.span.start - text.line_starts[line]
    if source.strip():
        longest = min(LONGEST, style.width - 2) if style.width else LONGEST
        if len(source) > longest:  # a call in a call path file: as much as shows which it is
            first = max(0, column - longest // 2)
            source, column = source[first : first + longest], column - first
        width = max(1, min(f.span.end - f.span.start, len(source) - column))
        yield _Verbatim("  " + source)
        # tabs stay, so that the caret stands where the terminal shows the place
        blank = "".join(c if c == "\t" else " " for c in source[:column])
        yield _Verbatim("  " + blank + style.paint("^" * width, f.severity))
    for x in f.related:
        yield f"  {_place(x.span, places)}: {x.message}"
        t = places.text(x.span.file)
        longest = min(LONGEST, style.width - 4) if style.width else LONGEST
        yield _Verbatim("    " + t.line_text(t.line(x.span.start)).strip()[:longest])


def _place(span: Span, places: Places) -> str:
    text = places.text(span.file)
    line = text.line(span.start)
    return f"{relative(span.file)}:{line + 1}:{span.start - text.line_starts[line] + 1}"
