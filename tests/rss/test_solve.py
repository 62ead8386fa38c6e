"""The key solver against the thesis's published numbers, and against itself where two ways must agree."""

import random

import pytest
from thesis_cases import FOUR_TUPLE, MATRICES, devices, padded, requirements

from maestro_lsp import rss
from maestro_lsp.rss import gf2, quality


@pytest.mark.parametrize(
    ("nf", "equal", "table_bits", "dimension"),
    [
        ("firewall", "hash", 9, 34),
        ("policer", "hash", 9, 128),
        ("nat", "hash", 9, 1),
        ("firewall", "index", 9, 80),
        ("policer", "index", 9, 128),
        ("nat", "index", 9, 32),
        ("firewall", "index", 7, 84),
        ("policer", "index", 7, 128),
        ("nat", "index", 7, 36),
    ],
)
def test_solution_spaces_have_the_dimensions_of_the_thesis(nf, equal, table_bits, dimension):
    assert rss.solve(devices(table_bits), requirements(nf), equal).dimension == dimension


@pytest.mark.parametrize("nf", sorted(MATRICES))
def test_keys_printed_in_the_thesis_are_members(nf):
    space = rss.solve(devices(), requirements(nf), "hash")
    assert space.contains(padded(nf))
    spoilt = padded(nf)
    spoilt[1] = (int.from_bytes(spoilt[1]) ^ 1 << (52 * 8 - 50)).to_bytes(52)
    assert not space.contains(spoilt)


@pytest.mark.parametrize("nf", sorted(MATRICES))
def test_random_members_satisfy_the_requirements(nf):
    space = rss.solve(devices(), requirements(nf))
    for seed in range(20):
        keys = space.random(seed)
        assert space.contains(keys)
        assert keys == space.random(seed)


@pytest.mark.parametrize("nf", sorted(MATRICES))
@pytest.mark.parametrize("equal", ["index", "hash"])
def test_field_ranges_and_elimination_give_the_same_space(nf, equal):
    by_fields = requirements(nf)
    by_bits = []
    for r in by_fields:
        bits = tuple(equation for same in r.when.equalities for equation in rss.equations(same))
        by_bits.append(rss.Requirement(r.i, r.j, rss.Conjunction(equations=bits)))
    first, second = (rss.solve(devices(), rows, equal) for rows in (by_fields, by_bits))
    assert first.dimension == second.dimension
    assert all(second.contains(first.keys(1 << at)) for at in range(first.dimension))


def test_no_requirement_leaves_every_key():
    space = rss.solve(devices(), [])
    assert space.dimension == 2 * 104
    assert space.queue_bits(0, space.device(0).inputs[0]) == rss.QueueBits(9, 9)


def test_true_leaves_no_queue_bit_and_the_explanation_is_minimal():
    everything = rss.Requirement(0, 0, label="a counter")
    space = rss.solve(devices(), [*requirements("firewall"), everything])
    tcp = space.device(0).inputs[0]
    assert not space.drives(0, tcp)
    assert space.queue_bits(0, tcp) == rss.QueueBits(0, 0)
    assert [str(r) for r in space.explain(0)] == ["a counter"]


def test_disjoint_shardings_are_explained_by_both():
    by_source = rss.Requirement(0, 0, rss.all_equal(["ipv4.src", "ipv4.src"]))
    by_target = rss.Requirement(0, 0, rss.all_equal(["ipv4.dst", "ipv4.dst"]))
    space = rss.solve(devices(), [by_source, by_target])
    assert space.explain(0) == (by_source, by_target)
    assert space.explain(1) == ()


def test_explanations_are_what_deleting_one_requirement_after_the_other_leaves():
    rng, names, explained = random.Random(1), ["ipv4.src", "ipv4.dst", "l4.src", "l4.dst", "ipv4.ttl"], 0
    for _ in range(60):
        wanted = [
            rss.Requirement(0, 0, rss.all_equal(*([name, name] for name in rng.sample(names, rng.randrange(1, 4)))))
            for _ in range(rng.randrange(1, 9))
        ]
        space = rss.solve(devices(), wanted)
        inputs = [i for i in space.device(0).inputs if (0, i.packet_class) in space.named]

        def spreads(kept, inputs=inputs):
            return any(rss.solve(devices(), kept).drives(0, i) for i in inputs)

        left = wanted
        for one in wanted:
            fewer = [r for r in left if r is not one]
            left = left if spreads(fewer) else fewer
        expected = [] if spreads(wanted) else left
        assert [id(r) for r in space.explain(0)] == [id(r) for r in expected]
        explained += bool(expected)
    assert 20 < explained < 60


def test_classes_that_nothing_ties_do_not_hide_the_explanation():
    crossed = rss.Requirement(0, 0, rss.all_equal(["ipv4.src", "ipv4.dst"]))
    v4, v6 = (rss.HashInput.of(f"{v}-tcp", f"{v}.src", f"{v}.dst") for v in ("ipv4", "ipv6"))
    space = rss.solve([rss.Device(0, (v4, v6))], [crossed])
    assert space.drives(0, v6)
    assert space.explain(0) == (crossed,)


def test_contradictions_ask_for_nothing():
    never = rss.all_equal(["ipv4.ttl", 1], ["ipv4.ttl[0:1]", "ipv4.tos[0:1]"], ["ipv4.proto", "ipv4.proto"])
    contradiction = rss.Conjunction(never.equalities + rss.all_equal(["ipv4.ttl", 2]).equalities)
    assert rss.solve(devices(), [rss.Requirement(0, 0, contradiction)]).dimension == 208
    # proto = proto cannot hold between TCP and UDP
    tcp_udp = rss.Requirement(0, 0, rss.all_equal(["ipv4.proto", "ipv4.proto"]), frozenset({("ipv4-tcp", "ipv4-udp")}))
    assert rss.solve(devices(), [tcp_udp]).dimension == 208


def test_a_constant_adds_one_direction_to_the_span():
    # The pairs span everything else on either side, and 53 on both: all but the port is cleared.
    dns = rss.Requirement(0, 0, rss.all_equal(["l4.dst", 53], [53, "l4.dst"]))
    space = rss.solve(devices(), [dns])
    tcp = space.device(0).inputs[0]
    assert space.deciding(0, tcp) >> 80 == (1 << 16) - 1
    assert space.deciding(0, tcp) & ((1 << 71) - 1) == 0


def test_an_unhashed_class_ties_the_others_to_entry_zero():
    inputs = (rss.HashInput.of("ipv4-tcp", *FOUR_TUPLE), rss.HashInput("ipv4-other", ()))
    device = rss.Device(0, inputs)
    by_source = rss.Requirement(0, 0, rss.all_equal(["ipv4.src", "ipv4.src"]))
    space = rss.solve([device], [by_source])
    assert not space.drives(0, inputs[0])
    tcp_only = rss.Requirement(0, 0, by_source.when, frozenset({("ipv4-tcp", "ipv4-tcp")}))
    assert rss.solve([device], [tcp_only]).queue_bits(0, inputs[0]) == rss.QueueBits(9, 9)


def test_addresses_alone_clear_the_ports_of_the_longer_input():
    inputs = (
        rss.HashInput.of("ipv4-tcp", *FOUR_TUPLE),
        rss.HashInput.of("ipv4-other", "ipv4.src", "ipv4.dst"),
    )
    same = rss.Requirement(0, 0, rss.all_equal(["ipv4.src", "ipv4.src"], ["ipv4.dst", "ipv4.dst"]))
    space = rss.solve([rss.Device(0, inputs)], [same])
    assert space.deciding(0, inputs[0]) & ~((1 << 64) - 1) == 0
    assert space.queue_bits(0, inputs[0]).exact


def test_bad_devices_are_refused_in_one_line():
    long = rss.HashInput.of("ipv6-tcp", "ipv6.src", "ipv6.dst", "l4.src", "l4.dst", "sctp.tag")
    with pytest.raises(rss.SpecError, match="takes a key of 44 bytes, not 40"):
        rss.solve([rss.Device(0, (long,), key_bytes=40)], [])
    with pytest.raises(rss.SpecError, match="no such device"):
        rss.solve(devices(), [rss.Requirement(0, 7)])
    with pytest.raises(rss.SpecError, match="given twice"):
        rss.solve([*devices(), *devices()], [])
    with pytest.raises(rss.SpecError, match="40 bytes, the NIC takes 52"):
        rss.solve(devices(), []).contains({0: bytes(40), 1: bytes(40)})
    with pytest.raises(rss.FieldError, match="unknown field"):
        rss.parse("ipv4.source")
    with pytest.raises(rss.FieldError, match="bits 0 to 32"):
        rss.parse("ipv4.src[0:33]")
    with pytest.raises(rss.FieldError, match="32 bits cannot equal 16 bits"):
        rss.equal("ipv4.src", "l4.src")


@pytest.mark.parametrize("nf", sorted(MATRICES))
def test_ranks_of_windows_are_those_of_the_rows_by_elimination(nf):
    space = rss.solve(devices(), requirements(nf))
    draw = random.Random(3)
    for _ in range(200):
        vector = space.member(draw.getrandbits(space.dimension))
        device = draw.choice(space.devices)
        hash_input = draw.choice(device.inputs)
        start = draw.randrange(hash_input.width)
        width = draw.randint(1, hash_input.width - start)
        mask = ((1 << width) - 1) << start
        rows = space.index_rows(vector, device.number, hash_input)
        assert space.index_rank(vector, device.number, start, width) == gf2.rank(row & mask for row in rows)


@pytest.mark.parametrize("nf", sorted(MATRICES))
def test_no_member_that_was_passed_over_is_better(nf):
    space = rss.solve(devices(), requirements(nf))
    for seed in range(5):
        draw = random.Random(seed)
        total = sum(8 * d.key_bytes for d in space.devices)
        drawn = []
        for _ in range(quality.MEMBERS + 1):
            vector = space.member(draw.getrandbits(space.dimension))
            vector |= draw.getrandbits(total) & ((1 << total) - 1) & ~space.used
            drawn.append(quality.rate(space, space.split(vector)))
        assert quality.best(space, seed)[0].score == max(r.score for r in drawn)
