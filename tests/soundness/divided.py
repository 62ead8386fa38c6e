"""The parallel program without writing it: several instances of one NF, each packet given to the one that RSS would choose.

`steering` is what a NIC does with the configuration that an analysis found: classify, hash, index, table. `differences` runs an NF
on one core and on several and says which packets they treat differently (up to the choice of fresh indices,
where these leave in packets). Packets of classes that the analysis assumes away are left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from maestro_lsp.rss.capture import classify
from maestro_lsp.rss.configure import Configuration
from maestro_lsp.rss.toeplitz import hash_fields
from maestro_lsp.sharding.analysis import Analysis
from tests.fixtures.difference import without_index
from tests.fixtures.nfs import Fixture, Instance
from tests.fixtures.traffic import Generator, answer

CORES = 4


class Core(Protocol):
    """One core's program."""

    def process(self, device: int, packet: bytes, now: int) -> tuple[int, bytes]:
        """What nf_process returned, and the packet as it left it."""


Steer = Callable[[int, bytes], int]  # (device, packet) -> core


def steering(found: Configuration, keys: dict[int, bytes], seed: int) -> Steer:
    """The core of a packet: its index looked up in one random table that all devices share."""
    devices = {device.number: device for device in found.space.devices}
    pick = random.Random(seed)
    table = [pick.randrange(CORES) for _ in range(1 << max(d.table_bits for d in found.space.devices))]

    def steer(device: int, packet: bytes) -> int:
        known = classify(packet)
        assert known is not None, "a malformed packet"
        packet_class, values = known
        fields = devices[device].input(packet_class).fields
        value = hash_fields(keys[device], fields, {name: int.from_bytes(v) for name, v in values.items()})
        return table[value & ((1 << found.space.index_bits(device)) - 1)]

    return steer


def assumed_away(analysis: Analysis, device: int, packet: bytes) -> bool:
    """Whether a packet is of a class that the verdict leaves out."""
    known = classify(packet)
    return known is None or any(a.packet_class == known[0] and device in a.devices for a in analysis.assumes)


def differences(
    fixture: Fixture, library: Path, analysis: Analysis | None, steer: Steer, packets: int, seed: int
) -> Iterator[int]:
    """The numbers of the packets that one core and `CORES` cores treat differently; each core has the full capacity. What
    `analysis` assumes away is left out."""
    cores = [Instance(library, fixture.traffic["args"]) for _ in range(1 + CORES)]
    yield from compare(cores, fixture.traffic, fixture.devices, analysis, steer, packets, seed)


def compare(
    cores: Sequence[Core],
    traffic: dict[str, Any],
    devices: int,
    analysis: Analysis | None,
    steer: Steer,
    packets: int,
    seed: int,
) -> Iterator[int]:
    """As `differences`, of one core, the first, and several others, on the traffic that an expected.toml describes."""
    sequential, *parallel = cores
    index_field = traffic.get("indices_leave_in")
    ones: list[tuple[int, bytes]] = []
    manys: list[tuple[int, bytes]] = []
    for number, arrival in enumerate(Generator(traffic, devices, seed).arrivals(packets)):
        inputs = [(arrival.device, arrival.packet)] * 2
        if arrival.answers is not None:
            replies = [
                (run[arrival.answers][0], answer(run[arrival.answers][1], arrival.stranger)) for run in (ones, manys)
            ]
            if all(device < devices for device, _ in replies):
                inputs = replies
        if analysis is not None and any(assumed_away(analysis, *i) for i in inputs):
            one = many = inputs[0]
        else:
            one = sequential.process(*inputs[0], arrival.now)
            many = parallel[steer(*inputs[1])].process(*inputs[1], arrival.now)
        ones.append(one)
        manys.append(many)
        dropped = one[0] == many[0] == inputs[0][0]
        carries = index_field if one[0] == many[0] == 1 != inputs[0][0] else None
        if one[0] != many[0] or not (dropped or without_index(one[1], carries) == without_index(many[1], carries)):
            yield number
