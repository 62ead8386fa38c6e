"""The documentation's figures, drawn from what the engine does with the fixtures: keys found, packets hashed, tables balanced.

`python docs/figures.py` writes them to docs/images. The same engine gives the same bytes, so tests compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maestro_lsp.check import check
from maestro_lsp.rss import balance
from maestro_lsp.rss.configure import Configuration
from maestro_lsp.rss.fields import PACKET_CLASSES
from maestro_lsp.rss.plot import skew_plot
from maestro_lsp.rss.traffic import Traffic, entry_loads, uniform, zipf
from maestro_lsp.settings import Settings
from maestro_lsp.workspace import find_nfs

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
NIC = "generic"  # the thesis's: one option, four fields, 512 entries
QUEUES = 16
PACKETS = 1 << 16
SEED = 1

# First 16 bytes of the keys in tables 4.2, 4.4 and 4.5 of "Parallel NF Synthesis" (Pereira, 2021); no hash of the four fields uses others.
PUBLISHED = {
    "fw": {0: "20002422242220002000242220002423", 1: "24222000200024222422200024222000"},
    "nat": {0: "00000000000000010000000000000001", 1: "00000001000000000000000000000000"},
    "policer": {1: "00000000000000010000000000000001"},
}
SHOWN = (("fw", 0, "firewall, from inside"), ("nat", 0, "NAT, from inside"), ("policer", 1, "policer, from outside"))


def figures() -> dict[str, str]:
    """SVG texts by file name."""
    found = {nf: _configuration(nf) for nf, _, _ in SHOWN}
    return {"queues.svg": queues(found), "balance.svg": balancing(found["fw"]), "speedup.svg": speedup(found["fw"])}


def _configuration(nf: str) -> Configuration:
    (sources,) = find_nfs(DOCS.parent / "fixtures" / nf)
    configuration = check(sources, Settings(nic=NIC)).analysis.configuration
    assert configuration is not None
    return configuration


# --------------------------------------------------------------------------------------------- queues under two sets of keys


def queues(found: Mapping[str, Configuration]) -> str:
    """Packets of each queue for traffic within one /16 on either side, under published keys and under ours."""
    traffic = within_a_16()
    table = balance.round_robin(512, QUEUES)
    rows = []
    for nf, device, title in SHOWN:
        own = found[nf]
        for whose, key in (("published key", published(nf, device, own)), ("our key", own.keys[device])):
            loads = balance.queue_loads(entry_loads(traffic, own.space.device(device), key), table, QUEUES)
            rows.append((f"{title}: {whose}", [float(n) / PACKETS for n in loads]))
    return _bars(
        rows, f"Share of packets by queue, {QUEUES} queues; addresses within one /16 on either side, any ports"
    )


def published(nf: str, device: int, ours: Configuration) -> bytes:
    """A published key, as long as the NIC's."""
    return bytes.fromhex(PUBLISHED[nf][device]).ljust(len(ours.keys[device]), b"\0")


def within_a_16() -> Traffic:
    """UDP packets whose addresses vary in the low 16 bits, ports in all."""
    draw = np.random.default_rng(SEED)
    columns = uniform(1).columns
    varied = {name: np.zeros((PACKETS, column.shape[1]), np.uint8) for name, column in columns.items()}
    for name, network in (("ipv4.src", (10, 1)), ("ipv4.dst", (198, 18))):
        varied[name][:, :2] = network
        varied[name][:, 2:] = draw.integers(0, 256, (PACKETS, 2), np.uint8)
    for name in ("l4.src", "l4.dst"):
        varied[name] = draw.integers(0, 256, (PACKETS, 2), np.uint8)
    return Traffic(np.full(PACKETS, PACKET_CLASSES.index("ipv4-udp"), np.uint8), varied)


# ------------------------------------------------------------------------------------------------- tables, and more cores


def balancing(firewall: Configuration) -> str:
    """Zipfian traffic under the drivers' table and under a balanced one, as the thesis's figure 4.9."""
    loads = _loads(firewall, zipf(PACKETS, SEED))
    series: dict[str, dict[int, list[int]]] = {"table as drivers fill it": {}, "balanced table": {}}
    for cores in (2, 4, 6, 8, 12, 16):
        for kind, table in zip(series, (balance.round_robin(512, cores), balance.balanced(loads, cores)), strict=True):
            series[kind][cores] = [int(n) for n in balance.queue_loads(loads, table, cores)]
    return skew_plot(series, "The firewall's keys, Zipfian traffic (exponent 1.26, 1000 flows)")


def speedup(firewall: Configuration) -> str:
    """Throughput over that of one core if the busiest core is the limit, as the thesis's figure 4.12."""
    even, skewed = _loads(firewall, uniform(PACKETS, SEED)), _loads(firewall, zipf(PACKETS, SEED))
    drivers, made = balance.round_robin, balance.balanced
    cores = range(1, 19)
    lines: list[tuple[str, list[float]]] = [
        ("flows many and equal", [balance.skew(even, drivers(512, n), n).speedup for n in cores]),
        ("Zipfian, balanced table", [balance.skew(skewed, made(skewed, n), n).speedup for n in cores]),
        ("Zipfian, drivers' table", [balance.skew(skewed, drivers(512, n), n).speedup for n in cores]),
    ]
    return _lines(lines, cores, "Predicted speed-up of the firewall, shared-nothing", "cores")


def _loads(firewall: Configuration, traffic: Traffic) -> NDArray[np.int64]:
    return entry_loads(traffic, firewall.space.device(0), firewall.keys[0])


# --------------------------------------------------------------------------------------------------------------- drawing

_WIDTH = 720
_COLOURS = ("#4269d0", "#ff725c", "#3ca951")


def _svg(height: int, title: str, body: Sequence[str]) -> str:
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    style = 'font-family="sans-serif" font-size="11" fill="#222"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="20" y="20" font-size="13" font-weight="bold">{title}</text>',
    ]
    return "\n".join([*head, *body, "</svg>", ""])


def _bars(rows: Sequence[tuple[str, Sequence[float]]], title: str) -> str:
    """Rows of bars below each other, in pairs; the highest bar of each row is as high as that of any other."""
    body, left, height, wide = [], 225, 34, (_WIDTH - 225 - 110) / len(rows[0][1])
    for at, (name, shares) in enumerate(rows):
        floor = 76 + at * (height + 12) + at // 2 * 14
        top = max(shares)
        body.append(f'<text x="{left - 10}" y="{floor - 4}" text-anchor="end">{name}</text>')
        for queue, share in enumerate(shares):
            tall = share / top * height
            box = f'x="{left + queue * wide + 1:.1f}" y="{floor - tall:.1f}" width="{wide - 2:.1f}" height="{tall:.1f}"'
            body.append(f'<rect {box} fill="{_COLOURS[1 - at % 2]}"/>')
        body.append(f'<line x1="{left}" x2="{_WIDTH - 110}" y1="{floor}" y2="{floor}" stroke="#888"/>')
        used = sum(share > 0 for share in shares)
        told = f"{used} of {len(shares)} queues" if used > 1 else "one queue"
        body.append(f'<text x="{_WIDTH - 100}" y="{floor - 18}">{told}</text>')
        body.append(f'<text x="{_WIDTH - 100}" y="{floor - 4}">busiest {100 * top:.1f} %</text>')
    return _svg(62 + len(rows) * (height + 12) + len(rows) // 2 * 14 - height, title, body)


def _lines(lines: Sequence[tuple[str, Sequence[float]]], xs: Sequence[int], title: str, axis: str) -> str:
    """A line for each series over the same abscissae, and the diagonal."""
    height, left, right, top, bottom = 360, 50, 20, 60, 45
    most = max(xs)

    def x(value: float) -> float:
        return left + (value - 1) / (most - 1) * (_WIDTH - left - right)

    def y(value: float) -> float:
        return height - bottom - value / most * (height - top - bottom)

    body = []
    for tick in range(0, most + 1, 2):
        body.append(f'<line x1="{left}" x2="{_WIDTH - right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/>')
        body.append(f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>')
    body += [f'<text x="{x(n):.1f}" y="{height - bottom + 16}" text-anchor="middle">{n}</text>' for n in xs]
    body.append(f'<text x="{(left + _WIDTH - right) / 2}" y="{height - 10}" text-anchor="middle">{axis}</text>')
    ends = f'x1="{x(1):.1f}" y1="{y(1):.1f}" x2="{x(most):.1f}" y2="{y(most):.1f}"'
    body.append(f'<line {ends} stroke="#888" stroke-dasharray="4"/>')
    for at, (name, values) in enumerate(lines):
        points = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in zip(xs, values, strict=True))
        body.append(f'<polyline points="{points}" fill="none" stroke="{_COLOURS[at]}" stroke-width="2"/>')
        body.append(f'<rect x="{left + 180 * at}" y="34" width="10" height="10" fill="{_COLOURS[at]}"/>')
        body.append(f'<text x="{left + 180 * at + 14}" y="43">{name}</text>')
    return _svg(height, title, body)


if __name__ == "__main__":
    for file, text in figures().items():
        (IMAGES / file).write_text(text)
