"""The hash that a core computes in place of a NIC, against the RSS engine's: any packet, whole fields and parts of them."""

from __future__ import annotations

import ctypes
import random
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from maestro_lsp.rss import PACKET_CLASSES, HashInput
from maestro_lsp.rss.capture import classify
from maestro_lsp.rss.configure import Configuration, configure
from maestro_lsp.rss.nic import profile
from maestro_lsp.rss.toeplitz import hash_fields
from maestro_lsp.synthesis.rss_data import rss_data

from .program import HERE, RUNTIME, WARNINGS, dpdk

PARTS = (
    HashInput.of("ipv4-udp", "ipv4.src[3:17]", "l4.dst[5:16]", "eth.src[1:30]", "ipv4.dst"),
    HashInput.of("ipv4-tcp", "l4.src[15:16]"),
    HashInput.of("ipv6-udp", "ipv6.dst[7:128]", "l4.src", "ipv6.src[0:64]"),
    HashInput.of("l2-payload", "eth.dst[40:48]", "eth.type"),
)


@pytest.fixture(scope="module", params=["x710", "e810", "parts"])
def configuration(request: pytest.FixtureRequest) -> Configuration:
    if request.param == "parts":
        return configure(profile("software"), [0], (), inputs={0: PARTS}, seed=1)
    return configure(profile(request.param), [0], (), seed=1)


def layer4(rng: random.Random, proto: int) -> bytes:
    return rng.randbytes({6: 20, 17: 8, 132: 12}.get(proto, 8))


def random_frame(rng: random.Random) -> bytes:
    proto = rng.choice([6, 17, 132, 1, 58])
    tags = b"".join(
        rng.choice([b"\x81\x00", b"\x88\xa8"]) + rng.randbytes(2) for _ in range(rng.choice([0, 0, 0, 1, 2, 3]))
    )
    kind = rng.choice([4, 4, 6, 6, 0])
    if kind == 4:
        words = rng.choice([5, 5, 6, 15, 4])
        fragment = rng.choice([0, 0, 0, 0x4000, 0x2000, 0x0001])
        ip = struct.pack(">BBHHHBBH", 0x40 | words, 0, 0, 0, fragment, 64, proto, 0) + rng.randbytes(8)
        frame = b"\x08\x00" + ip + rng.randbytes(4 * max(words - 5, 0)) + layer4(rng, proto)
    elif kind == 6:
        extensions = rng.choices([0, 43, 60, 135], k=rng.choice([0, 0, 1, 2])) + rng.choice([[], [], [44]])
        chain = [*extensions, proto]
        body = b""
        for here, after in zip(chain, chain[1:], strict=False):
            units = 0 if here == 44 else rng.randrange(3)
            body += bytes([after, units]) + rng.randbytes(6 + 8 * units)
        frame = b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, 0, chain[0], 64) + rng.randbytes(32) + body
        frame += layer4(rng, proto)
    else:
        frame = rng.choice([b"\x08\x06", b"\x88\xcc"]) + rng.randbytes(30)
    frame = rng.randbytes(12) + tags + frame
    return frame[: rng.randrange(len(frame))] if rng.random() < 0.2 else frame + rng.randbytes(rng.randrange(8))


def test_a_core_hashes_as_the_engine_does(configuration: Configuration, tmp_path: Path) -> None:
    data, library = tmp_path / "rss_data.h", tmp_path / "hash.so"
    data.write_text(rss_data(configuration, ()))
    command = ["gcc", "-std=gnu11", "-O1", "-shared", "-fPIC", *WARNINGS, f"-I{RUNTIME}", *dpdk("--cflags")]
    command += ["-march=native", "-fsanitize=undefined", "-fno-sanitize-recover=all", f'-DRSS_DATA="{data}"']
    done = subprocess.run([*command, str(HERE / "hash_driver.c"), "-o", str(library)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    function = ctypes.CDLL(str(library)).hash
    function.restype = ctypes.c_uint32
    device, key = configuration.space.devices[0], configuration.keys[0]
    rng = random.Random(1)
    seen: Counter[str] = Counter()
    for _ in range(4000):
        frame = random_frame(rng)
        name, fields = classify(frame) or ("malformed", {})
        if name != "malformed":
            fields["eth.type"] = frame[12:14]  # as NFs see it; captures count what stands behind VLAN tags
        values = {field: int.from_bytes(raw) for field, raw in fields.items()}
        expected = hash_fields(key, device.input(name).fields, values)
        assert function(frame, len(frame)) == expected, (name, frame.hex())
        seen[name] += 1
    assert set(seen) == {*PACKET_CLASSES, "malformed"}
