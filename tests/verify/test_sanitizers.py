"""Generated programs with their cores side by side, under sanitizers: nothing is touched that should not be, nothing undefined is done,
and no two cores race. MAESTRO_FULL=1: every strategy of every NF by each sanitizer; else for each case in SAMPLE one NF.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
from functools import cache
from pathlib import Path

import pytest

from maestro_lsp.check import Report
from maestro_lsp.synthesis.parallel import FORMS, STRATEGIES, Refused, libvig_folder, parallelize
from maestro_lsp.verify import build, full_tables
from maestro_lsp.verify.traffic import Generator, lags, well_formed
from tests.synthesis.targets import FIXTURES, FULL, report
from tests.vigor import GIVEN, NFS, VIGOR

FOLDERS = [FIXTURES / name for name in ("bridge", "fw", "lb", "nat", "policer")]
FOLDERS += [VIGOR / name for name in NFS] if GIVEN else []
WAYS = [(s, "") for s in STRATEGIES] + [("shared-nothing", form) for form in FORMS if form]
SANITIZERS = {
    "memory": ("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    # DPDK's assembly is opaque to it; the intrinsics are the same in C
    "races": ("-fsanitize=thread", "-DRTE_FORCE_INTRINSICS"),
}
SUPPRESSIONS = "race:rte_spinlock_unlock_tm\n"  # DPDK asks whether a lock is taken without synchronisation
PACKETS, CORES = 3000, 3
SAMPLE = [("memory", "shared-nothing", ""), ("memory", "locks", ""), ("memory", "shared-nothing", "rss-allocator"),
          ("races", "shared-nothing", "balanced"), ("races", "locks", ""), ("races", "tm", "")]  # fmt: skip
EVERY = [(name, s, form) for name in SANITIZERS for s, form in WAYS if (name, s) != ("races", "sequential")]


@cache
def flags() -> build.Tools:
    return build.tools()


def packets(r: Report, file: Path) -> None:
    """Every path's model and variations of them, well-formed, into a file."""
    found = bytearray()
    for a in Generator(r.paths, 7).arrivals(PACKETS):
        packet = well_formed(a.packet)
        found += struct.pack("=HH", a.device, len(packet)) + packet
    file.write_bytes(found)


def program(r: Report, strategy: str, form: str, sanitizer: str, folder: Path) -> Path:
    made = parallelize(r, strategy, form)
    source = folder / made.file_name
    source.write_text(made.text)
    assert r.context is not None
    units = sorted({u.path for u in r.context.program.units if u.path.endswith(".c")})
    libvig = libvig_folder(r.context.program, r.read) or str(build.RUNTIME / "libvig" / "verified")
    containers = [c for c in build.needed(units, Path(libvig)) if not c.endswith("/packet-io.c")]
    include = dict.fromkeys((r.nf.root, *r.nf.search, str(Path(libvig).parent.parent), str(build.RUNTIME)))
    how = ["-DALONE"] if strategy == "sequential" else ["-DSTEERED"] if strategy == "shared-nothing" else []
    command = ["gcc", "-std=gnu11", "-O1", "-g", "-w", "-march=native", "-D_GNU_SOURCE", *SANITIZERS[sanitizer], *how]
    command += [
        "-include",
        "compat/dpdk_names.h",
        f'-DREPLAY_PROGRAM="{source}"',
        *(f"-D{k}={v}" for k, v in r.nf.defines.items()),
    ]
    command += [
        *(f"-I{path}" for path in include),
        *flags().cflags,
        str(Path(__file__).with_name("side_by_side.c")),
        *containers,
    ]
    done = subprocess.run([*command, "-o", str(folder / "program"), *flags().libs], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "program"


def run(r: Report, binary: Path, file: Path, cores: int, arguments: tuple[str, ...]) -> None:
    (binary.parent / "suppressions").write_text(SUPPRESSIONS)
    env = os.environ | {
        "TSAN_OPTIONS": f"suppressions={binary.parent}/suppressions",
        "ASAN_OPTIONS": "detect_leaks=0",  # NFs never free their state
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    step = max([*lags(r.paths), 10_000_000]) * 4 // PACKETS  # entries expire, most after they were found again
    words = [str(binary), str(file), str(cores), str(step), *arguments]
    done = subprocess.run(words, cwd=r.nf.root, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-4000:]


@pytest.mark.parametrize(("sanitizer", "strategy", "form"), EVERY if FULL else SAMPLE)
def test_cores_side_by_side_are_clean(sanitizer: str, strategy: str, form: str, tmp_path: Path) -> None:
    able = []
    for folder in FOLDERS:
        try:
            parallelize(report(folder), strategy, form)
            able.append(folder)
        except Refused:
            continue
    assert able
    if not FULL:
        able = random.Random(f"{strategy} {form} {sanitizer}").sample(able, 1)
    for folder in able:
        (tmp_path / folder.name).mkdir()
        r = report(folder)
        assert r.context is not None
        arguments = tuple(r.context.inputs.arguments or ())
        file = tmp_path / folder.name / "packets"
        packets(r, file)
        binary = program(r, strategy, form, sanitizer, tmp_path / folder.name)
        named = any(
            t.packet_indices for t in r.analysis.conflicts.tables.values()
        )  # it may rely on having an entry for each
        for given in dict.fromkeys((arguments, arguments if named else full_tables(r, arguments))):
            run(r, binary, file, 1 if strategy == "sequential" else CORES, given)
