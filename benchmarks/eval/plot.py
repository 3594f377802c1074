"""A line chart as SVG, in a few lines: no drawing library for one picture."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 400, 56, 48, 40, 150
COLOURS = ("#0b6e4f", "#c05621", "#4a5568", "#2b6cb0")


def round_up(value: float) -> float:
    """The next value whose fifths are round: 0.37 becomes 0.4, 36.6 becomes 40."""
    scale = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * scale for step in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10) if step * scale >= value)


def line_chart(
    title: str,
    x_label: str,
    ticks: Sequence[str],
    lines: Mapping[str, Sequence[float]],
) -> str:
    """Lines over evenly spaced, named places; the vertical axis begins at zero."""
    top = round_up(max(max(values) for values in lines.values()))
    across, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(at: int) -> float:
        return LEFT + across * at / max(1, len(ticks) - 1)

    def y(value: float) -> float:
        return TOP + high * (1 - value / top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"',
        f' font-family="system-ui, sans-serif" font-size="12"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for step in range(6):
        value = round(top * step / 5, 6)
        parts.append(
            f'<path d="M{LEFT} {y(value):.1f}h{across}" stroke="#e2e8f0"/>'
            f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    for at, tick in enumerate(ticks):
        parts.append(
            f'<text x="{x(at):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{escape(tick)}</text>'
        )
    parts.append(
        f'<text x="{LEFT + across / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>'
    )
    ends: list[float] = []
    for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in enumerate(values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        label = y(values[-1])
        while any(abs(label - other) < 15 for other in ends):
            label += 15
        ends.append(label)
        parts.append(
            f'<text x="{LEFT + across + 10}" y="{label + 4:.1f}" fill="{colour}">{escape(name)}</text>'
        )
    return "".join([*parts, "</svg>\n"])
