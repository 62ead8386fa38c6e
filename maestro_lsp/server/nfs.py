"""The NFs of the workspace and what is known about each."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

PROJECT_FILES = frozenset(("maestro.toml", "Makefile", "makefile", "GNUmakefile", "compile_commands.json"))


@dataclass
class Facts:
    """The latest analysis of an NF (see `facts.snapshot`)."""

    data: dict[str, Any]
    versions: dict[str, int]  # of the texts that were open when it started
    reads: frozenset[str]
    _files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def file(self, path: str) -> dict[str, Any] | None:
        """What there is to show in a file: `sites`, `objects`, `entry`."""
        packed = self.data["files"].get(path)
        if packed is None:
            return None
        if path not in self._files:
            self._files[path] = json.loads(packed["data"])
        return self._files[path]

    def diagnostics(self, path: str) -> list[str]:
        """JSON of the diagnostics of a file."""
        packed = self.data["files"].get(path)
        return packed["diagnostics"] if packed is not None else []

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that there is something to show in."""
        return tuple(self.data["files"])


@dataclass
class Nf:
    """One NF.

    dirty     something changed since the analysis that is under way or done
    touched   when the user last changed something of it; the highest number is analysed first
    failures  analyses in a row that crashed or took too long
    """

    name: str
    root: str
    entry: str
    facts: Facts | None = None
    dirty: bool = True
    touched: int = 0
    job: int | None = None
    resting: int | None = None
    failures: int = 0
    message: str = ""
    proof: str = "none"  # running, proved, failed
    proof_text: str = ""
    parts: dict[str, tuple[Facts, bytes]] = field(default_factory=dict)  # JSON of what was asked for besides
    alternatives: dict[str, dict[str, Any]] = field(default_factory=dict)  # by NIC profile (see `tasks.alternatives`)
    beside: dict[str, int] = field(default_factory=dict)  # jobs that run beside the report in memory

    @property
    def state(self) -> str:
        """pending, stale, fresh; or failed: the latest text could not be analysed, `facts` are those of an earlier one."""
        if self.dirty or self.job is not None:
            return "pending" if self.facts is None else "stale"
        return "failed" if self.failures else "fresh"

    def depends_on(self, path: str) -> bool:
        """Whether a change of a file may change the analysis."""
        if posixpath.dirname(path) == self.root or path.startswith(f"{self.root}/klee-"):
            return True
        if self.facts is None:
            return False
        return path in self.facts.reads


class Nfs:
    """All NFs that are known, by entry file."""

    def __init__(self) -> None:
        self._by_entry: dict[str, Nf] = {}
        self.verified: dict[str, list[str]] = {}  # JSON of diagnostics of generated files, by path

    def __iter__(self) -> Iterator[Nf]:
        return iter(list(self._by_entry.values()))

    def get(self, entry: str) -> Nf | None:
        return self._by_entry.get(entry)

    def add(self, found: dict[str, str]) -> Nf:
        """Take note of an NF; what is known of it stays."""
        nf = self._by_entry.get(found["entry"])
        if nf is None:
            nf = self._by_entry[found["entry"]] = Nf(found["name"], found["root"], found["entry"])
        nf.name = found["name"]
        return nf

    def remove(self, nf: Nf) -> None:
        self._by_entry.pop(nf.entry, None)

    def showing(self, path: str) -> list[Nf]:
        """The NFs that a file belongs to, that of its folder first."""
        own = [nf for nf in self if nf.entry == path]
        beside = [nf for nf in self if nf.root == posixpath.dirname(path) and nf not in own]
        using = [nf for nf in self if nf.facts is not None and path in nf.facts.reads and nf not in own + beside]
        if beside and any(nf.facts is not None and path in nf.facts.reads for nf in beside):
            beside = [nf for nf in beside if nf.facts is None or path in nf.facts.reads]
        return own + beside + using
