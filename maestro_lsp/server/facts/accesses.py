"""What each call (or plain access) in the source does to state, over all paths: one `Site` for each place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...check import Report
from ...sharding.conflicts import Conflict, Effective
from ...sharding.findings import Finding
from ...sharding.matrix import equalities_of, in_words
from ...source.text import Span
from ...symbex.path import Object

_MAX_PARTNERS = 12
# what a call does to indices that are the packet's own, by its role: where each core has its own tables, and where cores share them
_OWN = {
    "allocate": "new entry, in the core's own table",
    "free": "frees the core's own entry",
    "expire": "each core expires its own entries",
}
_SHARED = {"allocate": "new entry", "free": "frees an entry", "expire": "expires old entries"}


@dataclass
class Partner:
    """Another place that a site conflicts with."""

    span: Span
    function: str
    object: str
    when: str
    devices: set[tuple[int, int]] = field(default_factory=set)


@dataclass
class Site:
    """A place in the source that touches state, or calls the library."""

    span: Span
    function: str  # the library function, or "read", "assignment"
    enclosing: str  # the function that the place is in
    objects: dict[str, Object] = field(default_factory=dict)
    writes: bool = False
    paths: set[int] = field(default_factory=set)
    devices: set[int] = field(default_factory=set)
    through: set[str] = field(default_factory=set)  # objects whose keys stand for its indices
    meets_all: set[str] = field(default_factory=set)  # reasons why everything that gets here meets
    own: str = ""  # what it does to entries that no other packet uses, in words
    partners: dict[tuple[Span, str, str], Partner] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def shards_on(self) -> str:
        """The fields that decide, if the findings name them."""
        for f in self.findings:
            if f.code == "shards-on":
                return f.message.partition(" shards on ")[2]
        return ""

    def summary(self) -> str:
        """What the place means for sharding, in a few words; empty if it means nothing."""
        if self.meets_all:
            return "makes all packets meet"
        fields = self.shards_on()
        codes = {f.code for f in self.findings}
        if "rss-incompatible-field" in codes:
            return "RSS cannot hash its key" + (f": {fields}" if fields else "")
        if fields:
            return f"shards on {fields}"
        if "read-only-state" in codes:
            return "only read: needs no sharding"
        if self.through:
            return f"shards on the key in {', '.join(sorted(self.through))}"
        return self.own


def sites(r: Report) -> dict[Span, Site]:
    """All sites, in the order of the source."""
    found: dict[Span, Site] = {}
    objects = r.execution.objects
    for p in r.paths:
        for c in p.calls:
            site = found.get(c.span)
            if site is None:
                site = found[c.span] = Site(c.span, c.function, c.functions[-1] if c.functions else "")
            site.paths.add(p.number)
            site.devices.add(p.device)
            for t in c.touches:
                o = objects.get(t.object)
                if o is not None:
                    site.objects[o.name] = o
                site.writes |= t.write
    for a in r.analysis.accesses:
        if a.plain is not None:
            site = found.get(a.span)
            if site is None:
                enclosing = a.plain.functions[-1] if a.plain.functions else ""
                site = found[a.span] = Site(a.span, a.interface, enclosing)
            site.objects[a.object.name] = a.object
            site.writes |= a.write
            site.paths.add(a.path.number)
            site.devices.add(a.path.device)
    for e in r.analysis.conflicts.effective:
        _judge(found, e, r)
    for conflict in r.analysis.conflicts.conflicts:
        _meet(found, conflict)
    for f in r.findings:
        if f.span in found:
            found[f.span].findings.append(f)
    return dict(sorted(found.items()))


def _judge(found: dict[Span, Site], e: Effective, r: Report) -> None:
    site = found.get(e.access.span)
    if site is None:
        return
    if e.obstacles:
        site.meets_all.update(o.why for o in e.obstacles)
    elif e.through is not None:
        o = r.execution.objects.get(e.through)
        if o is not None:
            site.through.add(o.name)
    elif e.own_index:
        site.own = (_OWN if r.analysis.verdict == "shared-nothing" else _SHARED)[e.access.role]


def _meet(found: dict[Span, Site], c: Conflict) -> None:
    when = requirement(c)
    for x, y in c.causes:
        for one, other in ((x.access, y.access), (y.access, x.access)):
            site = found.get(one.span)
            if site is None or len(site.partners) >= _MAX_PARTNERS:
                continue
            mark = (other.span, other.object.name, when)
            partner = site.partners.get(mark)
            if partner is None:
                partner = Partner(other.span, other.interface, other.object.name, when)
                site.partners[mark] = partner
            partner.devices.add((c.i, c.j))


def requirement(c: Conflict) -> str:
    """When the packets of a conflict must meet, in words."""
    equalities, rest = equalities_of(c.when)
    text = in_words(equalities)
    if not rest:
        return text
    more = f"{len(rest)} equation{'s' if len(rest) > 1 else ''} between bits"
    return f"{text}, {more}" if equalities else more


def devices_text(devices: Iterable[int]) -> str:
    numbers = sorted(devices)
    return f"device {numbers[0]}" if len(numbers) == 1 else "devices " + ", ".join(map(str, numbers))
