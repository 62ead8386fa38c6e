"""Models of what a program asks of its surroundings: its command line, its end, clocks, devices. They register in `libc.LIBC`."""

from __future__ import annotations

from typing import Any

from ..source import ctypes as T
from . import expr as X
from .expr import Expr
from .libc import anything, concrete, model, use_hidden_state
from .memory import Problem, size_of
from .state import State, Stop
from .texts import text_at


@model(
    "exit",
    "abort",
    "_exit",
    "rte_exit",
    "rte_panic",
    "__rte_panic",
    "__assert_fail",
    "err",
    "errx",
    "__builtin_unreachable",
    "__builtin_trap",
)
def leave(st: State, v: list[Any], types: Any, result: Any) -> Any:
    if st.tracking:
        raise Problem("unsupported-construct", "the program can end here while it processes a packet")
    raise Stop


@model("__assert_holds")
def assert_holds(st: State, v: list[Any], types: Any, result: Any) -> Any:
    st.require(X.nonzero(v[0], 32))
    return 0


def _option_index(st: State, table: int, name: bytes) -> int | None:
    """The entry of an option table that a name, or an abbreviation that fits only one, means."""
    names: list[bytes] = []
    while (option := st.load(table + 32 * len(names), 8)) != 0:
        names.append(text_at(st, option) or b"")
    if name in names:
        return names.index(name)
    fitting = [i for i, known in enumerate(names) if known.startswith(name)]
    return fitting[0] if len(fitting) == 1 else None


@model("getopt", "getopt_long", "getopt_long_only")
def getopt_long(st: State, v: list[Any], types: Any, result: Any) -> Any:
    """getopt over the arguments that the Makefile gives (permutation is not modelled: options come first in practice)."""
    engine = st.engine
    position = st.library.get("optind", 1)

    def set_global(name: str, value: int, size: int) -> None:
        g = engine.any_global(name)
        if g is not None:
            st.store(engine.global_address(st, g), value, size)

    argc = concrete(v[0], "argc")
    argv = concrete(v[1], "argv")

    def argument(i: int) -> tuple[int, bytes]:
        p = st.load(argv + 8 * i, 8)
        s = text_at(st, p)
        if not isinstance(p, int) or s is None:
            raise Problem("unsupported-construct", "an argument of the program that is not known")
        return p, s

    short = text_at(st, v[2]) or b""
    while position < argc:
        pointer, s = argument(position)
        if s == b"--" or not s.startswith(b"-") or s == b"-":
            break
        if s.startswith(b"--") and len(v) > 3 and v[3] != 0:
            name, has_value, _ = s[2:].partition(b"=")
            index = _option_index(st, concrete(v[3], "the option table"), name)
            if index is None:
                st.library["optind"] = position + 1
                set_global("optind", position + 1, 4)
                return ord("?")
            entry = v[3] + 32 * index
            needs = st.load(entry + 8, 4)
            flag, val = st.load(entry + 16, 8), st.load(entry + 24, 4)
            if has_value:
                set_global("optarg", pointer + len(name) + 3, 8)
            elif needs == 1:
                position += 1
                if position >= argc:
                    return ord("?")
                set_global("optarg", argument(position)[0], 8)
            else:
                set_global("optarg", 0, 8)
            st.library["optind"] = position + 1
            set_global("optind", position + 1, 4)
            if len(v) > 4 and v[4] != 0:
                st.store(v[4], index, 4)
            if flag != 0:
                st.store(flag, val, 4)
                return 0
            return val
        within = st.library.pop("option letter", 1)  # several letters may share one word
        letter = s[within : within + 1]
        at = short.find(letter)
        takes_value = short[at + 1 : at + 2] == b":"
        if len(s) > within + 1 and not takes_value:
            st.library["option letter"] = within + 1
            return letter[0] if at >= 0 else ord("?")
        if at < 0 or letter == b":":
            st.library["optind"] = position + 1
            return ord("?")
        if takes_value:
            if len(s) > within + 1:
                set_global("optarg", pointer + within + 1, 8)
            else:
                position += 1
                if position >= argc:
                    return ord("?")
                set_global("optarg", argument(position)[0], 8)
        st.library["optind"] = position + 1
        set_global("optind", position + 1, 4)
        return letter[0]
    set_global("optind", position, 4)
    return 0xFFFFFFFF


@model("rte_eth_dev_count_avail", "rte_eth_dev_count", "rte_eth_dev_count_total")
def device_count(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return st.engine.devices


@model("rte_eth_macaddr_get")
def macaddr_get(st: State, v: list[Any], types: Any, result: Any) -> Any:
    st.store_bytes(
        v[1],
        [
            X.uf(f"mac of device, byte {i}", 8, v[0]) if isinstance(v[0], Expr) else X.byte(f"mac of device {v[0]}", i)
            for i in range(6)
        ],
        6,
    )
    return 0


@model("rte_get_main_lcore", "rte_get_master_lcore", "getpid")
def process_constant(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return 0


@model("rte_lcore_id", "rte_lcore_index", "rte_socket_id")
def own_core(st: State, v: list[Any], types: Any, result: Any) -> Any:
    _on_one_core(st, "asks which core runs it")
    return 0


@model("rte_lcore_count")
def lcore_count(st: State, v: list[Any], types: Any, result: Any) -> Any:
    _on_one_core(st, "asks how many cores there are")
    return 1


def _on_one_core(st: State, what: str) -> None:
    """Start-up runs once; what processes packets must be the same program on every core."""
    if st.tracking:
        raise Problem(
            "unsupported-construct",
            f"packet processing {what}, and does not do the same on each: leave cores to the parallel program",
        )


@model("current_time", "recent_time", "get_current_time", "current_time_ns")
def time_now(st: State, v: list[Any], types: Any, result: Any) -> Any:
    now = st.library.get("time")
    return now if now is not None else 0


@model(
    "time",
    "clock",
    "rte_rdtsc",
    "rte_get_tsc_cycles",
    "rte_get_timer_cycles",
    "rte_get_tsc_hz",
    "rte_get_timer_hz",
)
def outside(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return anything(st, "outside", 8 * size_of(result) if not isinstance(result, T.Void) else 32)


@model("rand", "random", "lrand48", "mrand48", "drand48")
def random_number(st: State, v: list[Any], types: Any, result: Any) -> Any:
    """The next of one sequence for the whole process (DPDK's rte_rand has one for each core)."""
    use_hidden_state(st, "the seed of random numbers")
    return _drawn(st, result)


@model("rte_rand")
def random_number_of_core(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return _drawn(st, result)


def _drawn(st: State, result: Any) -> Expr:
    if st.tracking:
        return anything(st, "random", 8 * size_of(result))
    st.engine.private[_DRAWN] = "a random number of start-up, of which every core draws its own"
    return anything(st, _DRAWN, 8 * size_of(result))


_DRAWN = "random at start-up"


@model("clock_gettime", "gettimeofday")
def clock_gettime(st: State, v: list[Any], types: Any, result: Any) -> Any:
    st.store_bytes(v[-1] if st.block(v[0]) is None else v[0], [anything(st, "clock", 8) for _ in range(16)], 16)
    return 0


@model("rte_pktmbuf_mtod", "__rte_pktmbuf_mtod")
def pktmbuf_mtod(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return st.library["packet"]
