"""The runtime under the EAL: what a program sends must not depend on the strategy or on how packets are steered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from maestro_lsp.rss.balance import round_robin
from maestro_lsp.rss.capture import classify
from maestro_lsp.rss.configure import Configuration
from maestro_lsp.rss.toeplitz import toeplitz

from .program import build, counts, firewall_rss, read_pcap, run, udp, write_pcap

ARP = bytes.fromhex("ffffffffffff0200000000020806").ljust(60, b"\0")
PARALLEL = ("shared-nothing", "balanced", "locks", "tm")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """One build of each strategy."""
    built: dict[str, Path] = {}

    def get(strategy: str) -> Path:
        if strategy not in built:
            built[strategy] = build(tmp_path_factory.mktemp(strategy), strategy.replace("-", "_"))
        return built[strategy]

    return get


class Traffic:
    """Connections opened from inside, and then answers and intruders from outside."""

    def __init__(self, seed: int, flows: int = 200, packets: int = 1500) -> None:
        rng = random.Random(seed)
        ends = [
            (rng.getrandbits(32), rng.getrandbits(32), rng.getrandbits(16), rng.getrandbits(16)) for _ in range(flows)
        ]
        self.inside = [
            ARP if rng.random() < 0.05 else udp(*rng.choice(ends), payload=str(i).encode()) for i in range(packets)
        ]
        seen = {frame[26:38] for frame in self.inside}
        answers = []
        for i in range(packets):
            src, dst, sport, dport = rng.choice(ends)
            if rng.random() < 0.2:
                src ^= 1 << rng.randrange(32)
            answers.append(udp(dst, src, dport, sport, payload=f"answer {i}".encode()))
        self.outside = answers
        # What the NF is for: answers to what was seen pass, in order; all else from outside does not.
        passed = [a for a in answers if a[30:34] + a[26:30] + a[36:38] + a[34:36] in seen]
        self.sent = {0: passed, 1: list(self.inside)}


# Dropped by the NF: keeps device 1 busy until all packets of device 0 are through.
STRANGER = udp(1, 2, 3, 4)


def core_of(device: int, frame: bytes, cores: int, found: Configuration) -> int:
    """Where the NIC would send a frame, by another implementation of the hash."""
    packet_class, fields = classify(frame) or ("", {})
    own = found.space.devices[device]
    hashed = b"".join(fields[str(field)] for field in own.input(packet_class).fields)
    index = toeplitz(found.keys[device], hashed) % (1 << own.table_bits) if hashed else 0
    return round_robin(1 << own.table_bits, cores)[index]


def flow_order(frames: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """Frames of each flow in order: packets of different flows may overtake each other."""
    flows: dict[bytes, list[bytes]] = {}
    for frame in frames:
        flows.setdefault(frame[12:14] + frame[26:38], []).append(frame)
    return flows


def expect(folder: Path, traffic: Traffic, output: str, queues: int) -> None:
    for device, sent in traffic.sent.items():
        found = [frame for queue in range(queues) for frame in read_pcap(folder / f"out{device}-{queue}.pcap")]
        assert Counter(found) == Counter(sent), output
        if queues == 1:
            assert flow_order(found) == flow_order(sent)


def single(folder: Path, traffic: Traffic) -> list[str]:
    """Devices with one queue; what arrives on device 1 arrives later than what arrives on device 0."""
    padding = [STRANGER] * (len(traffic.inside) + 64)
    write_pcap(folder / "in0.pcap", traffic.inside)
    write_pcap(folder / "in1.pcap", [*padding, *traffic.outside])
    return [f"net_pcap{d},rx_pcap={folder}/in{d}.pcap,tx_pcap={folder}/out{d}-0.pcap" for d in (0, 1)]


def split(folder: Path, traffic: Traffic, cores: int, found: Configuration | None = None) -> list[str]:
    """Devices whose queues are files, split as the NIC would; `found`: its keys, those of flows.c if not given."""
    devices = []
    for device, frames in enumerate((traffic.inside, traffic.outside)):
        arguments = [f"net_pcap{device}"]
        for core in range(cores):
            own = [frame for frame in frames if core_of(device, frame, cores, found or firewall_rss()) == core]
            padding = [STRANGER] * (device * (len(traffic.inside) + 64))
            write_pcap(folder / f"in{device}-{core}.pcap", [*padding, *own])
            arguments += [f"rx_pcap={folder}/in{device}-{core}.pcap", f"tx_pcap={folder}/out{device}-{core}.pcap"]
        devices.append(",".join(arguments))
    return devices


def test_the_sequential_program_is_a_firewall(tmp_path: Path, program: Callable[[str], Path]) -> None:
    traffic = Traffic(1)
    output = run(program("sequential"), single(tmp_path, traffic), "--idle 300")
    expect(tmp_path, traffic, output, queues=1)
    row = counts(output)["all"]
    assert row["flooded"] == traffic.inside.count(ARP) and row["lost"] == 0
    assert row["sent"] == sum(map(len, traffic.sent.values()))
    assert row["received"] == row["sent"] + row["dropped"]


@pytest.mark.parametrize("strategy", PARALLEL)
def test_two_cores_send_the_same_over_queues_split_by_the_hash(
    strategy: str, tmp_path: Path, program: Callable[[str], Path]
) -> None:
    traffic = Traffic(2)
    devices = split(tmp_path, traffic, 2)
    output = run(program(strategy), devices, "--dispatch split --idle 300", lcores="0@(0-1),1@(0-1)")
    expect(tmp_path, traffic, output, queues=2)
    assert all(row["received"] > 0 for row in counts(output).values())


@pytest.mark.parametrize("strategy", PARALLEL)
@pytest.mark.parametrize("cores", [1, 2, 3])
def test_cores_send_the_same_when_one_of_them_steers(
    strategy: str, cores: int, tmp_path: Path, program: Callable[[str], Path]
) -> None:
    traffic = Traffic(3)
    lcores = ",".join(f"{i}@(0-1)" for i in range(cores + 1))
    output = run(program(strategy), single(tmp_path, traffic), "--dispatch auto --idle 300", lcores=lcores)
    assert "net_pcap) cannot steer packets: it has no RSS" in output
    expect(tmp_path, traffic, output, queues=1)
    assert all(row["received"] > 0 for row in counts(output).values()) and len(counts(output)) == cores + 1


@pytest.mark.parametrize("strategy", ["balanced", "locks"])
def test_nothing_is_touched_that_should_not_be(strategy: str, tmp_path: Path) -> None:
    sanitizers = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    program = build(tmp_path, strategy, flags=sanitizers)
    traffic = Traffic(4)
    lcores, env = "0@(0-1),1@(0-1),2@(0-1)", {"ASAN_OPTIONS": "detect_leaks=0"}  # NFs never free their state
    balance = "--balance 1" if strategy == "balanced" else "--stats 1"
    output = run(program, single(tmp_path, traffic), f"--idle 1500 {balance}", lcores=lcores, env=env)
    expect(tmp_path, traffic, output, queues=1)


def test_a_full_table_drops_what_is_new(tmp_path: Path, program: Callable[[str], Path]) -> None:
    flows = [udp(1, 2, 3, port) for port in range(30)]
    traffic = Traffic(1, packets=0)
    traffic.inside, traffic.sent = flows * 2, {0: [], 1: flows[:20] * 2}
    output = run(program("sequential"), single(tmp_path, traffic), "--idle 300", nf="-f 20")
    expect(tmp_path, traffic, output, queues=1)


NULL = ["net_null0", "net_null1"]


def test_a_program_stops_after_so_many_packets(program: Callable[[str], Path]) -> None:
    rows = counts(run(program("shared-nothing"), NULL, "--dispatch split --packets 5000", lcores="0@0,1@1"))
    assert all(5000 <= rows[core]["received"] < 5100 for core in ("0", "1"))


def test_a_program_stops_after_so_many_seconds(program: Callable[[str], Path]) -> None:
    assert counts(run(program("sequential"), NULL, "--seconds 1"))["all"]["received"] > 0


@pytest.mark.parametrize(
    ("devices", "own", "lcores", "why"),
    [
        (NULL[:1], "", "0", "made for 2 devices, and there are 1"),
        (NULL, "--dispatch rss", "0,1", "it has no RSS"),
        (NULL, "--cores 3", "0,1", "3 cores are wanted and 1 are there, besides the one that dispatches"),
        (NULL, "--dispatch split --cores 3", "0,1", "3 cores are wanted and 2 are there"),
        (NULL, "--dispatch sideways", "0,1", "give auto, rss, software or split"),
        (NULL, "--cores many", "0,1", "--cores many: not a number"),
        (NULL, "--cores", "0,1", "--cores: a value is missing"),
        (NULL, "--kores 2", "0,1", "--kores 2: no such option"),
    ],
)
def test_a_program_refuses_what_it_cannot_do(
    devices: list[str], own: str, lcores: str, why: str, program: Callable[[str], Path]
) -> None:
    assert why in run(program("shared-nothing"), devices, own, lcores=lcores, status=1)


def test_a_device_with_too_few_queues_is_refused(tmp_path: Path, program: Callable[[str], Path]) -> None:
    devices = single(tmp_path, Traffic(1, packets=10))
    why = run(program("shared-nothing"), devices, "--dispatch split", lcores="0,1", status=1)
    assert "Device 0 (net_pcap) has 1 receive queues, and 2 are needed" in why
