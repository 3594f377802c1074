"""A curve as SVG: few lines, both axes logarithmic, readable on light and on dark paper."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.curve import Curve

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 220, 30, 50
COLOURS = ("#8a8f98", "#1f77b4", "#c49a00", "#d1495b", "#2a9d8f")
FRAME = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="13">'
MARKS = [step * 10**power for power in range(7) for step in (1, 2, 5)]


def svg(curve: Curve) -> str:
    """The plot: requests a second over the curve's axis."""
    rates = [rate for line in curve.rates.values() for rate in line]
    low, high = _bounds(rates)

    def x(value: float) -> float:
        return LEFT + _share(value, curve.at[0], curve.at[-1]) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - _share(value, low, high) * (HEIGHT - TOP - BOTTOM)

    out = [FRAME.format(WIDTH, HEIGHT)]
    marks = [mark for mark in MARKS if low <= mark <= high]
    out += [f'<path d="M{LEFT} {y(mark):.1f}H{WIDTH - RIGHT}" stroke="#8884"/>' for mark in marks]
    out += [_text(LEFT - 8, y(mark) + 4, f"{mark:,}", anchor="end") for mark in marks]
    out += [_text(x(value), HEIGHT - BOTTOM + 20, f"{value}", anchor="middle") for value in curve.at]
    out.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, curve.what, anchor="middle"))
    out.append(_text(LEFT, TOP - 12, "requests/s"))
    free = math.inf
    by_end = sorted(zip(curve.rates.items(), COLOURS, strict=False), key=lambda line: line[0][1][-1])
    for (title, line), colour in by_end:
        points = " ".join(f"{x(at):.1f},{y(rate):.1f}" for at, rate in zip(curve.at, line, strict=True))
        label = min(y(line[-1]) + 4, free)  # labels keep a line's distance from one another
        free = label - 16
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(_text(WIDTH - RIGHT + 10, label, title, fill=colour))
    return "\n".join([*out, "</svg>", ""])


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#888") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _share(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


def _bounds(rates: list[float]) -> tuple[int, int]:
    low = max((mark for mark in MARKS if mark <= min(rates)), default=MARKS[0])
    high = min((mark for mark in MARKS if mark >= max(rates)), default=MARKS[-1])
    return low, high if high > low else low * 10
