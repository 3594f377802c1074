"""Paint and pencils: tones, shapes with light on them, and what every picture needs before its shapes.

Everything is drawn on a square of 800 by 800 whose floor is at ``GROUND``. A shape is painted twice:
in its colour, then in a transparent gradient that is the light of the room.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

SIZE = 800
GROUND = 660

Number = float | int


class Tone(NamedTuple):
    """A colour in light, as it is, and in shade: ``#rrggbb``."""

    light: str
    base: str
    dark: str


class Look(NamedTuple):
    """How a thing is drawn: its colours, and which of its forms."""

    main: Tone
    accent: Tone
    style: int = 0


def mix(color: str, other: str, share: float) -> str:
    """Both colours, the second with this share (0 to 1)."""
    pairs = ((int(color[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def tone(base: str) -> Tone:
    """A colour with its light and its shade."""
    return Tone(mix(base, "#fffaf0", 0.3), base, mix(base, "#1c1420", 0.28))


TONES = {
    name: tone(base)
    for name, base in {
        "cream": "#eadfca",
        "sand": "#d3b98f",
        "clay": "#b8714f",
        "terracotta": "#c66a45",
        "blush": "#dfa898",
        "plum": "#7a4a63",
        "mustard": "#d29a33",
        "ochre": "#dba54b",
        "sage": "#92a98a",
        "olive": "#87905c",
        "forest": "#3b5f49",
        "teal": "#45837f",
        "ocean": "#3f7596",
        "navy": "#34486c",
        "sky": "#a3bfd0",
        "slate": "#6f7f8b",
        "charcoal": "#474a4d",
        "white": "#f4f0e8",
        "black": "#33322f",
        "oak": "#cf9f66",
        "walnut": "#85573a",
        "birch": "#e2c69a",
        "teak": "#ad7443",
        "ash": "#d9c3a0",
        "brass": "#c9a050",
        "copper": "#c27650",
        "steel": "#b4bbc0",
    }.items()
}

OAK, WALNUT, BRASS, STEEL = TONES["oak"], TONES["walnut"], TONES["brass"], TONES["steel"]
CREAM, WHITE, BLACK, LEAF = TONES["cream"], TONES["white"], TONES["black"], TONES["forest"]

DEFS = (
    "<defs>"
    '<linearGradient id="lit" x1="0" y1="0" x2="0" y2="1">'
    '<stop offset="0" stop-color="#fff" stop-opacity=".26"/>'
    '<stop offset=".45" stop-color="#fff" stop-opacity="0"/>'
    '<stop offset="1" stop-color="#1c1420" stop-opacity=".2"/></linearGradient>'
    '<linearGradient id="round" x1="0" y1="0" x2="1" y2="0">'
    '<stop offset="0" stop-color="#1c1420" stop-opacity=".16"/>'
    '<stop offset=".32" stop-color="#fff" stop-opacity=".26"/>'
    '<stop offset=".62" stop-color="#fff" stop-opacity="0"/>'
    '<stop offset="1" stop-color="#1c1420" stop-opacity=".3"/></linearGradient>'
    '<radialGradient id="glow"><stop offset="0" stop-color="#ffe9b0" stop-opacity=".85"/>'
    '<stop offset="1" stop-color="#ffe9b0" stop-opacity="0"/></radialGradient>'
    '<filter id="blur" x="-40%" y="-120%" width="180%" height="340%">'
    '<feGaussianBlur stdDeviation="13"/></filter>'
    "</defs>"
)


def element(name: str, **attributes: str | Number) -> str:
    """An element without content; ``stroke_width`` becomes ``stroke-width``."""
    written = (
        f"{key.replace('_', '-')}={quoteattr(value if isinstance(value, str) else f'{value:g}')}"
        for key, value in attributes.items()
    )
    return f"<{name} {' '.join(written)}/>"


def _painted(name: str, light: str, **attributes: str | Number) -> str:
    shape = element(name, **attributes)
    if not light:
        return shape
    geometry = {key: value for key, value in attributes.items() if key not in {"opacity", "fill"}}
    return shape + element(name, fill=f"url(#{light})", **geometry)


def rect(
    x: Number, y: Number, width: Number, height: Number, fill: str, *, r: Number = 0, light: str = "lit"
) -> str:
    """A box, with rounded corners of radius ``r``."""
    return _painted("rect", light, x=x, y=y, width=width, height=height, rx=r, fill=fill)


def ellipse(cx: Number, cy: Number, rx: Number, ry: Number, fill: str, *, light: str = "lit") -> str:
    """An ellipse; a circle where both radii are one."""
    return _painted("ellipse", light, cx=cx, cy=cy, rx=rx, ry=ry, fill=fill)


def path(d: str, fill: str, *, light: str = "lit", opacity: Number = 1) -> str:
    """A filled outline."""
    return _painted("path", light, d=d, fill=fill, opacity=opacity)


def stroke(d: str, color: str, width: Number, *, opacity: Number = 1) -> str:
    """A line with round ends."""
    return element(
        "path",
        d=d,
        fill="none",
        stroke=color,
        stroke_width=width,
        stroke_linecap="round",
        stroke_linejoin="round",
        opacity=opacity,
    )


def shadow(cx: Number, cy: Number, rx: Number, ry: Number = 18) -> str:
    """The soft shadow under a thing."""
    return element("ellipse", cx=cx, cy=cy, rx=rx, ry=ry, fill="#1c1420", opacity=0.3, filter="url(#blur)")


def lying(x: Number, y: Number, width: Number, height: Number, r: Number = 10) -> str:
    """The soft shadow of a flat thing that is seen from above."""
    return element(
        "rect",
        x=x,
        y=y,
        width=width,
        height=height,
        rx=r,
        fill="#1c1420",
        opacity=0.3,
        filter="url(#blur)",
    )


def glow(cx: Number, cy: Number, radius: Number) -> str:
    """Lamp light around a point."""
    return element("circle", cx=cx, cy=cy, r=radius, fill="url(#glow)")


def turned(content: str, degrees: Number, cx: Number, cy: Number) -> str:
    """Shapes, turned around a point."""
    return f'<g transform="rotate({degrees:g} {cx:g} {cy:g})">{content}</g>'


def placed(content: str, x: Number, y: Number, scale: Number, *, mirror: bool = False) -> str:
    """A thing of this canvas, standing in a larger picture: ``x`` its middle, ``y`` its floor."""
    across = -scale if mirror else scale
    left = x - across * SIZE / 2
    return (
        f'<g transform="translate({left:g} {y - scale * GROUND:g}) scale({across:g} {scale:g})">{content}</g>'
    )


def words(
    text: str, x: Number, y: Number, size: Number, fill: str, *, serif: bool = False, anchor: str = "start"
) -> str:
    """A line of text."""
    family = "Georgia, 'Times New Roman', serif" if serif else "system-ui, 'Segoe UI', Roboto, sans-serif"
    font = f'font-family={quoteattr(family)} font-size="{size:g}" font-weight="{700 if serif else 500}"'
    return f'<text x="{x:g}" y="{y:g}" {font} fill="{fill}" text-anchor="{anchor}">{escape(text)}</text>'


def picture(width: int, height: int, content: str, title: str) -> str:
    """A whole SVG document."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    return f"{head}{DEFS}{content}</svg>"
