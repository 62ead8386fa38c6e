"""Which header field a byte of the packet is, for each class of packets.

An NF says `packet byte 26`; whether that is the IPv4 source address depends on the packet. So a path is looked at once for each
class of packets (the NIC's classes: `ipv4-tcp`, `ipv4-frag` ...) that can take it, and there every byte has a name: `PacketView`.
Bytes that are no header field of the class keep their offset: `packet[34:36]`; those of fragments, and others behind an IPv4 header
of variable length, are counted from the end of that: `ipv4.payload[0:16]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..rss.fields import PACKET_CLASSES, PROTOCOLS
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.memo import Memo
from ..symbex.path import CallPath
from ..symbex.solver import Solver

ETHERNET = 14  # bytes
VLAN_TAG = 4
IPV4_MINIMUM = 20
IPV6 = 40
TYPE_IPV4, TYPE_IPV6, TYPE_VLAN = 0x0800, 0x86DD, 0x8100

# (name, first byte, bytes) of each field of a header
ETHERNET_FIELDS = (("eth.dst", 0, 6), ("eth.src", 6, 6), ("eth.type", 12, 2))
IPV4_FIELDS = (
    ("ipv4.tos", 1, 1), ("ipv4.len", 2, 2), ("ipv4.id", 4, 2), ("ipv4.frag", 6, 2), ("ipv4.ttl", 8, 1), ("ipv4.proto", 9, 1),
    ("ipv4.checksum", 10, 2), ("ipv4.src", 12, 4), ("ipv4.dst", 16, 4),
)  # fmt: skip
IPV6_FIELDS = (("ipv6.flow", 0, 4), ("ipv6.proto", 6, 1), ("ipv6.src", 8, 16), ("ipv6.dst", 24, 16))
PORT_FIELDS = (("l4.src", 0, 2), ("l4.dst", 2, 2))
PAYLOAD = "ipv4.payload"  # what follows the IPv4 header
ICMP_FIELDS = (("icmp.type", 0, 1), ("icmp.code", 1, 1))

FieldBit = tuple[str, int]  # field name, bit (0 is the most significant)
Transport = tuple[str, int, bool]  # array, offset there where the transport header starts, whether that is certain


@dataclass(frozen=True, eq=False)
class PacketView:
    """Names of the packet's bytes for one path and one class of packets; `Views` makes no two that are equal."""

    packet_class: str
    names: dict[Expr, tuple[str, int]] = field(repr=False)  # byte -> (field, its first bit)
    header_assumed_plain: bool = False  # layer 4 was taken to follow an IPv4 header without options
    payloads: dict[str, int] = field(
        default_factory=dict, repr=False
    )  # parts of the packet: where IPv4's payload starts there

    @cached_property
    def transport(self) -> frozenset[Expr]:
        """The bytes that are fields of the transport header."""
        return frozenset(leaf for leaf, (name, _) in self.names.items() if name.startswith(("l4.", "icmp.")))

    def bit(self, leaf: Expr, bit: int) -> FieldBit:
        """The field bit of a packet byte's bit (7 is the most significant of the byte)."""
        got = self.names.get(leaf)
        if got is None:
            array, offset = leaf.args
            start = self.payloads.get(array)
            if start is not None and offset >= start:
                return PAYLOAD, 8 * (offset - start) + 7 - bit
            return (f"packet[{offset}:{offset + 1}]" if array == "packet" else f"{array}[{offset}]"), 7 - bit
        name, first = got
        return name, first + 7 - bit


class Views:
    """Packet views of paths; remembers which classes the same conditions admit."""

    def __init__(self, solver: Solver, strict: bool) -> None:
        self.solver = solver
        self.strict = strict
        self._known: dict[tuple[object, ...], tuple[PacketView, ...]] = {}  # by all that decides
        self._in_keys: dict[int, frozenset[str]] = {}  # by the identity of a call
        self._on_packet: Memo[Expr, bool] = Memo(_is_on_packet)
        self._parts_of: Memo[Expr, frozenset[str]] = Memo(lambda e: _parts(X.leaves(e)))
        self._views: dict[object, PacketView] = {}
        self._with_options: dict[frozenset[Expr], bool] = {}
        self._plain: dict[frozenset[Expr], bool] = {}
        self._on_length: dict[
            Expr, Memo[Expr, bool]
        ] = {}  # whether conditions are on the byte with the header's length alone
        self._admitted: dict[frozenset[Expr], tuple[str, ...]] = {}
        self._sets: dict[tuple[object, ...], tuple[PacketView, ...]] = {}
        self._starts: dict[tuple[Expr, int], int | None] = {}
        self._on_header: dict[int, Memo[Expr, bool]] = {}  # whether conditions are on header bytes alone
        self._on_type: Memo[Expr, bool] = Memo(_on_ether_type)
        self._headers: dict[int, frozenset[Expr]] = {}
        self._facts: dict[tuple[str, int], _ClassFacts] = {}

    def of(self, path: CallPath) -> tuple[PacketView, ...]:
        """One view for each class of packets that can take the path; the same tuple for paths with the same views."""
        said = tuple(filter(self._on_packet.__getitem__, path.conjuncts))
        in_keys = self._parts_in_keys(path) if path.regions else None
        key = (said, path.regions, in_keys, tuple([c.array for c in path.chunks]))
        got = self._known.get(key)
        if got is None:
            got = self._known[key] = self._find(path)
        return got

    def _parts_in_keys(self, path: CallPath) -> frozenset[str]:
        """The parts of the packet that keys of a path look at."""
        for c in path.calls:
            if id(c) not in self._in_keys:
                self._in_keys[id(c)] = _parts(leaf for t in c.touches for leaf in t.key_leaves)
        return frozenset[str]().union(*[self._in_keys[id(c)] for c in path.calls])

    def _find(self, path: CallPath) -> tuple[PacketView, ...]:
        base = self._network_offset(path)
        names = self.classes(path, base)
        ipv4 = any(name.startswith("ipv4") for name in names)
        starts = self._ipv4_transport(path, base) if ipv4 else []
        if self.strict and any(not exact for _, _, exact in starts):
            certain = not self.options_possible(path)
            starts = [(array, start, True) for array, start, exact in starts if exact or certain]
        key = (names, base, *starts)
        got = self._sets.get(key)
        if got is None:
            got = self._sets[key] = tuple(self._view(name, base, starts) for name in names)
        return got

    def classes(self, path: CallPath, base: int) -> tuple[str, ...]:
        """The classes whose packets can take the path, judged by the conditions on header bytes alone."""
        conditions = self._header_conditions(path, base)
        key = conditions | {X.sym(f"base {base}", 1)}
        got = self._admitted.get(key)
        if got is None:
            ordered = sorted(conditions, key=lambda e: e.serial)
            got = tuple(name for name in PACKET_CLASSES if self._possible(ordered, name, base))
            self._admitted[key] = got
        return got

    def _header_conditions(self, path: CallPath, base: int) -> frozenset[Expr]:
        """A path's conditions on header bytes alone."""
        if base not in self._on_header:
            header = self._header(base)
            self._on_header[base] = Memo(lambda e: bool(X.leaves(e)) and X.leaves(e) <= header)
        return frozenset(filter(self._on_header[base].__getitem__, path.conjuncts))

    def _header(self, base: int) -> frozenset[Expr]:
        """The bytes that classes of packets are told by, and those of the network header behind `base`."""
        got = self._headers.get(base)
        if got is None:
            got = self._headers[base] = frozenset(X.byte("packet", i) for i in range(12, base + 24))
        return got

    def _possible(self, conditions: Sequence[Expr], name: str, base: int) -> bool:
        facts = self._facts.get((name, base))
        if facts is None:
            facts = self._facts[name, base] = _ClassFacts(_class_facts(name, base))
        left = [facts.narrowed[c] for c in conditions]
        if 0 in left or 0 in facts.said:
            return False
        everything = [e for e in (*left, *facts.said) if isinstance(e, Expr)]
        return self.solver.find(everything[:-1], {}, everything[-1]) is not None

    def _network_offset(self, path: CallPath) -> int:
        """Where the network header starts on this path: after the tag when the path demands a VLAN tag."""
        ether_type = _ether_type()
        fixed = {
            byte: value
            for e in filter(self._on_type.__getitem__, path.conjuncts)
            for byte, value in ((e.args[0], e.args[1]), *_bytes(e.args[0], e.args[1]))
        }  # in whichever byte order the program compares
        tagged = tuple(map(fixed.get, ether_type)) == divmod(TYPE_VLAN, 256)
        return ETHERNET + VLAN_TAG if tagged else ETHERNET

    def _view(self, name: str, base: int, starts: Sequence[Transport]) -> PacketView:
        if not name.startswith("ipv4"):
            starts = ()
        key = (name, base, tuple(starts))
        got = self._views.get(key)
        if got is None:
            got = self._views[key] = self._make(name, base, starts)
        return got

    def _make(self, name: str, base: int, starts: Sequence[Transport]) -> PacketView:
        names: dict[Expr, tuple[str, int]] = {}
        _name(names, "packet", 0, ETHERNET_FIELDS)
        if base != ETHERNET:
            _name(names, "packet", 14, (("vlan.tci", 0, 2), ("eth.type", 2, 2)))
        version, _, kind = name.partition("-")
        if version == "ipv4":
            _name(names, "packet", base, IPV4_FIELDS)
            for array, start, _exact in starts:
                _name(names, array, start, _transport_fields(kind))
        elif version == "ipv6":
            _name(names, "packet", base, IPV6_FIELDS)
            _name(names, "packet", base + IPV6, _transport_fields(kind))
        plain = bool(_transport_fields(kind)) and any(not exact for _, _, exact in starts)
        return PacketView(
            name, names, plain, {a: at for a, at, exact in starts if exact and (a != "packet" or kind == "frag")}
        )

    def _ipv4_transport(self, path: CallPath, base: int) -> list[Transport]:
        """Where the transport header may stand."""
        length_byte = X.byte("packet", base)
        five = X.eq(X.extract(length_byte, 0, 4), 5, 4)
        fixed = five in path.conjuncts
        found: list[Transport] = []
        arrays: set[str] = set()
        if path.regions:
            said = map(self._parts_of.__getitem__, path.conjuncts)
            arrays = set(self._parts_in_keys(path).union(*said)) - {"packet"}
        for chunk in path.chunks:
            arrays.discard(chunk.array)
            if chunk.array != "packet":
                arrays.add(chunk.array)
        for array in sorted(arrays):
            start = self._region_start(path, array, base)
            if start is not None:
                found.append((array, start, True))
        if fixed or (
            not found and self._may_be_plain(path, length_byte)
        ):  # behind a header with options, byte 34 is one of them
            found.append(("packet", base + IPV4_MINIMUM, fixed))
        return found

    def _may_be_plain(self, path: CallPath, length_byte: Expr) -> bool:
        """Whether a header without options can take the path, by the conditions on its length alone."""
        if length_byte not in self._on_length:
            self._on_length[length_byte] = Memo(lambda e: X.leaves(e) == {length_byte})
        mine = frozenset(filter(self._on_length[length_byte].__getitem__, path.conjuncts))
        if mine not in self._plain:
            self._plain[mine] = any(all(X.evaluate(e, {length_byte: n << 4 | 5}) for e in mine) for n in range(16))
        return self._plain[mine]

    def _region_start(self, path: CallPath, array: str, base: int) -> int | None:
        """The offset in a part at a symbolic packet offset where the transport header starts, if it is the same for
        every header length."""
        e = _region_expression(path, array)
        length_byte = X.byte("packet", base)
        if e is None or X.leaves(e) != frozenset({length_byte}):
            return None
        if (e, base) not in self._starts:
            starts = {(base + 4 * n - X.evaluate(e, {length_byte: 0x40 | n})) & ((1 << 64) - 1) for n in range(6, 16)}
            self._starts[e, base] = starts.pop() if len(starts) == 1 else None
        return self._starts[e, base]

    def options_possible(self, path: CallPath) -> bool:
        """Whether a well-formed IPv4 header with options can take this path."""
        base = self._network_offset(path)
        header = self._header(base) | {X.sym("pkt_len", 16)}
        mine = frozenset(e for e in path.conjuncts if X.leaves(e) <= header)
        got = self._with_options.get(mine)
        if got is None:
            got = self._with_options[mine] = self._find_options(sorted(mine, key=lambda e: e.serial), base)
        return got

    def _find_options(self, conditions: Sequence[Expr], base: int) -> bool:
        length_byte = X.byte("packet", base)
        size = X.sym("pkt_len", 16)
        total = X.from_bytes((X.byte("packet", base + 3), X.byte("packet", base + 2)))
        facts: list[int | Expr] = [
            X.eq(X.extract(length_byte, 0, 4), 6, 4), X.eq(size, 200, 16), X.eq(total, 200 - base, 16)
        ]  # fmt: skip
        known: dict[Expr, int | Expr] = {size: 200}
        for f in facts:
            if isinstance(f, Expr):
                known[f.args[0]] = f.args[1]
                known.update(_bytes(f.args[0], f.args[1]))
        left = [X.substitute(c, known) for c in conditions]
        if any(isinstance(c, int) and not c for c in left):
            return False
        goals = [f for f in facts if isinstance(f, Expr)]
        return self.solver.find([*(c for c in left if isinstance(c, Expr)), *goals[:-1]], {}, goals[-1]) is not None


def _is_on_packet(e: Expr) -> bool:
    """Whether a condition is on bytes of the packet or its length, among others."""
    return X.sym("pkt_len", 16) in X.leaves(e) or bool(_parts(X.leaves(e)))


def _ether_type() -> tuple[Expr, Expr]:
    return X.byte("packet", 12), X.byte("packet", 13)


def _on_ether_type(e: Expr) -> bool:
    """Whether a condition says what a byte of the Ethernet type is."""
    is_value = e.op == "eq" and isinstance(e.args[0], Expr) and isinstance(e.args[1], int)
    return is_value and not X.leaves(e).isdisjoint(_ether_type())


class _ClassFacts:
    """What packets of a class have in their headers: conditions on packet bytes, and what other conditions become under them."""

    def __init__(self, said: Sequence[int | Expr]) -> None:
        self.said = said
        known: dict[Expr, int | Expr] = {}
        for e in said:
            if isinstance(e, Expr) and e.op == "eq" and isinstance(e.args[1], int):
                known[e.args[0]] = e.args[1]
                known.update(_bytes(e.args[0], e.args[1]))
            elif isinstance(e, Expr) and e.op == "not":
                known[e.args[0]] = 0
        memo: dict[Expr, int | Expr] = {}
        self.narrowed: Memo[Expr, int | Expr] = Memo(lambda e: X.substitute(e, known, memo))


def reads_transport(leaves: Iterable[Expr], views: Sequence[PacketView]) -> bool:
    """Whether any of the leaves is a transport field in some class that has one."""
    found = frozenset(leaves)
    return any(not found.isdisjoint(v.transport) for v in views)


def _parts(leaves: Iterable[Expr]) -> frozenset[str]:
    """The parts of the packet that some leaves are bytes of."""
    names = {leaf.args[0] for leaf in leaves if leaf.op == "byte"}
    return frozenset([name for name in names if name.startswith("packet")])


def _region_expression(path: CallPath, array: str) -> Expr | None:
    for region, e in path.regions:
        if region == array:
            return e
    return None


def _name(names: dict[Expr, tuple[str, int]], array: str, start: int, table: Iterable[tuple[str, int, int]]) -> None:
    for name, first, count in table:
        for i in range(count):
            names[X.byte(array, start + first + i)] = (name, 8 * i)


def _word(offset: int) -> int | Expr:
    return X.from_bytes((X.byte("packet", offset), X.byte("packet", offset + 1)))


def _swap16(v: int) -> int:
    return (v & 0xFF) << 8 | v >> 8


def _transport_fields(kind: str) -> tuple[tuple[str, int, int], ...]:
    if kind in PROTOCOLS:
        return PORT_FIELDS
    return ICMP_FIELDS if kind == "other" else ()


def _bytes(e: Expr, value: int) -> list[tuple[Expr, int]]:
    """The parts of a concatenation that has a value, with theirs."""
    if e.op != "concat":
        return []
    out = []
    top = e.width
    for p, w in zip(e.args[0], e.args[1], strict=True):
        top -= w
        if isinstance(p, Expr):
            out.append((p, (value >> top) & ((1 << w) - 1)))
    return out


def _class_facts(name: str, base: int) -> list[int | Expr]:
    """What packets of a class have in their headers, as conditions on packet bytes."""
    version, _, kind = name.partition("-")
    ether_type = _word(base - 2)
    tagged: list[int | Expr] = [X.eq(_word(12), _swap16(TYPE_VLAN), 16)] if base != ETHERNET else []
    if name == "l2-payload":
        not_v4 = X.not_(X.eq(ether_type, _swap16(TYPE_IPV4), 16), 1)
        not_v6 = X.not_(X.eq(ether_type, _swap16(TYPE_IPV6), 16), 1)
        return [*tagged, not_v4, not_v6]
    if version == "ipv4":
        protocol: int | Expr = X.byte("packet", base + 9)
        fragment = X.from_bytes((X.byte("packet", base + 7), X.byte("packet", base + 6)))
        whole = X.eq(X.extract(fragment, 0, 14), 0, 14)  # offset and the more-fragments bit
        facts: list[int | Expr] = [*tagged, X.eq(ether_type, _swap16(TYPE_IPV4), 16)]
        if kind == "frag":
            return [*facts, X.not_(whole, 1)]
        facts.append(whole)
    else:
        protocol = X.byte("packet", base + 6)
        facts = [*tagged, X.eq(ether_type, _swap16(TYPE_IPV6), 16)]
        if kind == "frag":
            return [*facts, X.eq(protocol, 44, 8)]
    if kind in PROTOCOLS:
        return [*facts, X.eq(protocol, PROTOCOLS[kind], 8)]
    plain = [X.not_(X.eq(protocol, p, 8), 1) for p in PROTOCOLS.values()]
    if version == "ipv6":
        plain.append(X.not_(X.eq(protocol, 44, 8), 1))
    return [*facts, *plain]
