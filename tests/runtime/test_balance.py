"""Tables that are balanced at run time: buckets move only without state, and moves are those of the library."""

from __future__ import annotations

import ctypes
import os
import random
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks import memory
from benchmarks.memory import Packet
from maestro_lsp.rss.balance import rebalanced

from .program import (
    FLOWS,
    HERE,
    LIBVIG,
    RUNTIME,
    WARNINGS,
    build,
    counts,
    dpdk,
    firewall_rss,
    from_memory,
    rss_data,
    udp,
)
from .test_runs import core_of

FULL = bool(os.environ.get("MAESTRO_FULL"))


def parts(folder: Path, *flags: str) -> list[str]:
    """Objects of the NF with moving buckets, and of the sequential NF for the replay."""
    data = folder / "rss_data.h"
    data.write_text(rss_data(firewall_rss(), ()))
    headers = {"NF": "maestro/nf_shared_nothing.h", "CHAINS": "maestro/live.h", "MAIN": "moves.h"}
    headers |= {"STRESSED": "maestro/main_balanced.h", "RSS_DATA": str(data)}
    defines = {
        "cores": ["-DBALANCED", *(f'-D{name}="{header}"' for name, header in headers.items())],
        "replay": ['-DNF="maestro/nf_sequential.h"', '-DMAIN="replay.h"'],
    }
    common = [
        "gcc",
        "-std=gnu11",
        "-O2",
        "-g",
        "-march=native",
        "-fPIC",
        *WARNINGS,
        *flags,
        f"-I{RUNTIME}",
        f"-I{HERE}",
    ]
    common += [*dpdk("--cflags"), "-Dnf_process=flows_process", "-c"]
    for name, own in defines.items():
        done = subprocess.run([*common, *own, str(FLOWS), "-o", f"{folder}/{name}.o"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return [f"{folder}/{name}.o" for name in defines] + [str(path) for path in LIBVIG]


def link(folder: Path, name: str, objects: list[str], *flags: str) -> Path:
    command = ["gcc", "-g", "-fPIC", f"-I{RUNTIME}", *flags, *objects, "-o", str(folder / name), *dpdk("--libs")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / name


def test_moves_are_those_of_the_library(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(link(tmp_path, "moves.so", parts(tmp_path), "-shared")))
    rng = random.Random(1)
    for case in range(100):
        cores, buckets = rng.randint(1, 8), rng.choice([1, 8, 64, 512])
        loads = np.array([int(rng.paretovariate(0.8)) if rng.random() < 0.8 else 0 for _ in range(buckets)], np.uint64)
        frozen = np.array([rng.random() < (case % 3) / 3 for _ in range(buckets)], np.bool_)
        owner = np.array([rng.randrange(cores) for _ in range(buckets)], np.uint16)
        expected = rebalanced(owner.tolist(), loads.tolist(), cores, frozen=set(np.flatnonzero(frozen).tolist()))
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (loads, frozen, owner)]
        library.rebalance(*pointers, buckets, cores)
        assert tuple(owner.tolist()) == expected.table


@pytest.fixture(scope="module")
def moves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("moves")
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return link(folder, "moves", parts(folder, *flags), *flags)


@pytest.mark.parametrize("lag", [0, 20_000, 1_000_000, 10**12])
def test_moving_buckets_never_shows(moves: Path, lag: int) -> None:
    for seed in range(20 if FULL else 2):
        words = [str(moves), "3", "6000", str(seed), str(lag), "200"]
        env = {"ASAN_OPTIONS": "detect_leaks=0"}  # NFs never free their state
        done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        packets, answers, moved = map(int, re.findall(r"\d+", done.stdout))
        assert packets > 10_000 and moved > (1000 if lag < 10**6 else 0)
        assert lag == 0 or answers > 1000


def test_a_program_spreads_what_one_core_cannot_take(tmp_path: Path) -> None:
    program = build(tmp_path, "balanced", compiled=from_memory)
    rng = random.Random(1)
    flows = [(rng.getrandbits(32), rng.getrandbits(32), rng.getrandbits(16), 0) for _ in range(4000)]
    on_one_core = [udp(*flow) for flow in flows if core_of(0, udp(*flow), 2, firewall_rss()) == 0]
    trace = memory.write_trace(tmp_path / "trace", [Packet(0, 0, frame) for frame in on_one_core])
    own = ["--dispatch", "software", "--balance", "1", "--seconds", "3"]
    words = memory.command(program, ["-e", "1000"], own, lcores="0@(0-1),1@(0-1),2@(0-1)")
    result = memory.run(words, trace, rounds=10**9, ends=False)
    rows = counts(result["output"])
    assert rows["2"]["received"] > 0.1 * rows["1"]["received"]
    assert rows["all"]["dropped"] == 0, "each packet finds its flow, or opens it"
    # A core that has no processor for a while may lose what others hand it: never unsaid.
    assert rows["all"]["received"] == rows["all"]["sent"] + rows["all"]["lost"]
    assert rows["all"]["lost"] < 0.1 * rows["all"]["received"]
