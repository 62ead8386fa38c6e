"""Vigor's own NFs, divided: each one that is called shared-nothing runs as several instances, steered by the configuration that
`check` prints, on every class of packets. MAESTRO_VIGOR names Vigor's tree; MAESTRO_FULL=1: more packets."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.settings import Settings
from maestro_lsp.workspace import find_nfs
from tests.fixtures.traffic import KINDS
from tests.native.bench import Instance, build_nf
from tests.vigor import VIGOR, needs_vigor

from .divided import CORES, compare, steering

pytestmark = needs_vigor
PACKETS = 40_000 if os.environ.get("MAESTRO_FULL") else 4000

MACS = ["--eth-dest", "0,01:23:45:67:89:00", "--eth-dest", "1,01:23:45:67:89:01"]
FLOWS = ["--wan", "1", "--expire", "2000", *MACS]
TRAFFIC: dict[str, dict[str, Any]] = {
    "vigfw": {"args": [*FLOWS, "--max-flows", "65536"], "addresses": 4, "ports": 3, "replies": 0.4, "mean_gap_us": 20},
    "vignat": {
        # as many flows as there are ports from the first on: with more, the last ones' ports wrap around and are locks
        "args": [*FLOWS, "--max-flows", "64512", "--starting-port", "1024", "--extip", "1.2.3.4"],
        "addresses": 4, "ports": 3, "replies": 0.45, "strangers": 0.3, "fresh_devices": [0], "mean_gap_us": 20,
        "indices_leave_in": "l4.src",
    },
    "vigpol": {
        "args": ["--lan", "1", "--wan", "0", "--rate", "400000", "--burst", "800", "--capacity", "65536"],
        "addresses": 8, "mean_gap_us": 20,
    },
    "vignop": {"args": None, "mean_gap_us": 20},
}  # fmt: skip


@cache
def report(name: str) -> Report:
    (nf,) = find_nfs(VIGOR / name)
    args = TRAFFIC[name]["args"]
    return check(nf, Settings(args=None if args is None else tuple(args)))


def cores_of(name: str) -> tuple[list[Instance], int]:
    """One core, and those that share its work; how many devices they have."""
    library, nf = build_nf(VIGOR / name)
    args = TRAFFIC[name]["args"] or nf.args
    return [Instance(library, nf.devices, args) for _ in range(1 + CORES)], nf.devices


@pytest.mark.parametrize("kinds", [("tcp", "udp"), KINDS], ids=["tcp and udp", "every class"])
@pytest.mark.parametrize("name", sorted(TRAFFIC))
def test_vigor_nfs_need_not_meet(name: str, kinds: tuple[str, ...]) -> None:
    analysis = report(name).analysis
    assert analysis.verdict == "shared-nothing" and analysis.configuration is not None
    cores, devices = cores_of(name)
    steer = steering(analysis.configuration, analysis.configuration.keys, seed=1)
    traffic = {**TRAFFIC[name], "kinds": kinds}
    differing = list(compare(cores, traffic, devices, analysis, steer, PACKETS, seed=2))
    assert len(differing) < PACKETS // 10 if analysis.deviations else differing == []


@pytest.mark.parametrize("name", ["vigfw", "vignat", "vigpol"])
def test_the_comparison_can_fail(name: str) -> None:
    cores, devices = cores_of(name)
    traffic = {**TRAFFIC[name], "kinds": ("tcp", "udp")}

    def by_source(device: int, packet: bytes) -> int:
        return packet[29] % CORES

    assert any(True for _ in compare(cores, traffic, devices, report(name).analysis, by_source, PACKETS, seed=2))
