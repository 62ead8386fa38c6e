"""What the worker's children do. Each task takes a request and gives messages for the server (see `worker`)."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...callpaths.folder import SUFFIX, find_directory, owner
from ...check import CheckError, Report, check_call_paths, check_source, find, on_nic, with_call_paths
from ...rss import z3_here
from ...settings import Settings
from ...source.program import Program
from ...source.text import Read
from ...workspace import NfSources
from ..facts import panel as panels
from ..facts import rss, snapshot
from ..facts.places import Places, uri
from . import cache as caches

Message = tuple[Any, ...]
Task = Callable[["Request", dict[str, Any]], Iterator[Message]]


class Request:
    """One NF to look at.

    arguments  entry: the file that defines nf_process, of an NF without sources its first call path file;
               settings: see `settings_of`; encoding: of positions
    log        every text that was read, None for missing files
    """

    def __init__(self, arguments: dict[str, Any], read: Read, log: dict[str, str | None]) -> None:
        self.arguments = arguments
        self.entry: str = arguments["entry"]
        self.encoding = arguments.get("encoding", "utf-16")
        self.settings = settings_of(arguments.get("settings") or {})
        if self.entry.endswith(SUFFIX):  # the files at hand are the NF, whatever folder the settings name
            self.settings = replace(self.settings, call_paths=None)
        self.read = read
        self.log = log
        self.keyed: frozenset[str] = frozenset()  # the files whose texts are in the result's name
        self.nf: NfSources | None = None
        self.program: Program | None = None
        self._of_source: Report | None = None
        self._report: Report | None = None

    def find(self) -> NfSources | None:
        """The NF of the entry file, if that still defines one."""
        found = find(self.place, self.settings, self.read)
        self.nf = next((nf for nf in found if entry_of(nf) == self.entry), None)
        return self.nf

    @property
    def place(self) -> str:
        """The folder in which the NF is found."""
        folder = posixpath.dirname(self.entry)
        return owner(folder) if self.entry.endswith(SUFFIX) else folder

    def of_source(self) -> Report:
        """The report without call path files, unless there is nothing else; made at the first call. Raises CheckError."""
        if self._of_source is None:
            assert self.nf is not None
            if self.nf.entry_file:
                self._of_source = check_source(self.nf, self.settings, self.read, program=self.program)
            else:
                self._of_source = check_call_paths(self.nf, self.settings, self.read)
        return self._of_source

    def checked(self) -> Report:
        """The report, made at the first call. Raises CheckError."""
        if self._report is None:
            self._report = with_call_paths(self.of_source())
        return self._report

    @property
    def recorded(self) -> tuple[Any, ...]:
        """The NF's call path files: name, size and time of each."""
        assert self.nf is not None
        folder = _call_paths_of(self.nf, self.settings)
        if not folder:
            return ()
        try:
            with os.scandir(folder) as entries:
                found = [(e.name, e.stat()) for e in entries if e.name.endswith(SUFFIX)]
        except (OSError, ValueError):
            return (folder,)
        return (folder, *sorted((name, status.st_size, status.st_mtime_ns) for name, status in found))

    @property
    def reads(self) -> list[str]:
        """The files that the analysis came to read, or missed."""
        assert self.nf is not None
        alone = () if self.nf.entry_file else self.recorded
        return sorted({*self.log, *(posixpath.join(alone[0], name) for name, _, _ in alone[1:])})


def settings_of(given: Mapping[str, Any]) -> Settings:
    """The editor's settings; those that are not set or make no sense are left to maestro.toml."""
    assume = given.get("assume")
    config = given.get("config")
    return Settings(
        nic=given.get("nic") or None,
        devices=given.get("devices") or None,
        equal=given.get("equal") or None,
        strict=given.get("strict"),
        assume=tuple(assume) if isinstance(assume, (list, tuple)) else None,
        seed=given.get("seed"),
        config=dict(config) if isinstance(config, dict) else {},
        call_paths=given.get("callPaths"),
    )


def _call_paths_of(nf: NfSources, settings: Settings) -> str | None:
    """The folder of an NF's call path files."""
    chosen = settings.over(nf.settings).call_paths
    return find_directory(nf.root) if chosen is None else chosen and posixpath.join(nf.root, chosen)


def entry_of(nf: NfSources) -> str:
    """What tells an NF from others: the file that defines nf_process, without sources the first call path file."""
    if nf.entry_file:
        return nf.entry_file
    folder = _call_paths_of(nf, Settings())
    try:
        names = [name for name in os.listdir(folder) if name.endswith(SUFFIX)] if folder else []
    except (OSError, ValueError):
        names = []
    return posixpath.join(folder or nf.root, min(names, default=SUFFIX))


def discover(arguments: Mapping[str, Any], read: Read) -> list[dict[str, str]]:
    """The NFs at paths: name, folder and entry file of each."""
    found: dict[str, dict[str, str]] = {}
    for path in arguments["paths"]:
        for nf in find(path, Settings(), read):
            entry = entry_of(nf)
            found[entry] = {"name": nf.name, "root": nf.root, "entry": entry}
    return list(found.values())


def analyse(request: Request, _: Mapping[str, Any]) -> Iterator[Message]:
    """Everything that is shown in source files."""

    def later() -> dict[str, str]:
        """What was read besides: the result counts as long as these texts are the same."""
        return {path: caches.digest(text) for path, text in request.log.items() if path not in request.keyed}

    try:
        if request.recorded and request.program is not None:  # reading them takes longer than all else
            first = request.of_source()
            yield "part", "facts", snapshot.facts(first, request.entry, request.encoding, request.reads, final=False)
        report = request.checked()
    except CheckError as error:
        refused = snapshot.refused(request.nf, request.entry, str(error), request.reads)
        yield "keep", later(), ((), ()), {"facts": refused}
        return
    data = snapshot.facts(report, request.entry, request.encoding, request.reads)
    if report.error:  # of this machine or this version, and not of the source: nothing to remember
        yield "part", "facts", data
        return
    asked = request.program.asked if request.program is not None else ()
    engine = report.execution.engine
    yield "keep", later(), (asked, engine.reached if engine is not None else ()), {"facts": data}


def panel(request: Request, _: Mapping[str, Any]) -> Iterator[Message]:
    """What the matrix panel shows, as JSON."""
    report = request.checked()
    yield "add", "panel", json.dumps(panels.panel(report, Places(report, request.encoding))).encode()


def paths(request: Request, _: Mapping[str, Any]) -> Iterator[Message]:
    """The call paths, as JSON."""
    report = request.checked()
    yield "add", "paths", json.dumps(panels.paths(report, Places(report, request.encoding))).encode()


def export(request: Request, arguments: Mapping[str, Any]) -> Iterator[Message]:
    """The RSS configuration in some form; empty if there is none."""
    found = request.checked().analysis.configuration
    yield "part", "export", rss.exported(found, arguments["form"]) if found is not None else ""


def prove(request: Request, _: Mapping[str, Any]) -> Iterator[Message]:
    """Prove the keys by means that do not trust the solver: state and text."""
    found = request.checked().analysis.configuration
    if found is None:
        yield "add", "prove", ("none", "there are no keys")
        return
    if why := z3_here.why_not():
        yield "part", "prove", ("none", f"not proved: {why}")
        return
    from ...rss.proof import prove as proof_of

    proof = proof_of(found.space, found.keys)
    text = str(proof.failures[0]) if proof.failures else f"{len(proof.checks)} requirements on pairs of packets proved"
    yield "add", "prove", ("proved" if proof.holds else "failed", text)


def alternatives(request: Request, _: Mapping[str, Any]) -> Iterator[Message]:
    """What switching the NIC profile would do: for each profile the verdict, and where findings would be left."""
    report = request.checked()
    places = Places(report, request.encoding)
    found = {}
    for name in snapshot.other_nics(report) if report.analysis.complete else ():
        other = on_nic(report, request.settings, name)
        left = [(f.code, uri(f.span.file), places.line(f.span) - 1) for f in other.findings]
        found[name] = {"verdict": other.verdict, "left": left}
    yield "add", "alternatives", found


def write_parallel(request: Request, arguments: Mapping[str, Any]) -> Iterator[Message]:
    """The parallel program by a strategy, verified by symbols (see `facts.parallel`)."""
    from ..facts import parallel  # what it needs takes a while to import

    yield "part", "parallelize", parallel.written(request.checked(), arguments["strategy"], request.encoding)


def verify_file(request: Request, arguments: Mapping[str, Any]) -> Iterator[Message]:
    """Check a generated file against the NF, by symbols and by running both."""
    from ...verify import NotGenerated, verify
    from ..facts import parallel

    path = arguments["file"]
    text = request.read(path)
    try:
        if text is None:
            raise NotGenerated(f"{path} cannot be read")
        found = verify(request.checked(), path, text, arguments["packets"])
    except NotGenerated as why:
        yield "part", "verify", {"refused": str(why)}
        return
    yield "part", "verify", {"refused": "", **parallel.verification(found, request.checked(), text, request.encoding)}


UNHURRIED = frozenset(("prove", "alternatives", "verify"))  # whatever the user waits for comes first
TASKS: dict[str, Task] = {
    "analyse": analyse,
    "panel": panel,
    "paths": paths,
    "export": export,
    "prove": prove,
    "alternatives": alternatives,
    "parallelize": write_parallel,
    "verify": verify_file,
}


def warm_up() -> None:
    """Import what the first analysis would."""
    from ...render import expressions, paths  # noqa: F401
    from ...rss import export, traffic  # noqa: F401
