"""The editor's settings, section `maestro`. What is of a wrong type is left out, and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECTION = "maestro"
ANALYSIS: dict[str, type[Any]] = {
    "nic": str, "devices": int, "equal": str, "strict": bool, "assume": list, "config": dict, "seed": int, "callPaths": str,
}  # fmt: skip


@dataclass(frozen=True)
class EditorSettings:
    """What the client's user has set.

    analysis  what the analysis depends on, only what is set; it wins over maestro.toml
    hints     whether inlay hints are shown
    prove     whether keys are proved in the background
    workspace whether NFs are analysed that no open file belongs to
    limit     seconds that an analysis may take
    """

    analysis: Mapping[str, Any] = field(default_factory=dict)
    hints: bool = True
    prove: bool = True
    workspace: bool = True
    limit: float = 60.0
    problems: tuple[str, ...] = ()


def read(given: Any) -> EditorSettings:
    """The settings in what a client sent for the section: a tree, or with dotted names."""
    table: dict[str, Any] = _nested(given) if isinstance(given, Mapping) else {}
    analysis: dict[str, Any] = {}
    problems = []
    for name, kind in ANALYSIS.items():
        value: Any = table.get(name)
        if value is None or value == "" or value == {} or (name == "assume" and value == []):
            continue
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            problems.append(f"{SECTION}.{name} must be of type {kind.__name__}, not {type(value).__name__}")
        elif name == "assume" and not all(isinstance(x, str) for x in value):
            problems.append(f"{SECTION}.assume must be a list of names of traffic classes")
        else:
            analysis[name] = tuple(value) if kind is list else value
    if analysis.get("strict") is False:
        del analysis["strict"]  # the default, which must not win over maestro.toml
    return EditorSettings(
        analysis,
        hints=_switch(table, "hints", "enabled"),
        prove=_switch(table, "prove"),
        workspace=_switch(table, "workspace", "analyse"),
        limit=_seconds(table.get("timeLimit")),
        problems=tuple(problems),
    )


def _seconds(value: Any) -> float:
    sensible = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if sensible else EditorSettings.limit


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = str(name).removeprefix(f"{SECTION}.").split(".")
        at = out
        for step in path:
            inner = at.setdefault(step, {})
            at = inner if isinstance(inner, dict) else {}
        at[last] = value
    return out


def _switch(table: Mapping[str, Any], *path: str) -> bool:
    value: Any = table
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value is not False
