"""The allocator of indices whose answers come back: a NAT on several cores translates every answer to a flow of any core,
and no external port is on two cores."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import memory
from benchmarks.memory import Packet
from maestro_lsp.rss.toeplitz import toeplitz

from .program import HERE, build, from_memory, nat_rss, udp

FIRST_PORT, EXTERNAL = 1000, 0x01020304
NAT = HERE / "nfs" / "nat.c"


@pytest.fixture(scope="module")
def nat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nat")
    return build(folder, "shared_nothing", source=NAT, rss=nat_rss(), compiled=from_memory)


def core_of(device: int, src: int, dst: int, sport: int, dport: int, cores: int) -> int:
    found = nat_rss()
    hashed = src.to_bytes(4) + dst.to_bytes(4) + sport.to_bytes(2) + dport.to_bytes(2)
    return toeplitz(found.keys[device], hashed) % (1 << found.space.devices[device].table_bits) % cores


def test_where_an_answer_goes_depends_on_its_port_alone() -> None:
    rng = random.Random(1)
    cores = 128
    of_port = {port: core_of(1, 0, 0, 0, port, cores) for port in range(0, 65536, 16)}
    assert set(of_port.values()) == set(range(cores)), "every core has ports"
    for port in rng.choices(list(of_port), k=500):
        assert core_of(1, rng.getrandbits(32), rng.getrandbits(32), rng.randrange(65536), port, cores) == of_port[port]


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_all_answers_come_back(nat: Path, cores: int, tmp_path: Path) -> None:
    rng = random.Random(cores)
    ports = 300
    flows = [(rng.getrandbits(32), rng.getrandbits(32), rng.randrange(65536), rng.randrange(65536)) for _ in range(400)]
    free = [[i for i in range(ports) if core_of(1, 0, 0, 0, FIRST_PORT + i, cores) == core] for core in range(cores)]
    assert sorted(index for own in free for index in own) == list(range(ports)), (
        "each port is some core's, and one's only"
    )
    trace, sent = [], []
    answers, answered = [], []
    for flow in flows:
        src, dst, sport, dport = flow
        core = core_of(0, *flow, cores)
        trace.append(Packet(0, core, udp(*flow)))
        if free[core]:
            port = FIRST_PORT + free[core].pop(0)
            sent.append(Packet(1, core, udp(EXTERNAL, dst, port, dport)))
            back = core_of(1, dst, EXTERNAL, dport, port, cores)
            assert back == core, "the answer comes back to the core that gave the port out"
            answers.append(Packet(1, back, udp(dst, EXTERNAL, dport, port)))
            answered.append(Packet(0, back, udp(dst, src, dport, sport)))
    # A core takes from its devices in turn, a burst each: strangers, to be dropped, go before the answers.
    stranger = udp(1, 2, 3, 4)
    strangers = [Packet(1, core, stranger) for core in range(cores) for _ in range(len(flows) + 32)]
    path = memory.write_trace(tmp_path / "trace", [*trace, *strangers, *answers])
    lcores = ",".join(f"{i}@(0-1)" for i in range(cores))
    words = memory.command(nat, ["-p", str(ports)], ["--dispatch", "split", "--idle", "300"], lcores=lcores)
    memory.run(words, path, ends=False, capture=tmp_path / "capture")
    found = memory.read_trace(tmp_path / "capture")
    assert len(sent) == ports or cores > 1
    for device, expected in ((0, answered), (1, sent)):
        for core in range(cores):
            assert [p for p in found if (p.device, p.queue) == (device, core)] == [
                p for p in expected if p.queue == core
            ]
