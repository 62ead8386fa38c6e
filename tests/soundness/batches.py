"""Random NFs natively, many in one shared object: each on one core and on several, which must agree as docs/explanation/limits.md says.

A batch is one C file with table.h once and every NF under names of its own. Each core is the object loaded once more. The parallel
cores have one core's capacity each and are full when that one is (see checked_libvig.c), so capacity makes no difference, and small
tables can fill.
"""

from __future__ import annotations

import _ctypes
import ctypes
import itertools
import random
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maestro_lsp.check import Report
from maestro_lsp.rss.capture import classify
from maestro_lsp.rss.configure import Configuration
from maestro_lsp.rss.toeplitz import pack, toeplitz
from tests.fixtures.nfs import HERE, LIBVIG, compiler_flags
from tests.fixtures.traffic import answer, ipv4
from tests.native import bench
from tests.native.tracing import Traced

from .divided import CORES, assumed_away
from .random_nfs import HIDES, Nf

TABLE_H = HERE.parent / "sharding" / "nfs" / "table.h"
PROCESS = "int nf_process(uint16_t device, uint8_t *buffer, uint16_t length, int64_t now)"
CHECKED = ("dchain_allocate_new_index", "map_allocate", "map_put", "map_erase", "__assert_fail")
_copies = itertools.count()
LAG = 1_000_000  # ns; table.h's
Sent = tuple[int, bytes]  # what nf_process returned, and the packet as it left it
Steer = Callable[[int, bytes], int]


def renamed(nf: Nf, number: int) -> str:
    """The NF's text with its own names; `reset_N` sets its variables back."""
    names = re.compile(rf"\b({'|'.join(nf.names)})\b")
    text = (
        names.sub(rf"\1__{number}", nf.text)
        .replace('#include "table.h"', "")
        .replace("#define SLOTS", "#undef SLOTS\n#define SLOTS")
    )
    cleared = " ".join(f"memset(&{name}__{number}, 0, sizeof {name}__{number});" for name in nf.variables)
    return f"{text}\nvoid reset__{number}(void) {{ {cleared} }}\n"


class Compiler:
    """gcc, with what all batches share compiled once in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(TABLE_H, folder)
        self.gcc = ["gcc", "-std=gnu11", "-O0", "-w", "-fPIC", "-fno-strict-aliasing", *compiler_flags()]
        self.run([*self.gcc, "-x", "c-header", "table.h", "-o", "table.h.gch"])
        checked = Path(__file__).with_name("checked_libvig.c")
        self.run([*self.gcc, "-O1", "-c", str(checked), *map(str, LIBVIG)])
        self.objects = sorted(str(p) for p in folder.glob("*.o"))
        self.batches = itertools.count()

    def run(self, command: Sequence[str]) -> None:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def build(self, nfs: Sequence[Nf]) -> Path:
        """A shared object with these NFs, by their seeds."""
        name = f"batch{next(self.batches)}"
        text = '#include "table.h"\n' + "\n".join(renamed(nf, nf.seed) for nf in nfs)
        (self.folder / f"{name}.c").write_text(text)
        wraps = [f"-Wl,--wrap={function}" for function in CHECKED]
        target = self.folder / f"{name}.so"
        self.run([*self.gcc, "-shared", "-Wl,-Bsymbolic", *wraps, "-o", str(target), f"{name}.c", *self.objects])
        return target

    def build_traced(self, nfs: Sequence[Nf]) -> Path:
        """A shared object as `tests.native` builds them; `selected` says which NF it is."""
        source = self.folder / f"traced{next(self.batches)}.c"
        text = ['#include "table.h"', "int selected;", *(renamed(nf, nf.seed) for nf in nfs)]
        for head, call in (
            ("bool nf_init(void)", "nf_init__{}()"),
            (PROCESS, "nf_process__{}(device, buffer, length, now)"),
        ):
            cases = " ".join(f"case {nf.seed}: return {call.format(nf.seed)};" for nf in nfs)
            text.append(f"{head} {{ switch (selected) {{ {cases} }} abort(); }}")
        source.write_text("\n".join(text))
        return bench.build([source], [self.folder], "traced")


class Selected(Traced):
    """One NF of a traced object."""

    def __init__(self, library: Path, nf: Nf) -> None:
        self.seed = nf.seed
        super().__init__(library, nf.devices)

    def _prepare(self) -> None:
        super()._prepare()
        ctypes.c_int.in_dll(self.library, "selected").value = self.seed


class Core:
    """The NFs of a batch with state of their own."""

    def __init__(self, library: Path) -> None:
        own = library.with_name(
            f"{library.stem}-{next(_copies)}.so"
        )  # the loader knows a library by its name and its inode
        shutil.copyfile(library, own)
        self.library = ctypes.CDLL(str(own))
        own.unlink()
        self.packet = (ctypes.c_ubyte * 2048).in_dll(self.library, "packet")
        self.start = ctypes.addressof(self.packet)
        self.told_count = ctypes.c_uint.in_dll(self.library, "told_count")
        self.told = ctypes.addressof((ctypes.c_ubyte * 64).in_dll(self.library, "told"))
        self.outcomes_count = ctypes.c_uint.in_dll(self.library, "outcomes_count")
        self.outcomes = ctypes.addressof((ctypes.c_ubyte * 64).in_dll(self.library, "outcomes"))
        self.misuse = ctypes.c_char_p.in_dll(self.library, "misuse")
        self.luck = ctypes.c_uint32.in_dll(self.library, "luck")
        self.library.run.argtypes = [ctypes.c_void_p, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int64]

    def choose(self, nf: Nf, luck: int = 0) -> None:
        """Start an NF anew."""
        getattr(self.library, f"reset__{nf.seed}")()
        self.luck.value = luck
        assert getattr(self.library, f"nf_init__{nf.seed}")() & 1
        self.entry = ctypes.cast(getattr(self.library, f"nf_process__{nf.seed}"), ctypes.c_void_p)

    def process(self, device: int, packet: bytes, now: int, told: bytes = b"") -> Sent:
        """What nf_process returned (-1: `misuse` says why not), and the packet as it left it; the packet's allocations end as told."""
        ctypes.memmove(self.start, packet, len(packet))
        if told:
            ctypes.memmove(self.told, told, len(told))
        self.told_count.value = len(told)
        out = self.library.run(self.entry, device, len(packet), now)
        return out, ctypes.string_at(self.start, len(packet))

    def ends_of_allocations(self) -> bytes:
        return ctypes.string_at(self.outcomes, self.outcomes_count.value)

    def close(self) -> None:
        _ctypes.dlclose(self.library._handle)


# ---- Traffic and steering

OCTETS = (1, 2, 3, 0x41, 0x82)
PORTS = (0x0100, 0x0200, 0x0300, 0x0101, 0x0001, 0x0201)  # as NFs read them: 1, 2, 3, 257, 256, 258
NO_NUMBERS = (
    0x1010,
    0x1020,
    0x2010,
    0x3010,
)  # no index, whichever half is read: which indices there are is not promised


def traffic(nf: Nf, count: int, seed: int) -> Iterator[tuple[int, int, bytes, bool]]:
    """Time, device, packet, and whether an earlier output is answered instead; few values, so that keys collide in part."""
    pick = random.Random(f"{nf.seed}/{seed}")
    octets = pick.sample(OCTETS, 3)
    addresses = [
        bytes([pick.choice(octets), 0, pick.choice((0, 1)), pick.choice(octets)]) for _ in range(pick.choice((2, 3, 5)))
    ]
    ports = pick.sample(NO_NUMBERS if nf.numbered else PORTS, pick.choice((2, 3, 4)))
    macs = [bytes([2, 0, 0, 0, 0, n]) for n in range(2)]
    gap = pick.choice((0.02, 0.1, 0.3)) * LAG
    now = 10**12
    for _ in range(count):
        now += int(pick.expovariate(1 / gap)) if pick.random() < 0.99 else 4 * LAG
        kind = pick.choice(("tcp", "udp"))
        body = ipv4(
            kind,
            pick.choice(addresses),
            pick.choice(addresses),
            (pick.choice(ports), pick.choice(ports)),
            pick.choice((22, 40)),
        )
        packet = bytearray(pick.choice(macs) + pick.choice(macs) + struct.pack(">H", 0x0800) + body)
        packet[44:46] = bytes([pick.choice((0, 1)), pick.choice((0, 5))])
        yield now, pick.randrange(nf.devices), bytes(packet), nf.numbered and pick.random() < 0.5


def steering(found: Configuration, keys: dict[int, bytes], seed: int) -> Steer:
    """As `divided.steering`; what was hashed once is remembered."""
    devices = {device.number: device for device in found.space.devices}
    pick = random.Random(seed)
    table = [pick.randrange(CORES) for _ in range(1 << max(d.table_bits for d in found.space.devices))]
    known_inputs: dict[tuple[int, bytes], int] = {}

    def steer(device: int, packet: bytes) -> int:
        known = classify(packet)
        assert known is not None, "a malformed packet"
        values = {name: int.from_bytes(v) for name, v in known[1].items()}
        read = pack(devices[device].input(known[0]).fields, values)
        if (device, read) not in known_inputs:
            index = toeplitz(keys[device], read) & ((1 << found.space.index_bits(device)) - 1)
            known_inputs[device, read] = table[index]
        return known_inputs[device, read]

    return steer


# ---- Comparison


@dataclass(frozen=True)
class Outcome:
    """What a run of packets showed: `difference` is None if both agree, else what they did with packet `packets`."""

    packets: int
    difference: str | None
    misuse: str = ""  # why it ended early


def agree(nf: Nf, one: Sent, many: Sent, arrived: Sequence[Sent]) -> bool:
    """Whether what was sent is the same, but for numbers of indices: they may leave, or have come back in what arrived."""
    if one[0] != many[0]:
        return False
    if one[0] == arrived[0][0]:  # dropped
        return True
    hidden = {at for part in nf.hides for at in range(part.start, part.stop)}
    hidden |= {at for at, (x, y) in enumerate(zip(arrived[0][1], arrived[1][1], strict=True)) if x != y}
    return all(x == y or at in hidden for at, (x, y) in enumerate(zip(one[1], many[1], strict=True)))


class Answers:
    """Packets that answer earlier ones, whose numbers of indices are each run's own. Numbers are given again, which to whom is not
    promised: only a number's latest owner is answered, and of its numbers the latest."""

    def __init__(self, nf: Nf, seed: int) -> None:
        self.nf = nf
        self.pick = random.Random(seed)
        self.sent: list[tuple[bytes, list[tuple[int, Sent]]]] = []  # flow; for each run the core and what it sent
        self.owners: dict[tuple[int, int, bytes], bytes] = {}  # of numbers, by run and core
        self.latest: dict[tuple[int, int, bytes], bytes] = {}  # numbers, by run, core and owner

    def note(self, arrived: Sent, sent: list[tuple[int, Sent]]) -> None:
        flow = bytes([arrived[0]]) + arrived[1][:12] + arrived[1][23:38]
        self.sent.append((flow, sent))
        for run, (core, out) in enumerate(sent):
            number = out[1][HIDES[0]]
            self.owners[run, core, number] = flow
            self.latest[run, core, flow] = number

    def one(self) -> tuple[list[Sent], int] | None:
        """For each run the answer, and the core whose number it names."""
        if not self.sent:
            return None
        flow, sent = self.pick.choice(self.sent[-20:])
        for run, (core, out) in enumerate(sent):
            number = out[1][HIDES[0]]
            if self.owners[run, core, number] != flow or self.latest[run, core, flow] != number:
                return None
        return [(out[0] % self.nf.devices, answer(out[1], False)) for _, out in sent], sent[1][0]


def compare(nf: Nf, report: Report, cores: Sequence[Core], steer: Steer, packets: int, seed: int) -> Outcome:
    """One core, the first, against the others, until they differ or libVig is misused on the first."""
    for core in cores:
        core.choose(nf)
    sequential, *parallel = cores
    sequential.luck.value = seed + 1
    answers = Answers(nf, seed)
    for number, (now, device, packet, reply) in enumerate(traffic(nf, packets, seed)):
        inputs, owner = (answers.one() if reply else None) or ([(device, packet)] * 2, None)
        if any(assumed_away(report.analysis, *i) for i in inputs):
            continue
        one = sequential.process(*inputs[0], now)
        if one[0] < 0:
            return Outcome(number, None, str(sequential.misuse.value))
        chosen = steer(*inputs[1])
        if owner not in (None, chosen) and one[0] == inputs[0][0]:
            continue  # refused; on this core, the number would be another entry's
        many = parallel[chosen].process(*inputs[1], now, sequential.ends_of_allocations())
        if not agree(nf, one, many, inputs):
            other = f"{many[0]} {many[1][:50].hex()}" if many[0] >= 0 else str(parallel[chosen].misuse.value)
            arrived = f"packet {inputs[1][1][:50].hex()} on device {inputs[1][0]} at {now}, core {chosen}"
            return Outcome(number, f"{arrived}: {one[0]} {one[1][:50].hex()}, but {other}")
        if one[0] != inputs[0][0]:
            answers.note(inputs[0], [(0, one), (chosen, many)])
    return Outcome(packets, None)
