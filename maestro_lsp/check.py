"""Checking NFs: from sources on disk and settings to a report. The one function that CLI, server and tests call.

    for nf in workspace.find_nfs(path):
        report = check(nf, settings)

Settings are taken, in order, from the caller (command line, editor), maestro.toml, the Makefile, defaults.
"""

from __future__ import annotations

import itertools
import os
import posixpath
import re
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from . import broken, workspace
from .libvig.catalogue import Catalogue, CatalogueError
from .rss.fields import PACKET_CLASSES
from .rss.nic import profile
from .rss.solve import SpecError
from .sharding.analysis import Analysis, Options, analyse
from .sharding.findings import Finding
from .source.macros import Macro
from .source.program import Program
from .source.text import SourceText, Span
from .symbex.engine import Trouble
from .symbex.path import CallPath, Object
from .symbex.run import Execution, Inputs, device_roles, execute
from .workspace import NfSources, Settings

DEFAULT_NIC = "x710"
DEFAULT_DEVICES = 2
MAX_DEVICES = 64
MAX_ROLE_SPLITS = 16  # configurations that are analysed one by one when device roles are not known


_ALLOW = re.compile(r"maestro:\s*allow\(([\w\s,-]*)\)")


class CheckError(ValueError):
    """Settings that cannot be used; one line that says what to do."""


@dataclass(frozen=True)
class Report:
    """All that is known about one NF."""

    nf: NfSources
    devices: int
    nic: str
    analysis: Analysis
    execution: Execution
    timings_ms: Mapping[str, float]
    read: Callable[[str], str | None] = field(repr=False, compare=False, default=workspace.read_file)
    roles: Mapping[str, int] = field(
        default_factory=dict
    )  # configuration values that were chosen to tell devices apart
    hidden: frozenset[Finding] = frozenset()  # findings that the user allows
    error: str = ""  # a traceback, when the analysis itself failed

    @property
    def name(self) -> str:
        return self.nf.name

    @property
    def paths(self) -> tuple[CallPath, ...]:
        return self.execution.paths

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings to show; those that the user allows still count for the verdict."""
        return tuple(f for f in self.analysis.findings if f not in self.hidden)

    @property
    def objects(self) -> tuple[Object, ...]:
        """The library objects that packets use, and the plain state that they change."""
        plain = {a.object.id for a in self.analysis.accesses if a.plain is not None}
        return tuple(o for o in self.execution.objects.values() if o.kind not in ("global", "heap") or o.id in plain)

    def text(self, path: str) -> SourceText:
        """The text of a source file, for positions."""
        return SourceText(path, self.read(path) or "")


def check(
    nf: NfSources,
    given: Settings | None = None,
    read: Callable[[str], str | None] | None = None,
    old: Program | None = None,
    program: Program | None = None,
) -> Report:
    """Analyse one NF. Never raises on user code. `program`, if given, is the NF's, loaded with the same reader; `old`, an
    earlier version of it, spares work on what did not change.

    Raises:
        CheckError: for settings that cannot be used (an unknown NIC, a structure that makes no sense).
    """
    settings = (given or Settings()).over(nf.settings)
    read = read or workspace.reader()
    options, devices, catalogue = _options(nf, settings, read)
    config = _config(settings)
    clock = _Clock()
    roles: Mapping[str, int] = {}
    error = ""
    try:
        program = program or workspace.load(nf, read, old)
        clock.lap("load")
        extra = broken.findings(program, nf.root)
        extra += [Finding("unsupported-construct", p.message, p.span) for p in nf.problems]
        drop, flood = conventions(program)
        arguments = settings.args if settings.args is not None else nf.nf_args
        inputs = Inputs(devices, arguments, config, drop, flood)
        run = partial(_execute, program, catalogue, nf.entry_file)
        execution, analysis, roles = _analyse(run, inputs, devices, options, extra, clock)
    except Exception:
        error = traceback.format_exc()
        where = Span(nf.entry_file, 0, 0)
        why = "the analysis failed here, which is an error of maestro-lsp: please report it with the NF (-v shows details)"
        execution = Execution((), {}, (Trouble("unsupported-construct", why, where),), where, False)
        analysis = analyse(execution, devices, options)
    hidden = frozenset(f for f in analysis.findings if f.code in _allowed(f, read))
    return Report(nf, devices, options.profile.name, analysis, execution, clock.laps, read, roles, hidden, error)


class _Clock:
    def __init__(self) -> None:
        self.laps = dict.fromkeys(("load", "symbex", "sharding", "solve"), 0.0)
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] += round(1e3 * (now - self._last), 3)
        self._last = now


def _options(nf: NfSources, settings: Settings, read: Callable[[str], str | None]) -> tuple[Options, int, Catalogue]:
    for p in nf.problems:
        if posixpath.basename(p.span.file) == "maestro.toml":
            line = SourceText(p.span.file, read(p.span.file) or "").line(p.span.start) + 1
            raise CheckError(f"{os.path.relpath(p.span.file)}:{line}: {p.message}")
    try:
        nic = profile(settings.nic or DEFAULT_NIC)
    except SpecError as e:
        raise CheckError(str(e)) from None
    equal = settings.equal or "index"
    if equal not in ("index", "hash"):
        raise CheckError(f"equal is index or hash, not {equal!r}")
    devices = settings.devices if settings.devices is not None else nf.devices or DEFAULT_DEVICES
    if not 1 <= devices <= MAX_DEVICES:
        raise CheckError(f"devices is a number from 1 to {MAX_DEVICES}, not {devices}")
    unknown = sorted(set(settings.assume or ()) - set(PACKET_CLASSES))
    if unknown:
        raise CheckError(f"assume: there is no class of packets {unknown[0]!r}; there are {', '.join(PACKET_CLASSES)}")
    catalogue = Catalogue.builtin()
    try:
        if settings.structures:
            catalogue = catalogue.extend(settings.structures)
    except CatalogueError as e:
        raise CheckError(f"{_stating(nf, '[[structure]]', read)}: {e}") from None
    options = Options(
        nic, "hash" if equal == "hash" else "index", bool(settings.strict), settings.assume, settings.seed or 0
    )
    return options, devices, catalogue


def _stating(nf: NfSources, text: str, read: Callable[[str], str | None]) -> str:
    """The nearest maestro.toml that holds a text."""
    folder = nf.root
    while True:
        path = posixpath.join(folder, "maestro.toml")
        if text in (read(path) or ""):
            return os.path.relpath(path)
        if posixpath.dirname(folder) == folder:
            return "maestro.toml"
        folder = posixpath.dirname(folder)


def _config(settings: Settings) -> dict[str, int]:
    config = {}
    for name, value in settings.config.items():
        try:
            config["config." + name.removeprefix("config.")] = value if isinstance(value, int) else int(value, 0)
        except ValueError:
            raise CheckError(f"config.{name} is set to {value!r}, which is no number") from None
    return config


def conventions(program: Program) -> tuple[int | None, int]:
    """What the project's own macros say the returned device means: (DROP or None, FLOOD or FLOOD_FRAME)."""
    drop: int | None = None
    flood = 0xFFFF
    for u in program.units:
        for name in ("DROP", "FLOOD", "FLOOD_FRAME"):
            value = _macro_value(u.pre.macros, name)
            if value is not None and name == "DROP":
                drop = value & 0xFFFF
            elif value is not None:
                flood = value & 0xFFFF
    return drop, flood


def _macro_value(macros: Mapping[str, Macro], name: str) -> int | None:
    """The number that a macro stands for, by way of other macros too; casts and parentheses aside."""
    for _ in range(8):
        if name not in macros:
            break
        name = re.sub(r"\(\s*u?int\d*(_t)?\s*\)|\bUINT16_C\b|[()\s]", "", macros[name].text)
    try:
        return int(name.rstrip("uUlL"), 0)
    except ValueError:
        return None


def _allowed(f: Finding, read: Callable[[str], str | None]) -> frozenset[str]:
    """The codes that comments `maestro: allow(code, ...)` hide on a finding's line: those on it and on the line above."""
    text = read(f.span.file) or ""
    if "maestro:" not in text:
        return frozenset()
    source = SourceText(f.span.file, text)
    line = source.line(f.span.start)
    lists = _ALLOW.findall(f"{source.line_text(line - 1)}\n{source.line_text(line)}")
    return frozenset(code.strip() for codes in lists for code in codes.split(","))


def _execute(program: Program, catalogue: Catalogue, entry_file: str, inputs: Inputs) -> Execution:
    """Symbolic execution; troubles that have no place of their own are the entry file's."""
    execution = execute(program, catalogue, inputs)
    placed = tuple(t if t.span.file else replace(t, span=Span(entry_file, 0, 0)) for t in execution.troubles)
    return replace(execution, troubles=placed)


def _analyse(
    run: Callable[[Inputs], Execution],
    inputs: Inputs,
    devices: int,
    options: Options,
    extra: list[Finding],
    clock: _Clock,
) -> tuple[Execution, Analysis, dict[str, int]]:
    execution = run(inputs)
    clock.lap("symbex")
    analysis = analyse(execution, devices, options, extra)
    clock.lap("sharding")
    names = device_roles(execution, devices) if execution.symbolic_config else ()
    if not names or devices ** len(names) > MAX_ROLE_SPLITS:
        return execution, analysis, {}
    # which device is which is not known: every assignment is a program of its own, and the worst verdict holds
    last: dict[str, int] = {}
    worst: tuple[int, Execution, Analysis, dict[str, int]] | None = None
    for values in itertools.product(range(devices), repeat=len(names)):
        if len(set(values)) < min(len(values), devices):
            continue  # one device in two roles is no configuration that anyone runs
        roles = last = dict(zip(names, values, strict=True))
        one = run(replace(inputs, config={**inputs.config, **roles}))
        clock.lap("symbex")
        its = analyse(one, devices, options, extra)
        clock.lap("sharding")
        rank = ("shared-nothing", "locks", "unknown").index(its.verdict)
        usual = all(v == (devices - 1 if "wan" in n or "ext" in n else 0) for n, v in roles.items())
        if worst is None or rank > worst[0] or (rank == worst[0] and usual):
            worst = (rank, one, its, roles)
    if worst is None:
        return execution, analysis, {}
    _, one, its, roles = worst
    if roles != last:
        # expressions are compared by identity within the latest execution: make the one that is reported the latest
        one = run(replace(inputs, config={**inputs.config, **roles}))
        its = analyse(one, devices, options, extra)
    return one, its, roles
