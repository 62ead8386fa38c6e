"""Texts of hovers and lenses."""

from __future__ import annotations

from ...check import Report
from ...render.text import STATELESS, VERDICTS
from ...sharding.matrix import in_words
from .accesses import Site, devices_text
from .places import Places, uri

_MAX_LISTED = 8


def title(r: Report) -> str:
    """The verdict, for the lens over nf_process."""
    a = r.analysis
    if a.stateless:
        return "shared-nothing: no packet changes state"
    if a.verdict != "shared-nothing" or a.configuration is None:
        return f"{a.verdict}: {VERDICTS[a.verdict]}"
    found = a.configuration
    worst = min((d.number for d in found.space.devices), key=found.queue_bits, default=None)
    if worst is None:
        return "shared-nothing"
    return f"shared-nothing: RSS keys for {r.nic} spread packets over {entries(*_bits(r, worst))}"


def entries(bits: int, of: int) -> str:
    """Over how much of the indirection table packets spread, when that many bits of its index differ."""
    if of == 0:
        return "one table entry"
    return f"all {1 << of} table entries" if bits == of else f"{1 << bits} of {1 << of} table entries"


def _bits(r: Report, device: int) -> tuple[int, int]:
    found = r.analysis.configuration
    assert found is not None
    return found.queue_bits(device), found.space.index_bits(device)


def matrix(r: Report) -> str:
    """The verdict and the constraint matrix."""
    a = r.analysis
    said = STATELESS if a.stateless else VERDICTS[a.verdict]
    lines = [f"**{r.name}: {a.verdict}**", "", f"{said[0].upper()}{said[1:]}."]
    if r.roles:
        chosen = ", ".join(f"`{n} = {v}`" for n, v in r.roles.items())
        lines += ["", f"The NF's arguments are not known; of all device roles the worst is shown: {chosen}"]
    if a.rows:
        lines += ["", "| devices | packets that must meet |", "| --- | --- |"]
        for row in a.rows:
            shown = [in_words(c) for c in row.constraint] or ["none"]
            if not row.exact:
                shown.append(f"more exactly: {row.text}")
            lines.append(f"| {row.devices[0]}, {row.devices[1]} | {_cell(' **or** '.join(shown))} |")
    if a.complete and a.configuration is not None:
        spread_only = " (any key will do)" if a.verdict == "locks" else ""
        lines += ["", f"RSS on {r.nic}{spread_only}:", ""]
        for device in a.configuration.space.devices:
            lines.append(f"- device {device.number}: packets spread over {entries(*_bits(r, device.number))}")
    for x in a.assumes:
        lines.append(f"\nAssumed not to arrive on {devices_text(x.devices)}: {x.packet_class} ({x.why}).")
    for d in a.deviations:
        lines.append(f"\nDiffers from the sequential program: {d.why}.")
    return "\n".join(lines)


def access(site: Site, places: Places, total: int) -> str:
    """What a call means: its object, what it shards on, what it conflicts with, findings."""
    about = ", ".join(f"`{o.name}` ({_kind(o.kind, o.capacity)})" for o in site.objects.values())
    lines = [f"**{site.function}**" + (f" on {about}" if about else "")]
    said = site.summary()
    if said:
        lines += ["", said[0].upper() + said[1:] + "."]
    lines += [f"{why[0].upper()}{why[1:]}." for why in sorted(site.meets_all)]
    if site.paths:
        lines += ["", f"On {len(site.paths)} of {total} call paths, {devices_text(site.devices)}."]
    if site.partners:
        lines += ["", "Conflicts with:", ""]
        partners = sorted(site.partners.values(), key=lambda p: (p.span, p.when))
        for p in partners[:_MAX_LISTED]:
            where = f"[{places.name(p.span)}]({uri(p.span.file)}#L{places.line(p.span)})"
            pairs = " and ".join(f"{i}, {j}" for i, j in sorted(p.devices))
            lines.append(f"- `{p.function}` at {where}, devices {pairs}: {p.when}")
        if len(partners) > _MAX_LISTED:
            lines.append(f"- {len(partners) - _MAX_LISTED} more")
    told = [f for f in site.findings if f.code not in ("shards-on", "read-only-state")]
    if told:
        lines.append("")
        lines += [f"- {f.severity}: {f.message} `{f.code}`" for f in told]
    return "\n".join(lines)


def _kind(kind: str, capacity: int | None) -> str:
    return f"{kind}, {capacity} entries" if capacity else kind


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
