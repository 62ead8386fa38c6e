"""NIC profiles: what each NIC can hash, as data, and the hash inputs that a choice of options gives.

Takes profiles.toml (and files of the user in the same form); gives `Profile`s, which turn a set of enabled
options and a choice of partial inputs into `Device`s for the solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from .fields import PACKET_CLASSES, Field, parse
from .solve import Device, HashInput, SpecError

Partial = frozenset[str]
"""Which ends of addresses and ports are hashed: a subset of PARTS."""

PARTS = ("l3.src", "l3.dst", "l4.src", "l4.dst")
WHOLE: Partial = frozenset(PARTS)


@dataclass(frozen=True, slots=True)
class Option:
    """One RSS option: its hash input and the classes of packets it matches."""

    name: str  # as in the contract, `ipv4-tcp`; exporters map it to RTE_ETH_RSS_* flags
    fields: tuple[Field, ...]
    classes: frozenset[str]

    def part(self, partial: Partial) -> tuple[Field, ...]:
        """The fields that a partial input keeps; fields that are neither addresses nor ports always stay."""
        return tuple(field for field in self.fields if _part_of(field) in partial | {None})


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
    options = dict(known or {})
    for name, table in _tables(tables, "option", origin):
        try:
            names, classes = table["fields"], table["classes"]
        except KeyError as missing:
            raise SpecError(f"{origin}: option {name} needs {missing}") from None
        option = Option(table.get("name", name), tuple(map(parse, names)), frozenset(classes))
        options[name] = option
    profiles = {}
    for name, table in _tables(tables, "nic", origin):
        unknown = [option for option in table.get("options", ()) if option not in options]
        if unknown:
            raise SpecError(f"{origin}: nic {name}: unknown option {unknown[0]}; known: {', '.join(options)}")
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
        if profile.table.bit_count() != 1 or profile.table < 2:
            raise SpecError(f"{origin}: nic {name}: a table of {profile.table} entries is not a power of two")
        if profile.partial not in ("none", "paired", "any", "fields") or profile.scope not in ("port", "adapter"):
            raise SpecError(f"{origin}: nic {name}: partial is none, paired, any or fields; scope is port or adapter")
        profiles[name] = profile
    return profiles


def _tables(tables: dict[str, Any], kind: str, origin: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for name, table in tables.get(kind, {}).items():
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
    """The built-in profiles and those of the user's files, by name. Raises SpecError, OSError."""
    found, options = _built_in()
    found = dict(found)
    for path in user_files:
        found |= read_profiles(path.read_text("utf-8"), str(path), options)
    return found


def profile(name: str, *user_files: Path, table: int = 0) -> Profile:
    """The profile of that name, with another table size if one is given. Raises SpecError for an unknown
    one.
    """
    known = profiles(*user_files)
    if name not in known:
        raise SpecError(f"unknown NIC '{name}'; known: {', '.join(sorted(known))}")
    return replace(known[name], table=table) if table else known[name]
