"""Options, best keys and their proof: the figures of the issue, and wrong keys that the proof must catch."""

import pytest
from thesis_cases import FOUR_TUPLE, MATRICES, devices, padded, requirements

from maestro_lsp import rss
from maestro_lsp.rss.configure import _Search, configure
from maestro_lsp.rss.constraint import Conjunction, Requirement, equal
from maestro_lsp.rss.nic import profile, profiles
from maestro_lsp.rss.proof import prove
from maestro_lsp.rss.quality import best, rate


@pytest.mark.parametrize(("nf", "device", "field"), [("nat", 0, "ipv4.dst"), ("policer", 1, "ipv4.dst")])
def test_all_index_bits_depend_on_the_low_bits_of_the_deciding_address(nf, device, field):
    found = configure(profile("generic"), [0, 1], requirements(nf))
    quality = next(q for q in found.ranked[0].inputs if q.device == device)
    assert quality.queue_bits == 9
    assert dict(quality.fields)[field] == 9
    published = rate(found.space, padded(nf))
    assert field not in dict(next(q for q in published.inputs if q.device == device).fields)


@pytest.mark.parametrize("nf", sorted(MATRICES))
@pytest.mark.parametrize("nic", sorted(profiles()))
def test_best_keys_are_members_and_proved(nf, nic):
    found = configure(profile(nic), [0, 1], requirements(nf), seed=4)
    assert found.space.contains(found.keys)
    assert min(found.queue_bits(0), found.queue_bits(1)) == profile(nic).table_bits
    proof = prove(found.space, found.keys)
    assert proof.holds and proof.checks
    assert all(check.members == 4 for check in proof.checks if not check.never)


def test_the_same_seed_gives_the_same_configuration():
    first, second = (configure(profile("x710"), [0, 1], requirements("firewall"), seed=9) for _ in range(2))
    assert first.to_json() == second.to_json()
    other = configure(profile("x710"), [0, 1], requirements("firewall"), seed=10)
    assert other.keys != first.keys


def test_alternatives_are_different_members():
    space = rss.solve(devices(), requirements("nat"))
    found = best(space, alternatives=4)
    assert len({ranked.keys[0] for ranked in found}) == 4
    assert all(space.contains(ranked.keys) for ranked in found)


@pytest.mark.parametrize("nf", sorted(MATRICES))
def test_the_proof_catches_a_wrong_key(nf):
    found = configure(profile("generic"), [0, 1], requirements(nf))
    wrong = dict(found.keys)
    wrong[1] = (int.from_bytes(wrong[1]) ^ 1 << (52 * 8 - 40)).to_bytes(52)  # key bit 39
    assert not prove(found.space, wrong).holds


def test_the_proof_catches_a_span_that_is_too_small(monkeypatch):
    from maestro_lsp.rss import proof
    from maestro_lsp.rss.span import Span

    found = configure(profile("generic"), [0, 1], requirements("firewall"))
    monkeypatch.setattr(proof, "span", lambda *_: Span(vectors=(1 | 1 << 96,)))
    failures = proof.prove(found.space, found.keys).failures
    assert failures and "outside the span" in failures[0].failure
    monkeypatch.setattr(proof, "span", lambda *_: None)
    assert "Z3 does not" in proof.prove(found.space, found.keys).failures[0].failure


def test_partial_inputs_are_chosen_only_where_they_gain_queue_bits():
    # All 32 bits equal: with the four-tuple, clearing the ports costs the low bits of the address.
    by_target = [rss.Requirement(0, 0, rss.all_equal(["ipv4.dst", "ipv4.dst"]))]
    index = configure(profile("x710"), [0], by_target, classes=["ipv4-tcp"])
    whole = configure(profile("generic"), [0], by_target, classes=["ipv4-tcp"], equal="hash")
    partial = configure(profile("x710"), [0], by_target, classes=["ipv4-tcp"], equal="hash")
    assert [str(f) for f in index.space.device(0).inputs[0].fields] == list(FOUR_TUPLE)
    assert whole.ranked[0].inputs[0].fields == ()
    assert dict(partial.ranked[0].inputs[0].fields)["ipv4.dst"] == 9
    assert "l4.src" not in [str(f) for f in partial.space.device(0).inputs[0].fields]


def test_an_adapter_wide_partial_input_is_the_same_on_all_devices():
    rows = [
        rss.Requirement(0, 0, rss.all_equal(["ipv4.src", "ipv4.src"])),
        rss.Requirement(1, 1, rss.all_equal(["ipv4.dst", "ipv4.dst"])),
    ]
    adapter = configure(profile("x710"), [0, 1], rows, equal="hash", classes=["ipv4-tcp"])
    port = configure(profile("connectx"), [0, 1], rows, equal="hash", classes=["ipv4-tcp"])
    assert adapter.partials[0] == adapter.partials[1]
    assert port.partials[0] != port.partials[1]
    assert port.table_groups == ((0,), (1,))


def test_symmetric_keys_obey_woo_and_park():
    # Conditions of Woo and Park for a four-tuple that hashes both directions alike, on all 32 bits.
    device = rss.Device(0, (rss.HashInput.of("ipv4-tcp", *FOUR_TUPLE),), key_bytes=40)
    session = rss.all_equal(*([a, b] for [a, b] in MATRICES["firewall"][0, 1][0]))
    space = rss.solve([device], [rss.Requirement(0, 0, session)], "hash")
    key = "".join(f"{byte:08b}" for byte in space.random(2)[0])
    assert len({key[at : at + 15] for at in range(0, 128, 16)}) == 1
    assert len({key[at] for at in (15, 47, 79, 95, 111)}) == 1
    assert key[31] == key[63]
    published = bytes.fromhex("6d5a6d5b6d5a6d5b" + "6d5a" * 16)
    assert space.contains({0: published})


def test_unknown_and_malformed_profiles_are_refused_in_one_line(tmp_path):
    with pytest.raises(rss.SpecError, match="unknown NIC 'e1000'; known: 82599, connectx"):
        profile("e1000")
    mine = tmp_path / "mine.toml"
    mine.write_text('[nic.mine]\nkey_bytes = 40\ntable = 100\noptions = ["ipv4-tcp"]\n')
    with pytest.raises(rss.SpecError, match="100 entries is not a power of two"):
        profile("mine", mine)
    mine.write_text('[nic.mine]\nkey_bytes = 40\ntable = 128\noptions = ["ipv5"]\n')
    with pytest.raises(rss.SpecError, match="unknown option ipv5"):
        profile("mine", mine)
    mine.write_text('[nic.mine]\nkey_bytes = 40\ntable = 128\noptions = ["ipv4-tcp"]\n')
    assert profile("mine", mine).table_bits == 7


def test_software_hashes_exactly_what_the_requirements_name():
    by_mac = [
        rss.Requirement(0, 0, rss.all_equal(["eth.src", "eth.src"], ["device", "device"])),
        rss.Requirement(0, 1, rss.all_equal(["eth.src[24:48]", "eth.dst[24:48]"])),
    ]
    found = configure(profile("software"), [0, 1], by_mac, classes=["ipv4-tcp", "l2-payload"])
    assert [str(f) for f in found.space.device(0).input("ipv4-tcp").fields] == ["eth.src"]
    assert [str(f) for f in found.space.device(1).input("l2-payload").fields] == ["eth.dst[24:48]"]
    assert found.queue_bits(0) == found.queue_bits(1) == 9
    assert prove(found.space, found.keys).holds
    formula = rss.Formula("d.packet[40:42] == e.packet[40:42] and d.ipv4.src[0:8] == e.ipv4.src[0:8]")
    other = configure(profile("software"), [0], [rss.Requirement(0, 0, rss.Conjunction(predicate=formula))])
    names = [str(f) for f in other.space.device(0).input("ipv4-other").fields]
    assert names == ["ipv4.src[0:8]", "packet[40:42]"]


def test_a_narrow_sharding_is_explained_by_the_requirement_that_narrows_it():
    wide = rss.Requirement(0, 0, rss.all_equal(["ipv4.src", "ipv4.src"], ["ipv4.dst", "ipv4.dst"]), label="wide")
    narrow = rss.Requirement(0, 0, rss.all_equal(["ipv4.src[0:2]", "ipv4.src[0:2]"]), label="narrow")
    space = rss.solve(devices(), [wide, narrow])
    assert space.queue_bits(0, space.device(0).inputs[0]) == rss.QueueBits(2, 2)
    assert space.explain(0) == ()
    assert space.explain(0, below=3) == (narrow,)


@pytest.mark.parametrize(
    ("nf", "equal", "rank"),
    [
        ("firewall", "hash", 9),
        ("policer", "hash", 0),
        ("nat", "hash", 0),
        ("firewall", "index", 9),
        ("policer", "index", 9),
        ("nat", "index", 9),
    ],
)
def test_best_ranks_on_the_low_16_bits_are_those_of_the_thesis(nf, equal, rank):
    space = rss.solve(devices(), requirements(nf), equal)
    deciding = {"firewall": (0, "ipv4.src"), "policer": (1, "ipv4.dst"), "nat": (0, "ipv4.dst")}
    device, address = deciding[nf]
    quality = next(q for q in best(space)[0].inputs if q.device == device)
    assert dict(quality.fields).get(address, 0) == rank


def test_packets_with_a_vlan_tag_are_not_taken_for_impossible():
    # The NIC hashes what is behind the tag; the NF may read the tag's type where the payload's is otherwise.
    tagged = rss.Requirement(0, 0, rss.all_equal(["eth.type", 0x8100], ["eth.type", "eth.type"]))
    assert rss.solve(devices(), [tagged]).queue_bits(0, devices()[0].inputs[0]).bound == 0
    arp = rss.Requirement(0, 0, rss.all_equal(["eth.type", 0x0806]))
    assert rss.solve(devices(), [arp]).idle == (arp,)
    bits = rss.Conjunction(equations=rss.equations(rss.equal("packet[12:14]", 0x0806)))
    assert rss.solve(devices(), [rss.Requirement(0, 0, bits)]).dimension == 208


def icmp_counter_and_flows_by_target():
    icmp = frozenset({("ipv4-other", "ipv4-other")})
    flows = frozenset((a, b) for a in ("ipv4-tcp", "ipv4-udp") for b in ("ipv4-tcp", "ipv4-udp"))
    return [
        rss.Requirement(0, 0, classes=icmp, label="an ICMP counter"),
        rss.Requirement(0, 0, rss.all_equal(["ipv4.dst", "ipv4.dst"]), flows, "budget of a target"),
    ]


@pytest.mark.parametrize("nic", ["x710", "82599", "e810", "software"])
def test_an_option_whose_packets_must_all_meet_is_left_off(nic):
    # Hashed, ICMP's addresses would have to have no weight, and TCP's are in the same place of the key.
    classes = ["ipv4-tcp", "ipv4-udp", "ipv4-other"]
    found = configure(profile(nic), [0], icmp_counter_and_flows_by_target(), classes=classes)
    assert found.space.device(0).input("ipv4-other").fields == ()
    assert found.off[0] and not found.off[0] & {"ipv4-tcp", "ipv4-udp"}
    assert found.queue_bits(0) == profile(nic).table_bits
    assert prove(found.space, found.keys).holds


def test_options_with_ports_are_left_off_where_addresses_alone_spread_more():
    by_target = [rss.Requirement(0, 0, rss.all_equal(["ipv4.dst", "ipv4.dst"]))]
    classes = ["ipv4-tcp", "ipv4-udp", "ipv4-other"]
    found = configure(profile("82599"), [0], by_target, classes=classes, equal="hash")
    assert found.off[0] == {"ipv4-tcp", "ipv4-udp"}
    tcp = found.space.device(0).input("ipv4-tcp")
    assert tcp.option == "ipv4" and [str(f) for f in tcp.fields] == ["ipv4.src", "ipv4.dst"]
    assert dict(found.ranked[0].inputs[0].fields)["ipv4.dst"] == 7


def test_no_option_is_left_off_without_need():
    for nic in profiles().values():
        assert configure(nic, [0, 1], requirements("firewall")).off == {0: frozenset(), 1: frozenset()}


def test_a_file_of_profiles_is_named_instead_of_a_profile(tmp_path):
    one = '[nic.mine]\nkey_bytes = 52\ntable = 256\noptions = ["ipv4-tcp"]\n'
    mine = tmp_path / "mine.toml"
    mine.write_text(one)
    assert profile(str(mine)).table == profile(f"{mine}:mine").table == 256
    mine.write_text(one + one.replace("mine", "other").replace("256", "64"))
    assert profile(f"{mine}:other").table == 64
    with pytest.raises(rss.SpecError, match="holds mine, other; write"):
        profile(str(mine))
    with pytest.raises(rss.SpecError, match="No such file"):
        profile(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[nic.a]\ntable = '128'\n", "table must be a whole number"),
        ("[nic.a]\ntable = 0\n", "0 entries is not a power of two"),
        ("[nic.a]\ntable = -8\n", "-8 entries is not a power of two"),
        ("[nic.a]\nkey = 40\n", "unknown entry 'key'"),
        ("[nic.a]\nkey_bytes = 12\noptions = ['ipv4-tcp']\n", "its options take keys of 16 bytes, not 12"),
        ("[nic.a]\nkey_bytes = 4000000\n", "take keys of"),
        ("[nic.a]\noptions = 'ipv4-tcp'\n", "options must be a list of strings"),
        ("[nic.a]\noptions = [3]\n", "options must be a list of strings"),
        ("[nic.a]\nscope = 'card'\n", "scope is port or adapter"),
        ("[option.x]\nclasses = ['ipv4-tcp']\n", "needs 'fields'"),
        ("[option.x]\nfields = ['ipv4.source']\nclasses = ['ipv4-tcp']\n", "unknown field 'ipv4.source'"),
        ("[option.x]\nfields = ['ipv4.src', 'ipv4.src[0:8]']\nclasses = ['ipv4-tcp']\n", "twice"),
        ("[option.x]\nfields = ['l4.src']\nclasses = ['ipv4-frag']\n", "ipv4-frag packets have no l4.src"),
        ("[option.x]\nfields = ['ipv4.src']\nclasses = ['tcp']\n", "unknown class of packets 'tcp'"),
        ("nic = 3\n", "write [nic.NAME] as a table"),
        ("[card.a]\n", "unknown entry 'card'"),
        ("[nic.a\n", "mine.toml"),
    ],
)
def test_bad_profiles_are_refused_in_one_line(text, message, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(text)
    with pytest.raises(rss.SpecError) as error:
        profile(str(mine))
    assert message in str(error.value) and "mine.toml" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("nic", sorted(profiles()))
def test_settings_that_are_passed_over_are_never_better(nic, monkeypatch):
    rows = [[*requirements(nf)] for nf in sorted(MATRICES)]
    rows += [
        [rss.Requirement(0, 0, rss.all_equal([f, f])) for f in fields]
        for fields in (("ipv4.src",), ("ipv4.src", "ipv4.dst"))
    ]
    rows.append([rss.Requirement(0, 0, rss.all_equal(["ipv4.dst", "ipv4.dst"])), rss.Requirement(0, 1)])
    quick = [configure(profile(nic), [0, 1], wanted) for wanted in rows]
    monkeypatch.setattr(_Search, "_may_decide", lambda self, space: lambda number, own: (32, 32))
    for one, wanted in zip(quick, rows, strict=True):
        thorough = configure(profile(nic), [0, 1], wanted)
        assert (one.partials, one.off, one.keys) == (thorough.partials, thorough.off, thorough.keys)


@pytest.mark.parametrize("addresses", [["ipv4.src"], ["ipv4.dst"], ["ipv4.src[0:24]"], ["ipv4.src", "l4.dst"]])
def test_the_search_goes_on_where_an_option_left_off_gives_way_to_one_with_other_fields(addresses):
    """e810 hashes frames that are not IP by their payload unless that option is off: then by MAC addresses."""
    together = [(addresses, "ipv4-tcp"), (["eth.dst"], "l2-payload")]
    wanted = [
        Requirement(0, 0, Conjunction(tuple(equal(f, f) for f in fields)), frozenset({(name, name)}))
        for fields, name in together
    ]
    found = configure(profile("e810"), [0], wanted, classes=["ipv4-tcp", "l2-payload"])
    spread = {q.hash_input.packet_class: q for q in found.ranked[0].inputs}
    assert {q.queue_bits for q in spread.values()} == {9}
    assert dict(spread["l2-payload"].fields).get("eth.dst") == 9
