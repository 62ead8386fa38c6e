"""Indirection tables that spread a measured load, after RSS++ (Barbette et al., CoNEXT 2019).

Takes packets (or time) per table entry, a *bucket*, and a number of queues; gives tables. A bucket is the
smallest thing that can move, so no table does better than max(heaviest bucket, total / queues). Devices that
a requirement ties share one table: sum their loads first.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ZIPF_EXPONENT = 1.26
ZIPF_FLOWS = 1000
"""Of a university network, see `traffic`."""

Table = tuple[int, ...]
"""Queue of each entry."""


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """A table after balancing and the entries that changed their queue."""

    table: Table
    moved: tuple[int, ...]


def round_robin(entries: int, queues: int) -> Table:
    """The table that drivers install: entry i to queue i mod queues."""
    return tuple(entry % queues for entry in range(entries))


def repeated(table: Table, entries: int) -> Table:
    """The same contents on a larger table: tied devices send a packet to one queue whatever their table sizes."""
    return table * (entries // len(table))


def queue_loads(loads: NDArray[np.int64], table: Sequence[int], queues: int) -> NDArray[np.int64]:
    """Load of each queue."""
    import numpy as np

    found = np.zeros(queues, np.int64)
    np.add.at(found, np.asarray(table), loads)
    return found


def lower_bound(loads: Sequence[int] | NDArray[np.int64], queues: int) -> int:
    """No table gives the busiest queue less: the heaviest bucket, or an equal share rounded up."""
    return max(int(max(loads)), -(-int(sum(loads)) // queues))


def common_loads(loads: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Loads of tied devices on their one table: its period is the smallest size, the larger tables repeat
    it.
    """
    import numpy as np

    period = min(len(own) for own in loads)
    total = np.zeros(period, np.int64)
    for own in loads:
        total += own.reshape(-1, period).sum(axis=0)
    return total


def balanced(loads: Sequence[int] | NDArray[np.int64], queues: int) -> Table:
    """A table made for these loads from nothing: elephants first, each to the least loaded queue, then
    refined.

    Buckets without load are dealt out so that every queue gets about the same number of them. Entry 0 goes to queue 0,
    because that is where some NICs send what they do not hash, whatever the table says: packets that must meet such
    ones have index 0.
    """
    weights = [int(load) for load in loads]
    table = [0] * len(weights)
    heap = [(0, 0, queue) for queue in range(queues)]  # load, buckets, queue
    for entry in sorted(range(len(weights)), key=lambda at: (-weights[at], at)):
        load, buckets, queue = heapq.heappop(heap)
        table[entry] = queue
        heapq.heappush(heap, (load + weights[entry], buckets + 1, queue))
    table = list(rebalanced(table, weights, queues, tolerance=0.0).table)
    swapped = {table[0]: 0, 0: table[0]}
    return tuple(swapped.get(queue, queue) for queue in table)


def rebalanced(
    table: Sequence[int],
    loads: Sequence[int] | NDArray[np.int64],
    queues: int,
    tolerance: float = 0.05,
    frozen: Container[int] = (),
) -> Rebalanced:
    """The table changed as little as it takes for each queue to stay within `tolerance` of the mean load.

    Repeatedly takes the busiest queue and moves its heaviest bucket that the least loaded queue can take
    without becoming as busy; an elephant that no queue can take stays. Queues that have reached the tolerance
    keep what they have. Entries in `frozen` do not move (a bucket moves only when no live flow of it has
    state on its core; and entry 0 where packets that must meet are not hashed, see `balanced`).
    """
    weights = [int(load) for load in loads]
    queue_of = list(table)
    load = [0] * queues
    buckets: list[list[int]] = [[] for _ in range(queues)]
    for entry, queue in enumerate(queue_of):
        load[queue] += weights[entry]
        if weights[entry] and entry not in frozen:
            buckets[queue].append(entry)
    for own in buckets:
        own.sort(key=lambda at: (-weights[at], at))
    goal = (1 + tolerance) * sum(weights) / queues
    stuck: set[int] = set()
    while len(stuck) < queues:
        busiest = max((q for q in range(queues) if q not in stuck), key=lambda q: (load[q], -q))
        idlest = min(range(queues), key=lambda q: (load[q], q))
        if load[busiest] <= goal:
            break
        fits = (e for e in buckets[busiest] if load[idlest] + weights[e] < load[busiest])
        found = next(fits, None)
        if found is None:
            stuck.add(busiest)
            continue
        buckets[busiest].remove(found)
        buckets[idlest].append(found)
        buckets[idlest].sort(key=lambda at: (-weights[at], at))
        load[busiest] -= weights[found]
        load[idlest] += weights[found]
        queue_of[found] = idlest
        stuck.clear()
    moved = tuple(entry for entry, queue in enumerate(queue_of) if queue != table[entry])
    return Rebalanced(tuple(queue_of), moved)


@dataclass(frozen=True, slots=True)
class Skew:
    """How evenly a load lies on queues."""

    queues: int
    busiest: int  # packets
    mean: float
    deviation: float  # standard deviation over queues, the thesis's measure
    bound: int  # the least that any table gives the busiest queue

    @property
    def speedup(self) -> float:
        """Throughput over that of one core if the busiest core is the limit: total / busiest."""
        return self.mean * self.queues / self.busiest if self.busiest else float(self.queues)


def skew(loads: NDArray[np.int64], table: Sequence[int], queues: int) -> Skew:
    """Skew of the queues under a table."""
    own = queue_loads(loads, table, queues)
    return Skew(queues, int(own.max()), float(own.mean()), float(own.std()), lower_bound(loads, queues))


@dataclass(frozen=True, slots=True)
class Recommendation:
    """How many cores are worth using, and the throughput then, over that of one core."""

    cores: int
    speedup: float


def recommended(loads: Sequence[int] | NDArray[np.int64], most: int, gain: float = 0.5) -> Recommendation:
    """The largest number of cores up to `most` at which another one still adds `gain` of a core's throughput, with the
    table balanced.

    The prediction knows the skew of the traffic only: the busiest core is the limit. The memory controller, the PCIe bus
    and the NIC's rate, which held the thesis's NFs below a speed-up of 5 (figures 4.11 and 4.12), come on top.
    """
    weights = [int(load) for load in loads]
    total, best = sum(weights), Recommendation(1, 1.0)
    highest = total / max(weights) if total else float(most)  # the heaviest bucket stays in one piece
    for cores in range(2, most + 1):
        if highest < best.speedup + gain * (cores - best.cores):
            break
        own = [0] * cores
        for weight, queue in zip(weights, balanced(weights, cores), strict=True):
            own[queue] += weight
        speedup = total / max(own) if total else float(cores)
        if speedup >= best.speedup + gain * (cores - best.cores):
            best = Recommendation(cores, speedup)
    return best


@lru_cache(maxsize=64)
def expected(queue_bits: int, flows: int = 0, exponent: float = 0.0, most: int = 16) -> Recommendation:
    """As `recommended`, for traffic that is not there yet: 2^queue_bits table entries can be reached.

    `flows` = 0: so many equal flows that every entry gets the same. Else flows whose r-th has a share proportional to
    1 / r**exponent, at random entries, the same every time.
    """
    entries = 1 << queue_bits
    if not flows:
        cores = min(entries, most)
        return Recommendation(cores, entries / -(-entries // cores))
    draw = random.Random(1)
    loads = [0.0] * entries
    for rank in range(1, flows + 1):
        loads[draw.randrange(entries)] += rank**-exponent
    return recommended([round(1e6 * load) for load in loads], most)
