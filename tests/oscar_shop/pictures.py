"""One drawing for each kind of thing, in the product's colour."""

from __future__ import annotations

from math import cos, radians, sin

from PIL import Image, ImageDraw

from oscar_shop import goods

SIZE = 480
"""Pixels of a side."""
SMOOTH = 2
"""Drawn so many times larger, and scaled down."""
PAPER = "#f4f1ea"
CLAY = "#b8643f"
WOOD = "#8c6a43"
METAL = "#6d6f73"


def draw(trail, colour):
    """The picture of a product of a category."""
    side = SIZE * SMOOTH
    image = Image.new("RGB", (side, side), PAPER)
    pen = ImageDraw.Draw(image)
    pen.ellipse(box(90, 385, 390, 425), fill="#e2dccd")
    KINDS[trail](pen, colour)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def box(*numbers):
    return [number * SMOOTH for number in numbers]


def pot(pen, colour, left=170, right=310, top=290, bottom=405):
    pen.polygon(box(left, top, right, top, right - 22, bottom, left + 22, bottom), fill=colour)
    pen.rounded_rectangle(box(left - 10, top - 18, right + 10, top + 8), 8 * SMOOTH, fill=colour)


def leaf(pen, angle, length, width, colour, foot=(240, 285)):
    """A leaf that grows from a foot; ``angle`` in degrees from the vertical."""
    across, up = sin(radians(angle)), -cos(radians(angle))
    points = []
    for step in range(41):
        share = step / 40
        along = 1 - abs(2 * share - 1)
        side = width * sin(along * 3.1416) * (1 if share < 0.5 else -1)
        points += [
            foot[0] + across * length * along - up * side,
            foot[1] + up * length * along + across * side,
        ]
    pen.polygon(box(*points), fill=colour)


def plant(pen, colour):
    for angle, length in ((-62, 150), (62, 150), (-38, 195), (38, 195), (-14, 225), (16, 215)):
        leaf(pen, angle, length, 30, colour)
    pot(pen, CLAY)


def herb(pen, colour):
    for angle in (-40, -20, 0, 20, 40):
        across, up = sin(radians(angle)), -cos(radians(angle))
        pen.line(box(240, 290, 240 + across * 170, 290 + up * 170), fill=colour, width=5 * SMOOTH)
        for height in (70, 110, 150):
            foot = (240 + across * height, 290 + up * height)
            leaf(pen, angle - 55, 50, 13, colour, foot)
            leaf(pen, angle + 55, 50, 13, colour, foot)
    pot(pen, METAL, 185, 295, 300, 400)


def tool(pen, colour):
    pen.rounded_rectangle(box(226, 70, 254, 275), 14 * SMOOTH, fill=WOOD)
    pen.rectangle(box(230, 265, 250, 315), fill=METAL)
    pen.polygon(box(185, 300, 295, 300, 285, 370, 240, 415, 195, 370), fill=colour)


def vessel(pen, colour):
    pot(pen, colour, 120, 360, 190, 405)


def packet(pen, colour):
    pen.rounded_rectangle(box(150, 85, 330, 405), 10 * SMOOTH, fill="#ffffff", outline="#d8d0bf", width=3)
    pen.rectangle(box(150, 330, 330, 375), fill=colour)
    for turn in range(0, 360, 45):
        leaf(pen, turn, 70, 18, colour, (240, 215))
    pen.ellipse(box(218, 193, 262, 237), fill="#5b4630")


KINDS = {
    goods.INDOOR: plant,
    goods.HERBS: herb,
    goods.TOOLS: tool,
    goods.POTS: vessel,
    goods.SEEDS: packet,
}
