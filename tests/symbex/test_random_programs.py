"""Random C programs: our paths predict what gcc's code does. MAESTRO_FULL=1 tries more of them."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from .against_gcc import Snippet, call, compare, compile_all, packets, run_symbolically
from .random_c import FRAME, Generator

BATCHES = 40 if os.environ.get("MAESTRO_FULL") else 3
PROGRAMS = 40  # of a batch: one call of gcc
PACKETS = 40


@pytest.mark.parametrize("batch", range(BATCHES))
def test_paths_predict_what_gcc_runs(batch: int, tmp_path: Path) -> None:
    programs = {f"p{seed}": Generator(seed).program() for seed in range(batch * PROGRAMS, (batch + 1) * PROGRAMS)}
    library = ctypes.CDLL(str(compile_all({"types": FRAME, **programs}, tmp_path)))
    for name, text in programs.items():
        found = run_symbolically(Snippet(name, FRAME + text))
        function = getattr(library, f"nf_process_{name}")
        for packet, length, now in packets(found.paths, PACKETS, seed=batch):
            try:
                compare(found.paths, call(function, 0, packet, length, now), packet, length, now)
            except AssertionError as error:
                raise AssertionError(f"{error}\npacket {packet[:48].hex()}\n{FRAME}{text}") from error
