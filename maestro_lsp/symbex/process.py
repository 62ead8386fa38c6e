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


def _fitting(st: State, table: int, name: bytes) -> list[int]:
    """The entries of an option table that a name may mean: one, or all of which it is an abbreviation."""
    names: list[bytes] = []
    while (option := st.load(table + 32 * len(names), 8)) != 0:
        names.append(text_at(st, option) or b"")
    return [names.index(name)] if name in names else [i for i, known in enumerate(names) if known.startswith(name)]


class _Options:
    """GNU getopt at work on the arguments that the Makefile gives."""

    def __init__(self, st: State, v: list[Any]) -> None:
        self.st = st
        self.count = concrete(v[0], "argc")
        self.words = concrete(v[1], "argv")
        short = text_at(st, v[2]) or b""
        self.order = short[:1] if short[:1] in (b"+", b"-") else b""
        self.short = short[len(self.order) :]
        self.missing = ord(":") if self.short.startswith(b":") else ord("?")
        self.table: int = v[3] if len(v) > 3 else 0
        self.chosen: int = v[4] if len(v) > 4 else 0
        self.position = self._begin()
        self.end = self.count  # where no more arguments of options are

    def _begin(self) -> int:
        """Where to go on: behind what was parsed, or at the first argument if the program has set optind back."""
        done: int = self.st.library.get("optind", 1)
        g = self.st.engine.any_global("optind")
        if g is not None and done > 1 and self.st.load(self.st.engine.global_address(self.st, g), 4) in (0, 1):
            self.st.library.pop("option letter", None)
            return 1
        return done

    def set_global(self, name: str, value: int, size: int) -> None:
        g = self.st.engine.any_global(name)
        if g is not None:
            self.st.store(self.st.engine.global_address(self.st, g), value, size)

    def word(self, i: int) -> tuple[int, bytes]:
        p = self.st.load(self.words + 8 * i, 8)
        s = text_at(self.st, p)
        if not isinstance(p, int) or s is None:
            raise Problem("unsupported-construct", "an argument of the program that is not known")
        return p, s

    def at(self, position: int, answer: int) -> int:
        """Go on at a position next time."""
        self.st.library["optind"] = position
        self.set_global("optind", position, 4)
        return answer

    def next(self, long_only: bool = False) -> int:
        """What a call of getopt returns."""
        if "option letter" not in self.st.library:
            self._move_operands(long_only)
        if self.position >= self.count:
            return self.at(self.position, _END)
        pointer, s = self.word(self.position)
        if s == b"--":
            return self.at(self.position + 1, _END)
        if _is_operand(s):
            if self.order != b"-":
                return self.at(self.position, _END)
            self.set_global("optarg", pointer, 8)
            return self.at(self.position + 1, 1)
        dashes = self._dashes(s, long_only)
        return self._long(pointer, s, dashes) if dashes else self._letter(pointer, s)

    def _dashes(self, s: bytes, long_only: bool) -> int:
        """How many dashes are before a long option's name; 0: these are letters."""
        if not self.table:
            return 0
        if s.startswith(b"--"):
            return 2
        is_letter = self._kind(s[1:2]) is not None
        if not long_only or (is_letter and len(s) == 2):
            return 0
        return int(not is_letter or bool(_fitting(self.st, self.table, s[1:].partition(b"=")[0])))

    def _index(self, name: bytes) -> int | None:
        fitting = _fitting(self.st, self.table, name)
        return fitting[0] if len(fitting) == 1 else None

    def _move_operands(self, long_only: bool) -> None:
        """Move words that are no options behind the next option and its argument, as GNU's getopt does to argv."""
        first = self.position
        found = first
        while found < self.count and _is_operand(self.word(found)[1]):
            found += 1
        if found in (first, self.count) or self.order:
            return
        s = self.word(found)[1]
        size = 1 + (s != b"--" and self._takes_next(s, self._dashes(s, long_only)))
        if found + size > self.count:
            size, self.end = 1, first + 1  # it has no argument: an operand is none
        pointers = [self.word(i)[0] for i in range(first, found + size)]
        for i, p in enumerate([*pointers[found - first :], *pointers[: found - first]]):
            self.st.store(self.words + 8 * (first + i), p, 8)

    def _takes_next(self, s: bytes, dashes: int) -> bool:
        """Whether an option's argument is the next word."""
        if dashes:
            name, has_value, _ = s[dashes:].partition(b"=")
            index = self._index(name)
            return index is not None and not has_value and self.st.load(self.table + 32 * index + 8, 4) == 1
        for i in range(1, len(s)):
            kind = self._kind(s[i : i + 1])
            if kind:
                return kind == b":" and i + 1 == len(s)
        return False

    def _kind(self, letter: bytes) -> bytes | None:
        """What follows a letter: nothing, an argument (:), or an argument in the same word if any (::); None: it is no option."""
        at = self.short.find(letter)
        if at < 0 or letter == b":":
            return None
        return (
            self.short[at + 1 : at + 3]
            if self.short[at + 1 : at + 3] == b"::"
            else self.short[at + 1 : at + 2].strip(_LETTERS)
        )

    def _long(self, pointer: int, s: bytes, dashes: int) -> int:
        st, next_word = self.st, self.position + 1
        name, has_value, _ = s[dashes:].partition(b"=")
        index = self._index(name)
        needs = st.load(self.table + 32 * index + 8, 4) if index is not None else 0
        if index is None or (has_value and needs == 0):
            return self.at(next_word, ord("?"))
        entry = self.table + 32 * index
        flag, val = st.load(entry + 16, 8), st.load(entry + 24, 4)
        argument = pointer + dashes + len(name) + 1 if has_value else 0
        if needs == 1 and not has_value:
            if next_word >= self.end:
                return self.at(next_word, self.missing)
            argument, next_word = self.word(next_word)[0], next_word + 1
        self.set_global("optarg", argument, 8)
        if self.chosen != 0:
            st.store(self.chosen, index, 4)
        if flag != 0:
            st.store(flag, val, 4)
            return self.at(next_word, 0)
        return self.at(next_word, concrete(val, "an option's value"))

    def _letter(self, pointer: int, s: bytes) -> int:
        within, self.end = self.st.library.pop("option letter", (1, self.end))  # several letters may share one word
        letter = s[within : within + 1]
        kind = self._kind(letter)
        if not kind:
            self.set_global("optarg", 0, 8)
            answer = letter[0] if kind is not None else ord("?")
            if len(s) > within + 1:
                self.st.library["option letter"] = within + 1, self.end
                return self.at(self.position, answer)
            return self.at(self.position + 1, answer)
        argument, next_word = pointer + within + 1, self.position + 1
        if len(s) == within + 1:
            argument = 0
            if kind == b":":
                if next_word >= self.end:
                    return self.at(next_word, self.missing)
                argument, next_word = self.word(next_word)[0], next_word + 1
        self.set_global("optarg", argument, 8)
        return self.at(next_word, letter[0])


_END = 0xFFFFFFFF
_LETTERS = bytes(c for c in range(256) if c != ord(":"))


def _is_operand(s: bytes) -> bool:
    return not s.startswith(b"-") or s == b"-"


@model("getopt", "getopt_long")
def getopt_long(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return _Options(st, v).next()


@model("getopt_long_only")
def getopt_long_only(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return _Options(st, v).next(long_only=True)


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
