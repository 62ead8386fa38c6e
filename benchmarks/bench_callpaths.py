"""Times and memory of reading and analysing call path files, as JSON on stdout; exit status 1 if a limit is exceeded.

Run as `python benchmarks/bench_callpaths.py FOLDER...`, each holding one NF's `.call_path` files. Limits: 5 s for 100 files and more,
1 s for fewer, 300 MB in all.
"""

import json
import resource
import sys
import time

from maestro_lsp.callpaths.folder import read_directory
from maestro_lsp.callpaths.load import load
from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.rss.nic import profile
from maestro_lsp.sharding.analysis import Options, analyse
from maestro_lsp.symbex import expr

LARGE_SET = 100  # files
LIMITS = (1.0, 5.0)  # seconds, for small and large sets
MEMORY_LIMIT = 300  # MB


def measure(folder: str) -> dict[str, object]:
    """Seconds to read and to analyse the files of a folder."""
    expr.forget()
    start = time.perf_counter()
    texts, rejected = read_directory(folder)
    recorded = load(texts, Catalogue.builtin(), rejected)
    read = time.perf_counter()
    analysis = analyse(recorded.execution, recorded.devices, Options(profile("x710")))
    end = time.perf_counter()
    limit = LIMITS[len(texts) >= LARGE_SET]
    return {
        "folder": folder, "files": len(texts), "rejected": len(recorded.rejected), "verdict": analysis.verdict,
        "read_s": round(read - start, 3), "analyse_s": round(end - read, 3), "within": end - start <= limit,
    }  # fmt: skip


def main() -> int:
    if len(sys.argv) < 2:
        print("usage: bench_callpaths.py FOLDER...", file=sys.stderr)
        return 2
    results = [measure(folder) for folder in sys.argv[1:]]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"sets": results, "memory_mb": memory}, indent=1))
    return 0 if memory <= MEMORY_LIMIT and all(r["within"] for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
