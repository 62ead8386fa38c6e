"""The `.call_path` files of a folder: found, and read as far as is sensible.

Whatever lies there costs bounded time and memory: what is too large, too many or no file is rejected by its size and name, unread.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ..source.text import decode

SUFFIX = ".call_path"
LAST_RUN = "klee-last"  # where KLEE leaves them, a folder or a link to klee-out-N
MAX_FILE = 4 << 20  # bytes; real files have up to 60 KB
MAX_TOTAL = 24 << 20  # bytes of one NF's files; the largest real set has 7 MB
MAX_FILES = 1024  # of one NF; the largest real set has 174


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that cannot be used: where and why. Line and column count from 1, the offset in code points from 0."""

    path: str
    line: int
    column: int
    offset: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"

    @staticmethod
    def at(path: str, text: str, offset: int, message: str) -> Rejected:
        """A file with what is wrong at an offset of its text, counted as if all lines ended with a line feed alone."""
        offset = _with_line_ends(text, offset)
        before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
        return Rejected(path, before.count("\n") + 1, len(before) - before.rfind("\n"), offset, message)


def _with_line_ends(text: str, offset: int) -> int:
    """The offset in a text of what stands at an offset when CRLF counts as one."""
    if "\r\n" not in text:
        return offset
    at = 0
    for line in text.split("\r\n"):
        if offset <= len(line):
            return at + offset
        offset -= len(line) + 1
        at += len(line) + 2
    return len(text)


def find_directory(folder: str) -> str | None:
    """`klee-last` beside an NF, or its newest `klee-out-N`, when it holds call paths."""
    try:
        names = os.listdir(folder)
    except (OSError, ValueError):
        return None
    runs = sorted((n for n in names if n.startswith("klee-out-") and n[9:].isdecimal()), key=lambda n: -int(n[9:]))
    return next(
        (str(Path(folder, n)) for n in (LAST_RUN, *runs) if n in names and holds_call_paths(Path(folder, n))), None
    )


def holds_call_paths(folder: str | Path) -> bool:
    """Whether a folder has files named *.call_path."""
    try:
        with os.scandir(folder) as entries:
            return any(e.name.endswith(SUFFIX) for e in entries)
    except (OSError, ValueError):
        return False


def owner(folder: str) -> str:
    """The NF's folder that a folder of call paths belongs to: that above klee-last, else itself."""
    path = Path(folder)
    return str(path.parent) if path.name == LAST_RUN or path.name.startswith("klee-out-") else folder


def read_directory(folder: str) -> tuple[list[tuple[str, str]], list[Rejected]]:
    """The texts of a folder's files, in the order of their names, and those that are too much or unreadable."""
    try:
        names = sorted(n for n in os.listdir(folder) if n.endswith(SUFFIX))
    except (OSError, ValueError) as e:
        return [], [Rejected(folder, 1, 1, 0, f"cannot be read: {getattr(e, 'strerror', None) or e}")]
    rejected: list[Rejected] = []
    for n in names[MAX_FILES : MAX_FILES + 1]:
        why = (
            f"{len(names)} call path files; an NF has at most {MAX_FILES}, so this one and those after it are not read"
        )
        rejected.append(Rejected(str(Path(folder, n)), 1, 1, 0, why))
    texts: list[tuple[str, str]] = []
    total = 0
    for n in names[:MAX_FILES]:
        path = str(Path(folder, n))
        try:
            size = _size(path)
            if size > MAX_FILE:
                rejected.append(
                    Rejected(path, 1, 1, 0, f"{size} bytes; a call path has at most {MAX_FILE}, so it is not read")
                )
                continue
            if total + size > MAX_TOTAL:
                why = f"the files before have {total} bytes, and an NF's at most {MAX_TOTAL}; this one and those after it are not read"
                rejected.append(Rejected(path, 1, 1, 0, why))
                break
            total += size
            with Path(path).open("rb") as f:
                texts.append((path, decode(f.read(MAX_FILE))))
        except OSError as e:
            rejected.append(Rejected(path, 1, 1, 0, f"cannot be read: {e.strerror}"))
    return texts, rejected


def _size(path: str) -> int:
    """The size of a regular file.

    Raises:
        OSError: when there is none.
    """
    status = Path(path).stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is no file")
    return status.st_size
