"""Traffic as arrays: synthetic or captured packets, and the load they put on table entries and queues.

A `Traffic` holds the fields that NICs hash, one row for each packet. Uniform traffic gives every packet a
flow of a large set with equal probability; Zipfian traffic gives the r-th flow a share proportional to 1/r^s.
The default is what Pedrosa et al. (CASTAN, 2018) found in a university network, as the thesis uses (section
4.4): s = 1.26 over 1000 flows, 48 of which carry 80 % of the packets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .balance import ZIPF_EXPONENT, ZIPF_FLOWS
from .fields import PACKET_CLASSES, PROTOCOLS, canonical
from .quality import Sample
from .solve import Device
from .toeplitz import pack_many, toeplitz_many

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIELD_BYTES = {
    "eth.dst": 6,
    "eth.src": 6,
    "eth.type": 2,
    "ipv4.src": 4,
    "ipv4.dst": 4,
    "ipv4.proto": 1,
    "ipv6.src": 16,
    "ipv6.dst": 16,
    "ipv6.proto": 1,
    "l4.src": 2,
    "l4.dst": 2,
    "sctp.tag": 4,
}
"""Columns of a `Traffic`, bytes in network order; zero where a packet lacks the field."""


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Packets in the order of their arrival."""

    classes: NDArray[np.uint8]  # index into PACKET_CLASSES, shape (n,)
    columns: Mapping[str, NDArray[np.uint8]]  # field -> shape (n, bytes of the field), see FIELD_BYTES
    skipped: int = 0  # packets of a capture that are malformed or cut off before the hashed fields

    def __len__(self) -> int:
        return len(self.classes)

    def present(self) -> tuple[str, ...]:
        """Classes of packets that occur, in the order of PACKET_CLASSES."""
        import numpy as np

        found = np.flatnonzero(np.bincount(self.classes, minlength=len(PACKET_CLASSES)))
        return tuple(PACKET_CLASSES[at] for at in found)


def indices(traffic: Traffic, device: Device, key: bytes) -> NDArray[np.uint32]:
    """Table index of every packet that arrives on the device. Raises KeyLengthError, KeyError for other
    fields.
    """
    import numpy as np

    found = np.zeros(len(traffic), np.uint32)
    for packet_class in traffic.present():
        hash_input = device.input(packet_class)
        if not hash_input.fields:
            continue  # not hashed: entry 0
        rows = np.flatnonzero(traffic.classes == PACKET_CLASSES.index(packet_class))
        columns = {name: column[rows] for name, column in traffic.columns.items()}
        hashes = toeplitz_many(key, pack_many(hash_input.fields, columns))
        found[rows] = hashes & np.uint32((1 << device.table_bits) - 1)
    return found


def uncarried(device: Device, classes: Iterable[str]) -> list[str]:
    """Fields that the device hashes of packets of these classes and that no `Traffic` carries, sorted."""
    hashed = (run.name for name in classes for field in device.input(name).fields for run in canonical(field))
    return sorted(set(hashed) - FIELD_BYTES.keys())


def entry_loads(traffic: Traffic, device: Device, key: bytes) -> NDArray[np.int64]:
    """Packets at each entry of the device's indirection table."""
    import numpy as np

    return np.bincount(indices(traffic, device, key), minlength=1 << device.table_bits).astype(np.int64)


def sample_score(traffic: Traffic, devices: Sequence[Device], queues: int) -> Sample:
    """Rates keys by the thesis's test: the standard deviation of packets per queue, over the mean, all
    devices.
    """

    def score(keys: dict[int, bytes]) -> float:
        from .balance import queue_loads, round_robin

        spread = 0.0
        for device in devices:
            table = round_robin(1 << device.table_bits, queues)
            loads = queue_loads(entry_loads(traffic, device, keys[device.number]), table, queues)
            spread += float(loads.std() / max(1.0, loads.mean()))
        return spread

    return score


# --- synthetic traffic ---


def uniform(packets: int, seed: int = 0, flows: int = 0, packet_class: str = "ipv4-udp") -> Traffic:
    """Packets of random flows, each as likely as any other; `flows` = 0: a flow of its own for every packet."""
    import numpy as np

    draw = np.random.default_rng(seed)
    chosen = np.arange(packets) if not flows else draw.integers(0, flows, packets)
    return _of_flows(draw, flows or packets, chosen, packet_class)


def zipf(
    packets: int,
    seed: int = 0,
    flows: int = ZIPF_FLOWS,
    exponent: float = ZIPF_EXPONENT,
    packet_class: str = "ipv4-udp",
) -> Traffic:
    """Packets of random flows, the r-th most frequent with a share proportional to 1 / r**exponent."""
    import numpy as np

    draw = np.random.default_rng(seed)
    shares = np.arange(1, flows + 1) ** -exponent
    chosen = draw.choice(flows, packets, p=shares / shares.sum())
    return _of_flows(draw, flows, chosen, packet_class)


def _of_flows(draw: np.random.Generator, flows: int, chosen: NDArray[np.int64], packet_class: str) -> Traffic:
    """Packets of `flows` random flows; `chosen` is the flow of each packet."""
    import numpy as np

    version, _, kind = packet_class.partition("-")
    columns = {}
    for name, size in FIELD_BYTES.items():
        if name.startswith((version, "l4")) and size > 1:
            columns[name] = draw.integers(0, 256, (flows, size), np.uint8)[chosen]
        else:
            columns[name] = np.zeros((len(chosen), size), np.uint8)
    columns[f"{version}.proto"] = np.full((len(chosen), 1), PROTOCOLS.get(kind, 0), np.uint8)
    for name in ("eth.dst", "eth.src"):  # each flow is of stations of its own
        columns[name] = draw.integers(0, 256, (flows, FIELD_BYTES[name]), np.uint8)[chosen]
    classes = np.full(len(chosen), PACKET_CLASSES.index(packet_class), np.uint8)
    return Traffic(classes, columns)
