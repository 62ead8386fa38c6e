"""The catalogue: what each library call means for state, as data.

`Catalogue.builtin()` reads catalogue.toml (libVig, packet I/O); `extend` adds a user's `[[structure]]` entries of maestro.toml,
which use the same fields:

  name, params      the function and its parameter names, in order
  op                what the call does (see OPS)
  object            the parameter that is the object; `kind` says what `allocate` makes
  key, key_size     pointer to the key (its size: the map's, a number, or the size of what the parameter points to)
  index             an index that decides which memory is touched
  out               pointer that receives the value found, the index or the new object
  value, time, capacity, elem_size, init, equality, ...   parameters of the operations that need them
  result            "bool" (forks when tested), "int" or nothing;  `symbol` names it in messages
  approximate       an estimate: copies per core change it (`approximate-state`)
  selected_key      the key is the one that the latest `select-key` call on the object was given
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

OPS: dict[str, str] = {
    "allocate": "creates an object of `kind` and stores its address through `out`",
    "map-get": "looks `key` up; true when present, then the value through `out`",
    "map-put": "stores `value` under `key`",
    "map-add": "stores a fresh index under `key`; true unless full, then the index through `out`",
    "map-erase": "removes `key`",
    "vector-borrow": "gives a pointer to the cell at `index` through `out`",
    "vector-return": "ends the borrow of the cell at `index`",
    "dchain-allocate": "takes a fresh index; true unless full, then the index through `out`",
    "dchain-rejuvenate": "refreshes the time of `index`",
    "dchain-check": "whether `index` is taken",
    "dchain-free": "gives `index` back",
    "dchain-expire-one": "gives back one index older than `time`, which it stores through `out`",
    "expire": "removes everything older than `time`; returns how many",
    "expire-range": "removes the map's entries for the cells `start` <= i < `end`",
    "dmap-get-a": "looks the first key up",
    "dmap-get-b": "looks the second key up",
    "dmap-put": "stores `value` with both its keys at `index`",
    "dmap-value": "copies the value at `index`",
    "dmap-erase": "removes the value at `index` and both its keys",
    "fill": "fills the object at start-up",
    "scan": "reads which indices of `object` are taken, all of them",
    "read": "reads the object at `key` or `index` (all of it when there is neither)",
    "update": "reads and writes the object at `key` or `index` (all of it when there is neither)",
    "select-key": "sets the key for the object's next calls",
    "packet-borrow": "gives a pointer to the next `length` bytes of the packet",
    "packet-return": "ends the use of a chunk",
    "packet-unread": "how many bytes of the packet have not been borrowed",
    "packet-reshape": "inserts or removes bytes of the packet",
    "checksum": "recomputes checksums in the headers",
    "environment": "returns anything",
    "hash": "a hash of `size` bytes at `key`",
    "ignore": "has no effect on state or packet",
    "mark": "has no effect either; where a path stood there can be noted",
}

_FLAGS = frozenset({"approximate", "selected_key", "filled"})
_TEXT = frozenset({"name", "op", "kind", "result", "symbol"})


class CatalogueError(ValueError):
    """A catalogue entry that cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class CallSpec:
    """What one function means. `roles` maps a role (object, key, out ...) to the position of its argument."""

    name: str
    params: tuple[str, ...]
    op: str
    roles: Mapping[str, int]
    kind: str = ""
    result: str = ""
    symbol: str = ""
    bits: int = 32  # width of the result
    key_bytes: int | None = None  # a key size given as a number
    flags: frozenset[str] = frozenset()

    @staticmethod
    def parse(entry: Mapping[str, Any]) -> CallSpec:
        """Check one TOML entry.

        Raises:
            CatalogueError: with the entry's name and the field that is wrong.
        """
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise CatalogueError("a structure's call needs a `name`")
        params = entry.get("params", [])
        if not isinstance(params, list) or not all(isinstance(p, str) for p in params):
            raise CatalogueError(f"{name}: `params` is a list of parameter names")
        op = entry.get("op")
        if op not in OPS:
            raise CatalogueError(f"{name}: `op` is one of {', '.join(OPS)}; not {op!r}")
        roles: dict[str, int] = {}
        for role, value in entry.items():
            if role in _TEXT or role in _FLAGS or role in ("params", "bits"):
                continue
            if role == "key_size" and isinstance(value, int):
                continue
            if value not in params:
                raise CatalogueError(f"{name}: `{role}` names a parameter ({', '.join(params)}); {value!r} is none")
            roles[role] = params.index(value)
        if op == "allocate" and ("out" not in roles or not entry.get("kind")):
            raise CatalogueError(f"{name}: `allocate` needs `kind` and `out`")
        key_size = entry.get("key_size")
        return CallSpec(
            name=name,
            params=tuple(params),
            op=str(op),
            roles=roles,
            kind=str(entry.get("kind", "")),
            result=str(entry.get("result", "")),
            symbol=str(entry.get("symbol", "")),
            bits=int(entry.get("bits", 32)),
            key_bytes=key_size if isinstance(key_size, int) else None,
            flags=frozenset(f for f in _FLAGS if entry.get(f)),
        )


@dataclass(frozen=True)
class Catalogue:
    """All known calls. A name may have several forms, told apart by the number of arguments."""

    calls: Mapping[str, tuple[CallSpec, ...]]
    scratch: frozenset[str]
    ignored: frozenset[str]
    ignored_prefixes: tuple[str, ...] = ()
    ignored_suffixes: tuple[str, ...] = ()
    kinds: frozenset[str] = field(default=frozenset())

    @staticmethod
    @lru_cache(maxsize=1)
    def builtin() -> Catalogue:
        """libVig and packet I/O."""
        text = resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8")
        raw = tomllib.loads(text)
        return Catalogue({}, frozenset(), frozenset())._with(
            raw["call"],
            scratch=raw["scratch"]["globals"],
            ignored=raw["ignored"],
        )

    def extend(self, entries: Sequence[Mapping[str, Any]]) -> Catalogue:
        """This catalogue with a user's entries; theirs win over ours of the same name and number of arguments.

        Raises:
            CatalogueError: for an entry that cannot be used.
        """
        return self._with(entries)

    def _with(
        self,
        entries: Sequence[Mapping[str, Any]],
        scratch: Sequence[str] = (),
        ignored: Mapping[str, Any] | None = None,
    ) -> Catalogue:
        calls = dict(self.calls)
        for entry in entries:
            spec = CallSpec.parse(entry)
            others = tuple(s for s in calls.get(spec.name, ()) if len(s.params) != len(spec.params))
            calls[spec.name] = (*others, spec)
        more = ignored or {}
        return Catalogue(
            calls=calls,
            scratch=self.scratch | frozenset(scratch),
            ignored=self.ignored | frozenset(more.get("names", ())),
            ignored_prefixes=(*self.ignored_prefixes, *more.get("prefixes", ())),
            ignored_suffixes=(*self.ignored_suffixes, *more.get("suffixes", ())),
            kinds=frozenset(s.kind for specs in calls.values() for s in specs if s.kind),
        )

    def find(self, name: str, arguments: int) -> CallSpec | None:
        """The entry for a call, or None when the function is not a library's."""
        specs = self.calls.get(name)
        if specs:
            for s in specs:
                if len(s.params) == arguments:
                    return s
        return None

    def is_ignored(self, name: str) -> bool:
        """Whether a function *that the program does not define* is known to touch neither state nor packet."""
        return name in self.ignored or name.startswith(self.ignored_prefixes) or name.endswith(self.ignored_suffixes)
