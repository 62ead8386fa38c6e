"""Whether the tables of a shared-nothing program are divided between cores in a way that keeps them whole.

Symbolic execution knows one core, for which a share is everything. This looks at the calls that allocate: a dchain that gets a core's
share may have maps and vectors that are larger, never smaller ones; and nothing but such a table may be smaller than the NF's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..sharding.analysis import Analysis
from ..source.text import Span
from ..symbex.run import Execution
from ..symbex.state import State
from ..synthesis.chains import OWN
from ..synthesis.equivalence import Difference

_SHARE = re.compile(r"\bmaestro_share(?:_pow2)?(?=\()")
_BY_CORE = re.compile(r",\s*maestro_core_of_index\s*\)\s*$")
OWN_CHAIN = OWN["dchain_allocate"][0]
WHOLE, SHARE, POW2 = "", "maestro_share", "maestro_share_pow2"


def check_shares(first: Execution, analysis: Analysis, second: Execution, executed: str) -> Iterator[Difference]:
    """Objects that cores have too little of. Both programs must have been found equal, so that they make the same objects in order."""
    if first.start is None or second.start is None:
        return
    given: dict[int, tuple[str, Span | None]] = {}
    for x, y in zip(_handles(first.start), _handles(second.start), strict=False):
        place = second.start.memory[y].info.detail.get("place")
        span = second.engine.spans(place)[-1] if place and second.engine is not None else None
        found = _SHARE.search(executed[span.start : span.end]) if span is not None else None
        given[x] = (found[0] if found else WHOLE, span)
    for _, (_, span) in sorted(given.items()):
        call = executed[span.start : span.end] if span is not None else ""
        if call.startswith(OWN_CHAIN) and _BY_CORE.search(call) is None:
            yield Difference(
                "a dchain gives out indices of other cores: its last argument says whose they are", there=span
            )
    members: set[int] = set()
    for table in analysis.conflicts.tables.values():
        members |= {table.chain, *table.maps, *table.vectors}
        share, _ = given.get(table.chain, (WHOLE, None))
        for member in sorted(table.maps | table.vectors):
            its, there = given.get(member, (WHOLE, None))
            o = first.objects.get(member)
            name = o.name if o is not None else "an object"
            if its != WHOLE and share == WHOLE:
                yield Difference(f"each core gets a share of {name}, and all indices of its dchain", there=there)
            elif its == SHARE and o is not None and o.kind == "map":
                yield Difference(f"a core's share of {name} need not be a power of two, as maps must be", there=there)
            elif its == SHARE and share == POW2:
                yield Difference(f"a core's share of {name} may be smaller than that of its dchain", there=there)
        if share != WHOLE and (table.packet_indices or table.breaches or table.foreign):
            name = first.objects[table.chain].name
            yield Difference(
                f"each core gets a share of {name}, but may be asked for any of its indices",
                there=given[table.chain][1],
            )
    for oid, (share, there) in sorted(given.items()):
        if share != WHOLE and oid not in members and oid in first.objects:
            yield Difference(
                f"each core gets a share of {first.objects[oid].name}, which belongs to no table", there=there
            )


def _handles(st: State) -> list[int]:
    return sorted(oid for oid, b in st.memory.items() if b.info.kind == "handle")
