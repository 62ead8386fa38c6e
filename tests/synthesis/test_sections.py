"""Where packets that share state become writers, and what must be put back when they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.synthesis.parallel import Refused, parallelize
from maestro_lsp.verify import verify

from .targets import FIXTURES, program
from .test_one_file import equal, main, own_text, project

STATE = """
#include "libvig/verified/vector.h"
static void zero(void *cell) { *(uint32_t *)cell = 0; }
static struct Vector *cells;
"""
ALLOCATE = "if (!vector_allocate(sizeof(uint32_t), 16, zero, &cells)) return false;"
BORROW = "uint32_t *cell; vector_borrow(cells, device, (void **)&cell);"
RETURN = "vector_return(cells, device, cell);"


def nf(folder: Path, process: str, top: str = "", init: str = "") -> Report:
    return project(folder, main_c=main(top=STATE + top, init=ALLOCATE + init, process=process))


def test_the_guard_stands_before_the_cell_is_borrowed(tmp_path: Path) -> None:
    text = own_text(nf(tmp_path, f"{BORROW}\n  *cell = 3;\n  {RETURN}"), "locks")
    assert re.search(r"maestro_write\(\); vector_borrow", text)


def test_reading_a_cell_needs_no_guard(tmp_path: Path) -> None:
    other = BORROW.replace("device", "7")
    process = f"{BORROW}\n  uint32_t seen = *cell;\n  {RETURN}\n  if (seen == 4) {{\n    {other} *cell = 5;\n  }}"
    text = own_text(nf(tmp_path, process), "locks")
    assert text.count("maestro_write()") == 1
    assert text.index("if (seen == 4)") < text.index("maestro_write()")


def test_a_write_within_an_expression_is_guarded_there(tmp_path: Path) -> None:
    top = "static int count;"
    text = own_text(nf(tmp_path, "if (device == 0 && ++count > 3) return device;", top), "locks")
    assert "if (device == 0 && (maestro_write(), ++count) > 3)" in text
    assert "MAESTRO_PER_CORE" not in text


def test_a_write_in_a_branch_without_braces_stays_in_it(tmp_path: Path) -> None:
    text = own_text(
        nf(tmp_path, "if (device == 0) count++;\n  if (count == 9) return device;", "static int count;"), "locks"
    )
    assert "if (device == 0) (maestro_write(), count++);" in text


def test_what_every_packet_writes_anew_is_each_cores_own(tmp_path: Path) -> None:
    top = "static int scratch;\nstatic int twice(int x) { scratch = 2 * x; return scratch; }"
    text = own_text(nf(tmp_path, "if (twice(device) == 2) return device;", top), "locks")
    assert "static MAESTRO_PER_CORE int scratch;" in text
    assert "maestro_write" not in text


@pytest.mark.parametrize("strategy", ["locks", "tm"])
def test_chains_become_those_that_cores_share(strategy: str) -> None:
    made = program(FIXTURES / "fw", strategy)
    assert made is not None
    own = made.text[made.text.index("its own text, of the files named") :]
    assert "struct maestro_dchain *chain;" in own
    assert "struct DoubleChain" not in own
    assert not re.search(r"\bdchain_\w+\(", own)


def test_a_new_entry_is_guarded_by_the_chain_itself() -> None:
    made = program(FIXTURES / "fw", "locks")
    assert made is not None
    own = made.text[
        made.text.index("its own text, of the files named") : made.text.index("maestro: runtime begins: ports")
    ]
    assert "maestro_write" not in own
    assert "MAESTRO_WRITING_DEVICES" not in own


def test_headers_changed_before_a_write_are_put_back(tmp_path: Path) -> None:
    change = "buffer[5] = 1;"
    before = nf(tmp_path, f"{change}\n  {BORROW}\n  *cell = 3;\n  {RETURN}")
    assert "#define MAESTRO_RESTORE_BYTES 6" in parallelize(before, "locks").text
    after = nf(tmp_path, f"{BORROW}\n  *cell = 3;\n  {RETURN}\n  {change}")
    assert "#define MAESTRO_RESTORE_BYTES 6" not in parallelize(after, "locks").text


def test_says_where_locks_gain_nothing() -> None:
    made = program(FIXTURES / "policer", "locks")
    assert made is not None
    assert any("writes state, so locks gain little" in n for n in made.notes)
    assert "#define MAESTRO_WRITING_DEVICES 0x2 " in made.text


def test_memory_allocated_by_packets_is_refused(tmp_path: Path) -> None:
    r = nf(
        tmp_path,
        "if (grow() == 0) return device;",
        "#include <stdlib.h>\nstatic int grow(void) { return malloc(4) != 0; }",
    )
    with pytest.raises(Refused):
        parallelize(r, "locks")


DROP_IF = "\n#define DROP_IF(c) do { if (c) { drops++; return device; } } while (0)\n#define COUNT(x) (x)++\nstatic int drops;"


@pytest.mark.parametrize(
    ("process", "expected"),
    [
        ("DROP_IF(now == 3);", "maestro_write(); DROP_IF(now == 3);"),
        (
            "if (device) DROP_IF(now == 3); else if (now == 4) COUNT(drops);",
            "if (device) { maestro_write(); DROP_IF(now == 3); } else if (now == 4) { maestro_write(); COUNT(drops); }",
        ),
        ("while (COUNT(drops) < 1) return device;", "while ((maestro_write(), COUNT(drops) < 1)) return device;"),
        ("int n = COUNT(drops), m = 1; if (n > m) return device;", "maestro_write(); int n = COUNT(drops), m = 1;"),
    ],
)
def test_a_write_in_a_macro_is_guarded_where_it_is_invoked(process: str, expected: str, tmp_path: Path) -> None:
    r = nf(tmp_path, process, DROP_IF)
    assert expected in " ".join(own_text(r, "locks").split())
    assert equal(r, "locks")


def test_variables_that_are_declared_together_are_all_for_one_core_or_none(tmp_path: Path) -> None:
    process = "last = device; if (last == 0 && ++count > 3) return device;"
    for name, top in (("together", "static int count, last;"), ("apart", "static int count;\nstatic int last;")):
        (tmp_path / name).mkdir()
        r = nf(tmp_path / name, process, top)
        if name == "together":
            with pytest.raises(Refused, match=r"count and last .* declare them apart"):
                parallelize(r, "locks")
        else:
            assert "static MAESTRO_PER_CORE int last;" in own_text(r, "locks") and equal(r, "locks")


@pytest.mark.parametrize("strategy", ["locks", "tm"])
def test_what_cores_share_must_not_be_each_cores_own(strategy: str, tmp_path: Path) -> None:
    top = "static int count, limit = 3;\nstatic int size;"
    r = project(
        tmp_path, main_c=main(top=top, config="size = argc;", process="if (++count > limit + size) return device;")
    )
    made = parallelize(r, strategy)
    for old in ("static int count", "static int size"):
        assert made.text.count(old) == 1
        text = made.text.replace(old, old.replace("int", "MAESTRO_PER_CORE int"))
        found = verify(check(r.nf), str(tmp_path / "x.c"), text, packets=0).checks
        assert [c.name for c in found if c.status == "failed"] == ["sections"], old
