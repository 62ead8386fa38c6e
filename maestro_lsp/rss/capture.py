"""Captures (pcap, pcapng) as `Traffic`: every packet classified as a NIC classifies it for RSS.

Takes a file; gives classes and hashed fields. Follows up to two VLAN tags and IPv6 extension headers; a
packet is a fragment if it is not whole, first fragments included. Packets cut off before their addresses or
ports are counted, not guessed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from .fields import PACKET_CLASSES
from .traffic import FIELD_BYTES, Traffic


class CaptureError(ValueError):
    """A file that is no capture, is damaged, or holds no packets; the message is one line for people."""


_ETHERNET, _RAW, _LINUX_COOKED = 1, (12, 101), 113  # link types of the pcap format
_FILE_HEADER, _RECORD_HEADER = 24, 16  # bytes, of the pcap format
_VLAN_TYPES = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
_PORTS = {6: "tcp", 17: "udp", 132: "sctp"}
_EXTENSIONS = (0, 43, 60, 135)  # hop-by-hop, routing, destination options, mobility
_CLASS = {name: number for number, name in enumerate(PACKET_CLASSES)}


def read_capture(path: Path, limit: int = 0) -> Traffic:
    """All packets of a capture, or the first `limit`. Raises CaptureError, OSError."""
    import numpy as np

    classes = bytearray()
    columns = {name: bytearray() for name in FIELD_BYTES}
    skipped = 0
    for frame, link in itertools.islice(_frames(path), limit or None):
        fields = classify(frame, link)
        if fields is None:
            skipped += 1
            continue
        packet_class, found = fields
        classes.append(_CLASS[packet_class])
        for name, size in FIELD_BYTES.items():
            columns[name] += found.get(name, bytes(size))
    if not classes:
        why = f"none of its {skipped} packets is well-formed" if skipped else "it holds no packets"
        raise CaptureError(f"{path}: {why}")
    arrays = {n: np.frombuffer(bytes(c), np.uint8).reshape(-1, FIELD_BYTES[n]) for n, c in columns.items()}
    return Traffic(np.frombuffer(bytes(classes), np.uint8), arrays, skipped)


def _frames(path: Path) -> Iterator[tuple[bytes, int]]:
    """Frames of a capture with their link type."""
    import dpkt  # type: ignore[import-untyped]

    with path.open("rb") as file:
        magic = file.read(4)
        if len(magic) < 4:
            raise CaptureError(f"{path}: it holds no packets" if not magic else f"{path}: not a capture")
        file.seek(0)
        try:
            reader = dpkt.pcapng.Reader(file) if magic == b"\n\r\r\n" else dpkt.pcap.Reader(file)
        except (ValueError, dpkt.dpkt.Error):
            raise CaptureError(f"{path}: neither pcap nor pcapng, or its header is damaged") from None
        link = reader.datalink()
        if link not in (_ETHERNET, *_RAW, _LINUX_COOKED):
            raise CaptureError(f"{path}: link type {link} is not Ethernet, raw IP or Linux cooked")
        count, record, last = 0, _FILE_HEADER, b""
        try:
            for _, frame in reader:
                if count:
                    record += _RECORD_HEADER + len(last)
                count += 1
                last = bytes(frame)
                yield last, link
        except (ValueError, dpkt.dpkt.Error):
            raise CaptureError(f"{path}: damaged or cut off after packet {count}") from None
        if count and magic != b"\n\r\r\n":  # dpkt hands out a last packet that the file cuts short
            file.seek(record + 8)
            order: Literal["big", "little"] = "big" if magic[0] == 0xA1 else "little"
            if int.from_bytes(file.read(4), order) != len(last):
                raise CaptureError(f"{path}: cut off within packet {count}")


def classify(frame: bytes, link: int = _ETHERNET) -> tuple[str, dict[str, bytes]] | None:
    """Class of a frame and its hashed fields in network order; None if it is malformed or cut off."""
    found: dict[str, bytes] = {}
    if link in _RAW:
        if not frame:
            return None
        kind, offset = (b"\x86\xdd" if frame[0] >> 4 == 6 else b"\x08\x00"), 0
    else:
        offset = 14 if link == _ETHERNET else 16
        if len(frame) < offset:
            return None
        if link == _ETHERNET:
            found |= {"eth.dst": frame[0:6], "eth.src": frame[6:12]}
        kind = frame[offset - 2 : offset]
        for _ in range(2):
            if kind in _VLAN_TYPES and len(frame) >= offset + 4:
                kind = frame[offset + 2 : offset + 4]
                offset += 4
    found["eth.type"] = kind
    if kind == b"\x08\x00":
        return _ipv4(frame, offset, found)
    if kind == b"\x86\xdd":
        return _ipv6(frame, offset, found)
    return "l2-payload", found


def _ipv4(frame: bytes, offset: int, found: dict[str, bytes]) -> tuple[str, dict[str, bytes]] | None:
    if len(frame) < offset + 20 or frame[offset] >> 4 != 4 or frame[offset] & 15 < 5:
        return None
    found |= {"ipv4.src": frame[offset + 12 : offset + 16], "ipv4.dst": frame[offset + 16 : offset + 20]}
    found["ipv4.proto"] = frame[offset + 9 : offset + 10]
    if int.from_bytes(frame[offset + 6 : offset + 8]) & 0x3FFF:  # more fragments, or an offset
        return "ipv4-frag", found
    return _layer4("ipv4", frame, offset + 4 * (frame[offset] & 15), frame[offset + 9], found)


def _ipv6(frame: bytes, offset: int, found: dict[str, bytes]) -> tuple[str, dict[str, bytes]] | None:
    if len(frame) < offset + 40 or frame[offset] >> 4 != 6:
        return None
    found |= {"ipv6.src": frame[offset + 8 : offset + 24], "ipv6.dst": frame[offset + 24 : offset + 40]}
    found["ipv6.proto"] = frame[offset + 6 : offset + 7]
    proto, offset = frame[offset + 6], offset + 40
    while proto in _EXTENSIONS:
        if len(frame) < offset + 8:
            return None
        proto, offset = frame[offset], offset + 8 * (frame[offset + 1] + 1)
    if proto == 44:
        return "ipv6-frag", found
    return _layer4("ipv6", frame, offset, proto, found)


def _layer4(
    version: str, frame: bytes, offset: int, proto: int, found: dict[str, bytes]
) -> tuple[str, dict[str, bytes]] | None:
    if proto not in _PORTS:
        return f"{version}-other", found
    if len(frame) < offset + (8 if proto == 132 else 4):
        return None
    found |= {"l4.src": frame[offset : offset + 2], "l4.dst": frame[offset + 2 : offset + 4]}
    if proto == 132:
        found["sctp.tag"] = frame[offset + 4 : offset + 8]
    return f"{version}-{_PORTS[proto]}", found
