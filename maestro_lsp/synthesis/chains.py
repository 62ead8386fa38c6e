"""dchains of the runtime in the place of libVig's: the names that change, and the headers that the new ones need.

SHARED  cores share one chain, with time stamps for each (strategies locks and tm)
LIVE    each core's chain counts live entries by bucket, so that idle buckets can move (shared-nothing, balanced at run time)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from .definitions import Definition
from .excerpt import Edit

_OPERATIONS = (
    "allocate",
    "allocate_new_index",
    "rejuvenate_index",
    "is_index_allocated",
    "free_index",
    "expire_one_index",
)
_WORD = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?:\.|->)\s*[A-Za-z_]\w*|([A-Za-z_]\w*)""", re.DOTALL
)

Chains = Mapping[str, tuple[str, str]]  # libVig's name -> the runtime's, and its header


def _chain(type_name: str, prefix: str, header: str) -> dict[str, tuple[str, str]]:
    return {"DoubleChain": (type_name, header)} | {f"dchain_{op}": (f"{prefix}_{op}", header) for op in _OPERATIONS}


SHARED: Chains = {
    **_chain("maestro_dchain", "maestro_dchain", "maestro/dchain.h"),
    "expire_items_single_map": ("maestro_expire_items_single_map", "maestro/expire_map.h"),
    "expire_items": ("maestro_expire_items", "maestro/expire_dmap.h"),
    "cht_find_preferred_available_backend": ("maestro_cht_find_preferred_available_backend", "maestro/cht.h"),
}
LIVE: Chains = {
    **_chain("maestro_live_chain", "maestro_live_chain", "maestro/live.h"),
    "expire_items_single_map": ("maestro_live_expire_items_single_map", "maestro/live.h"),
}
OWN: Chains = {
    **_chain("maestro_rss_chain", "maestro_rss_chain", "maestro/share_rss.h"),
    "expire_items_single_map": ("maestro_rss_expire_items_single_map", "maestro/share_rss.h"),
}


def replace_chains(pieces: Iterable[Definition], chains: Chains) -> tuple[dict[str, list[Edit]], tuple[str, ...]]:
    """Edits by file, and the headers that are needed."""
    edits: dict[str, list[Edit]] = {}
    headers: dict[str, None] = {}
    for piece in pieces:
        for start, end, name in words(piece):
            if name in chains:
                new, header = chains[name]
                headers[header] = None
                found = edits.setdefault(piece.file, [])
                if (start, end, new) not in found:
                    found.append((start, end, new))
    return edits, tuple(headers)


def misnamed(text: str, strategy: str, form: str) -> Iterator[tuple[int, int, str, str]]:
    """Names in a generated file that are of other chains than its strategy has: start, end, the name, and what it should be."""
    mine = SHARED if strategy in ("locks", "tm") else {"balanced": LIVE, "rss-allocator": OWN}.get(form, {})
    right = {new: old for chains in (SHARED, LIVE, OWN) for old, (new, _) in chains.items()}
    right = {name: mine.get(old, (old, ""))[0] for new, old in right.items() for name in (new, old)}
    for start, end, name in _words(text, 0, len(text)):
        if right.get(name, name) != name:
            yield start, end, name, right[name]


def words(piece: Definition) -> Iterator[tuple[int, int, str]]:
    """The identifiers of a piece that are no members, outside comments and strings, with their places in the file."""
    return _words(piece.unit.pre.scans[piece.file].source.text, piece.start, piece.end)


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for match in _WORD.finditer(text, start, end):
        if match[1]:
            yield match.start(1), match.end(1), match[1]
