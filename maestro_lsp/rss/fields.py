"""Packet fields by name: parse, format, widths, and what every class of packets is known to carry.

A field is a run of bits of a named header field (`ipv4.src[0:8]`: half-open, the most significant bit is 0)
or of bytes of the frame (`packet[14:16]`). Reports and specifications use these names; `tcp.src`, `udp.src` ... are `l4.src`
for the NIC, and the first fourteen bytes of a frame are its Ethernet header. Other bytes of the frame are
kept apart from header fields, which move with options and tags: a solver that treats them as unrelated asks
for too much, never for too little.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

WIDTHS = {
    "eth.dst": 48,
    "eth.src": 48,
    "eth.type": 16,
    "vlan.tci": 16,
    "ipv4.src": 32,
    "ipv4.dst": 32,
    "ipv4.proto": 8,
    "ipv4.tos": 8,
    "ipv4.ttl": 8,
    "ipv4.len": 16,
    "ipv4.id": 16,
    "ipv4.frag": 16,
    "ipv4.checksum": 16,
    "ipv6.src": 128,
    "ipv6.dst": 128,
    "ipv6.proto": 8,
    "ipv6.flow": 32,
    "l4.src": 16,
    "l4.dst": 16,
    "sctp.tag": 32,
    "icmp.type": 8,
    "icmp.code": 8,
    "device": 16,
    "length": 16,
    "time": 64,
}
"""Width in bits of every named field; `packet` and `ipv4.payload` have as many as a frame."""

ALIASES = {f"{proto}.{end}": f"l4.{end}" for proto in ("tcp", "udp", "sctp") for end in ("src", "dst")}
"""Names of layer-4 ports that say the protocol; the NIC reads the same bytes."""

_ETHERNET = (("eth.dst", 0, 48), ("eth.src", 48, 96), ("eth.type", 96, 112))
_PACKET_BITS = 8 * 0x10000  # no frame is longer


class FieldError(ValueError):
    """A field that does not exist, or a part that lies outside its field; the message is one line for
    people.
    """


class Field(NamedTuple):
    """Bits [start, stop) of the header field `name`, or of the frame if `name` is "packet"."""

    name: str
    start: int
    stop: int

    @property
    def width(self) -> int:
        """Number of bits."""
        return self.stop - self.start

    def part(self, start: int, stop: int) -> Field:
        """Bits [start, stop) of this field, counted from its own first bit."""
        if not 0 <= start < stop <= self.width:
            raise FieldError(f"{self}[{start}:{stop}]: the field has bits 0 to {self.width}")
        return Field(self.name, self.start + start, self.start + stop)

    def __str__(self) -> str:
        if self.name == "packet":
            first, last = self.start // 8, -(-self.stop // 8)
            if self.start % 8 == 0 and self.stop % 8 == 0:
                return f"packet[{first}:{last}]"
            return f"packet[{first}:{last}][{self.start - 8 * first}:{self.stop - 8 * first}]"
        if (self.start, self.stop) == (0, width(self.name)):
            return self.name
        return f"{self.name}[{self.start}:{self.stop}]"


def width(name: str) -> int:
    """Bits of the whole field `name`. Raises FieldError if there is no such field."""
    if name in ("packet", "ipv4.payload"):
        return _PACKET_BITS
    bits = WIDTHS.get(ALIASES.get(name, name))
    if bits is None:
        raise FieldError(f"unknown field '{name}'; known: {', '.join(sorted(WIDTHS))}, packet[a:b]")
    return bits


_FIELD = re.compile(r"([a-z][a-z0-9]*(?:\.[a-z]+)?)((?:\[\d+:\d+\])*)")
_PART = re.compile(r"\[(\d+):(\d+)\]")


@lru_cache(maxsize=1024)
def parse(text: str) -> Field:
    """The field that `text` names, `ipv4.src`, `ipv4.src[0:8]`, `packet[14:16]`. Raises FieldError."""
    match = _FIELD.fullmatch(text.strip())
    if match is None:
        raise FieldError(f"'{text}' is not a field; write e.g. ipv4.src, ipv4.src[0:8] or packet[14:16]")
    field = Field(match[1], 0, width(match[1]))
    parts = [(int(a), int(b)) for a, b in _PART.findall(match[2])]
    if field.name == "packet":
        if not parts:
            raise FieldError("packet needs a range of bytes, e.g. packet[14:16]")
        first, last = parts.pop(0)
        field = field.part(8 * first, 8 * last)
    for start, stop in parts:
        field = field.part(start, stop)
    return field


@lru_cache(maxsize=1024)
def canonical(field: Field) -> tuple[Field, ...]:
    """The same bits as hash inputs name them: aliases resolved, frame bytes 0 to 13 as `eth.*`."""
    if field.name in ALIASES:
        return (Field(ALIASES[field.name], field.start, field.stop),)
    if field.name != "packet":
        return (field,)
    runs = [
        Field(name, max(field.start, first) - first, min(field.stop, last) - first)
        for name, first, last in _ETHERNET
        if field.start < last and first < field.stop
    ]
    if field.stop > 112:
        runs.append(Field("packet", max(field.start, 112), field.stop))
    return tuple(runs)


# --- classes of packets ---

PACKET_CLASSES = (
    "ipv4-tcp",
    "ipv4-udp",
    "ipv4-sctp",
    "ipv4-other",
    "ipv4-frag",
    "ipv6-tcp",
    "ipv6-udp",
    "ipv6-sctp",
    "ipv6-other",
    "ipv6-frag",
    "l2-payload",
)
"""Every well-formed frame is in exactly one class; `l2-payload` is what is not IP, as the NICs call it."""

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_NOT_PLAIN = frozenset(PROTOCOLS.values())
ETHERTYPES = {"ipv4": 0x0800, "ipv6": 0x86DD}
_TAGS = frozenset({0x8100, 0x88A8, 0x9100})


@lru_cache(maxsize=256)
def known_values(packet_class: str) -> dict[str, tuple[bool, frozenset[int]]]:
    """What a class says about fields: name -> (True, the only values) or (False, the values it cannot have).

    Unknown class names say nothing. A NIC looks behind VLAN tags, so `eth.type` may be that of a tag.
    """
    version, _, kind = packet_class.partition("-")
    if packet_class == "l2-payload":
        return {"eth.type": (False, frozenset(ETHERTYPES.values()))}
    if version not in ETHERTYPES:
        return {}
    facts = {"eth.type": (True, frozenset({ETHERTYPES[version]}) | _TAGS)}
    if version == "ipv6":
        return facts  # its first next-header field may name an extension header
    if kind in PROTOCOLS:
        facts["ipv4.proto"] = (True, frozenset({PROTOCOLS[kind]}))
    elif kind == "other":
        facts["ipv4.proto"] = (False, _NOT_PLAIN)
    return facts


@lru_cache(maxsize=1024)
def carries(packet_class: str, name: str) -> bool:
    """Whether packets of the class have the field `name`; classes of other names are taken to have every
    field.

    Fragments have no layer-4 fields: what follows the header of a later fragment is payload.
    """
    if packet_class not in PACKET_CLASSES:
        return True
    version, _, kind = packet_class.partition("-")
    header = name.partition(".")[0]
    if header in ("ipv4", "ipv6"):
        return header == version
    if header in PROTOCOLS:
        return kind == header
    if header == "l4":
        return kind in PROTOCOLS
    if header == "icmp":
        return kind == "other"
    return True
