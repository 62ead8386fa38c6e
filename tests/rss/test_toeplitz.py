"""The Toeplitz hash against published vectors, DPDK's own code, and the solver's reading of it."""

import ipaddress
import random
import shutil
import subprocess

import numpy as np
import pytest

from maestro_lsp import rss
from maestro_lsp.rss.toeplitz import KeyLengthError, pack, pack_many, toeplitz, toeplitz_many

KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
# Microsoft's verification suite: source, port, destination, port, hash of addresses, hash with ports.
VECTORS = [
    ("66.9.149.187", 2794, "161.142.100.80", 1766, 0x323E8FC2, 0x51CCC178),
    ("199.92.111.2", 14230, "65.69.140.83", 4739, 0xD718262A, 0xC626B0EA),
    ("24.19.198.95", 12898, "12.22.207.184", 38024, 0xD2D0A5DE, 0x5C2B394A),
    ("38.27.205.30", 48228, "209.142.163.6", 2217, 0x82989176, 0xAFC7327F),
    ("153.39.163.191", 44251, "202.188.127.2", 1303, 0x5D1809C5, 0x10E828A2),
    ("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x2CC18CD5, 0x40207D3D),
    ("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0x0F0C461C, 0xDDE51BBF),
    ("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024, 0x4B61E985, 0x02D1FEEF),
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v[0])
def test_published_vectors(vector):
    src, sport, dst, dport, addresses, ports = vector
    one, two = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    version = f"ipv{one.version}"
    values = {f"{version}.src": int(one), f"{version}.dst": int(two), "l4.src": sport, "l4.dst": dport}
    pair = tuple(rss.parse(name) for name in (f"{version}.src", f"{version}.dst"))
    four = (*pair, rss.parse("l4.src"), rss.parse("tcp.dst"))
    assert toeplitz(KEY, pack(pair, values)) == addresses
    assert toeplitz(KEY, pack(four, values)) == ports
    row = np.frombuffer(pack(four, values), np.uint8)[None, :]
    assert toeplitz_many(KEY, row)[0] == ports


@pytest.mark.parametrize("key_bytes", [40, 52, 17])
def test_the_vectorised_hash_agrees_with_the_scalar_one(key_bytes):
    draw = random.Random(key_bytes)
    key = draw.randbytes(key_bytes)
    rows = np.frombuffer(draw.randbytes(300 * 13), np.uint8).reshape(300, 13)
    assert toeplitz_many(key, rows).tolist() == [toeplitz(key, row.tobytes()) for row in rows]


def test_packing_columns_agrees_with_packing_values():
    draw = random.Random(3)
    cut = tuple(rss.parse(name) for name in ("ipv4.src[0:9]", "l4.dst", "ipv4.dst[5:32]"))
    packets = [
        {"ipv4.src": draw.getrandbits(32), "ipv4.dst": draw.getrandbits(32), "l4.dst": draw.getrandbits(16)}
        for _ in range(50)
    ]
    columns = {
        name: np.array([list(p[name].to_bytes(size)) for p in packets], np.uint8)
        for name, size in (("ipv4.src", 4), ("ipv4.dst", 4), ("l4.dst", 2))
    }
    assert [row.tobytes() for row in pack_many(cut, columns)] == [pack(cut, p) for p in packets]


def test_index_rows_of_a_key_space_compute_the_low_bits_of_the_hash():
    four = rss.HashInput.of("ipv4-tcp", "ipv4.src", "ipv4.dst", "l4.src", "l4.dst")
    space = rss.solve([rss.Device(3, (four,))], [])
    keys = space.random(5)
    rows = space.index_rows(space.join(keys), 3, four)
    draw = random.Random(6)
    for _ in range(50):
        data = draw.randbytes(12)
        vector = int(f"{int.from_bytes(data):096b}"[::-1], 2)
        index = 0
        for row in rows:
            index = index << 1 | (row & vector).bit_count() & 1
        assert index == toeplitz(keys[3], data) & 0x1FF


def test_short_keys_are_refused():
    with pytest.raises(KeyLengthError, match="hashing 36 bytes takes 40"):
        toeplitz(bytes(39), bytes(36))
    with pytest.raises(KeyLengthError):
        toeplitz_many(bytes(15), np.zeros((1, 12), np.uint8))


SOFTRSS = r"""
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <rte_byteorder.h>
#include <rte_thash.h>

/* Reads records of 52 key bytes and 12 input bytes, writes both hashes of each. */
int main(void) {
    uint8_t record[64];
    uint32_t converted[13];
    while (fread(record, sizeof record, 1, stdin) == 1) {
        uint32_t tuple[3];
        for (int i = 0; i < 3; i++) {
            memcpy(&tuple[i], record + 52 + 4 * i, 4);
            tuple[i] = rte_be_to_cpu_32(tuple[i]);
        }
        rte_convert_rss_key((uint32_t *)record, converted, 52);
        uint32_t hashes[2] = {rte_softrss(tuple, 3, record), rte_softrss_be(tuple, 3, (uint8_t *)converted)};
        fwrite(hashes, sizeof hashes, 1, stdout);
    }
    return 0;
}
"""


def test_dpdk_agrees_on_a_hundred_thousand_tuples_and_keys(tmp_path):
    flags = subprocess.run(["pkg-config", "--cflags", "libdpdk"], capture_output=True, text=True, check=False)
    if shutil.which("gcc") is None or flags.returncode:
        pytest.skip("needs gcc and libdpdk-dev")
    (tmp_path / "softrss.c").write_text(SOFTRSS)
    program = str(tmp_path / "softrss")
    subprocess.run(["gcc", "-O2", *flags.stdout.split(), "-o", program, str(tmp_path / "softrss.c")], check=True)
    records = np.random.default_rng(7).integers(0, 256, (100_000, 64), np.uint8)
    output = subprocess.run([program], input=records.tobytes(), capture_output=True, check=True).stdout
    theirs = np.frombuffer(output, "<u4").reshape(-1, 2)
    assert len(theirs) == len(records)
    ours = np.array([toeplitz(r[:52].tobytes(), r[52:].tobytes()) for r in records], np.uint32)
    assert np.array_equal(theirs[:, 0], ours)
    assert np.array_equal(theirs[:, 1], ours)
