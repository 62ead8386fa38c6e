"""The VS Code extension's tests draw answers recorded from this server: they must still have the shape that it sends.

`UPDATE_GOLDEN=1` records them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import editor

RECORDED = Path(__file__).parents[2] / "vscode-extension/test/data"
MOST_TEXT = 200  # characters of an exported configuration


def portable(value: Any, root: Path) -> Any:
    """The answer with addresses that are the same on every machine, and long texts cut."""
    if isinstance(value, dict):
        return {key: portable(inner, root) for key, inner in value.items() if key != "timings_ms"}
    if isinstance(value, list):
        return [portable(inner, root) for inner in value]
    if isinstance(value, str):
        return value.replace(root.as_uri(), "file:///nfs").replace(str(root), "/nfs")[:MOST_TEXT]
    return value


def shape(value: Any) -> Any:
    """Names and types, whatever the values: an array has the shapes of all its elements."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner)) for inner in value})
    return type(value).__name__


@pytest.mark.parametrize("what", ["panel", "paths"])
async def test_the_recorded_answers_have_the_shape_of_live_ones(tree: Callable[..., Path], what: str):
    root = tree("fw")
    async with editor(root, configuration={"prove": False}) as client:
        uri = client.open(root / "fw" / "fw_main.c")
        await client.fresh(uri)
        answer = await client.request(f"maestro/{what}", {"textDocument": {"uri": uri}})
        while answer["state"] != "fresh":
            answer = await client.request(f"maestro/{what}", {"textDocument": {"uri": uri}})
    now = portable(answer, root)
    file = RECORDED / f"{what}-fw.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(now, ensure_ascii=False) + "\n")
    assert shape(json.loads(file.read_text())) == shape(now), f"UPDATE_GOLDEN=1 records {file.name} anew"
