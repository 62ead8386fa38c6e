"""libVig compiles without a warning, and its packet I/O works on DPDK."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.native import bench


@pytest.mark.parametrize("defines", [[], ["-DCAPACITY_POW2"], ["-DNDEBUG"]], ids=lambda names: "".join(names) or "-")
def test_libvig_compiles_without_a_warning(tmp_path: Path, defines: list[str]) -> None:
    command = ["gcc", "-c", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", *defines, f"-I{bench.RUNTIME}"]
    sources = [str(path) for path in sorted(bench.LIBVIG.glob("*.c"))]
    done = subprocess.run([*command, *bench.dpdk_flags(), *sources], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Every header stands alone.
    for header in sorted(bench.LIBVIG.glob("*.h")):
        alone = tmp_path / "alone.c"
        alone.write_text(f'#include "libvig/verified/{header.name}"\n')
        done = subprocess.run([*command, *bench.dpdk_flags(), str(alone)], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{header.name}: {done.stderr}"


def test_packets_go_through_dpdk_and_no_buffer_is_lost(tmp_path: Path) -> None:
    libraries = subprocess.run(["pkg-config", "--libs", "libdpdk"], capture_output=True, text=True, check=True)
    sources = [bench.HERE / "packet_dpdk_check.c", *(bench.LIBVIG / name for name in ("packet-io.c", "packet-dpdk.c"))]
    program = tmp_path / "check"
    command = ["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{bench.RUNTIME}", *bench.dpdk_flags()]
    link = [*(str(path) for path in sources), "-o", str(program), *libraries.stdout.split()]
    done = subprocess.run([*command, *link], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    environment = ["--no-huge", "-m", "64", "--no-pci", "--no-telemetry", "--no-shconf", "-l", "0"]
    devices = [f"--vdev=net_null{device}" for device in range(3)]
    ran = subprocess.run([str(program), *environment, *devices], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    # 5000 rounds in turns of nine: three packets are sent to device 1, three flooded, three freed.
    rounds = [(at % 3, at // 3 % 3) for at in range(5000)]
    for device in range(3):
        received = sum(origin == device for origin, _ in rounds)
        sent = sum(kind == 0 for _, kind in rounds) if device == 1 else 0
        flooded = sum(kind == 1 and origin != device for origin, kind in rounds)
        assert f"{received} {sent + flooded}" == ran.stdout.splitlines()[-3:][device]
