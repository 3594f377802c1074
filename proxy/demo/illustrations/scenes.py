"""Rooms and banners: the goods, standing together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.demo.illustrations import bedroom, garden, kitchenware, lights, seating, tables, textiles
from proxy.demo.illustrations.canvas import (
    GROUND,
    SIZE,
    TONES,
    Look,
    Number,
    ellipse,
    mix,
    path,
    picture,
    placed,
    rect,
    stroke,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.demo.catalogue import Banner, Campaign, Category, Product, Variant

WIDE = (1200, 720)
NARROW = (480, 720)
_FLOOR = 540
"""Where a room's wall ends."""

_PANEL = 430
"""Width of the panel with the words of a wide banner."""

_INK = "#2a241d"

DRAWINGS: dict[str, Callable[[Look], str]] = {
    "armchair": seating.armchair,
    "bed": bedroom.bed,
    "bookshelf": tables.bookshelf,
    "bowl": kitchenware.bowl,
    "coffee_table": tables.coffee_table,
    "cutlery": kitchenware.cutlery,
    "deck_chair": seating.deck_chair,
    "desk": tables.desk,
    "desk_lamp": lights.desk_lamp,
    "floor_lamp": lights.floor_lamp,
    "hammock": seating.hammock,
    "kettle": kitchenware.kettle,
    "lantern": lights.lantern,
    "monstera": garden.monstera,
    "mug": kitchenware.mug,
    "nightstand": bedroom.nightstand,
    "office_chair": seating.office_chair,
    "organizer": tables.organizer,
    "pan": kitchenware.pan,
    "parasol": garden.parasol,
    "planter": garden.planter,
    "plates": kitchenware.plates,
    "pot": kitchenware.pot,
    "rack": tables.rack,
    "rug": textiles.rug,
    "sofa": seating.sofa,
    "table_lamp": lights.table_lamp,
    "towels": textiles.towels,
    "wardrobe": bedroom.wardrobe,
    "wicker_sofa": seating.wicker_sofa,
}

_FROM_ABOVE = {"rug", "cutlery"}
"""Seen from above: they lie, so there is no horizon behind them."""


def _look(main: str, accent: str, style: int = 0) -> Look:
    return Look(TONES[main], TONES[accent], style)


def draw(drawing: str, main: str, accent: str, style: int = 0) -> str:
    """One thing on the square canvas, without a background."""
    return DRAWINGS[drawing](_look(main, accent, style))


def product_photo(product: Product, variant: Variant) -> str:
    """A product before a studio wall in its room's tone, 800 by 800."""
    wall = TONES[product.category.wall].base
    back = rect(0, 0, SIZE, SIZE, mix(wall, "#fbf7f0", 0.72), light="")
    if product.drawing not in _FROM_ABOVE:
        floor = mix(wall, "#f4ece0", 0.55)
        back += ellipse(400, 372, 300, 300, mix(wall, "#fdfaf5", 0.84), light="")
        back += path(f"M0 {GROUND - 50}Q400 {GROUND - 90} 800 {GROUND - 50}V800H0Z", floor)
    thing = draw(product.drawing, variant.color, product.accent, product.style)
    return picture(SIZE, SIZE, back + thing, product.name)


def _window(x: Number, y: Number, sky: str) -> str:
    return (
        rect(x, y, 210, 290, "#fffaf0", r=8)
        + rect(x + 14, y + 14, 86, 262, sky, light="")
        + rect(x + 110, y + 14, 86, 262, sky, light="")
        + path(
            f"M{x + 14} {y + 230}q50-50 86-20v66h-86zM{x + 110} {y + 214}q40-40 86 4v58h-86z",
            "#92a98a",
            light="",
        )
        + rect(x - 14, y + 288, 238, 16, "#fffaf0", r=4)
    )


def _frames(x: Number, y: Number, tone: str) -> str:
    return (
        rect(x, y, 120, 156, "#4a3d33", r=3)
        + rect(x + 9, y + 9, 102, 138, "#f6efe3", light="")
        + ellipse(x + 60, y + 66, 30, 30, tone, light="")
        + path(f"M{x + 9} {y + 147}v-40q40-36 102 0v40z", mix(tone, "#1c1420", 0.3), light="")
        + rect(x + 140, y + 34, 92, 122, "#c79a5b", r=3)
        + rect(x + 148, y + 42, 76, 106, "#f6efe3", light="")
        + stroke(f"M{x + 186} {y + 136}v-60m0 34q-22-6-22-28m22 10q20-8 20-28", "#3b5f49", 5)
    )


def _shelf(x: Number, y: Number, things: str) -> str:
    brackets = stroke(f"M{x + 30} {y + 12}v24M{x + 310} {y + 12}v24", "#5b3a26", 8)
    return placed(things, x + 170, y, 0.5) + rect(x, y - 2, 340, 14, "#85573a", r=3) + brackets


def _row(*things: str) -> str:
    """Things next to each other, on a canvas of their own."""
    return "".join(placed(thing, 130 + 270 * n, GROUND, 0.34) for n, thing in enumerate(things))


def _living(sofa: str = "forest", chair: str = "clay") -> str:
    return (
        _window(610, 96, "#dbe9ee")
        + _frames(300, 130, "#c66a45")
        + placed(draw("monstera", "sage", "sage"), 1050, 624, 0.52)
        + placed(draw("floor_lamp", "brass", "cream", 1), 210, 612, 0.74)
        + _carpet(560, 640, 420, "#eadfca", "#a3452a")
        + placed(draw("sofa", sofa, "terracotta", 1), 500, 618, 0.74)
        + placed(draw("armchair", chair, "walnut", 0), 880, 640, 0.52)
        + placed(draw("coffee_table", "oak", "sage", 0), 560, 690, 0.42)
    )


def _bedroom() -> str:
    return (
        _window(860, 90, "#e7eef2")
        + _frames(380, 74, "#dfa898")
        + placed(draw("wardrobe", "oak", "brass", 0), 165, 610, 0.66)
        + _carpet(560, 662, 400, "#f4f0e8", "#6f7f8b")
        + placed(draw("bed", "navy", "blush", 2), 560, 656, 0.86)
        + placed(draw("nightstand", "oak", "brass", 0), 930, 634, 0.44)
        + placed(draw("table_lamp", "terracotta", "cream", 0), 942, 496, 0.26)
    )


_MUG = draw("mug", "ochre", "cream")


def _kitchen() -> str:
    return (
        _shelf(370, 190, _row(draw("plates", "cream", "clay"), draw("kettle", "sage", "oak"), _MUG))
        + _shelf(370, 300, _row(draw("bowl", "navy", "white"), _MUG, draw("pot", "mustard", "brass")))
        + _window(790, 92, "#e6eef0")
        + rect(126, 440, 948, 200, "#4a6154", light="")
        + rect(120, 420, 960, 28, "#e9dfcd", r=6)
        + "".join(
            rect(134 + 235 * n, 448, 225, 190, "#5f7a6a", r=6)
            + rect(216 + 235 * n, 470, 60, 10, "#c9a050", r=5)
            for n in range(4)
        )
        + rect(130, 638, 940, 22, "#3d342b", light="")
        + placed(draw("pot", "terracotta", "brass"), 250, 426, 0.26)
        + placed(draw("pan", "charcoal", "oak"), 470, 432, 0.24)
        + placed(draw("bowl", "walnut", "sage", 1), 700, 426, 0.2)
        + placed(draw("planter", "terracotta", "forest", 0), 960, 426, 0.26)
    )


def _bathroom() -> str:
    tiles = "".join(f"M0 {y}H1200" for y in range(330, 540, 42)) + "".join(
        f"M{x} 330V540" for x in range(30, 1200, 60)
    )
    tub = (
        path("M380 430H900Q900 610 800 626H480Q380 610 380 430Z", "#f8f5ee")
        + rect(360, 412, 560, 34, "#fffdf8", r=17)
        + path("M470 622h44l-10 38h-24zM766 622h44l-10 38h-24z", "#c9a050")
        + stroke("M860 412V330Q860 300 830 300H806V330", "#c9a050", 13)
        + path("M560 414q-40-2-40 40v96q50 12 96 0V414z", "#92a98a")
    )
    return (
        rect(0, 330, 1200, 210, "#eef1ea", light="")
        + stroke(tiles, "#c9d2c8", 2)
        + ellipse(640, 190, 104, 104, "#c9a050")
        + ellipse(640, 190, 94, 94, "#dde8e8")
        + stroke("M590 220l80-90M630 240l60-70", "#fff", 8, opacity=0.7)
        + placed(draw("rack", "oak", "cream", 0), 220, 640, 0.74)
        + tub
        + placed(draw("organizer", "sand", "clay", 1), 1010, 660, 0.36)
        + placed(draw("monstera", "sage", "sage"), 1080, 600, 0.4)
    )


def _outdoors() -> str:
    hills = path("M0 420Q260 300 520 400T1200 340V560H0Z", "#8ea67b") + path(
        "M0 470Q340 380 700 460T1200 430V560H0Z", "#6f8d62"
    )
    return (
        rect(0, 0, 1200, 560, "#cfe0e2", light="")
        + ellipse(930, 170, 70, 70, "#fbe3a6", light="")
        + hills
        + rect(0, _FLOOR - 20, 1200, 220, "#b58454", light="")
        + stroke("".join(f"M0 {y}H1200" for y in range(_FLOOR, 720, 34)), "#8a5f39", 3, opacity=0.6)
        + placed(draw("parasol", "terracotta", "cream"), 330, 628, 0.88)
        + placed(draw("wicker_sofa", "sand", "cream", 0), 600, 640, 0.66)
        + placed(draw("deck_chair", "ocean", "white", 0), 960, 660, 0.56)
        + placed(draw("planter", "terracotta", "forest", 0), 150, 650, 0.46)
        + placed(draw("lantern", "black", "ochre", 0), 770, 690, 0.22)
        + placed(draw("planter", "cream", "olive", 1), 1120, 640, 0.4)
    )


def _office() -> str:
    return (
        _window(520, 84, "#e6eef0")
        + _frames(780, 110, "#45837f")
        + placed(draw("bookshelf", "oak", "terracotta", 0), 230, 620, 0.78)
        + _carpet(660, 650, 380, "#eadfca", "#45837f")
        + placed(draw("desk", "oak", "charcoal", 0), 660, 626, 0.78)
        + placed(draw("desk_lamp", "ochre", "black", 0), 850, 422, 0.26, mirror=True)
        + placed(draw("office_chair", "ocean", "steel", 0), 700, 676, 0.62)
        + placed(draw("monstera", "sage", "sage"), 1050, 630, 0.52)
    )


def _carpet(x: Number, y: Number, half: Number, color: str, line: str) -> str:
    return ellipse(x, y, half, 52, color, light="") + stroke(
        f"M{x - half + 36} {y}a{half - 36} 38 0 1 0 {2 * half - 72} 0a{half - 36} 38 0 1 0 {72 - 2 * half} 0",
        line,
        4,
        opacity=0.6,
    )


_ROOMS = {
    "living-room": _living,
    "bedroom": _bedroom,
    "kitchen": _kitchen,
    "bathroom": _bathroom,
    "outdoors": _outdoors,
    "home-office": _office,
}


def _room(things: str, wall: str, floor: str) -> str:
    rows = ((540, 44, 180), (584, 50, 340), (634, 56, 200))
    planks = "".join(f"M0 {y + high}H1200" for y, high, _ in rows) + "".join(
        f"M{x} {y}v{high}" for y, high, first in rows for x in range(first, 1200, 340)
    )
    return (
        rect(0, 0, 1200, 720, mix(TONES[wall].base, "#fbf3e6", 0.34), light="")
        + rect(0, _FLOOR, 1200, 180, TONES[floor].base)
        + stroke(planks, TONES[floor].dark, 2, opacity=0.35)
        + rect(0, _FLOOR - 18, 1200, 18, "#fffaf0", light="")
        + things
    )


def room_photo(category: Category) -> str:
    """A room without words, 5:3."""
    return picture(*WIDE, _room(_ROOMS[category.path](), category.wall, category.floor), category.name)


def _wrapped(text: str, most: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _wide(room: str, panel: str, lines: tuple[str, str, str], title: str) -> str:
    """A room, and words on a panel that covers its left third."""
    over, text, call = lines
    said = _wrapped(text, 12)
    top = 350 - 34 * len(said)
    below = top + 62 * len(said) + 56
    content = (
        f'<g transform="translate({_PANEL / 2:g} 0)">{room}</g>'
        + path(f"M0 0H{_PANEL - 30}Q{_PANEL + 50} 360 {_PANEL - 30} 720H0Z", panel, light="")
        + words(over.upper(), 60, top - 22, 22, "#8a4a2e")
        + "".join(words(line, 58, top + 60 * (n + 1), 48, _INK, serif=True) for n, line in enumerate(said))
        + rect(58, below - 24, 56 + 13 * len(call), 60, "#2f4d3f", r=30, light="")
        + words(call, 58 + 28 + 6.5 * len(call), below + 15, 25, "#ffffff", anchor="middle")
    )
    return picture(*WIDE, content, title)


def banner_photo(banner: Banner) -> str:
    """A room with words (5:3), or one thing with words (2:3)."""
    category = banner.category
    if banner.type == "main":
        room = _room(_ROOMS[category.path](), category.wall, category.floor)
        panel = mix(TONES[category.wall].base, "#fdf8ef", 0.82)
        return _wide(room, panel, (category.name, category.tagline, "Take a look"), banner.name)
    wall = TONES[category.wall].base
    width, height = NARROW
    content = (
        rect(0, 0, width, height, mix(wall, "#fbf3e6", 0.42), light="")
        + ellipse(width / 2, 470, 200, 200, mix(wall, "#fdf7ec", 0.7), light="")
        + path(
            f"M0 {height - 120}Q240 {height - 150} {width} {height - 120}V{height}H0Z",
            mix(wall, "#f2e4cf", 0.35),
        )
        + words(category.name, width / 2, 104, 50, _INK, serif=True, anchor="middle")
        + words(category.tagline, width / 2, 150, 25, "#4b4238", anchor="middle")
        + placed(draw(category.drawing, *_STARS[category.path]), width / 2, height - 78, 0.62)
    )
    return picture(width, height, content, banner.name)


_STARS: dict[str, tuple[str, str, int]] = {
    "living-room/sofas": ("terracotta", "cream", 1),
    "living-room/armchairs": ("teal", "walnut", 1),
    "living-room/coffee-tables": ("oak", "sage", 0),
    "living-room/rugs": ("terracotta", "ochre", 1),
    "living-room/floor-lamps": ("oak", "cream", 0),
    "bedroom/beds": ("navy", "blush", 2),
    "bedroom/nightstands": ("oak", "brass", 0),
    "bedroom/wardrobes": ("walnut", "sand", 1),
    "bedroom/table-lamps": ("terracotta", "cream", 0),
    "kitchen/cutlery": ("brass", "blush", 1),
    "kitchen/cookware": ("ocean", "brass", 0),
    "kitchen/tableware": ("cream", "clay", 0),
    "bathroom/towels": ("blush", "cream", 1),
    "bathroom/racks": ("oak", "cream", 0),
    "bathroom/organizer": ("sand", "clay", 1),
    "outdoors/outdoor-sofas": ("sand", "cream", 0),
    "outdoors/deck-chairs": ("ocean", "white", 0),
    "outdoors/planters": ("terracotta", "forest", 0),
    "outdoors/lanterns": ("black", "ochre", 0),
    "home-office/desks": ("oak", "charcoal", 0),
    "home-office/office-chairs": ("ocean", "steel", 0),
    "home-office/shelves": ("walnut", "sage", 1),
    "home-office/desk-lamps": ("ochre", "black", 0),
}


def campaign_photo(campaign: Campaign) -> str:
    """The shop's own banner, 5:3: the living room in autumn light."""
    room = _room(_living(sofa="mustard", chair="teal"), "plum", "walnut")
    return _wide(room, "#fbf3e6", (campaign.title, campaign.text, "Come in"), campaign.title)
