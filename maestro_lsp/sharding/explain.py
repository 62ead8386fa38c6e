"""Findings: what stands in the way of sharding, where, and what an engineer should know of what does not.

Each is about a place in the source and says what happens there in terms of header fields; what is true of several devices is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..rss.configure import Configuration
from ..rss.fields import PACKET_CLASSES
from ..rss.nic import Profile
from ..source.text import Span
from ..symbex.path import CallPath, Object, Part, calls_of
from .access import Access, Accesses
from .algebra import Conjunction
from .conflicts import Conflict, Conflicts, Effective, Obstacle
from .demands import Demand, classes_demanded
from .findings import Finding, Related
from .headers import PacketView
from .matrix import equalities_of, in_words, tied_packets
from .wording import key_in_fields, listed, on_devices, use, where_full

NARROW = 4  # index bits; with fewer, some of 16 cores stay idle
# which access best shows what a scan or a whole-object access meets
_RELATED = {"allocate": 0, "put": 1, "rejuvenate": 2, "free": 3, "erase": 4, "return": 5, "get": 6, "expire": 8}


class Explanation:
    """Collects the findings of one analysis. `configured` gives the RSS configuration for some requirements on some classes of packets."""

    def __init__(
        self,
        conflicts: Conflicts,
        objects: Mapping[int, Object],
        profile: Profile,
        configured: Callable[[Sequence[Demand], tuple[str, ...]], Configuration],
        findings: Sequence[Finding],
    ) -> None:
        self.conflicts = conflicts
        self.objects = objects
        self.profile = profile
        self.configured = configured
        self.findings = list(findings)
        self._changes: set[Span] = set()
        self._constants: dict[tuple[str, Span, str], dict[str, dict[int, Access]]] = {}
        self._key_texts: dict[tuple[tuple[Part, ...] | None, tuple[PacketView, ...]], str] = {}

    def explain(self, weak: Sequence[int], requirements: Sequence[Demand]) -> None:
        """Findings about what stands in the way of sharding. `weak` are devices that nothing can be done for."""
        conflicts = self.conflicts
        scanned = {
            t
            for t in conflicts.tables
            if any(e.access.object.id == t and e.access.role == "scan" for e in conflicts.effective)
        }
        told: set[object] = set()
        self._changes = {e.access.span for e in conflicts.effective if e.access.call is None and e.access.write}
        for c in conflicts.conflicts:
            blocked = [(x, y) for x, y in c.causes if x.obstacles or y.obstacles]
            for x, y in sorted(
                blocked, key=lambda p: min(_RELATED.get(p[0].access.role, 9), _RELATED.get(p[1].access.role, 9))
            ):
                self._blocked(x, y, scanned, told)
            if not blocked and not self._hashable(c.when):
                for x, y in c.causes:
                    self._unhashable(x, y, c)
        self._at_constants()
        for chain, u in conflicts.unguarded.items():
            self.findings.append(
                Finding(
                    "dchain-index-from-packet",
                    f"{u.access.object.name} is indexed by a packet field ({self._key_text(u.access)}), and no condition saves it: {u.why}",
                    u.access.span,
                    self._allocations(chain),
                )
            )
        for chain, g in conflicts.guards.items():
            self._guarded(chain, g.lookup)
        if weak:
            self._disjoint(weak, requirements)

    def _hashable(self, when: Conjunction) -> bool:
        """Whether some option of the NIC hashes a field that the conjunction names (an empty one is a case of its own)."""
        if not when:
            return True
        hashed = {f.name for o in self.profile.options for f in o.fields}
        return any(f in hashed for q in when for _, f, _ in q.terms)

    def _blocked(self, x: Effective, y: Effective, scanned: set[int], told: set[object]) -> None:
        """A conflict that needs no equality: everything that gets there meets. One finding for each cause."""
        for e, other in ((x, y), (y, x)):
            if e.obstacles in told:
                continue
            if all(o.at is not None for o in e.obstacles):
                told.add(e.obstacles)  # nothing new whoever else meets them
            for o in e.obstacles:
                if o.code == "dchain-index-from-packet":
                    continue  # an unguarded index is reported once for its table
                if o.at is None:
                    self._blocked_here(o, e, other, scanned, told)
                elif o.at.object.id not in scanned and o not in told:  # a scan says it all
                    told.add(o)
                    self.findings.append(
                        Finding(
                            o.code,
                            f"{o.at.object.name} does not stay within a shard: {o.why}, so all packets that reach it must meet",
                            o.at.span,
                            _reaching(o, x, y),
                        )
                    )

    def _blocked_here(self, o: Obstacle, e: Effective, other: Effective, scanned: set[int], told: set[object]) -> None:
        """The finding about an access whose own key keeps nothing apart."""
        a, b = e.access, other.access
        mark = (o, a.span, a.object.id, a.write, e.key, a.path.device, b.path.device)
        told_there = not a.write and (a.role == "return" or a.span in self._changes)  # at the borrow, or as a change
        if mark in told or told_there:
            return
        told.add(mark)
        if o.code == "global-state" and any(a.object.id in self.conflicts.tables[t].members for t in scanned):
            return
        if e.key and all(isinstance(p.value, int) for p in e.key):
            if a.path.device != b.path.device:
                return
            values = ", ".join(str(p.value) for p in e.key)
            told_here = self._constants.setdefault((o.code, a.span, use(a)), {})
            told_here.setdefault(values, {}).setdefault(a.path.device, b)
            return
        message = f"{use(a)}, and {o.why}: all packets that get here must meet"
        related = (Related(b.span, f"the other access: {b.interface}"),) if b.span != a.span else ()
        if not any(f.code == o.code and f.span == a.span and f.message == message for f in self.findings):
            self.findings.append(Finding(o.code, message, a.span, related))

    def _at_constants(self) -> None:
        """Accesses at constants: one finding for all devices that use the same, or that each have their own."""
        for (code, span, what), by_value in self._constants.items():
            devices = [d for users in by_value.values() for d in users]
            own = len(by_value) > 1 and all(len(users) == 1 for users in by_value.values())
            if own and len(set(devices)) == len(devices):
                pairs = sorted((d, v, b) for v, users in by_value.items() for d, b in users.items())
                text = (
                    f"{what} at {listed(v for _, v, _ in pairs)} for packets on devices {listed(str(d) for d, _, _ in pairs)}, "
                    "which each have their own: all packets of a device must meet"
                )
                if all(c.i == c.j for c in self.conflicts.conflicts if {c.i, c.j} <= set(devices)):
                    text += ", so one core for each device would do"
                texts = [(text, pairs[0][2])]
            else:
                texts = [
                    (f"{what} at {v} for every packet on {on_devices(users)}: they must all meet", users[min(users)])
                    for v, users in sorted(by_value.items())
                ]
            for text, b in texts:
                related = (Related(b.span, f"the other access: {b.interface}"),) if b.span != span else ()
                self.findings.append(Finding(code, text, span, related))

    def _unhashable(self, x: Effective, y: Effective, c: Conflict) -> None:
        for side, (one, other) in enumerate(((x.access, y.access), (y.access, x.access))):
            if one.call is None or (x, y)[side].through is not None:
                continue
            classes = frozenset(pair[side] for pair in c.counted)
            related = (Related(other.span, f"the other access: {other.interface}"),) if other.span != one.span else ()
            self.findings.append(
                Finding(
                    "rss-incompatible-field",
                    f"{one.object.name} is keyed by {self._key_text(one, classes)}, which no RSS option of {self.profile.name} hashes; "
                    f"{tied_packets(c.when)} must meet",
                    one.span,
                    related,
                )
            )

    def _guarded(self, chain: int, lookup: Access) -> None:
        g = self.conflicts.guards[chain]
        texts = sorted(
            {in_words(equalities_of(c.when)[0]) for c in self.conflicts.conflicts for x, y in c.causes if c.when and c.i != c.j
             and not (x.obstacles or y.obstacles) and (x.access.path.number in g.paths or y.access.path.number in g.paths)}
        )  # fmt: skip
        text = " or ".join(texts) or "the fields that the entry was made with"
        more = (
            " The entry is refreshed before that, so a packet that fails it no longer keeps the entry alive."
            if g.rejuvenates_first
            else ""
        )
        self.findings.append(
            Finding(
                "dchain-index-guarded",
                f"{lookup.object.name} is indexed by {self._key_text(lookup)}, which may come back on another core; "
                f"that is harmless, because a packet is treated as if the entry were not there unless it compares equal with the "
                f"packet that made it ({text}), and such packets meet.{more}",
                lookup.span,
                self._allocations(chain),
            )
        )

    def _allocations(self, chain: int) -> tuple[Related, ...]:
        spans = sorted(
            {
                e.access.span
                for e in self.conflicts.effective
                if e.access.object.id == chain and e.access.role == "allocate"
            }
        )
        return tuple(Related(s, "the index is allocated here") for s in spans[:1])

    def narrow(self, configuration: Configuration, requirements: Sequence[Demand]) -> None:
        """Valid keys that spread packets over few queues."""
        for device, names in sorted(classes_demanded(requirements).items()):
            best = max(
                (q.queue_bits for q in configuration.ranked[0].inputs
                 if q.device == device and q.hash_input.packet_class in names and q.hash_input.fields),
                default=0,
            )  # fmt: skip
            if best >= min(NARROW, configuration.space.device(device).table_bits):
                continue
            own = [d for d in requirements if device in (d.requirement.i, d.requirement.j)]
            demand = min(own, key=lambda d: (d.requirement.i != d.requirement.j, len(d.when)))
            access = _best(demand.conflicts[0].causes[0])
            queues = f"{1 << best} queue{'s' if best else ''} ({best} bit{'s' if best != 1 else ''} of the index)"
            self.findings.append(
                Finding(
                    "narrow-sharding",
                    f"packets of device {device} reach at most {queues}: {access.object.name} ties "
                    f"{tied_packets(demand.when)}",
                    access.span,
                )
            )

    def _disjoint(self, weak: Sequence[int], requirements: Sequence[Demand]) -> None:
        """Requirements that are fine alone but leave nothing together; or one that alone leaves nothing on this NIC."""
        if any(not d.when for d in requirements if d.requirement.i == d.requirement.j and d.requirement.i in weak):
            self._nothing_hashed(weak, requirements)
            return
        configuration = self.configured(requirements, _classes(requirements))
        for device in weak:
            cause = configuration.space.explain(device)
            named = [d.conflicts[0] for d in requirements if any(d.requirement is q for q in cause)]
            if len(named) < 2:
                self._too_much(device, [d for d in requirements if any(d.requirement is q for q in cause)] or
                              [d for d in requirements if device in (d.requirement.i, d.requirement.j)])  # fmt: skip
                continue
            first, second = named[0].causes[0], named[1].causes[0]
            a, b = _best(first), _best(second)
            if a.span == b.span:
                b = next((_best(p) for n in named for p in n.causes if _best(p).span != a.span), b)
            texts = " must meet, and so must those that have ".join(
                f"{in_words(equalities_of(c.when)[0])} on {on_devices({c.i, c.j})}" for c in named[:2]
            )
            self.findings.append(
                Finding(
                    "disjoint-sharding",
                    f"{a.object.name} and {b.object.name} ask for shardings that have nothing in common on device {device}: "
                    f"packets that have {texts}",
                    a.span,
                    (Related(b.span, f"the other access: {b.interface}"),),
                )
            )

    def _nothing_hashed(self, weak: Sequence[int], requirements: Sequence[Demand]) -> None:
        """Everything meets: mostly for a reason that is a finding already; else because the NIC hashes nothing that is named."""
        if not any(_is_reason(f) for f in self.findings):
            for device in weak:
                mine = [d for d in requirements if not d.when and d.requirement.i == d.requirement.j == device]
                self._too_much(device, mine)

    def _too_much(self, device: int, requirements: Sequence[Demand]) -> None:
        """One requirement leaves no bit of the hash free on this NIC."""
        for d in requirements[:1]:
            cause = d.conflicts[0].causes[0]
            a, b = _best(cause), cause[1].access
            tied = tied_packets(d.conflicts[0].when)
            self.findings.append(
                Finding(
                    "rss-incompatible-field",
                    f"no RSS option of {self.profile.name} spreads packets of device {device} while {tied} meet, "
                    f"as {f'{a.interface} on' if a.call is not None else 'the use here of'} {a.object.name} asks",
                    a.span,
                    (Related(b.span, f"the other access: {b.interface}"),) if b.span != a.span else (),
                )
            )

    def _key_text(self, a: Access, classes: frozenset[str] = frozenset()) -> str:
        """A key in terms of fields, as packets of some classes have them."""
        views = tuple(v for v in a.views if v.packet_class in classes) or a.views
        if (a.key, views) not in self._key_texts:
            self._key_texts[a.key, views] = key_in_fields(a, views)
        return self._key_texts[a.key, views]

    def describe(self, paths: Sequence[CallPath], read_only: frozenset[int]) -> None:
        """Hints: what is read-only, what each access shards on, what is approximate."""
        hints: dict[tuple[str, str, Span], None] = {}  # most of them many paths give
        for c in calls_of(paths) if read_only else ():
            for t in c.touches:
                if t.object in read_only and t.object in self.objects and t.role != "expire":
                    text = f"{self.objects[t.object].name} is never written by a packet, so it needs no sharding"
                    hints["read-only-state", text, c.span] = None
        for e in self.conflicts.effective:
            a = e.access
            if a.touch is None:
                continue
            if e.key and not e.obstacles and e.through is None and not a.touch.index:
                if any(leaf.op == "byte" and str(leaf.args[0]).startswith("packet") for leaf in a.leaves()):
                    hints["shards-on", f"{a.object.name} shards on {self._key_text(a)}", a.span] = None
            if a.touch.approximate:
                text = f"{a.object.name} holds estimates: with a copy for each core they change"
                hints["approximate-state", text, a.span] = None
        self.findings += [Finding(*hint) for hint in hints]

    def divided(self, accesses: Accesses) -> None:
        """Hints: of which tables the cores share the capacity."""
        for chain in sorted(self.conflicts.tables):
            table = self.objects.get(chain)
            if table is not None and table.declared is not None and any(a.object.id == chain for a in accesses.firsts):
                size = f" of {table.capacity}" if table.capacity is not None else ""
                self.findings.append(
                    Finding(
                        "capacity-split",
                        f"the capacity{size} of {table.name} is divided between the cores",
                        table.declared,
                        where_full(chain, accesses),
                    )
                )


def _reaching(o: Obstacle, x: Effective, y: Effective) -> tuple[Related, ...]:
    """The accesses that meet because of an obstacle elsewhere."""
    assert o.at is not None
    if o.other is not None:
        return (Related(o.other.span, f"{o.other.interface} reaches {o.other.object.name} here"),)
    spans = {e.access.span: e.access.interface for e in (x, y) if e.access.span != o.at.span}
    return tuple(Related(s, f"reached by {name}") for s, name in sorted(spans.items()))[:1]


def _best(cause: tuple[Effective, Effective]) -> Access:
    """The access of a pair that names its key itself."""
    for e in cause:
        if e.through is None:
            return e.access
    return cause[0].access


def _classes(requirements: Sequence[Demand]) -> tuple[str, ...]:
    named = {c for d in requirements for pair in d.requirement.classes or () for c in pair}
    return tuple(n for n in PACKET_CLASSES if n in named)


def _is_reason(f: Finding) -> bool:
    return f.severity == "warning" and f.code != "unhashed-traffic"
