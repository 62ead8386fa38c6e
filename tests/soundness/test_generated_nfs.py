"""Random small NFs. What the analysis calls shared-nothing runs divided, and no packet is treated otherwise than on one core; so that
this can fail, what needs to meet is kept apart and seen to differ. And the paths of all of them are those that they take natively.
MAESTRO_FULL=1: thousands of NFs instead of some.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.settings import Settings
from maestro_lsp.symbex.expiring import EXPIRED_ROUNDS
from maestro_lsp.workspace import find_nfs
from tests.native.tracing import NativeError
from tests.symbex.against_traces import unexplained

from .batches import TABLE_H, Compiler, Core, Selected, Steer, compare, steering, traffic
from .divided import CORES
from .random_nfs import Generator, Nf

FULL = bool(os.environ.get("MAESTRO_FULL"))
BATCHES = 50 if FULL else 1
NFS = 60  # of a batch
PACKETS = 400
SECONDS = 5  # of processor: an analysis's bound
TRACED = 40 if FULL else 20  # of a batch
TRACED_PACKETS = 60
MISUSED = "outside the vector", "did not give out", "map_put on a full map"  # of libVig, by an NF that does so


@dataclass(frozen=True)
class Case:
    """An NF that is called shared-nothing, and how a NIC steers its packets: by the best keys, and by random ones."""

    nf: Nf
    report: Report
    steers: tuple[Steer, Steer]


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    return Compiler(tmp_path_factory.mktemp("batches"))


def checked(nf: Nf, compiler: Compiler) -> Report:
    folder = compiler.folder / "nf"
    folder.mkdir(exist_ok=True)
    shutil.copy(TABLE_H, folder)
    (folder / "main.c").write_text(nf.text)
    (found,) = find_nfs(folder)
    started = time.process_time()
    report = check(found, Settings(devices=nf.devices, nic=nf.nic))
    assert not report.error, f"{report.error}\n{nf.text}"
    assert time.process_time() - started < SECONDS, nf.text
    return report


def case(nf: Nf, report: Report) -> Case | None:
    """None: there is nothing to compare."""
    found = report.analysis.configuration
    if report.analysis.verdict != "shared-nothing" or report.analysis.stateless or report.analysis.deviations:
        return None
    assert found is not None
    return Case(nf, report, (steering(found, found.keys, 0), steering(found, found.space.random(1), 1)))


@lru_cache(maxsize=1)
def divided(batch: int, compiler: Compiler) -> list[Case]:
    """Those of a batch that are called shared-nothing."""
    seeds = range(batch * NFS, (batch + 1) * NFS)
    return [c for nf in (Generator(seed).nf() for seed in seeds) if (c := case(nf, checked(nf, compiler)))]


@contextmanager
def cores(compiler: Compiler, nfs: Iterable[Nf]) -> Iterator[list[Core]]:
    library = compiler.build(list(nfs))
    made = [Core(library) for _ in range(1 + CORES)]
    yield made
    for core in made:
        core.close()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_shared_nothing_means_that_cores_need_not_meet(batch: int, compiler: Compiler) -> None:
    cases = divided(batch, compiler)
    assert len(cases) >= 0.2 * NFS, "too few NFs of this generator can be divided"
    with cores(compiler, (c.nf for c in cases)) as made:
        for c in cases:
            for seed, steer in enumerate(c.steers):
                outcome = compare(c.nf, c.report, made, steer, PACKETS, seed)
                assert outcome.difference is None, f"seed {c.nf.seed}: {outcome.difference}\n{c.nf.text}"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_packets_that_must_meet_and_do_not_are_seen(batch: int, compiler: Compiler) -> None:
    """Cores chosen at random; and cores chosen for an NF of which one key has then lost a field."""
    cases = divided(batch, compiler)
    pick = random.Random(batch)
    at_random = 0
    with cores(compiler, (c.nf for c in cases)) as made:
        for c in cases:
            outcome = compare(c.nf, c.report, made, lambda device, packet: pick.randrange(CORES), PACKETS, 0)
            at_random += outcome.difference is not None
    assert at_random >= 0.5 * len(cases)
    mutants = [(m, c) for c in cases if (m := without_a_field(c.nf, pick))]
    seen = 0
    with cores(compiler, (m for m, _ in mutants)) as made:
        for mutant, c in mutants:
            seen += any(
                compare(mutant, c.report, made, steer, PACKETS, seed).difference for seed, steer in enumerate(c.steers)
            )
    assert seen >= 0.3 * len(mutants) > 0


FIELD_OF_KEY = re.compile(r"(?<=\.)(f\d) = .*;$", re.M)


def without_a_field(nf: Nf, pick: random.Random) -> Nf | None:
    """The NF with a zero where one key has a field of the packet; None if it has no such place."""
    places = list(FIELD_OF_KEY.finditer(nf.text))
    if not places:
        return None
    place = pick.choice(places)
    return replace(nf, text=f"{nf.text[: place.start()]}{place[1]} = 0;{nf.text[place.end() :]}")


@pytest.mark.parametrize("batch", range(BATCHES))
def test_paths_say_what_an_nf_asks_of_libvig(batch: int, compiler: Compiler) -> None:
    nfs = [Generator(seed).nf() for seed in range(batch * NFS, batch * NFS + TRACED)]
    library = compiler.build_traced(nfs)
    followed = 0
    for nf in nfs:
        report, native = checked(nf, compiler), Selected(library, nf)
        if not report.analysis.complete:
            continue
        for now, device, packet, _ in traffic(nf, TRACED_PACKETS, 0):
            try:
                out, after = native.process(device, packet, now)
            except NativeError as e:
                assert any(how in str(e) for how in MISUSED), e
                break
            rounds = sum(c.function == "dchain_expire_one_index" and c.result == 1 for c in native.calls)
            if rounds > EXPIRED_ROUNDS:  # the paths of two rounds stand for those of more
                continue
            wrong = unexplained(report.paths, device, packet, now, native, out, after)
            assert not wrong, f"seed {nf.seed}: {wrong}\n{nf.text}"
            followed += 1
        native.close()
    assert followed > 0.8 * TRACED * TRACED_PACKETS
