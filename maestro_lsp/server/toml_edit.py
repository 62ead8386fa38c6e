"""Changes of maestro.toml that leave everything else in it as the user wrote it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

_HEADER = re.compile(r"(?m)^[ \t]*\[")


def table_for(text: str, nf: str, table: str, key: str) -> str:
    """The table that decides about a key for an NF: `nf.NAME` (or a table in it) if that has the key, else `table`."""
    try:
        own: Any = tomllib.loads(text).get("nf", {}).get(nf, {})
    except (tomllib.TOMLDecodeError, AttributeError):
        return table
    if table == "config":
        own = own.get("config", {}) if isinstance(own, dict) else {}
    name = nf if re.fullmatch(r"[\w-]+", nf) else f'"{nf}"'
    inside = f"nf.{name}.config" if table == "config" else f"nf.{name}"
    return inside if isinstance(own, dict) and key in own else table


def with_value(text: str, table: str, key: str, value: str | int | Sequence[str]) -> str | None:
    """The text with `key = value` in a table; None if the text is no TOML, or is written in a way that this does not know."""
    wanted = f"{key} = {_written(value)}"
    header = re.search(rf"(?m)^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\][ \t]*(#.*)?$", text)
    if header is None:
        separator = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        new = f"{text}{separator}[{table}]\n{wanted}\n"
    else:
        following = _HEADER.search(text, header.end())
        end = following.start() if following is not None else len(text)
        line = re.compile(rf"(?m)^[ \t]*{re.escape(key)}[ \t]*=[ \t]*").search(text, header.end(), end)
        if line is None:
            new = f"{text[: header.end()]}\n{wanted}{text[header.end() :]}"
        else:
            new = text[: line.end()] + _written(value) + text[_value_end(text, line.end()) :]
    return new if _says(new, table, key, value) else None


def list_of(text: str, table: str, key: str) -> list[str]:
    """The list of words at a key; empty if there is none."""
    try:
        found: Any = tomllib.loads(text)
        for step in (*_steps(table), key):
            found = found[step]
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return []
    return [str(x) for x in found] if isinstance(found, list) else []


def _written(value: str | int | Sequence[str]) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "[" + ", ".join(_written(x) for x in value) + "]"


def _value_end(text: str, start: int) -> int:
    """Where a value ends: an array may go over lines."""
    if text[start : start + 1] == "[":
        end = text.find("]", start)
        return end + 1 if end >= 0 else len(text)
    quoted = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'').match(text, start)
    if quoted is not None:
        return quoted.end()
    plain = re.compile(r"[^#\n]*").match(text, start)
    assert plain is not None
    return start + len(plain.group().rstrip())


def _steps(table: str) -> list[str]:
    return [step.strip('"') for step in re.findall(r'"[^"]*"|[^.]+', table)]


def _says(text: str, table: str, key: str, value: Any) -> bool:
    try:
        found: Any = tomllib.loads(text)
        for step in (*_steps(table), key):
            found = found[step]
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return False
    return bool(found == (list(value) if not isinstance(value, (str, int)) else value))
