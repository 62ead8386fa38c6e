"""The best RSS configuration of a NIC for given requirements: options, partial inputs, keys.

Takes a profile, devices, requirements and the classes of packets that matter; gives a `Configuration`: the
hash input of each class on each device, the space of valid keys, the best keys. Options and partial inputs
are chosen by the measure that ranks keys (docs/explanation/span.md), the whole input of every option first, so that
a NIC is configured specially only where that gains queue bits. Leaving an option off can gain some: packets
that must all meet, hashed, force key bits to zero that other packets need; unhashed, they meet at table entry
0 and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

from .constraint import Requirement
from .fields import PACKET_CLASSES, Field, canonical, carries, known_values, width
from .nic import WHOLE, Partial, Profile
from .quality import Ranked, Sample, best
from .solve import Device, Equal, HashInput, KeySpace, solve
from .span import span


@dataclass(frozen=True)
class Configuration:
    """An RSS configuration of all devices and why it is right: the space its keys are from."""

    profiles: dict[int, Profile]  # of each device
    space: KeySpace
    partials: dict[int, Partial]  # device -> parts hashed, WHOLE unless chosen otherwise
    off: dict[int, frozenset[str]]  # device -> options of the NIC that are better left off
    _rank: Callable[[], tuple[Ranked, ...]] = field(repr=False, compare=False)

    @cached_property
    def ranked(self) -> tuple[Ranked, ...]:
        """The best keys of the space, best first; `keys` are those of the first. Looked for when first asked: a verdict needs none."""
        return self._rank()

    @property
    def keys(self) -> dict[int, bytes]:
        """The best keys, by device."""
        return self.ranked[0].keys

    @property
    def table_groups(self) -> tuple[tuple[int, ...], ...]:
        """Devices whose indirection tables must have the same contents, since a requirement ties them."""
        return self.space.table_groups

    def queue_bits(self, device: int) -> int:
        """Index bits that the chosen keys spread the device's packets over: the best-spread class of packets.

        Of the classes that some requirement names, where any is named on the device.
        """
        own = [quality for quality in self.ranked[0].inputs if quality.device == device]
        named = [quality for quality in own if (device, quality.hash_input.packet_class) in self.space.named]
        return max((quality.queue_bits for quality in named or own), default=0)

    def to_json(self) -> dict[str, Any]:
        """The `rss` part of `check`'s JSON (docs/reference/report.schema.json)."""
        devices = []
        for device in self.space.devices:
            own = [quality for quality in self.ranked[0].inputs if quality.device == device.number]
            devices.append(
                {
                    "device": device.number,
                    "inputs": [
                        {
                            "option": quality.hash_input.option or quality.hash_input.packet_class,
                            "class": quality.hash_input.packet_class,
                            "fields": [str(field) for field in quality.hash_input.fields],
                            "queue_bits": quality.queue_bits,
                        }
                        for quality in own
                        if quality.hash_input.fields
                    ],
                    "key": self.keys[device.number].hex(),
                    "table_size": 1 << device.table_bits,
                    "index_bits": self.space.index_bits(device.number),
                    "queue_bits": self.queue_bits(device.number),
                    "off": sorted(self.off[device.number]),
                }
            )
        tied = any(len(group) > 1 for group in self.table_groups)
        return {
            "nic": "+".join(sorted({profile.name for profile in self.profiles.values()})),
            "equal": self.space.equal,
            "tables": "shared" if tied else "separate",
            "devices": devices,
        }


def configure(
    nic: Profile | Mapping[int, Profile],
    numbers: Sequence[int],
    requirements: Iterable[Requirement],
    *,
    classes: Sequence[str] | None = None,
    equal: Equal = "index",
    seed: int = 0,
    sample: Sample | None = None,
    alternatives: int = 1,
    inputs: Mapping[int, tuple[HashInput, ...]] | None = None,
) -> Configuration:
    """The best configuration of devices `numbers`; deterministic for a seed. Raises SpecError.

    `classes` are the classes of packets that arrive; default: those for which a profile has an option, the
    others being assumed away. A class that no option matches has an empty input. Where no key spreads
    anything, the result says so with zero queue bits: see `KeySpace.explain`.
    """
    requirements = tuple(requirements)
    profiles = dict(nic) if isinstance(nic, Mapping) else dict.fromkeys(numbers, nic)
    if classes is None:
        options = [option for profile in profiles.values() for option in profile.options]
        classes = [name for name in PACKET_CLASSES if any(name in option.classes for option in options)]
    search = _Search(profiles, requirements, tuple(classes), equal, dict(inputs or {}))
    chosen = search.choose()
    space = search.space(chosen)
    partials = {number: setting.partial for number, setting in chosen.items()}
    off = {number: setting.off for number, setting in chosen.items()}
    if (seed, sample, alternatives) == (0, None, 1):
        return Configuration(profiles, space, partials, off, lambda: search.ranked(space))
    return Configuration(profiles, space, partials, off, lambda: best(space, seed, sample, alternatives))


_NOT_IN_PACKET = ("device", "length", "time")

_BULK = frozenset({"ipv4-tcp", "ipv4-udp", "ipv6-tcp", "ipv6-udp"})
"""Classes that carry nearly all traffic; the others count where none of these is named."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What of a device's NIC is chosen besides the key."""

    partial: Partial = WHOLE
    off: frozenset[str] = frozenset()  # options left off


Settings = Mapping[int, Setting]
"""Of each device."""

Measure = tuple[float, ...]
_NOTHING: Measure = (0, 0, 0, 0)

Bits = Callable[[int, HashInput], tuple[int, int]]
"""For an input of a device: queue bits, and those that one field gives."""


@dataclass(frozen=True)
class _Search:
    """Choice of settings: partial inputs the same for all devices if their scope is the adapter."""

    profiles: dict[int, Profile]
    requirements: tuple[Requirement, ...]
    classes: tuple[str, ...]
    equal: Equal
    fixed: dict[int, tuple[HashInput, ...]]  # devices whose inputs the caller gives
    _made: dict[tuple[int, Setting], Device] = field(default_factory=dict, repr=False)
    _spaces: dict[tuple[Device, ...], KeySpace] = field(default_factory=dict, repr=False)
    _ranked: dict[tuple[Device, ...], tuple[Ranked, ...]] = field(default_factory=dict, repr=False)

    def space(self, settings: Settings) -> KeySpace:
        devices = self._devices(settings)
        if devices not in self._spaces:
            self._spaces[devices] = solve(devices, self.requirements, self.equal)
        return self._spaces[devices]

    def ranked(self, space: KeySpace) -> tuple[Ranked, ...]:
        """The best keys of a space, for the usual seed."""
        if space.devices not in self._ranked:
            self._ranked[space.devices] = best(space)
        return self._ranked[space.devices]

    def _devices(self, settings: Settings) -> tuple[Device, ...]:
        for key in settings.items():
            if key not in self._made:
                self._made[key] = self._device(*key)
        return tuple(self._made[key] for key in settings.items())

    def _device(self, number: int, setting: Setting) -> Device:
        profile = self.profiles[number]
        if number in self.fixed:
            return profile.device(number, self.fixed[number])
        on = [option.name for option in profile.options if option.name not in setting.off]
        whole = profile.inputs(self.classes, on)
        if profile.partial == "fields":
            inputs = tuple(self._named_input(number, usual) for usual in whole)
        else:
            kept = profile.inputs(self.classes, on, setting.partial)
            # An option left with nothing to hash keeps its whole input.
            inputs = tuple(own if own.fields else usual for own, usual in zip(kept, whole, strict=True))
        return profile.device(number, inputs)

    def _named_input(self, number: int, usual: HashInput) -> HashInput:
        """Exactly the packet's fields that the requirements name for a class; the usual input if they name none."""
        if not usual.fields:
            return usual
        packet_class = usual.packet_class
        found: set[Field] = set()
        for requirement in self.requirements:
            for side, device in enumerate((requirement.i, requirement.j)):
                if device == number and any(
                    requirement.applies(*((packet_class, other) if side == 0 else (other, packet_class)))
                    for other in self.classes
                ):
                    found |= requirement.when.fields(side)
        carried = [f for f in found if f.name not in _NOT_IN_PACKET and carries(packet_class, f.name)]
        return HashInput(packet_class, _merged(carried), "fields") if carried else usual

    def choose(self) -> Settings:
        """The settings of each device; what a NIC does unasked wins ties."""
        chosen: Settings = {number: Setting() for number in self.profiles}
        space = self.space(chosen)
        if not space.named or self._rated(space, space.devices, self._may_decide(space)) == _NOTHING:
            return chosen
        measure = self._measure(space)
        if measure >= self._best_possible(space):
            return chosen
        seen = {space.devices}
        improved = True
        while improved:
            improved = False
            for move in self._moves(space):
                tried = {n: replace(own, **move[n]) if n in move else own for n, own in chosen.items()}
                devices = self._devices(tried)
                if devices in seen:
                    continue
                seen.add(devices)
                if self._rated(space, devices, self._may_decide(space)) <= measure:
                    continue
                other = self.space(tried)
                if self._bound(other) > measure:
                    its = self._measure(other)
                    if its > measure:
                        chosen, space, measure, improved = tried, other, its, True
                        if measure >= self._best_possible(space):
                            return chosen
        return chosen

    def _moves(self, space: KeySpace) -> list[dict[int, dict[str, Any]]]:
        """Changes of settings to try, each on one device or on all of a scope: partial inputs, options off."""
        moves: list[dict[int, dict[str, Any]]] = []
        free = {number: nic for number, nic in self.profiles.items() if number not in self.fixed}
        groups: dict[tuple[str, int], list[int]] = {}
        for number, nic in free.items():
            groups.setdefault((nic.name, -1 if nic.scope == "adapter" else number), []).append(number)
        for group in groups.values():
            partials = free[group[0]].partials()
            moves += [{number: {"partial": partial} for number in group} for partial in partials]
        off: list[tuple[int, frozenset[str]]] = []
        for number, nic in free.items():
            of_class = [[o for o in nic.options if name in o.classes] for name in self._named(space, number)]
            own = {option for options in of_class for option in options}
            sets = [frozenset({option.name}) for option in nic.options if option in own]
            sets += [frozenset(option.name for option in options) for options in of_class]
            ports = frozenset(o.name for o in own if any(f.name.startswith("l4.") for f in o.fields))
            for version in ("ipv4", "ipv6", "ip"):  # packets of one flow, hashed by their addresses alone
                sets.append(frozenset(name for name in ports if name.startswith(version)))
            off += [(number, names) for names in dict.fromkeys(sets) if names]
        for _, names in dict.fromkeys((0, names) for _, names in off):
            moves.append({number: {"off": names} for number, own_names in off if own_names == names})
        return moves + [{number: {"off": names}} for number, names in off]

    def _named(self, space: KeySpace, number: int) -> list[str]:
        return [name for name in self.classes if (number, name) in space.named]

    def _best_possible(self, space: KeySpace) -> Measure:
        """Every class at stake is spread as well as the tables allow, by the low bits of one field as far as they may decide."""

        def most(number: int, own: HashInput) -> tuple[int, int]:
            bits = space.index_bits(number)
            return bits, min(bits, self._low_bits(number, own.packet_class))

        return self._rated(space, space.devices, most)

    def _low_bits(self, number: int, packet_class: str) -> int:
        """How many of the low 16 bits of one field an index may depend on, however the NIC is set."""
        allowed = self._decisive.get((number, packet_class))
        if allowed is None or self.profiles[number].partial == "fields":  # parts of fields have low bits of their own
            return 16
        if number in self.fixed:
            hashed = [f for own in self.fixed[number] if own.packet_class == packet_class for f in own.fields]
        else:  # an option that is left off may give way to one with other fields
            hashed = [f for o in self.profiles[number].options if packet_class in o.classes for f in o.fields]
        lows = (Field(f.name, max(f.start, f.stop - 16), f.stop) for f in hashed)
        return max((_count(canonical(low), allowed) for low in lows), default=0)

    def _may_decide(self, space: KeySpace) -> Bits:
        """Bounds for all settings at once: an index can depend only on bits that every requirement on the class of packets
        names, since the others are free to differ between packets that meet.
        """
        named = self._decisive

        def most(number: int, own: HashInput) -> tuple[int, int]:
            allowed = named.get((number, own.packet_class))
            runs = [run for f in own.fields for run in canonical(f)]
            count = own.width if allowed is None else _count(runs, allowed)
            bits = min(space.device(number).table_bits, count)
            return bits, bits

        return most

    @cached_property
    def _decisive(self) -> dict[tuple[int, str], dict[str, int]]:
        """For each device and class of packets that some requirement names, the bits that all of those name, as a mask for
        each field, and those that the class fixes.
        """
        found: dict[tuple[int, str], dict[str, int]] = {}
        for requirement in self.requirements:
            when = requirement.when
            if when.predicate is not None:  # says nothing that is cheap to ask
                continue
            named = [_masks(when.fields(side)) for side in (0, 1)]
            for pair in product(self.classes, self.classes):
                if requirement.applies(*pair) and span(when, (), (), *pair) is not None:
                    for side, number in enumerate((requirement.i, requirement.j)):
                        fixed = _masks(
                            Field(n, 0, width(n)) for n, (only, _) in known_values(pair[side]).items() if only
                        )
                        own = {**named[side], **fixed}
                        key = (number, pair[side])
                        before = found.get(key, own)
                        found[key] = {name: mask & before.get(name, 0) for name, mask in own.items()}
        return found

    def _bound(self, space: KeySpace) -> Measure:
        """A measure that no keys of the space exceed, cheap to compute."""

        def most(number: int, own: HashInput) -> tuple[int, int]:
            bits = min(space.index_bits(number), space.deciding(number, own).bit_count()) if own.fields else 0
            return bits, bits

        return self._rated(space, space.devices, most)

    def _measure(self, space: KeySpace) -> Measure:
        """What the best keys of the space reach."""
        found = {
            (quality.device, quality.hash_input): (quality.queue_bits, max((r for _, r in quality.fields), default=0))
            for quality in self.ranked(space)[0].inputs
        }
        return self._rated(space, space.devices, lambda number, own: found[number, own])

    def _rated(self, space: KeySpace, devices: Iterable[Device], bits: Bits) -> Measure:
        """Queue bits of TCP and UDP on the worst device, of the worst class, of all, and what single fields give.

        Of the classes that some requirement names; the spread of the others is not at stake.
        """
        named = {
            device.number: {name: bits(device.number, device.input(name)) for name in self._named(space, device.number)}
            for device in devices
        }
        every = [its for of_device in named.values() for its in of_device.values()]
        worst = min(
            (
                sum(queue_bits for name, (queue_bits, _) in own.items() if name in _BULK or not _BULK & own.keys())
                for own in named.values()
                if own
            ),
            default=0,
        )
        return (worst, min((q for q, _ in every), default=0), sum(q for q, _ in every), sum(low for _, low in every))


def _count(runs: Iterable[Field], allowed: Mapping[str, int]) -> int:
    """How many bits of canonical fields are among those that masks allow."""
    return sum((allowed.get(run.name, 0) >> run.start & ((1 << run.width) - 1)).bit_count() for run in runs)


def _masks(fields: Iterable[Field]) -> dict[str, int]:
    """Bits of fields, as a mask for each canonical one: bit 0 is the most significant."""
    found: dict[str, int] = {}
    for one in fields:
        for run in canonical(one):
            found[run.name] = found.get(run.name, 0) | ((1 << run.width) - 1) << run.start
    return found


def _merged(found: Iterable[Field]) -> tuple[Field, ...]:
    """Fields in a fixed order, with parts that overlap or touch made one."""
    merged: list[Field] = []
    for one in sorted(found, key=lambda f: (f.name, f.start)):
        last = merged[-1] if merged else None
        if last is not None and last.name == one.name and one.start <= last.stop:
            merged[-1] = Field(last.name, last.start, max(last.stop, one.stop))
        else:
            merged.append(one)
    return tuple(merged)


def unhashed(space: KeySpace) -> tuple[tuple[int, HashInput], ...]:
    """Devices and classes of packets that the NIC sends to one table entry, whatever they hold."""
    return tuple(
        (device.number, hash_input) for device in space.devices for hash_input in device.inputs if not hash_input.fields
    )
