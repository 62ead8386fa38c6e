"""All Markdown that people read: files of the repository, and pages that docs/generate.py makes."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(```|~~~)(\S*)[^\n]*\n(.*?)^\1\s*$", re.S | re.M)


def module(name: str) -> ModuleType:
    """A script of docs/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@cache
def pages() -> dict[Path, str]:
    """Texts by absolute path."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("fixtures/*.md"), *ROOT.glob("tests/**/*.md")]
    files += ROOT.glob("vscode-extension/*.md")
    generated = {ROOT / "docs" / path: text for path, text in module("generate").pages().items()}
    return {f: f.read_text() for f in sorted(files)} | generated


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for _, lang, body in _FENCE.findall(text) if lang == language]


def without_blocks(text: str) -> str:
    """The prose."""
    return _FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """What `#...` may name on a page: its headings, as GitHub and mkdocs make identifiers of them."""
    out = set()
    for heading in re.findall(r"^#+\s+(.*)$", without_blocks(text), re.M):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        out.add(re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", plain)))
    return out
