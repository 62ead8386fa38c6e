"""libVig against plain models in Python, on random sequences of operations.

The driver (libvig_driver.c) is compiled with AddressSanitizer and UndefinedBehaviorSanitizer and without
CAPACITY_POW2 and with it; a sanitizer's report ends the driver and fails the test that caused it.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import bench

DRIVER = bench.HERE / "libvig_driver.c"
# What needs no DPDK headers.
SOURCES = sorted(
    path for path in bench.LIBVIG.glob("*.c") if path.name not in ("ether.c", "packet-io.c", "packet-dpdk.c")
)

Command = tuple[Any, ...]


class Driver:
    """A running libvig_driver."""

    def __init__(self, program: Path, pow2: bool) -> None:
        self.pow2 = pow2  # compiled with CAPACITY_POW2
        environment = {"ASAN_OPTIONS": "detect_leaks=0"}  # NFs never free their state
        self.process = subprocess.Popen(
            [str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Runs commands and gives a result for each: a number, a tuple of numbers, or None for "ok"."""
        assert self.process.stdin and self.process.stdout and self.process.stderr
        text = "".join(" ".join(map(str, command)) + "\n" for command in commands)
        self.process.stdin.write(text + "end\n")
        self.process.stdin.flush()
        results: list[Any] = []
        while (line := self.process.stdout.readline()) != "end\n":
            if not line:
                pytest.fail(self.process.stderr.read())
            words = line.split()
            numbers = tuple(int(word) for word in words if word != "ok")
            results.append(numbers[0] if len(numbers) == 1 else numbers or None)
        return results


@pytest.fixture(scope="module", params=["any capacity", "CAPACITY_POW2"])
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    program = tmp_path_factory.mktemp("libvig") / "driver"
    warnings = ["-Wall", "-Wextra", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    defines = ["-DCAPACITY_POW2"] if request.param == "CAPACITY_POW2" else []
    sources = [str(path) for path in (DRIVER, *SOURCES)]
    command = ["gcc", "-std=gnu11", "-O1", "-g", *warnings, *sanitizers, *defines, f"-I{bench.RUNTIME}"]
    done = subprocess.run([*command, "-o", str(program), *sources], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    running = Driver(program, pow2=bool(defines))
    yield running
    assert running.process.stdin
    running.process.stdin.close()
    assert running.process.wait() == 0


# ---- Models


class ChainModel:
    """Indices as a stack of free ones and a list of allocated ones, oldest first."""

    def __init__(self, size: int) -> None:
        self.free = list(range(size))
        self.used: list[tuple[int, int]] = []  # index, time

    def allocate(self, time: int) -> Any:
        if not self.free:
            return 0
        index = self.free.pop(0)
        self.used.append((index, time))
        return 1, index

    def allocated(self, index: int) -> int:
        return int(any(index == used for used, _ in self.used))

    def release(self, index: int) -> int:
        if not self.allocated(index):
            return 0
        self.used = [(used, time) for used, time in self.used if used != index]
        self.free.insert(0, index)
        return 1

    def rejuvenate(self, index: int, time: int) -> int:
        if not self.allocated(index):
            return 0
        self.used = [(used, at) for used, at in self.used if used != index] + [(index, time)]
        return 1

    def expire(self, time: int) -> Any:
        if not self.used or self.used[0][1] >= time:
            return 0
        index = self.used[0][0]
        self.release(index)
        return 1, index


# Machines that run tests are shared; how long an example takes says nothing.
relaxed = settings(deadline=None)

KEY = st.integers(0, 14)  # few, so that most operations meet a key that is there
TIME = st.integers(0, 50)


# ---- Tests


@relaxed
@given(
    hash_kind=st.integers(0, 3),
    bits=st.integers(0, 5),
    operations=st.lists(st.tuples(st.sampled_from("ggpppees"), KEY, st.integers(0, 1)), max_size=120),
)
def test_a_map_is_a_dictionary_that_keeps_key_pointers(
    driver: Driver, hash_kind: int, bits: int, operations: list[tuple[str, int, int]]
) -> None:
    capacity = 2**bits
    model: dict[int, tuple[int, int]] = {}  # key -> (copy, value)
    commands: list[Command] = [("map.new", hash_kind, capacity)]
    expected: list[Any] = [1]
    for value, (operation, key, copy) in enumerate(operations):
        if operation == "g":
            commands.append(("map.get", key))
            expected.append((1, model[key][1]) if key in model else 0)
        elif operation == "p" and (len(model) < capacity or key in model):
            commands.append(("map.put", copy, key, value))
            expected.append(None)
            model[key] = (copy, value)
        elif operation == "e":
            commands.append(("map.erase", key))
            expected.append(model.pop(key)[0] if key in model else -1)
        else:
            commands.append(("map.size",))
            expected.append(len(model))
    commands += [("map.get", key) for key in range(15)]
    expected += [(1, model[key][1]) if key in model else 0 for key in range(15)]
    assert driver.run(commands) == expected


def test_a_map_holds_as_many_keys_as_its_capacity(driver: Driver) -> None:
    for hash_kind in (0, 3):
        puts = [("map.put", 0, key, key) for key in range(512)]
        gets = [("map.get", key) for key in range(513)]
        results = driver.run([("map.new", hash_kind, 512), *puts, *gets])
        assert results[513:] == [(1, key) for key in range(512)] + [0]


@pytest.mark.parametrize("hash_kind", [0, 1, 2, 3])
def test_a_map_under_churn_finds_all_of_its_keys(driver: Driver, hash_kind: int) -> None:
    # Full tables have long runs of slots, where erasing has the most to put right.
    draw = random.Random(hash_kind)
    capacity = 64 if driver.pow2 else 48  # of 128 or of 64 slots
    model: dict[int, int] = {}
    commands: list[Command] = [("map.new", hash_kind, capacity)]
    expected: list[Any] = [1]
    for value in range(200):
        while len(model) < capacity:
            key = draw.randrange(1000)
            if key not in model:
                model[key] = value
                commands.append(("map.put", 0, key, value))
                expected.append(None)
        for key in draw.sample(sorted(model), draw.randrange(1, 8)):
            del model[key]
            commands.append(("map.erase", key))
            expected.append(0)
        commands += [("map.get", key) for key in model]
        expected += [(1, found) for found in model.values()]
    for at in range(0, len(commands), 1000):
        assert driver.run(commands[at : at + 1000]) == expected[at : at + 1000]


def test_capacities_other_than_powers_of_two_are_refused_only_with_capacity_pow2(driver: Driver) -> None:
    commands = [("map.new", 3, 48), ("tb.new", 48, 10, 10), ("dmap.new", 48), ("map.new", 3, 64)]
    assert driver.run(commands) == [int(not driver.pow2)] * 3 + [1]


@relaxed
@given(
    size=st.integers(1, 12),
    operations=st.lists(st.tuples(st.sampled_from("aaarrifee"), st.integers(-2, 14), TIME), max_size=150),
)
def test_a_chain_gives_out_and_expires_indices_in_the_documented_order(
    driver: Driver, size: int, operations: list[tuple[str, int, int]]
) -> None:
    model = ChainModel(size)
    commands: list[Command] = [("chain.new", size)]
    expected: list[Any] = [1]
    for operation, index, time in operations:
        if operation == "a":
            commands.append(("chain.allocate", time))
            expected.append(model.allocate(time))
        elif operation == "r":
            commands.append(("chain.rejuvenate", index, time))
            expected.append(model.rejuvenate(index, time))
        elif operation == "i":
            commands.append(("chain.allocated", index))
            expected.append(model.allocated(index))
        elif operation == "f":
            commands.append(("chain.free", index))
            expected.append(model.release(index))
        else:
            commands.append(("chain.expire", time))
            expected.append(model.expire(time))
    assert driver.run(commands) == expected


@relaxed
@given(writes=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 255)), max_size=40), init=st.booleans())
def test_a_vector_keeps_what_is_written_through_borrowed_pointers(
    driver: Driver, writes: list[tuple[int, int]], init: bool
) -> None:
    model = [0x5A if init else 0] * 10
    commands: list[Command] = [("vector.new", 10, int(init))]
    for index, value in writes:
        commands.append(("vector.write", index, value))
        model[index] = value
    commands += [("vector.read", index) for index in range(10)]
    assert driver.run(commands)[-10:] == [(value, value) for value in model]


@relaxed
@given(
    bits=st.integers(0, 4),
    steps=st.lists(st.tuples(st.sampled_from("ttttgex"), KEY, st.integers(0, 6)), max_size=80),
)
def test_expiry_of_a_table_removes_old_entries_oldest_first(
    driver: Driver, bits: int, steps: list[tuple[str, int, int]]
) -> None:
    size = 2**bits
    chain, table, now = ChainModel(size), dict[int, int](), 0
    commands: list[Command] = [("chain.new", size), ("vector.new", size, 0), ("map.new", 3, size)]
    expected: list[Any] = [1, 1, 1]
    for step, key, delay in steps:
        now += delay
        if step == "t":  # touch: rejuvenate or add, as NFs do
            if key in table:
                commands.append(("chain.rejuvenate", table[key], now))
                expected.append(chain.rejuvenate(table[key], now))
                continue
            commands.append(("chain.allocate", now))
            expected.append(chain.allocate(now))
            if expected[-1]:
                table[key] = expected[-1][1]
                commands.append(("table.put", table[key], key))
                expected.append(None)
        elif step == "g":
            commands.append(("map.get", key))
            expected.append((1, table[key]) if key in table else 0)
        else:
            commands.append(("expire.map", now - 5))
            gone = 0
            while expired := chain.expire(now - 5):
                table = {key: index for key, index in table.items() if index != expired[1]}
                gone += 1
            expected.append(gone)
    assert driver.run(commands) == expected


@relaxed
@given(present=st.sets(st.integers(0, 19)), start=st.integers(0, 20), end=st.integers(0, 20))
def test_iterative_expiry_erases_a_range_and_tolerates_absent_keys(
    driver: Driver, present: set[int], start: int, end: int
) -> None:
    # Every cell holds a key; only some were put into the map.
    commands: list[Command] = [("vector.new", 20, 0), ("map.new", 3, 32)]
    for index in range(20):
        commands.append(("table.put", index, 100 + index))
        if index not in present:
            commands.append(("map.erase", 100 + index))
    erased = {index for index in present if start <= index < end}
    commands += [("expire.range", start, end), ("map.size",)]
    commands += [("map.get", 100 + index) for index in range(20)]
    results = driver.run(commands)[-22:]
    left = [(1, index) if index in present - erased else 0 for index in range(20)]
    assert results == [len(erased), len(present - erased), *left]


@relaxed
@given(
    steps=st.lists(st.tuples(st.sampled_from("pppeabx"), KEY, KEY, st.integers(0, 4)), max_size=80),
)
def test_a_double_map_finds_values_by_either_key(driver: Driver, steps: list[tuple[str, int, int, int]]) -> None:
    size = 16
    chain, values, now = ChainModel(size), dict[int, tuple[int, int, int]](), 0
    gone_total = 0
    commands: list[Command] = [("map.new", 3, 1), ("chain.new", size), ("dmap.new", size)]
    expected: list[Any] = [1, 1, 1]
    for step, a, b, delay in steps:
        now += delay
        by_a = {value[0]: index for index, value in values.items()}
        by_b = {value[1]: index for index, value in values.items()}
        if step == "p" and a not in by_a and b not in by_b:
            commands.append(("chain.allocate", now))
            expected.append(chain.allocate(now))
            if expected[-1]:
                index = expected[-1][1]
                values[index] = (a, b, now)
                commands += [("dmap.put", index, a, b, now), ("dmap.value", index)]
                expected += [1, (a, b, now)]
        elif step == "e" and a in by_a:
            index = by_a[a]
            del values[index]
            gone_total += 1
            commands += [("dmap.erase", index), ("chain.free", index)]
            expected += [1, chain.release(index)]
        elif step == "x":
            gone = 0
            while expired := chain.expire(now - 5):
                del values[expired[1]]
                gone += 1
            gone_total += gone
            commands.append(("expire.dmap", now - 5))
            expected.append(gone)
        else:
            commands += [("dmap.get_a", a), ("dmap.get_b", b), ("dmap.size",)]
            expected.append((1, by_a[a]) if a in by_a else 0)
            expected.append((1, by_b[b]) if b in by_b else 0)
            expected.append((len(values), gone_total))
    assert driver.run(commands) == expected


@settings(relaxed, max_examples=20)
@given(
    height=st.sampled_from([2, 3, 13, 97]),
    backends=st.integers(1, 12),
    active=st.sets(st.integers(0, 11)),
    hashes=st.lists(st.integers(0, 2**62), max_size=20),
)
def test_consistent_hashing_ranks_all_backends_in_every_bucket(
    driver: Driver, height: int, backends: int, active: set[int], hashes: list[int]
) -> None:
    backends = min(backends, height - 1)
    active = {backend for backend in active if backend < backends}
    cells = height * backends
    results = driver.run(
        [("vector.new", cells, 0), ("cht.fill", height, backends)] + [("cht.preference", cell) for cell in range(cells)]
    )
    table = [results[2 + bucket * backends :][:backends] for bucket in range(height)]
    # Backend j reaches bucket 31 j + i (j mod (height - 1) + 1) in round i; solve that for i. Who comes first
    # in a bucket is preferred there.
    for bucket, row in enumerate(table):
        rounds = [
            (bucket - 31 * backend) * pow(backend % (height - 1) + 1, -1, height) % height
            for backend in range(backends)
        ]
        assert row == sorted(range(backends), key=lambda backend: (rounds[backend], backend))

    frees = [("chain.free", backend) for backend in range(backends) if backend not in active]
    allocations = [("chain.allocate", 0)] * backends
    finds = [("cht.find", number, height, backends) for number in hashes]
    found = driver.run([("chain.new", backends), *allocations, *frees, *finds])[-len(hashes) or None :]
    for number, result in zip(hashes, found if hashes else [], strict=True):
        choices = [backend for backend in table[number % height] if backend in active]
        assert result == ((1, choices[0]) if choices else 0)


PREFIX = st.tuples(
    st.sampled_from([0x0A000000, 0x0A0A0A00, 0x0A0A0A80, 0x0A0A0AFF, 0xFFFFFFFF, 0]),
    st.sampled_from([8, 12, 20, 23, 24, 25, 26, 31, 32]),
    st.sampled_from([0, 1, 2, 0x7FFF]),
)


@settings(relaxed, max_examples=40)
@given(
    rules=st.lists(PREFIX, max_size=12),
    addresses=st.lists(
        st.one_of(
            st.sampled_from([0x0A000001, 0x0A0A0A01, 0x0A0A0A81, 0x0A0A0AFE, 0x0A0A0AFF, 0xFFFFFFFF, 0]),
            st.integers(0, 2**32 - 1),
        ),
        max_size=20,
    ),
)
def test_lpm_gives_the_longest_match_in_any_order_of_updates(
    driver: Driver, rules: list[tuple[int, int, int]], addresses: list[int]
) -> None:
    table: dict[tuple[int, int], int] = {}
    for prefix, length, value in rules:
        table[prefix >> (32 - length), length] = value

    def lookup(address: int) -> int:
        matches = [length for prefix, length in table if address >> (32 - length) == prefix]
        return table[address >> (32 - max(matches)), max(matches)] if matches else 0xFFFF

    updates = [("lpm.update", *rule) for rule in rules]
    lookups = [("lpm.lookup", address) for address in addresses]
    results = driver.run([("lpm.new",), *updates, *lookups])
    assert results == [1] + [1] * len(rules) + [lookup(address) for address in addresses]


def test_lpm_takes_a_default_route_and_refuses_what_is_out_of_range(driver: Driver) -> None:
    commands: list[Command] = [
        ("lpm.new",),
        ("lpm.update", 0, 33, 1),
        ("lpm.update", 0, 8, 0x8000),
        ("lpm.lookup", 5),
        ("lpm.update", 123456, 0, 9),
        ("lpm.lookup", 2**32 - 1),
    ]
    assert driver.run(commands) == [1, 0, 0, 0xFFFF, 1, 9]


@relaxed
@given(
    hash_kind=st.sampled_from([1, 3]),
    capacity=st.integers(1, 64),
    threshold=st.integers(0, 4),
    steps=st.lists(st.tuples(st.sampled_from("ttttfrx"), st.integers(0, 10), st.integers(0, 6)), max_size=80),
)
def test_a_sketch_never_misses_a_key_above_the_threshold(
    driver: Driver, hash_kind: int, capacity: int, threshold: int, steps: list[tuple[str, int, int]]
) -> None:
    counts: dict[int, tuple[int, int]] = {}  # key -> (count, last use)
    total, now, fetches = 0, 0, list[tuple[int, bool, bool]]()
    commands: list[Command] = [("sketch.new", hash_kind, capacity, threshold)]
    for step, key, delay in steps:
        now += delay
        commands.append(("sketch.key", key))
        count = counts.get(key, (0, 0))[0]
        if step == "t":
            commands.append(("sketch.touch", now))
            counts[key] = (count + 1, now)
            total += 1
        elif step == "r":
            commands.append(("sketch.refresh", now))
            if key in counts:
                counts[key] = (count, now)
        elif step == "x":
            commands.append(("sketch.expire", now - 4))
            counts = {key: (count, used) for key, (count, used) in counts.items() if used >= now - 4}
        else:
            fetches.append((len(commands), count > threshold, total > threshold))
            commands.append(("sketch.fetch",))
    results = driver.run(commands)
    for at, must, may in fetches:
        assert must <= results[at] <= may
    # Alone in a fresh sketch, a key's count is exact.
    alone: list[Command] = [("sketch.new", hash_kind, capacity, threshold), ("sketch.key", 1)]
    alone += [("sketch.touch", 10)] * threshold + [("sketch.fetch",), ("sketch.touch", 10), ("sketch.fetch",)]
    alone += [("sketch.expire", 10), ("sketch.fetch",), ("sketch.expire", 11), ("sketch.fetch",)]
    assert [result for result in driver.run(alone)[2 + threshold :] if result is not None] == [0, 1, 1, 1, 0]


@relaxed
@given(
    height=st.integers(1, 4),
    width=st.integers(1, 64),
    steps=st.lists(st.tuples(st.sampled_from("iiicccx"), st.integers(0, 10), st.integers(0, 4)), max_size=80),
)
def test_count_min_never_undercounts_and_restarts_on_time(
    driver: Driver, height: int, width: int, steps: list[tuple[str, int, int]]
) -> None:
    counts, now, started, bounds = dict[int, int](), 0, None, list[tuple[int, int, int]]()
    commands: list[Command] = [("cms.new", height, width, 10)]
    cleanups: list[tuple[int, int]] = []
    for step, key, delay in steps:
        now += delay
        if step == "i":
            commands.append(("cms.increment", key))
            counts[key] = counts.get(key, 0) + 1
        elif step == "c":
            bounds.append((len(commands), counts.get(key, 0), sum(counts.values())))
            commands.append(("cms.count", key))
        else:
            emptied = started is not None and now - started >= 10
            cleanups.append((len(commands), int(emptied)))
            commands.append(("cms.cleanup", now))
            if emptied:
                counts.clear()
            if emptied or started is None:
                started = now
    results = driver.run(commands)
    assert all(low <= results[at] <= high for at, low, high in bounds)
    assert [results[at] for at, _ in cleanups] == [emptied for _, emptied in cleanups]


@relaxed
@given(
    rate=st.sampled_from([1, 7, 1000, 3 * 10**9, 10**12]),
    burst=st.sampled_from([1, 64, 1500, 65535, 2**63]),
    steps=st.lists(
        st.tuples(
            st.sampled_from("pppppx"),
            st.integers(0, 6),
            st.integers(0, 65535),
            st.one_of(st.integers(0, 10), st.integers(0, 3 * 10**9)),
        ),
        max_size=60,
    ),
)
def test_token_buckets_follow_exact_arithmetic(
    driver: Driver, rate: int, burst: int, steps: list[tuple[str, int, int, int]]
) -> None:
    second = 10**9
    burst = min(burst, 2**63 - 1)
    fill = min(-(-burst * second // rate), 2**63 - 1)
    chain, buckets, now = ChainModel(4), dict[int, list[int]](), 0  # key -> [index, tokens, time]
    commands: list[Command] = [("tb.new", 4, rate, burst)]
    expected: list[Any] = [1]
    for step, key, length, delay in steps:
        now += delay
        if step == "x":
            gone = 0
            while expired := chain.expire(now - fill):
                buckets = {key: bucket for key, bucket in buckets.items() if bucket[0] != expired[1]}
                gone += 1
            commands.append(("tb.expire", now))
            expected.append(gone)
            continue
        commands.append(("tb.tracing", key))
        if key not in buckets:
            expected.append(0)
            commands.append(("tb.trace", key, length, now))
            started: Any = chain.allocate(now) if length <= burst else 0
            expected.append(started)
            if started:
                buckets[key] = [started[1], burst - length, now]
            continue
        bucket = buckets[key]
        expected.append((1, bucket[0]))
        chain.rejuvenate(bucket[0], now)
        bucket[1] = min(burst, bucket[1] + (now - bucket[2]) * rate // second)
        bucket[2] = now
        passes = length <= bucket[1]
        bucket[1] -= length if passes else 0
        commands.append(("tb.check", bucket[0], length, now))
        expected.append(int(passes))
    assert driver.run(commands) == expected


def test_a_token_bucket_never_holds_more_than_its_burst(driver: Driver) -> None:
    # One byte a nanosecond, at most 100: 90 left after the first packet, 100 (not 140) fifty nanoseconds later.
    commands: list[Command] = [("tb.new", 4, 10**9, 100), ("tb.trace", 1, 10, 0)]
    commands += [("tb.check", 0, 100, 50), ("tb.check", 0, 1, 50), ("tb.check", 0, 1, 51)]
    assert driver.run(commands) == [1, (1, 0), 1, 0, 1]


def test_hash_obj_depends_on_every_byte_and_on_nothing_else(driver: Driver) -> None:
    numbers = [0x0102030405060708, 0x1112131415161718, 0x2122232425262728]
    for size in range(25):
        base = driver.run([("hash", size, *numbers)])[0]
        for byte in range(24):
            changed = list(numbers)
            changed[byte // 8] ^= 1 << (byte % 8 * 8)
            assert (driver.run([("hash", size, *changed)])[0] != base) == (byte < size)
