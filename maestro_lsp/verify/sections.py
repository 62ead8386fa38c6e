"""Whether every access to shared state lies in the right section of a program with locks.

A packet is a reader until the program calls `maestro_write`, or one of the shared chain's functions that do so themselves. What is
checked on every call path of the generated file: before that it writes no state, and it has changed only such bytes of the packet as
the runtime puts back (MAESTRO_RESTORE_BYTES). A chain's time stamps are the exception: renewing one is a store to the core's own cell,
made when the packet has proved to be a reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..source.text import Span
from ..symbex.path import CallPath, Mark, Touch
from ..symbex.run import Execution
from ..synthesis.equivalence import Difference

MARKS = frozenset(("mark", "dchain-allocate", "dchain-free", "dchain-expire-one", "expire"))
"""Calls at which a reader may leave its pass."""

_CHAIN = frozenset(("allocate", "free", "expire", "rejuvenate"))  # what the shared chain's functions see to themselves
_RESTORE = re.compile(r"^\s*#\s*define\s+MAESTRO_RESTORE_BYTES\s+(\d+)", re.MULTILINE)
_WRITING = re.compile(r"^\s*#\s*define\s+MAESTRO_WRITING_DEVICES\s+0x([0-9a-f]+)", re.MULTILINE)


def check_sections(execution: Execution, text: str, per_core: frozenset[int]) -> Iterator[Difference]:
    """What lies in the wrong section.

    Args:
        execution: of the generated file, with `marks=MARKS`.
        text: the file.
        per_core: plain objects of which each core has its own.
    """
    restored, found = _RESTORE.search(text), _WRITING.search(text)
    writing = int(found[1], 16) if found else 0
    for p in execution.paths:
        if not writing >> p.device & 1:
            yield from _misplaced(execution, p, int(restored[1]) if restored else 0, per_core)


def _misplaced(execution: Execution, p: CallPath, restored: int, per_core: frozenset[int]) -> Iterator[Difference]:
    begun = next((m for m in p.marks if _begins(p, m)), None)
    for c in p.calls:
        if begun is not None and c.number >= begun.call:
            break
        for t in c.touches:
            if t.write and not _sees_to_itself(c.op, t):
                name = execution.objects[t.object].name if t.object in execution.objects else "state"
                yield _wrong(f"{c.function} writes {name} while the packet may still be a reader", c.span, p)
    for a in p.plain[: begun.plain if begun is not None else None]:
        if a.write and a.object not in per_core:
            yield _wrong("plain C state is written while the packet may still be a reader", a.span, p)
            break
    if begun is not None and begun.cells:
        yield _wrong("a vector's cell is written before this", begun.span, p)
    for m in p.marks:
        beyond = [at for at in m.packet if at >= restored]
        if beyond and (begun is None or m.call <= begun.call):
            yield _wrong(
                f"byte {beyond[0]} of the packet is changed before the packet may turn into a writer, and MAESTRO_RESTORE_BYTES "
                f"is {restored}", m.span, p,
            )  # fmt: skip
            break


def _begins(p: CallPath, m: Mark) -> bool:
    """Whether a packet on this path is a writer from this call on."""
    if m.op == "mark":
        return True
    if m.op == "expire":
        return False  # only if something is old
    call = p.calls[m.call]
    return any(t.found is not False for t in call.touches if t.write)


def _sees_to_itself(op: str, t: Touch) -> bool:
    return (op.startswith("dchain-") or op == "expire") and (t.role in _CHAIN or op == "expire")


def _wrong(what: str, span: Span, p: CallPath) -> Difference:
    return Difference(what, None, span, p.device, p.model)
