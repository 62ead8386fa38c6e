"""What the analysis calls shared-nothing runs divided: steered by its own keys, and by random ones of its key space, every packet
is treated as one core treats it. What it calls `locks` differs when packets are spread at random, and when they are steered as a
naive reading of the NF would have it, so the comparison can fail. MAESTRO_FULL=1: more packets.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.rss.configure import configure
from maestro_lsp.rss.fields import PACKET_CLASSES
from maestro_lsp.rss.nic import profile
from maestro_lsp.settings import Settings
from maestro_lsp.sharding.demands import demands
from maestro_lsp.workspace import find_nfs
from tests.fixtures.conftest import built, libvig  # noqa: F401  (fixtures of pytest)
from tests.fixtures.nfs import Fixture, fixture_paths, load
from tests.fixtures.traffic import KINDS

from .divided import CORES, differences, steering

PACKETS = 20_000 if os.environ.get("MAESTRO_FULL") else 1200
KEYS = 4 if os.environ.get("MAESTRO_FULL") else 2
VERDICTS = {path.name: load(path).expected["verdict"] for path in fixture_paths()}
DIVIDED = [name for name, verdict in VERDICTS.items() if verdict == "shared-nothing"]
LOCKS = [name for name, verdict in VERDICTS.items() if verdict == "locks"]

BY_THEIR_KEYS = {"bridge", "disjoint-maps", "vlan-counter"}  # need locks because no hash brings equal keys together


@cache
def fixture(name: str) -> Fixture:
    return load(next(path for path in fixture_paths() if path.name == name))


@cache
def report(name: str) -> Report:
    nf = fixture(name)
    (found,) = find_nfs(nf.path)
    return check(found, Settings(args=tuple(nf.traffic["args"])))


def keys_of(name: str, which: int) -> dict[int, bytes]:
    """The best keys (0), or random ones of the space."""
    found = report(name).analysis.configuration
    assert found is not None
    return found.space.random(which) if which else found.keys


@pytest.mark.parametrize("which", range(KEYS))
@pytest.mark.parametrize("name", DIVIDED)
def test_shared_nothing_means_that_cores_need_not_meet(
    name: str,
    which: int,
    built: Callable[[Fixture], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nf, analysis = fixture(name), report(name).analysis
    monkeypatch.chdir(nf.path)  # its arguments may name files
    assert analysis.verdict == "shared-nothing" and analysis.configuration is not None
    steer = steering(analysis.configuration, keys_of(name, which), seed=which)
    differing = list(differences(nf, built(nf), analysis, steer, PACKETS, seed=which + 1))
    if analysis.deviations:
        assert len(differing) < PACKETS // 10
    else:
        assert differing == []


@pytest.mark.parametrize("name", DIVIDED)
def test_every_class_of_packets_that_the_verdict_covers_is_steered_right(
    name: str,
    built: Callable[[Fixture], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nf, analysis = fixture(name), report(name).analysis
    assert analysis.configuration is not None
    monkeypatch.chdir(nf.path)
    every = replace(nf, expected={**nf.expected, "traffic": {**nf.traffic, "kinds": KINDS}})
    steer = steering(analysis.configuration, keys_of(name, 0), seed=3)
    differing = list(differences(every, built(nf), analysis, steer, PACKETS, seed=5))
    assert len(differing) < PACKETS // 10 if analysis.deviations else differing == []


@pytest.mark.parametrize("name", LOCKS)
def test_what_needs_locks_differs_when_packets_are_spread(
    name: str,
    built: Callable[[Fixture], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nf, analysis = fixture(name), report(name).analysis
    assert analysis.verdict == "locks"
    monkeypatch.chdir(nf.path)
    pick = random.Random(1)
    assert any(
        True for _ in differences(nf, built(nf), None, lambda device, packet: pick.randrange(CORES), 20_000, seed=1)
    )


@pytest.mark.parametrize("name", LOCKS)
def test_what_a_naive_reading_grants_differs(
    name: str,
    built: Callable[[Fixture], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only accesses by keys count, and whatever stands against sharding by them is overlooked."""
    nf, analysis = fixture(name), report(name).analysis
    monkeypatch.chdir(nf.path)
    nic = profile("x710")
    naive = [c for c in analysis.conflicts.conflicts if not any(e.obstacles for pair in c.causes for e in pair)]
    hashed = [c for c in PACKET_CLASSES if nic.option_for(c) is not None]
    wanted = [d.requirement for d in demands(naive, nic)]
    granted = configure(nic, range(nf.devices), wanted, classes=hashed)
    if name in BY_THEIR_KEYS:
        assert not all(granted.queue_bits(device) for device in range(nf.devices))
    else:
        steer = steering(granted, granted.keys, seed=0)
        assert any(True for _ in differences(nf, built(nf), analysis, steer, 20_000, seed=1))
