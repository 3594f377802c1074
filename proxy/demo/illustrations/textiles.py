"""Things that are woven."""

from __future__ import annotations

from proxy.demo.illustrations.canvas import CREAM, Look, element, ellipse, lying, path, rect, shadow, stroke


def towels(look: Look) -> str:
    """0 waffle stack, 1 folded set, 2 hung with fringes."""
    return (_stack, _stack, _hung)[look.style](look)


def _hung(look: Look) -> str:
    main, accent = look.main, look.accent
    fringe = "".join(f"M{250 + 13 * n} 590v44" for n in range(24))
    return (
        shadow(400, 668, 190, 12)
        + stroke("M170 176H630", "#85573a", 18)
        + path("M236 170H564V596Q400 612 236 596Z", main.base)
        + "".join(
            rect(236, y, 328, height, accent.base, light="")
            for y, height in ((260, 16), (288, 36), (336, 16), (500, 28))
        )
        + path("M236 170H564V300H236Z", main.light, opacity=0.35)
        + stroke("M300 186V588M390 186V600M480 186V588", main.dark, 5, opacity=0.25)
        + stroke(fringe, accent.base, 5)
        + stroke("M236 176H564", main.light, 20)
    )


def _stack(look: Look) -> str:
    main, accent = look.main, look.accent
    colors = (
        (main.base, main.light, main.base, main.dark)
        if look.style == 0
        else (accent.base, main.base, accent.light, main.light)
    )
    stack = ""
    for n, color in enumerate(colors):
        y = 566 - 82 * n
        left, width = 180 + 9 * (n % 2), 440 - 18 * (n % 2)
        stack += (
            rect(left, y, width, 84, color, r=38)
            + stroke(f"M{left + 40} {y + 43}H{left + width - 8}", "#1c1420", 3, opacity=0.16)
            + stroke(f"M{left + 64} {y + 16}V{y + 68}M{left + 80} {y + 16}V{y + 68}", "#fff", 5, opacity=0.45)
        )
        if look.style == 0:
            waffle = "".join(f"M{x} {y + 12}v60" for x in range(left + 110, left + width - 20, 22))
            stack += stroke(waffle, "#1c1420", 2, opacity=0.12)
    sprig = stroke("M420 316Q470 250 560 236", "#5f7a52", 6) + "".join(
        ellipse(x, y, 20, 9, "#7f9a6f")
        for x, y in ((452, 276), (484, 246), (496, 276), (526, 232), (556, 250))
    )
    return shadow(400, 652, 250) + stack + sprig


def rug(look: Look) -> str:
    """0 Berber, 1 striped, 2 round."""
    return (_berber, _kilim, _braided)[look.style](look)


def _braided(look: Look) -> str:
    colors = (look.main.base, look.main.light, look.accent.base, look.main.dark)
    rings = "".join(
        ellipse(400, 400, 300 - 24 * n, 300 - 24 * n, colors[n % 4], light="")
        + element(
            "circle",
            cx=400,
            cy=400,
            r=288 - 24 * n,
            fill="none",
            stroke="#1c1420",
            stroke_opacity=0.16,
            stroke_width=20,
            stroke_dasharray="5 13",
        )
        for n in range(12)
    )
    return lying(112, 118, 600, 600, 300) + rings


def _field(look: Look, fringe: str) -> str:
    threads = "".join(f"M{186 + 13 * n} 96V122M{186 + 13 * n} 678V704" for n in range(34))
    return (
        lying(190, 132, 448, 568)
        + stroke(threads, fringe, 5)
        + rect(176, 116, 448, 568, look.main.base, r=6, light="")
    )


def _weft() -> str:
    lines = "".join(f"M180 {y}H620" for y in range(124, 684, 9))
    return stroke(lines, "#1c1420", 1.6, opacity=0.1)


def _berber(look: Look) -> str:
    sides = "".join(f"M{x} {190 + 140 * row}l74 70l-74 70l-74 -70z" for row in range(3) for x in (288, 512))
    middle = "".join(f"M400 {120 + 140 * row}l74 70l-74 70l-74 -70z" for row in range(4))
    dots = "".join(ellipse(400, 190 + 140 * row, 14, 14, look.accent.base) for row in range(4))
    lines = stroke(sides + middle, look.accent.base, 7, opacity=0.85)
    return _field(look, look.main.dark) + lines + dots + _weft()


def _kilim(look: Look) -> str:
    main, accent = look.main, look.accent
    half = (
        (accent.base, 40), (main.dark, 18), (CREAM.base, 26), (main.base, 56), ("#45837f", 30),
        (CREAM.base, 14), (main.dark, 36), (accent.light, 24), (main.base, 40),
    )  # fmt: skip
    stripes, y = "", 116
    for color, height in (*half, *reversed(half)):
        stripes += rect(176, y, 448, height, color, light="")
        y += height
    return _field(look, accent.light) + stripes + _weft()
