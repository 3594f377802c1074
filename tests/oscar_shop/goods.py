"""What the shop sells: five categories below three, and a few things that are sold out."""

from __future__ import annotations

from typing import NamedTuple


class Good(NamedTuple):
    """A product; ``price`` in pounds, ``stock`` in pieces, ``colour`` of its picture."""

    name: str
    price: str
    stock: int
    colour: str


INDOOR = "Plants > Indoor plants"
HERBS = "Plants > Herbs"
TOOLS = "Garden > Tools"
POTS = "Garden > Pots & planters"
SEEDS = "Seeds"

GOODS = {
    INDOOR: [
        Good("Monstera", "34.00", 8, "#2f6f4e"),
        Good("Rubber fig", "29.50", 5, "#3b5d3a"),
        Good("Snake plant", "22.00", 14, "#4f7f52"),
        Good("Spider plant", "12.50", 20, "#6a9a5b"),
        Good("Peace lily", "18.00", 0, "#3f7a5e"),
        Good("String of pearls", "15.75", 9, "#7fa66b"),
        Good("Fiddle-leaf fig", "1049.00", 2, "#40683f"),
        Good("Boston fern", "17.25", 11, "#588a4d"),
    ],
    HERBS: [
        Good("Sweet basil", "3.20", 40, "#5f9e4a"),
        Good("Curly parsley", "2.90", 36, "#4c8b3f"),
        Good("Rosemary", "4.50", 25, "#5c7a66"),
        Good("Lemon thyme", "3.90", 0, "#8fa65a"),
        Good("Spearmint", "3.40", 31, "#4aa06a"),
        Good("French tarragon", "4.80", 12, "#6f8f4f"),
        Good("Common sage", "3.75", 18, "#8a9a83"),
    ],
    TOOLS: [
        Good("Bypass secateurs", "27.95", 16, "#b5462f"),
        Good('Digging fork "Old & True"', "48.00", 6, "#7a5a3c"),
        Good("Hand trowel", "11.50", 33, "#8c6a43"),
        Good("Dutch hoe", "32.40", 7, "#6d6f73"),
        Good("Border spade", "52.00", 0, "#5d5145"),
        Good("Watering can, 9 litres", "24.00", 13, "#3f6c8c"),
        Good("Leather gloves", "19.99", 22, "#b08a4f"),
        Good("Garden twine", "4.25", 60, "#a77f48"),
    ],
    POTS: [
        Good("Terracotta pot", "6.50", 44, "#b8643f"),
        Good("Glazed planter", "38.00", 5, "#3d6f80"),
        Good("Hanging basket", "14.20", 17, "#7b6347"),
        Good("Window box", "21.00", 12, "#8d4f3a"),
        Good("Zinc tub", "45.50", 4, "#7f898f"),
        Good("Seed tray", "3.10", 80, "#4a4f45"),
        Good("Clay saucer", "2.40", 51, "#c07a52"),
    ],
    SEEDS: [
        Good("Sunflower seeds", "2.10", 90, "#e0a92e"),
        Good("Sweet pea seeds", "2.60", 75, "#c97fa5"),
        Good("Runner bean seeds", "2.95", 64, "#c2452d"),
        Good("Cornflower seeds", "1.90", 0, "#4d68b0"),
        Good("Nasturtium seeds", "2.30", 58, "#dd7a2b"),
        Good("Crème de Cassis poppy seeds", "3.05", 27, "#7a2f52"),
    ],
}
