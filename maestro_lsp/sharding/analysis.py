"""The analysis of one NF's call paths: matrix, verdict, findings, RSS configuration.

`analyse` is a pure function of an execution and settings. The verdict comes from one rule: the NF is shared-nothing iff every device
from which a packet can reach state that packets change has at least one queue bit among all valid keys (docs/explanation/span.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..rss.configure import Configuration, configure
from ..rss.fields import PACKET_CLASSES, WIDTHS
from ..rss.nic import Profile
from ..rss.solve import KeySpace
from ..source.text import Span
from ..symbex.memo import Memo
from ..symbex.path import CallPath, Part, calls_of
from ..symbex.run import Execution
from ..symbex.solver import Solver
from .access import Access, Accesses, OnPath, asked, collect
from .algebra import AdmittedViews, Conjunction
from .conflicts import Conflict, Conflicts, Effective, Obstacle, find_conflicts
from .demands import Demand, demands
from .findings import INCOMPLETE, Finding, Related, for_all_devices
from .headers import PacketView, Views, reads_transport
from .matrix import Row, equalities_of, in_words, rows, tied_packets
from .wording import key_in_fields, listed, on_devices, use, where_full

Verdict = Literal["shared-nothing", "locks", "unknown"]


@dataclass(frozen=True, slots=True)
class Options:
    """What the analysis depends on besides the paths."""

    profile: Profile
    equal: Literal["index", "hash"] = "index"
    strict: bool = False
    assume: tuple[str, ...] | None = None  # classes of packets taken not to arrive; None: the default
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Assumption:
    """A class of packets that is taken not to reach state."""

    packet_class: str
    devices: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Deviation:
    """A stated difference between the parallel program and the sequential one."""

    code: str
    why: str


@dataclass(frozen=True)
class Analysis:
    """All that is known about how an NF can be sharded."""

    verdict: Verdict
    stateless: bool
    complete: bool
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    assumes: tuple[Assumption, ...]
    deviations: tuple[Deviation, ...]
    configuration: Configuration | None
    accesses: Accesses = field(repr=False)
    conflicts: Conflicts = field(repr=False)
    read_only: frozenset[int] = frozenset()


def analyse(execution: Execution, devices: int, options: Options, extra: Sequence[Finding] = ()) -> Analysis:
    """Analyse the call paths of an NF on `devices` devices. `extra` findings (of the front end) are carried along."""
    run = _Analysis(execution, devices, options)
    return run.go(extra)


Admitted = tuple[tuple[PacketView, ...], frozenset[str], list[tuple[str, str]]]


class _Analysis:
    def __init__(self, execution: Execution, devices: int, options: Options) -> None:
        self.execution = execution
        self.paths = execution.paths
        self.objects = execution.objects
        self.devices = tuple(range(devices))
        self.options = options
        self.solver = execution.engine.solver if execution.engine is not None else Solver()
        self.views = Views(self.solver, self.options.strict)
        self.findings: list[Finding] = []
        self._constants: dict[tuple[str, Span, str], dict[str, dict[int, Access]]] = {}
        self._admitted: dict[object, Admitted] = {}  # by all that decides
        self._asked = Memo(asked)
        self._key_texts: dict[tuple[tuple[Part, ...] | None, tuple[PacketView, ...]], str] = {}

    def go(self, extra: Sequence[Finding]) -> Analysis:
        views = self.views
        accesses, read_only = collect(self.paths, self.objects, views)
        assumes, kept = self.admitted(accesses)
        conflicts = find_conflicts(
            self.paths, self.objects, accesses, kept, self.options.strict, self.solver, self.execution.started
        )
        matrix = rows(self.devices, conflicts.conflicts)
        requirements = demands(conflicts.conflicts, self.options.profile)
        classes = tuple(n for n in PACKET_CLASSES if any(n in names for names in kept.counted.values()))
        hopeless = self.all_meet(requirements)
        configuration = self.configure([] if hopeless else requirements, classes)
        troubles = [Finding(t.code, t.message, t.span) for t in self.execution.troubles]
        complete = self.execution.complete and not any(f.code in INCOMPLETE for f in extra) and not conflicts.too_many
        weak = self.weak_devices(configuration, requirements) if not hopeless else sorted(_demanded(requirements))
        verdict: Verdict = "shared-nothing" if not weak else "locks"
        if not complete:
            verdict = "unknown"
        stateless = complete and not accesses and not read_only
        if verdict == "locks" and not hopeless:  # every core may see every packet: spread them as well as the NIC can
            configuration = self.configure([], classes)
        self.findings += extra
        self.findings += troubles
        self.explain(conflicts, configuration, weak, requirements, verdict)
        self.describe(conflicts, accesses, read_only, verdict)
        self.unhashed(assumes, accesses)
        if verdict == "shared-nothing":
            self.narrow(configuration, requirements)
        deviations = [
            Deviation(
                "dchain-index-guarded",
                "a packet whose index is taken but that fails the comparison no longer keeps the entry alive",
            )
            for g in conflicts.guards.values()
            if g.rejuvenates_first
        ][:1]
        findings = for_all_devices(self.findings)
        return Analysis(
            verdict, stateless, complete, matrix, findings, tuple(assumes), tuple(deviations), configuration,
            accesses, conflicts, read_only,
        )  # fmt: skip

    # ---------------------------------------------------------------------------------------------- classes of packets

    def admitted(self, accesses: Accesses) -> tuple[list[Assumption], AdmittedViews]:
        """The classes that count on each path, and those that are taken not to arrive."""
        reasons: dict[str, tuple[set[int], str]] = {}
        found: dict[int, Admitted] = {}
        for on in accesses.on_paths:
            path = on.path
            found[path.number] = self.admitted_on(on) if path.like is None else found[path.like]
            for name, why in found[path.number][2]:
                reasons.setdefault(name, (set(), why))[0].add(path.device)
        out = [Assumption(name, tuple(sorted(d)), why) for name, (d, why) in sorted(reasons.items())]
        if accesses:
            reaching = tuple(sorted({on.path.device for on in accesses.on_paths}))
            why = "headers whose lengths contradict each other, and tunnels, are taken not to arrive"
            out.append(Assumption("malformed", reaching, why))
        return out, AdmittedViews({n: f[0] for n, f in found.items()}, {n: f[1] for n, f in found.items()})

    def admitted_on(self, on: OnPath) -> Admitted:
        """Of one path: the classes in the matrix, those that count, and those that are taken not to arrive, with why."""
        views, (leaves, only_expires) = on.views, self._asked[on.firsts]
        fixed = reads_transport({leaf for leaf in leaves if leaf.op == "byte" and leaf.args[0] == "packet"}, views)
        options = fixed and any(v.header_assumed_plain for v in views) and self.views.options_possible(on.path)
        key = (id(views), leaves, only_expires, options)
        if key not in self._admitted:
            self._admitted[key] = self._admit(views, reads_transport(leaves, views), only_expires, options)
        return self._admitted[key]

    def _admit(self, views: Sequence[PacketView], layer4: bool, only_expires: bool, options: bool) -> Admitted:
        stay, count, left_out = [], set(), []
        for v in views:
            name = v.packet_class
            why = self.assumed(v, layer4)
            if not (name.endswith("-frag") and layer4) or self.options.strict:
                stay.append(v)
            if why is not None:
                if not only_expires:
                    left_out.append((name, why))
                continue
            count.add(name)
            if v.header_assumed_plain and options:
                why = "the NF reads ports right behind the fixed IPv4 header, also when the header has options"
                left_out.append(("ipv4-options", why))
        return tuple(stay), frozenset(count), left_out

    def assumed(self, view: PacketView, layer4: bool) -> str | None:
        """Why packets of a class are taken not to reach state; None when they count."""
        if self.options.strict:
            return None
        name = view.packet_class
        if self.options.assume is not None:
            return "by the setting `assume`" if name in self.options.assume else None
        if self.options.profile.option_for(name) is None:
            return f"{self.options.profile.name} has no RSS option for it"
        if name.endswith("-frag") and layer4:
            return "the NF reads ports, which in a fragment are payload"
        return None

    def unhashed(self, assumes: Iterable[Assumption], accesses: Accesses) -> None:
        """One finding for each class that is assumed away, at the first access it would reach."""
        reached: dict[str, Access] = {}
        looked_at = {a.packet_class for a in assumes}
        earliest = Memo(_earliest)
        for on in accesses.on_paths:
            for name in looked_at.intersection([v.packet_class for v in on.views]) if on.path.like is None else ():
                for first in earliest[on.firsts]:
                    reached[name] = min(reached.get(name, first), first, key=_in_source)
        for a in assumes:
            at = reached.get(a.packet_class)
            if at is None:  # malformed packets, and options of IPv4, are no classes
                continue
            self.findings.append(
                Finding(
                    "unhashed-traffic",
                    f"{a.packet_class} packets on {on_devices(a.devices)} can reach {at.object.name}; they are assumed not to arrive, because "
                    f"{a.why}: drop them before this call, or choose a NIC that hashes them (--strict assumes nothing)",
                    at.span,
                )
            )

    # ------------------------------------------------------------------------------------------------------- verdict

    def configure(self, wanted_together: Sequence[Demand], classes: tuple[str, ...]) -> Configuration:
        hashed = tuple(c for c in PACKET_CLASSES if self.options.profile.option_for(c) is not None)
        return configure(
            self.options.profile,
            self.devices,
            [d.requirement for d in wanted_together],
            classes=classes or hashed,
            equal=self.options.equal,
            seed=self.options.seed,
        )

    def all_meet(self, wanted: Sequence[Demand]) -> bool:
        """Whether on every device all packets that reach state must meet, so that no key need be looked for."""
        always = {d.requirement.i: d.requirement.classes or frozenset() for d in wanted
                  if d.requirement.i == d.requirement.j and not d.when}  # fmt: skip
        demanded = _demanded(wanted)
        return bool(demanded) and all((n, n) in always.get(i, ()) for i, names in demanded.items() for n in names)

    def weak_devices(self, configuration: Configuration, wanted: Sequence[Demand]) -> list[int]:
        """Devices whose packets must meet in some way, but which no valid key spreads over queues."""
        space = configuration.space
        return [
            device
            for device, names in sorted(_demanded(wanted).items())
            if not any(
                i.fields and i.packet_class in names and space.drives(device, i) for i in space.device(device).inputs
            )
        ]

    # ------------------------------------------------------------------------------------------------------- findings

    def explain(
        self, conflicts: Conflicts, configuration: Configuration, weak: Sequence[int], requirements: Sequence[Demand],
        verdict: Verdict,
    ) -> None:  # fmt: skip
        """Findings about what stands in the way of sharding."""
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
                self.blocked(x, y, conflicts, scanned, told)
            if not blocked and not self._hashable(c.when):
                for x, y in c.causes:
                    self.unhashable(x, y, c)
        self.constants(conflicts)
        for chain, u in conflicts.unguarded.items():
            self.findings.append(
                Finding(
                    "dchain-index-from-packet",
                    f"{u.access.object.name} is indexed by a packet field ({self._key_text(u.access)}), and no condition saves it: {u.why}",
                    u.access.span,
                    self._allocations(conflicts, chain),
                )
            )
        for chain, g in conflicts.guards.items():
            self.guarded(conflicts, chain, g.lookup)
        if verdict != "shared-nothing" and weak:
            self.disjoint(weak, requirements)

    def _hashable(self, when: Conjunction) -> bool:
        """Whether some option of the NIC hashes a field that the conjunction names (an empty one is a case of its own)."""
        if not when:
            return True
        hashed = {f.name for o in self.options.profile.options for f in o.fields}
        return any(f in hashed for q in when for _, f, _ in q.terms)

    def blocked(self, x: Effective, y: Effective, conflicts: Conflicts, scanned: set[int], told: set[object]) -> None:
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
                    self.blocked_here(o, e, other, conflicts, scanned, told)
                elif o.at.object.id not in scanned and o not in told:  # a scan says it all
                    told.add(o)
                    self.findings.append(
                        Finding(
                            o.code,
                            f"{o.at.object.name} does not stay within a shard: {o.why}, so all packets that reach it must meet",
                            o.at.span,
                            self._reaching(o, x, y),
                        )
                    )

    def blocked_here(
        self, o: Obstacle, e: Effective, other: Effective, conflicts: Conflicts, scanned: set[int], told: set[object]
    ) -> None:
        """The finding about an access whose own key keeps nothing apart."""
        a, b = e.access, other.access
        mark = (o, a.span, a.object.id, a.write, e.key, a.path.device, b.path.device)
        told_there = not a.write and (a.role == "return" or a.span in self._changes)  # at the borrow, or as a change
        if mark in told or told_there:
            return
        told.add(mark)
        if o.code == "global-state" and any(a.object.id in conflicts.tables[t].members for t in scanned):
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

    def constants(self, conflicts: Conflicts) -> None:
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
                if all(c.i == c.j for c in conflicts.conflicts if {c.i, c.j} <= set(devices)):
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

    @staticmethod
    def _reaching(o: Obstacle, x: Effective, y: Effective) -> tuple[Related, ...]:
        """The accesses that meet because of an obstacle elsewhere."""
        assert o.at is not None
        if o.other is not None:
            return (Related(o.other.span, f"{o.other.interface} reaches {o.other.object.name} here"),)
        spans = {e.access.span: e.access.interface for e in (x, y) if e.access.span != o.at.span}
        return tuple(Related(s, f"reached by {name}") for s, name in sorted(spans.items()))[:1]

    def unhashable(self, x: Effective, y: Effective, c: Conflict) -> None:
        for side, (one, other) in enumerate(((x.access, y.access), (y.access, x.access))):
            if one.call is None or (x, y)[side].through is not None:
                continue
            classes = frozenset(pair[side] for pair in c.counted)
            related = (Related(other.span, f"the other access: {other.interface}"),) if other.span != one.span else ()
            self.findings.append(
                Finding(
                    "rss-incompatible-field",
                    f"{one.object.name} is keyed by {self._key_text(one, classes)}, which no RSS option of {self.options.profile.name} hashes; "
                    f"{tied_packets(c.when)} must meet",
                    one.span,
                    related,
                )
            )

    def guarded(self, conflicts: Conflicts, chain: int, lookup: Access) -> None:
        g = conflicts.guards[chain]
        texts = sorted(
            {in_words(equalities_of(c.when)[0]) for c in conflicts.conflicts for x, y in c.causes if c.when and c.i != c.j
             and (x.access.path.number in g.paths or y.access.path.number in g.paths)}
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
                self._allocations(conflicts, chain),
            )
        )

    def _allocations(self, conflicts: Conflicts, chain: int) -> tuple[Related, ...]:
        spans = sorted(
            {e.access.span for e in conflicts.effective if e.access.object.id == chain and e.access.role == "allocate"}
        )
        return tuple(Related(s, "the index is allocated here") for s in spans[:1])

    def narrow(self, configuration: Configuration, requirements: Sequence[Demand]) -> None:
        """Valid keys that spread packets over few queues."""
        for device, names in sorted(_demanded(requirements).items()):
            best = max(
                (q.queue_bits for q in configuration.ranked[0].inputs
                 if q.device == device and q.hash_input.packet_class in names and q.hash_input.fields),
                default=0,
            )  # fmt: skip
            if best >= min(NARROW, configuration.space.device(device).table_bits):
                continue
            own = [d for d in requirements if device in (d.requirement.i, d.requirement.j)]
            demand = min(own, key=lambda d: (d.requirement.i != d.requirement.j, len(d.when)))
            access = self._best(demand.conflicts[0].causes[0])
            queues = f"{1 << best} queue{'s' if best else ''} ({best} bit{'s' if best != 1 else ''} of the index)"
            self.findings.append(
                Finding(
                    "narrow-sharding",
                    f"packets of device {device} reach at most {queues}: {access.object.name} ties "
                    f"{tied_packets(demand.when)}",
                    access.span,
                )
            )

    def disjoint(self, weak: Sequence[int], requirements: Sequence[Demand]) -> None:
        """Requirements that are fine alone but leave nothing together; or one that alone leaves nothing on this NIC."""
        if any(not d.when for d in requirements if d.requirement.i == d.requirement.j and d.requirement.i in weak):
            self.nothing_hashed(weak, requirements)
            return
        configuration = self.configure(requirements, self._classes(requirements))
        for device in weak:
            cause = configuration.space.explain(device)
            named = [d.conflicts[0] for d in requirements if any(d.requirement is q for q in cause)]
            if len(named) < 2:
                self.too_much(device, [d for d in requirements if any(d.requirement is q for q in cause)] or
                              [d for d in requirements if device in (d.requirement.i, d.requirement.j)])  # fmt: skip
                continue
            first, second = named[0].causes[0], named[1].causes[0]
            a, b = self._best(first), self._best(second)
            if a.span == b.span:
                b = next((self._best(p) for n in named for p in n.causes if self._best(p).span != a.span), b)
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

    def nothing_hashed(self, weak: Sequence[int], requirements: Sequence[Demand]) -> None:
        """Everything meets: mostly for a reason that is a finding already; else because the NIC hashes nothing that is named."""
        if not any(_is_reason(f) for f in self.findings):
            for device in weak:
                mine = [d for d in requirements if not d.when and d.requirement.i == d.requirement.j == device]
                self.too_much(device, mine)

    def too_much(self, device: int, requirements: Sequence[Demand]) -> None:
        """One requirement leaves no bit of the hash free on this NIC."""
        for d in requirements[:1]:
            cause = d.conflicts[0].causes[0]
            a, b = self._best(cause), cause[1].access
            tied = tied_packets(d.conflicts[0].when)
            self.findings.append(
                Finding(
                    "rss-incompatible-field",
                    f"no RSS option of {self.options.profile.name} spreads packets of device {device} while {tied} meet, "
                    f"as {f'{a.interface} on' if a.call is not None else 'the use here of'} {a.object.name} asks",
                    a.span,
                    (Related(b.span, f"the other access: {b.interface}"),) if b.span != a.span else (),
                )
            )

    @staticmethod
    def _best(cause: tuple[Effective, Effective]) -> Access:
        """The access of a pair that names its key itself."""
        for e in cause:
            if e.through is None:
                return e.access
        return cause[0].access

    def _classes(self, requirements: Sequence[Demand]) -> tuple[str, ...]:
        named = {c for d in requirements for pair in d.requirement.classes or () for c in pair}
        return tuple(n for n in PACKET_CLASSES if n in named)

    def _key_text(self, a: Access, classes: frozenset[str] = frozenset()) -> str:
        """A key in terms of fields, as packets of some classes have them."""
        views = tuple(v for v in a.views if v.packet_class in classes) or a.views
        if (a.key, views) not in self._key_texts:
            self._key_texts[a.key, views] = key_in_fields(a, views)
        return self._key_texts[a.key, views]

    def describe(self, conflicts: Conflicts, accesses: Accesses, read_only: frozenset[int], verdict: Verdict) -> None:
        """Hints: what is read-only, what each access shards on, what is divided or approximate."""
        hints: dict[tuple[str, str, Span], None] = {}  # most of them many paths give
        for c in calls_of(self.paths) if read_only else ():
            for t in c.touches:
                if t.object in read_only and t.object in self.objects and t.role != "expire":
                    text = f"{self.objects[t.object].name} is never written by a packet, so it needs no sharding"
                    hints["read-only-state", text, c.span] = None
        for e in conflicts.effective:
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
        if verdict == "shared-nothing":
            for chain in sorted(conflicts.tables):
                table = self.objects.get(chain)
                if (
                    table is not None
                    and table.declared is not None
                    and any(a.object.id == chain for a in accesses.firsts)
                ):
                    size = f" of {table.capacity}" if table.capacity is not None else ""
                    self.findings.append(
                        Finding(
                            "capacity-split",
                            f"the capacity{size} of {table.name} is divided between the cores",
                            table.declared,
                            where_full(chain, accesses),
                        )
                    )


NARROW = 4  # index bits; with fewer, some of 16 cores stay idle
# which access best shows what a scan or a whole-object access meets
_RELATED = {"allocate": 0, "put": 1, "rejuvenate": 2, "free": 3, "erase": 4, "return": 5, "get": 6, "expire": 8}


def _in_source(a: Access) -> tuple[str, int]:
    return a.span.file, a.span.start


def _earliest(accesses: Sequence[Access]) -> list[Access]:
    """The first in the source of a path's accesses that do more than expire what is old, if there is one."""
    return sorted((a for a in accesses if a.role != "expire"), key=_in_source)[:1]


def _is_reason(f: Finding) -> bool:
    return f.severity == "warning" and f.code != "unhashed-traffic"


def _demanded(wanted: Iterable[Demand]) -> dict[int, set[str]]:
    """For each device, the classes of packets that some requirement names."""
    out: dict[int, set[str]] = {}
    for d in wanted:
        for first, second in d.requirement.classes or ():
            out.setdefault(d.requirement.i, set()).add(first)
            out.setdefault(d.requirement.j, set()).add(second)
    return out


__all__ = ["WIDTHS", "Analysis", "Assumption", "CallPath", "Deviation", "KeySpace", "Options", "Verdict", "analyse"]
