"""The RSS configuration of an NF for people and machines: how it spreads packets, and exports."""

from __future__ import annotations

from typing import Any

from ...check import Report
from ...rss import balance, export
from ...rss.configure import Configuration

FORMS = ("dpdk-c", "ethtool", "testpmd", "json")
CORES = 8
_PACKETS = 8192


def tables(found: Configuration, queues: int) -> dict[int, balance.Table]:
    """Each device's indirection table, the queues taking turns; tied devices have the same contents."""
    made: dict[int, balance.Table] = {}
    for group in found.table_groups:
        sizes = {number: 1 << found.space.device(number).table_bits for number in group}
        table = balance.round_robin(min(sizes.values()), queues)
        made |= {number: balance.repeated(table, size) for number, size in sizes.items()}
    return made


def exported(found: Configuration, form: str, queues: int = CORES) -> str:
    """The configuration as a program takes it. Raises KeyError for a form that there is not."""
    made = tables(found, queues)
    if form == "dpdk-c":
        return export.to_dpdk_c(found, made)
    if form == "testpmd":
        return export.to_testpmd(found, made)
    if form == "ethtool":
        return export.to_ethtool(found, made, {})
    if form == "json":
        return export.to_json(found, made)
    raise KeyError(form)


def devices(r: Report) -> list[dict[str, Any]]:
    """For each device its key, options, and how many packets of seeded uniform traffic each queue gets."""
    found = r.analysis.configuration
    if found is None or not r.analysis.complete:
        return []
    made = tables(found, CORES)
    exports = {form: exported(found, form) for form in FORMS}
    out = []
    for d in found.to_json()["devices"]:
        number = d["device"]
        fields = dict.fromkeys(", ".join(i["fields"]) for i in d["inputs"])
        options = [
            f"{', '.join(i['option'] for i in d['inputs'] if ', '.join(i['fields']) == names)}: {names}"
            for names in fields
        ]
        out.append(
            {
                "device": number,
                "key": d["key"],
                "option_text": "; ".join(options),
                "queue_bits": d["queue_bits"],
                "index_bits": d["index_bits"],
                "spread": {"queues": _spread(found, number, made[number]), "cores": CORES},
                "exports": exports,
            }
        )
    return out


def _spread(found: Configuration, number: int, table: balance.Table) -> list[int]:
    from ...rss.traffic import entry_loads, uniform

    device = found.space.device(number)
    inputs = [i for i in device.inputs if i.fields]
    named = [i for i in inputs if (number, i.packet_class) in found.space.named] or inputs
    if not named:
        return [_PACKETS] + [0] * (CORES - 1)
    best = max(named, key=lambda i: found.space.deciding(number, i).bit_count())
    loads = entry_loads(uniform(_PACKETS, packet_class=best.packet_class), device, found.keys[number])
    return [int(n) for n in balance.queue_loads(loads, table, CORES)]
