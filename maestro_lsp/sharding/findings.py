"""Findings: what the analysis has to say about a place of the source. Every code is declared here, once.

The documentation page of a code is docs/findings/CODE.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..source.text import Span


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding."""

    code: str
    severity: str  # error, warning, information, hint
    summary: str  # one sentence for lists (SARIF rules, docs)


RULES: dict[str, Rule] = {
    r.code: r
    for r in (
        Rule(
            "rss-incompatible-field", "warning", "State is keyed only by fields that no RSS option of the NIC hashes."
        ),
        Rule(
            "dchain-index-from-packet", "warning", "A packet field is used as a dchain index and no condition saves it."
        ),
        Rule("dchain-index-guarded", "information", "A packet field is used as a dchain index, saved by a condition."),
        Rule("dchain-scan", "warning", "A call scans all allocated indices of a dchain."),
        Rule("global-state", "warning", "State is keyed by a constant or by something that is not the packet."),
        Rule("disjoint-sharding", "warning", "Accesses ask for shardings that have nothing in common."),
        Rule("narrow-sharding", "information", "Valid, but the best key spreads packets over few queues."),
        Rule("unhashed-traffic", "warning", "Packets that the NIC does not hash can reach state."),
        Rule("read-only-state", "hint", "An object is only read while packets are processed, so it needs no sharding."),
        Rule("shards-on", "hint", "What an access shards on."),
        Rule("approximate-state", "information", "Sketches and hashes: copies per core change estimates."),
        Rule("capacity-split", "hint", "A table's capacity is divided between cores."),
        Rule("path-limit", "warning", "The analysis stopped before it had seen every path."),
        Rule("loop-limit", "warning", "A loop has no bound that the analysis can see."),
        Rule("unsupported-construct", "warning", "The analysis cannot execute this."),
        Rule("missing-function", "warning", "A function is called whose source is not part of the NF."),
        Rule("call-paths-stale", "warning", "Call path files differ from the source."),
        Rule("call-paths-invalid", "warning", "A call path file is malformed."),
    )
}
INCOMPLETE = frozenset({"path-limit", "loop-limit", "unsupported-construct", "missing-function"})
"""Codes that say the analysis did not see everything."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a finding is about."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say about a place."""

    code: str
    message: str
    span: Span
    related: tuple[Related, ...] = field(default=())

    @property
    def severity(self) -> str:
        return RULES[self.code].severity

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts findings as they stand in the source."""
        return self.span.file, self.span.start, self.span.end, self.code, self.message


def for_all_devices(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of the source, each once; those that say the same of several devices are one."""
    alike: dict[tuple[object, ...], tuple[Finding, set[int]]] = {}
    for f in sorted(findings, key=lambda f: f.order):
        numbers = {int(n) for n in _DEVICE.findall(f.message)}
        about_one = len(numbers) == 1
        mark = (*f.order[:-1], _DEVICE.sub("device", f.message) if about_one else f.message)
        alike.setdefault(mark, (f, set()))[1].update(numbers if about_one else ())
    out = []
    for f, devices in alike.values():
        if len(devices) > 1:
            *most, last = map(str, sorted(devices))
            f = replace(f, message=_DEVICE.sub(f"devices {', '.join(most)} and {last}", f.message))
        out.append(f)
    return tuple(sorted(out, key=lambda f: f.order))


_DEVICE = re.compile(r"\bdevice (\d+)\b")
