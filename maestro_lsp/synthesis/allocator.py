"""Indices that leave in packets and come back in them, such as a NAT's ports: each core gives out only those whose packets come back to it.

That makes the packets that carry one index meet, so the only requirement left on the device where they come back is that the field decides
the core by itself (docs/explanation/dchain-rule.md). Takes a report; gives the RSS configuration that this asks for, and the function that says which
core an index belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..rss.configure import Configuration, configure
from ..rss.constraint import Requirement, all_equal
from ..sharding.access import Access
from ..sharding.analysis import Analysis
from ..sharding.demands import demands
from ..source import ctypes as T
from ..source.program import Program
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.run import Execution, Inputs, execute
from .clashes import Clash

_OFFSETS = {"l4.src": 34, "l4.dst": 36}  # of fields in the packet that `core_of` makes up: IPv4 without options
_PROBE = 7919  # a value that no configuration happens to have


class NoAllocator(Clash):
    """Why indices cannot be given out by RSS; one line."""


class Analysed(Protocol):
    """What is needed of a report."""

    @property
    def devices(self) -> int: ...
    @property
    def analysis(self) -> Analysis: ...
    @property
    def execution(self) -> Execution: ...


@dataclass(frozen=True)
class _Relation:
    """index = field + constant, the field read as big-endian or as it lies in memory."""

    field: str
    big: bool
    constant: int  # modulo 2**32


@dataclass(frozen=True)
class Allocation:
    """How indices are given out.

    chain          the dchain's id
    configuration  keys for which the field decides the core
    field, device  which field carries an index, and where it comes back
    core_of        C: unsigned maestro_core_of_index(int index)
    """

    chain: int
    configuration: Configuration
    field: str
    device: int
    core_of: str


def allocation(report: Analysed, program: Program) -> Allocation:
    """The allocation of an NF's indices.

    Raises:
        NoAllocator: when there are none, or they are not understood.
    """
    conflicts = report.analysis.conflicts
    tables = [t for t in conflicts.tables.values() if t.packet_indices]
    chains = [o for o in report.execution.objects.values() if o.kind == "dchain"]
    if len(tables) != 1:
        raise NoAllocator(
            "the RSS-aware allocator is for an NF in which the index of one dchain becomes a packet field"
        )
    if len(chains) != 1:
        raise NoAllocator("the RSS-aware allocator is for an NF with one dchain, and this one has more")
    (table,) = tables
    relation = _relation(table.packet_indices, frozenset(x.packet_class for x in report.analysis.assumes))
    devices = sorted({a.path.device for a in table.packet_indices})
    configuration = _configured(report, frozenset(table.packet_indices), relation, devices)
    offset = _config_offset(report, program, table.packet_indices[0], relation)
    return Allocation(
        table.chain, configuration, relation.field, devices[0], _core_of(relation, offset, devices[0], chains[0].name)
    )


def _relation(accesses: Iterable[Access], away: frozenset[str]) -> _Relation:
    """How all accesses make the index of the field, on packets of all classes that are not assumed away."""
    found = {_relation_of(a, v.names) for a in accesses for v in a.views if v.packet_class not in away}
    if len(found) != 1 or None in found:
        raise NoAllocator("the index is not a packet's port plus a constant in the same way everywhere")
    (relation,) = found
    assert relation is not None
    return relation


def _relation_of(a: Access, names: dict[Expr, tuple[str, int]]) -> _Relation | None:
    value = a.key[0].value if a.key else None
    return _taken_apart(value, names) if isinstance(value, Expr) else None


def _taken_apart(value: Expr, names: dict[Expr, tuple[str, int]]) -> _Relation | None:
    constant = 0
    if value.op == "add" and isinstance(value.args[1], int) and isinstance(value.args[0], Expr):
        value, constant = value.args[0], value.args[1]
    parts = [p for p, _ in X.parts_of(value, value.width) if isinstance(p, Expr)]
    if len(parts) != 2 or any(p not in names for p in parts):
        return None
    (high, first), (low, second) = (names[p] for p in parts)
    if high != low or high not in _OFFSETS or {first, second} != {0, 8}:
        return None
    return _Relation(high, first == 0, constant)


def _configured(report: Analysed, carried: frozenset[Access], relation: _Relation, devices: list[int]) -> Configuration:
    """Keys for all other requirements, and for packets with equal fields to meet where they come back."""
    old = report.analysis.configuration
    if old is None:
        raise NoAllocator("there is no RSS configuration for this NF: see the findings of `maestro-lsp check`")
    profile = next(iter(old.profiles.values()))
    kept = [
        c
        for c in report.analysis.conflicts.conflicts
        if not all(x.access in carried or y.access in carried for x, y in c.causes)
    ]
    wanted = demands(kept, profile)
    same = all_equal((relation.field, relation.field))
    own = [Requirement(i, j, same) for i in devices for j in devices if i <= j]
    classes = dict.fromkeys(i.packet_class for d in old.space.devices for i in d.inputs)
    found = configure(
        profile,
        range(report.devices),
        [*(d.requirement for d in wanted), *own],
        classes=tuple(classes),
        equal=old.space.equal,
    )
    for device in sorted({*devices, *(n for d in wanted for n in (d.requirement.i, d.requirement.j))}):
        if found.queue_bits(device) == 0:
            raise NoAllocator(
                f"packets on device {device} must meet for other reasons than the index: no key spreads them"
            )
    return found


def _config_offset(report: Analysed, program: Program, at: Access, relation: _Relation) -> str:
    """The constant of the relation in C: a value of the configuration where it comes from one, else the number."""
    engine = report.execution.engine
    if engine is None or report.execution.symbolic_config:
        raise NoAllocator("the NF's arguments are not known: give them in the Makefile's NF_ARGS or in maestro.toml")
    config = engine.any_global("config")
    fields = config.type.fields if config is not None and isinstance(config.type, T.Record) else ()
    numbers = [f.name for f in fields if f.name and isinstance(f.type, T.Integer) and f.bit_width is None]
    for name in numbers:
        inputs = Inputs(report.devices, engine.arguments, {f"config.{name}": _PROBE})
        probed = execute(program, engine.catalogue, inputs, forget=False)
        constants = set()
        for p in probed.paths:
            for c in p.calls:
                if c.span == at.span:
                    constants |= {_constant(t.key[0].value) for t in c.touches if t.key and t.index}
        if constants == {(1 << 32) - _PROBE}:
            return f"-config.{name}"
        if constants and constants != {relation.constant}:
            raise NoAllocator(
                f"how an index is made of a port depends on config.{name} in a way that is not understood"
            )
    signed = relation.constant - (1 << 32) if relation.constant >> 31 else relation.constant
    return str(signed)


def _constant(value: int | Expr) -> int:
    if isinstance(value, Expr) and value.op == "add" and isinstance(value.args[1], int):
        return value.args[1]
    return 0


def _core_of(relation: _Relation, offset: str, device: int, chain: str) -> str:
    """The C function."""
    at = _OFFSETS[relation.field]
    high, low = (at, at + 1) if relation.big else (at + 1, at)
    sign, text = ("+", offset[1:]) if offset.startswith("-") else ("-", offset)
    value = "index" if text == "0" else f"index {sign} {text}"
    return f"""
// The core to which packets from device {device} come whose {relation.field} carries an index of {chain}: what else they carry has no weight.
static unsigned maestro_core_of_index(int index) {{
  uint16_t value = (uint16_t)({value});
  uint8_t packet[64] = {{[12] = 0x08, [14] = 0x45, [23] = 17, [{high}] = (uint8_t)(value >> 8), [{low}] = (uint8_t)value}};
  return maestro_core_of_packet({device}, packet, sizeof(packet));
}}
"""
