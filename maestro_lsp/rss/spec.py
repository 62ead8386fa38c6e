"""Specifications: which packets must meet, on which NICs, as a TOML file (format: docs/rss/spec.md).

Takes text; gives a `Spec` that `configure` can solve. Every error names the file and the entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .configure import Configuration, configure
from .constraint import Conjunction, Requirement, equal
from .fields import PACKET_CLASSES, FieldError, parse
from .nic import LARGEST_TABLE, Profile, beside, profile
from .predicate import Formula, FormulaError
from .quality import Sample
from .solve import Equal, HashInput, SpecError

_TOP = {"title", "nic", "profiles", "table", "equal", "classes", "queues", "seed", "device", "meet"}
_DEVICE = {"number", "nic", "table", "interface", "inputs"}
_MEET = {"devices", "equal", "where", "classes", "label"}


@dataclass(frozen=True, slots=True)
class Spec:
    """A specification with names resolved."""

    title: str
    profiles: dict[int, Profile]  # by device
    requirements: tuple[Requirement, ...]
    classes: tuple[str, ...] | None  # None: those that the NICs have options for
    equal: Equal
    queues: int
    seed: int
    interfaces: dict[int, str]
    inputs: dict[int, tuple[HashInput, ...]]  # devices whose hash inputs are given

    def configure(
        self,
        *,
        equal: Equal | None = None,
        seed: int | None = None,
        sample: Sample | None = None,
        alternatives: int = 1,
    ) -> Configuration:
        """The best configuration; arguments that are given override the file. Raises SpecError."""
        return configure(
            self.profiles,
            tuple(self.profiles),
            self.requirements,
            classes=self.classes,
            equal=equal or self.equal,
            seed=self.seed if seed is None else seed,
            sample=sample,
            alternatives=alternatives,
            inputs=self.inputs,
        )


def read_spec(path: Path, nic: str | None = None) -> Spec:
    """The specification in a file; `nic` overrides its profile. Raises SpecError, OSError."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise SpecError(f"{path}: not UTF-8 text") from None
    return parse_spec(text, str(path), nic)


def parse_spec(text: str, origin: str = "spec", nic: str | None = None) -> Spec:
    """The specification in a text; `origin` names it in errors. Raises SpecError."""
    import tomllib

    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{origin}: {error}") from None
    try:
        return _spec(body, origin, nic)
    except (FieldError, FormulaError) as error:
        raise SpecError(f"{origin}: {error}") from None


def _spec(body: dict[str, Any], origin: str, nic: str | None) -> Spec:
    _known(body, _TOP, origin)
    meets = _list(body, "meet", origin)
    tables = _list(body, "device", origin)
    for at, table in enumerate(tables):
        _known(table, _DEVICE, f"{origin}: device {at + 1}")
        if not _whole(table.get("number", at)) or table.get("number", at) < 0:
            raise SpecError(f"{origin}: device {at + 1}: number is the port's number, 0 or more")
    requirements = tuple(_meet(meet, f"{origin}: meet {at + 1}") for at, meet in enumerate(meets))
    by_number = {table.get("number", at): table for at, table in enumerate(tables)}
    if len(by_number) != len(tables):
        raise SpecError(f"{origin}: two devices have the same number")
    named = {number for requirement in requirements for number in (requirement.i, requirement.j)}
    if tables and not named <= by_number.keys():
        missing = min(named - by_number.keys())
        raise SpecError(f"{origin}: device {missing} is tied by a meet but not among the devices")
    numbers = sorted(by_number or named)
    if not numbers:
        raise SpecError(f"{origin}: names no device: add a [[meet]] or a [[device]]")
    if not isinstance(body.get("profiles", []), list):
        raise SpecError(f"{origin}: profiles: write a list of files")
    own_profiles = [Path(origin).parent / str(name) for name in body.get("profiles", [])]
    profiles, inputs, interfaces = {}, {}, {}
    for number in numbers:
        table = by_number.get(number, {})
        name = nic or beside(str(table.get("nic") or body.get("nic", "x710")), Path(origin).parent)
        size = table.get("table", body.get("table", 0))
        if not _whole(size) or (size and (not 2 <= size <= LARGEST_TABLE or size.bit_count() != 1)):
            raise SpecError(f"{origin}: device {number}: table = {size!r} is not a power of two up to {LARGEST_TABLE}")
        try:
            profiles[number] = profile(name, *own_profiles, table=size)
        except SpecError as error:
            raise SpecError(f"{origin}: {error}") from None
        interfaces[number] = str(table.get("interface", f"eth{number}"))
        if "inputs" in table:
            inputs[number] = _inputs(table["inputs"], f"{origin}: device {number}")
    mode = body.get("equal", "index")
    if mode not in ("index", "hash"):
        raise SpecError(f'{origin}: equal = {mode!r}: write "index" or "hash"')
    queues = body.get("queues", 8)
    if not _whole(queues) or not 1 <= queues <= LARGEST_TABLE:
        raise SpecError(f"{origin}: queues = {queues!r} is no number from 1 to {LARGEST_TABLE}")
    seed = body.get("seed", 0)
    if not _whole(seed):
        raise SpecError(f"{origin}: seed = {seed!r} is not a number")
    classes = body.get("classes")
    return Spec(
        title=str(body.get("title", "")),
        profiles=profiles,
        requirements=requirements,
        classes=None if classes is None else _classes(classes, origin),
        equal=mode,
        queues=queues,
        seed=seed,
        interfaces=interfaces,
        inputs=inputs,
    )


def _meet(meet: dict[str, Any], origin: str) -> Requirement:
    _known(meet, _MEET, origin)
    devices = meet.get("devices", [0, 0])
    if not (isinstance(devices, list) and len(devices) == 2 and all(_whole(d) and d >= 0 for d in devices)):
        raise SpecError(f"{origin}: devices = {devices!r}: write two port numbers, e.g. [0, 1]")
    rows = meet.get("equal", [])
    if not (isinstance(rows, list) and all(isinstance(row, list) and len(row) == 2 for row in rows)):
        raise SpecError(f'{origin}: equal: write pairs, e.g. [["ipv4.src", "ipv4.dst"]]')
    for row in rows:
        if not all(isinstance(end, str | int) and not isinstance(end, bool) for end in row):
            raise SpecError(f"{origin}: equal: {row!r}: write names of fields or numbers")
    if not isinstance(meet.get("where", ""), str):
        raise SpecError(f'{origin}: where: write a condition, e.g. "d.l4.dst < 1024"')
    try:
        equalities = tuple(equal(left, right) for left, right in rows)
        where = Formula(meet["where"]) if "where" in meet else None
    except (FieldError, FormulaError) as error:
        raise SpecError(f"{origin}: {error}") from None
    classes = None
    if "classes" in meet:
        pairs = meet["classes"]
        if not (isinstance(pairs, list) and all(isinstance(p, list) and len(p) == 2 for p in pairs)):
            raise SpecError(f'{origin}: classes: write pairs, e.g. [["ipv4-tcp", "ipv4-tcp"]]')
        classes = frozenset((a, b) for a, b in (_classes(pair, origin) for pair in pairs))
    when = Conjunction(equalities, predicate=where)
    return Requirement(devices[0], devices[1], when, classes, str(meet.get("label", "")))


def _inputs(table: Any, origin: str) -> tuple[HashInput, ...]:
    if not isinstance(table, dict):
        raise SpecError(f"{origin}: inputs: write a table, class of packets = list of fields")
    _classes(list(table), origin)
    for name, fields in table.items():
        if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
            raise SpecError(f"{origin}: inputs: {name}: write a list of fields")
    return tuple(HashInput(name, tuple(map(parse, names))) for name, names in table.items())


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _classes(names: Any, origin: str) -> tuple[str, ...]:
    if not isinstance(names, list):
        raise SpecError(f"{origin}: classes: write a list of classes of packets")
    for name in names:
        if name not in PACKET_CLASSES:
            known = ", ".join(PACKET_CLASSES)
            raise SpecError(f"{origin}: unknown class of packets {name!r}; known: {known}")
    return tuple(names)


def _known(table: dict[str, Any], known: Iterable[str], origin: str) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise SpecError(f"{origin}: unknown entry '{unknown[0]}'; known: {', '.join(sorted(known))}")


def _list(body: dict[str, Any], name: str, origin: str) -> list[dict[str, Any]]:
    found = body.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise SpecError(f"{origin}: write each {name} as [[{name}]]")
    return found
