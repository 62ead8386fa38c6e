"""What a terminal gets besides the answers: progress on standard error, and whether it wants colours."""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TextIO

_LEAST_WIDTH = 40  # columns
PROGRESS_AFTER = 0.3  # seconds of work before progress is shown


class Progress:
    """Shows on a terminal's stderr what is analysed, once that takes long enough to wonder."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0
        self._line = ""
        self._late = threading.Event()
        self._timer = threading.Timer(PROGRESS_AFTER, self._show)
        self._timer.daemon = True

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._late.is_set():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def step(self, name: str) -> None:
        """The NF of that name is next."""
        self._count += 1
        self._line = f"analysing {name} ({self._count} of {self._total})"
        if self._late.is_set():
            self._show()

    def _show(self) -> None:
        self._late.set()
        print(f"\r\x1b[K{self._line}", end="", file=sys.stderr, flush=True)


def width() -> int:
    """Columns of the terminal that standard output is; 0 if it is none, or too narrow to break lines for."""
    columns = shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() else 0
    return columns if columns >= _LEAST_WIDTH else 0


def colour() -> bool:
    """Whether standard output wants colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def open_streams() -> None:
    """See to it that whatever is printed has a stream, and one that can take it: a name of a file may hold any character or byte."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by who started the program
            setattr(sys, name, _nowhere())
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Give up what is still buffered for a standard output that nobody reads or that is full."""
    sys.stdout = _nowhere()


def _nowhere() -> TextIO:
    """A stream that takes everything."""
    # not closed here: as a standard stream it serves until the program ends
    return Path(os.devnull).open("w")
