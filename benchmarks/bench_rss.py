"""Times of the RSS engine against the limits of its issue, as JSON on stdout; exit status 1 if one is exceeded.

Run as `python benchmarks/bench_rss.py`. Medians of several runs; caches of the solver are cleared before each.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from maestro_lsp import rss
from maestro_lsp.rss import span
from maestro_lsp.rss.configure import configure
from maestro_lsp.rss.nic import profile

FOUR_TUPLE = ("ipv4.src", "ipv4.dst", "l4.src", "l4.dst")
CLASSES = ("ipv4-tcp", "ipv4-udp")
SAME = rss.all_equal(*([field, field] for field in FOUR_TUPLE))
REVERSE = rss.all_equal(["ipv4.src", "ipv4.dst"], ["ipv4.dst", "ipv4.src"], ["l4.src", "l4.dst"], ["l4.dst", "l4.src"])


def firewall(ports: int) -> tuple[list[rss.Device], list[rss.Requirement]]:
    """Devices with 52-byte keys and the firewall's rows between all pairs of them."""
    inputs = tuple(rss.HashInput.of(name, *FOUR_TUPLE) for name in CLASSES)
    devices = [rss.Device(number, inputs) for number in range(ports)]
    rows = [rss.Requirement(number, number, SAME) for number in range(ports)]
    rows += [rss.Requirement(i, j, REVERSE) for i in range(ports) for j in range(i + 1, ports) if (i + j) % 2]
    return devices, rows


def nat() -> tuple[list[rss.Device], list[rss.Requirement]]:
    """The thesis's row of the NAT (figure 4.5)."""
    row = rss.all_equal(["ipv4.dst", "ipv4.src"], ["l4.dst", "l4.src"])
    return firewall(2)[0], [rss.Requirement(0, 1, row)]


def policer() -> tuple[list[rss.Device], list[rss.Requirement]]:
    """The thesis's row of the policer."""
    return firewall(2)[0], [rss.Requirement(1, 1, rss.all_equal(["ipv4.dst", "ipv4.dst"]))]


def milliseconds(work: Callable[[], object], runs: int) -> float:
    """Median processor time of `work` with the solver's caches cleared."""
    times = []
    for _ in range(runs):
        span._span.cache_clear()
        span.span.cache_clear()
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return median(times)


def import_ms() -> float:
    """Processor time to import the package in a new interpreter, median of five."""
    code = "import time; t = time.process_time(); import maestro_lsp.rss; print(1000 * (time.process_time() - t))"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(5)]
    return median(float(run.stdout) for run in runs)


def main() -> int:
    """Measure everything and report."""
    results = []

    def report(name: str, value: float, limit: float) -> None:
        results.append({"name": name, "ms": round(value, 2), "limit_ms": limit, "ok": value <= limit})

    two, sixteen = firewall(2), firewall(16)
    report("import maestro_lsp.rss", import_ms(), 60)
    report("solve, firewall, 2 ports", milliseconds(lambda: rss.solve(*two), 101), 1)
    report("solve, NAT", milliseconds(lambda: rss.solve(*nat()), 101), 1)
    report("solve, policer", milliseconds(lambda: rss.solve(*policer()), 101), 1)
    report("solve, firewall, 16 ports", milliseconds(lambda: rss.solve(*sixteen), 11), 100)
    nic = profile("x710")
    report(
        "configure and best keys, firewall, 2 ports",
        milliseconds(lambda: configure(nic, [0, 1], two[1], classes=CLASSES).keys, 21),
        20,
    )
    from maestro_lsp.rss.proof import prove  # z3 is imported here, outside the measurement

    space = rss.solve(*two)
    keys = space.random(1)
    report("prove, firewall, 2 ports", milliseconds(lambda: prove(space, keys), 7), 200)

    import numpy as np

    from maestro_lsp.rss.toeplitz import toeplitz_many

    tuples = np.random.default_rng(1).integers(0, 256, (1_000_000, 12), np.uint8)
    report("hash 1,000,000 IPv4 tuples", milliseconds(lambda: toeplitz_many(keys[0], tuples), 5), 200)
    print(json.dumps({"schema": 1, "benchmark": "rss", "results": results}, indent=2))
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
