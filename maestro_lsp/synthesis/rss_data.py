"""An RSS configuration as C data for a generated file: keys, hash inputs, flow rules, and which row of the matrix each implements.

The names are those of the runtime (maestro_lsp/runtime/maestro); see there for the meaning of the fields.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..rss.configure import Configuration
from ..rss.export import TYPES, flow_rules, options_of
from ..rss.fields import WIDTHS, Field
from ..rss.solve import Device
from ..sharding.matrix import Row, in_words
from .allocator import Allocation

_NAMED = {
    "eth.dst": "MAESTRO_ETH_DST",
    "eth.src": "MAESTRO_ETH_SRC",
    "eth.type": "MAESTRO_ETH_TYPE",
    "ipv4.src": "MAESTRO_IPV4_SRC",
    "ipv4.dst": "MAESTRO_IPV4_DST",
    "ipv6.src": "MAESTRO_IPV6_SRC",
    "ipv6.dst": "MAESTRO_IPV6_DST",
    "l4.src": "MAESTRO_L4_SRC",
    "l4.dst": "MAESTRO_L4_DST",
    "sctp.tag": "MAESTRO_SCTP_TAG",
}
_WIDTH = 120
_PLACES = {  # header, and the first bit in it, of fields whose parts can be hashed
    "eth.dst": ("MAESTRO_L2", 0),
    "eth.src": ("MAESTRO_L2", 48),
    "eth.type": ("MAESTRO_L2", 96),
    "packet": ("MAESTRO_L2", 0),
    "ipv4.tos": ("MAESTRO_L3", 8),
    "ipv4.len": ("MAESTRO_L3", 16),
    "ipv4.id": ("MAESTRO_L3", 32),
    "ipv4.frag": ("MAESTRO_L3", 48),
    "ipv4.ttl": ("MAESTRO_L3", 64),
    "ipv4.proto": ("MAESTRO_L3", 72),
    "ipv4.checksum": ("MAESTRO_L3", 80),
    "ipv4.src": ("MAESTRO_L3", 96),
    "ipv4.dst": ("MAESTRO_L3", 128),
    "ipv6.flow": ("MAESTRO_L3", 0),
    "ipv6.proto": ("MAESTRO_L3", 48),
    "ipv6.src": ("MAESTRO_L3", 64),
    "ipv6.dst": ("MAESTRO_L3", 192),
    "l4.src": ("MAESTRO_L4", 0),
    "l4.dst": ("MAESTRO_L4", 16),
    "sctp.tag": ("MAESTRO_L4", 32),
    "icmp.type": ("MAESTRO_L4", 0),
    "icmp.code": ("MAESTRO_L4", 8),
}


_WHOLE = {  # classes whose usual inputs the runtime has names for
    version: [f"{version}-{kind}" for kind in ("tcp", "udp", "sctp", "other", "frag")] for version in ("ipv4", "ipv6")
}


class NoPlace(ValueError):
    """A hash input that the runtime cannot read from a packet; one line that says which."""


def rss_data(found: Configuration, rows: Sequence[Row], carried: Allocation | None = None, shared: bool = False) -> str:
    """The tables of all devices. `carried`: how indices are given out, where RSS decides that. `shared`: cores share their state.

    Raises:
        NoPlace: for a field that has no place in a header.
    """
    out: list[str] = []
    entries: list[str] = []
    if shared:
        out.append(
            "// Cores share state, so that no packets must meet: the keys only spread them, and keep flows on one core."
        )
    inputs = _Tables("struct maestro_hash_input", "maestro_inputs")
    rules = _Tables("struct maestro_rss_rule", "maestro_rules")
    for device in found.space.devices:
        number = device.number
        key = found.keys[number]
        hashed = inputs.name(_inputs(device), number)
        ruled = rules.name(_rules(found, device), number)
        out += [] if shared else _requirements(number, rows, carried)
        out += [f"static const uint8_t maestro_key_{number}[{len(key)}] = {{"]
        out += ["  " + " ".join(f"0x{b:02x}," for b in key[at : at + 18]) for at in range(0, len(key), 18)]
        out += ["};"]
        entries += _entry(found, device, hashed, ruled)
    out += ["", *inputs.lines, *rules.lines, ""]
    return (
        "\n".join([*out, "static const struct maestro_rss maestro_rss[MAESTRO_NF_DEVICES] = {", *entries, "};"]) + "\n"
    )


class _Tables:
    """Arrays of one kind, each of which stands once, however many devices have it."""

    def __init__(self, element: str, stem: str) -> None:
        self._element, self._stem = element, stem
        self._names: dict[tuple[str, ...], str] = {}
        self.lines: list[str] = []

    def name(self, rows: tuple[str, ...], device: int) -> str:
        """The array with these rows; "" for none."""
        if rows and rows not in self._names:
            name = self._names[rows] = f"{self._stem}_{device}"
            one = f"static const {self._element} {name}[] = {{{', '.join(rows)}}};"
            many = [f"static const {self._element} {name}[] = {{", *(f"  {row}," for row in rows), "};"]
            self.lines += [one] if len(one) <= _WIDTH else many
        return self._names.get(rows, "")


def _inputs(device: Device) -> tuple[str, ...]:
    rows = {i.packet_class: _input(i.packet_class, i.fields) for i in device.inputs if i.fields}
    for version, classes in _WHOLE.items():
        ends = ("src", "dst")
        whole = [Field(f"{version}.{end}", 0, WIDTHS[f"{version}.{end}"]) for end in ends]
        ports = [Field(f"l4.{end}", 0, WIDTHS[f"l4.{end}"]) for end in ends]
        tag = [Field("sctp.tag", 0, WIDTHS["sctp.tag"])]
        usual = [[*whole, *ports], [*whole, *ports], [*whole, *ports, *tag], whole, whole]
        if [rows.get(c) for c in classes] == [_input(c, u) for c, u in zip(classes, usual, strict=True)]:
            rows[classes[0]] = f"MAESTRO_INPUTS_{version.upper()}"
            for c in classes[1:]:
                del rows[c]
    return tuple(rows.values()) or ("{MAESTRO_L2_PAYLOAD, 0, {0}}",)


def _input(packet_class: str, fields: Sequence[Field]) -> str:
    name = packet_class.upper().replace("-", "_")
    return f"{{MAESTRO_{name}, {len(fields)}, {{{', '.join(map(_field, fields))}}}}}"


def _rules(found: Configuration, device: Device) -> tuple[str, ...]:
    rows = []
    for rule in flow_rules(found.profiles[device.number], device, found.partials[device.number]):
        pattern = ", ".join(f"RTE_FLOW_ITEM_TYPE_{p.upper()}" for p in rule.pattern)
        rows.append(f"{{.pattern = {{{pattern}}}, .items = {len(rule.pattern)}, .types = {_flags(rule.types)}}}")
    return tuple(rows)


def _requirements(number: int, rows: Sequence[Row], carried: Allocation | None) -> list[str]:
    """Comments that say which rows of the matrix the device's key implements."""
    if carried is not None and carried.device == number:
        return [
            f"// Device {number}: {carried.field} alone decides the core, since it carries an index that one core gave out."
        ]
    if carried is not None:
        rows = [r for r in rows if r.devices == (number, number)]
    mine = [r for r in rows if number in r.devices and r.constraint]
    if not mine:
        return [f"// Device {number}: no two packets must meet, so the key only spreads them."]
    lines = [f"// Device {number}: packets meet on one core that"]
    for r in mine:
        i, j = r.devices
        who = f"arrive on {i}" if i == j else f"arrive on {i} and on {j}"
        lines.append(f"//   {who}: {requirement(r)}")
    return lines


def requirement(row: Row) -> str:
    """A row of the matrix in words."""
    return " or ".join(map(in_words, row.constraint)) + (f" (more exactly: {row.text})" if not row.exact else "")


def _entry(found: Configuration, device: Device, inputs: str, rules: str) -> list[str]:
    number = device.number
    group = next((g for g in found.table_groups if number in g), (number,))
    lines = [
        f"  {{.key = maestro_key_{number}, .key_length = sizeof(maestro_key_{number}), .tied = {min(group)},",
        f"   .table_size = {1 << device.table_bits}, .inputs = {inputs}, .input_count = RTE_DIM({inputs}),",
    ]
    if rules:
        lines.append(f"   .rules = {rules}, .rule_count = RTE_DIM({rules}),")
    return [*lines, f"   .types = {_flags(options_of(device))}}},"]


def _flags(types: Sequence[str]) -> str:
    left = dict.fromkeys(types)
    names: list[str] = []
    for version, classes in _WHOLE.items():
        if left.keys() >= set(classes):
            names.append(f"MAESTRO_TYPES_{version.upper()}")
            left = {t: None for t in left if t not in classes}
    names += [f"RTE_ETH_RSS_{TYPES[name]}" for name in left if name in TYPES]
    lines = [" | ".join(names[at : at + 3]) for at in range(0, len(names), 3)]
    return " |\n            ".join(lines) or "0"


def _field(field: Field) -> str:
    if (field.start, field.stop) == (0, WIDTHS.get(field.name)) and field.name in _NAMED:
        return _NAMED[field.name]
    place = _PLACES.get(field.name)
    if place is None:
        raise NoPlace(f"{field} has no place in a packet's headers, so it cannot be hashed in software")
    header, first = place
    return f"MAESTRO_BITS({header}, {first + field.start}, {field.stop - field.start})"
