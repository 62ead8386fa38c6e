"""Packets of all devices are executed together until a path asks which device it is. The second opinion: each device alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.engine import Limits
from maestro_lsp.symbex.path import CallPath
from maestro_lsp.symbex.results import Paths
from maestro_lsp.symbex.run import Inputs, _Run, execute
from maestro_lsp.workspace import NfSources, find_nfs, load
from tests.fixtures.nfs import fixture_paths
from tests.vigor import GIVEN, NFS, VIGOR

SMALL = Path(__file__).parent.parent / "sharding" / "nfs"
FOLDERS = [*fixture_paths(), *(VIGOR / name for name in NFS if GIVEN)]


def what_it_does(p: CallPath) -> tuple[object, ...]:
    """A path without its number, and without its model: one of many packets that take it. An instruction that is run again because it
    asks something reads again what it has read."""
    plain = tuple(dict.fromkeys(p.plain))
    return (
        p.device,
        p.conditions,
        p.calls,
        p.chunks,
        p.writes,
        plain,
        p.outcome,
        p.output,
        p.returned,
        p.regions,
        p.mbuf,
    )


def compare(nf: NfSources, devices: int) -> tuple[CallPath, ...]:
    X.forget()
    run = _Run(load(nf), Catalogue.builtin(), Inputs(devices, nf.nf_args))
    together = run.go()
    process = run.entry("nf_process")
    assert process is not None
    if together.start is None:
        assert together.troubles
        return ()
    found = []
    for device in range(devices):
        run.engine.steps = run.engine.explored = run.engine.questions = run.engine.conditions = 0
        st = run.arrival(together.start, process, device)
        assert st is not None
        found += run.engine.explore(st)
    alone = Paths(run.engine, None, run.inputs.flood).paths(found)
    assert list(map(what_it_does, together.paths)) == list(map(what_it_does, alone))
    assert together.troubles == tuple(run.engine.troubles)
    for p in together.paths:
        if p.like is not None:
            first = together.paths[p.like]
            assert first.like is None and first.device < p.device and first.calls is p.calls
    return together.paths


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_together_devices_take_the_paths_that_each_takes_alone(folder: Path) -> None:
    (nf,) = find_nfs(folder)
    compare(nf, 3)


@pytest.mark.parametrize("part", range(8))
def test_so_do_those_of_small_nfs(part: int, tmp_path: Path) -> None:
    for header in SMALL.glob("*.h"):
        shutil.copy(header, tmp_path)
    names = sorted(SMALL.glob("*.c"))[part::8]
    assert len(names) > 10
    for name in names:
        shutil.copy(name, tmp_path / "main.c")
        for nf in find_nfs(tmp_path):
            compare(nf, 2)


ASKS = """
#include "table.h"
static uint16_t seen[4];
static int tenth(double x) { return x * 10; }
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t packet_length, vigor_time_t now) {
  BODY
}
"""
WAYS = {
    "nothing": ("return 1;", True),
    "returned": ("return device;", True),
    "returned-with-more": ("return device ^ packet_length;", False),
    "branch": ("if (device) return 0; return 1;", False),
    "index": ("uint16_t where[3] = {1, 2, 0}; return where[device];", False),
    "state": ("seen[0] = device; return 0;", False),
    "state-at": ("return seen[device]++ & 1;", False),
    "packet": ("buffer[0] = device; return 0;", False),
    "floating": ("return tenth(device / 10.0) & 1;", False),
    "loop": ("int n = 0; for (int i = 0; i < device; i++) n++; return n;", False),
    "copied": ("struct { uint16_t d; } a = {device}, b = a; return b.d;", False),
    "switch": ("switch (device) { case 1: return 0; default: return 1; }", False),
    "shifted": ("return 1 << device & 1;", True),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_path_that_asks_for_the_device_is_one_device_s(way: str, tmp_path: Path) -> None:
    body, joint = WAYS[way]
    shutil.copy(SMALL / "table.h", tmp_path)
    (tmp_path / "main.c").write_text(ASKS.replace("BODY", body))
    (nf,) = find_nfs(tmp_path)
    paths = compare(nf, 3)
    assert any(p.like is not None for p in paths) == joint


def test_paths_of_several_devices_count_as_several(tmp_path: Path) -> None:
    shutil.copy(SMALL / "table.h", tmp_path)
    (tmp_path / "main.c").write_text(ASKS.replace("BODY", "return (device ^ packet_length) & 7;"))
    (nf,) = find_nfs(tmp_path)
    inputs = Inputs(16, nf.nf_args, limits=Limits(paths=20))
    execution = execute(load(nf), Catalogue.builtin(), inputs)
    assert [t.code for t in execution.troubles] == []
    (tmp_path / "main.c").write_text(
        ASKS.replace(
            "BODY",
            "if (packet_length > 99) return 1; if (packet_length > 88) return 2; return (device ^ packet_length) & 7;",
        )
    )
    (nf,) = find_nfs(tmp_path)
    execution = execute(load(nf), Catalogue.builtin(), inputs)
    assert [t.code for t in execution.troubles] == ["path-limit"]
