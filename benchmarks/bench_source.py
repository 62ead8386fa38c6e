"""How long reading NFs takes: `python benchmarks/bench_source.py [TREE]`, by default the fixtures.

For each NF, in milliseconds of processor time, medians: `find` (which files belong), `cold` (preprocess, parse and link all units with the
helpers that they need, nothing cached), `warm` (again, scans of files kept), `reload` (again, nothing changed) and
`edit` (a blank before the entry file's last line). `target`: cold at most 60.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maestro_lsp.source.program import Program
from maestro_lsp.source.scan import scan
from maestro_lsp.workspace import NfSources, find_nfs, load, reader

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TARGET_MS = 60.0
ROUNDS = 7


def milliseconds(action: Callable[[], Any], before: Callable[[], None] = lambda: None) -> float:
    """The median processor time of an action."""
    times = []
    for _ in range(ROUNDS):
        before()
        start = time.process_time()
        action()
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def loaded(nf: NfSources, old: Program | None = None, buffers: dict[str, str] | None = None) -> Program:
    """The program with the helpers that nearly every NF needs."""
    program = load(nf, reader(buffers), old)
    for name in ("nf_process", "nf_init", "nf_has_tcpudp_header", "nf_util_parse_int", "rte_ether_addr_eq"):
        program.function(name)
    return program


def main() -> int:
    tree = sys.argv[1] if len(sys.argv) > 1 else str(FIXTURES)
    found = find_nfs(tree)
    print(f"{'nf':24} {'units':>5} {'bytes':>8} {'find':>7} {'cold':>7} {'warm':>7} {'reload':>7} {'edit':>7}")
    worst = 0.0
    for nf in found:
        program = loaded(nf)
        text = Path(nf.entry_file).read_text()
        cut = text.rstrip().rfind("\n")
        edited = {nf.entry_file: text[:cut] + " " + text[cut:]}
        cold = milliseconds(lambda nf=nf: loaded(nf), scan.cache_clear)  # type: ignore[misc]
        row = [
            milliseconds(lambda nf=nf: find_nfs(nf.root)),  # type: ignore[misc]
            cold,
            milliseconds(lambda nf=nf: loaded(nf)),  # type: ignore[misc]
            milliseconds(lambda nf=nf, program=program: loaded(nf, program)),  # type: ignore[misc]
            milliseconds(lambda nf=nf, program=program, edited=edited: loaded(nf, program, edited)),  # type: ignore[misc]
        ]
        worst = max(worst, cold)
        size = sum(len(unit.source) for unit in program.units)
        print(f"{nf.name:24} {len(program.units):5} {size:8} " + " ".join(f"{value:7.1f}" for value in row))
    print(f"worst cold load {worst:.1f} ms, target {TARGET_MS:.0f} ms: {'met' if worst <= TARGET_MS else 'MISSED'}")
    return 0 if found and worst <= TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
