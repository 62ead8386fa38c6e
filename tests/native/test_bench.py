"""The native bench: building, isolation of instances, tracing, scripts, and (with MAESTRO_VIGOR, the folder of
a Vigor checkout) real NFs on our libVig against the same NFs on theirs."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import bench
from tests.native.bench import Instance, NativeError
from tests.native.tracing import Answer, Call, Object, Traced, Value, as_script
from tests.vigor import VIGOR, needs_vigor

NFS = bench.HERE / "nfs"
NOW = 10**15  # so late that no lag reaches below zero


def ipv4(source: int, payload: bytes = b"", macs: bytes = bytes(range(12))) -> bytes:
    """An Ethernet frame with an IPv4 header of that source address."""
    total = 20 + len(payload)
    header = struct.pack("!BBHHHBBHII", 0x45, 0, total, 0, 0, 64, 17, 0, source, 0x0A000001)
    return macs + b"\x08\x00" + header + payload


# ---- Makefiles


def test_a_makefile_is_read_with_its_defaults_and_overrides(tmp_path: Path) -> None:
    folder = tmp_path / "nf"
    folder.mkdir()
    for name in ("a.c", "b.c", "flow.h.gen.c", "state.c", "../nf-util.c"):
        (folder / name).touch()
    (folder / "Makefile").write_text(
        "NF_DEVICES := 3 # three\nNF_FILES := a.c \\\n  b.c\nNF_AUTOGEN_SRCS := flow.h\n"
        "NF_ARGS := --n $(or $(CAPACITY),65536) --list 0,$(or $(MAC),01:23)\nNF_ARGS += --last\n"
    )
    nf = bench.read_nf(folder)
    assert [path.name for path in nf.sources] == ["a.c", "b.c", "flow.h.gen.c", "state.c", "nf-util.c"]
    assert nf.args == ("--n", "65536", "--list", "0,01:23", "--last")
    assert nf.devices == 3
    assert bench.read_nf(folder, {"CAPACITY": "64"}).args[:2] == ("--n", "64")


# ---- Running


class TalkersModel:
    """talkers.c in Python."""

    def __init__(self, capacity: int, lifetime: int) -> None:
        self.capacity, self.lifetime = capacity, lifetime
        self.counts: dict[int, tuple[int, int]] = {}  # source -> (count, last seen)

    def process(self, device: int, packet: bytes, now: int) -> tuple[int, bytes]:
        self.counts = {
            source: (count, seen) for source, (count, seen) in self.counts.items() if seen >= now - self.lifetime
        }
        if packet[12:14] != b"\x08\x00" or len(packet) < 34:
            return 0xFFFF, packet
        source = int.from_bytes(packet[26:30], "big")
        if source not in self.counts and len(self.counts) == self.capacity:
            return device, packet
        count = self.counts.get(source, (0, 0))[0] + 1
        self.counts[source] = (count, now)
        if count > 3:
            return device, packet
        return device ^ 1, packet[6:12] + packet[:6] + packet[12:]


@settings(deadline=None, max_examples=30)
@given(steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 40), st.booleans()), max_size=80))
def test_an_nf_processes_packets_as_its_model_does(steps: list[tuple[int, int, int, bool]]) -> None:
    so, nf = bench.build_nf(NFS / "talkers")
    running = Instance(so, nf.devices, nf.args)
    model, now = TalkersModel(capacity=8, lifetime=100), NOW
    for device, source, delay, is_ipv4 in steps:
        now += delay
        packet = ipv4(source) if is_ipv4 else bytes(range(60))
        assert running.process(device, packet, now) == model.process(device, packet, now)
    running.close()


def test_instances_of_one_nf_do_not_share_globals() -> None:
    so, _ = bench.build_nf(NFS / "talkers")
    small, large = Instance(so, 2, ["--capacity", "1"]), Instance(so, 2, ["--capacity", "2"])
    for source in (1, 2):
        results = [running.process(0, ipv4(source), NOW)[0] for running in (small, large)]
        assert results == [1, 1] if source == 1 else [0, 1]
    assert [small.process(0, ipv4(1), NOW)[0] for _ in range(3)] == [1, 1, 0]
    assert large.process(0, ipv4(1), NOW)[0] == 1


def test_twenty_thousand_packets_take_about_a_second_at_most() -> None:
    so, nf = bench.build_nf(NFS / "talkers")
    running = Instance(so, nf.devices, nf.args)
    packets = [ipv4(source, bytes(40)) for source in range(20)]
    start = time.process_time()
    for at in range(20_000):
        running.process(at & 1, packets[at % 20], NOW + at)
    assert time.process_time() - start < 1.0


@settings(deadline=None, max_examples=50)
@given(macs=st.binary(min_size=12, max_size=12), rest=st.binary(min_size=4, max_size=1500), device=st.integers(0, 1))
def test_packets_may_grow_and_shrink(macs: bytes, rest: bytes, device: int) -> None:
    so, nf = bench.build_nf(NFS / "tagger")
    running = Instance(so, nf.devices)
    tag = b"\x81\x00\x00\x07"
    assert running.process(0, macs + rest, NOW) == (1, macs + tag + rest)
    assert running.process(1, macs + tag + rest, NOW) == (0, macs + rest)
    running.close()


def test_an_nf_that_ends_the_process_raises_instead() -> None:
    so, nf = bench.build_nf(NFS / "faulty")
    with pytest.raises(NativeError, match="nf_init returned false"):
        Instance(so, 1)
    running = Instance(so, nf.devices)
    assert running.process(0, bytes(60), NOW) == (0, bytes(60))
    for device, message in [
        (1, r"exit\(3\)"),
        (2, r"abort\(\)"),
        (3, r"rte_exit\(1\): no route for 60 bytes"),
        (4, r"faulty.c:\d+: nf_process: assertion `device == 0' failed"),
    ]:
        with pytest.raises(NativeError, match=message):
            running.process(device, bytes(60), NOW)
    with pytest.raises(NativeError, match="the bench takes"):
        running.process(0, bytes(10_000), NOW)
    with pytest.raises(NativeError, match="no nf_config_init"):
        Instance(so, 2, ["--what"])
    so, nf = bench.build_nf(NFS / "talkers")
    with pytest.raises(NativeError, match="unknown option"):
        Instance(so, nf.devices, ["--what"])
    assert Instance(so, nf.devices, nf.args).process(0, ipv4(1), NOW)[0] == 1


def test_an_nf_that_does_not_compile_raises_what_gcc_said(tmp_path: Path) -> None:
    (tmp_path / "broken.c").write_text("int nf_process(")
    with pytest.raises(NativeError, match=r"broken\.c:1"):
        bench.build([tmp_path / "broken.c"])


def test_a_changed_source_is_built_anew_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    header, source = tmp_path / "out.h", tmp_path / "nf.c"
    source.write_text(
        '#include <stdbool.h>\n#include <stdint.h>\n#include "out.h"\nbool nf_init(void) { return true; }\n'
        "int nf_process(uint16_t d, uint8_t *b, uint16_t l, int64_t n) { return OUT; }\n"
    )
    header.write_text("#define OUT 5\n")
    first = bench.build([source])
    assert Instance(first).process(0, bytes(60), NOW)[0] == 5
    assert bench.build([source]) == first
    header.write_text("#define OUT -1\n")
    assert Instance(bench.build([source])).process(0, bytes(60), NOW)[0] == 0xFFFF


def test_an_nf_reads_files_from_the_folder_it_is_given(tmp_path: Path) -> None:
    source = tmp_path / "nf.c"
    source.write_text(
        "#include <stdbool.h>\n#include <stdint.h>\n#include <stdio.h>\nstatic int out;\n"
        'bool nf_init(void) { FILE *f = fopen("out.txt", "r"); return f != NULL && fscanf(f, "%d", &out) == 1; }\n'
        "int nf_process(uint16_t d, uint8_t *b, uint16_t l, int64_t n) { return out; }\n"
    )
    (tmp_path / "out.txt").write_text("7\n")
    so = bench.build([source])
    assert Instance(so, folder=tmp_path).process(0, bytes(60), NOW)[0] == 7
    with pytest.raises(NativeError, match="nf_init returned false"):
        Instance(so)


# ---- Tracing


def test_a_trace_tells_calls_objects_keys_and_cells_in_order() -> None:
    so, nf = bench.build_nf(NFS / "talkers", "traced")
    running = Traced(so, nf.devices, nf.args)
    indices, sources, counts, ages = (Object(number) for number in range(4))
    made = {found: (call.function, call.result) for found, call in running.objects.items()}
    assert made == {
        indices: ("map_allocate", 1),
        sources: ("vector_allocate", 1),
        counts: ("vector_allocate", 1),
        ages: ("dchain_allocate", 1),
    }
    assert running.objects[indices].args["capacity"] == 8
    # The three bytes behind `kind` are padding: equality does not see them, so the trace does not either.
    assert running.objects[indices].args["key_mask"] == bytes.fromhex("ff000000ffffffff")
    assert running.objects[counts].args["init_elem"] == ""  # null_init is static: it has no name to show

    packet = ipv4(0x01020304)
    key = bytes.fromhex("0400000001020304")
    assert running.process(0, packet, NOW)[0] == 1
    state = [call for call in running.calls if not call.function.startswith("packet_")]
    expiry: dict[str, Value] = {"chain": ages, "vector": sources, "map": indices, "time": NOW - 100}
    stored = state[3].args["value"]
    assert [call.function for call in state] == [
        "expire_items_single_map",
        "map_get",
        "dchain_allocate_new_index",
        "vector_borrow",
        "map_put",
        "vector_return",
        "vector_borrow",
        "vector_return",
    ]
    assert state[0] == Call("expire_items_single_map", expiry, 0)
    assert state[1] == Call("map_get", {"map": indices, "key": key}, 0)
    assert state[2] == Call("dchain_allocate_new_index", {"chain": ages, "time": NOW, "index_out": 0}, 1)
    assert stored == bytes(8)
    assert state[4] == Call("map_put", {"map": indices, "key": key, "value": 0}, None)
    assert state[7] == Call("vector_return", {"vector": counts, "index": 0, "value": b"\1\0\0\0"}, None)
    chunks = [call.args for call in running.calls if call.function == "packet_borrow_next_chunk"]
    assert chunks == [
        {"length": 14, "chunk": 0, "bytes": packet[:14]},
        {"length": 20, "chunk": 14, "bytes": packet[14:34]},
    ]

    running.process(0, packet, NOW)
    assert running.calls[-3].args == {"chain": ages, "index": 0, "time": NOW}
    assert Call("map_get", {"map": indices, "key": key, "value_out": 0}, 1) in running.calls


@settings(deadline=None, max_examples=20)
@given(steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 40)), max_size=40))
def test_a_traced_nf_answers_like_the_real_one(steps: list[tuple[int, int, int]]) -> None:
    folder = NFS / "talkers"
    real_so, nf = bench.build_nf(folder)
    traced_so, _ = bench.build_nf(folder, "traced")
    real, traced = Instance(real_so, nf.devices, nf.args), Traced(traced_so, nf.devices, nf.args)
    now = NOW
    for device, source, delay in steps:
        now += delay
        assert real.process(device, ipv4(source), now) == traced.process(device, ipv4(source), now)
    real.close()
    traced.close()


def test_a_script_answers_calls_and_leaves_state_alone() -> None:
    so, nf = bench.build_nf(NFS / "talkers", "traced")
    running = Traced(so, nf.devices, nf.args)
    known = [
        Answer("expire_items_single_map", 0),
        Answer("map_get", 1, 5),
        Answer("dchain_rejuvenate_index", 1),
        Answer("vector_borrow", out=b"\3\0\0\0"),
    ]
    assert running.process_scripted(0, ipv4(7), NOW, known) == (0, ipv4(7))  # the fourth packet: dropped
    assert running.calls[-1].args == {"vector": Object(2), "index": 5, "value": b"\4\0\0\0"}
    full = [Answer("expire_items_single_map", 3), Answer("map_get", 0), Answer("dchain_allocate_new_index", 0)]
    assert running.process_scripted(1, ipv4(7), NOW, full)[0] == 1
    # None of this happened: the first real packet is the first.
    running.process(0, ipv4(7), NOW)
    assert Call("map_get", {"map": Object(0), "key": b"\4\0\0\0\0\0\0\7"}, 0) in running.calls


def medley_packets(seed: int, count: int) -> list[tuple[int, bytes, int]]:
    """Devices, packets and times for medley.c: few keys, some below 2^24, so that all of its branches are taken."""
    draw, now, packets = random.Random(seed), NOW, []
    for _ in range(count):
        now += draw.choice([0, 1, 10, 60])
        key = draw.choice([draw.randrange(20), 0x01000000 + draw.randrange(4)])
        body = struct.pack("<I", key) + bytes(24)
        packets.append((draw.randrange(2), bytes(14) + body if draw.random() < 0.95 else bytes(30), now))
    return packets


def test_every_call_is_traced_and_a_recorded_packet_can_be_replayed_as_a_script() -> None:
    real_so, _ = bench.build_nf(NFS / "medley")
    traced_so, _ = bench.build_nf(NFS / "medley", "traced")
    real, recording, replaying = Instance(real_so), Traced(traced_so), Traced(traced_so)
    seen = {call.function for call in recording.initial}
    for device, packet, now in medley_packets(seed=1, count=1000):
        result = recording.process(device, packet, now)
        assert result == real.process(device, packet, now)
        calls = recording.calls
        seen |= {call.function for call in calls}
        assert replaying.process_scripted(device, packet, now, as_script(calls)) == result
        assert [call.function for call in replaying.calls] == [call.function for call in calls]
    changing_packets = {"packet_shrink_chunk", "packet_insert_new_chunk"}
    assert seen == set(bench.double_calls()) - changing_packets
    so, _ = bench.build_nf(NFS / "tagger", "traced")
    tagger = Traced(so)
    tagger.process(1, tagger.process(0, bytes(60), NOW)[1], NOW)
    assert "packet_shrink_chunk" in {call.function for call in tagger.calls}


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([Answer("expire_items_single_map", 0)], "map_get is one call more than the 1 answers"),
        ([Answer("map_get", 0)], "answer 0 is for map_get, but the call is expire_items_single_map"),
        (
            [
                Answer("expire_items_single_map", 0),
                Answer("map_get", 0),
                Answer("dchain_allocate_new_index", 0),
                Answer("map_get", 0),
            ],
            "left 1 of 4 answers unused",
        ),
        ([Answer("expire_items_single_map", 0), Answer("map_get", 1, bytes(5))], "5 bytes"),
    ],
)
def test_a_script_that_does_not_fit_the_calls_is_an_error(script: Sequence[Answer], message: str) -> None:
    so, nf = bench.build_nf(NFS / "talkers", "traced")
    running = Traced(so, nf.devices, nf.args)
    with pytest.raises(NativeError, match=message):
        running.process_scripted(0, ipv4(7), NOW, script)
    assert running.process(0, ipv4(7), NOW)[0] == 1


# ---- Real NFs

# Arguments that fill tables and expire entries within a few hundred packets.
SMALL = {
    "vigfw": "--wan 1 --expire 1 --max-flows 16 --eth-dest 0,01:23:45:67:89:00 --eth-dest 1,01:23:45:67:89:01",
    "vignat": "--wan 1 --expire 1 --starting-port 0 --max-flows 16 --extip 10.0.0.3"
    " --eth-dest 0,01:23:45:67:89:00 --eth-dest 1,01:23:45:67:89:01",
    "vigpol": "--wan 0 --lan 1 --rate 1000000 --burst 300 --capacity 4",
    "vigbridge": "--expire 1 --capacity 8",
    "viglb": "--flow-expiration 1 --flow-capacity 16 --backend-capacity 8 --cht-height 97"
    " --backend-expiration 5 --wan 2",
    "vignop": "--lan-dev 0 --wan 1",
}


def without_libvig(root: Path, scratch: Path) -> Path:
    """A tree like Vigor's whose NFs can find no libVig but ours."""
    for entry in root.iterdir():
        if entry.name != "libvig":
            (scratch / entry.name).symlink_to(entry)
    return scratch


def random_packet(draw: random.Random) -> bytes:
    """A packet from pools so small that flows, replies and collisions are frequent."""
    macs = b"".join(bytes(5) + bytes([draw.randrange(6)]) for _ in range(2))
    if draw.random() < 0.05:
        return macs + b"\x08\x06" + bytes(46)
    protocol = draw.choice([6, 6, 17, 17, 1])
    source, destination = (0x0A000000 + draw.randrange(4) for _ in range(2))
    ports = bytes([draw.randrange(16), 0, draw.randrange(16), 0])
    payload = ports + bytes(draw.randrange(20, 200))
    total = 20 + len(payload)
    header = struct.pack("!BBHHHBBHII", 0x45, 0, total, 0, 0, 64, protocol, 0, source, destination)
    return macs + b"\x08\x00" + header + payload


def without_cells(calls: Sequence[Call]) -> list[tuple[object, ...]]:
    """Calls without the bytes of vector cells, whose padding is whatever the NF's stack held."""
    return [
        (call.function, call.result, {name: value for name, value in call.args.items() if name != "value"})
        for call in calls
    ]


@needs_vigor
@pytest.mark.parametrize("name", SMALL)
def test_a_real_nf_behaves_the_same_on_our_libvig_and_on_its_own(name: str, tmp_path: Path) -> None:
    if not (VIGOR / name).is_dir():
        pytest.fail(f"{VIGOR} has no {name}")
    devices = bench.read_nf(VIGOR / name).devices
    pow2 = ["CAPACITY_POW2"]
    theirs, _ = bench.build_nf(VIGOR / name, libvig=VIGOR / "libvig" / "verified", defines=pow2)
    own_tree = without_libvig(VIGOR, tmp_path)
    ours, _ = bench.build_nf(own_tree / name, defines=pow2)
    traced, _ = bench.build_nf(own_tree / name, "traced")
    traced_theirs, _ = bench.build_nf(VIGOR / name, "traced", libvig=VIGOR / "libvig" / "verified")
    running = [Instance(theirs, devices, SMALL[name].split()), Instance(ours, devices, SMALL[name].split())]
    tracing = [Traced(so, devices, SMALL[name].split()) for so in (traced, traced_theirs)]
    replaying = Traced(traced, devices, SMALL[name].split())
    draw, now, seen = random.Random(name), NOW, set[int]()
    for _ in range(3000):
        now += draw.choice([1, 50, 300, 4000])
        device, packet = draw.randrange(devices), random_packet(draw)
        results = [instance.process(device, packet, now) for instance in (*running, *tracing)]
        assert all(result == results[0] for result in results)
        assert without_cells(tracing[0].calls) == without_cells(tracing[1].calls)
        assert replaying.process_scripted(device, packet, now, as_script(tracing[0].calls)) == results[0]
        seen.add(results[0][0])
    assert len(seen) > 1
