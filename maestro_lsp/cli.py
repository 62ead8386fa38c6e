"""The command line: `maestro-lsp check | paths | parallelize | verify | solve | hash | balance`.

Errors are one line on stderr that says what to do. Exit status of check: 0 every NF is shared-nothing, 1 some NF is not or is
not known to be, 2 nothing could be checked. Heavy modules are imported by the command that needs them.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import __version__
from .arguments import USAGE, Parser, count, named, positive
from .terminal import Progress, colour, drop_output, open_streams, width

if TYPE_CHECKING:
    from .check import Report
    from .settings import Settings
    from .workspace import NfSources

OK, NOT_SHARED = 0, 1
STRATEGIES = ("shared-nothing", "locks", "tm", "sequential")  # of synthesis.parallel, which takes longer to import
_OWN_LIBVIG = str(Path(__file__).parent / "runtime")  # whose containers serve where a project has none


class UsageError(Exception):
    """What the user asked for cannot be done; the message says what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    open_streams()
    args = build_parser(words).parse(words)
    try:
        status = int(args.run(args))
        sys.stdout.flush()  # a full disk is told here, not while Python ends
        return status
    except UsageError as e:
        print(f"maestro-lsp: {e}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("maestro-lsp: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        drop_output()
        return OK
    except OSError as e:
        if os.environ.get("MAESTRO_TRACEBACK"):
            raise
        drop_output()
        print(f"maestro-lsp: {e.filename or 'output or working directory'}: {e.strerror or e}", file=sys.stderr)
        return USAGE
    except Exception as e:
        if os.environ.get("MAESTRO_TRACEBACK"):
            raise
        from .rss.z3_here import why_not

        what = f"error of the program ({type(e).__name__}: {e}".splitlines()[0]
        print(
            f"maestro-lsp: {why_not() or f'{what}); please report it with what MAESTRO_TRACEBACK=1 shows'}",
            file=sys.stderr,
        )
        return USAGE


def build_parser(words: Sequence[str] = ()) -> Parser:
    """The parser of all commands, as far as the given words need it."""
    parser = Parser(
        prog="maestro-lsp",
        description="Which packets of a DPDK network function must meet on one core, and how to make the NIC see to it.",
        epilog="example: maestro-lsp check PATH, where PATH is the folder of your NF",
    )
    parser.add_argument("--version", action="version", version=f"maestro-lsp {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parser.commands = commands.choices
    check = commands.add_parser(
        "check",
        help="analyse NFs: findings, constraint matrix, verdict, RSS configuration",
        epilog="example: maestro-lsp check nfs/firewall --nic e810",
    )
    check.add_argument(
        "paths", nargs="+", metavar="PATH", help="an NF's folder, one of its files, or a tree with several NFs"
    )
    check.add_argument(
        "--format", choices=("text", "json", "sarif"), default="text", help="for people, programs, code scanning"
    )
    _analysis_options(check)
    check.add_argument("--prove", action="store_true", help="prove the keys by means that do not trust the solver")
    check.add_argument("--jobs", type=positive, default=1, metavar="N", help="analyse N NFs at a time")
    check.set_defaults(run=run_check)
    paths = commands.add_parser(
        "paths",
        help="list an NF's call paths",
        epilog="example: maestro-lsp paths nfs/firewall --format dot | dot -Tsvg",
    )
    paths.add_argument("path", metavar="PATH", help="an NF's folder or one of its files")
    paths.add_argument(
        "--format",
        choices=("text", "json", "dot", "lva", "call-path"),
        default="text",
        help="dot: the decision tree; lva: accesses as the thesis lists them; call-path: files as KLEE's",
    )
    paths.add_argument("--out", type=named, metavar="DIR", help="where --format call-path writes its files")
    _analysis_options(paths)
    paths.set_defaults(run=run_paths)
    parallel = commands.add_parser(
        "parallelize",
        help="write the parallel program of an NF, as one C file",
        epilog="example: maestro-lsp parallelize nfs/firewall --strategy shared-nothing",
    )
    parallel.add_argument("path", metavar="PATH", help="an NF's folder or one of its files")
    parallel.add_argument(
        "--strategy",
        required=True,
        choices=STRATEGIES,
        help="state for each core, or one for all under locks or in transactions; or one core",
    )
    parallel.add_argument(
        "--out", type=named, metavar="FILE", help="default: NAME-STRATEGY.c in the NF's folder; - for standard output"
    )
    forms = parallel.add_mutually_exclusive_group()
    forms.add_argument(
        "--balance",
        dest="form",
        action="store_const",
        const="balanced",
        default="",
        help="shared-nothing: let the program balance its tables as it runs",
    )
    forms.add_argument(
        "--allocator",
        dest="form",
        type=_allocator,
        metavar="rss",
        help="shared-nothing: give each core only indices (ports) whose packets come back to it",
    )
    parallel.add_argument("--build", action="store_true", help="compile it against the DPDK that pkg-config finds")
    _analysis_options(parallel)
    parallel.set_defaults(run=run_parallelize)
    verifying = commands.add_parser(
        "verify",
        help="check a generated file against its NF",
        epilog="example: maestro-lsp verify nfs/firewall --against firewall-shared-nothing.c",
    )
    verifying.add_argument("path", metavar="PATH", help="an NF's folder or one of its files")
    verifying.add_argument(
        "--against",
        type=named,
        metavar="FILE",
        help="the generated file; default: all that `parallelize` left in the NF's folder",
    )
    verifying.add_argument(
        "--packets", type=count, metavar="N", help="of each run of both programs side by side; 0: only by symbols"
    )
    verifying.add_argument("--format", choices=("text", "json"), default="text", help="for people, or for programs")
    _analysis_options(verifying)
    verifying.set_defaults(run=run_verify)
    if not words or words[0] not in (
        "check",
        "paths",
        "parallelize",
        "verify",
        "serve",
        "--version",
    ):  # importing these takes longer
        from .rss.commands import add_parsers

        add_parsers(commands)
    serve = commands.add_parser("serve", help="language server for editors, on standard input and output", alone=True)
    serve.add_argument("--tcp", type=_port, metavar="PORT", help="on a port of the loopback interface instead")
    serve.add_argument("--stdio", action="store_true", help="what is done anyway; many editors pass it")
    serve.set_defaults(run=run_serve)
    completion = commands.add_parser(
        "completion",
        help="print a completion script for a shell",
        epilog="example: maestro-lsp completion bash > ~/.local/share/bash-completion/completions/maestro-lsp",
    )
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    completion.set_defaults(run=run_completion)
    return parser


def _analysis_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nic",
        type=named,
        metavar="PROFILE",
        help="x710 (default), generic, 82599, e810, connectx, virtio, software ...",
    )
    parser.add_argument("--devices", type=positive, metavar="N", help="default: the Makefile's NF_DEVICES, else 2")
    parser.add_argument(
        "--set", action="append", default=[], metavar="config.NAME=VALUE", help="a value of the NF's configuration"
    )
    parser.add_argument(
        "--equal", choices=("index", "hash"), help="what must agree: the queue (default) or the whole hash"
    )
    parser.add_argument(
        "--strict", action="store_true", default=None, help="assume no classes of traffic away, allow no deviation"
    )
    parser.add_argument(
        "--assume", metavar="CLASS,...", help="classes of traffic that do not arrive, instead of the default ones"
    )
    parser.add_argument(
        "--call-paths", metavar="DIR", help="KLEE's .call_path files (default: klee-last beside the NF; '' for none)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the keys (default 0)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show hints too")
    parser.add_argument("-q", "--quiet", action="store_true", help="show verdicts only")


def _allocator(text: str) -> str:
    if text != "rss":
        raise argparse.ArgumentTypeError(f"there is one other allocator than the NF's own: rss, not {text!r}")
    return "rss-allocator"


def _port(text: str) -> int:
    n = int(text) if text.isdecimal() and len(text) < 6 else 0
    if not 0 < n < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return n


def run_completion(args: argparse.Namespace) -> int:
    """`maestro-lsp completion SHELL`: a script to be sourced."""
    import shtab

    parser = build_parser()
    for command in parser.commands.values():
        for action in command._actions:
            if action.metavar in _COMPLETED:
                # argparse does not declare the attribute: it is how shtab is told
                action.complete = getattr(shtab, _COMPLETED[action.metavar])  # type: ignore[attr-defined]
    print(shtab.complete(parser, args.shell))
    return OK


_COMPLETED = dict.fromkeys(("PATH", "FILE", "SPEC.toml", "CAPTURE", "OUT.svg", "PROFILE"), "FILE") | {
    "DIR": "DIRECTORY"
}
"""What shells complete an argument with, by what it is called."""


# ----------------------------------------------------------------------------------------------------------------- check


def run_check(args: argparse.Namespace) -> int:
    """`maestro-lsp check`."""
    settings = _settings(args)
    nfs = list({(nf.root, nf.entry_file): nf for path in args.paths for nf in _find(path, settings)}.values())
    style = (colour(), -1 if args.quiet else int(args.verbose), width())
    answers = list(_answers(nfs, partial(_answer, settings, args.format, style, args.prove), args.jobs))
    for a in answers:
        if a.verdict is None:
            print(f"maestro-lsp: {a.output}", file=sys.stderr)
    good = [a.output for a in answers if a.verdict is not None]
    if args.format == "json":
        from .render.json_ import document

        print(json.dumps(document(good), indent=1))
    elif args.format == "sarif":
        from .render.sarif import document as sarif

        print(json.dumps(sarif(good), indent=1))
    elif good:
        print(("\n" if args.quiet else "\n\n").join(good))
    misspelt = _without_effect(settings.config, [a.config for a in answers])
    for name, known in misspelt.items():
        print(f"maestro-lsp: --set config.{name} has no effect: {known}", file=sys.stderr)
    if misspelt or len(good) < len(answers):
        return USAGE
    return OK if all(a.verdict == "shared-nothing" for a in answers) else NOT_SHARED


def _without_effect(given: Iterable[str], configurations: list[frozenset[str] | None]) -> dict[str, str]:
    """The values that no NF's configuration has, each with what there is; none where a configuration is not known."""
    if None in configurations or not configurations:
        return {}
    names = frozenset[str]().union(*(c for c in configurations if c is not None))
    known = (
        f"the configuration has {', '.join(sorted(names))}"
        if names
        else "there is no configuration that the analysis reads"
    )
    return {name: known for name in given if name not in names}


class _Answer(NamedTuple):
    """What `check` has to say about one NF."""

    verdict: str | None  # None: its settings cannot be used, and `output` says why
    output: Any  # the report in the format asked for
    config: frozenset[str] | None = None  # the numbers of its configuration; None: not known


def _answer(settings: Settings, form: str, style: tuple[bool, int, int], proving: bool, nf: NfSources) -> _Answer:
    """Check one NF. Gives the rendered report, because a report itself does not pass between processes."""
    from .check import CheckError, check, with_proof

    try:
        r = check(nf, settings)
    except CheckError as e:
        return _Answer(None, str(e))
    if proving:
        r = with_proof(r)
    verdict = r.analysis.verdict if r.proof is None or r.proof.holds else "unknown"
    if form == "json":
        from .render.json_ import nf as as_json

        return _Answer(verdict, as_json(r), r.config_names)
    if form == "sarif":
        from .render.sarif import results

        return _Answer(verdict, results(r), r.config_names)
    from .render.text import Style, report

    return _Answer(verdict, report(r, Style(*style)), r.config_names)


def _answers(nfs: list[NfSources], answer: Callable[[NfSources], _Answer], jobs: int) -> Iterator[_Answer]:
    with Progress(len(nfs)) as progress:
        if jobs > 1 and len(nfs) > 1:
            from concurrent.futures import ProcessPoolExecutor

            with ProcessPoolExecutor(min(jobs, len(nfs))) as pool:
                for nf, a in zip(nfs, pool.map(answer, nfs), strict=True):
                    progress.step(nf.name)
                    yield a
            return
        for nf in nfs:
            progress.step(nf.name)
            yield answer(nf)


def _settings(args: argparse.Namespace) -> Settings:
    from .settings import Settings

    config: dict[str, int | str] = {}
    for item in args.set:
        name, equals, value = item.partition("=")
        if not equals or not name.startswith("config."):
            raise UsageError(f"--set takes config.NAME=VALUE, not {item!r}")
        config[name.removeprefix("config.")] = value
    return Settings(
        nic=args.nic,
        devices=args.devices,
        equal=args.equal,
        strict=args.strict,
        assume=tuple(c for c in args.assume.split(",") if c) if args.assume is not None else None,
        seed=args.seed,
        config=config,
        call_paths=args.call_paths and str(Path(args.call_paths).absolute()),
    )


def _find(path: str, settings: Settings) -> list[NfSources]:
    from .check import find

    try:
        exists = Path(path).exists()
    except (OSError, ValueError):
        exists = False
    if not path or not exists:  # an empty path is a variable of a shell that is not set, not this folder
        raise UsageError(
            f"{shlex.quote(path)} does not exist; give an NF's folder, one of its files, or a tree with NFs"
        )
    found = find(path, settings)
    if not found:
        unread = [file for file in (path, *sorted(map(str, Path(path).glob("*.c")))) if not os.access(file, os.R_OK)]
        if unread:
            raise UsageError(f"{unread[0]} cannot be read: you have no permission")
        raise UsageError(
            f"no NF in {path}: an NF is found by a definition of nf_process in a .c file, or by KLEE's .call_path files"
        )
    return found


# ----------------------------------------------------------------------------------------------------------------- paths


def run_paths(args: argparse.Namespace) -> int:
    """`maestro-lsp paths`."""
    from .render import paths as rendered

    if args.out is not None and args.format != "call-path":
        raise UsageError(f"--out names the folder of --format call-path; {args.format} is printed: redirect it")
    report = _report(args)
    if args.format == "call-path":
        print(_write_call_paths(report, args.out))
    elif args.format == "json":
        print(json.dumps(rendered.document(report), indent=1))
    else:
        from .render.lva import lva
        from .render.tree import dot
        from .synthesis.tree import Undecided

        form = {"text": rendered.text, "dot": dot, "lva": lva}[args.format]
        try:
            print(form(report))
        except Undecided as e:
            raise UsageError(f"these call paths have no decision tree: {e}") from None
    return OK if report.analysis.complete else NOT_SHARED


# ----------------------------------------------------------------------------------------------------------------- serve


def run_serve(args: argparse.Namespace) -> int:
    """`maestro-lsp serve`."""
    if not hasattr(os, "fork"):  # each analysis is a fork of a process that has everything parsed
        raise UsageError("the language server needs Linux, macOS or WSL: on Windows, open the folder in WSL")
    from .server.engine.client import spawn

    if args.tcp is None and sys.stdin.isatty():
        print(
            "maestro-lsp: this speaks with editors, not with people; it waits for one (Ctrl+D ends it)", file=sys.stderr
        )
    worker = spawn()  # it starts up while this process imports the protocol
    from .server.server import serve

    try:
        return serve(args.tcp, worker)
    except OSError as e:
        if args.tcp is None:
            raise
        raise UsageError(f"port {args.tcp} cannot be listened on: {e.strerror or e}; name another with --tcp") from None


def _report(args: argparse.Namespace) -> Report:
    """The report of the one NF at `args.path`."""
    from .check import CheckError, check

    settings = _settings(args)
    nfs = _find(args.path, settings)
    if len(nfs) > 1:
        names = ", ".join(nf.root for nf in nfs[:5])
        raise UsageError(f"{args.path} holds {len(nfs)} NFs; name one of them: {names}")
    with Progress(1) as progress:
        progress.step(nfs[0].name)
        try:
            return check(nfs[0], settings)
        except CheckError as e:
            raise UsageError(str(e)) from None


# ----------------------------------------------------------------------------------------------------------- parallelize


def run_parallelize(args: argparse.Namespace) -> int:
    """`maestro-lsp parallelize`."""
    from .synthesis.parallel import Refused, parallelize

    report = _report(args)
    try:
        made = parallelize(report, args.strategy, args.form)
    except Refused as e:
        print(f"maestro-lsp: {args.strategy} refused: {e}", file=sys.stderr)
        return NOT_SHARED
    if args.out == "-":
        sys.stdout.write(made.text)
        return OK
    out = Path(args.out) if args.out else Path(report.nf.root) / made.file_name
    _write(out, made.text)
    file = os.path.relpath(out, report.nf.root)
    if not args.quiet:
        print(f"{_shown(out)}: {report.name}, {args.strategy}")
        for line in (*made.requires, *made.notes):
            print(f"  {line}")
        print(f"build it in {_shown(Path(report.nf.root))}:")
        if "$LIBVIG" in made.build(file):
            print(f"  export LIBVIG={shlex.quote(_OWN_LIBVIG)}")
        print(f"  {made.build(file)}\nrun it there:\n  {made.run(file)}")
    return _build(made.build(file), report.nf.root) if args.build else OK


def run_verify(args: argparse.Namespace) -> int:
    """`maestro-lsp verify`."""
    from . import verify as verification
    from .source.text import decode
    from .verify.command import document, text
    from .workspace import is_generated, read_file

    given = Path(args.path)
    against = args.against
    if against is None and is_generated(read_file(args.path) or ""):
        args.path, against = (
            str(given.absolute().parent),
            str(given),
        )  # the generated file itself: its NF lies beside it
    report = _report(args)
    files = [str(Path(against).absolute())] if against else verification.generated_beside(report.nf)
    if not files:
        raise UsageError(
            f"there is no generated file in {report.nf.root}: run `maestro-lsp parallelize {args.path} --strategy shared-nothing`, or name one with --against"
        )
    packets = verification.PACKETS if args.packets is None else args.packets
    good = True
    with Progress(len(files)) as progress:
        for file in files:
            try:
                content = decode(Path(file).read_bytes())
                v = verification.verify(report, file, content, packets, partial(_tell, progress, file))
            except OSError as e:
                raise UsageError(f"{file} cannot be read: {e.strerror}") from None
            except verification.NotGenerated as e:
                raise UsageError(str(e)) from None
            good = good and v.verified
            print(document(v, report) if args.format == "json" else text(v, report))
    return OK if good else NOT_SHARED


def _tell(progress: Progress, file: str, what: str) -> None:
    progress.step(f"{Path(file).name}: {what}")


def _shown(path: Path) -> str:
    """A path as people see it: relative where it lies below the working directory."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)


def _write(out: Path, text: str) -> None:
    """Write a generated file, over an earlier one but over nothing else."""
    from .workspace import is_generated, read_file

    try:
        there = read_file(str(out)) if out.exists() and not out.is_dir() else ""
        if there != "" and not is_generated(there or ""):
            raise UsageError(f"{out} was not written by maestro-lsp; choose another --out")
        out.write_text(text, "utf-8", "surrogateescape")  # names of files need not be UTF-8
    except OSError as e:
        raise UsageError(f"{out} cannot be written: {e.strerror}") from None


def _build(command: str, folder: str) -> int:
    """Run the compiler."""
    import subprocess

    from .verify.build import CannotBuild, tools

    try:
        tools()
    except CannotBuild as e:
        raise UsageError(f"the file is written, but cannot be built here: {e}") from None
    built = subprocess.run(command, shell=True, cwd=folder, env={"LIBVIG": _OWN_LIBVIG, **os.environ}, check=False)
    if built.returncode != 0:
        print("maestro-lsp: the compiler refuses the file; see its messages above", file=sys.stderr)
        return NOT_SHARED
    return OK


def _write_call_paths(report: Report, out: str | None) -> str:
    from .callpaths.folder import SUFFIX, holds_call_paths
    from .render.paths import call_path_files

    if out is None:
        raise UsageError("--format call-path writes one file a path; say where with --out DIR")
    folder = Path(out)
    if holds_call_paths(folder):
        raise UsageError(f"{out} holds call paths already; name an empty folder, so that they do not mix")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        texts = call_path_files(report)
        for n, text in enumerate(texts, 1):
            (folder / f"test{n:06}{SUFFIX}").write_text(text)
    except OSError as e:
        raise UsageError(f"{out} cannot be written: {e.strerror}") from None
    return f"{len(texts)} call paths written to {out}"


if __name__ == "__main__":
    sys.exit(main())
