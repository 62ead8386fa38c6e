"""Runs DPDK programs on packets from memory (memory_source.c) and measures them.

Takes the C of a program and a trace; gives throughput per core, latency percentiles, instructions per packet, and what was
sent. Works for any program that receives and transmits by DPDK's bursts: hand-written NFs and generated ones alike.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "memory_source.c"
WRAPPED = ("rte_eth_dev_start", "rte_eth_rx_queue_setup")
EAL = ("--no-huge", "-m", "512", "--no-pci", "--no-telemetry", "--no-shconf", "--log-level", "error")
# The newest instructions that valgrind knows.
FLAGS = ("-std=gnu11", "-O3", "-march=x86-64-v2", "-g")


@dataclass(frozen=True)
class Packet:
    """A frame that arrives on a queue of a device, or was sent to one."""

    device: int
    queue: int
    frame: bytes


def dpdk(what: str) -> list[str]:
    """Compiler (`--cflags`) or linker (`--libs`) flags for DPDK."""
    done = subprocess.run(["pkg-config", what, "libdpdk"], check=True, capture_output=True, text=True)
    return [flag.replace("-I", "-isystem", 1) for flag in shlex.split(done.stdout)]


def build(program: Path, sources: Sequence[Path], flags: Sequence[str] = (), compiler: str = "gcc") -> Path:
    """Compiles a DPDK program with packets from memory; `flags` come after FLAGS. Raises RuntimeError."""
    wraps = [f"-Wl,--wrap={name}" for name in WRAPPED]
    command = [compiler, *FLAGS, "-D_GNU_SOURCE", *dpdk("--cflags"), *flags, *map(str, sources), str(SOURCE)]
    done = subprocess.run([*command, "-o", str(program), *wraps, *dpdk("--libs")], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return program


def compile_file(out: Path, source: Path, flags: Sequence[str] = ()) -> None:
    """Compiles one file of such a program. Raises RuntimeError."""
    command = ["gcc", *FLAGS, "-D_GNU_SOURCE", *dpdk("--cflags"), *flags, "-c", str(source), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


def write_trace(path: Path, packets: Iterable[Packet]) -> Path:
    """A trace for MEMORY_TRACE."""
    with path.open("wb") as file:
        for packet in packets:
            file.write(struct.pack("<HHHH", packet.device, packet.queue, len(packet.frame), 0) + packet.frame)
    return path


def read_trace(path: Path) -> list[Packet]:
    """What MEMORY_CAPTURE wrote."""
    raw = path.read_bytes()
    packets, at = [], 0
    while at < len(raw):
        device, queue, length, _ = struct.unpack_from("<HHHH", raw, at)
        packets.append(Packet(device, queue, raw[at + 8 : at + 8 + length]))
        at += 8 + length
    return packets


def command(
    program: Path, nf: Sequence[str] = (), own: Sequence[str] = (), *, devices: int = 2, lcores: str = "0"
) -> list[str]:
    """A command line; `own` are options of a generated program's, none for a hand-written one's."""
    vdevs = [word for device in range(devices) for word in ("--vdev", f"net_null{device}")]
    return [str(program), *EAL, "--lcores", lcores, *vdevs, "--", *nf, *(["--", *own] if own else [])]


def run(
    words: Sequence[str],
    trace: Path,
    *,
    rounds: int = 1,
    ends: bool = True,
    capture: Path | None = None,
    wrapper: Sequence[str] = (),
    timeout: float = 600,
) -> dict[str, Any]:
    """What memory_source.c prints. `ends`: the process ends with the last packet, whatever is still under way, as programs
    without an end of their own must; others do better with --idle. Raises RuntimeError if the program fails."""
    env = os.environ | {"MEMORY_TRACE": str(trace), "MEMORY_ROUNDS": str(rounds)}
    env |= {"MEMORY_EXIT": "1"} if ends else {}
    env |= {"MEMORY_CAPTURE": str(capture)} if capture else {}
    done = subprocess.run([*wrapper, *words], capture_output=True, text=True, env=env, timeout=timeout)
    found = re.search(r"^MEMORY (.*)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"{shlex.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    result: dict[str, Any] = json.loads(found[1])
    result["output"] = done.stdout
    return result


def instructions(words: Sequence[str], trace: Path, packets: int) -> float:
    """Instructions per packet from reception to transmission, both excluded, once tables are filled: by callgrind, from the
    difference between four rounds of the trace and two."""
    totals = []
    for rounds in (2, 4):
        with tempfile.TemporaryDirectory() as scratch:
            out = f"{scratch}/out"
            tool = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={out}", "-q"]
            run(words, trace, rounds=rounds, wrapper=tool)
            totals.append(
                sum(int(n) for n in re.findall(r"^(?:summary|totals): (\d+)", Path(out).read_text(), re.MULTILINE)[:1])
            )
    return (totals[1] - totals[0]) / (2 * packets)


def rate(result: dict[str, Any], clock: str = "cpu_ns") -> float:
    """Million packets a second, summed over cores, the first of several rounds apart: by processor time, which other processes on the machine hardly disturb,
    or with "wall_ns" by the clock. A core's queues are served by the same thread, so their time counts once."""
    cores: dict[int, tuple[int, int]] = {}
    for queue in result["queues"]:
        received, ns = cores.get(queue["queue"], (0, 1))
        cores[queue["queue"]] = (received + queue["received"], max(ns, queue[clock]))
    return sum(1e3 * received / ns for received, ns in cores.values())
