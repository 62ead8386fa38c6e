"""The best RSS configuration of a NIC for given requirements: options, partial inputs, keys.

Takes a profile, devices, requirements and the classes of packets that matter; gives a `Configuration`: the
hash input of each class on each device, the space of valid keys, the best keys. Options and partial inputs
are chosen by the measure that ranks keys (design, section 6), the whole input of every option first, so that
a NIC is configured specially only where that gains queue bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .constraint import Requirement
from .fields import PACKET_CLASSES, Field, carries
from .nic import WHOLE, Partial, Profile
from .quality import Ranked, Sample, best
from .solve import Device, Equal, HashInput, KeySpace, solve


@dataclass(frozen=True)
class Configuration:
    """An RSS configuration of all devices and why it is right: the space its keys are from."""

    profiles: dict[int, Profile]  # of each device
    space: KeySpace
    ranked: tuple[Ranked, ...]  # best first; `keys` are those of the first
    partials: dict[int, Partial]  # device -> parts hashed, WHOLE unless chosen otherwise

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
        """The `rss` part of `check`'s JSON (contract)."""
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
    partials = search.choose()
    space = search.space(partials)
    ranked = best(space, seed, sample, alternatives)
    return Configuration(profiles, space, ranked, dict(partials))


_NOT_IN_PACKET = ("device", "length", "time")

Partials = tuple[tuple[int, Partial], ...]
Measure = tuple[float, ...]


@dataclass(frozen=True)
class _Search:
    """Choice of partial inputs: the same for all devices if their scope is the adapter, else one device at a
    time.
    """

    profiles: dict[int, Profile]
    requirements: tuple[Requirement, ...]
    classes: tuple[str, ...]
    equal: Equal
    fixed: dict[int, tuple[HashInput, ...]]  # devices whose inputs the caller gives

    def space(self, partials: Partials) -> KeySpace:
        devices = [self._device(number, partial) for number, partial in partials]
        return solve(devices, self.requirements, self.equal)

    def _device(self, number: int, partial: Partial) -> Device:
        profile = self.profiles[number]
        if number in self.fixed:
            return profile.device(number, self.fixed[number])
        if profile.partial == "fields":
            return profile.device(number, tuple(self._named_input(number, name) for name in self.classes))
        inputs = tuple(
            # An option left with nothing to hash keeps its whole input.
            hash_input if hash_input.fields else whole
            for hash_input, whole in zip(
                profile.inputs(self.classes, partial=partial),
                profile.inputs(self.classes),
                strict=True,
            )
        )
        return profile.device(number, inputs)

    def _named_input(self, number: int, packet_class: str) -> HashInput:
        """Exactly the packet's fields that the requirements name for a class; the usual input if they name none."""
        found: set[Field] = set()
        for requirement in self.requirements:
            for side, device in enumerate((requirement.i, requirement.j)):
                if device == number and any(
                    requirement.applies(*((packet_class, other) if side == 0 else (other, packet_class)))
                    for other in self.classes
                ):
                    found |= requirement.when.fields(side)
        carried = [f for f in found if f.name not in _NOT_IN_PACKET and carries(packet_class, f.name)]
        usual = self.profiles[number].inputs([packet_class])[0]
        return HashInput(packet_class, _merged(carried), "fields") if carried else usual

    def choose(self) -> Partials:
        """The partial input of each device; whole inputs win ties."""
        chosen: Partials = tuple((number, WHOLE) for number in self.profiles)
        groups: dict[tuple[str, int], list[int]] = {}
        for number, profile in self.profiles.items():
            if number not in self.fixed and len(profile.partials()) > 1:
                scope = -1 if profile.scope == "adapter" else number
                groups.setdefault((profile.name, scope), []).append(number)
        if not groups:
            return chosen
        space = self.space(chosen)
        index_bits = [space.index_bits(number) for number, _ in self._at_stake(space)]
        if not index_bits:
            return chosen
        measure = self._measure(space)
        if measure >= (min(index_bits, default=0), sum(index_bits), sum(index_bits)):
            return chosen  # nothing to gain
        for group in groups.values():
            for partial in self.profiles[group[0]].partials()[1:]:
                tried = tuple((n, partial if n in group else own) for n, own in chosen)
                space = self.space(tried)
                if self._bound(space) > measure and (its := self._measure(space)) > measure:
                    chosen, measure = tried, its
        return chosen

    def _at_stake(self, space: KeySpace) -> list[tuple[int, HashInput]]:
        """Inputs of the classes that some requirement names; the spread of the others is not at stake."""
        return [
            (device.number, hash_input)
            for device in space.devices
            for hash_input in device.inputs
            if hash_input.fields and (device.number, hash_input.packet_class) in space.named
        ]

    def _bound(self, space: KeySpace) -> Measure:
        """A measure that no keys of the space exceed, cheap to compute."""
        bits = [
            min(space.index_bits(number), space.deciding(number, hash_input).bit_count())
            for number, hash_input in self._at_stake(space)
        ]
        return (min(bits, default=0), sum(bits), sum(bits))

    def _measure(self, space: KeySpace) -> Measure:
        """Queue bits of the worst class, of all, and the best of them on the low bits of one field, summed."""
        at_stake = set(self._at_stake(space))
        found = [quality for quality in best(space)[0].inputs if (quality.device, quality.hash_input) in at_stake]
        return (
            min((quality.queue_bits for quality in found), default=0),
            sum(quality.queue_bits for quality in found),
            sum(max((rank for _, rank in quality.fields), default=0) for quality in found),
        )


def _merged(found: Iterable[Field]) -> tuple[Field, ...]:
    """Fields in a fixed order, with parts that overlap or touch made one."""
    merged: list[Field] = []
    for field in sorted(found, key=lambda f: (f.name, f.start)):
        last = merged[-1] if merged else None
        if last is not None and last.name == field.name and field.start <= last.stop:
            merged[-1] = Field(last.name, last.start, max(last.stop, field.stop))
        else:
            merged.append(field)
    return tuple(merged)


def unhashed(space: KeySpace) -> tuple[tuple[int, HashInput], ...]:
    """Devices and classes of packets that the NIC sends to one table entry, whatever they hold."""
    return tuple(
        (device.number, hash_input) for device in space.devices for hash_input in device.inputs if not hash_input.fields
    )
