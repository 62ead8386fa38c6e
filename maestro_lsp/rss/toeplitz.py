"""The Toeplitz hash of RSS, one input at a time and a million at a time.

Takes a key and hash inputs as bytes in network order; gives 32-bit hashes. Bit b of the hash (0 is the most
significant) is the xor over the set input bits i of key bit i + b (Microsoft's RSS specification; DPDK's
`rte_softrss`). The NIC looks up its indirection table at the low bits of the hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from . import fields
from .fields import Field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class KeyLengthError(ValueError):
    """A key that is too short for the input; the message is one line for people."""


def _check_length(key: bytes, input_bytes: int) -> None:
    needed = input_bytes + 4
    if len(key) < needed:
        raise KeyLengthError(f"a key of {len(key)} bytes is too short: hashing {input_bytes} bytes takes {needed}")


def toeplitz(key: bytes, data: bytes) -> int:
    """Hash of one input, 32 bits. Raises KeyLengthError."""
    _check_length(key, len(data))
    window = int.from_bytes(key)
    top = 8 * len(key) - 32
    result = 0
    for at in range(8 * len(data)):
        if data[at // 8] << (at % 8) & 0x80:
            result ^= window >> (top - at)
    return result & 0xFFFFFFFF


def toeplitz_many(key: bytes, rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Hashes of n inputs given as an array of shape (n, bytes of input), 32 bits each. Raises KeyLengthError.

    Hashing is linear, so a hash is the xor of one entry of a table of 256 for each byte position.
    """
    import numpy as np

    count, width = rows.shape
    _check_length(key, width)
    hashes = np.zeros(count, np.uint32)
    stream = int.from_bytes(key)
    values = np.arange(256, dtype=np.uint16)
    for at in range(width):
        table = np.zeros(256, np.uint32)
        for bit in range(8):
            column = stream >> (8 * len(key) - 32 - 8 * at - bit) & 0xFFFFFFFF
            table ^= np.where(values & (0x80 >> bit), np.uint32(column), np.uint32(0))
        hashes ^= table[rows[:, at]]
    return hashes


def pack(hash_input: Sequence[Field], values: Mapping[str, int]) -> bytes:
    """Hash input of one packet as the NIC reads it, from the values of whole fields by canonical name.

    Parts of fields are cut out of the whole; the last byte is filled up with zeros, which do not change the
    hash. Raises KeyError for a missing value.
    """
    packed = width = 0
    for field in hash_input:
        for run in fields.canonical(field):
            whole = values[str(run)] if run.name == "packet" else values[run.name]
            if run.name != "packet":
                whole >>= fields.width(run.name) - run.stop
            packed = packed << run.width | whole & ((1 << run.width) - 1)
            width += run.width
    padding = -width % 8
    return (packed << padding).to_bytes((width + padding) // 8)


def pack_many(hash_input: Sequence[Field], columns: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Hash inputs of n packets, shape (n, bytes of input), from big-endian columns of shape (n, bytes of
    field).

    Columns are whole fields by canonical name. Raises KeyError for a missing column.
    """
    import numpy as np

    runs = [run for field in hash_input for run in fields.canonical(field)]
    if all(run.start % 8 == 0 and run.stop % 8 == 0 for run in runs):
        return np.concatenate([columns[r.name][:, r.start // 8 : r.stop // 8] for r in runs], axis=1)
    bits = [np.unpackbits(columns[r.name], axis=1)[:, r.start : r.stop] for r in runs]
    return np.packbits(np.concatenate(bits, axis=1), axis=1)


def hash_fields(key: bytes, hash_input: Iterable[Field], values: Mapping[str, int]) -> int:
    """Hash of one packet given by the values of its fields; 0 for an empty input, as of unhashed packets."""
    return toeplitz(key, pack(tuple(hash_input), values))
