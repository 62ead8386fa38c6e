"""Traced NFs: what libVig calls a packet made, and packets whose calls are answered by a script.

`Traced` runs a shared object that `bench.build` made in `traced` mode. After each packet, `calls` tells what
the NF asked of libVig and what it was told, in order. A script turns this around: the caller says what each
call answers, so that one path of the NF runs without the packets that would lead to its state. See tracing.h
for the text that is parsed here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.native.bench import Instance, NativeError


@dataclass(frozen=True)
class Object:
    """A libVig object, known by the order of allocation, from 0."""

    number: int


Value = int | bytes | str | Object


@dataclass(frozen=True)
class Call:
    """One libVig call as it happened.

    `args` has the arguments and then the outputs, in the order and by the names of libVig's headers:
    integers, `Object`s, bytes (keys, cells, chunks) and function names (empty for static functions). Outputs
    that the call did not write (the value of a missed map_get) are absent. Chunks are offsets from the
    packet's start. Bytes of a key that its map's equality ignores (padding) are zero. Allocations add
    `object`, what was made, and for maps `key_mask`, ff for each byte of a key that counts. `borrowed_cell`
    is no call: it says that a cell changed after its return, or that it was never returned."""

    function: str
    args: Mapping[str, Value]
    result: int | None


@dataclass(frozen=True)
class Answer:
    """What a script lets one call answer: its result, and what it writes through its output pointer (the
    integer of map_get and the like; the bytes of a borrowed cell). The calls of `ANSWERED` take one each; the
    others have nothing to say (dmap_put and dmap_erase return 1) or are always real: allocation, packet I/O,
    cht_fill_cht and hash_obj, which is a pure function."""

    function: str
    result: int = 1
    out: int | bytes = field(default=b"")


# Calls that take an Answer, each with the output that the script provides, if it has one.
ANSWERED: Mapping[str, str | None] = {
    "map_get": "value_out",
    "map_size": None,
    "vector_borrow": "value",
    "dchain_allocate_new_index": "index_out",
    "dchain_rejuvenate_index": None,
    "dchain_expire_one_index": "index_out",
    "dchain_is_index_allocated": None,
    "dchain_free_index": None,
    "dmap_get_a": "index",
    "dmap_get_b": "index",
    "dmap_get_value": "value_out",
    "dmap_size": None,
    "expire_items": None,
    "expire_items_single_map": None,
    "expire_items_single_map_iteratively": None,
    "cht_find_preferred_available_backend": "chosen_backend",
    "lpm_update_elem": None,
    "lpm_lookup_elem": None,
    "sketch_fetch": None,
    "sketch_touch_buckets": None,
    "cms_count_min": None,
    "cms_periodic_cleanup": None,
    "tb_is_tracing": "index_out",
    "tb_trace": "index_out",
    "tb_update_and_check": None,
    "tb_expire": None,
}


def as_script(calls: Sequence[Call]) -> list[Answer]:
    """The script that makes the same packet go the same way again, from the calls it made."""
    script = []
    for call in calls:
        if call.function in ANSWERED:
            name = ANSWERED[call.function]
            out = call.args.get(name, b"") if name else b""
            assert isinstance(out, int | bytes)
            script.append(Answer(call.function, call.result or 0, out))
    return script


class _Answer(ctypes.Structure):
    _fields_ = (
        ("function", ctypes.c_char_p),
        ("result", ctypes.c_int64),
        ("out", ctypes.c_char_p),
        ("out_size", ctypes.c_uint32),
    )


class Traced(Instance):
    """An `Instance` of a traced build. `initial` are the calls of configuration and nf_init, `calls` those of
    the latest packet."""

    initial: tuple[Call, ...]
    calls: tuple[Call, ...] = ()

    def __init__(
        self, so: Path, devices: int = 2, args: Sequence[str] | None = None, folder: Path | None = None
    ) -> None:
        super().__init__(so, devices, args, folder)
        self.initial = self._read_log()

    def _prepare(self) -> None:
        self._log = self.library.double_log
        self._log.restype = ctypes.c_char_p
        self._set_script = self.library.double_set_script
        self._set_script.argtypes = [ctypes.c_void_p, ctypes.c_uint32]

    @property
    def objects(self) -> dict[Object, Call]:
        """Each object with the call that allocated it."""
        made = (call for call in (*self.initial, *self.calls) if call.result and "object" in call.args)
        return {found: call for call in made if isinstance(found := call.args["object"], Object)}

    def process(self, device: int, packet: bytes, now: int) -> tuple[int, bytes]:
        return self._traced(device, packet, now, None)

    def process_scripted(self, device: int, packet: bytes, now: int, script: Sequence[Answer]) -> tuple[int, bytes]:
        """As `process`, with libVig's state left alone and every call answered by the script. Raises
        NativeError if the NF's calls are not those of the script; `calls` then has what came before."""
        return self._traced(device, packet, now, script)

    def _traced(self, device: int, packet: bytes, now: int, script: Sequence[Answer] | None) -> tuple[int, bytes]:
        raw = (_Answer * max(1, len(script or ())))()
        for at, answer in enumerate(script or ()):
            out = answer.out.to_bytes(4, "little", signed=True) if isinstance(answer.out, int) else answer.out
            raw[at] = _Answer(answer.function.encode(), answer.result, out, len(out))
        self._set_script(None if script is None else raw, len(script or ()))
        try:
            return super().process(device, packet, now)
        finally:
            self.calls = self._read_log()

    def _read_log(self) -> tuple[Call, ...]:
        text = self._log().decode()
        # A call that never returned, because the NF was left in its midst, ends the log without an arrow.
        return tuple(_read_call(line) for line in text.split("\n") if "\t->" in line)


def _read_call(line: str) -> Call:
    function, *fields, arrow = line.split("\t")
    args = {name: _read_value(text) for name, text in (part.split("=", 1) for part in fields)}
    result = arrow.removeprefix("->")
    return Call(function, args, int(result) if result else None)


def _read_value(text: str) -> Value:
    if text.startswith("@"):
        return Object(int(text[1:]))
    if text.startswith("x"):
        return bytes.fromhex(text[1:])
    if text.startswith("f"):
        return text[1:]
    return int(text)


__all__ = ["ANSWERED", "Answer", "Call", "NativeError", "Object", "Traced", "Value", "as_script"]
