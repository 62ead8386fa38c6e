"""Analysis in memory (a fresh executor, files parsed and compiled before) and `maestro-lsp check DIR` as a process; JSON on stdout.

All fixtures, and Vigor's NFs when MAESTRO_VIGOR names their tree. Medians and 95th percentiles of `repeats` runs, in milliseconds of
processor time, and mebibytes; caches that outlive an analysis are emptied before each run. `late` names NFs above the targets: 50 ms in
memory, 300 ms for the slowest run, 0.8 s and 150 MB as a process. `uncompiled_ms` is an analysis whose functions have to be compiled
first, as that of a file just opened; `then_keys_ms` is what the best keys take when they are asked for after the verdict.
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

from maestro_lsp.collector import restrained
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.rss import gf2, span
from maestro_lsp.rss.nic import profile
from maestro_lsp.sharding import matrix
from maestro_lsp.sharding.analysis import Options, analyse
from maestro_lsp.symbex.run import Inputs, execute
from maestro_lsp.workspace import NfSources, find_nfs, load

REPEATS = 20
COLD = 5  # more, with nothing compiled
FIXTURES = Path(__file__).parent.parent / "fixtures"
MEDIAN_MS, SLOWEST_MS, PROCESS_S, PROCESS_MIB = 50, 300, 0.8, 150
CACHES = (gf2.hankel_rank, span.span, span._span, span._facts_that_matter, matrix.equalities_of)


def in_memory(nf: NfSources) -> dict[str, float]:
    program = load(nf)
    devices = nf.devices or 2
    inputs = Inputs(devices, nf.nf_args)
    # helpers are parsed when they are first asked for, functions compiled when they first run; both stay with the files' texts
    execute(program, Catalogue.builtin(), inputs)
    laps: list[tuple[float, ...]] = []
    for n in range(REPEATS + COLD):
        for cache in CACHES:
            cache.cache_clear()
        for unit in program.parsed if n >= REPEATS else ():
            for function in unit.functions.values():
                function.kept.clear()
        with restrained():
            started = time.process_time()
            execution = execute(program, Catalogue.builtin(), inputs)
            executed = time.process_time()
            analysis = analyse(execution, devices, Options(profile("x710")))
            judged = time.process_time()
            assert analysis.configuration is None or analysis.configuration.keys
            solved = time.process_time()
        laps.append((1e3 * (judged - started), 1e3 * (executed - started), 1e3 * (solved - judged)))
    times, executions, keys = zip(*laps[:REPEATS], strict=True)
    return {
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "max_ms": round(max(times), 1),
        "execution_ms": round(statistics.median(executions), 1),
        "uncompiled_ms": round(statistics.median(lap[0] for lap in laps[REPEATS:]), 1),
        "then_keys_ms": round(statistics.median(keys), 1),
    }


def process(path: str) -> dict[str, float]:
    times, walls = [], []
    for _ in range(max(3, REPEATS // 4)):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "maestro_lsp", "check", path, "-q"], capture_output=True, check=False)
        walls.append(time.perf_counter() - started)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "median_s": round(statistics.median(times), 3),
        "wall_s": round(statistics.median(walls), 3),
        "peak_mib": round(peak, 1),
    }


def main() -> None:
    roots = [FIXTURES, *([Path(os.environ["MAESTRO_VIGOR"])] if os.environ.get("MAESTRO_VIGOR") else [])]
    nfs = [nf for root in roots for nf in find_nfs(root) if nf.name != "template"]
    vigor = [nf for nf in nfs if nf.name.startswith("vig")]
    # first, because a child's peak memory counts this process as it was when the child was made
    processes = {nf.name: process(nf.root) for nf in nfs if nf in vigor or nf.name in ("fw", "lb")}
    rows = {nf.name: in_memory(nf) for nf in nfs}
    medians = [row["median_ms"] for row in rows.values()]
    late = [n for n, r in rows.items() if r["median_ms"] > MEDIAN_MS or r["max_ms"] > SLOWEST_MS]
    late += [f"check {n}" for n, r in processes.items() if r["median_s"] > PROCESS_S or r["peak_mib"] > PROCESS_MIB]
    result = {
        "repeats": REPEATS,
        "median_of_medians_ms": round(statistics.median(medians), 1),
        "slowest_ms": max(medians),
        "late": late,
        "process": processes,
        "nfs": rows,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
