"""A call path against what the NF did natively, on a tracing libVig: whether its conditions hold for a packet and libVig's answers, and
what it says then of the calls, their arguments, the outcome and the packet's bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.expr import Expr
from maestro_lsp.symbex.path import Call, CallPath
from tests.native.tracing import Call as Traces
from tests.native.tracing import Traced

SILENT = {"packet_borrow_next_chunk", "packet_return_chunk", "packet_get_unread_length", "hash_obj", "borrowed_cell"}
UNTRACED = {"checksum"}  # ops of ours that are no libVig calls

# symbol of ours -> what the traced call says: the result, or an output
RESULTS = {"map_has_this_key", "dchain_is_index_allocated", "dchain_was_allocated", "number_of_freed_flows", "has_space",
           "chosen_backend_found", "overflow", "touched", "conforms", "count", "lpm_value", "expired"}  # fmt: skip
OUTPUTS = {"allocated_index": ("value_out", "index_out", "index"), "new_index": ("index_out",),
           "chosen_backend": ("chosen_backend",), "expired_index": ("index_out",)}  # fmt: skip


def calls_of(p: CallPath) -> list[Call]:
    return [c for c in p.calls if c.op not in UNTRACED]


Key = tuple[str, object, int]


def key_of(leaf: Expr) -> Key:
    """A leaf by what it is: expressions of different analyses are never the same object."""
    return (leaf.op, leaf.args, leaf.width)


class Assignment:
    """Values of a path's symbols, from a packet and what libVig answered."""

    def __init__(self, p: CallPath, packet: bytes, now: int, traces: list[Traces]) -> None:
        self.packet = packet
        self.named: dict[Key, int] = {("sym", ("pkt_len",), 16): len(packet), ("sym", ("time",), 64): now}
        for i in range(min(len(packet), 512)):
            self.named["byte", ("packet", i), 8] = packet[i]
        self.regions: dict[str, int] = {}
        for name, e in p.regions:
            start = self.regions[name] = X.evaluate(e, self.of(e))
            for i in range(512):
                if 0 <= start + i < len(packet):
                    self.named["byte", (name, i), 8] = packet[start + i]
        for c, t in zip(calls_of(p), traces, strict=True):
            self.answer(c, t)

    def of(self, e: int | Expr) -> dict[Expr, int]:
        """The values of an expression's leaves."""
        return {leaf: self.named[key_of(leaf)] for leaf in X.leaves(e) if key_of(leaf) in self.named}

    def answer(self, c: Call, t: Traces) -> None:
        n = c.number
        for base in RESULTS:
            for width in (1, 32):
                self.named["sym", (f"{base}#{n}",), width] = (t.result or 0) & ((1 << width) - 1)
        self.named["sym", (f"out_of_space#{n}",), 1] = int(not t.result)
        for base, names in OUTPUTS.items():
            for name in names:
                if isinstance(out := t.args.get(name), int):
                    self.named["sym", (f"{base}#{n}",), 32] = out & 0xFFFFFFFF
        if c.op == "vector-borrow" and isinstance(value := t.args.get("value"), bytes):
            for i, b in enumerate(value):
                self.named["byte", (f"vector_data_reset#{n}", i), 8] = b

    def known(self, e: int | Expr) -> bool:
        return all(key_of(leaf) in self.named or leaf.op == "uf" for leaf in X.leaves(e)) and not any(
            leaf.op == "uf" and not str(leaf.args[0]).startswith("crc32") for leaf in X.leaves(e)
        )

    def holds(self, p: CallPath) -> bool:
        return all(self(c.expr) for c in p.conditions if self.known(c.expr))

    def __call__(self, e: int | Expr) -> int:
        return X.evaluate(e, self.of(e))


Masks = Mapping[object, bytes]


def masks_of(native: Traced) -> Masks:
    """Of each map, ff for each byte of a key that counts; traces have zeros for the others."""
    return {map_: mask for map_, made in native.objects.items() if isinstance(mask := made.args.get("key_mask"), bytes)}


def predicted(p: CallPath, a: Assignment, out: int, packet: bytes, traces: list[Traces], masks: Masks) -> list[str]:
    """What a path says that did not happen."""
    wrong = []
    if a.known(p.returned) and a(p.returned) & 0xFFFF != out:
        wrong.append(f"returns {a(p.returned) & 0xFFFF}, not {out}")
    want = bytearray(a.packet)
    loose: set[int] = set()
    for w in p.writes:
        at = w.offset if w.array == "packet" else a.regions[w.array] + w.offset
        if at >= len(want):
            continue
        if a.known(w.value):
            want[at] = a(w.value)
        else:
            loose.add(at)  # checksums, and MAC addresses of devices
    for i, (x, y) in enumerate(zip(want, packet, strict=False)):
        if x != y and i not in loose:
            wrong.append(f"packet byte {i} is {x}, not {y}")
    for c, t in zip(calls_of(p), traces, strict=True):
        for (_, raw), (name, native) in zip(
            c.keys, [(k, v) for k, v in t.args.items() if k.startswith(("key", "obj"))], strict=False
        ):
            if isinstance(native, bytes):
                mask = masks.get(t.args.get("map"), b"\xff" * len(raw))
                mine = bytes(a(v) if a.known(v) else native[i] for i, v in enumerate(raw[: len(native)]))
                if any((x ^ y) & m for x, y, m in zip(mine, native, mask, strict=False)):
                    wrong.append(f"{c.function}: key {mine.hex()}, not {native.hex()} ({name})")
        for touch in c.touches[:1]:
            native_index = t.args.get("index")
            if touch.index and touch.key and isinstance(native_index, int) and a.known(touch.key[0].value):
                if a(touch.key[0].value) != native_index & 0xFFFFFFFF:
                    wrong.append(f"{c.function}: index {a(touch.key[0].value)}, not {native_index}")
            native_value = t.args.get("value")
            if (
                touch.role == "put"
                and isinstance(native_value, int)
                and touch.value is not None
                and a.known(touch.value)
            ):
                if a(touch.value) & 0xFFFFFFFF != native_value & 0xFFFFFFFF:
                    wrong.append(f"{c.function}: value {a(touch.value)}, not {native_value}")
        time = t.args.get("time")
        if isinstance(time, int) and c.op in ("expire", "dchain-allocate", "dchain-rejuvenate"):
            mine_time = c.arguments[-1] if c.op != "expire" else next(iter(c.touches)).value
            if mine_time is not None and a.known(mine_time) and a(mine_time) != time & ((1 << 64) - 1):
                wrong.append(f"{c.function}: time {a(mine_time)}, not {time}")
    return wrong


def leaf_is_state(leaf: Expr) -> bool:
    return str(leaf.args[0]).startswith("state:")


def unexplained(
    paths: Sequence[CallPath], device: int, packet: bytes, now: int, native: Traced, out: int, after: bytes
) -> str:
    """Why it is not the case that exactly one path holds for the latest packet and predicts what was done with it; "" if it is."""
    traces = [t for t in native.calls if t.function not in SILENT]
    names = [t.function for t in traces]
    candidates = []
    for p in paths:
        if p.device == device and [c.function for c in calls_of(p)] == names:
            a = Assignment(p, packet, now, traces)
            if a.holds(p):
                candidates.append((p, a))
    what = f"packet {packet.hex()} on device {device}: {names}"
    if not candidates:
        return f"no path for {what}"
    wrong = [predicted(p, a, out, after, traces, masks_of(native)) for p, a in candidates]
    if any(leaf_is_state(x) for p, _ in candidates for c in p.conditions for x in X.leaves(c.expr)):
        # what a global holds is not traced: one of the paths that it may choose
        return "" if [] in wrong else f"{wrong} for {what}"
    if len(candidates) > 1:
        return f"paths {[p.number for p, _ in candidates]} for {what}"
    return "" if wrong == [[]] else f"path {candidates[0][0].number}: {wrong[0]} for {what}"
