"""How findings put things into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..source.text import Span
from .access import Access, Accesses
from .findings import Related
from .headers import PAYLOAD, FieldBit, PacketView
from .matrix import BYTE


def on_devices(devices: Iterable[int]) -> str:
    """Devices as in a sentence: device 0, devices 0 and 1."""
    numbers = sorted(devices)
    return f"device{'s' if len(numbers) > 1 else ''} {listed(map(str, numbers))}"


def listed(words: Iterable[str]) -> str:
    """Words as in a sentence: a, b and c."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def use(a: Access) -> str:
    """What an access does, as a sentence begins: a call by its name, a variable of the program's as it is used there."""
    if a.call is None:
        return f"{a.object.name} is {'changed' if a.write else 'read'} here"
    return f"{a.interface} {'writes' if a.write else 'reads'} {a.object.name}"


def where_full(chain: int, accesses: Accesses) -> tuple[Related, ...]:
    """The allocations that some path finds no room at: what happens there then happens when a core's share is full."""
    outcomes: dict[Span, set[str]] = {}
    for on in accesses.on_paths:
        for a in on.firsts:
            if a.object.id == chain and a.role == "allocate" and a.touch is not None and a.touch.found is False:
                outcomes.setdefault(a.span, set()).add(_OUTCOMES.get(on.path.outcome, on.path.outcome))
    return tuple(
        Related(span, f"a packet that finds its core's share full here is {' or '.join(sorted(done))}")
        for span, done in sorted(outcomes.items())
    )


_OUTCOMES = {"drop": "dropped", "forward": "forwarded", "flood": "flooded"}


def joined_names(bits: Sequence[FieldBit]) -> str:
    """The fields that bytes of the packet are, each byte given by its first bit; neighbouring bytes of no field as one range."""
    loose = [(int(m[1]), int(m[2])) for name, _ in bits if (m := BYTE.fullmatch(name))]
    payload = [(bit, bit + 8) for name, bit in bits if name == PAYLOAD]
    out = list(dict.fromkeys(name for name, _ in bits if name != PAYLOAD and not BYTE.fullmatch(name)))
    out += [f"{PAYLOAD}[{start}:{end}]" for start, end in _joined(payload)]
    out += [f"packet[{start}:{end}]" for start, end in _joined(loose)]
    return ", ".join(out)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for start, end in sorted(set(spans)):
        if out and out[-1][1] == start:
            out[-1] = out[-1][0], end
        else:
            out.append((start, end))
    return out


def key_in_fields(a: Access, views: Sequence[PacketView]) -> str:
    """An access's key as the fields that it is made of, in the view that names most of them."""
    leaves = sorted(a.leaves(), key=lambda leaf: leaf.serial)
    packet = [leaf for leaf in leaves if leaf.op == "byte" and str(leaf.args[0]).startswith("packet")]
    view = max(views, key=lambda v: sum(leaf in v.names for leaf in packet), default=None)
    if view is None or not packet:
        return ", ".join(sorted({str(leaf.args[0]) for leaf in leaves})) or "a constant"
    return joined_names([view.bit(leaf, 7) for leaf in packet])
