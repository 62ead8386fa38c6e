"""Built-in headers: the parts of the C library, of DPDK and of libVig that NFs use, as package data.

They stand in when a user's tree does not hold the real ones, which is the normal case. Declarations are facts
of those interfaces; the texts are our own. Functions that an analysis should look into (address comparison,
character classes) are `static inline` C; byte order is macros on __builtin_bswapNN, so that it works in constant
expressions; all others are prototypes. libVig's headers are those that the package ships for building.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

PREFIX = "<built-in>/"
"""How the paths of built-in headers begin, in spans."""

_HERE = Path(__file__).parent
_LIBVIG = _HERE.parent.parent / "runtime" / "libvig" / "verified"
_LIBVIG_FOLDERS = frozenset(("verified", "state", "util", "libvig", "lib", "unverified"))


@cache
def builtin(name: str) -> tuple[str, str] | None:
    """(path, text) of the built-in header for `#include <name>` or "name"; None if there is none.

    `netinet/in.h` is found by its whole name, DPDK's by the last part of it. A header of a libVig folder
    (`libvig/verified/map.h`, `lib/state/map.h`) is the one of that name, or all of libVig."""
    names = _names()
    flat = name.replace("/", "_")
    *folders, last = name.split("/")
    if flat in names:
        return PREFIX + name, (_HERE / flat).read_text("utf-8")
    if last in names and last.startswith("rte_"):
        return PREFIX + last, (_HERE / last).read_text("utf-8")
    if last in _libvig_names() and (not folders or folders[-1] in _LIBVIG_FOLDERS):
        return PREFIX + "libvig/verified/" + last, (_LIBVIG / last).read_text("utf-8")
    if folders and folders[-1] in _LIBVIG_FOLDERS:
        return PREFIX + "libvig.h", (_HERE / "libvig.h").read_text("utf-8")
    return None


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _HERE.glob("*.h"))


@cache
def _libvig_names() -> frozenset[str]:
    return frozenset(path.name for path in _LIBVIG.glob("*.h"))
