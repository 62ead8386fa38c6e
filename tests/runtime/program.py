"""Builds the hand-written NF of nfs/ with a strategy's headers, and runs it under the EAL."""

from __future__ import annotations

import functools
import os
import shlex
import struct
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import memory
from maestro_lsp.rss import Requirement, all_equal
from maestro_lsp.rss.configure import Configuration, configure
from maestro_lsp.rss.nic import profile
from maestro_lsp.synthesis.rss_data import rss_data

HERE = Path(__file__).resolve().parent
RUNTIME = HERE.parent.parent / "maestro_lsp" / "runtime"
LIBVIG = [
    RUNTIME / "libvig" / "verified" / f"{name}.c"
    for name in ("map", "vector", "double-chain", "expirator", "double-map")
]
FLOWS = HERE / "nfs" / "flows.c"

WARNINGS = ("-Wall", "-Wextra", "-Werror")
EAL = ("--no-huge", "-m", "512", "--no-pci", "--no-telemetry", "--no-shconf", "--log-level", "error")

_PORTS = (["l4.src", "l4.dst"], ["l4.dst", "l4.src"])
_ADDRESSES = (["ipv4.src", "ipv4.dst"], ["ipv4.dst", "ipv4.src"])


def dpdk(what: str) -> list[str]:
    """Compiler (`--cflags`) or linker (`--libs`) flags for DPDK."""
    done = subprocess.run(["pkg-config", what, "libdpdk"], check=True, capture_output=True, text=True)
    # As system headers, they are not warned about.
    return [flag.replace("-I", "-isystem", 1) for flag in shlex.split(done.stdout)]


@functools.cache
def nat_rss(nic: str = "x710", seed: int = 0) -> Configuration:
    """Keys for nfs/nat.c: flows meet inside; outside, packets to the same port meet, and nothing else decides."""
    same = all_equal(*[[field, field] for field in ("ipv4.src", "ipv4.dst", "l4.src", "l4.dst")])
    needs = [Requirement(0, 0, same), Requirement(1, 1, all_equal(["l4.dst", "l4.dst"]))]
    return configure(profile(nic), [0, 1], needs, classes=("ipv4-tcp", "ipv4-udp"), seed=seed)


@functools.cache
def firewall_rss(nic: str = "x710", seed: int = 0) -> Configuration:
    """Keys for nfs/flows.c: both directions of a connection meet, on whichever device."""
    same = all_equal(*[[field, field] for field in ("ipv4.src", "ipv4.dst", "l4.src", "l4.dst")])
    swapped = all_equal(*_ADDRESSES, *_PORTS)
    needs = [Requirement(0, 0, same), Requirement(0, 1, swapped), Requirement(1, 1, same)]
    return configure(profile(nic), [0, 1], needs, classes=("ipv4-tcp", "ipv4-udp"), seed=seed)


SHARED = ("locks", "tm")  # strategies whose cores share one state


def build(
    folder: Path,
    strategy: str,
    *,
    compiler: str = "gcc",
    source: Path = FLOWS,
    flags: Sequence[str] = ("-O2",),
    rss: Configuration | None = None,
    compiled: Callable[[list[str]], list[str]] = lambda command: command,
) -> Path:
    """Compiles the NF with a strategy's headers, every warning an error. `compiled` may change the command."""
    data = folder / "rss_data.h"
    data.write_text(rss_data(rss or firewall_rss(), ()))
    defines = [f'-DNF="maestro/nf_{strategy}.h"', f'-DMAIN="maestro/main_{strategy}.h"']
    if strategy != "sequential":
        defines.append(f'-DRSS_DATA="{data}"')
    if strategy == "balanced":
        defines = ['-DNF="maestro/nf_shared_nothing.h"', '-DCHAINS="maestro/live.h"', "-DBALANCED", *defines[1:]]
    if strategy in SHARED:
        defines += ["-DSHARED", '-DCHAINS="maestro/expire_map.h"']
    program = folder / f"{source.stem}-{strategy}-{compiler}"
    command = [compiler, "-std=gnu11", "-g", "-march=native", *WARNINGS, *flags, f"-I{RUNTIME}", *dpdk("--cflags")]
    command += [*defines, str(source), *map(str, LIBVIG), "-o", str(program), *dpdk("--libs")]
    done = subprocess.run(compiled(command), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def run(
    program: Path,
    devices: Iterable[str],
    own: str,
    *,
    nf: str = "",
    lcores: str = "0@(0-1)",
    wrapper: Sequence[str] = (),
    status: int = 0,
    env: dict[str, str] | None = None,
) -> str:
    """Runs a program on vdevs until it ends by itself (`own` are its options after the second --); its output."""
    vdevs = [word for device in devices for word in ("--vdev", device)]
    command = [
        *wrapper,
        str(program),
        *EAL,
        "--lcores",
        lcores,
        *vdevs,
        "--",
        *shlex.split(nf),
        "--",
        *shlex.split(own),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, **(env or {})})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def counts(output: str) -> dict[str, dict[str, int]]:
    """The table that a program prints at its end: core -> column -> number."""
    header, *lines = (line.split() for line in output[output.rindex("core ") :].splitlines())
    rows = (words for words in lines if len(words) == len(header))
    return {core: dict(zip(header[1:], map(int, numbers), strict=True)) for core, *numbers in rows}


def from_memory(command: list[str]) -> list[str]:
    """The same program on packets from memory (benchmarks/memory.py)."""
    return [*command, "-D_GNU_SOURCE", str(memory.SOURCE), *(f"-Wl,--wrap={name}" for name in memory.WRAPPED)]


# ---- Captures


def udp(src: int, dst: int, sport: int, dport: int, payload: bytes = b"", proto: int = 17) -> bytes:
    """A frame; addresses and ports as integers."""
    ether = bytes.fromhex("0200000000010200000000020800")
    length = 28 + len(payload)
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, length, 0, 0, 64, proto, 0, src, dst)
    return (ether + ip + struct.pack(">HHHH", sport, dport, length - 20, 0) + payload).ljust(60, b"\0")


def write_pcap(path: Path, frames: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            file.write(struct.pack("<IIII", number // 1000, number % 1000, len(frame), len(frame)) + frame)
    return path


def read_pcap(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    frames, at = [], 24
    while at < len(raw):
        size = struct.unpack_from("<I", raw, at + 8)[0]
        frames.append(raw[at + 16 : at + 16 + size])
        at += 16 + size
    return frames
