"""Small C programs, one for each thing that C does: our paths predict what gcc's code does with random packets.

The programs stand in snippets/*.c. Contents of globals that packets write are read from the running program before each packet.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_lsp.symbex import expr as X

from .against_gcc import Native, Snippet, compare, packets, read_snippets, run_symbolically

SNIPPETS = [s for file in sorted((Path(__file__).parent / "snippets").glob("*.c")) for s in read_snippets(file)]
PACKETS = 150


def test_there_are_many_snippets_with_names_of_their_own() -> None:
    names = [s.name for s in SNIPPETS]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: s.name)
def test_paths_predict_what_gcc_runs(snippet: Snippet, tmp_path: Path) -> None:
    found = run_symbolically(snippet)
    native = Native(snippet, tmp_path)
    leaves = {leaf for p in found.paths for e in (p.returned, *(c.expr for c in p.conditions), *(w.value for w in p.writes))
              for leaf in X.leaves(e) if leaf.op == "byte" and leaf.args[0].startswith("state:")}  # fmt: skip
    sizes: dict[str, int] = {}
    for leaf in leaves:
        name = leaf.args[0].removeprefix("state:")
        sizes[name] = max(sizes.get(name, 0), leaf.args[1] + 1)
    taken = set()
    for packet, length, now in packets(found.paths, PACKETS, seed=len(snippet.text)):
        state = {name: native.state(name, size) for name, size in sizes.items()}
        ran = native.process(0, packet, length, now)
        taken.add(compare(found.paths, ran, packet, length, now, state).number)
    if not sizes:  # the state that a path needs cannot be asked for
        assert taken == {p.number for p in found.paths}, "a path's own model does not lead to it"
    native.close()
