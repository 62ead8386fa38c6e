"""Cores are taken from NUMA nodes in turn, beginning with the devices' node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .program import HERE, RUNTIME, dpdk


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("lcores") / "driver"
    command = [
        "gcc",
        "-std=gnu11",
        "-march=native",
        "-w",
        f"-I{RUNTIME}",
        *dpdk("--cflags"),
        str(HERE / "lcores_driver.c"),
    ]
    done = subprocess.run([*command, "-o", str(program), *dpdk("--libs")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize(
    ("first", "nodes", "order"),
    [
        (0, [0, 0, 1, 1], [0, 2, 1, 3]),
        (1, [0, 0, 1, 1], [2, 0, 3, 1]),
        (0, [0, 1, 0, 1, 0, 0], [0, 1, 2, 3, 4, 5]),
        (2, [0, 1, 2, 1, 2, 0, 2], [2, 0, 1, 4, 5, 3, 6]),
        (0, [1, 1, 1], [0, 1, 2]),
    ],
)
def test_nodes_take_turns(driver: Path, first: int, nodes: list[int], order: list[int]) -> None:
    done = subprocess.run([str(driver), str(first), *map(str, nodes)], capture_output=True, text=True, check=True)
    assert list(map(int, done.stdout.split())) == order
