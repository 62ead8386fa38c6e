"""Box plots of packets per core as SVG, after the thesis's figure 4.9.

Takes, for each kind of traffic and each number of cores, the packets that each core receives; gives the text of an
SVG file that any browser shows, without a plotting library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil
from statistics import quantiles

Series = Mapping[str, Mapping[int, Sequence[int]]]
"""Kind of traffic -> number of cores -> packets of each core."""

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 50, 50  # margins
_COLOURS = ("#4269d0", "#ff725c", "#3ca951", "#a463f2")
_TICKS = 5
_STEP = 0.5  # of tick labels, or a multiple of it


def skew_plot(series: Series, title: str) -> str:
    """SVG of one box (minimum, quartiles, maximum) for each series at each number of cores.

    The vertical axis is a core's load over the mean of all cores: 1 is perfect. Raises ValueError without data.
    """
    cores = sorted({n for of_kind in series.values() for n in of_kind})
    if not cores:
        raise ValueError("nothing to plot")
    relative = {
        kind: {n: [load * n / max(1, sum(loads)) for load in loads] for n, loads in of_kind.items()}
        for kind, of_kind in series.items()
    }
    top = max(load for of_kind in relative.values() for loads in of_kind.values() for load in loads)
    top = _TICKS * _STEP * ceil(top / (_TICKS * _STEP))
    body = [_frame(title, top, cores)]
    for at, (kind, of_kind) in enumerate(relative.items()):
        colour = _COLOURS[at % len(_COLOURS)]
        x = _LEFT + 150 * at
        body.append(f'<rect x="{x}" y="28" width="10" height="10" fill="{colour}"/>')
        body.append(f'<text x="{x + 14}" y="37">{escape(kind)}</text>')
        for slot, n in enumerate(cores):
            if n in of_kind:
                body.append(_box(of_kind[n], top, slot, len(cores), at, len(relative), colour))
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    style = 'font-family="sans-serif" font-size="11" fill="#222"'
    background = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>', background, *body, "</svg>", ""])


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)


def _frame(title: str, top: float, cores: Sequence[int]) -> str:
    right, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    lines = [f'<text x="{_LEFT}" y="18" font-size="13" font-weight="bold">{escape(title)}</text>']
    for tick in range(_TICKS + 1):
        value = top * tick / _TICKS
        y = _y(value, top)
        lines.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.1f}</text>')
    ideal = _y(1, top)
    lines.append(
        f'<line x1="{_LEFT}" x2="{right}" y1="{ideal:.1f}" y2="{ideal:.1f}" stroke="#888" stroke-dasharray="4"/>'
    )
    step = (right - _LEFT) / len(cores)
    for slot, n in enumerate(cores):
        x = _LEFT + (slot + 0.5) * step
        lines.append(f'<text x="{x:.1f}" y="{floor + 16}" text-anchor="middle">{n}</text>')
    middle = (_LEFT + right) / 2
    lines.append(f'<text x="{middle}" y="{_HEIGHT - 12}" text-anchor="middle">cores</text>')
    lines.append(
        f'<text transform="translate(16 {(_TOP + floor) / 2}) rotate(-90)" text-anchor="middle">'
        "packets of a core / mean</text>"
    )
    return "\n".join(lines)


def _box(values: Sequence[float], top: float, slot: int, slots: int, at: int, kinds: int, colour: str) -> str:
    step = (_WIDTH - _LEFT - _RIGHT) / slots
    width = 0.7 * step / kinds
    x = _LEFT + slot * step + 0.15 * step + at * width
    low, high = min(values), max(values)
    first, median, third = quantiles(values, method="inclusive") if len(values) > 1 else (low, low, low)
    middle, box = x + width / 2, 0.8 * width
    y1, y3 = _y(first, top), _y(third, top)
    return "\n".join(
        (
            f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{_y(low, top):.1f}" y2="{_y(high, top):.1f}" '
            f'stroke="{colour}"/>',
            f'<rect x="{x + 0.1 * width:.1f}" y="{y3:.1f}" width="{box:.1f}" height="{max(1.0, y1 - y3):.1f}" '
            f'fill="{colour}" fill-opacity="0.5" stroke="{colour}"/>',
            f'<line x1="{x + 0.1 * width:.1f}" x2="{x + 0.9 * width:.1f}" y1="{_y(median, top):.1f}" '
            f'y2="{_y(median, top):.1f}" stroke="#222"/>',
        )
    )
