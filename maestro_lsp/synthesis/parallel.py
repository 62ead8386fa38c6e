"""Writing the parallel program of an NF: one C file, source to source.

Takes a report and a strategy; gives the text of the file: what the NF's entry points reach, in the user's own words, with the few
changes that the strategy needs, the RSS configuration as data, and the runtime around it. Nothing is regenerated from call paths:
names, conditions, loops and byte order are the user's by construction, and `verify` executes the result to prove it equal.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from .. import __version__, workspace
from ..libvig.catalogue import Catalogue
from ..rss.configure import Configuration
from ..sharding.analysis import Analysis
from ..source.nodes import declared_name
from ..source.program import Program
from ..source.text import Span
from ..symbex.run import Execution
from ..workspace import NfSources
from . import clashes
from .allocator import Allocation, allocation
from .amalgamation import Amalgamation, amalgamate
from .capacity import Undivided, calls_of, divide
from .chains import LIVE, OWN, SHARED, Chains, replace_chains
from .definitions import Definition, Place
from .excerpt import Edit, excerpt, head_comment
from .rss_data import NoPlace, requirement, rss_data
from .runtime_part import RuntimePart, by_name, macros_of
from .sections import Sections, Unguarded, sections, written_variables
from .variables import Callers, Static, changed, globals_of, statics

STRATEGIES = ("shared-nothing", "locks", "tm", "sequential")
"""In the order in which they are worth trying."""

# What the runtime gives to the NF part, and the project's own versions of which are left out
_PROVIDED = frozenset(
    (
        "chunks_borrowed",
        "chunks_borrowed_num",
        "MAX_N_CHUNKS",
        "nf_borrow_next_chunk",
        "nf_return_chunk",
        "nf_return_all_chunks",
    )
)
_ENTRIES = ("nf_config_init", "nf_config_print", "nf_init", "nf_process")
_CONTAINERS = frozenset(("map.h", "vector.h", "double-chain.h", "double-map.h", "expirator.h", "boilerplate-util.h"))
_FEATURES = ("_GNU_SOURCE", "_DEFAULT_SOURCE", "_POSIX_C_SOURCE", "_XOPEN_SOURCE", "_BSD_SOURCE")


# What the main loop calls and an NF need not have
_NOTHING_TO_DO = {
    "nf_config_init": "static void nf_config_init(int argc, char **argv) { (void)argc; (void)argv; }",
    "nf_init": "static bool nf_init(void) { return true; }",
}


FORMS = {"": "", "balanced": ", balanced at run time", "rss-allocator": ", indices by RSS"}
"""Forms of shared-nothing, and what a program's line with the strategy says of them: tables that are balanced at run time; an allocator
that gives a core only indices whose packets come back to it (thesis's NAT)."""


class Refused(ValueError):
    """A strategy that does not apply; one line that says why and what to do."""


class Analysed(Protocol):
    """What is needed of a report."""

    @property
    def nf(self) -> NfSources: ...
    @property
    def devices(self) -> int: ...
    @property
    def analysis(self) -> Analysis: ...
    @property
    def execution(self) -> Execution: ...
    @property
    def read(self) -> Callable[[str], str | None]: ...


@dataclass(frozen=True)
class Parallel:
    """A generated program.

    file_name  to keep it under, beside the NF
    notes      what a person should know about it
    requires       one line for each row of the matrix that it implements
    configuration  the RSS keys and options in it
    """

    strategy: str
    text: str
    file_name: str
    _build: str
    _run: str
    notes: tuple[str, ...]
    requires: tuple[str, ...]
    configuration: Configuration | None

    def build(self, file: str = "") -> str:
        """A shell command that builds it, to be run in the NF's folder; `file` is where it lies, from there."""
        return _filled(self._build, file or self.file_name)

    def run(self, file: str = "") -> str:
        """A shell command that runs what `build` builds."""
        return _filled(self._run, file or self.file_name)


def applicable(report: Analysed) -> dict[str, str | None]:
    """For each strategy None, or why it does not apply."""
    return {s: _why_not(report, s) for s in STRATEGIES}


def parallelize(report: Analysed, strategy: str, form: str = "") -> Parallel:
    """The program of an NF by a strategy, in one of its FORMS.

    Raises:
        Refused: when the strategy does not apply, or the sources cannot be put into one file.
    """
    if strategy not in STRATEGIES:
        raise Refused(f"there is no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
    if form not in FORMS:
        raise Refused(f"there is no form {form!r}; there are {', '.join(filter(None, FORMS))}")
    if form and strategy != "shared-nothing":
        raise Refused(
            f"{form} is a form of shared-nothing; {strategy} needs no packet to be on one core rather than another"
        )
    why = None if form == "rss-allocator" and _is_known(report) else _why_not(report, strategy)
    if why is None and form == "balanced":
        why = _why_unbalanced(report)
    if why is not None:
        raise Refused(why)
    try:
        return _Writer(report, strategy, form).write()
    except (clashes.Clash, NoPlace, Undivided, Unguarded) as e:
        raise Refused(str(e)) from None


def _why_not(report: Analysed, strategy: str) -> str | None:
    analysis = report.analysis
    if not report.nf.entry_file:
        return "of this NF there are call path files alone; a parallel program is the NF's own source, changed"
    if strategy == "sequential":
        return None
    if analysis.verdict == "unknown":
        troubles = {t.code for t in report.execution.troubles}
        warnings = [f for f in analysis.findings if f.severity == "warning"]
        found = next((f for f in warnings if f.code in troubles), next(iter(warnings), None))
        return "the NF is not known well enough to change it" + (f": {found.message}" if found is not None else "")
    if strategy == "shared-nothing" and analysis.verdict != "shared-nothing":
        found = next((f for f in analysis.findings if f.code in _OBSTACLES), None)
        why = f": {found.message}" if found is not None else ""
        return f"this NF cannot be shared-nothing{why}; locks and tm keep its state in common"
    return None


def _is_known(report: Analysed) -> bool:
    return bool(report.nf.entry_file) and report.analysis.verdict != "unknown"


def _why_unbalanced(report: Analysed) -> str | None:
    """Why a bucket of the indirection table cannot move to another core."""
    analysis = report.analysis
    tables = [t for t in analysis.conflicts.tables.values() if not t.breaches and not t.foreign]
    members = frozenset().union(*(t.members for t in tables))
    other = sorted({a.object.name for a in analysis.accesses if a.write and a.object.id not in members})
    if other:
        return f"{other[0]} is state in no table, so nothing says when a core's part of it is empty and its packets may move"
    if not tables:
        return "the NF keeps nothing in tables that come and go, so there is nothing to balance by"
    if any(c.function in SHARED and c.function not in LIVE for p in report.execution.paths for c in p.calls):
        return "the NF uses calls on dchains that do not count entries by bucket"
    return None


_OBSTACLES = frozenset(
    ("rss-incompatible-field", "dchain-index-from-packet", "dchain-scan", "global-state", "disjoint-sharding")
)


class _Writer:
    """Writes one file."""

    def __init__(self, report: Analysed, strategy: str, form: str) -> None:
        self.report = report
        self.form = form
        self.nf = report.nf
        self.strategy = strategy
        engine = report.execution.engine
        self.catalogue = engine.catalogue if engine is not None else Catalogue.builtin()
        self.program = workspace.load(self.nf, report.read, engine.program if engine is not None else None)
        self.parts: Amalgamation = amalgamate(self.program, self.catalogue, self.nf.files, _ENTRIES, _PROVIDED)
        self.callers = Callers(self.parts)
        self.edits: dict[str, list[Edit]] = {}
        self.notes: list[str] = []
        self.runtime = RuntimePart()
        self.sharing = Sections()
        self.chain_headers: tuple[str, ...] = ()
        self.allocation: Allocation | None = None

    def write(self) -> Parallel:
        clashes.check_prefix(self.parts.pieces)
        clashes.check_macros(self.parts.pieces)
        clashes.check_copies(self.parts.copies)
        self.check_variables_of_files()
        dropped = clashes.repeated(self.parts.pieces)
        self.edit(clashes.renamed(self.parts.pieces))
        if self.strategy == "shared-nothing":
            self.give_each_core_its_state()
            self.divide_tables()
            if self.form == "balanced":
                self.replace_chains(LIVE)
            elif self.form == "rss-allocator":
                self.give_out_indices()
        elif self.strategy in ("locks", "tm"):
            self.share_state()
        body = self.body(dropped)
        if self.allocation is not None:
            field, device = self.allocation.field, self.allocation.device
            self.notes.append(f"packets on device {device} meet by {field} alone, which carries the index")
        requires = tuple(
            f"devices {r.devices[0]}, {r.devices[1]}: {requirement(r)}"
            for r in self.report.analysis.rows
            if r.constraint
        )
        name = f"{self.nf.name}-{self.strategy}.c"
        text = "\n\n".join(part.strip("\n") for part in [self.title(name), *body]) + "\n"
        return Parallel(
            self.strategy, text, name, self.build(), self.run(), tuple(self.notes), requires, self.configuration()
        )

    def check_variables_of_files(self) -> None:
        """See that no file has a variable of its own from a header that others include, too: here they would be one."""
        functions = [p for p in self.parts.pieces if p.kind == "function"]
        places = changed(self.parts, functions)
        for place, (piece, *_) in sorted(self.parts.copies.items()):
            its = statics([piece]) if piece.kind == "function" and piece.static else ()
            name = its[0].name if its else sorted(n for _, n in piece.names)[0]
            if its or (piece.kind == "variable" and piece.static and place in places):
                raise Refused(
                    f"{name} ({piece.line(piece.start)}) is a variable for each file that includes it, and in one file it would be one "
                    "for all: define it in one of the files"
                )

    def edit(self, more: Mapping[str, list[Edit]]) -> None:
        for path, edits in more.items():
            self.edits.setdefault(path, []).extend(edits)

    # ------------------------------------------------------------------------------------------------------- changes

    def give_each_core_its_state(self) -> None:
        """Variables that start-up or packets change become each core's own."""
        running = self.callers.reached("nf_init", "nf_process")
        variables = globals_of(self.parts)
        written = written_variables(self.report.execution)  # by way of pointers, too
        places = changed(self.parts, running)
        own = [v for p, v in variables.items() if p in places or any(_holds(v.place, span) for span in written)]
        own += statics(running)
        configured = changed(self.parts, self.callers.reached("nf_config_init"))
        for variable in own:
            if not variable.local and variable.piece.place in configured:
                raise Refused(
                    f"{variable.name} is set by nf_config_init and changed later, so a core of its own would not see what was "
                    "configured: keep what changes apart from the configuration"
                )
        self.make_per_core(own)

    def make_per_core(self, variables: list[Static]) -> None:
        """Write MAESTRO_PER_CORE into declarations, those elsewhere of the same names too."""
        pointing = self.callers.initialised_by(variables)
        if pointing is not None:
            raise Refused(
                f"at {pointing[0].piece.line(pointing[0].place.start)} {pointing[0].name} begins as an address of {pointing[1]}, and each "
                "core needs one of its own: assign it in nf_init"
            )
        names = {("name", v.name) for v in variables if not v.local}
        nodes = [(v.piece, v.node) for v in variables]
        nodes += [
            (p, p.node) for p in self.parts.pieces if p.kind == "extern" and p.names & names and p.node is not None
        ]
        edits: dict[str, list[Edit]] = {}
        for piece, node in nodes:
            if not piece.is_written(node):
                name = sorted(n for _, n in piece.names)[0]
                raise Refused(
                    f"each core needs {name} ({piece.line(piece.start)}) for itself, and a macro declares it: declare it without"
                )
            storage = next((c for c in node.children if c.type == "storage_class_specifier"), None)
            at = storage.end_byte if storage is not None else node.start_byte
            span = piece.unit.range_span(at, at) if storage is None else piece.unit.range_span(storage.start_byte, at)
            word = "MAESTRO_PER_CORE "
            edit = (span.start, span.start, word) if storage is None else (span.end, span.end, " " + word.rstrip())
            edits.setdefault(span.file, []).append(edit)
        self.edit({path: sorted(set(found)) for path, found in edits.items()})

    def divide_tables(self) -> None:
        """Allocations of tables get a core's share of the capacity."""
        start = self.callers.reached("nf_init")
        division = divide(self.report.analysis, self.report.execution.objects, start, self.catalogue)
        self.edit(division.edits)
        if division.divided:
            self.notes.append(f"divided between the cores: {', '.join(division.divided)}")
        self.notes += [f"{name} keeps its size on each core: {why}" for name, why in division.kept]

    def replace_chains(self, chains: Chains) -> None:
        edits, self.chain_headers = replace_chains(self.parts.pieces, chains)
        self.edit(edits)

    def give_out_indices(self) -> None:
        """The dchain gives each core only indices whose packets come back to it."""
        self.allocation = allocation(self.report, self.program)
        self.replace_chains(OWN)
        for piece, call in calls_of(self.callers.reached("nf_init"), "dchain_allocate"):
            arguments = call.child_by_field_name("arguments")
            assert arguments is not None
            span = piece.unit.range_span(arguments.start_byte, arguments.end_byte)
            self.edit({span.file: [(span.end - 1, span.end - 1, ", maestro_core_of_index")]})
        self.notes.append(
            f"{self.report.execution.objects[self.allocation.chain].name}: each core gives out indices whose packets come back to it"
        )

    def share_state(self) -> None:
        """Packets announce that they write; dchains become the runtime's."""
        running = self.callers.reached("nf_process")
        self.sharing = sections(self.parts.pieces, running, self.report.execution, self.report.analysis)
        self.edit(self.sharing.edits)
        self.chain_headers = self.sharing.headers
        variables = [*globals_of(self.parts).values(), *statics(running)]
        scratch = [v for v in variables if any(_holds(v.place, span) for span in self.sharing.per_core)]
        for v in scratch:
            names = {n for d in v.node.children_by_field_name("declarator") if (n := declared_name(d)) is not None}
            if len(names) > sum(_holds(v.place, span) for span in self.sharing.per_core):
                raise Refused(
                    f"of {' and '.join(sorted(names))} ({v.piece.line(v.place.start)}), which are declared together, each core needs one "
                    "for itself, and others are for all: declare them apart"
                )
        if len(scratch) < len(self.sharing.per_core):
            raise Refused("a variable that every packet writes anew is not found in the program's text")
        self.make_per_core(scratch)
        for device in self.sharing.writers:
            self.notes.append(
                f"every packet from device {device} that is kept writes state, so {self.strategy} gain little for it"
            )

    # ---------------------------------------------------------------------------------------------------------- text

    def title(self, name: str) -> str:
        what = {
            "sequential": "on one core",
            "shared-nothing": "on many cores, each with state of its own: RSS brings together the packets that must meet",
            "locks": "on many cores that share its state: packets that only read it run side by side",
            "tm": "on many cores that share its state, by hardware transactions with a lock to fall back on",
        }[self.strategy]
        lines = [
            f"Generated by maestro-lsp {__version__} from {self.nf.name}: the NF {what}.",
            "The NF's own text is kept as it was; what is new carries the prefix maestro_.",
            "",
            f"Strategy: {self.strategy}{FORMS[self.form]}",
            f"Build: {_filled(self.build(), name)}",
            f"Run:   {_filled(self.run(), name)}",
        ]
        if "$LIBVIG" in self.build():
            lines.append("       LIBVIG is the folder in which libvig/verified lies, with the containers' sources.")
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(f"// {line}".rstrip() for line in lines) + "\n"

    def body(self, dropped: set[Place]) -> list[str]:
        words = frozenset().union(*(p.words for p in self.parts.pieces))
        stem = self.strategy.replace("-", "_")
        pieces = [f"maestro/nf_{stem}.h"]
        if words & {"chunks_borrowed", "chunks_borrowed_num", "nf_return_chunk"}:
            pieces.append("maestro/chunks.h")
        else:
            pieces.append("maestro/borrow.h")
        features = [
            f"#define {name} {macro.text}".rstrip()
            for name in _FEATURES
            for macro in dict.fromkeys(u.pre.macros[name] for u in self.program.units if name in u.pre.macros)
            if macro.where is not None
        ]
        out = [
            *features[:1],
            self.runtime.block("DPDK, and what the NF may call", "maestro/dpdk.h", *pieces, "maestro/quiet.h"),
        ]
        out.append(self.includes())
        if self.chain_headers:
            out.append(self.runtime.block("dchains", *self.chain_headers))
        if self.allocation is not None:
            out.append("static unsigned maestro_core_of_index(int index);")
        own = self.nf_part(dropped)
        head, out = out, [self.conventions()]
        configuration = self.configuration()
        if self.allocation is not None:
            out.append(self.allocation.core_of)
        if self.strategy != "sequential":
            if configuration is None:
                raise Refused("there is no RSS configuration for this NF: see the findings of `maestro-lsp check`")
            data = rss_data(
                configuration, self.report.analysis.rows, self.allocation, self.strategy != "shared-nothing"
            )
            out.append(f"{_ruler('RSS')}\n{data}")
        main = "maestro/main_balanced.h" if self.form == "balanced" else f"maestro/main_{stem}.h"
        out.append(self.runtime.block("ports, main loop", main))
        foreign = sorted(macros_of(own) & set(re.findall(r"[A-Za-z_]\w*", out[-1])))
        return [*head, "\n".join([own, _LOUD, *(f"#undef {name}" for name in foreign)]), *out]

    def configuration(self) -> Configuration | None:
        """RSS keys and options."""
        return self.allocation.configuration if self.allocation is not None else self.report.analysis.configuration

    def includes(self) -> str:
        mine = dict.fromkeys(self.canonical(operand) for operand in self.parts.includes)
        angled = sorted(i for i in mine if i.startswith("<") and i not in self.runtime.included)
        quoted = sorted(i for i in mine if i.startswith('"'))
        self.runtime.included.update(angled)
        return "\n".join(["", *(f"#include {i}" for i in angled), "", *(f"#include {i}" for i in quoted)]) + "\n"

    def canonical(self, operand: str) -> str:
        """An include by the way that the build's search folders find it, whoever includes it."""
        name = operand.strip('"')
        if not operand.startswith('"') or not name.startswith(("../", "./")):
            return operand
        base = posixpath.normpath(posixpath.join(self.nf.root, name))
        for folder in self.nf.search:
            for tail in (posixpath.join("libvig", name.lstrip("./")), name.lstrip("./")):
                if self.report.read(posixpath.join(folder, tail)) is not None:
                    return f'"{tail}"'
        return f'"{posixpath.relpath(base, self.nf.root)}"'

    def nf_part(self, dropped: set[Place]) -> str:
        out = [_ruler(f"{self.nf.name}: its own text, of the files named")]
        last: Definition | None = None
        for piece in self.parts.pieces:
            made_with = last is not None and (last.file, last.start) == (piece.file, piece.start)
            if piece.place in dropped or made_with:
                continue
            lines = [f"#undef {name}" for name in self.parts.undefined.get(piece.place, ())]
            text = excerpt(piece, self.edits.get(piece.file, ()))
            if piece.packing:
                text = f"#pragma pack(push, {piece.packing})\n{text}\n#pragma pack(pop)"
            lines.append(by_name(text) if self.is_known(piece) else text)
            if last is None or piece.file != last.file:
                out += [
                    *([""] if last is not None else []),
                    self.file_title(piece),
                    *([""] if len(lines[-1].splitlines()) > 1 else []),
                ]
            elif "\n" in lines[-1] or "\n" in out[-1] or last.kind != piece.kind:
                out.append("")
            out += lines
            last = piece
        return "\n".join(out) + "\n"

    def is_known(self, piece: Definition) -> bool:
        """Whether analyses know a function by its name."""
        functions = piece.unit.functions if piece.kind == "function" else {}
        return any(self.catalogue.find(n, len(functions[n].params)) for _, n in piece.names if n in functions)

    def file_title(self, piece: Definition) -> str:
        lines = [f"// {posixpath.relpath(piece.file, self.nf.root)}"]
        if piece.start == min(p.start for p in self.parts.pieces if p.file == piece.file):
            head = head_comment(piece.unit.pre.scans[piece.file])
            if head and not excerpt(piece).startswith(head):
                lines += [head] if head.startswith("//") else ["//", head]
        return "\n".join(lines)

    def conventions(self) -> str:
        """What the project means by the number that nf_process returns."""
        drop, flood = workspace.conventions(self.program)
        drops = "(output) == (device)" if drop is None else f"(output) == {drop:#x}"
        lines = [
            _ruler("What nf_process returns, and on how many devices"),
            f"#define MAESTRO_DROPS(output, device) ({drops})",
            f"#define MAESTRO_FLOODS(output, device) ((output) == {flood:#x})",
            f"#define MAESTRO_NF_DEVICES {self.report.devices}",
        ]
        functions = {n: p for p in self.parts.pieces if p.kind == "function" for _, n in p.names}
        if "nf_config_print" in functions:
            lines.append("#define MAESTRO_NF_CONFIG_PRINT nf_config_print")
        lines += [text for name, text in _NOTHING_TO_DO.items() if name not in functions]
        if "nf_process" not in functions:
            raise Refused(
                "nf_process is not there once its errors are left out: correct what `maestro-lsp check` finds first"
            )
        if len(functions["nf_process"].unit.functions["nf_process"].params) == 5:
            lines.append("#define MAESTRO_NF_TAKES_MBUF 1")
        if self.sharing.restore:
            lines.append(
                f"#define MAESTRO_RESTORE_BYTES {self.sharing.restore} // changed before state is written, on some path"
            )
        writing = sum(1 << device for device in self.sharing.writers if device < 64)
        if writing and self.strategy == "locks":
            lines.append(
                f"#define MAESTRO_WRITING_DEVICES {writing:#x} // bit i: every packet that device i keeps writes state"
            )
        return "\n".join(lines) + "\n"

    def build(self) -> str:
        """The command that builds the file in the NF's folder, with the libVig that its sources include; {file} and {program}
        stand for what they say."""
        libvig = libvig_folder(self.program, self.report.read)
        if libvig is not None:
            sources = shlex.quote(posixpath.relpath(libvig, self.nf.root))
            include = shlex.quote(posixpath.relpath(posixpath.dirname(posixpath.dirname(libvig)), self.nf.root))
        else:
            sources, include = '"$LIBVIG"/libvig/verified', '"$LIBVIG"'
        flags = "".join(" " + shlex.quote(f"-D{k}={v}" if v else f"-D{k}") for k, v in sorted(self.nf.defines.items()))
        return (
            f"cc -std=gnu11 -O3{flags} -I{include} $(pkg-config --cflags libdpdk) -o {{program}} {{file}} "
            f"{sources}/*.c $(pkg-config --libs libdpdk)"
        )

    def run(self) -> str:
        """How to start the program."""
        eal = "-l 0" if self.strategy == "sequential" else "-l 0-3"
        balance = " -- --balance 1" if self.form == "balanced" else ""
        return f"{{program}} {eal} -- {shlex.join(self.nf.nf_args or ())}{balance}".rstrip()


def libvig_folder(program: Program, read: Callable[[str], str | None]) -> str | None:
    """The folder with the sources of the containers that a program includes: `libvig/verified`, or what a project calls it."""
    headers = (path for unit in program.units for path in unit.pre.files if posixpath.basename(path) in _CONTAINERS)
    folders = dict.fromkeys(posixpath.dirname(path) for path in headers if not path.startswith("<"))
    return next((f for f in folders if read(posixpath.join(f, "map.c")) is not None), None)


_LOUD = "#pragma GCC diagnostic pop"


def _holds(outer: Span, inner: Span) -> bool:
    return outer.file == inner.file and outer.start <= inner.start and inner.end <= outer.end


def _filled(command: str, file: str) -> str:
    program = posixpath.splitext(file)[0]
    program = program if "/" in program else f"./{program}"
    return command.replace("{file}", shlex.quote(file)).replace("{program}", shlex.quote(program))


def _ruler(what: str) -> str:
    return f"// {'-' * max(4, 116 - len(what))} {what}\n"
