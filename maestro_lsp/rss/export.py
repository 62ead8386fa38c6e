"""An RSS configuration in the words of the tools that install it: DPDK C, testpmd, ethtool, JSON.

Takes a `Configuration` and tables; gives text. Partial inputs go into rte_flow RSS actions: DPDK's drivers
read `l3-src-only` on a TCP pattern as "only the source address", and the type `ipv4` there as "both
addresses" (checked against i40e_hash.c and ice_hash.c). i40e forgets the options that were set otherwise when
the first such rule arrives, so a rule is made for every option of a device that has a partial input.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .balance import Table
from .configure import Configuration
from .nic import WHOLE, Option, Partial, Profile
from .solve import Device, SpecError

TYPES = {
    "ipv4": "IPV4",
    "ipv4-frag": "FRAG_IPV4",
    "ipv4-tcp": "NONFRAG_IPV4_TCP",
    "ipv4-udp": "NONFRAG_IPV4_UDP",
    "ipv4-sctp": "NONFRAG_IPV4_SCTP",
    "ipv4-other": "NONFRAG_IPV4_OTHER",
    "ipv6": "IPV6",
    "ipv6-frag": "FRAG_IPV6",
    "ipv6-tcp": "NONFRAG_IPV6_TCP",
    "ipv6-udp": "NONFRAG_IPV6_UDP",
    "ipv6-sctp": "NONFRAG_IPV6_SCTP",
    "ipv6-other": "NONFRAG_IPV6_OTHER",
    "l2-payload": "L2_PAYLOAD",
    "eth": "ETH",
    "port": "PORT",
    "l3-src-only": "L3_SRC_ONLY",
    "l3-dst-only": "L3_DST_ONLY",
    "l4-src-only": "L4_SRC_ONLY",
    "l4-dst-only": "L4_DST_ONLY",
}
"""testpmd's name of an RSS type -> RTE_ETH_RSS_* (ETH_RSS_* before DPDK 21.11)."""


@dataclass(frozen=True, slots=True)
class FlowRule:
    """One rte_flow RSS rule: the headers it matches and the RSS types of its action."""

    pattern: tuple[str, ...]
    types: tuple[str, ...]


def flow_rules(profile: Profile, device: Device, partial: Partial) -> tuple[FlowRule, ...]:
    """Rules, one for each option, that install a partial input; none where every option keeps its whole input."""
    return () if partial == WHOLE else _rules(profile, device, partial)


def _rules(profile: Profile, device: Device, partial: Partial) -> tuple[FlowRule, ...]:
    used = {hash_input.option for hash_input in device.inputs if hash_input.fields}
    return tuple(
        FlowRule(_pattern(option), _types(profile, option, partial))
        for option in profile.options
        if option.name in used and option.name.startswith(("ipv4", "ipv6"))
    )


def _pattern(option: Option) -> tuple[str, ...]:
    version, _, kind = option.name.partition("-")
    return ("eth", version, kind) if kind in ("tcp", "udp", "sctp") else ("eth", version)


def _types(profile: Profile, option: Option, partial: Partial) -> tuple[str, ...]:
    if partial == WHOLE:
        return (option.name,)
    version, _, kind = option.name.partition("-")
    ports = kind in ("tcp", "udp", "sctp")
    kept = option.part(partial) and partial
    ends = {level: [e for e in ("src", "dst") if f"{level}.{e}" in kept] for level in ("l3", "l4")}
    if not kept or not (ends["l3"] or ports):
        return (option.name,)  # nothing of it would be left: the whole input
    only = [f"{level}-{ends[level][0]}-only" for level in ("l3", "l4") if len(ends[level]) == 1]
    if not ports:
        return (option.name, *(o for o in only if o.startswith("l3")))
    if profile.partial == "paired":
        if len(ends["l3"]) == 2 and not ends["l4"]:
            return (version,)
        return (option.name, *only)
    levels = ([version] if ends["l3"] else []) + (["port"] if ends["l4"] else [])
    return (*levels, *only)


def options_of(device: Device) -> tuple[str, ...]:
    """RSS options that the device's inputs need, sorted."""
    return tuple(sorted({i.option or i.packet_class for i in device.inputs if i.fields}))


def to_json(found: Configuration, tables: Mapping[int, Table]) -> str:
    """The `rss` part of `check`'s JSON, and each device's table."""
    body = found.to_json()
    for device in body["devices"]:
        device["table"] = list(tables[device["device"]])
    return json.dumps(body, indent=2)


# --- DPDK ---


def to_dpdk_c(found: Configuration, tables: Mapping[int, Table]) -> str:
    """C that configures every port: keys, options, flow rules, tables. Builds against DPDK 21.11 and later."""
    lines = [
        "/* RSS configuration by maestro-lsp. Configure ports with RTE_ETH_MQ_RX_RSS, start them, then call",
        " * configure_rss(port): it returns 0 or a negative errno. */",
        "#include <errno.h>",
        "#include <string.h>",
        "",
        "#include <rte_ethdev.h>",
        "#include <rte_flow.h>",
        "",
    ]
    for device in found.space.devices:
        number, key = device.number, found.keys[device.number]
        lines += [f"static uint8_t rss_key_{number}[{len(key)}] = {{", *_bytes(key), "};", ""]
        lines += [f"static const uint16_t rss_table_{number}[{len(tables[number])}] = {{"]
        lines += [*_numbers(tables[number]), "};", ""]
    lines += [*_C_TABLE, "", *_C_FLOW, "", "static int configure_rss(uint16_t port) {", "    switch (port) {"]
    for device in found.space.devices:
        lines += _port_case(found, device)
    lines += ["    default:", "        return -ENODEV;", "    }", "}", ""]
    text = "\n".join(lines)
    return text if "add_rss_rule(port" in text else text.replace("\n".join(_C_FLOW) + "\n\n", "")


_C_TABLE = (
    "static int set_rss_table(uint16_t port, const uint16_t *queues, uint16_t size) {",
    "    struct rte_eth_rss_reta_entry64 groups[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE];",
    "    memset(groups, 0, sizeof groups);",
    "    for (uint16_t i = 0; i < size; i++) {",
    "        groups[i / RTE_ETH_RETA_GROUP_SIZE].mask |= 1ULL << (i % RTE_ETH_RETA_GROUP_SIZE);",
    "        groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] = queues[i];",
    "    }",
    "    return rte_eth_dev_rss_reta_update(port, groups, size);",
    "}",
)

_C_FLOW = (
    "static int add_rss_rule(uint16_t port, const struct rte_flow_item *pattern, uint64_t types) {",
    "    /* The key is set for the whole port; a rule only chooses what is hashed. */",
    "    struct rte_flow_action_rss rss = {.func = RTE_ETH_HASH_FUNCTION_DEFAULT, .types = types};",
    "    struct rte_flow_action actions[] = {",
    "        {.type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &rss},",
    "        {.type = RTE_FLOW_ACTION_TYPE_END},",
    "    };",
    "    struct rte_flow_attr ingress = {.ingress = 1};",
    "    struct rte_flow_error error;",
    "    return rte_flow_create(port, &ingress, pattern, actions, &error) ? 0 : -rte_errno;",
    "}",
)


def _port_case(found: Configuration, device: Device) -> list[str]:
    number = device.number
    options = options_of(device)
    flags = _flags(options)
    rules = flow_rules(found.profiles[number], device, found.partials[number])
    lines = [
        f"    case {number}: {{ /* {', '.join(options) or 'no option'} */",
        "        struct rte_eth_rss_conf conf = {",
        f"            .rss_key = rss_key_{number},",
        f"            .rss_key_len = sizeof rss_key_{number},",
        f"            .rss_hf = {flags},",
        "        };",
        "        int error = rte_eth_dev_rss_hash_update(port, &conf);",
    ]
    for rule in rules:
        items = [f"{{.type = RTE_FLOW_ITEM_TYPE_{item.upper()}}}" for item in (*rule.pattern, "end")]
        lines += [
            "        if (error == 0) {",
            f"            const struct rte_flow_item pattern[] = {{{', '.join(items)}}};",
            f"            error = add_rss_rule(port, pattern, {_flags(rule.types)});",
            "        }",
        ]
    table = f"set_rss_table(port, rss_table_{number}, {1 << device.table_bits})"
    return [*lines, f"        return error ? error : {table};", "    }"]


def _flags(types: Iterable[str]) -> str:
    return " | ".join(f"RTE_ETH_RSS_{TYPES[name]}" for name in types) or "0"


def _bytes(key: bytes) -> list[str]:
    return ["    " + " ".join(f"0x{b:02x}," for b in key[at : at + 13]) for at in range(0, len(key), 13)]


def _numbers(table: Table) -> list[str]:
    return ["    " + " ".join(f"{q}," for q in table[at : at + 32]) for at in range(0, len(table), 32)]


def to_testpmd(found: Configuration, tables: Mapping[int, Table]) -> str:
    """Commands for testpmd's prompt or --cmdline-file, started with as many --rxq as there are queues.

    testpmd switches all options of all ports at once; where one is left off, each of the others is a flow rule. Raises
    SpecError if the NIC has no such rules.
    """
    some_off = [number for number, off in found.off.items() if off]
    for number in some_off:
        if found.profiles[number].partial == "none":
            names = ", ".join(sorted(found.off[number]))
            raise SpecError(
                f"testpmd cannot leave single options of {found.profiles[number].name} off ({names}): export dpdk-c"
            )
    lines = ["port config all rss all"]
    for device in found.space.devices:
        number = device.number
        option = next(iter(options_of(device)), "ipv4")
        lines.append(f"port config {number} rss-hash-key {option} {found.keys[number].hex()}")
        nic, partial = found.profiles[number], found.partials[number]
        for rule in _rules(nic, device, partial) if some_off else flow_rules(nic, device, partial):
            pattern, types = " / ".join(rule.pattern), " ".join(rule.types)
            action = f"rss types {types} end queues end / end"
            lines.append(f"flow create {number} ingress pattern {pattern} / end actions {action}")
        entries = [f"({entry},{queue})" for entry, queue in enumerate(tables[number])]
        # A command of testpmd has a limited length.
        groups = (entries[at : at + 16] for at in range(0, len(entries), 16))
        lines += [f"port config {number} rss reta {','.join(group)}" for group in groups]
    if some_off:  # the key stays; the rules follow
        rules = [line for line in lines if line.startswith("flow create")]
        lines = [line for line in lines if line not in rules] + ["port config all rss none", *rules]
    return "\n".join(lines) + "\n"


# --- Linux ---

_LETTERS = {"src": {"ipv4": "s", "ipv6": "s", "l4": "f"}, "dst": {"ipv4": "d", "ipv6": "d", "l4": "n"}}


def to_ethtool(found: Configuration, tables: Mapping[int, Table], interfaces: Mapping[int, str]) -> str:
    """Shell lines with ethtool: key, table, hashed fields. ethtool can only set equal or weighted tables."""
    lines = []
    for device in found.space.devices:
        number = device.number
        name = interfaces.get(number, f"eth{number}")
        table = tables[number]
        queues = max(table) + 1
        lines.append(f"ethtool -X {name} hfunc toeplitz hkey {found.keys[number].hex(':')} equal {queues}")
        if table != tuple(entry % queues for entry in range(len(table))):
            weights = " ".join(str(table.count(queue)) for queue in range(queues))
            lines.append(f"# {name}: the table is not equal; ethtool sets weights only: weight {weights}")
        off = sorted(found.off[number])
        lines += [f"# {name}: {option} must stay off, which ethtool cannot say: ask the driver" for option in off]
        for hash_input in device.inputs:
            version, _, kind = hash_input.packet_class.partition("-")
            if not hash_input.fields or kind not in ("tcp", "udp", "sctp"):
                continue
            letters = ""
            for field in hash_input.fields:
                header, _, end = field.name.partition(".")
                letters += _LETTERS.get(end, {}).get(header, "")
            lines.append(f"ethtool -N {name} rx-flow-hash {kind}{version[-1]} {letters}")
    return "\n".join(lines) + "\n"
