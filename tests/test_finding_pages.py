"""Every finding code has a page, and every page a code."""

from pathlib import Path

from maestro_lsp.sharding.findings import RULES

PAGES = Path(__file__).parent.parent / "docs" / "findings"


def test_every_code_has_its_page():
    assert {p.stem for p in PAGES.glob("*.md")} == set(RULES)


def test_pages_say_what_why_and_what_to_do():
    for page in PAGES.glob("*.md"):
        text = page.read_text()
        assert text.startswith(f"# {page.stem}\n")
        for part in ("## Example", "## Why it matters", "## What to do"):
            assert part in text, page
