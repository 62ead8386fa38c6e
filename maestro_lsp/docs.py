"""Where the page of a finding's code is: in the installed package, or in the repository that this runs from."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
FOLDERS = (_PACKAGE / "_docs", _PACKAGE.parent / "docs" / "findings")


def page(code: str) -> Path:
    """The Markdown page about a finding's code."""
    return next((p for f in FOLDERS if (p := f / f"{code}.md").is_file()), FOLDERS[-1] / f"{code}.md")


def uri(code: str) -> str:
    """Its address, for editors and code scanning."""
    return page(code).as_uri()
