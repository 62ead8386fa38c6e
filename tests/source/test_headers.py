"""Built-in headers: each parses, and a unit takes from them just what it mentions."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro_lsp
from maestro_lsp.source.headers import builtin
from maestro_lsp.source.scan import Block, Scan, scan
from maestro_lsp.source.text import SourceText
from maestro_lsp.source.unit import Unit

from .gcc import ours

PACKAGE = Path(maestro_lsp.__file__).parent
FILES = [*PACKAGE.glob("source/headers/*.h"), *PACKAGE.glob("runtime/libvig/verified/*.h")]


def names_declared(unit: Unit) -> set[str]:
    later = {name for names in unit.scope.later.values() for name in names}
    return {*unit.functions, *unit.globals, *unit.declared, *unit.scope.tags, *later}


def included_as(path: Path) -> str:
    """How a program includes a built-in header."""
    if path.parent.name == "verified":
        return f"libvig/verified/{path.name}"
    for folder in ("sys_", "netinet_", "arpa_", "net_", "linux_"):
        if path.name.startswith(folder):
            return path.name.replace("_", "/", 1)
    return path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_built_in_headers_parse_and_know_all_their_types(path: Path) -> None:
    assert builtin(included_as(path)) is not None
    text = path.read_text()
    unit = Unit.parse(ours(text.replace("#pragma once", "")))
    assert unit.problems == ()
    assert [i.name for i in unit.pre.includes if i.path is None] == []
    for table in (unit.functions, unit.globals, unit.declared):
        for name in table:
            assert "Unknown" not in repr(table[name]), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_declarations_are_split_and_named_as_the_parser_does(path: Path) -> None:
    header = scan(str(path), path.read_text())
    for block in header.items:
        if isinstance(block, Block):
            split = header.declarations(block)
            rest = header.clean[block.start : block.end]
            for declaration in split:
                part = header.clean[declaration.start : declaration.end]
                unit = Unit.parse(ours(part))
                forward = {tag for tag in declaration.names if part.split() == ["struct", f"{tag};"]}
                assert unit.problems == (), part
                assert names_declared(unit) | forward == declaration.names, part
                rest = rest.replace(part, "", 1)
            assert rest.strip() == ""


def test_a_unit_takes_what_it_mentions_and_what_that_needs() -> None:
    main = "#include <rte_ip.h>\n#include <rte_ether.h>\n#include <stdlib.h>\n"
    use = "int f(struct rte_ether_hdr *h) { return rte_is_unicast_ether_addr(&h->s_addr) + IPPROTO_TCP; }\n"
    unit = Unit.parse(ours(main + use))
    assert set(unit.functions) == {"f", "rte_is_unicast_ether_addr"}
    assert unit.scope.record("struct", "rte_ether_hdr").size == 14
    assert unit.scope.constant("IPPROTO_TCP") == 6
    assert "malloc" not in unit.declared
    assert "malloc" in Unit.parse(ours(main + "void *g(void) { return malloc(1); }\n")).declared


def test_a_mention_through_a_macro_counts() -> None:
    unit = Unit.parse(ours("#include <assert.h>\nvoid f(int x) { assert(x); }\n"))
    assert "__assert_holds" in unit.declared


def test_places_in_built_in_headers_are_in_their_text() -> None:
    unit = Unit.parse(
        ours("#include <stdlib.h>\n#include <string.h>\nvoid *f(void) { return memcpy(malloc(1), 0, 0); }\n")
    )
    start = unit.pre.text.index("void *malloc")
    span = unit.pre.origin(start, start + len("void *malloc(size_t size);"))
    found = builtin("stdlib.h")
    assert found is not None and span.file == found[0]
    assert found[1][span.start : span.end] == "void *malloc(size_t size);"
    assert isinstance(scan(*found), Scan) and SourceText(*found).line(span.start) > 0
