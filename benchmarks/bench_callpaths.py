"""Seconds and memory of reading, aligning and analysing call path files, as JSON on stdout; exit status 1 beyond a limit.

    python benchmarks/bench_callpaths.py [--vigor TREE] [FOLDER...]

Each FOLDER holds one NF's `.call_path` files; default: all real ones in ../shared/call-paths (MAESTRO_SHARED), where they exist. They are
aligned with the paths of the source of that name in TREE (MAESTRO_VIGOR), else with themselves. Without any, the paths of
fixtures are written and read. The seconds of the decision tree are told too, and have no limit. Every set runs in a process of
its own, so memory is its own. Seconds are of CPU, the median of three.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from maestro_lsp.callpaths.align import align
from maestro_lsp.callpaths.folder import read_directory
from maestro_lsp.callpaths.load import load
from maestro_lsp.check import check_source
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.render.paths import call_path_files
from maestro_lsp.rss.nic import profile
from maestro_lsp.settings import Settings
from maestro_lsp.sharding.analysis import Options, analyse
from maestro_lsp.symbex import expr
from maestro_lsp.synthesis.tree import decision_tree
from maestro_lsp.workspace import find_nfs

LARGE_SET = 100  # files
LIMITS = (1.0, 5.0)  # seconds, for sets like the firewall's and NAT's, and for large ones
MEDIUM_SET = 30  # files; between it and LARGE_SET there is no limit but the large one
MEMORY_LIMIT = 300  # MB
ROUNDS = 3
ROOT = Path(__file__).parents[1]


def measure(folder: str, source: str | None) -> dict[str, object]:
    """One set. Before alignment the source is executed, which is not counted."""
    laps: list[tuple[float, float, float, float]] = []
    for _ in range(ROUNDS):
        expr.forget()
        report = check_source(find_nfs(source)[0], Settings(call_paths="")) if source is not None else None
        start = time.process_time()
        texts, rejected = read_directory(folder)
        recorded = load(texts, Catalogue.builtin(), rejected)
        read = time.process_time()
        paths, objects = (
            (report.paths, report.execution.objects)
            if report is not None
            else (recorded.execution.paths, recorded.execution.objects)
        )
        devices = report.devices if report is not None else max(2, recorded.devices)
        alignment = align(recorded, paths, objects, devices)
        aligned = time.process_time()
        analysis = analyse(recorded.execution, devices, Options(profile("x710")))
        analysed = time.process_time()
        decision_tree(recorded.execution.paths)
        laps.append((read - start, aligned - read, analysed - aligned, time.process_time() - analysed))
    *seconds, tree = [round(statistics.median(lap), 3) for lap in zip(*laps, strict=True)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    limit = LIMITS[len(texts) > MEDIUM_SET]
    return {
        "set": Path(folder).name, "files": len(texts), "rejected": len(recorded.rejected), "verdict": analysis.verdict,
        "aligned_with": "source" if report is not None else "itself", "only_in_files": len(alignment.only_files),
        "only_in_source": len(alignment.only_source), "read_s": seconds[0], "align_s": seconds[1], "analyse_s": seconds[2],
        "total_s": round(sum(seconds), 3), "tree_s": tree, "memory_mb": memory,
        "within": sum(seconds) <= limit and memory <= MEMORY_LIMIT,
    }  # fmt: skip


def real_sets(into: str) -> list[str]:
    """The folders of real call paths, those in archives unpacked."""
    shared = Path(os.environ.get("MAESTRO_SHARED", ROOT.parent / "shared")) / "call-paths"
    for archive in sorted(shared.glob("*.tar.xz")):
        with tarfile.open(archive) as tar:
            tar.extractall(into, filter="data")
    return [str(p) for top in (shared, Path(into)) for p in sorted(top.glob("*")) if p.is_dir()]


def written_sets(into: str) -> dict[str, str]:
    """Folders of call paths written from fixtures, with their sources."""
    out = {}
    for name in ("fw", "nat", "lb", "heavy-hitters"):
        (nf,) = find_nfs(ROOT / "fixtures" / name)
        folder = Path(into, name)
        folder.mkdir()
        for n, text in enumerate(call_path_files(check_source(nf, Settings(call_paths="")))):
            (folder / f"test{n:06}.call_path").write_text(text)
        out[str(folder)] = nf.root
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", metavar="FOLDER")
    parser.add_argument("--vigor", default=os.environ.get("MAESTRO_VIGOR"), metavar="TREE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as into:
        sources: dict[str, str | None] = {}
        for folder in args.folders or real_sets(into):
            source = Path(args.vigor or "", Path(folder).name)
            sources[folder] = str(source) if args.vigor and source.is_dir() else None
        sources = sources or dict(written_sets(into))
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
            results = list(pool.map(measure, sources, sources.values()))
    print(json.dumps({"sets": results}, indent=1))
    return 0 if all(r["within"] for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
