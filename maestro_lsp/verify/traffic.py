"""Packets to try a program on: those that its call paths ask for, variations of them, and answers to what it sent.

Takes the call paths of an NF and gives arrivals: time, device, and either a packet or the number of an earlier arrival whose output is
answered. Addresses, ports and the like come from small pools, so that packets share them, tables are hit and entries expire.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CallPath

LEAST, LARGEST = 60, 1500  # bytes of a frame
START = 10**12  # ns, long after anything that a program counts from zero
REPLY_WINDOW = 40  # arrivals within which an output is answered, or never
USUAL_LAG = 10_000_000  # ns; of NFs that expire nothing

ETHER_IPV4, ETHER_IPV6, ETHER_VLAN = b"\x08\x00", b"\x86\xdd", b"\x81\x00"
_WITH_PORTS = frozenset((6, 17, 132))  # TCP, UDP, SCTP
STRANGER = bytes((172, 16, 0, 1))  # an IPv4 address that no other packet has


@dataclass(frozen=True)
class Arrival:
    """A packet about to be processed."""

    now: int  # ns
    device: int
    packet: bytes  # when nothing is answered
    answers: int | None = None  # number of the earlier arrival
    stranger: bool = False  # the answer comes from an address that was not asked


def of_model(p: CallPath) -> bytes:
    """The packet of a path's own model."""
    return packet_of(p.model, p.regions)


def packet_of(model: Mapping[Expr, int], regions: Sequence[tuple[str, Expr]]) -> bytes:
    """The packet of a model, zero where it says nothing; `regions` as in a CallPath."""
    length = next((v for e, v in model.items() if e.op == "sym" and e.args[0] == "pkt_len"), 64)
    packet = bytearray(min(length, LARGEST))
    starts = {name: X.evaluate(e, {**dict.fromkeys(X.leaves(e), 0), **model}) for name, e in regions}
    for leaf, value in model.items():
        if leaf.op != "byte":
            continue
        array, offset = leaf.args
        at = offset if array == "packet" else starts[array] + offset if array in starts else len(packet)
        if at < len(packet):
            packet[at] = value
    return bytes(packet)


def well_formed(packet: bytes) -> bytes:
    """The packet as a station would send it: of a frame's least size, with lengths that agree."""
    out = bytearray(packet.ljust(LEAST, b"\0"))
    start, kind = 14, bytes(out[12:14])
    if kind == ETHER_VLAN:
        start, kind = 18, bytes(out[16:18])
    if kind == ETHER_IPV4:
        out[start] = 0x40 | max(out[start] & 0xF, 5)
        out[start + 2 : start + 4] = (len(out) - start).to_bytes(2, "big")
        behind, protocol = start + 4 * (out[start] & 0xF), out[start + 9]
    elif kind == ETHER_IPV6:
        out = bytearray(bytes(out).ljust(start + 40 + 20, b"\0"))
        out[start] = 0x60 | out[start] & 0xF
        out[start + 4 : start + 6] = (len(out) - start - 40).to_bytes(2, "big")
        behind, protocol = start + 40, out[start + 6]
    else:
        return bytes(out)
    if protocol == 6 and len(out) > behind + 12:
        out[behind + 12] = 0x50  # length of its header
    if protocol == 17 and len(out) >= behind + 6:
        out[behind + 4 : behind + 6] = (len(out) - behind).to_bytes(2, "big")
    return bytes(out)


def lags(paths: Sequence[CallPath]) -> list[int]:
    """How long ago entries must have been used last to expire (ns), as far as paths tell."""
    found = set()
    for p in paths:
        for c in p.calls:
            for t in c.touches:
                if t.role == "expire" and t.time is not None:
                    found.add(_lag(t.time))
    return sorted(n for n in found if 0 < n < 1 << 62)


def _lag(oldest: int | Expr) -> int:
    values = {leaf: START if leaf.args[0] == "time" else 0 for leaf in X.leaves(oldest)}
    return START - X.evaluate(oldest, values)


class Generator:
    """Arrivals for an NF, the same for the same seed."""

    def __init__(
        self, paths: Sequence[CallPath], seed: int, strangers: bool = True, fresh: frozenset[int] | None = None
    ) -> None:
        """`strangers`: whether answers also come from who was not asked. `fresh`: devices on which packets arrive that answer
        nothing; None: all."""
        self._random = random.Random(seed)
        models = {(p.device, of_model(p)) for p in paths if fresh is None or p.device in fresh}
        self._models = sorted(models | {(device, well_formed(packet)) for device, packet in models})
        self._strangers = strangers
        self._lag = (lags(paths) or [USUAL_LAG])[-1]
        self._addresses = [
            bytes((10 | n >> 6 << 6, n >> 4 & 3, n >> 2 & 3, n & 3)) for n in self._random.sample(range(256), 4)
        ]
        self._ports = [(1024 + n).to_bytes(2, "big") for n in self._random.sample(range(64), 3)]
        self._macs = [bytes((2, 0, 0, 0, 1, n)) for n in range(4)]

    def arrivals(self, count: int) -> Iterator[Arrival]:
        """Every path's model first, then `count` arrivals with everything mixed."""
        now, jumped = START, 0
        for device, packet in self._models:
            now += 1000
            yield Arrival(now, device, packet)
        pick = self._random
        for number in range(len(self._models), len(self._models) + count):
            now += 1 + int(pick.expovariate(200 / self._lag))
            if pick.random() < 0.001:
                now += 2 * self._lag  # everything expires
                jumped = number
            answers, stranger = None, False
            if number > jumped and pick.random() < 0.4:
                answers = pick.randrange(max(jumped, number - REPLY_WINDOW), number)
                stranger = self._strangers and pick.random() < 0.2
            device, packet = pick.choice(self._models)
            yield Arrival(now, device, self._vary(packet), answers, stranger)

    def _vary(self, packet: bytes) -> bytes:
        """The packet with some of its fields from the pools."""
        pick = self._random
        out = bytearray(packet)

        def put(at: int, pool: list[bytes]) -> None:
            value = pick.choice(pool)
            if pick.random() < 0.8 and at + len(value) <= len(out):
                out[at : at + len(value)] = value

        if pick.random() < 0.3 and len(out) >= 12:
            put(0, self._macs)
            put(6, self._macs)
        start, kind = 14, bytes(out[12:14])
        if kind == ETHER_VLAN:
            start, kind = 18, bytes(out[16:18])
        if kind == ETHER_IPV4 and len(out) >= start + 20:
            put(start + 12, self._addresses)
            put(start + 16, self._addresses)
            behind = start + 4 * (out[start] & 0xF)
            if out[start + 9] in _WITH_PORTS:
                put(behind, self._ports)
                put(behind + 2, self._ports)
        elif kind == ETHER_IPV6 and len(out) >= start + 40:
            put(start + 20, self._addresses)
            put(start + 36, self._addresses)
            if out[start + 6] in _WITH_PORTS:
                put(start + 40, self._ports)
                put(start + 42, self._ports)
        return bytes(out)


def answer(packet: bytes, stranger: bool) -> bytes:
    """What the other end would send back: both ends swapped. What is not IPv4 comes back as it is."""
    if len(packet) < 34 or packet[12:14] != ETHER_IPV4:
        return packet
    out = bytearray(packet)
    out[0:6], out[6:12] = packet[6:12], packet[0:6]
    out[26:30], out[30:34] = STRANGER if stranger else packet[30:34], packet[26:30]
    behind = 14 + 4 * (packet[14] & 0xF)
    if packet[23] in _WITH_PORTS and len(packet) >= behind + 4:
        out[behind : behind + 2], out[behind + 2 : behind + 4] = (
            packet[behind + 2 : behind + 4],
            packet[behind : behind + 2],
        )
    return bytes(out)
