"""A curve as SVG: few lines, both axes logarithmic where that helps, readable on light and on dark paper."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.curve import Curve

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 240, 30, 50
COLOURS = ("#8a8f98", "#1f77b4", "#c49a00", "#d1495b", "#2a9d8f")
FRAME = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="13">'
MARKS = [step * 10.0**power for power in range(-3, 7) for step in (1, 2, 5)]
LEAST_SPREAD = 1.5
"""Between the axis's ends, at least: a flat line shall look flat."""


def svg(curve: Curve) -> str:
    """The plot: the curve's figure over its axis."""
    low, high = _bounds([value for line in curve.lines.values() for value in line])

    def x(at: float) -> float:
        return LEFT + _share(at, curve.at[0], curve.at[-1]) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - _share(value, low, high) * (HEIGHT - TOP - BOTTOM)

    out = [FRAME.format(WIDTH, HEIGHT)]
    marks = [mark for mark in MARKS if low <= mark <= high]
    out += [f'<path d="M{LEFT} {y(mark):.1f}H{WIDTH - RIGHT}" stroke="#8884"/>' for mark in marks]
    out += [_text(LEFT - 8, y(mark) + 4, f"{mark:,g}", anchor="end") for mark in marks]
    out += [_text(x(at), HEIGHT - BOTTOM + 20, f"{at:,}", anchor="middle") for at in curve.at]
    out.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, curve.over, anchor="middle"))
    out.append(_text(LEFT, TOP - 12, curve.what))
    free = math.inf
    by_end = sorted(zip(curve.lines.items(), COLOURS, strict=False), key=lambda line: line[0][1][-1])
    for (title, line), colour in by_end:
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in zip(curve.at, line, strict=True))
        label = min(y(line[-1]) + 4, free)  # labels keep a line's distance from one another
        free = label - 16
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(_text(WIDTH - RIGHT + 10, label, title, fill=colour))
    return "\n".join([*out, "</svg>", ""])


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """The axis: to the next mark below and above, and never a narrow one."""
    least, most = max(*MARKS[:1], min(values)), max(*MARKS[:1], *values)
    low = max((mark for mark in MARKS if mark <= least), default=least)
    high = min((mark for mark in MARKS if mark >= max(most, low * LEAST_SPREAD)), default=most)
    return low, high


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between two others, on a logarithmic scale; a linear one from 0 on."""
    if low <= 0:
        return (value - low) / (high - low)
    return math.log(max(value, low) / low) / math.log(high / low)


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#8a8f98") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
