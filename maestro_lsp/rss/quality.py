"""How well keys spread traffic, and the best keys of a space.

A valid key can still send everything to one queue. Takes a `KeySpace`; gives members ranked by, in this
order: the rank of the map from input to index on whole inputs, the smallest one first; the rank on the low 16
bits of each field that decides (those bits vary in real traffic), then on the low 8; then the standard
deviation of the loads on a sample of traffic. A rank r means 2^r table entries reached, each by the same
number of inputs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from .fields import Field
from .solve import HashInput, KeySpace

Sample = Callable[[dict[int, bytes]], float]
"""Standard deviation of queue loads under these keys, on a sample of traffic; smaller is better."""

MEMBERS = 32
"""Members drawn; a random one reaches the best ranks with a probability of about 1/4 or more, unless few
exist.
"""


@dataclass(frozen=True, slots=True)
class InputQuality:
    """What the index of one input depends on under some keys. Ranks are in bits of the table index."""

    device: int
    hash_input: HashInput
    queue_bits: int
    fields: tuple[tuple[str, int], ...]  # fields that decide, with the rank on their low 16 bits alone


@dataclass(frozen=True, slots=True)
class Ranked:
    """Keys with their ranks; `score` orders them, larger is better."""

    keys: dict[int, bytes]
    score: tuple[float, ...]
    inputs: tuple[InputQuality, ...]


@dataclass(frozen=True, slots=True)
class _Window:
    """A run of bits of a hash input."""

    field: str
    start: int
    width: int
    ceiling: int  # the rank that no valid key exceeds


@dataclass(frozen=True, slots=True)
class _Probe:
    """One distinct input of a device that some valid key spreads, and the parts of it that vary in real
    traffic.
    """

    device: int
    fields: tuple[Field, ...]
    whole: _Window
    low16: tuple[_Window, ...]
    low8: tuple[_Window, ...]


Score = tuple[float, ...]  # smallest rank of an input, sum of those, sum of ranks on low 16 bits, on low 8 bits


@dataclass(frozen=True)
class _Probes:
    """What keys of a space are scored by."""

    space: KeySpace
    probes: tuple[_Probe, ...]

    @classmethod
    def of(cls, space: KeySpace) -> _Probes:
        found = []
        for device in space.devices:
            q = space.index_bits(device.number)
            for hash_input in {i.fields: i for i in device.inputs if i.fields}.values():
                deciding = space.deciding(device.number, hash_input)
                if not deciding:
                    continue

                def window(name: str, end: int, width: int, deciding: int = deciding, q: int = q) -> _Window:
                    bits = deciding >> (end - width) & ((1 << width) - 1)
                    return _Window(name, end - width, width, min(q, bits.bit_count()))

                low16, low8, end = [], [], 0
                for field in hash_input.fields:
                    end += field.width
                    low = window(str(field), end, min(16, field.width))
                    if low.ceiling:
                        low16.append(low)
                        low8.append(window(str(field), end, min(8, field.width)))
                whole = window("", hash_input.width, hash_input.width)
                found.append(_Probe(device.number, hash_input.fields, whole, tuple(low16), tuple(low8)))
        return cls(space, tuple(found))

    def rank(self, vector: int, device: int, window: _Window) -> int:
        return self.space.index_rank(vector, device, window.start, window.width)

    def score(self, vector: int) -> Score:
        """Ranks under a member; larger is better."""
        ranks = [self.rank(vector, p.device, p.whole) for p in self.probes]
        low16 = sum(self.rank(vector, p.device, w) for p in self.probes for w in p.low16)
        low8 = sum(self.rank(vector, p.device, w) for p in self.probes for w in p.low8)
        return (min(ranks, default=0), sum(ranks), low16, low8)

    @cached_property
    def ceiling(self) -> Score:
        """A score that no member exceeds, cheap to compute; reaching it ends the search."""
        ranks = [p.whole.ceiling for p in self.probes]
        low16 = sum(w.ceiling for p in self.probes for w in p.low16)
        low8 = sum(w.ceiling for p in self.probes for w in p.low8)
        return (min(ranks, default=0), sum(ranks), low16, low8)

    def may_exceed(self, vector: int, floor: Score) -> bool:
        """Whether a member may have a higher score. When the floor is as high as any in all but the low 8 bits, they tell,
        and soon.
        """
        if floor[:3] != self.ceiling[:3]:
            return floor < self.ceiling
        spare = self.ceiling[3] - floor[3]
        for p in self.probes:
            for w in p.low8:
                spare -= w.ceiling - self.rank(vector, p.device, w)
                if spare <= 0:
                    return False
        return True


def rate(space: KeySpace, keys: dict[int, bytes]) -> Ranked:
    """Ranks of given keys. Raises SpecError for keys of the wrong shape."""
    vector, probes = space.join(keys), _Probes.of(space)
    windows = {(probe.device, probe.fields): probe.low16 for probe in probes.probes}
    inputs = []
    for device in space.devices:
        for hash_input in device.inputs:
            low16 = windows.get((device.number, hash_input.fields), ())
            ranks = ((window.field, probes.rank(vector, device.number, window)) for window in low16)
            deciding = tuple((name, rank) for name, rank in ranks if rank)
            rank = space.index_rank(vector, device.number, 0, hash_input.width)
            inputs.append(InputQuality(device.number, hash_input, rank, deciding))
    return Ranked(keys, probes.score(vector), tuple(inputs))


def best(space: KeySpace, seed: int = 0, sample: Sample | None = None, alternatives: int = 1) -> tuple[Ranked, ...]:
    """The best members found, best first, up to `alternatives` of them; the same for the same seed.

    With a sample, the members of the highest ranks are ordered by it. Devices that no requirement names and
    unused key bits get random bits.
    """
    draw = random.Random(seed)
    probes = _Probes.of(space)
    if space.dimension <= 5:
        vectors = [space.member(coefficients) for coefficients in range(1, 1 << space.dimension)] or [0]
    else:
        vectors = []
    wanted = max(alternatives, 16 if sample else 1)
    scored: list[tuple[Score, int]] = []  # the best so far, best first; of equal ones the earlier
    total = sum(8 * device.key_bytes for device in space.devices)
    unused = ((1 << total) - 1) & ~space.used
    for attempt in range(len(vectors) or MEMBERS + wanted):
        vector = vectors[attempt] if vectors else space.member(draw.getrandbits(space.dimension))
        vector |= draw.getrandbits(max(1, total)) & unused
        if len(scored) == wanted and not probes.may_exceed(vector, scored[-1][0]):
            continue
        scored.append((probes.score(vector), vector))
        scored.sort(key=lambda item: item[0], reverse=True)
        del scored[wanted:]
        if not vectors and len(scored) == wanted and scored[-1][0] >= probes.ceiling:
            break
    if sample is not None:
        ranks = scored[0][0]
        loads = [(score, -sample(space.split(vector)), vector) for score, vector in scored if score == ranks]
        loads.sort(key=lambda item: item[1], reverse=True)
        scored = [((*score, load), vector) for score, load, vector in loads]
    ranked = []
    for score, vector in scored[:alternatives]:
        found = rate(space, space.split(vector))
        ranked.append(Ranked(found.keys, score, found.inputs))
    return tuple(ranked)
