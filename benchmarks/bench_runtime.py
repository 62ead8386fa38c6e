"""Generated programs against the NFs they were made from, on packets from memory; JSON on stdout.

- instructions per packet from reception to transmission (callgrind), tables filled, with the ratios of the issue's targets
- throughput on one core and two, by processor time; `scaling` relative to that of the nop NF in the same run
- latency from reception to transmission, percentiles in nanoseconds, at full load

The hand-written program is the NF's own sources, file by file with the same flags, under the generated programs' main loop
(own_sources.c); `with its own loop`, which takes packets one by one, it says nothing of the generated code. All are medians of REPEATS.
Arguments are names of NFs, all without; what is under way is told on stderr, and a program that fails or hangs costs its own row only.
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import memory
from benchmarks.memory import Packet
from maestro_lsp.check import check
from maestro_lsp.synthesis.parallel import applicable, parallelize
from maestro_lsp.workspace import find_nfs

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = ROOT / "maestro_lsp" / "runtime"
LIBVIG = sorted((RUNTIME / "libvig" / "verified").glob("*.c"))
FLOWS = 1000  # fewer than a batch each way would hide the tables' cost, more would measure the cache
ROUNDS = 1000
REPEATS = int(os.environ.get("MAESTRO_REPEATS", "5"))
LONGEST = 60  # seconds that one run may take; they take one or two
IDLE = "500"  # milliseconds without a packet, after which a program on two cores ends
ONE_CORE = ("hand-written", "with its own loop", "sequential")
STRATEGIES = ("sequential", "shared-nothing", "locks", "tm")


# ---- Traffic: packets of known flows, the first round of a trace apart


def frame(
    flow: int, *, back: bool = False, src: int = 0x0A000000, dst: int = 0x0B000000, port: int | None = None
) -> bytes:
    """A UDP packet of a flow, 60 bytes; `back`: of its answers, to `port` where a NAT has changed it."""
    ends = [(src + flow, 1000 + flow % 60000, 1), (dst + flow, 80, 2)]
    (a, a_port, a_mac), (b, b_port, b_mac) = reversed(ends) if back else ends
    b_port = port if port is not None else b_port
    macs = struct.pack(">IHIH", 0x02000000 + b_mac, flow % 65536, 0x02000000 + a_mac, flow % 65536)
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 46, 0, 0, 64, 17, 0, a, b)
    return macs + b"\x08\x00" + ip + struct.pack(">HHHH", a_port, b_port, 26, 0) + bytes(18)


def both_ways(cores: int) -> Iterator[Packet]:
    for flow in range(FLOWS):
        yield Packet(0, flow % cores, frame(flow))
        yield Packet(1, flow % cores, frame(flow, back=True))


def outward(cores: int) -> Iterator[Packet]:
    for flow in range(FLOWS):
        yield Packet(0, flow % cores, frame(flow))


def from_outside(cores: int) -> Iterator[Packet]:
    for flow in range(FLOWS):
        yield Packet(1, flow % cores, frame(flow))


TRAFFIC: dict[str, Callable[[int], Iterator[Packet]]] = {
    "nop": both_ways,
    "fw": both_ways,
    "nat": outward,
    "policer": from_outside,
    "bridge": both_ways,
}

# Packets that write nothing, where the traffic above does: what goes out is not policed. A bridge that meets a known address again only
# renews its time stamp, and so do the others with known flows.
READS: dict[str, Callable[[int], Iterator[Packet]]] = {"policer": outward}

# Buckets that take longer to fill than any run: else how many entries expire depends on the machine's speed.
ARGUMENTS = {
    "policer": ["--wan", "1", "--lan", "0", "--rate", "1000000", "--burst", "1000000000", "--capacity", "65536"]
}


# ---- Programs


def make_variable(folder: Path, goal: str) -> list[str]:
    done = subprocess.run(
        ["make", "-s", "-C", str(folder), f"print-{goal}"], check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def programs(folder: Path, scratch: Path) -> dict[str, Callable[[], Path]]:
    """The hand-written program and the generated ones that apply, and how each is built."""
    own = [f"-I{folder}", f"-I{folder.parent}", f"-I{RUNTIME}"]
    sources = [(folder / name).resolve() for name in make_variable(folder, "files")]
    found = {
        "hand-written": partial(same_loop, scratch / folder.name, [s for s in sources if s.name != "nf.c"], own),
        "with its own loop": partial(memory.build, scratch / f"{folder.name}-own-loop", [*sources, *LIBVIG], own),
    }
    (nf,) = find_nfs(folder)
    report = check(nf)
    for strategy in STRATEGIES:
        if applicable(report)[strategy] is None:
            made = parallelize(report, strategy)
            source = scratch / made.file_name
            source.write_text(made.text)
            found[strategy] = partial(memory.build, scratch / source.stem, [source, *LIBVIG], own)
    return found


def same_loop(stem: Path, sources: list[Path], flags: list[str]) -> Path:
    """The NF's own sources, compiled one by one, under the main loop of generated programs."""
    objects = []
    for source in sources:
        objects.append(stem.with_name(f"{stem.name}-{source.stem}.o"))
        memory.compile_file(objects[-1], source, [*flags, "-Drte_eth_dev_count_avail=own_device_count"])
    return memory.build(
        stem.with_name(f"{stem.name}-same-loop"), [ROOT / "benchmarks/own_sources.c", *objects, *LIBVIG], flags
    )


def measure(folder: Path, scratch: Path) -> dict[str, Any]:
    """A row for each program. Those that only count are built and counted two at a time, those that take the time one by one."""
    args = ARGUMENTS.get(folder.name) or make_variable(folder, "args")
    traces = {
        cores: memory.write_trace(scratch / f"{folder.name}-{cores}", TRAFFIC[folder.name](cores)) for cores in (1, 2)
    }
    packets = sum(1 for _ in TRAFFIC[folder.name](1))
    reading = sum(1 for _ in READS.get(folder.name, both_ways)(1))
    reads = memory.write_trace(scratch / f"{folder.name}-reads", READS.get(folder.name, both_ways)(1))
    results: dict[str, Any] = {}

    def counted(name: str, build: Callable[[], Path]) -> list[str]:
        one = memory.command(build(), args, [] if name in ONE_CORE else ["--dispatch", "split"])
        results[name]["instructions"] = round(memory.instructions(one, traces[1], packets), 1)
        if READS.get(folder.name):
            results[name]["instructions, reads"] = round(memory.instructions(one, reads, reading), 1)
        return one

    with ThreadPoolExecutor(2) as pool:
        todo = programs(folder, scratch)
        results.update({name: {} for name in todo})
        commands = {name: pool.submit(counted, name, build) for name, build in todo.items()}
    for name, command in commands.items():
        tell(f"{folder.name}: {name}")
        try:
            results[name] |= timed(command.result(), traces, name not in ONE_CORE)
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            results[name]["failed"] = str(e)
    return results


def timed(one: list[str], traces: dict[int, Path], parallel: bool) -> dict[str, Any]:
    """Throughput and latency of a program, given as its command for one core."""
    runs = [memory.run(one, traces[1], rounds=ROUNDS, timeout=LONGEST) for _ in range(REPEATS)]
    row: dict[str, Any] = {"mpps": round(statistics.median(map(memory.rate, runs)), 2), "latency_ns": latency(runs)}
    if parallel:
        two = [*one, "--idle", IDLE]
        two[two.index("--lcores") + 1] = "0@0,1@1"
        runs = [memory.run(two, traces[2], rounds=ROUNDS, ends=False, timeout=LONGEST) for _ in range(REPEATS)]
        rate = statistics.median(map(memory.rate, runs))
        row |= {"mpps_2": round(rate, 2), "speedup": round(rate / row["mpps"], 3), "latency_2_ns": latency(runs)}
    return row


def latency(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Medians of each percentile."""
    return {share: statistics.median(run["latency_ns"][share] for run in runs) for share in runs[0]["latency_ns"]}


def tell(what: str) -> None:
    print(f"{time.strftime('%X')} {what}", file=sys.stderr, flush=True)


def ratios(nf: dict[str, Any], nop: dict[str, Any]) -> dict[str, float]:
    """What the targets are about."""
    found: dict[str, float] = {}
    for name, base in (("sequential", "hand-written"), ("shared-nothing", "sequential"), ("locks", "sequential")):
        if "instructions" in nf.get(name, {}) and "instructions" in nf[base]:
            for count in ("instructions", "instructions, reads"):
                if count in nf[name]:
                    what = f"{name} / {base}{count.removeprefix('instructions')}"
                    found[what] = round(nf[name][count] / nf[base][count], 3)
    for name in ("shared-nothing", "locks", "tm"):
        if "speedup" in nf.get(name, {}) and "speedup" in nop.get("shared-nothing", {}):
            found[f"{name} scaling / nop's"] = round(nf[name]["speedup"] / nop["shared-nothing"]["speedup"], 3)
    return found


def main() -> None:
    names = [name for name in TRAFFIC if name in sys.argv[1:]] or list(TRAFFIC)
    with tempfile.TemporaryDirectory() as scratch:
        nfs = {name: measure(ROOT / "fixtures" / name, Path(scratch)) for name in names}
    for nf in list(nfs.values()):
        nf["ratios"] = ratios(nf, nfs.get("nop", {}))
    print(json.dumps(nfs, indent=1))


if __name__ == "__main__":
    main()
