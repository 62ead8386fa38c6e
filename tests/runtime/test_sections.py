"""Strategies whose cores share state, under stress: every run must equal a sequential one, and ThreadSanitizer must be
content."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .program import FLOWS, HERE, LIBVIG, RUNTIME, WARNINGS, dpdk, firewall_rss, rss_data

FULL = bool(os.environ.get("MAESTRO_FULL"))


def stressed(folder: Path, strategy: str, *flags: str) -> Path:
    """The NF twice in one program: with threads and a strategy, and sequentially for the replay."""
    data = folder / "rss_data.h"
    data.write_text(rss_data(firewall_rss(), ()))
    program = folder / f"stress-{strategy}"
    common = ["gcc", "-std=gnu11", "-O2", "-g", "-march=native", *WARNINGS, *flags, f"-I{RUNTIME}", f"-I{HERE}"]
    common += [*dpdk("--cflags"), "-Dnf_process=flows_process"]
    headers = {
        "NF": f"maestro/nf_{strategy}.h",
        "STRESSED": f"maestro/main_{strategy}.h",
        "CHAINS": "maestro/expire_map.h",
    }
    headers |= {"MAIN": "stress.h", "RSS_DATA": str(data)}
    parts = {
        "threads": ["-DSHARED", f"-D{strategy.upper()}", *(f'-D{name}="{header}"' for name, header in headers.items())],
        "replay": ['-DNF="maestro/nf_sequential.h"', '-DMAIN="replay.h"'],
    }
    objects = [str(folder / f"{part}.o") for part in parts]
    commands = [[*common, *defines, "-c", str(FLOWS), "-o", f"{folder}/{part}.o"] for part, defines in parts.items()]
    commands.append([*common, *objects, *map(str, LIBVIG), "-o", str(program), *dpdk("--libs")])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return program


@pytest.fixture(scope="module", params=["locks", "tm"])
def strategy(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def plain(strategy: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    touches = ["-DTOUCHES_PACKET", "-DMAESTRO_RESTORE_BYTES=64"]
    return stressed(tmp_path_factory.mktemp(strategy), strategy, *touches)


@pytest.fixture(scope="module")
def watched(strategy: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # ThreadSanitizer cannot see into DPDK's assembly: RTE_FORCE_INTRINSICS gives it the same in C.
    flags = ["-fsanitize=thread", "-DRTE_FORCE_INTRINSICS"]
    return stressed(tmp_path_factory.mktemp(f"tsan-{strategy}"), strategy, *flags)


# DPDK asks without synchronisation whether a lock is taken, to tell a transaction from its fallback.
SUPPRESSIONS = "race:rte_spinlock_unlock_tm\n"


def stress(
    program: Path, threads: int, packets: int, seed: int, lag: int, capacity: int, flows: int, writing: int
) -> str:
    numbers = map(str, (threads, packets, seed, lag, capacity, flows, writing))
    suppressions = program.with_name("suppressions")
    suppressions.write_text(SUPPRESSIONS)
    env = {**os.environ, "TSAN_OPTIONS": f"suppressions={suppressions}"}
    done = subprocess.run([str(program), *numbers], capture_output=True, text=True, timeout=600, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


MIXES = [
    pytest.param((10**12, 4096, 1000, 0), id="nothing expires"),
    pytest.param((10**5, 64, 100, 0), id="short-lived flows, the table is often full"),
    pytest.param((10**6, 2000, 1000, 0), id="flows live for a while"),
    pytest.param((10**4, 16, 4, 2), id="nearly all write, those of one device by whole bursts"),
]


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize(("threads", "packets"), [(2, 50_000), (3, 20_000)])
def test_every_run_is_some_sequential_one(
    plain: Path, threads: int, packets: int, mix: tuple[int, int, int, int]
) -> None:
    for seed in range(20 if FULL else 1):
        stress(plain, threads, packets, seed, *mix)


@pytest.mark.parametrize("mix", MIXES)
def test_no_two_cores_race(watched: Path, mix: tuple[int, int, int, int]) -> None:
    for seed in range(5 if FULL else 1):
        stress(watched, 3, 5000, seed, *mix)
