"""Is a generated file the NF, in parallel? `verify` says so, or what differs.

Opinions that do not trust each other:

  paths     the file is executed symbolically, and does the same as the NF to every packet (synthesis/equivalence.py)
  cores     with shared-nothing, each core has state of its own (cores.py)
  sections  with locks, every access to shared state lies in the right section (sections.py)
  run       the NF and the program process the same traffic, on one core and on several (replay.py)

The runtime part of the file must be the one that comes with this package, and its RSS data must be right for the matrix.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from .. import workspace
from ..check import Report
from ..source.text import Span
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CallPath
from ..symbex.run import Execution, execute
from ..synthesis.chains import misnamed
from ..synthesis.equivalence import Difference, compare
from ..synthesis.parallel import FORMS, STRATEGIES, Refused, libvig_folder, parallelize
from ..synthesis.runtime_part import nf_part
from ..workspace import NfSources
from . import build, replay
from .cores import check_cores, check_scratch, per_core
from .rss import rss_differs
from .sections import MARKS, check_sections
from .shares import check_shares
from .surroundings import surroundings_differ
from .traffic import Generator

PACKETS = 4000  # of a differential run
CORES = 4
SMALL = 8  # entries of a table that is to be full

Progress = Callable[[str], None]
_STRATEGY = re.compile(r"^// Strategy: ([\w-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """One opinion."""

    name: Literal["paths", "cores", "sections", "rss", "runtime", "run"]
    status: Literal["passed", "failed", "not-run"]
    detail: str  # one line: what was compared, or what differs, or why it was not run
    differences: tuple[Difference, ...] = ()
    outcome: replay.Outcome | None = None


@dataclass(frozen=True)
class Verification:
    """What was found out about a generated file."""

    file: str
    strategy: str
    checks: tuple[Check, ...] = field(default_factory=tuple)

    @property
    def verified(self) -> bool:
        """Whether nothing differs. What could not be run does not count."""
        return all(c.status != "failed" for c in self.checks)


class NotGenerated(ValueError):
    """The file is none that `maestro-lsp parallelize` wrote; one line that says what to do."""


def generated_beside(nf: NfSources) -> list[str]:
    """Generated files in an NF's folder, sorted."""
    return sorted(
        str(p) for p in Path(nf.root).glob("*.c") if workspace.is_generated(workspace.read_file(str(p)) or "")
    )


def strategy_of(text: str, path: str) -> str:
    """The strategy of a generated file.

    Raises:
        NotGenerated: if it is none.
    """
    found = _STRATEGY.search(text) if workspace.is_generated(text) else None
    if found is None or found[1] not in STRATEGIES:
        raise NotGenerated(
            f"{os.path.relpath(path)} is no file that `maestro-lsp parallelize` wrote: name the generated file with --against"
        )
    return found[1]


def form_of(text: str, strategy: str) -> str:
    """Which of a strategy's FORMS a generated file has."""
    return next((f for f, said in FORMS.items() if f"// Strategy: {strategy}{said}\n" in text), "")


def verify(
    report: Report, path: str, text: str, packets: int = PACKETS, progress: Progress | None = None
) -> Verification:
    """Check a generated file against its NF.

    Args:
        report: of the NF, the latest analysis of this process (expressions are compared by identity).
        path, text: of the generated file.
        packets: for each differential run; 0 leaves those out.

    Raises:
        NotGenerated: if the file is none that `parallelize` wrote.
    """
    strategy = strategy_of(text, path)
    if report.context is None:
        return Verification(path, strategy, (Check("paths", "failed", "the NF itself could not be analysed"),))
    tell = progress or (lambda _: None)
    tell("executing the generated file")
    second = _execute(report, path, text, strategy)
    executed = nf_part(text)  # what spans are of
    checks = [_paths(report, second, _misnamed(path, executed, strategy, form_of(text, strategy)))]
    if strategy == "shared-nothing":
        checks.append(_cores(report, second, executed))
    if strategy in ("locks", "tm"):
        checks.append(_sections(second, strategy, text, executed))
    checks += _fixed_parts(report, strategy, text)
    if packets and not report.paths:
        checks.append(Check("run", "not-run", "no call path of the NF is known, so there are no packets to try"))
    elif packets:
        tell("compiling and running both programs")
        checks.append(_run(report, path, strategy, packets))
    return Verification(path, strategy, tuple(checks))


# ---------------------------------------------------------------------------------------------------------- by symbols


def _execute(report: Report, path: str, text: str, strategy: str) -> Execution:
    context = report.context
    assert context is not None
    nf = replace(report.nf, entry_file=path, files=(path,), helpers=())
    base = report.read
    program = workspace.load(nf, lambda p: nf_part(text) if p == path else base(p))
    inputs = replace(context.inputs, marks=MARKS) if strategy == "locks" else context.inputs
    return execute(program, context.catalogue, inputs, forget=False)


def _paths(report: Report, second: Execution, foreign: list[Difference]) -> Check:
    assert report.context is not None
    found = (*foreign, *compare(report.execution, second, report.context.catalogue))
    if found:
        return Check("paths", "failed", found[0].what, found)
    return Check("paths", "passed", f"{len(second.paths)} call paths do the same as the NF's {len(report.paths)}")


def _misnamed(path: str, executed: str, strategy: str, form: str) -> list[Difference]:
    """Calls on one kind of dchain in a program that has another, which to symbolic execution are the same."""
    return [
        Difference(f"{name} is not for the dchains that this program has, but {right} is", there=Span(path, start, end))
        for start, end, name, right in misnamed(executed, strategy, form)
    ]


def _cores(report: Report, second: Execution, executed: str) -> Check:
    found = (*check_cores(second, executed), *check_shares(report.execution, report.analysis, second, executed))
    if found:
        return Check("cores", "failed", found[0].what, found)
    return Check("cores", "passed", "each core has state of its own")


def _sections(second: Execution, strategy: str, text: str, executed: str) -> Check:
    found = tuple(check_scratch(second, executed))
    if strategy == "locks":
        found += tuple(check_sections(second, text, per_core(second, executed)))
    if found:
        return Check("sections", "failed", found[0].what, found)
    if strategy == "tm":
        return Check("sections", "passed", "cores share all that outlives a packet")
    return Check("sections", "passed", f"on {len(second.paths)} call paths state is written by writers only")


def _fixed_parts(report: Report, strategy: str, text: str) -> list[Check]:
    """The parts of a generated file that are not the NF's: the runtime, and the RSS data."""
    try:
        made = parallelize(report, strategy, form_of(text, strategy))
    except Refused as e:
        return [Check("rss", "failed", f"{strategy} does not apply to this NF: {e}")]
    wrong = surroundings_differ(text, made.text)
    out = [
        Check("runtime", "failed", wrong) if wrong else Check("runtime", "passed", "the runtime part is this package's")
    ]
    if strategy != "sequential":
        wrong = rss_differs(text, made.text, made.configuration)
        out.append(
            Check("rss", "failed", wrong)
            if wrong
            else Check("rss", "passed", "keys, inputs and tables fulfil the matrix")
        )
    return out


# --------------------------------------------------------------------------------------------------------- by running


def _run(report: Report, path: str, strategy: str, packets: int) -> Check:
    assert report.context is not None
    try:
        outcomes = list(_outcomes(report, path, strategy, packets))
    except build.CannotBuild as e:
        return Check("run", "not-run", str(e))
    total = sum(o.packets for o in outcomes)
    for o in outcomes:
        if o.error:
            return Check("run", "failed", o.error, outcome=o)
        if o.sequence:
            return Check(
                "run", "failed", f"after {len(o.sequence)} packets the programs send different things", outcome=o
            )
    return Check("run", "passed", f"{total} packets in {len(outcomes)} runs are treated the same")


def _outcomes(report: Report, path: str, strategy: str, packets: int) -> Iterator[replay.Outcome]:
    context = report.context
    assert context is not None
    program = context.program
    nf = report.nf
    drop, flood = workspace.conventions(program)
    process = next(u.functions["nf_process"] for u in program.units if "nf_process" in u.functions)
    conventions = build.Conventions(
        drops="(output) == (device)" if drop is None else f"(output) == {drop:#x}",
        floods=f"(output) == {flood:#x}",
        devices=report.devices,
        takes_mbuf=len(process.params) == 5,
    )
    sources = sorted({u.path for u in program.units if u.path.endswith(".c")})
    with tempfile.TemporaryDirectory(prefix="maestro-") as folder:
        libvig = libvig_folder(program, report.read) or str(build.RUNTIME / "libvig" / "verified")
        original, generated = build.build(nf, sources, libvig, path, strategy, conventions, Path(folder))
        arguments = tuple(context.inputs.arguments or ())
        divided = strategy == "shared-nothing"
        common = replay.Job(
            report.nf.root, str(original), str(generated), arguments, 1, False, (), _index_bytes(report.paths)
        )
        strangers = not report.analysis.deviations
        small = full_tables(report, arguments)
        alone = tuple(Generator(report.paths, 1, strangers).arrivals(packets))
        filled = replay.run(replace(common, arguments=small, arrivals=alone, ignored=replay.Ignored()))
        if (
            filled.error and small != arguments
        ):  # an NF may rely on the size of its tables: ports of all flows have an entry, say
            filled = replay.run(replace(common, arrivals=alone, ignored=replay.Ignored()))
        yield filled
        if strategy == "sequential":
            return
        skip = tuple((a.packet_class, a.devices) for a in report.analysis.assumes) if divided else ()
        mixed = tuple(Generator(report.paths, 2, strangers, _fresh(report.paths)).arrivals(packets))
        yield replay.run(replace(common, cores=CORES, steered=divided, skip=skip, arrivals=mixed))


def _fresh(paths: Sequence[CallPath]) -> frozenset[int] | None:
    """Devices on which any packet may arrive, or None for all. Where indices leave in packets, who guesses one may hit another
    flow in the parallel program than in the sequential one: only answers arrive where packets name indices."""
    if not _index_bytes(paths):
        return None
    named = {
        p.device for p in paths for c in p.calls for t in c.touches
        if t.index and t.role == "check" and any(leaf.op == "byte" for part in t.key or () for leaf in X.leaves(part.value))
    }  # fmt: skip
    return frozenset(p.device for p in paths) - named


def full_tables(report: Report, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments with tables so small that they fill: those that are some table's capacity, made small."""
    capacities = {str(o.capacity) for o in report.objects if o.kind == "dchain" and (o.capacity or 0) > SMALL}
    return tuple(str(SMALL) if a in capacities else a for a in arguments)


def _index_bytes(paths: Sequence[CallPath]) -> replay.Ignored:
    """Packet bytes that carry a fresh index or something found by it, and the checksums over them."""
    carries: replay.Ignored = replay.Ignored()
    checksums = replay.Ignored()
    for p in paths:
        for w in p.writes:
            names = {str(leaf.args[0]).partition("#")[0] for leaf in X.leaves(w.value) if leaf.op == "sym"}
            behind = w.array != "packet" and _behind_options(dict(p.regions).get(w.array))
            if names & {"new_index", "allocated_index"}:
                carries = carries.with_byte(w.offset, behind)
            if names & {"checksum", "l4_checksum"}:
                checksums = checksums.with_byte(w.offset, behind)
    return carries | checksums if carries else carries


def _behind_options(offset: Expr | None) -> bool:
    """Whether an offset is the length of IPv4's options."""
    return offset is not None and all(
        X.evaluate(offset, {leaf: 0x40 | words if leaf.args[1:] == (14,) else 0 for leaf in X.leaves(offset)})
        == 4 * words - 20
        for words in (5, 6, 15)
    )
