"""The garbage collector during an analysis."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (100_000, 5, 5)


@contextmanager
def restrained() -> Iterator[None]:
    """Look for garbage rarely.

    An analysis makes hundreds of thousands of objects that live until it ends. With the interpreter's own thresholds, a fifth of its time
    is spent on looking at them, and at parsed files and imported modules, over and over.
    """
    before = gc.get_threshold()
    gc.set_threshold(*map(max, before, THRESHOLDS))
    try:
        yield
    finally:
        gc.set_threshold(*before)
