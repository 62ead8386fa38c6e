"""What a program tells NICs with RSS, and what it says to those that cannot do what its configuration needs. There is none here:
fake_nic.c plays them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_lsp.rss.configure import Configuration, configure
from maestro_lsp.rss.constraint import all_equal
from maestro_lsp.rss.export import flow_rules
from maestro_lsp.rss.nic import profile
from maestro_lsp.rss.solve import Requirement

from .program import HERE, build, firewall_rss, run

WRAPPED = ("rte_eth_dev_info_get", "rte_eth_dev_configure", "rte_eth_dev_rss_hash_conf_get", "rte_eth_dev_rss_reta_update",
           "rte_flow_create")  # fmt: skip
RUN = "--dispatch rss --packets 64"


def with_nics(command: list[str]) -> list[str]:
    return [*command, "-Wno-missing-prototypes", str(HERE / "fake_nic.c"), *(f"-Wl,--wrap={name}" for name in WRAPPED)]


def by_destination() -> Configuration:
    """Packets to one address meet, by the whole hash: an X710 has to hash that alone, which takes a flow rule."""
    same = all_equal(["ipv4.dst", "ipv4.dst"])
    needs = [Requirement(0, 0, same), Requirement(1, 1, same)]
    return configure(profile("x710"), [0, 1], needs, equal="hash", classes=("ipv4-tcp", "ipv4-other"))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nic"), "shared_nothing", flags=("-O1",), compiled=with_nics)


def said(program: Path, status: int = 0, cores: int = 2, **nic: str) -> str:
    lcores = ",".join(f"{i}@(0-1)" for i in range(cores))
    return run(program, ["net_null0", "net_null1"], RUN, lcores=lcores, status=status, env=nic)


@pytest.mark.parametrize(("cores", "size"), [(2, 512), (3, 512), (2, 128)])
def test_nics_are_told_key_options_queues_and_table(program: Path, cores: int, size: int) -> None:
    output, found = said(program, cores=cores, NIC_TABLE=str(size)), firewall_rss()
    for device in (0, 1):
        line = re.search(rf"^NIC {device} queues (\d+) types (\w+) key (\w+)$", output, re.M)
        assert line is not None
        assert (int(line[1]), line[3]) == (cores, found.keys[device].hex()) and int(line[2], 16) != 0
        assert f"NIC {device} table {' '.join(str(i % size % cores) for i in range(size))}\n" in output


def test_parts_of_an_input_become_flow_rules(tmp_path: Path) -> None:
    found = by_destination()
    program = build(tmp_path, "shared_nothing", flags=("-O1",), compiled=with_nics, rss=found)
    output = said(program)
    for device in (0, 1):
        wanted = flow_rules(found.profiles[device], found.space.device(device), found.partials[device])
        assert wanted and len(
            re.findall(rf"^NIC {device} rule types \w+ ingress 1 pattern( \d+)+$", output, re.M)
        ) == len(wanted)
    assert "does not take RSS rule 0: no such rule" in said(program, status=1, NIC_NO_RULES="1")


@pytest.mark.parametrize(
    ("nic", "why"),
    [
        ({"NIC_KEY": "40"}, "its key has 40 bytes, the configured one 52"),
        ({"NIC_TABLE": "1024"}, "its indirection table has 1024 entries, the key is made for 512"),
        ({"NIC_TABLE": "0"}, "its indirection table has 0 entries"),
        ({"NIC_TYPES": "0"}, "it does not hash ipv4-tcp ipv4-udp"),
        ({"NIC_FORGETS": "1"}, "reports another RSS key or other options than it was given"),
    ],
)
def test_nics_that_cannot_are_refused_with_the_reason(nic: dict[str, str], why: str, program: Path) -> None:
    output = said(program, status=1, **nic)
    assert why in output and "--dispatch software" in output
