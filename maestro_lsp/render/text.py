"""A report for people: verdict, matrix, RSS configuration, findings with their source lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..check import Report
from ..sharding.findings import Finding
from ..sharding.matrix import show
from .json_ import Places, relative

VERDICTS = {
    "shared-nothing": "every core can have its own state: the NIC's hash keeps packets that must meet together",
    "locks": "cannot be sharded as written: cores have to share state",
    "unknown": "the analysis is incomplete, so nothing is promised",
}
COLOURS = {"error": "31", "warning": "33", "information": "36", "hint": "2", "bold": "1", "good": "32"}


@dataclass(frozen=True, slots=True)
class Style:
    """How much to say, and whether in colour."""

    colour: bool = False
    verbosity: int = 0  # -1 verdicts only, 0 without hints, 1 everything

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self.colour else text


def report(r: Report, style: Style) -> str:
    """The whole report."""
    return "\n".join(_lines(r, style))


def _lines(r: Report, style: Style) -> Iterator[str]:
    a = r.analysis
    colour = "good" if a.verdict == "shared-nothing" else "warning"
    what = "stateless: any packet may go to any core" if a.stateless else VERDICTS[a.verdict]
    yield f"{style.paint(r.name, 'bold')}: {style.paint(a.verdict, colour)} ({what})"
    if style.verbosity < 0:
        return
    state = ", ".join(f"{o.name} ({o.kind})" for o in r.objects) or "none"
    devices = "device" if r.devices == 1 else "devices"
    yield f"  {len(r.paths)} call paths on {r.devices} {devices}; state: {state}"
    if r.roles:
        yield (
            "  roles: "
            + ", ".join(f"{n} = {v}" for n, v in r.roles.items())
            + " (no NF_ARGS: every assignment was analysed)"
        )
    yield "  packets that must meet:"
    for row in a.rows:
        i, j = row.devices
        shown = [show(c) for c in row.constraint] or ["never"]
        more = "" if row.exact else f"   (exactly: {row.text})"
        yield f"    devices {i} and {j}: " + f"\n{' ' * 20}or ".join(shown) + more
    yield from _rss(r)
    for x in a.assumes:
        on = ", ".join(str(d) for d in x.devices)
        yield f"  assumed not to arrive on {on}: {x.packet_class} ({x.why})"
    for d in a.deviations:
        yield f"  differs from the sequential program: {d.why}"
    places = Places(r)
    hidden = 0
    for f in r.findings:
        if f.severity == "hint" and style.verbosity < 1:
            hidden += 1
            continue
        yield ""
        yield from finding(f, places, style)
    if hidden:
        yield f"\n  {hidden} hint{'s' if hidden > 1 else ''} not shown (-v shows them)"
    if r.error and style.verbosity > 0:
        yield r.error


def _rss(r: Report) -> Iterator[str]:
    configuration = r.analysis.configuration
    if configuration is None:
        return
    why = "" if r.analysis.verdict == "shared-nothing" else ", random keys: locks let any core take any packet"
    yield f"  RSS for {r.nic}{why}:"
    matter = {name for c in r.analysis.conflicts.conflicts for pair in c.counted for name in pair}
    for d in configuration.to_json()["devices"]:
        yield f"    device {d['device']}: key {d['key']}, {d['queue_bits']} of {d['index_bits']} index bits"
        shown = [i for i in d["inputs"] if i["class"] in matter]
        for names in sorted({", ".join(i["fields"]) for i in shown}):
            yield f"      {', '.join(i['option'] for i in shown if ', '.join(i['fields']) == names)}: {names}"
        if len(shown) < len(d["inputs"]):
            yield f"      {len(d['inputs']) - len(shown)} options for packets that reach no state: whatever the NIC offers"


def finding(f: Finding, places: Places, style: Style) -> Iterator[str]:
    """A finding with its source line and a caret."""
    text = places.text(f.span.file)
    line = text.line(f.span.start)
    column = f.span.start - text.line_starts[line]
    source = text.line_text(line)
    severity = style.paint(f.severity, f.severity)
    yield f"{relative(f.span.file)}:{line + 1}:{column + 1}: {severity}: {f.message} [{f.code}]"
    if source.strip():
        width = max(1, min(f.span.end - f.span.start, len(source) - column))
        yield "  " + source.replace("\t", " ")
        yield "  " + " " * column + style.paint("^" * width, f.severity)
    for x in f.related:
        t = places.text(x.span.file)
        at = t.line(x.span.start)
        yield f"  {relative(x.span.file)}:{at + 1}:{x.span.start - t.line_starts[at] + 1}: {x.message}"
        yield "    " + t.line_text(at).strip()
