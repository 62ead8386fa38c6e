"""The garbage collector during an analysis."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (100_000, 20, 50)


@contextmanager
def restrained() -> Iterator[None]:
    """Look for garbage rarely, and only in what is made meanwhile.

    An analysis makes hundreds of thousands of objects that live until it ends. With the interpreter's own thresholds, a fifth of its time
    is spent on looking at them, and at parsed files and imported modules, over and over.
    """
    if gc.get_freeze_count():  # whoever froze what there is has seen to it
        yield
        return
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
