"""Things that shine."""

from __future__ import annotations

from proxy.demo.illustrations.canvas import (
    BLACK,
    BRASS,
    WHITE,
    Look,
    ellipse,
    glow,
    path,
    rect,
    shadow,
    stroke,
    turned,
)


def floor_lamp(look: Look) -> str:
    """0 tripod, 1 arc, 2 paper lantern."""
    main, accent = look.main, look.accent
    if look.style == 0:
        return (
            shadow(400, 656, 150)
            + glow(400, 250, 270)
            + stroke("M400 300L410 640", main.dark, 16)
            + stroke("M396 300L290 652M404 300L520 652", main.base, 18)
            + stroke("M344 480H462", BRASS.base, 6)
            + path("M288 310L326 130H474L512 310Q400 336 288 310Z", accent.base, light="round")
            + stroke("M326 130Q400 142 474 130", accent.light, 5)
        )
    if look.style == 1:
        return (
            shadow(280, 656, 120)
            + glow(560, 330, 220)
            + path("M190 624H330L344 656H176Z", WHITE.base)
            + stroke("M200 640q40-8 70 4t60-6", "#b9b2a6", 3)
            + stroke("M258 626C240 220 330 96 470 110S572 190 568 236", main.base, 13)
            + path("M462 330Q470 226 568 226T674 330Q568 352 462 330Z", main.base, light="round")
            + ellipse(568, 330, 106, 17, accent.light)
        )
    ribs = "".join(f"M{400 - half} {y}Q400 {y + 22} {400 + half} {y}" for y, half in _RIBS)
    return (
        shadow(400, 656, 110)
        + glow(400, 300, 300)
        + rect(392, 420, 16, 220, accent.base)
        + path("M310 656Q310 634 400 634T490 656Z", accent.base)
        + ellipse(400, 290, 172, 160, main.light, light="round")
        + stroke(ribs, main.dark, 3, opacity=0.45)
        + rect(366, 126, 68, 14, accent.base, r=5)
        + rect(366, 440, 68, 14, accent.base, r=5)
    )


_RIBS = ((170, 114), (205, 146), (240, 163), (275, 171), (310, 170), (345, 160), (380, 141), (412, 108))


def table_lamp(look: Look) -> str:
    """0 ceramic with a shade, 1 mushroom."""
    main, accent = look.main, look.accent
    if look.style == 0:
        return (
            shadow(400, 654, 130)
            + glow(400, 330, 290)
            + rect(386, 400, 28, 70, BRASS.dark, light="round")
            + path(
                "M342 650Q250 560 330 476Q364 446 400 446T470 476Q550 560 458 650Z", main.base, light="round"
            )
            + stroke("M300 560Q400 590 500 560", main.dark, 4, opacity=0.5)
            + path("M256 430L318 196H482L544 430Q400 464 256 430Z", accent.base, light="round")
            + stroke("M318 196Q400 210 482 196", accent.light, 5)
        )
    return (
        shadow(400, 654, 160)
        + glow(400, 420, 300)
        + path("M366 420H434L452 620H348Z", main.dark, light="round")
        + ellipse(400, 632, 124, 26, main.dark)
        + ellipse(400, 624, 124, 24, main.base)
        + path("M200 424Q206 230 400 230T600 424Q400 470 200 424Z", accent.light, light="round")
        + path("M200 424Q400 470 600 424Q400 446 200 424Z", main.base, light="")
    )


def desk_lamp(look: Look) -> str:
    """0 balanced arm, 1 banker's."""
    main, accent = look.main, look.accent
    if look.style == 0:
        head = path("M388 196H472L540 330Q430 356 320 330Z", main.base, light="round") + rect(
            404, 164, 52, 40, main.dark, r=8
        )
        return (
            shadow(330, 654, 150)
            + glow(540, 420, 230)
            + ellipse(320, 644, 130, 22, main.dark)
            + ellipse(320, 634, 130, 22, main.base)
            + stroke("M320 630L230 420M340 626L250 420", accent.base, 10)
            + stroke("M236 420L452 214M250 436L466 230", accent.base, 10)
            + ellipse(242, 424, 24, 24, main.base)
            + stroke("M262 500L282 560", main.light, 8)
            + turned(head, -24, 440, 200)
        )
    return (
        shadow(400, 654, 190)
        + glow(400, 450, 260)
        + path("M270 650Q270 612 400 612T530 650Z", accent.base)
        + rect(388, 380, 24, 240, accent.base, light="round")
        + path("M216 392Q228 270 330 256H470Q572 270 584 392Q400 420 216 392Z", main.base)
        + path("M216 392Q400 420 584 392L580 404Q400 434 220 404Z", accent.light)
        + stroke("M520 410V500", accent.dark, 4)
        + ellipse(520, 506, 8, 10, accent.base)
        + rect(380, 236, 40, 24, accent.base, r=8)
    )


def lantern(look: Look) -> str:
    """0 storm lantern, 1 rattan."""
    main, accent = look.main, look.accent
    flame = (
        glow(400, 500, 230)
        + rect(366, 520, 68, 100, "#f6ead2", r=6, light="round")
        + path("M400 440q30 44 0 76q-30-32 0-76z", accent.light)
        + path("M400 470q14 24 0 44q-14-20 0-44z", "#fff6dc", light="")
    )
    if look.style == 0:
        return (
            shadow(400, 658, 160)
            + stroke("M336 250Q336 140 400 140T464 250", main.base, 12)
            + path("M400 190L540 300H260Z", main.base)
            + rect(278, 300, 244, 330, "#dfe7e4", r=4)
            + flame
            + stroke("M278 300V630M522 300V630M360 300V630M440 300V630", main.base, 9)
            + rect(256, 292, 288, 22, main.dark, r=6)
            + rect(250, 622, 300, 36, main.base, r=8)
        )
    lattice = "".join(
        f"M{250 + 50 * n} 380Q{320 + 40 * n} 500 {290 + 36 * n} 640"
        f"M{550 - 50 * n} 380Q{480 - 40 * n} 500 {510 - 36 * n} 640"
        for n in range(6)
    )
    return (
        shadow(400, 656, 190)
        + stroke("M270 370Q280 160 400 160T530 370", main.dark, 12)
        + path("M240 376Q190 520 280 644H520Q610 520 560 376Z", "#7d6241", light="round", opacity=0.55)
        + flame
        + stroke(lattice, main.base, 9)
        + stroke("M222 470Q400 500 578 470M226 550Q400 584 574 550", main.dark, 8)
        + ellipse(400, 376, 162, 30, main.base)
        + ellipse(400, 376, 138, 20, BLACK.base)
        + rect(276, 632, 248, 24, main.dark, r=10)
    )
