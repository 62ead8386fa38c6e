"""Latency of the language server over its real stdio, as JSON.

    .venv/bin/python benchmarks/bench_server.py [--edits N] [--memory-edits N] [FOLDER ...]

FOLDERs are NFs; by default all fixtures, and Vigor's where MAESTRO_VIGOR (default /tmp/vigor) has them. For each NF: milliseconds
from a keystroke to the diagnostics of the new text, how long the analysis itself took within them, and how long all processes
computed for a keystroke and four requests (which other load does not change); for all of them together the
answer times of requests that are sent while analysis, keys and proof run. Then keystrokes while many call path files are
read; the time from starting the process to first diagnostics, without and with results of an earlier session; and the memory
of all processes during many edits.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from maestro_lsp.check import check
from maestro_lsp.render.paths import call_path_files
from maestro_lsp.settings import Settings
from maestro_lsp.workspace import find_nfs
from tests.server.raw import Client

FIXTURES = Path(__file__).parents[1] / "fixtures"
LIBVIG = Path(__file__).parents[1] / "maestro_lsp" / "runtime" / "libvig"
REQUESTS = ("textDocument/hover", "textDocument/codeLens", "textDocument/inlayHint", "textDocument/documentSymbol",
            "textDocument/definition", "textDocument/codeAction", "maestro/analysis", "maestro/panel", "maestro/paths",
            "textDocument/diagnostic")  # fmt: skip


def linked_folders(folder: str, names: list[str]) -> list[str]:
    """Links to folders, which may lead back up."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if path.is_symlink() and path.is_dir()]


def copied(nf: Path, into: Path) -> Path:
    """The NF in a tree of its own: what lies beside it comes along."""
    shutil.copytree(nf, into / nf.name, ignore=linked_folders)  # of links to files, what they lead to
    for shared in nf.parent.iterdir():
        if shared.is_file() and shared.suffix in (".c", ".h", "") and shared.stat().st_size < 1 << 20:
            shutil.copy(shared, into)
    libvig = nf.parent / "libvig"
    if not (into / "libvig").exists():
        shutil.copytree(libvig if libvig.is_dir() else LIBVIG, into / "libvig", symlinks=True)
    return into / nf.name


def busiest(folder: Path) -> Path:
    """The source with the most library calls."""
    return max(sorted(folder.glob("*.c")), key=lambda p: p.read_text("utf-8", "replace").count("map_"))


def type_on_first_line(client: Client, uri: str, n: int) -> float:
    """The n-th keystroke in a comment on a line of its own; gives when."""
    old = 0 if n == 0 else len(f"// {n - 1}")
    where = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": old}}
    return client.change(uri, n + 2, [{"range": where, "text": f"// {n}" + ("\n" if n == 0 else "")}])


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def asked(client: Client, uri: str, methods: Sequence[str], line: int) -> Iterator[tuple[str, float]]:
    """Send requests about a line, one after the other; gives the milliseconds until each answer."""
    for method in methods:
        params = {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": 4},
            "range": {"start": {"line": 0, "character": 0}, "end": {"line": 10_000, "character": 0}},
            "context": {"diagnostics": []},
        }
        sent = time.perf_counter()
        at, _ = client.answer(client.request(method, params))
        yield method, 1e3 * (at - sent)


def measure_edits(nf: Path, edits: int, answers: dict[str, list[float]]) -> dict[str, Any]:
    """Keystrokes in the NF's busiest source, each waited for; requests are sent while it is analysed."""
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        folder = copied(nf, Path(place))
        client = Client(folder)
        path = busiest(folder)
        uri = client.open(path)
        client.fresh(uri)
        lines = path.read_text().splitlines()
        latencies, analyses = [], []
        before = processor_time(client.process.pid)
        for n in range(edits):
            sent = type_on_first_line(client, uri, n)
            latencies.append(1e3 * (client.diagnosed(uri, n + 2) - sent))
            analyses.append(sum(client.fresh(uri)["timings_ms"].values()))
            for method, took in asked(client, uri, draw.sample(REQUESTS, 4), draw.randrange(len(lines))):
                answers.setdefault(method, []).append(took)
        computed = (processor_time(client.process.pid) - before) / edits
        client.stop()
    return {
        "keystroke_ms": {"p50": percentile(latencies, 0.5), "p95": percentile(latencies, 0.95)},
        "analysis_ms": {"p50": round(statistics.median(analyses), 1)},
        "processor_ms_per_keystroke": round(computed, 1),
        "over_analysis_p95_ms": percentile([a - b for a, b in zip(latencies, analyses, strict=True)], 0.95),
    }


def measure_load(nf: Path, edits: int) -> dict[str, Any]:
    """Answer times while somebody types without waiting: analyses begin and are dropped, keys are solved, proofs run."""
    draw = random.Random(1)
    times: list[float] = []
    by_method: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = copied(nf, Path(place))
        client = Client(folder)
        path = busiest(folder)
        uri = client.open(path)
        client.fresh(uri)
        lines = path.read_text().splitlines()
        for n in range(edits):
            type_on_first_line(client, uri, n)
            for method, took in asked(client, uri, draw.sample(REQUESTS, 3), draw.randrange(len(lines))):
                times.append(took)
                by_method.setdefault(method, []).append(took)
            time.sleep(draw.choice((0.0, 0.05, 0.2, 0.5)))
        client.stop()
    slowest = max(by_method, key=lambda m: percentile(by_method[m], 0.99))
    return {"requests": len(times), "p50": percentile(times, 0.5), "p99": percentile(times, 0.99), "slowest": slowest}


def measure_reading(nf: Path, edits: int) -> dict[str, Any]:
    """Keystrokes while the NF's call path files are read in the background, and the same without files."""
    found: dict[str, Any] = {}
    files = call_path_files(check(find_nfs(nf)[0], Settings()))
    for kind in ("without_files", "with_files"):
        draw = random.Random(2)
        with tempfile.TemporaryDirectory() as place:
            folder = copied(nf, Path(place))
            if kind == "with_files":
                (folder / "klee-last").mkdir()
                for number, text in enumerate(files, 1):
                    (folder / "klee-last" / f"test{number:06}.call_path").write_text(text)
            client = Client(folder)
            path = busiest(folder)
            uri = client.open(path)
            client.fresh(uri)
            lines = len(path.read_text().splitlines())
            keystrokes, requests = [], []
            for n in range(edits):
                sent = type_on_first_line(client, uri, n)
                keystrokes.append(1e3 * (client.diagnosed(uri, n + 2) - sent))
                asking = draw.sample([r for r in REQUESTS if r != "maestro/paths"], 3)  # that one waits for the files
                requests += [took for _, took in asked(client, uri, asking, draw.randrange(lines))]
                time.sleep(draw.choice((0.0, 0.1, 0.3)))
            client.stop()
        found[kind] = {
            "keystroke_ms": {"p50": percentile(keystrokes, 0.5), "p95": percentile(keystrokes, 0.95)},
            "request_p99_ms": percentile(requests, 0.99),
        }
    return {"nf": nf.name, "files": len(files), **found}


def measure_start(nf: Path, rounds: int) -> dict[str, float]:
    """Seconds from starting the process to the first diagnostics."""
    found: dict[str, list[float]] = {"first_session_s": [], "later_session_s": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as cache:
            folder = copied(nf, Path(place))
            for kind in found:
                client = Client(folder, cache)
                uri = client.open(busiest(folder))
                at, _ = client.until(
                    lambda m, uri=uri: (
                        m.get("method") == "textDocument/publishDiagnostics"
                        and m["params"]["uri"] == uri
                        and m["params"]["diagnostics"]
                    )
                )
                found[kind].append(at - client.started)
                client.stop()
    return {kind: round(statistics.median(values), 2) for kind, values in found.items()}


def processor_time(pid: int) -> float:
    """Milliseconds that a process, the worker below it and all that has ended there have computed."""
    total = 0.0
    pending = [pid]
    while pending:
        one = pending.pop()
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            pending += [int(c) for c in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
        except OSError:
            continue
        total += sum(int(t) for t in fields[11:15]) * 1e3 / os.sysconf("SC_CLK_TCK")
    return total


def memory(pid: int) -> float:
    """MiB of a process and those below it, pages that they share counted once."""
    total = 0.0
    pending = [pid]
    while pending:
        one = pending.pop()
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            pending += [int(c) for c in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
    return total


def measure_memory(nf: Path, edits: int) -> dict[str, Any]:
    """MiB after a share of many edits, each analysed."""
    with tempfile.TemporaryDirectory() as place:
        folder = copied(nf, Path(place))
        client = Client(folder)
        uri = client.open(busiest(folder))
        client.fresh(uri)
        marks = {}
        for n in range(edits):
            type_on_first_line(client, uri, n)
            client.diagnosed(uri, n + 2)
            if (n + 1) % max(1, edits // 5) == 0:
                time.sleep(3)  # so that idle work is done
                marks[n + 1] = round(memory(client.process.pid), 1)
        client.stop()
    return {"edits": edits, "mib_after": marks}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=20, help="of each NF")
    parser.add_argument("--memory-edits", type=int, default=1000)
    parser.add_argument("folders", nargs="*", type=Path)
    args = parser.parse_args()
    vigor = Path(os.environ.get("MAESTRO_VIGOR", "/tmp/vigor"))
    folders = args.folders or [
        *sorted(p.parent for p in FIXTURES.glob("*/Makefile")),
        *sorted(p for p in vigor.glob("vig*") if (p / "Makefile").is_file()),
    ]
    firewall = FIXTURES / "fw"
    answers: dict[str, list[float]] = {}
    nfs = {}
    for folder in folders:
        nfs[folder.name] = measure_edits(folder.resolve(), args.edits, answers)
        print(folder.name, nfs[folder.name], file=sys.stderr)
    times = [t for values in answers.values() for t in values]
    result = {
        "nfs": nfs,
        "request_ms": {"requests": len(times), "p50": percentile(times, 0.5), "p99": percentile(times, 0.99)},
        "request_under_load_ms": measure_load(firewall, 10 * args.edits),
        "while_call_paths_are_read": measure_reading(FIXTURES / "heavy-hitters", 3 * args.edits),
        "start": measure_start(firewall, 5),
        "memory": measure_memory(firewall, args.memory_edits),
        "load_average": os.getloadavg()[0],
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
