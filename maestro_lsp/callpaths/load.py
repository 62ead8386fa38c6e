"""All `.call_path` files of an NF: read, classified, and made one execution.

Takes the texts of the files and gives a `Recorded`: an `Execution` as symbolic execution gives it (for the analysis, which runs
unchanged), how many files say what, and the files that cannot be read with the position of what is wrong. One bad file leaves the
others as they are, but makes the execution incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..libvig.catalogue import CallSpec, Catalogue
from ..source.text import Span
from ..symbex.engine import Trouble
from ..symbex.expr import Expr
from ..symbex.path import CallPath, Object
from ..symbex.run import Execution
from .files import FileReader, PathFile, Record
from .folder import Rejected
from .invariants import assume_invariants
from .kquery import InvalidCallPath
from .model import Kind, Places, classify, object_names, objects_of, path_of
from .sites import Sites


@dataclass(frozen=True)
class Recorded:
    """What an NF's files say."""

    execution: Execution
    files: tuple[PathFile, ...]
    kinds: Mapping[str, Kind]  # by path
    rejected: tuple[Rejected, ...]
    path_files: tuple[PathFile, ...] = field(default=(), repr=False)  # the file of each path of the execution
    records: tuple[tuple[tuple[Record, CallSpec], ...], ...] = field(
        default=(), repr=False
    )  # for each path, what its calls are in the file
    invariants: Mapping[int, frozenset[Expr]] = field(
        default_factory=dict, repr=False
    )  # what KLEE's models say of a vector's cells

    @property
    def devices(self) -> int:
        """How many devices the paths name at least."""
        return 1 + max((p.device for p in self.execution.paths), default=0)


def load(
    texts: Iterable[tuple[str, str]],
    catalogue: Catalogue,
    rejected: Sequence[Rejected] = (),
    sites: Sites | None = None,
) -> Recorded:
    """Read the files of one NF, given as (path, text). Never raises on their contents. Calls are placed at `sites` where those know
    them, else in the files.

    Expressions made by this are those of the running analysis: see `symbex.expr.forget`.
    """
    reader = FileReader()
    bad = list(rejected)
    files: list[PathFile] = []
    kinds: dict[str, Kind] = {}
    paths: list[CallPath] = []
    path_files: list[PathFile] = []
    records: list[tuple[tuple[Record, CallSpec], ...]] = []
    objects: dict[int, Object] = {}
    troubles: list[Trouble] = []
    widths: dict[int, tuple[int, ...]] = {}
    places = Places(sites)
    for path, text in texts:
        try:
            file = reader.read(path, text)
            files.append(file)
            kinds[path] = classify(file)
            if kinds[path] != "packet":
                continue
            m = path_of(file, catalogue, len(paths), places)
            mine = objects_of(file, m.objects.values(), object_names(file, m.objects), places)
            for oid, o in mine.items():
                first = objects.setdefault(oid, o)
                if (first.kind, first.capacity) != (o.kind, o.capacity):
                    where = next(c.record.start for c in m.objects.values() if c.id == oid)
                    raise InvalidCallPath(
                        f"allocation {oid} makes a {o.kind} of {o.capacity}; in other files a {first.kind} of {first.capacity}: "
                        "the files are of different NFs or runs", where,
                    )  # fmt: skip
            _check_keys(m.path, widths, file)
            paths.append(m.path)
            path_files.append(file)
            records.append(m.records)
            for name, span in m.unknown:
                t = Trouble(
                    "missing-function", f"{name} is not in the catalogue: what it does to state is not known", span
                )
                if t not in troubles:
                    troubles.append(t)
        except InvalidCallPath as e:
            bad.append(Rejected.at(path, text, e.offset, e.message))
        except RecursionError:
            bad.append(Rejected(path, 1, 1, 0, "its expressions nest too deeply"))
    troubles += [Trouble("call-paths-invalid", r.message, Span(r.path, r.offset, r.offset)) for r in bad]
    touched = {t.object for p in paths for c in p.calls for t in c.touches}
    marked, invariants = assume_invariants(paths)
    execution = Execution(
        tuple(marked), {o: objects[o] for o in sorted(touched) if o in objects}, tuple(troubles), None, False
    )
    return Recorded(execution, tuple(files), kinds, tuple(bad), tuple(path_files), tuple(records), invariants)


def _check_keys(path: CallPath, widths: dict[int, tuple[int, ...]], file: PathFile) -> None:
    """Keys of one map have the same parts everywhere; `widths` holds those known so far.

    Raises:
        InvalidCallPath: where they do not.
    """
    for c in path.calls:
        for t in c.touches:
            if t.key is None or t.index:
                continue
            mine = tuple(p.width for p in t.key)
            if widths.setdefault(t.object, mine) != mine:
                raise InvalidCallPath(
                    f"a key of {c.function} has parts of {mine} bits; elsewhere keys of that object have {widths[t.object]}",
                    c.span.start if c.span.file == file.path else 0,
                )
