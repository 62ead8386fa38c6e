"""The best RSS configuration of a NIC for given requirements: options, partial inputs, keys.

Takes a profile, devices, requirements and the classes of packets that matter; gives a `Configuration`: the
hash input of each class on each device, the space of valid keys, the best keys. Options and partial inputs
are chosen by the measure that ranks keys (design, section 6), the whole input of every option first, so that
a NIC is configured specially only where that gains queue bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from .constraint import Requirement
from .fields import PACKET_CLASSES
from .nic import WHOLE, Partial, Profile
from .quality import Ranked, Sample, best
from .solve import Device, Equal, HashInput, KeySpace, solve


@dataclass(frozen=True)
class Configuration:
    """An RSS configuration of one NIC and why it is right: the space its keys are from."""

    profile: Profile
    space: KeySpace
    ranked: tuple[Ranked, ...]  # best first; `keys` are those of the first
    partials: dict[int, Partial]  # device -> parts hashed, WHOLE unless chosen otherwise

    @property
    def keys(self) -> dict[int, bytes]:
        """The best keys, by device."""
        return self.ranked[0].keys

    @cached_property
    def table_groups(self) -> tuple[tuple[int, ...], ...]:
        """Devices whose indirection tables must have the same contents, since a requirement ties them."""
        group = {device.number: {device.number} for device in self.space.devices}
        for i, j in self.space.tied:
            if group[i] is not group[j]:
                merged = group[i] | group[j]
                for number in merged:
                    group[number] = merged
        return tuple(sorted({tuple(sorted(members)) for members in group.values()}))

    def queue_bits(self, device: int) -> int:
        """Index bits that the device's best-spread class of packets drives under the chosen keys."""
        return max((i.queue_bits for i in self.ranked[0].inputs if i.device == device), default=0)

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
                    "index_bits": device.table_bits,
                    "queue_bits": self.queue_bits(device.number),
                }
            )
        tied = any(len(group) > 1 for group in self.table_groups)
        return {
            "nic": self.profile.name,
            "equal": self.space.equal,
            "tables": "shared" if tied else "separate",
            "devices": devices,
        }


def configure(
    profile: Profile,
    numbers: Sequence[int],
    requirements: Iterable[Requirement],
    *,
    classes: Sequence[str] | None = None,
    equal: Equal = "index",
    seed: int = 0,
    sample: Sample | None = None,
    alternatives: int = 1,
) -> Configuration:
    """The best configuration of `profile` on devices `numbers`; deterministic for a seed. Raises SpecError.

    `classes` are the classes of packets that arrive; default: those for which the profile has an option, the
    others being assumed away. A class that no option matches has an empty input. Where no key spreads
    anything, the result says so with zero queue bits: see `KeySpace.explain`.
    """
    requirements = tuple(requirements)
    if classes is None:
        classes = [name for name in PACKET_CLASSES if profile.option_for(name)]
    search = _Search(profile, tuple(numbers), requirements, tuple(classes), equal)
    partials = search.choose()
    space = search.space(partials)
    ranked = best(space, seed, sample, alternatives)
    return Configuration(profile, space, ranked, dict(partials))


Partials = tuple[tuple[int, Partial], ...]
Measure = tuple[float, ...]


@dataclass(frozen=True)
class _Search:
    """Choice of partial inputs: the same for all devices if their scope is the adapter, else one device at a
    time.
    """

    profile: Profile
    numbers: tuple[int, ...]
    requirements: tuple[Requirement, ...]
    classes: tuple[str, ...]
    equal: Equal

    def space(self, partials: Partials) -> KeySpace:
        devices = [self._device(number, partial) for number, partial in partials]
        return solve(devices, self.requirements, self.equal)

    def _device(self, number: int, partial: Partial) -> Device:
        inputs = tuple(
            # An option left with nothing to hash keeps its whole input.
            hash_input if hash_input.fields else whole
            for hash_input, whole in zip(
                self.profile.inputs(self.classes, partial=partial),
                self.profile.inputs(self.classes),
                strict=True,
            )
        )
        return self.profile.device(number, inputs)

    def choose(self) -> Partials:
        """The partial input of each device; whole inputs win ties."""
        chosen: Partials = tuple((number, WHOLE) for number in self.numbers)
        measure = self._measure(chosen)
        candidates = self.profile.partials()
        groups = [self.numbers] if self.profile.scope == "adapter" else [(n,) for n in self.numbers]
        if len(candidates) == 1:
            return chosen
        for group in groups:
            for partial in candidates[1:]:
                if measure >= self._ceiling:
                    return chosen
                tried = tuple((n, partial if n in group else own) for n, own in chosen)
                its = self._measure(tried)
                if its > measure:
                    chosen, measure = tried, its
        return chosen

    @cached_property
    def _constrained(self) -> frozenset[tuple[int, str]]:
        """Devices and classes that some requirement names; the spread of the others is not at stake."""
        named = set()
        for requirement in self.requirements:
            for d, e in product(self.classes, repeat=2):
                if requirement.applies(d, e):
                    named |= {(requirement.i, d), (requirement.j, e)}
        return frozenset(named)

    @cached_property
    def _ceiling(self) -> Measure:
        """A measure that no choice exceeds."""
        whole = {i.packet_class: i for i in self.profile.inputs(self.classes)}
        widths = [whole[name].width for number, name in self._constrained if number in self.numbers]
        q = [min(self.profile.table_bits, width) for width in widths if width]
        return (min(q, default=0), sum(q), sum(q))

    def _measure(self, partials: Partials) -> Measure:
        """Queue bits of the worst class, of all, and the best of them on the low bits of one field, summed."""
        found = best(self.space(partials))[0].inputs
        at_stake = [
            quality
            for quality in found
            if quality.hash_input.fields and (quality.device, quality.hash_input.packet_class) in self._constrained
        ]
        return (
            min((quality.queue_bits for quality in at_stake), default=0),
            sum(quality.queue_bits for quality in at_stake),
            sum(max((rank for _, rank in quality.fields), default=0) for quality in at_stake),
        )


def unhashed(space: KeySpace) -> tuple[tuple[int, HashInput], ...]:
    """Devices and classes of packets that the NIC sends to one table entry, whatever they hold."""
    return tuple(
        (device.number, hash_input) for device in space.devices for hash_input in device.inputs if not hash_input.fields
    )
