"""Call path files at work in a check: read, compared with the source, and judged whether a report may rest on them.

Takes the folder of an NF's files and what is known of its source, and gives a `Comparison`: files that are complete and agree with the
source path by path, and whose own analysis says the same, back the report (`source` is "call-paths"). Else findings say why not: files that
cannot be used (`call-paths-invalid`, with file and position) or that say something else than the source (`call-paths-stale`, with the
first difference at its place). An NF without a source that can be executed is analysed from its files alone.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .callpaths.align import Alignment, align, show
from .callpaths.align import Difference as Lacking
from .callpaths.complete import gap
from .callpaths.differ import answered
from .callpaths.folder import read_directory
from .callpaths.load import Recorded, load
from .callpaths.sites import SILENT, Sites
from .libvig.catalogue import Catalogue
from .sharding.analysis import Analysis, Assumption, Options, analyse
from .sharding.findings import INCOMPLETE, Finding, Related
from .sharding.printer import Printer
from .source.program import Program
from .source.text import Span
from .source.unit import FunctionDef, Unit
from .symbex import expr as X
from .symbex.engine import Trouble
from .symbex.expr import Expr
from .symbex.libc import LIBC
from .symbex.path import CallPath, Object, PacketWrite, Part
from .symbex.run import Execution

MAX_INVALID = 20  # findings about files that cannot be used; more say nothing new
MAX_STALE = 8  # findings about differences
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_KEYWORDS = frozenset(
    {"if", "while", "for", "switch", "return", "sizeof", "_Alignof", "_Static_assert", "__attribute__"}
)


@dataclass(frozen=True)
class Comparison:
    """What an NF's call path files say, and how that fits its source."""

    folder: str
    recorded: Recorded
    alignment: Alignment | None  # None: there is no source to compare with, or files are missing
    findings: tuple[Finding, ...]
    agrees: bool  # the report may rest on the files
    summary: str  # one clause for people
    analysis: Analysis | None = None  # of the files alone, when they agree with the source
    source: Source | None = None
    execution: Execution | None = None  # that of the source, or with Vigor's models, which the alignment is with

    @property
    def any_contents(self) -> bool:
        """Whether the source had to be executed with any contents of objects that no packet writes, as Vigor's proofs do."""
        return self.execution is not None and self.source is not None and self.execution is not self.source.execution

    def file_of(self, path: CallPath) -> str:
        """The file that a path of the files stands in."""
        return self.recorded.path_files[path.number].path


@dataclass(frozen=True)
class Source:
    """What a check knows of an NF's source."""

    program: Program
    catalogue: Catalogue
    execution: Execution
    analysis: Analysis
    devices: int
    options: Options
    with_any_contents: Callable[
        [], Execution
    ]  # the execution in which no object keeps what start-up stored, as in Vigor's proofs


def read(folder: str, catalogue: Catalogue, sites: Sites | None = None) -> Recorded:
    """The files of a folder, as an execution. Never raises on their contents."""
    texts, rejected = read_directory(folder)
    return load(texts, catalogue, rejected, sites)


def compare(folder: str, source: Source) -> Comparison:
    """Hold files to the source. Expressions of the source's execution must be the latest analysis's."""
    recorded = read(folder, source.catalogue)
    wrong = invalid(recorded)
    if not recorded.execution.paths and not wrong:
        wrong = [Finding("call-paths-invalid", "no file here describes a packet", Span(_first(recorded, folder), 0, 0))]
    if wrong:
        why = f"{_files(recorded)} in {os.path.relpath(folder)}, of which some cannot be used"
        return Comparison(folder, recorded, None, tuple(wrong), False, why)
    execution = source.execution
    alignment = align(recorded, execution.paths, execution.objects, source.devices)
    plain = sorted({a.object.name for a in source.analysis.accesses if a.plain is not None})
    if plain:
        message = f"call paths do not record plain C state ({', '.join(plain)}), on which this NF's packets depend; the analysis rests on the source"
        where = f"{_files(recorded)} in {os.path.relpath(folder)}, which cannot say all that the source does"
        entry = execution.entry or Span(folder, 0, 0)
        found = Finding("call-paths-stale", message, entry)
        return Comparison(folder, recorded, alignment, (found,), False, where, None, source, execution)
    if alignment.only_files and execution.engine is not None and execution.engine.frozen:
        other = source.with_any_contents()
        second = align(recorded, other.paths, other.objects, source.devices)
        if len(second.only_files) < len(alignment.only_files):
            alignment, execution = second, other
    where = f"{_files(recorded)} in {os.path.relpath(folder)}"
    if not alignment.agrees:
        findings = (
            _of_another_nf(recorded, source, execution, alignment)
            or _Stale(source, execution, recorded, alignment).findings()
        )
        why = f"{where}, which say something else than the source"
        return Comparison(folder, recorded, alignment, tuple(findings), False, why, None, source, execution)
    mine = analyse(recorded.execution, source.devices, source.options)
    different = _different(source.analysis, mine)
    if different:
        entry = source.execution.entry or Span(folder, 0, 0)
        message = f"{where} agree with the source path by path, but {different}; the analysis rests on the source"
        finding = Finding("call-paths-stale", message, entry)
        return Comparison(folder, recorded, alignment, (finding,), False, f"{where}, which say less than the source", None, source,
                          execution)  # fmt: skip
    return Comparison(
        folder, recorded, alignment, (), True, f"{where}, which agree with the source", mine, source, execution
    )


def invalid(recorded: Recorded) -> list[Finding]:
    """Findings about files that cannot be used, each at its place."""
    out = [Finding("call-paths-invalid", r.message, Span(r.path, r.offset, r.offset)) for r in recorded.rejected]
    out += [
        Finding("call-paths-invalid", t.message, t.span)
        for t in recorded.execution.troubles
        if t.code == "missing-function"
    ]
    if len(out) > MAX_INVALID:
        more = f"{len(out) - MAX_INVALID + 1} more files or calls cannot be used either"
        out[MAX_INVALID - 1 :] = [replace(out[MAX_INVALID - 1], message=f"{out[MAX_INVALID - 1].message} ({more})")]
    return out


def _first(recorded: Recorded, folder: str) -> str:
    return recorded.files[0].path if recorded.files else folder


def _files(recorded: Recorded) -> str:
    n = len(recorded.files) + len(recorded.rejected)
    return "1 file" if n == 1 else f"{n} files"


def _different(source: Analysis, files: Analysis) -> str:
    """In what two analyses differ; empty when they say the same."""
    if source.verdict != files.verdict:
        return f"the verdict of the files alone is {files.verdict}, that of the source {source.verdict}"
    for a, b in zip(source.rows, files.rows, strict=True):
        if a.constraint != b.constraint or a.exact != b.exact:
            i, j = a.devices
            return f"by the files alone packets of devices {i} and {j} must meet if {b}, by the source if {a}"
    return ""


def _of_another_nf(recorded: Recorded, source: Source, execution: Execution, alignment: Alignment) -> list[Finding]:
    """A finding when the files have nothing to do with this NF: no path that uses state is one of the source (no path at all, if none
    uses any), and their objects are of other kinds or have key functions that the source does not have."""
    stateful = {p.number for p in recorded.execution.paths if any(c.touches and c.op != "expire" for c in p.calls)}
    mine = Counter(o.kind for o in recorded.execution.objects.values())
    theirs = Counter(o.kind for o in execution.objects.values() if o.kind not in ("global", "heap"))
    functions = {
        str(f) for o in recorded.execution.objects.values() if isinstance(f := o.info.detail.get("equality"), str)
    }
    foreign = sorted(f for f in functions if source.program.function(f) is None)
    telling = stateful or {p.number for p in recorded.execution.paths}
    if (mine == theirs and not foreign) or not telling.isdisjoint(alignment.partners):
        return []
    d = next((d for d in alignment.only_files if d.path.number in telling), None)
    if d is None:
        return []
    calls = d.path.calls
    span = calls[min(d.call or 0, len(calls) - 1)].span if calls else Span(_first(recorded, ""), 0, 0)
    kinds = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in sorted(mine.items()))
    objects = (
        f"{foreign[0]} is no function of the source"
        if foreign
        else f"their objects ({kinds or 'none'}) are not the source's"
    )
    message = (
        f"these files are of another NF: none of their paths{' that use state' if stateful else ''} is one of the source, and {objects}; here "
        f"{d.text(show, show, 'in the file', 'in the source')}"
    )
    return [Finding("call-paths-invalid", message, span)]


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that only one side has, in words."""

    side: str  # "files" or "source": which has it
    path: int  # its number there
    nearest: int | None  # the number of the nearest path of the other side
    call: int | None  # the call that differs, from 0
    subject: str
    text: str  # the first difference
    span: Span  # in the source


def differences(comparison: Comparison) -> list[Difference]:
    """What only one side has, with the first difference to the nearest path of the other."""
    c = comparison
    if c.source is None or c.execution is None or c.alignment is None:
        return []
    words = _Stale(c.source, c.execution, c.recorded, c.alignment)
    out = []
    for d in (*c.alignment.only_files, *c.alignment.only_source):
        is_recorded = words.is_recorded(d)
        side = "files" if is_recorded else "source"
        subject = Path(c.file_of(d.path)).name if is_recorded else f"path {d.path.number} of the source"
        nearest = d.nearest.number if d.nearest is not None else None
        out.append(Difference(side, d.path.number, nearest, d.call, subject, words.first_difference(d), words.place(d)))
    return out


class _Stale:
    """Findings for the differences of files and source, where the source differs, equal ones together."""

    def __init__(self, source: Source, execution: Execution, recorded: Recorded, alignment: Alignment) -> None:
        self.source = source
        self.execution = execution
        self.recorded = recorded
        self.alignment = alignment
        named = {s: execution.objects[t].name for s, t in alignment.objects.items() if t in execution.objects}
        self.objects = {i: replace(o, name=named.get(i, o.name)) for i, o in recorded.execution.objects.items()}

    def findings(self) -> list[Finding]:
        found: dict[tuple[Span, str], list[Lacking]] = {}
        told = {
            d.nearest.number
            for d in self.alignment.only_files
            if d.nearest is not None and d.found.what not in ("calls", "result")
        }
        for d in (*self.alignment.only_files, *self.alignment.only_source):
            if not self.is_recorded(d) and d.path.number in told:
                continue  # the same difference, seen from the other side
            found.setdefault((self.place(d), self.first_difference(d)), []).append(d)
        ordered = sorted(found.items(), key=lambda item: item[0])
        out = [self.finding(span, text, ds) for (span, text), ds in ordered[:MAX_STALE]]
        if len(ordered) > MAX_STALE:
            rest = len(ordered) - MAX_STALE
            out[-1] = replace(out[-1], message=f"{out[-1].message} ({rest} more differences elsewhere)")
        return out

    def finding(self, span: Span, text: str, differences: Sequence[Lacking]) -> Finding:
        recorded = [d.path for d in differences if self.is_recorded(d)]
        executed = [d.path for d in differences if not self.is_recorded(d)]
        subject = []
        if recorded:
            name = Path(self.recorded.path_files[recorded[0].number].path).name
            more = f" and {len(recorded) - 1} more" if len(recorded) > 1 else ""
            subject.append(f"{name}{more} (device {recorded[0].device})")
        if executed:
            more = f" and {len(executed) - 1} more" if len(executed) > 1 else ""
            subject.append(f"path {executed[0].number}{more} of the source (device {executed[0].device})")
        verb = "have" if len(differences) > 1 else "has"
        other = "on the other side" if recorded and executed else "in the source" if recorded else "in any file"
        function = self.function_at(span)
        inside = f" in {function}" if function else ""
        message = f"{' and '.join(subject)} {verb} no equal {other}:{inside} {text}; the analysis rests on the source"
        related = tuple(
            Related(self.recorded_place(d), "the call in the file") for d in differences if self.is_recorded(d)
        )[:1]
        return Finding("call-paths-stale", message, span, related)

    def is_recorded(self, d: Lacking) -> bool:
        return any(d is x for x in self.alignment.only_files)

    def first_difference(self, d: Lacking) -> str:
        mine = self.printer(d.path, self.is_recorded(d))
        theirs = self.printer(d.nearest, not self.is_recorded(d)) if d.nearest is not None else mine
        here, there = ("in the file", "in the source") if self.is_recorded(d) else ("in the source", "in the files")
        return d.text(mine, theirs, here, there)

    def printer(self, path: CallPath, is_recorded: bool) -> Callable[[object], str]:
        objects: Mapping[int, Object] = self.objects if is_recorded else self.execution.objects
        printer = Printer(objects, path)

        def text(v: object) -> str:
            if isinstance(v, tuple) and all(isinstance(p, Part) for p in v):
                return printer.key(v)
            if isinstance(v, tuple) and all(isinstance(w, PacketWrite) for w in v):
                return ", ".join(
                    f"{name} {'unchanged' if value == name else f'= {value}'}" for name, value in printer.writes(v)
                )
            if isinstance(v, Expr) and str(next(iter(X.leaves(v))).args[0]).startswith("found#"):
                return show_result(path, v)
            return printer(v) if isinstance(v, (int, Expr)) else str(v)

        return text

    def place(self, d: Lacking) -> Span:
        """Where the source differs: its call, its decision, else the call before, else its entry."""
        q = d.nearest if self.is_recorded(d) else d.path
        entry = self.execution.entry or Span("", 0, 0)
        if q is None:
            return entry
        if d.call is not None and q.calls:
            return q.calls[min(d.call, len(q.calls) - 1)].span
        if d.found.what in ("writes", "outcome") and self.execution.last_step is not None:
            theirs = d.found.there if self.is_recorded(d) else d.found.here
            writes = theirs if d.found.what == "writes" and isinstance(theirs, tuple) else ()
            byte = next(((w.array, w.offset) for w in writes if w.value is not X.byte(w.array, w.offset)), None)
            return self.execution.last_step(q, byte) or self.execution.last_step(q, None) or entry
        theirs = d.found.there if self.is_recorded(d) else d.found.here
        for c in q.conditions:
            if isinstance(theirs, Expr) and (c.expr is theirs or theirs in X.conjuncts(c.expr)):
                return c.span
        if isinstance(theirs, Expr) and d.found.what == "condition":
            leaf = next(iter(X.leaves(theirs)))
            name, _, number = str(leaf.args[0]).partition("#")
            if name == "found" and number.isdecimal() and int(number) < len(q.calls):
                return q.calls[int(number)].span
        decisions = [c.span for c in q.conditions if not c.assumed]
        return decisions[-1] if decisions and d.found.what == "condition" else entry

    def recorded_place(self, d: Lacking) -> Span:
        calls = d.path.calls
        if d.call is not None and calls:
            return calls[min(d.call, len(calls) - 1)].span
        return Span(self.recorded.path_files[d.path.number].path, 0, 0)

    def function_at(self, span: Span) -> str:
        """The function of the source that a place is in."""
        for u in self.source.program.units:
            for f in u.functions.values():
                s = u.span(f.node)
                if s.file == span.file and s.start <= span.start < s.end:
                    return f.name
        return ""


def show_result(path: CallPath, e: Expr) -> str:
    """A decision on how a call ended."""
    leaf = next(iter(X.leaves(e)))
    c = path.calls[int(str(leaf.args[0]).partition("#")[2])]
    return f"{c.function} {'fails' if e.op == 'not' else 'succeeds'}"


def stand_in(
    folder: str,
    catalogue: Catalogue,
    execution: Execution,
    analysis: Analysis,
    program: Program,
    texts: Sequence[tuple[str, str]],
    devices: int,
) -> Comparison:
    """Whether files may stand for a source that cannot be executed because parts of it are missing. What there is of it, `texts` as
    (path, text), must not contradict them."""
    sites = Sites.of(texts, catalogue)
    recorded = read(folder, catalogue, sites)
    where = f"{_files(recorded)} in {os.path.relpath(folder)}"
    reasons = [f for f in analysis.findings if f.code in INCOMPLETE]
    wrong = invalid(recorded)
    if wrong or not recorded.execution.paths:
        return Comparison(folder, recorded, None, tuple(wrong), False, f"{where}, of which some cannot be used")
    functions, all_here = _reached(program, catalogue)
    if any(f.code != "missing-function" for f in reasons) or any(f.node.has_error for f in functions):
        return Comparison(
            folder, recorded, None, (), False, f"{where}, not compared with a source that is not analysed"
        )
    alignment = align(recorded, execution.paths, execution.objects, devices)
    calls = [(c.function, c.line) for records in recorded.records for c, spec in records if spec.op not in SILENT]
    contradiction = sites.contradiction(calls, all_here)
    if contradiction is not None:
        where_to = contradiction[1] if contradiction[1].file else execution.entry or Span(folder, 0, 0)
        finding = Finding("call-paths-stale", f"{contradiction[0]}, so the files are of another version", where_to)
        return Comparison(folder, recorded, alignment, (finding,), False, f"{where}, which are of another version")
    missing = _missing(folder, recorded, max(devices, recorded.devices))
    if missing:
        return Comparison(folder, recorded, alignment, tuple(missing), False, f"{where}, which are not all there are")
    why = f"{where} alone, because the source cannot be executed: {reasons[0].message}" if reasons else f"{where} alone"
    return Comparison(folder, recorded, alignment, (), True, why)


def _reached(program: Program, catalogue: Catalogue) -> tuple[list[FunctionDef], bool]:
    """The functions that packets may reach, and whether they are all: no other is called that no source defines."""
    found: list[FunctionDef] = []
    all_here = True
    todo: list[tuple[str, Unit | None]] = [("nf_process", None)]
    seen = {"nf_process"}
    while todo:
        f = program.function(*todo.pop())
        if f is None:
            all_here = False
            continue
        found.append(f)
        for name in _CALLED.findall(f.unit.node_text(f.node)):
            known = (
                name in _KEYWORDS
                or name in catalogue.calls
                or name in LIBC
                or name.startswith("__builtin_")
                or catalogue.is_ignored(name)
            )
            if name not in seen and not known:
                seen.add(name)
                todo.append((name, f.unit))
    return found, all_here


def alone(folder: str, catalogue: Catalogue, devices: int) -> Comparison:
    """The files of an NF that has no source. When some are missing, their execution is incomplete."""
    X.forget()
    recorded = read(folder, catalogue)
    wrong = invalid(recorded) or _missing(folder, recorded, max(devices, recorded.devices))
    if wrong and recorded.execution.complete:
        troubles = tuple(Trouble(f.code, f.message, f.span) for f in wrong)
        recorded = replace(recorded, execution=replace(recorded.execution, troubles=troubles))
    return Comparison(
        folder, recorded, None, tuple(wrong), True, f"{_files(recorded)} in {os.path.relpath(folder)} alone"
    )


def _missing(folder: str, recorded: Recorded, devices: int) -> list[Finding]:
    """A finding when packets take none of the paths, so that files are missing."""
    g = gap(recorded.execution.paths, devices)
    if g is None:
        return []
    if g.nearest is None or g.decision is None:
        what = "some packets" if any(p.device == g.device for p in recorded.execution.paths) else "packets"
        return [
            Finding(
                "call-paths-invalid",
                f"no file describes what happens to {what} on device {g.device}",
                Span(_first(recorded, folder), 0, 0),
            )
        ]
    file = recorded.path_files[g.nearest.number]
    call = answered(g.decision)
    decision = (
        show_result(g.nearest, g.decision)
        if call is not None
        else Printer(recorded.execution.objects, g.nearest)(g.decision)
    )
    name = Path(file.path).name
    span = g.nearest.calls[call].span if call is not None else Span(file.path, 0, 0)
    message = f"a file is missing: none describes packets on device {g.device} like those of {name} for which it is not so that {decision}"
    return [Finding("call-paths-invalid", message, span)]


def taken_for_granted(analysis: Analysis, devices: int, why: str) -> Analysis:
    """An analysis of files alone, with what it cannot see among what it assumes."""
    unseen = "files show neither state in plain C variables, which is taken not to exist, nor what key functions compare, taken to be all"
    more = Assumption("call-paths", tuple(range(devices)), f"{unseen} fields{why}")
    return replace(analysis, assumes=(*analysis.assumes, more))
