"""The differential run: an NF and its parallel program on the same traffic, packet by packet.

A process of its own loads both as shared objects (an NF may exit or crash) and compares what they send. Cores are threads that
take turns: shared-nothing's are fed as the program's own RSS data says, those of locks and tm at random. Answers are made from each
program's own outputs. Outputs must be equal up to the bytes that carry a fresh index, which programs may choose differently
(docs/explanation/limits.md). The first packet that differs is reported with as few packets before it as show it.

    python -m maestro_lsp.verify      (a pickled Job on standard input; a pickled Outcome on standard output)
"""

from __future__ import annotations

import base64
import ctypes
import itertools
import os
import pickle
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .traffic import ETHER_IPV4, Arrival, answer

_OUTPUTS_MAX, _ROOM = 32, 2048  # as in runtime/replay/outputs.h
_TIMEOUT = 300  # seconds for one run
_TRIALS = 400  # of shortening a sequence that shows a difference
_copies = itertools.count()


@dataclass(frozen=True)
class Ignored:
    """Offsets of bytes that programs may choose: in a frame without IPv4 options, and behind options as if there were none."""

    frame: frozenset[int] = frozenset()
    behind_options: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.frame or self.behind_options)

    def __or__(self, other: Ignored) -> Ignored:
        return Ignored(self.frame | other.frame, self.behind_options | other.behind_options)

    def with_byte(self, offset: int, behind_options: bool) -> Ignored:
        """These and one more."""
        one = frozenset((offset,))
        return self | (Ignored(behind_options=one) if behind_options else Ignored(frame=one))

    def blank(self, packet: bytes) -> bytes:
        """The packet with these bytes zero."""
        out = bytearray(packet)
        words = packet[14] & 0xF if packet[12:14] == ETHER_IPV4 and len(packet) > 14 else 5
        places = (
            self.frame
            if words == 5
            else self.frame & set(range(34)) | {n + 4 * words - 20 for n in self.behind_options}
        )
        for at in places:
            if at < len(out):
                out[at] = 0
        return bytes(out)


@dataclass(frozen=True)
class Job:
    """What a run needs."""

    folder: str  # of the NF: where the paths in its arguments lead from
    original: str
    generated: str
    arguments: tuple[str, ...]
    cores: int
    steered: bool  # packets go to the cores that the program's RSS data says; otherwise to any
    arrivals: tuple[Arrival, ...]
    ignored: Ignored
    skip: tuple[tuple[str, tuple[int, ...]], ...] = ()  # classes of packets that are left out, and on which devices


@dataclass(frozen=True)
class Sent:
    """What a program sent for a packet."""

    devices: tuple[int, ...]
    packet: bytes


@dataclass(frozen=True)
class Outcome:
    """What a run found."""

    packets: int  # that were compared
    sequence: tuple[
        tuple[int, int, bytes], ...
    ] = ()  # (time, device, packet) of the original's side that leads to a difference
    original: Sent | None = None
    generated: Sent | None = None
    error: str = ""


class _Output(ctypes.Structure):
    _fields_ = (
        ("count", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
        ("devices", ctypes.c_uint16 * _OUTPUTS_MAX),
        ("bytes", ctypes.c_uint8 * _ROOM),
    )


class _Program:
    """One instance, with state of its own."""

    def __init__(self, library: str, cores: int, arguments: Sequence[str]) -> None:
        # the dynamic linker knows a file by its inode: each copy of the code needs a file of its own
        own = f"{library}-{next(_copies)}"
        shutil.copyfile(library, own)
        self._code = ctypes.CDLL(own)
        Path(own).unlink()
        argv = (ctypes.c_char_p * (len(arguments) + 2))(b"nf", *(a.encode() for a in arguments), None)
        if not self._code.replay_start(cores, len(arguments) + 1, argv):
            raise RuntimeError("nf_init failed")
        self._output = _Output()

    def process(self, core: int, device: int, packet: bytes, now: int) -> Sent:
        out = self._output
        self._code.replay_packet(core, device, packet, len(packet), ctypes.c_int64(now), ctypes.byref(out))
        return Sent(tuple(sorted(out.devices[: out.count])), bytes(out.bytes[: out.length]) if out.count else b"")

    def core_of(self, device: int, packet: bytes) -> int:
        return int(self._code.replay_core_of(device, packet, len(packet)))


def play(job: Job, arrivals: Sequence[Arrival]) -> Outcome:
    """Run both programs on a sequence until they differ."""
    original = _Program(job.original, 1, job.arguments)
    parallel = _Program(job.generated, job.cores, job.arguments)
    ones: dict[int, Sent] = {}
    manys: dict[int, Sent] = {}
    inputs: list[tuple[int, int, bytes]] = []
    compared = 0
    for number, a in enumerate(arrivals):
        mine = its = (a.device, a.packet)
        if a.answers is not None:
            one, many = ones.get(a.answers), manys.get(a.answers)
            if one is not None and many is not None and len(one.devices) == 1 and len(many.devices) == 1:
                mine = one.devices[0], answer(one.packet, a.stranger)
                its = many.devices[0], answer(many.packet, a.stranger)
        if _left_out(job, *mine) or _left_out(job, *its):
            continue
        core = parallel.core_of(*its) if job.steered else random.Random(a.now).randrange(job.cores)
        x, y = original.process(0, *mine, a.now), parallel.process(core, *its, a.now)
        ones[number], manys[number] = x, y
        inputs.append((a.now, *mine))
        compared += 1
        if x.devices != y.devices or job.ignored.blank(x.packet) != job.ignored.blank(y.packet):
            return Outcome(compared, tuple(inputs), x, y)
    return Outcome(compared)


def _left_out(job: Job, device: int, packet: bytes) -> bool:
    if not job.skip:
        return False
    from ..rss.capture import classify

    known = classify(packet)
    return known is None or any(known[0] == name and device in devices for name, devices in job.skip)


def search(job: Job) -> Outcome:
    """Run, and if the programs differ look for a shorter sequence that shows it (delta debugging)."""
    found = play(job, job.arrivals)
    if not found.sequence:
        return found
    compared = found.packets
    arrivals = job.arrivals[: _number_of_last(job, found)]
    trials, parts = 0, 2
    while len(arrivals) > 1 and trials < _TRIALS:
        size = -(-len(arrivals) // parts)
        for start in range(0, len(arrivals) - 1, size):
            trials += 1
            shorter = _closed(arrivals, [i for i in range(len(arrivals)) if not start <= i < start + size])
            again = play(job, shorter)
            if again.sequence:
                found, arrivals, parts = again, shorter, max(parts - 1, 2)
                break
        else:
            if parts >= len(arrivals):
                break
            parts = min(2 * parts, len(arrivals))
    return replace(found, packets=compared)


def _number_of_last(job: Job, found: Outcome) -> int:
    """How many arrivals were played until the difference, those left out included."""
    last = found.sequence[-1][0]
    return next(i for i, a in enumerate(job.arrivals) if a.now == last) + 1


def _closed(arrivals: Sequence[Arrival], keep: Sequence[int]) -> tuple[Arrival, ...]:
    """The arrivals to keep, renumbered; what answers one that is gone is a packet of its own."""
    new = {old: at for at, old in enumerate(keep)}
    return tuple(
        a if a.answers is None else replace(a, answers=new.get(a.answers)) for a in (arrivals[i] for i in keep)
    )


def run(job: Job) -> Outcome:
    """Run a job in a process of its own."""
    command = [sys.executable, "-m", __package__]
    try:
        done = subprocess.run(command, input=pickle.dumps(job), capture_output=True, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        return Outcome(0, error=f"the run did not end within {_TIMEOUT} s")
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"it ended with status {done.returncode}"]
        return Outcome(0, error=lines[-1])
    outcome = pickle.loads(base64.b64decode(done.stdout.splitlines()[-1]))
    assert isinstance(outcome, Outcome)
    return outcome


def main() -> None:
    """Read a job, print its outcome: what an NF prints goes before it."""
    if sys.stdin.isatty() or not (sent := sys.stdin.buffer.read()):
        sys.exit("this is a part of `maestro-lsp verify`, which starts it")
    job = pickle.loads(sent)
    answer_to = os.dup(1)
    os.dup2(2, 1)  # an NF's own output is not ours
    os.chdir(job.folder)
    outcome = search(job)
    with os.fdopen(answer_to, "wb") as out:
        out.write(base64.b64encode(pickle.dumps(outcome)) + b"\n")
