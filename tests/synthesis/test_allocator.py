"""Ports by RSS: which NFs can have them, what their text says, and that a port is on one core only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_lsp.cli import main
from maestro_lsp.synthesis.parallel import Parallel, Refused, applicable, parallelize

from .targets import FIXTURES, TARGETS, analysed_again, complaints, name, report

NATS = [f for f in TARGETS if f.name in ("nat", "dchain-unguarded", "vignat")]


def made(folder: Path) -> Parallel:
    return parallelize(report(folder), "shared-nothing", "rss-allocator")


@pytest.mark.parametrize("folder", NATS, ids=name)
def test_a_nat_gives_out_ports_by_rss(folder: Path, tmp_path: Path) -> None:
    program = made(folder)
    assert ", maestro_core_of_index)" in program.text
    for compiler in ("gcc", "clang"):
        assert complaints(compiler, folder, program, tmp_path / program.file_name) == ""
    assert analysed_again(report(folder), program).analysis.rows == report(folder).analysis.rows


@pytest.mark.parametrize("folder", NATS, ids=name)
def test_where_answers_come_back_the_port_alone_decides_the_core(folder: Path) -> None:
    configuration = made(folder).configuration
    assert configuration is not None
    space = configuration.space
    (outside,) = {d.number for d in space.devices} - {0}
    assert configuration.queue_bits(outside) > 0
    key = int.from_bytes(configuration.keys[outside])
    bits = 8 * len(configuration.keys[outside])
    index = (1 << space.index_bits(outside)) - 1
    for hash_input in space.device(outside).inputs:
        at = 0
        for field in hash_input.fields:
            if hash_input.packet_class in ("ipv4-tcp", "ipv4-udp") and field.name != "l4.dst":
                windows = [key >> (bits - 32 - b) & 0xFFFFFFFF for b in range(at, at + field.width)]
                assert all(w & index == 0 for w in windows), f"{field} has weight"
            at += field.width


def test_the_first_port_is_that_of_the_configuration() -> None:
    assert "(uint16_t)(index + config.start_port)" in made(FIXTURES / "nat").text


def test_an_nf_that_no_guard_saves_becomes_shared_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And two cores with ports of their own treat packets as one does."""
    folder, out = FIXTURES / "dchain-unguarded", tmp_path / "cone.c"
    assert applicable(report(folder))["shared-nothing"] is not None
    command = ["parallelize", str(folder), "--strategy", "shared-nothing", "--allocator", "rss", "--out", str(out)]
    assert main(command) == 0
    assert main(["verify", str(folder), "--against", str(out), "--packets", "600"]) == 0, capsys.readouterr().out
    assert re.search(r"run +passed", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("nf", "why"),
    [
        ("fw", "the index of one dchain becomes a packet field"),
        ("trap-unchecked-cell", "for other reasons than the index"),
    ],
)
def test_other_nfs_are_refused(nf: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        made(FIXTURES / nf)
