"""A second opinion on the executor: gcc's.

Each fixture runs natively against a tracing libVig. (a) Random packets: exactly one call path's conditions hold for a packet and
what libVig answered, and that path predicts the calls, their arguments, where the packet goes and its bytes. (b) Every path's own
model, the other way round: the packet and the answers of the model make the native NF go that path.
"""

from __future__ import annotations

import dataclasses
import os
import random
import zlib
from functools import cache

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.settings import Settings
from maestro_lsp.symbex import expr as X
from maestro_lsp.symbex.expr import Expr
from maestro_lsp.symbex.path import Call, CallPath
from maestro_lsp.symbex.solver import Solver
from maestro_lsp.workspace import find_nfs
from tests.fixtures.nfs import FIXTURES, Fixture, fixture_paths, load
from tests.fixtures.traffic import Generator
from tests.fixtures.traffic import answer as reply_to
from tests.native import bench
from tests.native.tracing import ANSWERED, Answer, NativeError, Traced

from .against_traces import SILENT, Assignment, calls_of, key_of, leaf_is_state, masks_of, predicted, unexplained

FULL = bool(os.environ.get("MAESTRO_FULL"))
PACKETS = 10_000 if FULL else 250
NAMES = [p.name for p in fixture_paths()]


@cache
def fixture(name: str) -> Fixture:
    return load(FIXTURES / name)


@cache
def analysed(name: str) -> Report:
    args = fixture(name).traffic.get("args", fixture(name).args)
    (nf,) = find_nfs(FIXTURES / name)
    return check(nf, Settings(args=tuple(args)))


def traced(name: str) -> Traced:
    f = fixture(name)
    so, _ = bench.build_nf(f.path, "traced")
    return Traced(so, f.devices, f.traffic.get("args", f.args), f.path)


def shaken(packet: bytes, pick: random.Random) -> bytes:
    """Some packets with other types, lengths, options and protocols."""
    if pick.random() > 0.3 or len(packet) < 35:
        return packet
    b = bytearray(packet)
    for _ in range(pick.randint(1, 3)):
        at = pick.choice((12, 13, 14, 14, 16, 17, 20, 23, pick.randrange(14, len(b))))
        b[at] = pick.choice((0x45, 0x46, 0x4F, 0, 6, 17, 1, 0x08, 0x86, pick.randrange(256)))
    return bytes(b[: pick.randint(14, len(b))]) if pick.random() < 0.3 else bytes(b)


@pytest.mark.parametrize("name", NAMES)
def test_random_packets_take_exactly_the_path_that_is_predicted(name):
    f = fixture(name)
    r = analysed(name)
    nf = traced(name)
    pick = random.Random(zlib.crc32(name.encode()))
    arrivals = Generator(f.traffic, f.devices, 7).arrivals(PACKETS)
    sent: list[tuple[int, bytes]] = []
    checked = 0
    for arrival in arrivals:
        device, packet = arrival.device, shaken(arrival.packet, pick)
        if arrival.answers is not None and sent[arrival.answers][0] < f.devices:
            device, packet = sent[arrival.answers][0], reply_to(sent[arrival.answers][1], arrival.stranger)
        try:
            out, after = nf.process(device, packet, arrival.now)
        except NativeError as e:  # an assertion of the NF that this packet breaks; ours are assumptions
            assert "assert" in str(e).lower(), e
            pytest.fail(f"{name} left nf_process: {e}")
        sent.append((out, after))
        assert not (wrong := unexplained(r.paths, device, packet, arrival.now, nf, out, after)), wrong
        checked += 1
    assert checked == PACKETS


@pytest.mark.parametrize("name", NAMES)
def test_every_path_can_be_taken_by_its_own_model(name):
    r = analysed(name)
    nf = traced(name)
    taken = 0
    paths = list(r.paths) if FULL else list(r.paths)[:: max(1, len(r.paths) // 40)]
    for p in paths:
        if beyond_a_script(p) or borrows_constants(r, p):
            continue
        model = small_model(p)
        p = dataclasses.replace(p, model=model)
        by_name = {key_of(leaf): v for leaf, v in model.items()}
        packet = bytearray(max(by_name.get(("sym", ("pkt_len",), 16), 64), 14))
        for leaf, v in p.model.items():
            if leaf.op == "byte" and leaf.args[0] == "packet" and leaf.args[1] < len(packet):
                packet[leaf.args[1]] = v
        values = {leaf: v for leaf, v in p.model.items() if leaf.op == "byte" and leaf.args[0] == "packet"}
        for region, e in p.regions:
            start = X.evaluate(e, values)
            for leaf, v in p.model.items():
                if leaf.op == "byte" and leaf.args[0] == region and 0 <= start + leaf.args[1] < len(packet):
                    packet[start + leaf.args[1]] = v
        script = [script_answer(r, p, c) for c in calls_of(p) if c.function in ANSWERED]
        now = by_name.get(("sym", ("time",), 64), 0)
        try:
            out, after = nf.process_scripted(p.device, bytes(packet), now, script)
        except NativeError as e:
            pytest.fail(f"path {p.number}: {e}")
        traces = [t for t in nf.calls if t.function not in SILENT]
        assert [t.function for t in traces] == [c.function for c in calls_of(p)], f"path {p.number}"
        a = Assignment(p, bytes(packet), now, traces)
        assert a.holds(p), f"path {p.number}"
        assert predicted(p, a, out, after, traces, masks_of(nf)) == [], f"path {p.number}"
        taken += 1
    assert taken > len(paths) / 2 or any(borrows_constants(r, p) for p in paths)


def beyond_a_script(p: CallPath) -> bool:
    """Whether a path needs what answers alone cannot bring about: what a global holds, or a cell that two equal indices share
    (the store does not know that a table's map never holds a fresh index, so it follows that case as well)."""
    for e in (e for c in p.conditions for e in X.conjuncts(c.expr)):
        if any(leaf_is_state(leaf) for leaf in X.leaves(e)):
            return True
        answers = all(not str(leaf.args[0]).startswith(("packet", "pkt_len", "time")) for leaf in X.leaves(e))
        if e.op == "eq" and answers and all(isinstance(side, Expr) for side in e.args):
            return True
    if any(c.op == "map-erase" for c in p.calls):
        return True  # it gives back the stored key's pointer, which a script does not have
    cells = [(t.object, t.key[0].value) for c in p.calls for t in c.touches if t.role == "borrow" and t.key]
    return len(cells) != len(set(cells))  # borrowed again: its bytes are what the path wrote, not an answer


def borrows_constants(r: Report, p: CallPath) -> bool:
    """Whether a path reads cells that nf_init filled and no packet writes: a script would overwrite them."""
    assert r.execution.engine is not None
    return any(t.object in r.execution.engine.frozen for c in p.calls for t in c.touches if t.role == "borrow")


def small_model(p: CallPath) -> dict[Expr, int]:
    """A model of the path whose packet the bench can carry."""
    conditions = [c.expr for c in p.conditions]
    length = next((leaf for c in conditions for leaf in X.leaves(c) if leaf.args[0] == "pkt_len"), None)
    if length is None:
        return p.model
    if p.model.get(length, 0) <= 1500 and all(X.evaluate(c, p.model) for c in conditions):
        return p.model
    found = Solver().find(conditions, p.model, X.ult(length, 1501, 16))
    assert isinstance(found, dict), f"path {p.number} needs a packet of more than 1500 bytes"
    return found


def script_answer(r: Report, p: CallPath, c: Call) -> Answer:
    """What the path's model lets a call answer."""
    result = X.evaluate(c.result, p.model) if c.result is not None else 1
    if c.op == "vector-borrow":
        size = r.execution.objects[c.touches[0].object].info.detail["elem_size"]
        cell = f"vector_data_reset#{c.number}"
        values = {leaf.args[1]: v for leaf, v in p.model.items() if leaf.op == "byte" and leaf.args[0] == cell}
        return Answer(c.function, 1, bytes(values.get(i, 0) for i in range(size)))
    out = next((X.evaluate(v, p.model) for name, v in c.outputs if name != "cell"), None)
    if out is None:
        return Answer(c.function, result if result < 1 << 31 else result - (1 << 32))
    return Answer(c.function, result, out if out < 1 << 31 else out - (1 << 32))
