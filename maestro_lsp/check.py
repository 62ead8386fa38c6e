"""Checking NFs: from sources on disk and settings to a report. The one function that CLI, server and tests call.

    for nf in workspace.find_nfs(path):
        report = check(nf, settings)

Settings are taken, in order, from the caller (command line, editor), maestro.toml, the Makefile, defaults.
"""

from __future__ import annotations

import itertools
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import workspace
from .libvig.catalogue import Catalogue, CatalogueError
from .rss.nic import profile
from .rss.solve import SpecError
from .sharding.analysis import Analysis, Options, analyse
from .sharding.findings import Finding
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
    error: str = ""  # a traceback, when the analysis itself failed

    @property
    def name(self) -> str:
        return self.nf.name

    @property
    def paths(self) -> tuple[CallPath, ...]:
        return self.execution.paths

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
) -> Report:
    """Analyse one NF. Never raises on user code.

    Raises:
        CheckError: for settings that cannot be used (an unknown NIC, a structure that makes no sense).
    """
    settings = (given or Settings()).over(nf.settings)
    read = read or workspace.reader()
    options, devices, catalogue = _options(nf, settings)
    clock = _Clock()
    program = workspace.load(nf, read, old)
    clock.lap("load")
    inputs = _inputs(program, nf, settings, devices)
    extra = _front_end_findings(program, nf)
    try:
        execution, analysis, roles = _analyse(program, catalogue, inputs, devices, options, extra, clock)
        error = ""
    except Exception:
        error = traceback.format_exc()
        where = Span(nf.entry_file, 0, 0)
        why = "the analysis failed on this NF, which is an error of the tool: please report it with the NF (-v shows where)"
        execution = Execution((), {}, (Trouble("unsupported-construct", why, where),), where, False)
        analysis, roles = analyse(execution, devices, options), {}
    return Report(nf, devices, options.profile.name, analysis, execution, clock.laps, read, roles, error)


class _Clock:
    def __init__(self) -> None:
        self.laps = dict.fromkeys(("load", "symbex", "sharding", "solve"), 0.0)
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] += round(1e3 * (now - self._last), 3)
        self._last = now


def _options(nf: NfSources, settings: Settings) -> tuple[Options, int, Catalogue]:
    try:
        nic = profile(settings.nic or DEFAULT_NIC)
    except SpecError as e:
        raise CheckError(str(e)) from None
    equal = settings.equal or "index"
    if equal not in ("index", "hash"):
        raise CheckError(f"equal is index or hash, not {equal!r}")
    devices = settings.devices or nf.devices or DEFAULT_DEVICES
    if not 1 <= devices <= MAX_DEVICES:
        raise CheckError(f"devices is a number from 1 to {MAX_DEVICES}, not {devices}")
    catalogue = Catalogue.builtin()
    try:
        if settings.structures:
            catalogue = catalogue.extend(settings.structures)
    except CatalogueError as e:
        raise CheckError(f"maestro.toml: {e}") from None
    options = Options(
        nic, "hash" if equal == "hash" else "index", bool(settings.strict), settings.assume, settings.seed or 0
    )
    return options, devices, catalogue


def _inputs(program: Program, nf: NfSources, settings: Settings, devices: int) -> Inputs:
    config: dict[str, int] = {}
    for name, value in settings.config.items():
        try:
            config["config." + name.removeprefix("config.")] = value if isinstance(value, int) else int(value, 0)
        except ValueError:
            raise CheckError(f"{name} is set to {value!r}, which is no number") from None
    drop, flood = _conventions(program)
    arguments = settings.args if settings.args is not None else nf.nf_args
    return Inputs(devices, tuple(arguments) if arguments is not None else None, config, drop, flood)


def _conventions(program: Program) -> tuple[int | None, int]:
    """What the project's own macros say the returned device means: DROP, and FLOOD or FLOOD_FRAME."""
    drop: int | None = None
    flood = 0xFFFF
    for u in program.units:
        for name in ("DROP", "FLOOD", "FLOOD_FRAME"):
            macro = u.pre.macros.get(name)
            value = _macro_value(macro) if macro is not None else None
            if value is not None and name == "DROP":
                drop = value & 0xFFFF
            elif value is not None:
                flood = value & 0xFFFF
    return drop, flood


def _macro_value(macro: Any) -> int | None:
    """The number that a macro stands for, casts and parentheses aside."""
    text = str(macro.text if hasattr(macro, "text") else macro.body)
    for noise in ("uint16_t", "unsigned", "int", "(", ")", " ", "\t"):
        text = text.replace(noise, "")
    try:
        return int(text.rstrip("uUlL"), 0)
    except ValueError:
        return None


def _front_end_findings(program: Program, nf: NfSources) -> list[Finding]:
    """Places of the NF's own files that do not parse. Broken functions are found when they are executed; this is for what
    stands outside of them."""
    own = nf.root.rstrip("/") + "/"
    out = []
    for u in program.units:
        bodies = [u.span(f.node) for f in u.functions.values()]
        for p in u.problems:
            if not p.span.file.startswith(own):
                continue
            if any(b.file == p.span.file and b.start <= p.span.start < b.end for b in bodies):
                continue
            out.append(Finding("unsupported-construct", p.message, p.span))
    out += [Finding("unsupported-construct", p.message, p.span) for p in nf.problems]
    return list(dict.fromkeys(out))


def _analyse(
    program: Program,
    catalogue: Catalogue,
    inputs: Inputs,
    devices: int,
    options: Options,
    extra: list[Finding],
    clock: _Clock,
) -> tuple[Execution, Analysis, dict[str, int]]:
    execution = execute(program, catalogue, inputs)
    clock.lap("symbex")
    analysis = analyse(execution, devices, options, extra)
    clock.lap("sharding")
    names = device_roles(execution, devices) if execution.symbolic_config else ()
    if not names or devices ** len(names) > MAX_ROLE_SPLITS:
        return execution, analysis, {}
    # which device is which is not known: every assignment is a program of its own, and the worst verdict holds
    worst: tuple[int, Execution, Analysis, dict[str, int]] | None = None
    for values in itertools.product(range(devices), repeat=len(names)):
        if len(set(values)) < min(len(values), devices):
            continue  # one device in two roles is no configuration that anyone runs
        roles = dict(zip(names, values, strict=True))
        one = execute(program, catalogue, replace(inputs, config={**inputs.config, **roles}))
        clock.lap("symbex")
        its = analyse(one, devices, options, extra)
        clock.lap("sharding")
        rank = ("shared-nothing", "locks", "unknown").index(its.verdict)
        usual = all(v == (devices - 1 if "wan" in n or "ext" in n else 0) for n, v in roles.items())
        if worst is None or rank > worst[0] or (rank == worst[0] and usual):
            worst = (rank, one, its, roles)
    return worst[1:] if worst is not None else (execution, analysis, {})


def portable(report: Report) -> Report:
    """A report that can be sent to another process: without the engine that made it."""
    return replace(report, execution=replace(report.execution, engine=None), read=workspace.read_file)
