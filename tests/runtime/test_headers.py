"""The runtime's headers: each stands on its own, and every program of them is free of warnings under gcc and clang."""

from __future__ import annotations

import re
import shutil
from itertools import product
from pathlib import Path

import pytest

from .program import FLOWS, HERE, RUNTIME, Configuration, build, firewall_rss, nat_rss

HEADERS = sorted((RUNTIME / "maestro").glob("*.h"))
COMPILERS = [name for name in ("gcc", "clang-14", "clang") if shutil.which(name)]
PROGRAMS = [(FLOWS, firewall_rss(), s) for s in ("sequential", "shared_nothing", "balanced", "locks", "tm")]
PROGRAMS += [(HERE / "nfs" / "nat.c", nat_rss(), "shared_nothing")]


def checked(command: list[str]) -> list[str]:
    """Compiles to see what the compiler has to say, no more."""
    kept = [word for word in command if not word.endswith(".c") or "/libvig/" not in word]
    return [*kept[: kept.index("-o")], "-fsyntax-only"]


@pytest.mark.parametrize(
    ("compiler", "nf"),
    list(product(COMPILERS, PROGRAMS)),
    ids=lambda v: v if isinstance(v, str) else f"{v[0].stem}-{v[2]}",
)
def test_programs_are_free_of_warnings(compiler: str, nf: tuple[Path, Configuration, str], tmp_path: Path) -> None:
    source, rss, strategy = nf
    build(tmp_path, strategy, compiler=compiler, source=source, rss=rss, flags=("-O0",), compiled=checked)


def test_headers_include_what_they_use_and_nothing_twice() -> None:
    """Pasted one after another in the order of their includes, each once, they are a program: so no header may depend on being
    included twice, on a macro of its user other than the NF's, or on another file."""
    known = {f"maestro/{path.name}" for path in HEADERS} | {"compat/dpdk_names.h"}
    for path in HEADERS:
        text = path.read_text()
        assert text.count("#pragma once") == 1
        assert set(re.findall(r'^\s*#\s*include "([^"]+)"', text, re.MULTILINE)) <= known
        assert not re.search(r'^\s*#\s+include "', text, re.MULTILINE), (
            "a conditional include would be pasted all the same"
        )
        assert len(text.splitlines()) < 600


def test_what_an_nf_may_call_is_static() -> None:
    """So that programs link with the user's own libVig, whatever it defines."""
    for path in HEADERS:
        for line in path.read_text().splitlines():
            if re.match(r"[a-z_].*\) \{$", line):
                assert re.match(r"(MAESTRO_API|static|__attribute__|int main)", line), f"{path.name}: {line}"
