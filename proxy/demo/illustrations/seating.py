"""Things to sit on."""

from __future__ import annotations

from proxy.demo.illustrations.canvas import (
    BLACK,
    BRASS,
    CREAM,
    OAK,
    STEEL,
    WALNUT,
    Look,
    ellipse,
    path,
    rect,
    shadow,
    stroke,
    turned,
)


def _leg(x: float, top: float, lean: float, color: str) -> str:
    return path(f"M{x - 11} {top}H{x + 11}L{x + lean + 6} 660H{x + lean - 6}Z", color)


def _pillow(x: float, y: float, size: float, color: str, degrees: float) -> str:
    return turned(rect(x, y, size, size, color, r=size / 4.5), degrees, x + size / 2, y + size / 2)


def sofa(look: Look) -> str:
    """0 soft, 1 contemporary, 2 chesterfield, 3 corner."""
    return (_soft_sofa, _slim_sofa, _chesterfield, _corner_sofa)[look.style](look)


def _soft_sofa(look: Look) -> str:
    main, accent = look.main, look.accent
    return (
        shadow(400, 656, 310)
        + "".join(_leg(x, 610, lean, OAK.dark) for x, lean in ((165, -8), (635, 8)))
        + rect(125, 365, 550, 230, main.dark, r=70)
        + rect(160, 372, 246, 190, main.base, r=62)
        + rect(394, 372, 246, 190, main.base, r=62)
        + rect(130, 545, 540, 82, main.dark, r=34)
        + rect(158, 503, 246, 84, main.light, r=36)
        + rect(396, 503, 246, 84, main.light, r=36)
        + rect(86, 440, 104, 192, main.base, r=50)
        + rect(610, 440, 104, 192, main.base, r=50)
        + _pillow(200, 420, 100, accent.base, -9)
        + _pillow(520, 428, 88, accent.dark, 12)
    )


def _slim_sofa(look: Look) -> str:
    main, accent = look.main, look.accent
    seats = range(3)
    return (
        shadow(400, 656, 320)
        + "".join(_leg(x, 590, lean, OAK.base) for x, lean in ((140, -16), (400, 0), (660, 16)))
        + rect(100, 572, 600, 30, OAK.base, r=8)
        + rect(112, 375, 576, 180, main.dark, r=24)
        + "".join(rect(128 + 182 * n, 388, 178, 140, main.base, r=22) for n in seats)
        + "".join(rect(128 + 182 * n, 508, 180, 70, main.light, r=18) for n in seats)
        + rect(88, 432, 44, 150, main.base, r=20)
        + rect(668, 432, 44, 150, main.base, r=20)
        + _pillow(150, 418, 96, accent.base, -7)
        + _pillow(214, 434, 78, CREAM.base, 9)
        + _pillow(566, 422, 90, accent.base, 8)
    )


def _chesterfield(look: Look) -> str:
    main = look.main
    tufts = [(150 + 62 * n + 31 * (row % 2), 400 + 42 * row) for row in range(4) for n in range(9 - row % 2)]
    quilting = "".join(f"M{x} {y}q15 20 31 42M{x} {y}q-15 20 -31 42" for x, y in tufts)
    return (
        shadow(400, 656, 330)
        + "".join(ellipse(x, 642, 17, 18, WALNUT.dark) for x in (130, 310, 490, 670))
        + rect(92, 370, 616, 220, main.base, r=30)
        + stroke(quilting, main.dark, 3, opacity=0.75)
        + "".join(ellipse(x, y, 6, 6, look.accent.base) for x, y in tufts)
        + rect(120, 560, 560, 70, main.dark, r=14)
        + "".join(rect(148 + 168 * n, 508, 168, 74, main.light, r=20) for n in range(3))
        + "".join(
            rect(x, 430, 88, 200, main.base, r=22)
            + ellipse(x + 44, 432, 56, 56, main.base)
            + stroke(f"M{x + 44} 432m-30 0a30 30 0 1 1 30 30a16 16 0 1 1 10 -30", main.dark, 4)
            for x in (62, 650)
        )
    )


def _corner_sofa(look: Look) -> str:
    main, accent = look.main, look.accent
    return (
        shadow(390, 668, 350, 22)
        + "".join(_leg(x, 620, 0, BLACK.base) for x in (100, 452, 700))
        + rect(70, 370, 650, 170, main.dark, r=26)
        + "".join(rect(88 + 196 * n, 384, 192, 142, main.base, r=24) for n in range(2))
        + rect(484, 384, 206, 142, main.base, r=24)
        + rect(76, 556, 420, 74, main.dark, r=16)
        + rect(96, 502, 194, 76, main.light, r=20)
        + rect(290, 502, 194, 76, main.light, r=20)
        + path("M484 520Q484 502 502 502H676Q694 502 697 520L716 600H474Z", main.light)
        + rect(470, 588, 250, 58, main.base, r=16)
        + rect(56, 430, 52, 200, main.base, r=24)
        + _pillow(120, 420, 92, accent.base, -8)
        + _pillow(590, 416, 92, accent.base, 9)
        + _pillow(528, 436, 76, CREAM.base, -6)
        + path("M330 500h88l8 84q-50 14-104 0z", accent.light)
    )


def armchair(look: Look) -> str:
    """0 club, 1 wingback, 2 lounge with an open frame."""
    return (_club_chair, _wingback, _lounge_chair)[look.style](look)


def _club_chair(look: Look) -> str:
    main, wood = look.main, look.accent
    return (
        shadow(400, 656, 220)
        + "".join(_leg(x, 610, lean, wood.base) for x, lean in ((255, -14), (545, 14)))
        + path("M225 580V400Q225 290 400 290T575 400V580Z", main.dark)
        + rect(262, 330, 276, 220, main.base, r=70)
        + rect(215, 560, 370, 66, main.dark, r=26)
        + rect(262, 500, 276, 88, main.light, r=38)
        + rect(190, 440, 92, 190, main.base, r=44)
        + rect(518, 440, 92, 190, main.base, r=44)
    )


def _wingback(look: Look) -> str:
    main, wood = look.main, look.accent
    buttons = [(x, y) for y in (250, 310, 370) for x in (350, 400, 450)]
    return (
        shadow(400, 656, 210)
        + "".join(_leg(x, 600, lean, wood.base) for x, lean in ((262, -18), (538, 18)))
        + path("M262 560L238 210Q236 150 300 150H500Q564 150 562 210L538 560Z", main.dark)
        + path("M300 540L292 220Q292 178 336 178H464Q508 178 508 220L500 540Z", main.base)
        + path("M262 470L226 230Q216 168 262 160Q300 190 296 300L300 480Z", main.light)
        + path("M538 470L574 230Q584 168 538 160Q500 190 504 300L500 480Z", main.light)
        + "".join(ellipse(x, y, 6, 6, main.dark) for x, y in buttons)
        + rect(240, 556, 320, 62, main.dark, r=22)
        + rect(276, 498, 248, 82, main.light, r=32)
        + rect(212, 446, 74, 172, main.base, r=36)
        + rect(514, 446, 74, 172, main.base, r=36)
    )


def _lounge_chair(look: Look) -> str:
    main, wood = look.main, look.accent
    return (
        shadow(410, 656, 230)
        + stroke("M560 400L610 652", wood.dark, 20)
        + stroke("M240 330L300 652", wood.dark, 20)
        + turned(rect(220, 240, 110, 330, main.base, r=48), -13, 275, 560)
        + turned(rect(262, 258, 84, 300, main.light, r=40), -13, 300, 560)
        + turned(rect(270, 500, 330, 92, main.base, r=42), -5, 430, 540)
        + turned(rect(280, 496, 322, 60, main.light, r=30), -5, 430, 540)
        + stroke("M225 455Q400 415 590 428", wood.base, 24)
        + stroke("M590 430L640 652M240 455L215 652", wood.base, 22)
        + stroke("M238 592L628 578", wood.base, 16)
    )


def wicker_sofa(look: Look) -> str:
    """0 woven, 1 rope, 2 slatted teak."""
    main, accent = look.main, look.accent
    seats = rect(150, 500, 250, 76, accent.base, r=28) + rect(400, 500, 250, 76, accent.base, r=28)
    backs = rect(160, 404, 232, 112, accent.light, r=34) + rect(408, 404, 232, 112, accent.light, r=34)
    if look.style == 0:
        weave = "".join(f"M{x} 350q12 18 0 36t0 36t0 36t0 36t0 36t0 36t0 36" for x in range(110, 700, 22))
        rows = "".join(f"M100 {y}H700" for y in range(368, 620, 18))
        return (
            shadow(400, 656, 320)
            + "".join(rect(x, 600, 26, 60, main.dark, r=6) for x in (108, 666))
            + path("M92 610V430Q92 340 190 340H610Q708 340 708 430V610Z", main.base)
            + stroke(weave, main.dark, 4, opacity=0.5)
            + stroke(rows, main.light, 3, opacity=0.7)
            + backs
            + seats
            + rect(140, 566, 520, 58, main.base, r=10)
            + stroke("".join(f"M{x} 572v46" for x in range(150, 660, 14)), main.dark, 4, opacity=0.45)
            + stroke("M92 610V430Q92 340 190 340H610Q708 340 708 430V610", main.light, 16)
            + _pillow(200, 418, 84, look.main.dark, -8)
        )
    if look.style == 1:
        ropes = "".join(f"M{x} 352V580" for x in range(112, 700, 13))
        return (
            shadow(400, 656, 320)
            + stroke("M110 580L96 652M690 580L704 652", main.dark, 16)
            + stroke(ropes, main.light, 6)
            + stroke("M104 590V400Q104 350 154 350H646Q696 350 696 400V590", main.dark, 18)
            + backs
            + seats
            + rect(98, 570, 604, 28, main.dark, r=12)
            + _pillow(540, 414, 92, "#c66a45", 8)
        )
    return (
        shadow(400, 656, 320)
        + "".join(rect(x, 430, 30, 230, main.dark, r=6) for x in (92, 678))
        + "".join(rect(130, y, 540, 26, main.base, r=6) for y in (360, 398, 436, 474))
        + "".join(rect(x, 346, 24, 200, main.dark, r=6) for x in (118, 658))
        + backs
        + seats
        + rect(92, 572, 616, 34, main.base, r=8)
        + rect(78, 428, 70, 26, main.light, r=10)
        + rect(652, 428, 70, 26, main.light, r=10)
    )


def office_chair(look: Look) -> str:
    """0 task chair, 1 leather, 2 bent wood."""
    main, accent = look.main, look.accent
    metal = STEEL if look.style == 0 else BRASS if look.style == 1 else BLACK
    base = (
        shadow(400, 660, 190)
        + rect(388, 510, 24, 90, metal.dark, light="round")
        + stroke("M400 596L240 634M400 596L560 634M400 596L330 646M400 596L470 646", metal.base, 16)
        + "".join(ellipse(x, 648, 15, 15, BLACK.base) for x in (240, 330, 470, 560))
    )
    if look.style == 0:
        mesh = "".join(f"M{300 + n * 14} 210V440" for n in range(15))
        return (
            base
            + stroke("M400 480V420", metal.dark, 22)
            + path("M296 250Q296 170 400 170T504 250L516 420Q516 460 400 460T284 420Z", main.base)
            + stroke(mesh, main.light, 2, opacity=0.5)
            + stroke("M262 510V410M538 510V410", metal.dark, 14)
            + rect(226, 398, 76, 22, BLACK.base, r=11)
            + rect(498, 398, 76, 22, BLACK.base, r=11)
            + rect(262, 470, 276, 62, main.dark, r=30)
            + rect(268, 462, 264, 46, main.base, r=23)
        )
    if look.style == 1:
        seams = "".join(f"M300 {y}H500" for y in (250, 305, 360))
        return (
            base
            + rect(280, 190, 240, 260, main.base, r=46)
            + stroke(seams, main.dark, 5)
            + stroke("M256 500V400Q256 380 290 380M544 500V400Q544 380 510 380", accent.base, 15)
            + rect(252, 450, 296, 76, main.dark, r=36)
            + rect(258, 440, 284, 58, main.light, r=28)
        )
    return (
        base
        + path("M270 250Q400 210 530 250L510 360Q400 330 290 360Z", main.base)
        + stroke("M300 350Q310 430 330 470M500 350Q490 430 470 470", main.dark, 20)
        + path("M256 462Q400 432 544 462L530 518Q400 540 270 518Z", main.light)
        + path("M262 500Q400 522 538 500L530 520Q400 542 270 520Z", main.dark)
        + stroke("M320 262Q400 240 480 262", accent.base, 4, opacity=0.25)
    )


def deck_chair(look: Look) -> str:
    """0 striped canvas, 1 wide-armed wood."""
    main, accent = look.main, look.accent
    if look.style == 0:
        stripes = "".join(
            path(
                f"M{286 + 38 * n} 206H{306 + 38 * n}Q{290 + 44 * n} 470 {266 + 46 * n} 588"
                f"H{242 + 46 * n}Q{268 + 44 * n} 470 {286 + 38 * n} 206Z",
                accent.base,
                light="",
            )
            for n in range(6)
        )
        return (
            shadow(400, 656, 240)
            + stroke("M250 190L590 650M550 190L600 400", OAK.dark, 20)
            + stroke("M550 190L210 650", OAK.dark, 20)
            + path("M272 206H528Q548 470 558 588H226Q258 470 272 206Z", main.base)
            + stripes
            + stroke("M248 196H552", OAK.base, 24)
            + stroke("M206 594H594", OAK.base, 24)
            + stroke("M262 190L190 652M538 190L610 652", OAK.base, 22)
        )
    slats = "".join(
        turned(rect(282 + 48 * n, 190 + abs(n - 2) * 16, 42, 330, main.base, r=14), (n - 2) * 3, 400, 520)
        for n in range(5)
    )
    return (
        shadow(400, 656, 260)
        + stroke("M280 500L250 654M520 500L550 654", main.dark, 26)
        + slats
        + stroke("M300 300Q400 280 500 300", main.dark, 18)
        + path("M262 500H538L580 590H220Z", main.light)
        + stroke("M252 524H548M240 550H560M230 574H570", main.dark, 4, opacity=0.6)
        + rect(212, 586, 376, 26, main.dark, r=8)
        + stroke("M222 450V654M578 450V654", main.base, 26)
        + rect(168, 428, 116, 28, main.light, r=12)
        + rect(516, 428, 116, 28, main.light, r=12)
        + rect(540, 372, 36, 56, accent.base, r=8, light="round")
    )


def hammock(look: Look) -> str:
    """Between the bars of its stand."""
    main, accent = look.main, look.accent
    stripes = "".join(
        stroke(f"M{190 + 8 * n} {404 + n * 2}Q400 {566 + n * 15} {610 - 8 * n} {404 + n * 2}", color, 12)
        for n, color in enumerate((accent.base, main.dark, accent.base, main.light, accent.base))
    )
    return (
        shadow(400, 660, 330)
        + stroke("M70 270L150 640H650L730 270", WALNUT.base, 26)
        + stroke("M150 640L110 656M650 640L690 656", WALNUT.dark, 26)
        + stroke("M76 290L186 396M76 290L196 424M724 290L614 396M724 290L604 424", accent.dark, 5)
        + path("M176 384Q400 520 624 384L604 436Q560 640 400 640T196 436Z", main.base)
        + stripes
        + stroke("M176 384L200 440M624 384L600 440", OAK.base, 16)
        + _pillow(232, 408, 88, accent.light, 22)
    )
