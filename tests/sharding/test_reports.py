"""What is said about accesses that many paths make, or that are too many to compare: nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maestro_lsp.check import Report, check
from maestro_lsp.settings import Settings
from maestro_lsp.sharding import conflicts
from maestro_lsp.workspace import find_nfs, reader

HEADER = Path(__file__).with_name("nfs") / "table.h"

# a helper counts in a cell of one of two vectors of a table; which one, no field that a NIC hashes decides
HELPER = """#include "table.h"
static struct Vector *more;
bool nf_init(void) { return tables() && vector_allocate(sizeof(struct cell), CAPACITY, cell_clear, &more); }
static void bump(struct Vector *v, int i) {
  struct cell *c;
  vector_borrow(v, i, (void **)&c);
  c->count++;
  vector_return(v, i, c);
}
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  EXPIRE
  SOURCE_WITH(map_put(map, key, index);
              { struct cell *m; vector_borrow(more, index, (void **)&m); m->count = m->other = 0; m->time = now;
                vector_return(more, index, m); })
  if (ip->time_to_live == 1) bump(cells, 5);
  else if (ip->time_to_live == 2) bump(more, 5);
  return !device;
}
"""
# most packets are not told by their source
SOURCE_FIRST = """#include "table.h"
INIT
static uint32_t a;
int nf_process(uint16_t device, uint8_t *buffer, uint16_t len, int64_t now) {
  PARSE
  if (ip->src_addr == 7) { a++; return device; }
  a += 2;
  return !device;
}
"""


def analysed(folder: Path, text: str) -> Report:
    (folder / "main.c").write_text(text)
    shutil.copy(HEADER, folder)
    (nf,) = find_nfs(folder, None, reader({}))
    report = check(nf, Settings(), reader({}))
    assert not report.error
    return report


def test_one_call_that_reaches_two_objects_is_reported_for_each(tmp_path: Path) -> None:
    said = [f.message for f in analysed(tmp_path, HELPER).findings if "addressed by a constant" in f.message]
    for use in ("vector_borrow reads", "vector_return writes"):
        for vector in ("cells", "more"):
            assert sum(message.startswith(f"{use} {vector}, ") for message in said) == 1, said


@pytest.mark.parametrize(("limit", "value"), [("MAX_ACCESSES", 0), ("MAX_PAIRS", 1), ("MAX_KINDS", 0)])
def test_of_too_many_accesses_all_packets_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    known = analysed(tmp_path, SOURCE_FIRST).analysis
    assert known.verdict == "locks"
    monkeypatch.setattr(conflicts, limit, value)
    analysis = analysed(tmp_path, SOURCE_FIRST).analysis
    assert analysis.verdict == "unknown"
    assert [row.to_json() for row in analysis.rows] == [
        {"devices": [i, j], "constraint": [[]]} for i, j in ((0, 0), (0, 1), (1, 1))
    ]
