"""Settings of a project, and the files called maestro.toml that hold them. Takes the text of one; gives values, and problems at
their places.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from maestro_lsp.rss.nic import beside
from maestro_lsp.source.preprocess import Problem
from maestro_lsp.source.text import Span


@dataclass(frozen=True)
class Settings:
    """What a user may set, on the command line, in the editor or in maestro.toml; None is not set.

    devices     how many the NF runs on
    assume      classes of traffic assumed away
    args        the NF's command line, instead of its Makefile's
    config      values of the NF's configuration (`config.wan_device`), by name
    structures  the user's catalogue entries, as they stand in the file
    allow       codes of findings that are not shown
    call_paths  folder of KLEE's .call_path files, relative to the NF's; "" for none, also not the one beside the NF
    """

    nic: str | None = None
    devices: int | None = None
    equal: str | None = None
    strict: bool | None = None
    assume: tuple[str, ...] | None = None
    seed: int | None = None
    args: tuple[str, ...] | None = None
    config: Mapping[str, int | str] = field(default_factory=dict)
    structures: tuple[Mapping[str, Any], ...] = ()
    files: tuple[str, ...] | None = None
    include: tuple[str, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    call_paths: str | None = None
    allow: tuple[str, ...] = ()

    def over(self, base: Settings) -> Settings:
        """These settings, and where they are not set those of `base`."""
        values: dict[str, Any] = {}
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(base, item.name)
            if isinstance(mine, Mapping):
                values[item.name] = {**theirs, **mine}
            elif item.name in ("structures", "include", "allow"):
                values[item.name] = (*mine, *theirs)
            else:
                values[item.name] = theirs if mine is None else mine
        return Settings(**values)


class Key(NamedTuple):
    """A key of [maestro]: "strings" are also taken as one text, split as a shell does."""

    kind: type | str
    default: str
    meaning: str


KEYS: dict[str, Key] = {
    "nic": Key(str, "x710", "NIC whose RSS is configured: a profile, or a file of profiles beside this one"),
    "devices": Key(int, "the Makefile's NF_DEVICES, else 2", "how many devices (ports) the NF runs on, up to 64"),
    "equal": Key(str, "index", "what must agree for packets that must meet: the table's `index`, or the whole `hash`"),
    "strict": Key(
        bool, "false", "assume no class of traffic away, and accept no deviation from the sequential program"
    ),
    "assume": Key("strings", "those that the NIC or the NF rules out", "classes of traffic that do not arrive"),
    "seed": Key(int, "0", "of the keys: the same seed gives the same keys"),
    "args": Key("strings", "the Makefile's NF_ARGS", "the NF's command line"),
    "files": Key("strings", "the Makefile's NF_FILES, else the folder's", "the NF's sources, relative to its folder"),
    "include": Key("strings", "none", "further folders for `#include`"),
    "defines": Key("table", "none", "macros that are defined"),
    "call_paths": Key(str, "klee-last, if it is there", 'folder of KLEE\'s `.call_path` files; `""` for none'),
    "allow": Key("strings", "none", "codes of findings that are not shown; they count all the same"),
}


def read_settings(path: str, text: str, name: str, problems: list[Problem]) -> Settings:
    """The settings in the text of a maestro.toml for the NF of a name. What is wrong goes to `problems`."""

    def complain(message: str, key: str = "") -> None:
        at = re.search(rf"(?m)^\s*\[?\"?{re.escape(key)}\b", text) if key else None
        start = at.end() - len(key) if at is not None else 0
        problems.append(Problem(Span(path, start, start + len(key) if at is not None else 0), message))

    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        complain(f"not read: {error}")
        return Settings()
    settings = _settings(table.get("maestro", {}), table.get("config", {}), complain)
    structures = table.get("structure", [])
    if isinstance(structures, list) and all(isinstance(entry, dict) for entry in structures):
        settings = replace(settings, structures=tuple(structures))
    else:
        complain("[[structure]] must be an array of tables", "structure")
    for key in table:
        if key not in ("maestro", "config", "structure", "nf"):
            complain(f"unknown table [{key}]; known: maestro, config, structure, nf", key)
    named = table.get("nf", {})
    own = named.get(name, {}) if isinstance(named, dict) else None
    if not isinstance(own, dict):
        complain(f"[nf.{name}] must be a table", "nf")
        return settings
    rest = {key: value for key, value in own.items() if key != "config"}
    settings = _settings(rest, own.get("config", {}), complain).over(settings)
    nic = settings.nic and beside(settings.nic, Path(path).parent)
    return replace(settings, nic=nic)


def _settings(table: object, config: object, complain: Callable[[str, str], None]) -> Settings:
    """Settings from the values of one table, those of a wrong type left out."""
    values: dict[str, Any] = {}
    if not isinstance(table, dict):
        complain("[maestro] must be a table", "maestro")
    for key, value in table.items() if isinstance(table, dict) else ():
        wanted = KEYS[key].kind if key in KEYS else None
        if wanted is None:
            complain(f"unknown setting '{key}'; known: {', '.join(sorted(KEYS))}", key)
        elif wanted == "strings" and isinstance(value, list) and all(isinstance(word, str) for word in value):
            values[key] = tuple(value)
        elif wanted == "strings" and isinstance(value, str):
            values[key] = tuple(shell_words(value))
        elif wanted == "table" and isinstance(value, dict):
            values[key] = {name: str(text) for name, text in value.items()}
        elif isinstance(wanted, type) and isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
            values[key] = value
        else:
            expected = wanted.__name__ if isinstance(wanted, type) else wanted
            complain(f"'{key}' must be of type {expected}", key)
    if isinstance(config, dict) and config:
        values["config"] = {str(k): v if isinstance(v, int) else str(v) for k, v in config.items()}
    elif not isinstance(config, dict):
        complain("[config] must be a table", "config")
    return Settings(**values)


def shell_words(text: str) -> list[str]:
    """Words as a shell splits them; unbalanced quotes are taken as they are."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
