"""Analysis in memory (a fresh executor, files parsed before) and `maestro-lsp check DIR` as a process; JSON on stdout.

All fixtures, and Vigor's NFs when MAESTRO_VIGOR names their tree. Medians; milliseconds of processor time, mebibytes.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.rss.nic import profile
from maestro_lsp.sharding.analysis import Options, analyse
from maestro_lsp.symbex.run import Inputs, execute
from maestro_lsp.workspace import find_nfs, load

REPEATS = 5
FIXTURES = Path(__file__).parent.parent / "fixtures"


def in_memory(path: Path) -> dict[str, dict[str, float]]:
    out = {}
    for nf in find_nfs(path):
        if nf.name == "template":
            continue
        program = load(nf)
        devices = nf.devices or 2
        inputs = Inputs(devices, nf.nf_args)
        times = []
        for _ in range(REPEATS):
            started = time.process_time()
            analyse(execute(program, Catalogue.builtin(), inputs), devices, Options(profile("x710")))
            times.append(1e3 * (time.process_time() - started))
        out[nf.name] = {"median_ms": round(statistics.median(times), 1), "max_ms": round(max(times), 1)}
    return out


def process(path: Path) -> dict[str, float]:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "maestro_lsp", "check", str(path), "-q"], capture_output=True, check=False)
        times.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"median_s": round(statistics.median(times), 3), "peak_mib": round(peak, 1)}


def main() -> None:
    roots = [FIXTURES, *([Path(os.environ["MAESTRO_VIGOR"])] if os.environ.get("MAESTRO_VIGOR") else [])]
    nfs = {name: row for root in roots for name, row in in_memory(root).items()}
    medians = [row["median_ms"] for row in nfs.values()]
    result = {
        "median_of_medians_ms": round(statistics.median(medians), 1),
        "slowest_ms": max(medians),
        "process_fw": process(FIXTURES / "fw"),
        "process_lb": process(FIXTURES / "lb"),
        "nfs": nfs,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
