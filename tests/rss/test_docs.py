"""The examples in the documentation work as printed."""

import re
from pathlib import Path

from maestro_lsp.rss.nic import profiles, read_profiles
from maestro_lsp.rss.spec import parse_spec

DOCS = Path(__file__).parents[2] / "docs" / "rss"


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / name).read_text(), re.S)


def test_the_library_examples_run():
    names = {}
    examples = blocks("library.md", "python")
    assert len(examples) == 2
    for text in examples:
        exec(text, names)
    assert names["space"].dimension > 0
    assert names["found"].queue_bits(0) == 9


def test_the_specifications_parse():
    whole, condition, nic = blocks("spec.md", "toml")
    assert parse_spec(whole).configure().queue_bits(0) == 9
    assert parse_spec(f"[[meet]]\n{condition}").requirements[0].when.predicate is not None
    known = {option.name: option for profile in profiles().values() for option in profile.options}
    assert read_profiles(nic, "mine", known)["mine"].table_bits == 7
