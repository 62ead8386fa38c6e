"""How well keys spread traffic, and the best keys of a space.

A valid key can still send everything to one queue. Takes a `KeySpace`; gives members ranked by, in this
order: the rank of the map from input to index on whole inputs, the smallest one first; the rank on the low 16
bits of each field that decides (those bits vary in real traffic), then on the low 8; then the standard
deviation of the loads on a sample of traffic. A rank r means 2^r table entries reached, each by the same
number of inputs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import gf2
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
class _Probe:
    """One distinct input of a device that some valid key spreads, and the parts of it that vary in real
    traffic.
    """

    device: int
    hash_input: HashInput
    low16: tuple[tuple[str, int], ...]  # (field, mask over the input)
    low8: tuple[int, ...]


def _probes(space: KeySpace) -> list[_Probe]:
    found = []
    for device in space.devices:
        for hash_input in {i.fields: i for i in device.inputs if i.fields}.values():
            deciding = space.deciding(device.number, hash_input)
            if not deciding:
                continue
            low16, low8, offset = [], [], 0
            for field in hash_input.fields:
                offset += field.width
                masks = [((1 << min(n, field.width)) - 1) << (offset - min(n, field.width)) for n in (16, 8)]
                if masks[0] & deciding:
                    low16.append((str(field), masks[0]))
                    low8.append(masks[1])
            found.append(_Probe(device.number, hash_input, tuple(low16), tuple(low8)))
    return found


def _score(space: KeySpace, vector: int, probes: list[_Probe]) -> tuple[float, ...]:
    whole, low16, low8 = [], 0, 0
    for probe in probes:
        rows = space.index_rows(vector, probe.device, probe.hash_input)
        whole.append(gf2.rank(rows))
        low16 += sum(gf2.rank(row & mask for row in rows) for _, mask in probe.low16)
        low8 += sum(gf2.rank(row & mask for row in rows) for mask in probe.low8)
    return (min(whole, default=0), sum(whole), low16, low8)


def rate(space: KeySpace, keys: dict[int, bytes]) -> Ranked:
    """Ranks of given keys. Raises SpecError for keys of the wrong shape."""
    vector, probes = space.join(keys), _probes(space)
    inputs = []
    for device in space.devices:
        by_fields = {probe.hash_input.fields: probe for probe in probes if probe.device == device.number}
        for hash_input in device.inputs:
            rows = space.index_rows(vector, device.number, hash_input)
            probe = by_fields.get(hash_input.fields)
            low16 = probe.low16 if probe else ()
            ranks = ((name, gf2.rank(row & mask for row in rows)) for name, mask in low16)
            deciding = tuple((name, rank) for name, rank in ranks if rank)
            inputs.append(InputQuality(device.number, hash_input, gf2.rank(rows), deciding))
    return Ranked(keys, _score(space, vector, probes), tuple(inputs))


def best(space: KeySpace, seed: int = 0, sample: Sample | None = None, alternatives: int = 1) -> tuple[Ranked, ...]:
    """The best members found, best first, up to `alternatives` of them; the same for the same seed.

    With a sample, the members of the highest ranks are ordered by it. Devices that no requirement names and
    unused key bits get random bits.
    """
    draw = random.Random(seed)
    probes = _probes(space)
    ceiling = _score_bound(space, probes)
    if space.dimension <= 5:
        vectors = [space.member(coefficients) for coefficients in range(1, 1 << space.dimension)] or [0]
    else:
        vectors = []
    wanted = max(alternatives, 16 if sample else 1)
    scored: list[tuple[tuple[float, ...], int]] = []
    total = sum(8 * device.key_bytes for device in space.devices)
    unused = ((1 << total) - 1) & ~space.used
    for attempt in range(len(vectors) or MEMBERS + wanted):
        vector = vectors[attempt] if vectors else space.member(draw.getrandbits(space.dimension))
        vector |= draw.getrandbits(max(1, total)) & unused
        scored.append((_score(space, vector, probes), vector))
        if not vectors and sum(score >= ceiling for score, _ in scored) >= wanted:
            break
    scored.sort(key=lambda item: item[0], reverse=True)
    scored = scored[:wanted]
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


def _score_bound(space: KeySpace, probes: Sequence[_Probe]) -> tuple[float, ...]:
    """A score that no member exceeds, cheap to compute; reaching it ends the search."""
    whole, low16, low8 = [], 0, 0
    for probe in probes:
        q = space.index_bits(probe.device)
        deciding = space.deciding(probe.device, probe.hash_input)
        whole.append(min(q, deciding.bit_count()))
        low16 += sum(min(q, (deciding & mask).bit_count()) for _, mask in probe.low16)
        low8 += sum(min(q, (deciding & mask).bit_count()) for mask in probe.low8)
    return (min(whole, default=0), sum(whole), low16, low8)
