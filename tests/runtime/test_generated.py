"""What `parallelize` writes, built as it says and run under the EAL: it sends what the sequential program sends."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.synthesis.targets import FIXTURES, program

from .program import EAL, counts, read_pcap, run
from .test_runs import Traffic, single, split

STRATEGIES = ("shared-nothing", "locks", "tm")
FOLDER = FIXTURES / "fw"
OPTIONS = "--expire 100000000 --max-flows 65536 --wan 1"  # nothing expires


@cache
def built(strategy: str, folder: Path) -> Path:
    """The firewall's program, by the command that its first lines say."""
    made = program(FOLDER, strategy)
    assert made is not None
    file = folder / made.file_name
    file.write_text(made.text)
    command = made.build(str(file)).replace("-O3", "-O1")
    done = subprocess.run(command, shell=True, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return file.with_suffix("")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


@pytest.fixture(scope="module")
def sent(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Counter[bytes]]:
    """What the sequential program sends, by device."""
    here = tmp_path_factory.mktemp("sequential")
    output = run(built("sequential", folder), single(here, Traffic(5)), "--idle 300", nf=OPTIONS)
    found = {device: Counter(read_pcap(here / f"out{device}-0.pcap")) for device in (0, 1)}
    assert all(found.values()) and counts(output)["all"]["dropped"] > 0
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_cores_send_the_same_over_queues_split_by_the_hash(
    strategy: str, tmp_path: Path, folder: Path, sent: dict[int, Counter[bytes]]
) -> None:
    made = program(FOLDER, strategy)
    assert made is not None and made.configuration is not None
    devices = split(tmp_path, Traffic(5), 2, made.configuration)
    output = run(built(strategy, folder), devices, "--dispatch split --idle 300", nf=OPTIONS, lcores="0@(0-1),1@(0-1)")
    for device, expected in sent.items():
        assert (
            sum((Counter(read_pcap(tmp_path / f"out{device}-{queue}.pcap")) for queue in (0, 1)), Counter()) == expected
        )
    assert all(row["received"] > 0 for row in counts(output).values())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_cores_send_the_same_when_a_third_steers(
    strategy: str, tmp_path: Path, folder: Path, sent: dict[int, Counter[bytes]]
) -> None:
    lcores = ",".join(f"{i}@(0-1)" for i in range(3))
    output = run(built(strategy, folder), single(tmp_path, Traffic(5)), "--idle 300", nf=OPTIONS, lcores=lcores)
    for device, expected in sent.items():
        assert Counter(read_pcap(tmp_path / f"out{device}-0.pcap")) == expected
    assert all(row["received"] > 0 for row in counts(output).values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_program_with_its_counts(number: signal.Signals, folder: Path) -> None:
    words = [
        "--lcores",
        "0@(0-1),1@(0-1)",
        "--vdev",
        "net_null0",
        "--vdev",
        "net_null1",
        "--",
        *OPTIONS.split(),
        "--",
        "--dispatch",
        "split",
    ]
    process = subprocess.Popen([str(built("shared-nothing", folder)), *EAL, *words], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(1.5)
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    assert counts(output)["all"]["received"] > 0
