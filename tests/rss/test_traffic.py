"""Traffic, captures and tables: the thesis's figures, frames of every kind, and bounds that no table beats."""

import io
import struct

import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thesis_cases import padded, requirements

from maestro_lsp import rss
from maestro_lsp.rss import balance
from maestro_lsp.rss.capture import CaptureError, classify, read_capture
from maestro_lsp.rss.configure import configure
from maestro_lsp.rss.nic import profile
from maestro_lsp.rss.traffic import Traffic, entry_loads, indices, sample_score, uniform, zipf


def addresses_of_a_16(field):
    """65536 packets that differ in the low 16 bits of one address only."""
    count = 1 << 16
    columns = {
        name: np.zeros((count, size), np.uint8)
        for name, size in (("ipv4.src", 4), ("ipv4.dst", 4), ("l4.src", 2), ("l4.dst", 2))
    }
    columns[field][:, :2] = (10, 7)
    columns[field][:, 2:] = np.arange(count, dtype=">u2").view(np.uint8).reshape(-1, 2)
    return Traffic(np.full(count, rss.PACKET_CLASSES.index("ipv4-udp"), np.uint8), columns)


@pytest.mark.parametrize(
    ("nf", "device", "field"), [("policer", 1, "ipv4.dst"), ("nat", 0, "ipv4.dst"), ("nat", 1, "ipv4.src")]
)
def test_a_16_of_addresses_spreads_over_16_queues_with_our_keys_but_not_with_the_published(nf, device, field):
    found = configure(profile("generic"), [0, 1], requirements(nf))
    traffic = addresses_of_a_16(field)
    table = balance.round_robin(512, 16)
    skews = [
        balance.skew(entry_loads(traffic, found.space.device(device), keys[device]), table, 16)
        for keys in (found.keys, padded(nf))
    ]
    assert skews[0].busiest / skews[0].mean <= 1.1
    assert skews[1].busiest / skews[1].mean == 16.0


def test_zipfian_traffic_has_the_shares_that_the_thesis_uses():
    traffic = zipf(200_000, seed=1)
    flows = traffic.columns["ipv4.src"].view(">u4").ravel()
    counts = np.sort(np.unique(flows, return_counts=True)[1])[::-1]
    assert counts[:48].sum() / len(traffic) == pytest.approx(0.8, abs=0.01)
    assert len(np.unique(uniform(1000, flows=10).columns["l4.src"], axis=0)) == 10


def test_indices_agree_with_hashing_one_by_one():
    found = configure(profile("x710"), [0], [])
    device, key = found.space.device(0), found.keys[0]
    four = device.input("ipv6-tcp").fields
    traffic = uniform(40, seed=2, packet_class="ipv6-tcp")
    for at, index in enumerate(indices(traffic, device, key)):
        values = {name: int.from_bytes(column[at].tobytes()) for name, column in traffic.columns.items()}
        from maestro_lsp.rss.toeplitz import hash_fields

        assert index == hash_fields(key, four, values) & 511


def test_a_sample_picks_the_keys_that_spread_it_best():
    rows = requirements("firewall")
    plain = configure(profile("generic"), [0, 1], rows)
    traffic = zipf(5000, seed=4, packet_class="ipv4-tcp")
    score = sample_score(traffic, plain.space.devices, 8)
    chosen = configure(profile("generic"), [0, 1], rows, sample=score)
    assert score(chosen.keys) < score(plain.keys)
    assert chosen.space.contains(chosen.keys)


# --- tables ---

loads_of = st.lists(st.integers(0, 1000), min_size=16, max_size=16)


@settings(max_examples=200, deadline=None)
@given(loads_of, st.integers(1, 7))
def test_balanced_tables_are_within_the_guarantee_of_elephants_first(loads, queues):
    table = balance.balanced(loads, queues)
    found = balance.skew(np.array(loads), table, queues)
    # Graham: largest first is within 4/3 - 1/(3 queues) of the best table, which is at least the bound.
    best = max(found.bound, sorted(loads)[-queues - 1] + sorted(loads)[-queues] if queues < len(loads) else 0)
    assert found.bound <= found.busiest <= (4 / 3) * best + 1
    assert sorted(set(table)) == list(range(queues))


@settings(max_examples=200, deadline=None)
@given(loads_of, loads_of, st.integers(2, 6), st.sets(st.integers(0, 15)))
def test_rebalancing_moves_little_never_frozen_entries_and_never_makes_it_worse(old, new, queues, frozen):
    table = balance.balanced(old, queues)
    result = balance.rebalanced(table, new, queues, frozen=frozen)
    loads = np.array(new)
    before, after = (int(balance.queue_loads(loads, t, queues).max()) for t in (table, result.table))
    assert after <= before
    assert not frozen & set(result.moved)
    assert [e for e in range(16) if table[e] != result.table[e]] == list(result.moved)
    again = balance.rebalanced(result.table, new, queues, frozen=frozen)
    assert again.moved == ()


def test_small_cases_reach_the_best_of_all_tables():
    import itertools

    draw = np.random.default_rng(5)
    for _ in range(30):
        loads = draw.integers(0, 40, 7)
        best = min(int(balance.queue_loads(loads, table, 3).max()) for table in itertools.product(range(3), repeat=7))
        found = balance.skew(loads, balance.balanced(loads, 3), 3)
        assert found.bound <= best <= found.busiest <= best * 1.15 + 1


@settings(max_examples=100, deadline=None)
@given(loads_of, st.integers(1, 7))
def test_entry_0_of_a_balanced_table_is_queue_0_where_nics_send_what_they_do_not_hash(loads, queues):
    assert balance.balanced(loads, queues)[0] == 0


def test_the_recommended_cores_are_those_that_still_add_half_a_core():
    even = balance.recommended([10] * 64, 16)
    assert (even.cores, even.speedup) == (16, 16.0)
    # One bucket has a quarter of the load, so nothing is faster than four cores; Zipf's first flow has as much.
    elephant = balance.recommended([64, *[3] * 64], 16)
    assert elephant.cores == 4 and elephant.speedup == pytest.approx(4, rel=0.05)
    skewed = balance.expected(9, balance.ZIPF_FLOWS, balance.ZIPF_EXPONENT)
    measured = balance.recommended(
        np.bincount(np.unique(zipf(300_000, seed=3).columns["ipv4.src"], axis=0, return_inverse=True)[1]), 16
    )
    assert skewed.cores == measured.cores and skewed.speedup == pytest.approx(measured.speedup, rel=0.05)
    assert balance.expected(2) == balance.Recommendation(4, 4.0)


def test_tied_tables_of_different_sizes_send_a_packet_to_one_queue():
    found = configure({0: profile("x710"), 1: profile("82599")}, [0, 1], requirements("nat"), classes=["ipv4-udp"])
    there = uniform(2000, seed=6)
    swapped = {"src": "dst", "dst": "src"}
    back = Traffic(
        there.classes,
        {
            f"{n.rpartition('.')[0]}.{swapped.get(n.rpartition('.')[2], n.rpartition('.')[2])}": c
            for n, c in there.columns.items()
        },
    )
    small = balance.round_robin(128, 6)
    large = balance.repeated(small, 512)
    out, home = (
        np.asarray(table)[indices(traffic, found.space.device(n), found.keys[n])]
        for n, traffic, table in ((0, there, large), (1, back, small))
    )
    assert np.array_equal(out, home)
    assert len(set(out)) == 6


# --- captures ---


def ethernet(kind, payload, tags=()):
    header = b"\x02" * 6 + b"\x04" * 6
    for tag in tags:
        header += struct.pack("!HH", 0x8100, tag)
    return header + struct.pack("!H", kind) + payload


def ipv4(proto, payload, fragment=0, options=b""):
    words = 5 + len(options) // 4
    return struct.pack(
        "!BBHHHBBH4s4s", 0x40 | words, 0, 20, 0, fragment, 64, proto, 0, b"\x0a\0\0\1", b"\x0a\0\0\2"
    ) + (options + payload)


def ipv6(proto, payload):
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + b"\x20" * 16 + b"\x30" * 16 + payload


PORTS = struct.pack("!HH", 1234, 80) + bytes(16)
FRAMES = [
    (ethernet(0x800, ipv4(6, PORTS)), "ipv4-tcp"),
    (ethernet(0x800, ipv4(17, PORTS), tags=(5, 6)), "ipv4-udp"),
    (ethernet(0x800, ipv4(132, PORTS)), "ipv4-sctp"),
    (ethernet(0x800, ipv4(6, PORTS, options=bytes(8))), "ipv4-tcp"),
    (ethernet(0x800, ipv4(1, PORTS)), "ipv4-other"),
    (ethernet(0x800, ipv4(6, PORTS, fragment=0x2000)), "ipv4-frag"),
    (ethernet(0x800, ipv4(6, PORTS, fragment=0x0003)), "ipv4-frag"),
    (ethernet(0x800, ipv4(6, PORTS, fragment=0x4000)), "ipv4-tcp"),  # only "don't fragment"
    (ethernet(0x86DD, ipv6(6, PORTS)), "ipv6-tcp"),
    (ethernet(0x86DD, ipv6(0, bytes([17, 0]) + bytes(6) + PORTS)), "ipv6-udp"),
    (ethernet(0x86DD, ipv6(44, bytes(8) + PORTS)), "ipv6-frag"),
    (ethernet(0x86DD, ipv6(58, PORTS)), "ipv6-other"),
    (ethernet(0x806, bytes(28)), "l2-payload"),
]


@pytest.mark.parametrize(("frame", "packet_class"), FRAMES, ids=lambda v: v if isinstance(v, str) else "")
def test_frames_are_classified_as_the_nic_does(frame, packet_class):
    found = classify(frame)
    assert found is not None and found[0] == packet_class
    if packet_class.endswith(("tcp", "udp", "sctp")):
        assert found[1]["l4.src"] == b"\x04\xd2" and found[1]["l4.dst"] == b"\0\x50"
    if packet_class.startswith("ipv4"):
        assert found[1]["ipv4.dst"] == b"\x0a\0\0\2"


def test_frames_cut_off_anywhere_are_skipped_or_classified_but_never_crash():
    for frame, _ in FRAMES:
        for length in range(len(frame)):
            found = classify(frame[:length])
            if length < 14:
                assert found is None
            elif found is not None and found[0].endswith(("tcp", "udp")):
                assert len(found[1]["l4.dst"]) == 2


def write(path, frames, writer):
    buffer = io.BytesIO()
    out = writer(buffer)
    for at, frame in enumerate(frames):
        out.writepkt(frame, ts=1.0 + at)
    path.write_bytes(buffer.getvalue())


@pytest.mark.parametrize("writer", [dpkt.pcap.Writer, dpkt.pcapng.Writer])
def test_captures_are_read_in_both_formats(tmp_path, writer):
    path = tmp_path / "some.pcap"
    write(path, [*(frame for frame, _ in FRAMES), b"\0" * 9], writer)
    traffic = read_capture(path)
    assert [rss.PACKET_CLASSES[c] for c in traffic.classes] == [name for _, name in FRAMES]
    assert traffic.skipped == 1
    assert len(read_capture(path, limit=3)) == 3


@pytest.mark.parametrize("writer", [dpkt.pcap.Writer, dpkt.pcapng.Writer])
def test_damaged_captures_are_refused_in_one_line(tmp_path, writer):
    path = tmp_path / "bad.pcap"
    write(path, [frame for frame, _ in FRAMES], writer)
    whole = path.read_bytes()
    for length in (0, 3, 20, 30, len(whole) - 5):
        path.write_bytes(whole[:length])
        with pytest.raises(CaptureError) as error:
            read_capture(path)
        assert "bad.pcap" in str(error.value) and "\n" not in str(error.value)
    path.write_bytes(b"not a capture at all, just text")
    with pytest.raises(CaptureError, match="neither pcap nor pcapng"):
        read_capture(path)
    write(path, [], writer)
    with pytest.raises(CaptureError, match="holds no packets"):
        read_capture(path)
    write(path, [b"\0" * 9], writer)
    with pytest.raises(CaptureError, match="none of its 1 packets is well-formed"):
        read_capture(path)
