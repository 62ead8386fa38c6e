"""The allocator of indices that cores share, against the model of libVig's DoubleChain: whichever core does what, and
whether it does it as a reader or a writer, indices come and go as on one core."""

from __future__ import annotations

import ctypes
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native.test_libvig import ChainModel

from .program import HERE, RUNTIME, WARNINGS, dpdk

LEFT = -2  # try_to: the operation has to write


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("dchain") / "dchain.so"
    command = ["gcc", "-std=gnu11", "-O1", "-g", "-shared", "-fPIC", *WARNINGS, f"-I{RUNTIME}", *dpdk("--cflags")]
    command += ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-march=native"]
    done = subprocess.run([*command, str(HERE / "dchain_driver.c"), "-o", str(library)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = ctypes.CDLL(str(library))
    for name in ("operate", "try_to"):
        function = getattr(loaded, name)
        function.argtypes = [ctypes.c_char, ctypes.c_int, ctypes.c_int64]
        function.restype = ctypes.c_int64
    return loaded


operations = st.lists(
    st.tuples(
        st.sampled_from("aaaerrrrfv"),
        st.integers(0, 3),  # core
        st.integers(-1, 8),  # index
        st.integers(1, 1 << 20) | st.integers(1, 5),  # time that passes before
        st.integers(0, 1 << 21) | st.integers(0, 8),  # expiry: how old may they be
    ),
    max_size=80,
)


def expect(model: ChainModel, operation: str, index: int, now: int, limit: int) -> int:
    if operation == "a":
        got = model.allocate(now)
    elif operation == "e":
        got = model.expire(limit)
    elif operation == "r":
        got = model.rejuvenate(index, now)
    elif operation == "f":
        got = model.release(index)
    else:
        got = model.allocated(index)
    if operation in "ae":
        return -1 if got == 0 else int(got[1])
    return int(got)


@settings(deadline=None, max_examples=400)
@given(size=st.integers(0, 8), cores=st.integers(1, 4), script=operations)
def test_cores_together_are_one_chain(
    chain: ctypes.CDLL, size: int, cores: int, script: list[tuple[str, int, int, int, int]]
) -> None:
    assert chain.make(size, cores)
    model = ChainModel(size)
    now = 0
    for operation, core, index, passed, age in script:
        now += passed
        limit = now - age
        chain.as_core(core % cores)
        time = limit if operation == "e" else now
        found = chain.try_to(operation.encode(), index, time)
        assert found != -3, "a reader has changed something"
        if found == LEFT:
            assert operation in "aef", "only these may need to write"
            found = chain.operate(operation.encode(), index, time)
        assert found == expect(model, operation, index, now, limit)


def test_renewing_and_asking_never_need_the_write_lock(chain: ctypes.CDLL) -> None:
    assert chain.make(100, 2)
    chain.as_core(0)
    for index in range(100):
        assert chain.operate(b"a", 0, index + 1) == index
    for now in range(200, 10_000, 7):
        chain.as_core(now % 2)
        assert chain.try_to(b"r", now % 100, now) == 1
        assert chain.try_to(b"v", now % 100, now) == 1
    assert chain.try_to(b"e", 0, 0) == -1, "nothing is old"


def test_each_fresh_index_is_looked_at_once_per_lifetime(chain: ctypes.CDLL) -> None:
    """Expiry that finds renewed indices writes as often as there are indices, not as often as there are packets."""
    assert chain.make(1000, 2)
    chain.as_core(0)
    for index in range(1000):
        chain.operate(b"a", 0, 1 + index)
    now, lag, wrote = 1000, 5000, 0
    for packet in range(100_000):  # every index is renewed every 1000 packets, and so never expires
        now += 1
        chain.as_core(packet % 2)
        if chain.try_to(b"e", 0, now - lag) == LEFT:
            wrote += 1
            assert chain.operate(b"e", 0, now - lag) == -1
        assert chain.try_to(b"r", packet % 1000, now) == 1
    assert wrote <= 1000 * (100_000 / (lag - 1000)) * 1.1
