"""End to end: packets built to satisfy requirements meet at one queue under the chosen configuration.

The packets are made here by copying fields, without the solver's spans, and hashed by the reference function.
"""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_lsp import rss
from maestro_lsp.rss import fields
from maestro_lsp.rss.balance import repeated, round_robin
from maestro_lsp.rss.configure import configure
from maestro_lsp.rss.nic import profile
from maestro_lsp.rss.toeplitz import hash_fields

NAMES = {
    "ipv4": ["ipv4.src", "ipv4.dst", "ipv4.proto", "ipv4.ttl"],
    "ipv6": ["ipv6.src", "ipv6.dst"],
    "l4": ["l4.src", "l4.dst"],
    "sctp": ["sctp.tag"],
    "eth": ["eth.dst", "eth.src"],
}
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
NICS = ["generic", "x710", "82599", "connectx", "e810", "software"]

part = st.sampled_from(
    [
        "ipv4.src",
        "ipv4.dst",
        "ipv4.src[0:16]",
        "ipv4.dst[8:24]",
        "ipv4.proto",
        "ipv4.ttl",
        "l4.src",
        "l4.dst",
        "l4.dst[4:12]",
        "ipv4.src[24:32]",
        "eth.src[0:32]",
        "ipv6.src[0:32]",
    ]
)


@st.composite
def conjunctions(draw):
    """Equalities of fields of one width (or constants), no bit of e twice, so that copying satisfies them."""
    pairs, taken = [], []
    for _ in range(draw(st.integers(0, 4))):
        left, right = rss.parse(draw(part)), rss.parse(draw(part))
        constant = draw(st.integers(0, 9)) == 0
        if not constant and left.width != right.width:
            continue
        if any(right.name == t.name and right.start < t.stop and t.start < right.stop for t in taken):
            continue
        taken.append(right)
        pairs.append([draw(st.integers(0, (1 << right.width) - 1)) if constant else str(left), str(right)])
    return rss.all_equal(*pairs)


requirement = st.builds(rss.Requirement, st.sampled_from([0, 1]), st.sampled_from([0, 1]), conjunctions())


def random_packet(draw, packet_class):
    """Values of all fields of a packet of a class."""
    version, _, kind = packet_class.partition("-")
    headers = [version, "eth"] + (["l4"] if kind in PROTOCOLS else []) + (["sctp"] if kind == "sctp" else [])
    values = {name: draw.getrandbits(fields.width(name)) for header in headers for name in NAMES.get(header, [])}
    if "ipv4.proto" in values:
        plain = [value for value in range(256) if value not in PROTOCOLS.values()]
        values["ipv4.proto"] = PROTOCOLS.get(kind, draw.choice(plain) if kind == "other" else 6)
    values["eth.type"] = {"ipv4": 0x800, "ipv6": 0x86DD}.get(version, 0x806)
    return values


def read(values, field):
    whole = fields.width(field.name)
    return values[field.name] >> (whole - field.stop) & ((1 << field.width) - 1)


def satisfied(when, d, e):
    return all(
        (same.left if isinstance(same.left, int) else read(d, same.left)) == read(e, same.right)
        for same in when.equalities
    )


def partner(draw, when, d, packet_class):
    """A random packet e of the class with the fields copied that `when` asks for; None if the class forbids them."""
    e = random_packet(draw, packet_class)
    proto = e.get("ipv4.proto")
    for same in when.equalities:
        value = same.left if isinstance(same.left, int) else read(d, same.left)
        shift = fields.width(same.right.name) - same.right.stop
        mask = ((1 << same.right.width) - 1) << shift
        e[same.right.name] = e[same.right.name] & ~mask | value << shift
    kind = packet_class.partition("-")[2]
    now = e.get("ipv4.proto")
    forbidden = kind in PROTOCOLS or (kind == "other" and now in PROTOCOLS.values())
    if now != proto and forbidden:
        return None
    return e if satisfied(when, d, e) else None


@settings(max_examples=80, deadline=None)
@given(
    st.lists(requirement, min_size=1, max_size=4),
    st.sampled_from(NICS),
    st.sampled_from(NICS),
    st.integers(1, 16),
    st.integers(0, 1000),
)
def test_packets_that_must_meet_reach_one_queue(rows, nic, other, queues, seed):
    draw = random.Random(seed)
    found = configure({0: profile(nic), 1: profile(other)}, [0, 1], rows, classes=rss.PACKET_CLASSES, seed=seed)
    space = found.space
    tables = {}
    for group in found.table_groups:
        sizes = {n: 1 << space.device(n).table_bits for n in group}
        tables |= {n: repeated(round_robin(min(sizes.values()), queues), size) for n, size in sizes.items()}

    def queue(number, packet_class, values):
        hash_input = space.device(number).input(packet_class).fields
        return tables[number][hash_fields(found.keys[number], hash_input, values) % len(tables[number])]

    for row in rows:
        for _ in range(25):
            class_d, class_e = draw.choice(rss.PACKET_CLASSES), draw.choice(rss.PACKET_CLASSES)
            if not row.applies(class_d, class_e):
                continue
            d = random_packet(draw, class_d)
            e = partner(draw, row.when, d, class_e)
            if e is not None:
                assert queue(row.i, class_d, d) == queue(row.j, class_e, e), (str(row), class_d, class_e)
