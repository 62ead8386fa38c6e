"""Models of packet I/O: chunks of the packet are borrowed one after the other, and written in place."""

from __future__ import annotations

from typing import Any

from ..libvig.catalogue import CallSpec
from ..source import ctypes as T
from . import expr as X
from .calls import Values, arg, number, record
from .expr import Expr
from .memory import ADDRESS_BITS, OFFSET_MASK, ObjectInfo, Problem, size_of, symbolic_bytes
from .path import Checksum
from .state import State
from .texts import pointed_to

NIC_HASH = "hash of the NIC"
MBUF_PRIVATE = (
    "dynfield1",
    "dynfield2",
    "udata64",
    "userdata",
    "seqn",
    "tx_offload",
    "vlan_tci_outer",
    "timesync",
    "shinfo",
)  # members that nobody sets when a packet arrives
HEADROOM = 128  # RTE_PKTMBUF_HEADROOM: bytes of the buffer before the packet, which earlier packets may have written


def packet_borrow(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    length = X.zext(arg(spec, values, "length"), 64, 64)
    start = st.cursor
    end = X.add(start, length, 64)
    st.require(X.ule(end, st.total_length, 64))
    address = _packet_address(st, start)
    st.store(arg(spec, values, "out"), address, 8)
    st.cursor = end
    chunks = st.library.get("chunks", ())
    st.library["chunks"] = (*chunks, (address, length))
    return 0


def _packet_address(st: State, start: int | Expr) -> int:
    base: int = st.library["packet"]
    if isinstance(start, int):
        return base + start
    if start.op == "add" and isinstance(start.args[1], int):
        return (st.packet_region(start.args[0]) << ADDRESS_BITS) + start.args[1]
    return st.packet_region(start) << ADDRESS_BITS


def packet_return(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """The next chunk begins where the returned one does, whether it was the latest or not."""
    pointer = arg(spec, values, "chunk")
    b = st.block(pointer) if isinstance(pointer, int) else None
    if b is None or b.info.kind != "packet" or not isinstance(pointer, int):
        raise Problem("unsupported-construct", "what is returned here is no chunk of the packet")
    st.cursor = X.add(b.info.detail.get("region", 0), pointer & OFFSET_MASK, 64)
    return 0


def packet_unread(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    return X.extract(X.sub(st.total_length, st.cursor, 64), 0, 32)


def packet_reshape(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    raise Problem("unsupported-construct", f"{spec.name} moves the packet's bytes, which is not modelled")


CHECKED = 1 << 16  # bytes behind a pointer that a checksum is taken to cover, besides the packet's own


def _memory_given(st: State, values: Values) -> tuple[Expr, ...]:
    """What stands behind pointers that do not point into the packet: what a checksum is made of besides the packet."""
    found: dict[Expr, None] = {}
    for v in values:
        if isinstance(v, Expr) and v.width == 64:
            for p in pointed_to(st, v):
                found |= dict.fromkeys(_memory_given(st, [p]))
            continue
        b = st.block(v) if isinstance(v, int) else None
        if b is None or b.info.kind in ("handle", "function", "mbuf", "packet"):
            continue
        off = v & 0xFFFFFFFF
        for x in st.load_bytes(v, max(min(b.size - off, CHECKED), 0)) if off < b.size else ():
            if isinstance(x, Expr):
                found[x] = None
    return tuple(found)


def answer(st: State, name: str, width: int, values: Values) -> Expr:
    """A number that is computed from what is behind pointers, such as a checksum. What it covers of the packet besides what has arrived
    is kept: it may be gone when the packet leaves."""
    made_of = _memory_given(st, values)
    symbol = X.uf(name, width, *made_of) if made_of else X.sym(name, width)
    if not any(isinstance(v, Expr) or (v and st.block(v) is not None) for v in values):
        return symbol
    packets = [b for b in st.memory.values() if b.info.kind == "packet"]
    covered = tuple(v for b in packets for i in b.changed() if isinstance(v := b.data[i], Expr))
    inside = frozenset().union(*map(X.leaves, covered), *map(X.leaves, made_of))
    for earlier in st.library.get("checksums", ()):
        if not inside.isdisjoint(X.leaves(earlier.symbol)):
            covered += earlier.covered
    if covered:
        st.library["checksums"] = (*st.library.get("checksums", ()), Checksum(symbol, covered))
    return symbol


def checksum(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """Checksums depend on what is in the packet and nothing else: anything, in the places where they stand."""
    n = number(st)
    ip, l4 = values[0], values[1]
    protocol = st.load(X.add(ip, 9, 64), 1)
    st.store(X.add(ip, 10, 64), answer(st, f"checksum#{n}", 16, values), 2)
    # TCP keeps its checksum at byte 16, UDP at 6; which of them is written is the packet's protocol's choice
    tcp, udp = st.known(X.eq(protocol, 6, 8)), st.known(X.eq(protocol, 17, 8))
    for flag, offset in ((tcp, 16), (udp, 6)):
        if flag != 0:
            at = X.add(l4, offset, 64)
            new = answer(st, f"l4_checksum#{n}", 16, values)
            st.store(at, X.ite(flag, new, st.load(at, 2), 16), 2)
    record(st, spec, values, [])
    return 0


def arrived_mbuf(st: State, t: T.CType, device: int | Expr, packet: int, length: Expr) -> int:
    """The address of the mbuf of a packet that has just arrived."""
    size = T.sizeof_(t) or 128
    mbuf = st.allocate(ObjectInfo("mbuf", "mbuf", t), symbolic_bytes("mbuf", max(size, 128)))
    if isinstance(t, T.Record):
        known = {
            "buf_addr": packet - HEADROOM,
            "data_off": HEADROOM,
            "port": device,
            "pkt_len": X.zext(length, 16, 32),
            "data_len": length,
        }
        for name, v in known.items():
            m = t.find(name)
            if m is not None and T.sizeof_(m.type):
                st.store(mbuf + m.offset, v, size_of(m.type))
        for name in MBUF_PRIVATE:
            m = t.find(name)
            if m is not None and (n := T.sizeof_(m.type)):
                st.store_bytes(mbuf + m.offset, [X.byte(f"mbuf->{name}", m.offset + i) for i in range(n)], n)
                st.engine.private[f"mbuf->{name}"] = "what an earlier packet has left in the same mbuf"
        hashed = t.find("hash")
        if hashed is not None and (n := T.sizeof_(hashed.type)):
            st.store_bytes(mbuf + hashed.offset, symbolic_bytes(NIC_HASH, n), n)
            st.engine.private[NIC_HASH] = "the NIC's hash, which is another one with another RSS key"
    st.library["mbuf"] = tuple(st.memory[mbuf >> ADDRESS_BITS].data)
    return mbuf
