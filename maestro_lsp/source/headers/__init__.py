"""Built-in headers: the parts of the C library, of DPDK and of libVig that NFs use, as package data.

They stand in when a user's tree does not hold the real ones, which is the normal case. Declarations are facts
of those interfaces; the texts are our own. Functions that an analysis should look into (byte order, address
comparison) are `static inline` C; all others are prototypes.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

PREFIX = "<built-in>/"
"""How the paths of built-in headers begin, in spans."""

_FOLDERS = {"libvig": "libvig.h", "state": "libvig.h", "util": "libvig.h", "verified": "libvig.h"}


@cache
def _names() -> frozenset[str]:
    return frozenset(entry.name for entry in files(__name__).iterdir() if entry.name.endswith(".h"))


@cache
def builtin(name: str) -> tuple[str, str] | None:
    """(path, text) of the built-in header for `#include <name>` or "name"; None if there is none.

    Only the last part of the name counts for DPDK (`rte_ip.h`); a header of a libVig folder (`lib/state/map.h`)
    is all of libVig."""
    *folders, last = name.split("/")
    flat = name.replace("/", "_")
    if flat in _names():
        return PREFIX + name, (files(__name__) / flat).read_text("utf-8")
    if last in _names() and (last.startswith("rte_") or last == "libvig.h"):
        return PREFIX + last, (files(__name__) / last).read_text("utf-8")
    if folders and folders[-1] in _FOLDERS:
        library = _FOLDERS[folders[-1]]
        return PREFIX + library, (files(__name__) / library).read_text("utf-8")
    return None
