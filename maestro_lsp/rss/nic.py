"""NIC profiles: what each NIC can hash, as data, and the hash inputs that a choice of options gives.

Takes profiles.toml (and files of the user in the same form); gives `Profile`s, which turn a set of enabled
options and a choice of partial inputs into `Device`s for the solver.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from .fields import PACKET_CLASSES, Field, FieldError, canonical, carries, parse
from .solve import Device, HashInput, SpecError
from .span import layout

Partial = frozenset[str]
"""Which ends of addresses and ports are hashed: a subset of PARTS."""

PARTS = ("l3.src", "l3.dst", "l4.src", "l4.dst")
WHOLE: Partial = frozenset(PARTS)


@dataclass(frozen=True, slots=True)
class Option:
    """One RSS option: its hash input and the classes of packets it matches."""

    name: str  # as reports say it, `ipv4-tcp`; exporters map it to RTE_ETH_RSS_* flags
    fields: tuple[Field, ...]
    classes: frozenset[str]

    def part(self, partial: Partial) -> tuple[Field, ...]:
        """The fields that a partial input keeps; fields that are neither addresses nor ports always stay."""
        return tuple(field for field in self.fields if _part_of(field) in partial | {None})


@lru_cache(maxsize=256)
def _part_of(field: Field) -> str | None:
    header, _, end = field.name.partition(".")
    if end not in ("src", "dst") or header not in ("ipv4", "ipv6", "l4"):
        return None
    return f"{'l4' if header == 'l4' else 'l3'}.{end}"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a NIC can do; see profiles.toml for the meaning of each entry."""

    name: str
    driver: str
    key_bytes: int  # 0: any length
    table: int  # entries
    options: tuple[Option, ...]  # most specific first
    partial: str  # none, paired, any, fields
    scope: str  # port, adapter
    no_match: str

    @property
    def table_bits(self) -> int:
        """log2 of the table size."""
        return self.table.bit_length() - 1

    def option_for(self, packet_class: str, enabled: Iterable[str] | None = None) -> Option | None:
        """The most specific option, of the enabled ones (default: all), that matches a class of packets."""
        names = None if enabled is None else set(enabled)
        return next(
            (o for o in self.options if packet_class in o.classes and (names is None or o.name in names)),
            None,
        )

    def inputs(
        self,
        classes: Sequence[str] = PACKET_CLASSES,
        enabled: Iterable[str] | None = None,
        partial: Partial = WHOLE,
    ) -> tuple[HashInput, ...]:
        """Hash input of each class of packets; an empty one for a class that no enabled option matches."""
        names = None if enabled is None else frozenset(enabled)
        found = []
        for packet_class in classes:
            option = self.option_for(packet_class, names)
            if option is None:
                found.append(HashInput(packet_class, ()))
            else:
                found.append(HashInput(packet_class, option.part(partial), option.name))
        return tuple(found)

    def device(self, number: int, inputs: tuple[HashInput, ...]) -> Device:
        """A device with these inputs; where a NIC takes any key, one as long as the longest input needs."""
        longest = max((hash_input.width for hash_input in inputs), default=0)
        key_bytes = self.key_bytes or max(40, -(-(longest + 31) // 8))
        return Device(number, inputs, key_bytes, self.table_bits)

    def unhashed(self, classes: Sequence[str] = PACKET_CLASSES) -> tuple[str, ...]:
        """Classes of packets for which the NIC has no option at all."""
        return tuple(name for name in classes if self.option_for(name) is None)

    def partials(self) -> tuple[Partial, ...]:
        """Partial inputs that can be chosen, the whole input first."""
        if self.partial in ("none", "fields"):
            return (WHOLE,)
        ends = (("src", "dst"), ("src",), ("dst",), ())
        choices = []
        for addresses, ports in product(ends, ends):
            paired = (len(addresses), len(ports)) in ((2, 2), (1, 1), (1, 0), (0, 1), (2, 0))
            if (addresses or ports) and (paired or self.partial == "any"):
                kept = [f"l3.{end}" for end in addresses] + [f"l4.{end}" for end in ports]
                choices.append(frozenset(kept))
        return tuple(choices)


def read_profiles(text: str, origin: str, known: dict[str, Option] | None = None) -> dict[str, Profile]:
    """Profiles of a TOML text; `known` options may be used besides its own. Raises SpecError in one line."""
    import tomllib

    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{origin}: {error}") from None
    for kind in tables:
        if kind not in ("option", "nic"):
            raise SpecError(f"{origin}: unknown entry '{kind}'; known: [nic.NAME], [option.NAME]")
    options = dict(known or {})
    for name, table in _tables(tables, "option", origin):
        options[name] = _option(name, table, f"{origin}: option {name}")
    return {
        name: _profile(name, table, options, f"{origin}: nic {name}") for name, table in _tables(tables, "nic", origin)
    }


_NIC_ENTRIES: dict[str, type] = {
    "driver": str, "key_bytes": int, "table": int, "options": list, "partial": str, "scope": str, "no_match": str,
}  # fmt: skip
_OPTION_ENTRIES: dict[str, type] = {"name": str, "fields": list, "classes": list}


def _option(name: str, table: dict[str, Any], origin: str) -> Option:
    _check_entries(table, _OPTION_ENTRIES, origin)
    for needed in ("fields", "classes"):
        if needed not in table:
            raise SpecError(f"{origin} needs '{needed}'")
    unknown = [c for c in table["classes"] if c not in PACKET_CLASSES]
    if unknown:
        raise SpecError(f"{origin}: unknown class of packets '{unknown[0]}'; known: {', '.join(PACKET_CLASSES)}")
    try:
        fields = tuple(map(parse, table["fields"]))
        layout(fields)
    except FieldError as error:
        raise SpecError(f"{origin}: {error}") from None
    for field in fields:
        lacking = [c for c in table["classes"] if not all(carries(c, run.name) for run in canonical(field))]
        if lacking:
            raise SpecError(f"{origin}: {lacking[0]} packets have no {field}")
    return Option(table.get("name", name), fields, frozenset(table["classes"]))


def _profile(name: str, table: dict[str, Any], options: dict[str, Option], origin: str) -> Profile:
    _check_entries(table, _NIC_ENTRIES, origin)
    unknown = [option for option in table.get("options", ()) if option not in options]
    if unknown:
        raise SpecError(f"{origin}: unknown option {unknown[0]}; known: {', '.join(options)}")
    profile = Profile(
        name=name,
        driver=table.get("driver", ""),
        key_bytes=table.get("key_bytes", 40),
        table=table.get("table", 128),
        options=tuple(options[option] for option in table.get("options", ())),
        partial=table.get("partial", "none"),
        scope=table.get("scope", "port"),
        no_match=table.get("no_match", "hash 0, table entry 0"),
    )
    if not 2 <= profile.table <= LARGEST_TABLE or profile.table.bit_count() != 1:
        raise SpecError(f"{origin}: a table of {profile.table} entries is not a power of two from 2 to {LARGEST_TABLE}")
    if profile.partial not in ("none", "paired", "any", "fields") or profile.scope not in ("port", "adapter"):
        raise SpecError(f"{origin}: partial is none, paired, any or fields; scope is port or adapter")
    longest = max((sum(field.width for field in option.fields) for option in profile.options), default=0)
    needed = -(-(longest + 31) // 8)
    if profile.key_bytes != 0 and not (needed if longest else 1) <= profile.key_bytes <= _LONGEST_KEY:
        raise SpecError(f"{origin}: its options take keys of {needed} bytes, not {profile.key_bytes}")
    return profile


LARGEST_TABLE = 1 << 16  # entries; also the most queues: NICs have a fraction of either
_LONGEST_KEY = 1024  # bytes; no NIC has one of more than a tenth of that


def _check_entries(table: dict[str, Any], kinds: Mapping[str, type], origin: str) -> None:
    for key, value in table.items():
        kind = kinds.get(key)
        if kind is None:
            raise SpecError(f"{origin}: unknown entry '{key}'; known: {', '.join(kinds)}")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise SpecError(f"{origin}: {key} must be {_SAY[kind]}")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise SpecError(f"{origin}: {key} must be {_SAY[kind]}")


_SAY: dict[type, str] = {str: "a string", int: "a whole number", list: "a list of strings"}


def _tables(tables: dict[str, Any], kind: str, origin: str) -> Iterable[tuple[str, dict[str, Any]]]:
    found = tables.get(kind, {})
    named: Iterable[tuple[str, Any]] = found.items() if isinstance(found, dict) else [("NAME", None)]
    for name, table in named:
        if not isinstance(table, dict):
            raise SpecError(f"{origin}: write [{kind}.{name}] as a table")
        yield name, table


@lru_cache(maxsize=1)
def _built_in() -> tuple[dict[str, Profile], dict[str, Option]]:
    path = Path(__file__).with_name("profiles.toml")
    profiles = read_profiles(path.read_text("utf-8"), path.name)
    options = {option.name: option for profile in profiles.values() for option in profile.options}
    return profiles, options


def profiles(*user_files: Path) -> dict[str, Profile]:
    """The built-in profiles and those of the user's files, by name. Raises SpecError."""
    found, options = _built_in()
    found = dict(found)
    for path in user_files:
        found |= read_profiles(_read(path), str(path), options)
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError):
        raise SpecError(f"{path}: not UTF-8 text") from None


_FILE = re.compile(r"(.*\.toml)(?::([^:/]+))?")


def profile(name: str, *user_files: Path, table: int = 0, read: Callable[[str], str | None] | None = None) -> Profile:
    """The profile of that name, with another table size if one is given. Raises SpecError for an unknown one.

    The name may be that of a file of profiles: `FILE.toml` if it holds one, else `FILE.toml:NAME`. `read` gives the text of
    a file where it has one.
    """
    file = _FILE.fullmatch(name)
    if file is None:
        known = profiles(*user_files)
        if name not in known:
            raise SpecError(f"unknown NIC '{name}'; known: {', '.join(sorted(known))}, or FILE.toml with a profile")
        own = known[name]
    else:
        path = Path(file[1])
        text = read(file[1]) if read is not None else None
        known = read_profiles(_read(path) if text is None else text, str(path), _built_in()[1])
        which = file[2] or (next(iter(known)) if len(known) == 1 else "")
        if which not in known:
            raise SpecError(
                f"{path}: holds {', '.join(known) or 'no [nic.NAME]'}; write {path}:NAME for one of several"
            )
        own = known[which]
    return replace(own, table=table) if table else own


def beside(name: str, folder: Path) -> str:
    """The name of a profile as a file says it: a file of profiles is meant relative to that file's folder."""
    return str(folder / name) if _FILE.fullmatch(name) else name
