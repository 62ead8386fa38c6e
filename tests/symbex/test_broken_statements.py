"""Statements that cannot be compiled stop the paths that reach them, wherever in the statement that is, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maestro_lsp.check import check
from maestro_lsp.settings import Settings
from maestro_lsp.symbex import expr as X
from maestro_lsp.workspace import find_nfs, reader

SMALL = Path(__file__).parent.parent / "sharding" / "nfs"
NF = """
#include "table.h"
bool nf_init(void) { return true; }
int nf_process(uint16_t device, uint8_t *buffer, uint16_t packet_length, vigor_time_t now) {
  int x = 3;
  if (packet_length > 100) {
    BODY
  }
  return x;
}
"""
STATEMENTS = {
    "second of two conditions": "x = buffer[0] && missing ? 1 : 2;",
    "returned": "return buffer[0] && missing ? 1 : 2;",
    "loop's condition": "for (int x = 0; buffer[0] && x < missing; x++) { }",
    "loop's step": "for (int x = 0; x < 2; missing++) { if (buffer[0]) break; }",
    "loop's start": "for (int x = missing; x < 2; x++) { }",
    "while": "while (buffer[0] || missing) { if (buffer[1]) continue; break; }",
    "do": "do { if (buffer[0]) continue; if (buffer[1]) break; } while (missing);",
    "switch": "switch (buffer[0]) { case 1: x = 1; break; case missing: x = 2; }",
    "in an inner block": "{ int x = 4; { int x = 5; x = missing; } }",
    "jump over it": "if (buffer[0]) goto after; x = missing; after: x = 6;",
}
GIVEN = {"switch": "1", "jump over it": "6"}  # what x is given on the way


@pytest.mark.parametrize("where", STATEMENTS)
def test_only_the_paths_that_get_there_end(where: str, tmp_path: Path) -> None:
    shutil.copy(SMALL / "table.h", tmp_path)
    (tmp_path / "main.c").write_text(NF.replace("BODY", STATEMENTS[where]))
    (report,) = (check(nf, Settings(), reader({})) for nf in find_nfs(tmp_path, None, reader({})))
    assert not report.error, report.error
    assert report.analysis.verdict == "unknown"
    assert any("missing" in t.message or "case label" in t.message for t in report.execution.troubles)
    # the others go on with the function's own x, unless the statement gives it another value before it breaks
    returned = {X.show(p.returned) for p in report.paths}
    assert "3" in returned and returned <= {"3", GIVEN.get(where, "3")}
