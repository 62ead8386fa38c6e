"""gcc as the second opinion on the executor: one C text, executed symbolically and run natively.

`Snippet` is a whole NF in one text. `compare` runs both on a packet: exactly one of our paths must hold for it, and that path
must predict what gcc's code returns and every byte that it leaves in the packet.
"""

from __future__ import annotations

import _ctypes
import ctypes
import random
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from maestro_lsp.libvig.catalogue import Catalogue
from maestro_lsp.source.preprocess import preprocess
from maestro_lsp.source.program import Program
from maestro_lsp.source.unit import Unit
from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.path import CallPath
from maestro_lsp.symbex.run import Execution, Inputs, execute

PACKET = 512  # bytes; as many as the executor models
FLAGS = ["-O1", "-w", "-fPIC", "-shared", "-fwrapv", "-fno-strict-aliasing", "-std=gnu11", "-Wl,-Bsymbolic"]
PRELUDE = """\
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef int64_t vigor_time_t;
#define PROCESS int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, vigor_time_t now)
#define GET(type, at) ({ type got_; memcpy(&got_, buffer + (at), sizeof got_); got_; })
#define PUT(at, value) do { uint64_t put_ = (uint64_t)(value); memcpy(buffer + (at), &put_, 8); } while (0)
"""


@dataclass(frozen=True)
class Snippet:
    """One NF: `arguments` are its command line, None if it has none."""

    name: str
    text: str
    arguments: tuple[str, ...] | None = None

    @property
    def source(self) -> str:
        return PRELUDE + self.text

    @property
    def takes_mbuf(self) -> bool:
        return re.search(r"nf_process\([^)]*\*\*", self.text) is not None


def read_snippets(file: Path) -> Iterator[Snippet]:
    """The snippets of a file: each starts with `//! name` or `//! name [arguments]`."""
    for part in file.read_text().split("\n//! ")[1:]:
        head, _, text = part.partition("\n")
        match = re.fullmatch(r"(\S+)(?: \[(.*)\])?", head.strip())
        assert match is not None, head
        arguments = tuple(match[2].split()) if match[2] is not None else None
        yield Snippet(f"{file.stem}/{match[1]}", text, arguments)


def run_symbolically(snippet: Snippet) -> Execution:
    """All paths on one device; fails when they are not all there are."""
    texts = {"/nf/main.c": snippet.source}
    unit = Unit.parse(preprocess("/nf/main.c", texts.get))
    result = execute(Program([unit]), Catalogue.builtin(), Inputs(devices=1, arguments=snippet.arguments))
    assert unit.problems == ()
    assert result.complete, [(t.code, t.message, t.span.start) for t in result.troubles]
    return result


def compile_all(texts: Mapping[str, str], folder: Path) -> Path:
    """One shared object whose functions `nf_process_NAME` are the texts' nf_process."""
    parts = [PRELUDE]
    for name, text in texts.items():
        parts.append(f"#define nf_process nf_process_{name}\n{text}\n#undef nf_process\n")
    source, target = folder / "all.c", folder / "all.so"
    source.write_text("".join(parts))
    subprocess.run(["gcc", *FLAGS, "-o", target, source], check=True, timeout=300)
    return target


class Native:
    """A snippet compiled by gcc and started."""

    def __init__(self, snippet: Snippet, folder: Path) -> None:
        source, target = folder / "nf.c", folder / "nf.so"
        source.write_text(snippet.source)
        done = subprocess.run(["gcc", *FLAGS, "-o", target, source, "-lm"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        self.library = ctypes.CDLL(str(target))
        self.takes_mbuf = snippet.takes_mbuf
        if snippet.arguments is not None:
            words = [b"nf", *(w.encode() for w in snippet.arguments)]
            ctypes.c_int.in_dll(ctypes.CDLL(None), "optind").value = 0  # a new command line
            self.argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
            self.library.nf_config_init(len(words), self.argv)
        if hasattr(self.library, "nf_init"):
            self.library.nf_init.restype = ctypes.c_bool
            assert self.library.nf_init()

    def close(self) -> None:
        _ctypes.dlclose(self.library._handle)

    def state(self, name: str, size: int) -> bytes:
        """The bytes of a global variable."""
        return bytes((ctypes.c_uint8 * size).in_dll(self.library, name))

    def process(self, device: int, packet: bytes, length: int, now: int) -> tuple[int, bytes]:
        return call(self.library.nf_process, device, packet, length, now, self.takes_mbuf)


def call(function: ctypes._NamedFuncPointer, device: int, packet: bytes, length: int, now: int,
         takes_mbuf: bool = False) -> tuple[int, bytes]:  # fmt: skip
    """What a native nf_process returns (as 32 bits) and leaves in the packet."""
    memory = ctypes.create_string_buffer(packet, len(packet))
    start = ctypes.c_void_p(ctypes.addressof(memory))
    given = [
        ctypes.c_uint16(device),
        ctypes.byref(start) if takes_mbuf else start,
        ctypes.c_uint16(length),
        ctypes.c_int64(now),
    ]
    if takes_mbuf:
        given.append(ctypes.c_void_p(0))
    return function(*given) & 0xFFFFFFFF, memory.raw


def model_of(path: CallPath, packet: bytes, length: int, now: int, state: Mapping[str, bytes]) -> dict[X.Expr, int]:
    """The values of a path's symbols for a packet and the globals' contents."""
    model = {X.byte("packet", i): b for i, b in enumerate(packet)}
    model |= {X.sym("pkt_len", 16): length, X.sym("time", 64): now}
    for name, content in state.items():
        model |= {X.byte(f"state:{name}", i): b for i, b in enumerate(content)}
    for name, offset in path.regions:
        at = X.evaluate(offset, model)
        model |= {X.byte(name, i): packet[at + i] for i in range(PACKET - at)} if at < PACKET else {}
    return model


def compare(paths: Iterable[CallPath], ran: tuple[int, bytes], packet: bytes, length: int, now: int,
            state: Mapping[str, bytes] | None = None) -> CallPath:  # fmt: skip
    """Asserts that exactly one path holds for the packet and predicts what gcc's code did; gives that path."""
    returned, left = ran
    matching = []
    for path in paths:
        model = model_of(path, packet, length, now, state or {})
        memo: dict[X.Expr, int] = {}
        if all(X.evaluate(c.expr, model, memo) for c in path.conditions):
            matching.append((path, model, memo))
    assert len(matching) == 1, f"{len(matching)} paths hold"
    path, model, memo = matching[0]
    predicted = bytearray(packet)
    starts = {name: X.evaluate(offset, model, memo) for name, offset in path.regions}
    for w in path.writes:
        predicted[starts.get(w.array, 0) + w.offset] = X.evaluate(w.value, model, memo)
    assert X.evaluate(path.returned, model, memo) == returned
    differing = {i: (predicted[i], left[i]) for i in range(len(packet)) if predicted[i] != left[i]}
    assert not differing, f"(offset: ours, gcc's) {differing}"
    return path


def packets(paths: Iterable[CallPath], count: int, seed: int) -> Iterator[tuple[bytes, int, int]]:
    """Packets with their lengths and times: of every path's model, and random ones that like small and extreme bytes."""
    pick = random.Random(seed)

    def noise() -> bytearray:
        kind = pick.randrange(3)
        if kind == 0:
            return bytearray(pick.randbytes(PACKET))
        few = [0, 1, 2, 3, 5, 0x7F, 0x80, 0xFE, 0xFF] if kind == 1 else [*range(12)]
        return bytearray(pick.choices(few, k=PACKET))

    for path in paths:
        for base in (noise(), bytearray(PACKET)):
            starts = {"packet": 0} | {name: X.evaluate(at, path.model) for name, at in path.regions}
            for leaf, value in path.model.items():
                if leaf.op == "byte" and leaf.args[0] in starts:
                    base[starts[leaf.args[0]] + leaf.args[1]] = value
            yield bytes(base), path.model.get(X.sym("pkt_len", 16), 60), path.model.get(X.sym("time", 64), 0)
    for _ in range(count):
        yield bytes(noise()), pick.choice([0, 14, 60, 1500, 65535]), pick.randrange(1 << pick.choice([4, 33, 63]))
