"""How findings put things into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..source.text import Span
from .access import Access
from .findings import Related
from .matrix import BYTE


def on_devices(devices: Iterable[int]) -> str:
    """Devices as in a sentence: device 0, devices 0 and 1."""
    numbers = sorted(devices)
    return f"device{'s' if len(numbers) > 1 else ''} {listed(map(str, numbers))}"


def listed(words: Iterable[str]) -> str:
    """Words as in a sentence: a, b and c."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def where_full(chain: int, accesses: Sequence[Access]) -> tuple[Related, ...]:
    """The allocations that some path finds no room at: what happens there then happens when a core's share is full."""
    outcomes: dict[Span, set[str]] = {}
    for a in accesses:
        if a.object.id == chain and a.role == "allocate" and a.touch is not None and a.touch.found is False:
            outcomes.setdefault(a.span, set()).add(_OUTCOMES.get(a.path.outcome, a.path.outcome))
    return tuple(
        Related(span, f"a packet that finds its core's share full here is {' or '.join(sorted(done))}")
        for span, done in sorted(outcomes.items())
    )


_OUTCOMES = {"drop": "dropped", "forward": "forwarded", "flood": "flooded"}


def joined_names(names: Sequence[str]) -> str:
    """Names of fields, neighbouring bytes of the packet as one range."""
    spans = sorted((int(m[1]), int(m[2])) for n in names if (m := BYTE.fullmatch(n)))
    out = [n for n in names if not BYTE.fullmatch(n)]
    while spans:
        start, end = spans.pop(0)
        while spans and spans[0][0] == end:
            end = spans.pop(0)[1]
        out.append(f"packet[{start}:{end}]")
    return ", ".join(out)
