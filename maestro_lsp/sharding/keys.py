"""Maps keep pointers to their keys: the memory that one points to must not change, nor become another packet's, while its entry lives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from .access import Access
from .numbers import frees_old
from .provenance import Provenance, same_index


def key_problems(maps: Set[int], accesses: Sequence[Access], origin: Provenance) -> Iterator[tuple[Access, str]]:
    """A map keeps a pointer to its key: the memory that it points to must not change while the entry lives."""
    puts = [a for a in accesses if a.object.id in maps and a.role == "put" and a.touch is not None]
    keepers = {a.touch.key_cell[0] for a in puts if a.touch is not None and a.touch.key_cell is not None}
    for a in puts:
        home = a.touch.key_home if a.touch is not None else ""
        if home in _KEY_HOMES:
            yield a, _KEY_HOMES[home]
    for a in puts:
        if _outlives_its_key(a, accesses, origin):
            yield (
                a,
                "its key stands in the cell of another index, which is given to another packet while the entry lives",
            )
    for a in accesses:
        if a.object.id in keepers and a.write and a.touch is not None and a.touch.stored and a.key:
            if origin.source(a.path, a.key[0].value).kind != "fresh":
                yield (
                    a,
                    "it changes the cell in which the key of a map's entry stands, while the entry lives (what changes can have a vector of its own)",
                )


def _outlives_its_key(put: Access, accesses: Sequence[Access], origin: Provenance) -> bool:
    """Whether an entry may live longer than the index in whose cell its key stands, so that the cell becomes another packet's."""
    cell = put.touch.key_cell if put.touch is not None else None
    if put.touch is None or cell is None or same_index(put.path, cell[1], put.touch.value):
        return False  # they go together: condition 3
    s = origin.source(put.path, cell[1])
    if s.kind in ("packet", "constant"):
        return False
    for a in accesses:
        if a.object.kind != "dchain" or (s.kind == "fresh" and a.object.id != s.object):
            continue
        together = (
            s.kind == "fresh"
            and a.call is not None
            and {cell[0], put.object.id} <= {t.object for t in a.call.touches if t.role == "expire"}
        )
        if frees_old(a, origin) or (a.role == "expire" and not together):
            return True
    return False


_KEY_HOMES = {
    "changed": "the map keeps a pointer to its key, and the key there is overwritten",
    "elsewhere": "the map keeps a pointer to its key, and that memory is used again",
}


__all__ = ["key_problems"]
