"""Things to sleep in, and what stands beside."""

from __future__ import annotations

from proxy.demo.illustrations.canvas import (
    BLACK,
    OAK,
    WHITE,
    Look,
    ellipse,
    glow,
    path,
    rect,
    shadow,
    stroke,
)


def bed(look: Look) -> str:
    """0 plain, 1 upholstered, 2 channelled velvet, 3 canopy."""
    main, accent = look.main, look.accent
    narrow = 70 if look.style == 0 else 0
    left, right = 110 + narrow, 690 - narrow
    pillows = (
        rect(300, 388, 200, 92, WHITE.base, r=40)
        if narrow
        else rect(186, 388, 206, 96, WHITE.base, r=42) + rect(408, 388, 206, 96, WHITE.base, r=42)
    )
    cushion = rect(338, 424, 124, 66, accent.base, r=26)
    linen = (
        path(f"M{left + 40} 452H{right - 40}L{right} 590H{left}Z", WHITE.base)
        + path(f"M{left + 32} 484H{right - 32}L{right + 8} 596Q400 622 {left - 8} 596Z", main.light)
        + path(f"M{left - 8} 590Q400 616 {right + 8} 590V628Q400 652 {left - 8} 628Z", main.base)
        + path(f"M{left + 34} 478H{right - 34}L{right - 27} 504H{left + 27}Z", accent.light)
    )
    feet = "".join(rect(x, 620, 22, 40, OAK.dark, r=4) for x in (left + 8, right - 30))
    head = (_plain_head, _padded_head, _velvet_head, _canopy)[look.style](look)
    return shadow(400, 658, 300 - narrow) + head + feet + pillows + cushion + linen


def _plain_head(_look: Look) -> str:
    posts = "".join(rect(x, 300, 26, 330, OAK.base, r=8) for x in (190, 584))
    return posts + "".join(rect(200, y, 400, 34, OAK.base, r=6) for y in (322, 372, 422))


def _padded_head(look: Look) -> str:
    main = look.main
    buttons = [(x, y) for y in (310, 366) for x in (210, 305, 400, 495, 590)]
    return rect(120, 262, 560, 300, main.base, r=40) + "".join(
        ellipse(x, y, 7, 7, main.dark) for x, y in buttons
    )


def _velvet_head(look: Look) -> str:
    main = look.main
    return rect(92, 236, 616, 330, main.dark, r=26) + "".join(
        rect(104 + 74 * n, 246, 74, 310, main.base, r=30, light="round") for n in range(8)
    )


def _canopy(look: Look) -> str:
    back = (
        stroke("M150 150H650M150 150V560M650 150V560", OAK.dark, 14)
        + rect(150, 320, 500, 190, OAK.base, r=12)
        + "".join(rect(174 + 58 * n, 338, 46, 160, OAK.light, r=8) for n in range(8))
    )
    front = stroke("M92 110H708M92 110V650M708 110V650M92 110L150 150M708 110L650 150", OAK.base, 16)
    cloth = path("M92 112H250Q210 220 170 300T120 600Q100 500 96 300Z", look.main.light, opacity=0.85) + path(
        "M708 112H550Q590 220 630 300T680 600Q700 500 704 300Z", look.main.light, opacity=0.85
    )
    return back + front + cloth


def nightstand(look: Look) -> str:
    """0 two drawers, 1 round, 2 floating."""
    main, accent = look.main, look.accent
    if look.style == 0:
        return (
            shadow(400, 656, 170)
            + path("M262 600h26l-14 60h-18zM512 600h26l6 60h-18z", main.dark)
            + rect(240, 330, 320, 280, main.base, r=14)
            + "".join(
                rect(262, y, 276, 106, main.light, r=8) + rect(372, y + 44, 56, 14, accent.base, r=7)
                for y in (356, 480)
            )
            + rect(226, 314, 348, 28, main.light, r=10)
            + _books(270, 314)
            + rect(470, 262, 44, 52, "#e9f0ee", r=6, light="round")
        )
    if look.style == 1:
        return (
            shadow(400, 654, 170)
            + rect(270, 590, 20, 66, accent.dark, r=4)
            + rect(510, 590, 20, 66, accent.dark, r=4)
            + path("M240 360V580Q240 622 400 622T560 580V360Z", main.base, light="round")
            + stroke("M240 470Q240 506 400 506T560 470", main.dark, 5)
            + ellipse(400, 526, 14, 14, accent.base)
            + ellipse(400, 360, 170, 46, main.dark)
            + ellipse(400, 356, 152, 36, main.light)
            + _books(330, 352)
        )
    return (
        glow(400, 440, 260)
        + rect(220, 396, 360, 130, main.base, r=12)
        + rect(236, 430, 328, 82, main.light, r=8)
        + rect(208, 384, 384, 26, main.dark, r=8)
        + _books(256, 384)
        + rect(486, 318, 12, 66, accent.dark)
        + path("M452 322L470 250H514L532 322Z", "#f3e3c0")
        + shadow(400, 574, 150, 10)
    )


def _books(x: float, y: float) -> str:
    return (
        rect(x, y - 20, 120, 20, "#a3452a", r=3)
        + rect(x + 10, y - 38, 104, 18, "#e2c69a", r=3)
        + rect(x + 4, y - 58, 96, 20, "#45837f", r=3)
    )


def wardrobe(look: Look) -> str:
    """0 two doors, 1 cane doors, 2 dresser."""
    return (_doors, _doors, _dresser)[look.style](look)


def _dresser(look: Look) -> str:
    main, accent = look.main, look.accent
    return (
        shadow(400, 656, 310)
        + "".join(rect(x, 600, 26, 60, main.dark, r=5) for x in (130, 644))
        + rect(108, 330, 584, 290, main.base, r=16)
        + "".join(
            rect(128 + 276 * column, 352 + 84 * row, 264, 74, main.light, r=8)
            + ellipse(210 + 276 * column, 389 + 84 * row, 10, 10, accent.base)
            + ellipse(310 + 276 * column, 389 + 84 * row, 10, 10, accent.base)
            for column in range(2)
            for row in range(3)
        )
        + rect(92, 312, 616, 30, main.light, r=10)
        + path("M190 312q-22-50 6-84h30q28 34 6 84z", "#c66a45", light="round")
        + stroke("M210 228q-20-60-44-84M212 228q4-70 24-112M214 228q30-40 52-58", "#3b5f49", 7)
        + rect(500, 190, 120, 122, BLACK.light, r=4)
        + rect(512, 202, 96, 98, "#eadfca", light="")
        + path("M512 300q20-60 48-40t48-30v70z", "#92a98a", light="")
    )


def _doors(look: Look) -> str:
    main, accent = look.main, look.accent
    doors = "".join(rect(x, 118, 196, 470, main.light, r=8) for x in (196, 408))
    if look.style == 1:
        lattice = "".join(
            f"M{x} {150 + row * 24}l24 24l24 -24M{x} {174 + row * 24}l24 -24l24 24"
            for x in (222, 270, 318, 434, 482, 530)
            for row in range(17)
        )
        cane = (
            rect(218, 144, 152, 430, accent.light, r=4)
            + rect(430, 144, 152, 430, accent.light, r=4)
            + stroke(lattice, accent.dark, 2, opacity=0.55)
        )
    else:
        cane = stroke("M220 150H368V556H220ZM432 150H580V556H432Z", main.dark, 3, opacity=0.5)
    return (
        shadow(400, 656, 250)
        + path("M206 600h30l-8 60h-16zM564 600h30l-6 60h-16z", main.dark)
        + rect(176, 100, 448, 516, main.base, r=12)
        + doors
        + cane
        + rect(164, 88, 472, 26, main.dark, r=8)
        + rect(378, 330, 9, 78, BLACK.base if look.style else accent.dark, r=4)
        + rect(413, 330, 9, 78, BLACK.base if look.style else accent.dark, r=4)
    )
