"""The analysis of one NF's call paths: matrix, verdict, findings, RSS configuration.

`analyse` is a pure function of an execution and settings. The verdict comes from one rule: the NF is shared-nothing iff every device
from which a packet can reach state that packets change has at least one queue bit among all valid keys (docs/explanation/span.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..rss.configure import Configuration, configure
from ..rss.fields import PACKET_CLASSES
from ..rss.nic import Profile
from ..symbex.memo import Memo
from ..symbex.run import Execution
from ..symbex.solver import Solver
from .access import Access, Accesses, OnPath, asked, collect
from .algebra import AdmittedViews
from .conflicts import Conflicts, find_conflicts
from .demands import Demand, classes_demanded, demands
from .explain import Explanation
from .findings import INCOMPLETE, Finding, for_all_devices
from .headers import PacketView, Views, reads_transport
from .matrix import Row, rows
from .wording import on_devices

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
        self._admitted: dict[object, Admitted] = {}  # by all that decides
        self._asked = Memo(asked)

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
        demanding = sorted(classes_demanded(requirements))
        weak = demanding if hopeless else self.weak_devices(configuration, requirements)
        verdict: Verdict = "shared-nothing" if not weak else "locks"
        if not complete:
            verdict = "unknown"
        stateless = complete and not accesses and not read_only
        if verdict == "locks" and not hopeless:  # every core may see every packet: spread them as well as the NIC can
            configuration = self.configure([], classes)
        explanation = Explanation(conflicts, self.objects, self.options.profile, self.configure, [*extra, *troubles])
        explanation.explain(weak if verdict != "shared-nothing" else (), requirements)
        explanation.describe(self.paths, read_only)
        explanation.findings += self.unhashed(assumes, accesses)
        if verdict == "shared-nothing":
            explanation.divided(accesses)
            explanation.narrow(configuration, requirements)
        deviations = [
            Deviation(
                "dchain-index-guarded",
                "a packet whose index is taken but that fails the comparison no longer keeps the entry alive",
            )
            for g in conflicts.guards.values()
            if g.rejuvenates_first
        ][:1]
        findings = for_all_devices(explanation.findings)
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

    def unhashed(self, assumes: Iterable[Assumption], accesses: Accesses) -> Iterator[Finding]:
        """One finding for each class that is assumed away, at the first access it would reach."""
        reached: dict[str, Access] = {}
        looked_at = {a.packet_class for a in assumes}
        earliest = Memo(_earliest)
        for on in accesses.on_paths:
            first = earliest[on.firsts]
            if first is not None and on.path.like is None:
                for name in looked_at.intersection([v.packet_class for v in on.views]):
                    reached[name] = min(reached.get(name, first), first, key=_in_source)
        for a in assumes:
            at = reached.get(a.packet_class)
            if at is None:  # malformed packets, and options of IPv4, are no classes
                continue
            yield Finding(
                "unhashed-traffic",
                f"{a.packet_class} packets on {on_devices(a.devices)} can reach {at.object.name}; they are assumed not to arrive, because "
                f"{a.why}: drop them before this call, or choose a NIC that hashes them (--strict assumes nothing)",
                at.span,
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
        demanded = classes_demanded(wanted)
        return bool(demanded) and all((n, n) in always.get(i, ()) for i, names in demanded.items() for n in names)

    def weak_devices(self, configuration: Configuration, wanted: Sequence[Demand]) -> list[int]:
        """Devices whose packets must meet in some way, but which no valid key spreads over queues."""
        space = configuration.space
        return [
            device
            for device, names in sorted(classes_demanded(wanted).items())
            if not any(
                i.fields and i.packet_class in names and space.drives(device, i) for i in space.device(device).inputs
            )
        ]


def _in_source(a: Access) -> tuple[str, int]:
    return a.span.file, a.span.start


def _earliest(accesses: Sequence[Access]) -> Access | None:
    """The first in the source of a path's accesses that do more than expire what is old."""
    return min((a for a in accesses if a.role != "expire"), key=_in_source, default=None)
