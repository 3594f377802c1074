"""Things to put things on."""

from __future__ import annotations

from proxy.demo.illustrations.canvas import (
    BLACK,
    OAK,
    STEEL,
    WHITE,
    Look,
    ellipse,
    path,
    rect,
    shadow,
    stroke,
)

CORD = "#c9b28a"


def coffee_table(look: Look) -> str:
    """0 with a slatted shelf, 1 round marble, 2 nesting."""
    main, accent = look.main, look.accent
    if look.style == 0:
        return (
            shadow(400, 654, 300)
            + "".join(path(f"M{x} 470h30l{lean} 190h-18z", main.dark) for x, lean in ((150, -14), (618, 8)))
            + "".join(rect(160, y, 480, 12, main.dark, r=5) for y in (574, 592))
            + rect(220, 542, 150, 18, "#a3452a", r=3)
            + rect(232, 524, 132, 18, "#eadfca", r=3)
            + path(
                "M110 440Q110 428 124 428H676Q690 428 690 440V468Q690 478 676 478H124Q110 478 110 468Z",
                main.base,
            )
            + path("M124 428L176 392H624L676 428Z", main.light)
            + stroke("M180 408H480M300 418H600", main.dark, 2, opacity=0.4)
            + rect(470, 352, 66, 60, accent.base, r=14, light="round")
            + stroke("M500 352q-16-50-40-70M502 352q4-60 20-90M506 352q22-40 44-50", "#3b5f49", 6)
        )
    if look.style == 1:
        veins = "M210 400q60 26 130 8t120 22M420 380q40 20 120 12M280 424q70 10 120-6"
        return (
            shadow(400, 654, 230)
            + stroke("M260 430L220 654M540 430L580 654M400 440V654", accent.dark, 18)
            + stroke("M236 560Q400 590 564 560", accent.base, 12)
            + path("M140 408V432Q140 500 400 500T660 432V408Z", main.dark, light="round")
            + ellipse(400, 408, 260, 72, main.base)
            + stroke(veins, "#b9b2a6", 3, opacity=0.7)
            + ellipse(330, 396, 62, 18, accent.base)
            + ellipse(330, 390, 50, 13, accent.dark)
        )
    return (
        shadow(430, 656, 290)
        + stroke("M200 420L170 654M470 420L500 654M336 436V650", accent.base, 14)
        + path("M130 400V420Q130 476 336 476T542 420V400Z", main.dark)
        + ellipse(336, 400, 206, 56, main.base)
        + stroke("M220 396Q336 372 450 398M240 414Q340 430 430 412", main.dark, 2, opacity=0.5)
        + stroke("M450 530L436 654M650 530L670 654M552 540V650", accent.base, 14)
        + path("M416 512V530Q416 572 554 572T692 530V512Z", main.dark)
        + ellipse(554, 512, 138, 38, main.light)
        + rect(280, 330, 70, 62, WHITE.base, r=12, light="round")
        + stroke("M350 346q26 0 24 20t-26 16", WHITE.dark, 8)
    )


def desk(look: Look) -> str:
    """0 writing desk, 1 standing desk, 2 trestles."""
    main, accent = look.main, look.accent
    things = (
        rect(340, 262, 190, 122, BLACK.base, r=10)
        + rect(350, 272, 170, 100, "#a3bfd0", r=4)
        + path("M310 384H560L580 400H290Z", STEEL.base)
        + rect(160, 330, 46, 66, accent.base, r=8, light="round")
        + stroke("M174 330V280M186 330L196 272M196 330L212 290", OAK.dark, 6)
    )
    if look.style == 0:
        return (
            shadow(400, 654, 310)
            + "".join(path(f"M{x} 470h28l{lean} 190h-16z", main.dark) for x, lean in ((124, -10), (648, 0)))
            + rect(110, 418, 580, 74, main.base, r=8)
            + rect(136, 432, 236, 48, main.light, r=6)
            + rect(428, 432, 236, 48, main.light, r=6)
            + "".join(ellipse(x, 456, 9, 9, accent.base) for x in (254, 546))
            + rect(88, 396, 624, 28, main.light, r=10)
            + things
        )
    if look.style == 1:
        return (
            shadow(400, 658, 320)
            + "".join(
                rect(x - 18, 424, 36, 120, accent.light, r=4)
                + rect(x - 13, 500, 26, 142, accent.base, light="round")
                + rect(x - 92, 636, 184, 22, accent.base, r=10)
                for x in (200, 600)
            )
            + rect(190, 440, 420, 20, accent.base, r=4)
            + rect(80, 396, 640, 34, main.base, r=12)
            + rect(610, 430, 70, 20, "#222", r=6)
            + stroke("M110 410H420M300 418H690", main.dark, 2, opacity=0.5)
            + things
        )
    trestles = "".join(
        stroke(f"M{x} 424L{x - 54} 652M{x} 424L{x + 54} 652M{x - 36} 570H{x + 36}", accent.base, 18)
        for x in (200, 600)
    )
    return (
        shadow(400, 656, 320)
        + trestles
        + rect(60, 398, 680, 26, main.base, r=4)
        + rect(60, 410, 680, 14, main.dark, r=4)
        + things
    )


def rack(look: Look) -> str:
    """0 ladder, 1 shelves on rope, 2 rail."""
    main, accent = look.main, look.accent
    if look.style == 0:
        towel = "".join(
            path(f"M{x} {y}h{w}v{h}q-{w / 2} 10-{w} 0z", color)
            for x, y, w, h, color in (
                (300, 236, 120, 190, accent.base),
                (330, 386, 150, 160, "#92a98a"),
            )
        )
        return (
            shadow(400, 656, 170)
            + stroke("M268 120L250 652M532 120L550 652", main.base, 22)
            + stroke("M266 226H534M262 376H538M256 520H544", main.dark, 16)
            + towel
            + stroke("M300 226H420M330 376H480", main.light, 16)
        )
    if look.style == 1:
        items = (
            rect(270, 208, 56, 82, accent.base, r=12, light="round")
            + rect(340, 236, 40, 54, "#dfa898", r=8, light="round")
            + rect(300, 372, 190, 30, "#f4f0e8", r=14)
            + rect(306, 398, 184, 32, accent.light, r=14)
            + rect(440, 526, 80, 44, "#d3b98f", r=10, light="round")
            + rect(280, 500, 50, 70, "#92a98a", r=10, light="round")
            + path("M462 290q-24-36-4-52h40q20 16-4 52z", "#c66a45", light="round")
            + stroke("M476 240q-10-44-34-56M478 240q0-40 14-66M482 240q18-28 40-34", "#3b5f49", 6)
        )
        return (
            shadow(400, 640, 190, 12)
            + stroke("M400 110L236 290M400 110L564 290", CORD, 6)
            + stroke("M236 290V580M564 290V580M248 290V580M552 290V580", CORD, 5)
            + ellipse(400, 108, 12, 12, main.dark)
            + "".join(rect(214, y, 372, 24, main.base, r=6) for y in (290, 430, 570))
            + items
        )
    return (
        shadow(400, 656, 220)
        + stroke("M240 650V220Q240 180 280 180H520Q560 180 560 220V650", main.base, 16)
        + stroke("M240 300H560M240 480H560", main.base, 12)
        + stroke("M200 652H280M520 652H600", main.dark, 16)
        + path("M300 176H430V440Q365 452 300 440Z", accent.base)
        + stroke("M300 410H430", accent.light, 8)
        + path("M450 296H530V470Q490 478 450 470Z", "#f4f0e8")
        + rect(268, 566, 264, 30, accent.light, r=14)
        + rect(262, 594, 276, 34, "#f4f0e8", r=15)
    )


def organizer(look: Look) -> str:
    """0 drawers and shelf, 1 three baskets, 2 tray."""
    main, accent = look.main, look.accent
    if look.style == 0:
        return (
            shadow(400, 652, 270)
            + rect(150, 320, 500, 330, main.dark, r=18)
            + rect(170, 340, 460, 120, "#6d4a2e", r=8)
            + rect(204, 376, 60, 84, accent.base, r=12, light="round")
            + rect(276, 396, 46, 64, "#dfa898", r=8, light="round")
            + rect(340, 428, 130, 32, "#f4f0e8", r=14)
            + rect(346, 400, 118, 30, accent.light, r=14)
            + stroke("M520 456V376M536 456L552 370M550 456L574 388", main.light, 8)
            + rect(504, 404, 74, 56, "#eadfca", r=8, light="round")
            + rect(170, 476, 224, 156, main.base, r=10)
            + rect(406, 476, 224, 156, main.base, r=10)
            + ellipse(282, 552, 15, 15, accent.dark)
            + ellipse(518, 552, 15, 15, accent.dark)
            + rect(136, 304, 528, 28, main.light, r=10)
        )
    if look.style == 1:
        return shadow(400, 656, 330) + "".join(
            _basket(x, top, half, main.base if n != 1 else main.light, main.dark)
            for n, (x, top, half) in enumerate(((270, 350, 160), (560, 440, 126), (400, 530, 96)))
        )
    bottle = path("M250 560V430q0-24 22-30v-44h36v44q22 6 22 30v130z", "#45837f", light="round")
    return (
        shadow(400, 622, 300)
        + path("M130 560H670L640 622Q636 632 620 632H180Q164 632 160 622Z", main.dark)
        + ellipse(400, 560, 280, 44, main.base)
        + stroke("M210 556q80 20 150 2t170 14M300 580q60-12 180-6", "#b9b2a6", 3, opacity=0.7)
        + ellipse(400, 560, 280, 44, "none", light="")
        + bottle
        + rect(270, 330, 40, 30, accent.base, r=4)
        + rect(372, 470, 84, 92, "#dfa898", r=16, light="round")
        + rect(366, 452, 96, 26, accent.base, r=10)
        + path("M500 566q-16-70 46-70t46 70z", "#f4f0e8", light="round")
        + ellipse(546, 490, 10, 10, accent.base)
    )


def _basket(x: float, top: float, half: float, color: str, dark: str) -> str:
    weave = "".join(
        f"M{x - half * 0.96:g} {y:g}q{half * 0.96:g} {half * 0.3:g} {half * 1.92:g} 0"
        for y in range(round(top) + 24, 626, 26)
    )
    ribs = "".join(f"M{x + half * n / 4:g} {top + 30:g}L{x + half * 0.8 * n / 4:g} 650" for n in range(-3, 4))
    return (
        path(
            f"M{x - half} {top}L{x - half * 0.82:g} 626Q{x} 680 {x + half * 0.82:g} 626L{x + half} {top}Z",
            color,
            light="round",
        )
        + stroke(weave, dark, 5, opacity=0.45)
        + stroke(ribs, dark, 4, opacity=0.3)
        + ellipse(x, top, half, half * 0.26, dark)
        + ellipse(x, top + 6, half * 0.88, half * 0.2, "#3d2c1c")
        + stroke(f"M{x - half} {top - 4}q-26 46 8 70M{x + half} {top - 4}q26 46-8 70", dark, 10)
    )


def bookshelf(look: Look) -> str:
    """0 open, 1 ladder, 2 cubes."""
    main, accent = look.main, look.accent
    if look.style == 0:
        shelves = [190, 300, 410, 520, 630]
        return (
            shadow(400, 660, 220)
            + rect(216, 84, 368, 570, main.dark, r=8)
            + "".join(rect(236, y - 92, 328, 92, mix_shade(main.dark), light="") for y in shelves)
            + "".join(_row(240, y, 320, accent.base, n) for n, y in enumerate(shelves))
            + "".join(rect(226, y, 348, 16, main.light, r=3) for y in shelves)
            + stroke("M222 92V654M578 92V654", main.base, 20)
            + rect(206, 74, 388, 22, main.light, r=6)
        )
    if look.style == 1:
        rows = [(210, 90), (340, 118), (470, 146), (600, 174)]
        return (
            shadow(400, 660, 220)
            + stroke("M316 110L250 652M484 110L550 652", BLACK.base, 12)
            + "".join(
                _row(400 - half + 10, y, 2 * half - 20, accent.base, n + 5)
                for n, (y, half) in enumerate(rows)
            )
            + "".join(rect(400 - half, y, 2 * half, 20, main.base, r=5) for y, half in rows)
        )
    cells = [(x, y) for y in (230, 370, 510) for x in (204, 344, 484)]
    return (
        shadow(400, 656, 270)
        + rect(184, 210, 432, 440, main.dark, r=10)
        + "".join(rect(x, y, 128, 126, "#c9c2b4", light="") for x, y in cells)
        + "".join(_row(x + 8, y + 126, 112, accent.base, n) for n, (x, y) in enumerate(cells) if n % 3 != 1)
        + path("M380 496q-28-50 6-76h44q34 26 6 76z", "#c66a45", light="round")
        + ellipse(408, 322, 42, 34, "#d29a33")
        + rect(350, 560, 116, 76, "#d3b98f", r=8)
        + stroke("M332 214V650M472 214V650M188 362H612M188 502H612", main.base, 14)
        + stroke("M190 216H610V644H190Z", main.light, 14)
    )


def mix_shade(color: str) -> str:
    """The inside of a shelf: the wood, further from the light."""
    return "#" + "".join(f"{int(int(color[at : at + 2], 16) * 0.72):02x}" for at in (1, 3, 5))


_SPINES = ("#a3452a", "#eadfca", "#45837f", "#d29a33", "#34486c", "#dfa898", "#92a98a", "#7a4a63")
_SIZES = ((22, 74), (18, 62), (26, 80), (16, 70), (24, 58), (20, 78), (28, 66))


def _row(x: float, floor: float, width: float, accent: str, seed: int) -> str:
    """Books on a shelf, and a vase where they end."""
    books, at, n = "", x, seed * 3
    while at + 30 < x + width * (0.62 if seed % 2 else 0.86):
        thick, tall = _SIZES[n % len(_SIZES)]
        books += rect(at, floor - tall, thick, tall, _SPINES[n % len(_SPINES)], r=2)
        at += thick + 2
        n += 1
    if seed % 2:
        books += path(f"M{at + 26:g} {floor:g}q-16-34 4-56h30q20 22 4 56z", accent, light="round")
    return books
