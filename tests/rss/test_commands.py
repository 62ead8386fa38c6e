"""The commands on the example specifications: what they print parses, compiles, and means what it says."""

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_traffic import FRAMES, write

from maestro_lsp.rss.commands import MICROSOFT_KEY, add_parsers
from maestro_lsp.rss.configure import configure
from maestro_lsp.rss.export import flow_rules
from maestro_lsp.rss.nic import profile
from maestro_lsp.rss.solve import SpecError
from maestro_lsp.rss.spec import parse_spec, read_spec

SPECS = sorted((Path(__file__).parents[2] / "fixtures" / "specs").glob("*.toml"))


def run(*arguments):
    parser = argparse.ArgumentParser()
    add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args([str(a) for a in arguments])
    return args.run(args)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_every_example_is_solved_and_proved(path, capsys):
    assert run("solve", path, "--format", "json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["proof"]["holds"] and body["proof"]["checks"]
    keys = {device["device"]: bytes.fromhex(device["key"]) for device in body["devices"]}
    assert all(device["queue_bits"] == device["index_bits"] for device in body["devices"])
    assert read_spec(path).configure().space.contains(keys)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_exported_c_compiles_against_dpdk(path, capsys, tmp_path):
    assert run("solve", path, "--format", "dpdk-c", "--no-prove") == 0
    text = capsys.readouterr().out
    flags = subprocess.run(["pkg-config", "--cflags", "libdpdk"], capture_output=True, text=True, check=False)
    if shutil.which("gcc") is None or flags.returncode:
        pytest.skip("needs gcc and libdpdk-dev")
    source = tmp_path / "rss.c"
    source.write_text(text + "int use(uint16_t port);\nint use(uint16_t port) { return configure_rss(port); }\n")
    command = ["gcc", "-Wall", "-Wextra", "-Werror", "-c", *flags.stdout.split(), "-o", "/dev/null", str(source)]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""


def test_partial_inputs_become_flow_rules():
    spec = parse_spec(
        'nic = "x710"\nclasses = ["ipv4-tcp", "ipv4-other"]\nequal = "hash"\n'
        '[[meet]]\nequal = [["ipv4.dst", "ipv4.dst"]]\n'
    )
    found = spec.configure()
    rules = flow_rules(found.profiles[0], found.space.device(0), found.partials[0])
    kept = {str(field) for field in found.space.device(0).input("ipv4-tcp").fields}
    tcp = next(rule for rule in rules if rule.pattern[-1] == "tcp")
    assert ("ipv4" in tcp.types) == bool(kept & {"ipv4.src", "ipv4.dst"})
    assert ("l3-dst-only" in tcp.types) == (kept & {"ipv4.src", "ipv4.dst"} == {"ipv4.dst"})
    assert ("port" in tcp.types) == bool(kept & {"l4.src", "l4.dst"})


# What i40e_hash.c computes from RSS types: fields of a TCP packet over IPv4.
def i40e_input(types):
    fields = set()
    if "ipv4" in types or "ipv4-tcp" in types:
        fields |= {"ipv4.src", "ipv4.dst"}
    if "port" in types or "ipv4-tcp" in types:
        fields |= {"l4.src", "l4.dst"}
    for level, header in (("l3", "ipv4"), ("l4", "l4")):
        for end, other in (("src", "dst"), ("dst", "src")):
            if f"{level}-{end}-only" in types:
                fields.discard(f"{header}.{other}")
    if "ipv4-tcp" in types:
        levels = {level for level in ("l3", "l4") if any(t.startswith(f"{level}-") for t in types)}
        if levels == {"l3"}:
            fields -= {"l4.src", "l4.dst"}
        if levels == {"l4"}:
            fields -= {"ipv4.src", "ipv4.dst"}
    return fields


@pytest.mark.parametrize("nic", ["x710", "e810", "connectx"])
def test_flow_rules_hash_exactly_the_chosen_part(nic):
    found = configure(profile(nic), [0], [], classes=["ipv4-tcp"])
    for partial in profile(nic).partials()[1:]:
        (rule,) = flow_rules(profile(nic), found.space.device(0), partial)
        option = profile(nic).option_for("ipv4-tcp")
        assert i40e_input(rule.types) == {str(field) for field in option.part(partial)}, partial


def test_testpmd_and_ethtool_exports_carry_key_and_table(capsys):
    two = next(path for path in SPECS if path.stem == "two-nics")
    assert run("solve", two, "--format", "json", "--queues", 6) == 0
    keys = [device["key"] for device in json.loads(capsys.readouterr().out)["devices"]]
    assert run("solve", two, "--format", "testpmd", "--queues", 6) == 0
    lines = capsys.readouterr().out.splitlines()
    for number, key in enumerate(keys):
        assert f"port config {number} rss-hash-key ipv4-tcp {key}" in lines
    tables = [{}, {}]
    for line in lines:
        if match := re.match(r"port config (\d) rss reta (.*)", line):
            tables[int(match[1])] |= {int(a): int(b) for a, b in re.findall(r"\((\d+),(\d+)\)", match[2])}
    assert [len(table) for table in tables] == [512, 128]
    assert all(tables[0][entry] == tables[1][entry % 128] for entry in range(512))  # tied: one table
    assert run("solve", two, "--format", "ethtool") == 0
    text = capsys.readouterr().out
    assert "ethtool -X enp1s0f0 hfunc toeplitz hkey" in text and "rx-flow-hash tcp4 sdfn" in text


def test_what_cannot_spread_is_explained_with_status_1(tmp_path, capsys):
    spec = tmp_path / "both.toml"
    spec.write_text(
        'nic = "generic"\n'
        '[[meet]]\nlabel = "a session"\nequal = [["ipv4.src", "ipv4.src"], ["ipv4.dst", "ipv4.dst"]]\n'
        '[[meet]]\nlabel = "one source"\nequal = [["ipv4.src", "ipv4.src"]]\n'
        '[[meet]]\nlabel = "one target"\nequal = [["ipv4.dst", "ipv4.dst"]]\n'
    )
    assert run("solve", spec, "--no-prove") == 1
    text = capsys.readouterr().err
    assert "'one source' (free: ipv4.dst, l4.src, l4.dst of d and e) and 'one target' (free: ipv4.src, " in text
    assert "a session" not in text and text.count("\n") == 1


def test_plots_are_well_formed(tmp_path, capsys):
    from xml.etree import ElementTree

    out = tmp_path / "skew.svg"
    assert run("solve", SPECS[0], "--no-prove", "--plot", out) == 0
    root = ElementTree.parse(out).getroot()
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"uniform", "Zipf", "Zipf, balanced", "cores", "2", "8"} <= set(texts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nic = ", "Invalid value"),
        ('nic = "e1000"\n[[meet]]\n', "unknown NIC 'e1000'"),
        ('nics = "x710"\n', "unknown entry 'nics'"),
        ("", "names no device"),
        ('[[meet]]\nequal = [["ipv4.source", "ipv4.src"]]\n', "meet 1: unknown field 'ipv4.source'"),
        ('[[meet]]\nequal = [["ipv4.src", "l4.src"]]\n', "32 bits cannot equal 16 bits"),
        ('[[meet]]\nequal = ["ipv4.src"]\n', "write pairs"),
        ('[[meet]]\nequal = [["l4.src", 70000]]\n', "does not fit into 16 bits"),
        ('[[meet]]\nwhere = "d.l4.src <"\n', "meet 1: 'd.l4.src <'"),
        ("[[meet]]\nwhere = 3\n", "where: write a condition"),
        ("[[meet]]\ndevices = [0]\n", "write two port numbers"),
        ("[[meet]]\nlabel = []\nfoo = 1\n", "unknown entry 'foo'"),
        ("[[device]]\nnumber = 0\n[[meet]]\ndevices = [0, 1]\n", "device 1 is tied by a meet"),
        ("[[device]]\nnumber = 0\n[[device]]\nnumber = 0\n", "two devices have the same number"),
        ("table = 100\n[[meet]]\n", "not a power of two"),
        ('equal = "both"\n[[meet]]\n', 'write "index" or "hash"'),
        ('classes = ["tcp"]\n[[meet]]\n', "unknown class of packets 'tcp'"),
        ("meet = 3\n", "write each meet as [[meet]]"),
        ('seed = "x"\n[[meet]]\n', "seed = 'x' is not a number"),
        ("profiles = 3\n[[meet]]\n", "profiles: write a list"),
        ("seed = true\n[[meet]]\n", "seed = True is not a number"),
        ("queues = true\n[[meet]]\n", "queues = True is no number from 1 to 65536"),
        ("queues = 100000\n[[meet]]\n", "queues = 100000 is no number from 1 to 65536"),
        ("table = 1099511627776\n[[meet]]\n", "not a power of two up to 65536"),
        ("[[meet]]\ndevices = [true, 0]\n", "write two port numbers"),
        ('[[device]]\ninputs = {"ipv4-udp" = 3}\n', "inputs: ipv4-udp: write a list of fields"),
        ('[[device]]\ninputs = {"ipv4-udp" = [3]}\n', "inputs: ipv4-udp: write a list of fields"),
    ],
)
def test_bad_specifications_are_refused_in_one_line(text, message, tmp_path, capsys):
    with pytest.raises(SpecError) as error:
        parse_spec(text)
    assert message in str(error.value) and "\n" not in str(error.value)
    path = tmp_path / "bad.toml"
    path.write_text(text)
    assert run("solve", path) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "bad.toml" in printed.err


@pytest.mark.parametrize(
    "meet",
    [
        'equal = [["ipv4.ttl", 1], ["ipv4.ttl", 2]]',
        'where = "d.l4.dst < 10 and d.l4.dst > 10"',
        'equal = [["ipv6.src", "ipv6.src"]]',
    ],
)
def test_requirements_that_can_never_hold_are_refused_in_one_line(meet, tmp_path, capsys):
    path = tmp_path / "never.toml"
    path.write_text(f'nic = "generic"\n[[meet]]\nlabel = "mine"\n{meet}\n')
    assert run("solve", path) == 2
    assert capsys.readouterr().err == (
        f"maestro-lsp: {path}: 'mine' can never hold for packets of the classes at hand (ipv4-tcp, ipv4-udp)\n"
    )


@pytest.mark.parametrize(
    ("field", "prediction"),
    [
        ("ipv4.proto", "uniform traffic on 8 queues"),
        ("eth.src", "uniform traffic on 8 queues: busiest 1."),
        ("ipv4.ttl", "no prediction: packets are not made up for ipv4.ttl"),
        ("packet[14:16]", "no prediction: packets are not made up for packet"),
    ],
)
def test_any_field_that_software_hashes_is_solved_and_predicted_where_made_up_packets_have_it(
    field, prediction, tmp_path, capsys
):
    path = tmp_path / "any.toml"
    path.write_text(f'nic = "software"\n[[meet]]\nequal = [["{field}", "{field}"]]\n')
    assert run("solve", path, "--no-prove") == 0
    assert f"\n{prediction}" in capsys.readouterr().out


def test_plots_and_samples_name_the_fields_that_packets_are_not_read_or_made_up_for(tmp_path, capsys):
    import dpkt

    path, capture = tmp_path / "ttl.toml", tmp_path / "t.pcap"
    path.write_text('nic = "software"\n[[meet]]\nequal = [["ipv4.ttl", "ipv4.ttl"]]\n')
    write(capture, [frame for frame, name in FRAMES if name == "ipv4-udp"], dpkt.pcap.Writer)
    for option, file, message in [
        ("--sample", capture, "not read for ipv4.ttl"),
        ("--plot", tmp_path / "p.svg", "not made up for ipv4.ttl"),
    ]:
        assert run("solve", path, "--no-prove", option, file) == 2
        assert message in capsys.readouterr().err


def test_a_meet_that_no_key_can_fulfil_is_explained_by_what_it_leaves_free(tmp_path, capsys):
    path = tmp_path / "stuck.toml"
    path.write_text('nic = "generic"\n[[meet]]\nequal = [["ipv4.src", "ipv4.dst"]]\n')
    assert run("solve", path) == 1
    assert capsys.readouterr().err == (
        "maestro-lsp: device 0: every valid key sends its ipv4-tcp, ipv4-udp packets to one queue; it cannot depend on what a meet "
        "leaves free, nor on what a meet ties to that: 'devices 0,0: ipv4.src = ipv4.dst' "
        "(free: ipv4.dst, l4.src, l4.dst of d; ipv4.src, l4.src, l4.dst of e)\n"
    )


def test_the_part_of_a_field_that_decides_is_named(tmp_path, capsys):
    path = tmp_path / "subnet.toml"
    path.write_text('nic = "generic"\n[[meet]]\nwhere = "d.ipv4.src & 0xffff0000 == e.ipv4.src & 0xffff0000"\n')
    assert run("solve", "--no-prove", path) == 0
    assert "decided by ipv4.src[0:16]" in capsys.readouterr().out


def test_ports_have_no_negative_numbers(tmp_path, capsys):
    path = tmp_path / "negative.toml"
    path.write_text('[[meet]]\ndevices = [-1, 0]\nequal = [["ipv4.src", "ipv4.src"]]\n')
    assert run("solve", path) == 2
    assert "write two port numbers" in capsys.readouterr().err


def test_hashing_tuples_and_captures(tmp_path, capsys):
    assert run("hash", "66.9.149.187,161.142.100.80,2794,1766", "66.9.149.187,161.142.100.80") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "hash 0x51ccc178, index 376, queue 0" in lines[0]
    assert "hash 0x323e8fc2" in lines[1]
    assert run("hash", "66.9.149.187,161.142.100.80,2794,1766", "--nic", "e810") == 0  # a key of 52 bytes
    assert "hash 0x51ccc178" in capsys.readouterr().out
    import dpkt

    capture = tmp_path / "mixed.pcap"
    write(capture, [frame for frame, _ in FRAMES] * 3, dpkt.pcap.Writer)
    assert run("hash", "--capture", capture, "--queues", 4) == 0
    assert f"{3 * len(FRAMES)} packets" in capsys.readouterr().out
    out = tmp_path / "balance.svg"
    assert run("balance", capture, "--queues", 3, "--format", "json", "--plot", out) == 0
    body = json.loads(capsys.readouterr().out)
    assert [sum(table["queues"]) for table in body["tables"]] == [3 * len(FRAMES)] * 3
    assert body["tables"][1]["busiest"] <= body["tables"][0]["busiest"]
    assert out.read_text().startswith("<svg")
    assert run("balance", capture, "--queues", 3, "--threshold", 1e9) == 0
    assert run("balance", capture, "--queues", 3, "--threshold", 0.0) == 1


def test_bad_keys_tuples_and_captures_are_refused_in_one_line(tmp_path, capsys):
    import dpkt

    six = tmp_path / "six.pcap"
    write(six, [frame for frame, name in FRAMES if name == "ipv6-tcp"], dpkt.pcap.Writer)
    for arguments, message in [
        (("hash",), "give tuples"),
        (("hash", "1.2.3.4"), "is not SRC,DST"),
        (("hash", "1.2.3.4,::1"), "is not SRC,DST"),
        (("hash", "1.2.3.4,5.6.7.8,99999,1"), "is not SRC,DST"),
        (("hash", "1.2.3.4,5.6.7.8", "--key", "zz"), "not hexadecimal"),
        (("hash", "1.2.3.4,5.6.7.8", "--key", "00112233"), "too short"),
        (
            ("hash", "1.2.3.4,5.6.7.8", "--nic", "x710", "--key", MICROSOFT_KEY),
            "takes keys of 52 bytes, this one has 40",
        ),
        (("hash", "1.2.3.4,5.6.7.8", "--fields", "ipv4.sorce"), "unknown field"),
        (("hash", "1.2.3.4,5.6.7.8", "--fields", "ipv4.src,l4.src"), "lacks some of the fields"),
        (("hash", "1.2.3.4,5.6.7.8", "--table", "100"), "not a power of two"),
        (("balance", tmp_path / "none.pcap"), "No such file"),
        (("balance", six, "--key", MICROSOFT_KEY[:32]), "hashing ipv6-tcp takes a key of 40 bytes, this one has 16"),
        (("balance", six, "--fields", "ipv4.src"), "none of which is hashed"),
        (("balance", six, "--fields", "ipv6.flow"), "captures are not read for ipv6.flow"),
        (("hash", "1.2.3.4,5.6.7.8", "--key", ""), "a key of 0 bytes is too short"),
        (("hash", "1.2.3.4,5.6.7.8", "--fields", ""), "'' is not a field"),
    ]:
        assert run(*arguments) == 2, arguments
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1, printed
        assert message in printed.err, printed.err


def test_options_that_stay_off_are_exported(tmp_path, capsys):
    spec = tmp_path / "icmp.toml"
    spec.write_text(
        'classes = ["ipv4-tcp", "ipv4-udp", "ipv4-other"]\n'
        '[[meet]]\nlabel = "an ICMP counter"\nclasses = [["ipv4-other", "ipv4-other"]]\n'
        '[[meet]]\nequal = [["ipv4.dst", "ipv4.dst"]]\nclasses = [["ipv4-tcp", "ipv4-tcp"]]\n'
    )
    assert run("solve", spec) == 0
    assert "left off: ipv4-other" in capsys.readouterr().out
    assert run("solve", spec, "--format", "dpdk-c", "--no-prove") == 0
    assert "RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP,\n" in capsys.readouterr().out
    assert run("solve", spec, "--format", "testpmd", "--no-prove") == 0
    lines = capsys.readouterr().out.splitlines()
    rules = [line for line in lines if line.startswith("flow create")]
    assert rules == [
        f"flow create 0 ingress pattern eth / ipv4 / {proto} / end actions rss types ipv4-{proto} end queues end / end"
        for proto in ("tcp", "udp")
    ]
    assert lines[-3] == "port config all rss none"
    assert run("solve", spec, "--format", "ethtool", "--no-prove") == 0
    assert "# eth0: ipv4-other must stay off" in capsys.readouterr().out
    assert run("solve", spec, "--nic", "82599", "--format", "testpmd", "--no-prove") == 2
    assert "testpmd cannot leave single options of 82599 off (ipv4): export dpdk-c" in capsys.readouterr().err


def test_a_spec_names_a_file_of_profiles_beside_it(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text('[nic.mine]\nkey_bytes = 44\ntable = 64\noptions = ["ipv4-tcp"]\n')
    spec = tmp_path / "spec.toml"
    spec.write_text('nic = "mine.toml"\n[[meet]]\nequal = [["ipv4.src", "ipv4.src"]]\n')
    assert run("solve", spec, "--format", "json") == 0
    device = json.loads(capsys.readouterr().out)["devices"][0]
    assert len(device["key"]) == 88 and device["table_size"] == 64
    assert run("solve", spec, "--nic", tmp_path / "none.toml") == 2
    assert "none.toml: No such file" in capsys.readouterr().err


def test_ports_that_another_class_keeps_from_counting_are_noted(tmp_path, capsys):
    session = '["ipv4.src", "ipv4.dst"], ["ipv4.dst", "ipv4.src"], ["l4.src", "l4.dst"], ["l4.dst", "l4.src"]'
    spec = tmp_path / "session.toml"
    spec.write_text(f'nic = "82599"\n[[meet]]\nequal = [{session}]\n')
    assert run("solve", spec, "--no-prove") == 0  # a TCP packet must meet an SCTP packet, hashed by addresses
    assert "note: l4.src, l4.dst cannot have weight for ipv4-tcp, ipv4-udp" in capsys.readouterr().out
    spec.write_text(f'nic = "82599"\n[[meet]]\nequal = [{session}, ["ipv4.proto", "ipv4.proto"]]\n')
    assert run("solve", spec, "--no-prove") == 0
    text = capsys.readouterr().out
    assert "note" not in text and "l4.src, l4.dst" in text
