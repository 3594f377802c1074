"""Things that grow, and what keeps the sun off."""

from __future__ import annotations

from proxy.demo.illustrations.canvas import (
    LEAF,
    OAK,
    WALNUT,
    Look,
    ellipse,
    path,
    rect,
    shadow,
    stroke,
    turned,
)


def _leaf(x: float, y: float, length: float, degrees: float, color: str) -> str:
    half = length * 0.3
    return turned(
        path(f"M{x} {y}q{-half:g} {-length / 2:g} 0 {-length:g}q{half:g} {length / 2:g} 0 {length:g}z", color)
        + stroke(f"M{x} {y}v{-length * 0.85:g}", "#fff", 2, opacity=0.25),
        degrees,
        x,
        y,
    )


def _foliage(x: float, y: float, size: float, dark: str, light: str) -> str:
    angles = (-74, 70, -50, 52, -28, 30, -10, 12)
    return "".join(
        _leaf(x, y, size * (0.8 + 0.06 * n), angle, light if n % 2 else dark)
        for n, angle in enumerate(angles)
    )


def planter(look: Look) -> str:
    """0 terracotta, 1 fluted, 2 raised on legs."""
    main, leaf = look.main, look.accent
    if look.style == 0:
        return (
            shadow(400, 656, 160)
            + _foliage(400, 450, 260, leaf.dark, leaf.light)
            + path("M286 470H514L488 640Q486 656 468 656H332Q314 656 312 640Z", main.base, light="round")
            + rect(266, 430, 268, 56, main.light, r=10, light="round")
        )
    if look.style == 1:
        flutes = "".join(rect(276 + 31 * n, 440, 31, 214, main.base, r=12, light="round") for n in range(8))
        fronds = "".join(
            stroke(
                f"M400 430Q{400 + dx / 3:g} {200 - abs(dx) / 6:g} {400 + dx} {260 + abs(dx) / 2:g}", color, 15
            )
            for dx, color in zip(
                (-230, 230, -160, 170, -90, 90, -20, 40),
                (leaf.dark, leaf.base, leaf.light, leaf.dark) * 2,
                strict=True,
            )
        )
        return shadow(400, 656, 170) + fronds + flutes + rect(262, 420, 276, 36, main.light, r=12)
    return (
        shadow(400, 656, 160)
        + _foliage(400, 380, 240, leaf.dark, leaf.light)
        + stroke("M300 420L270 654M500 420L530 654M400 470V640", OAK.dark, 14)
        + path("M270 390H530Q526 520 400 520T270 390Z", main.base, light="round")
        + ellipse(400, 390, 130, 22, main.dark)
        + _leaf(400, 392, 150, -4, leaf.base)
    )


def monstera(_look: Look) -> str:
    """A big plant for the corner of a room."""
    stems = (
        (260, 200, -30), (540, 180, 28), (330, 120, -12), (470, 110, 12),
        (220, 340, -58), (580, 330, 58), (400, 70, 0),
    )  # fmt: skip
    leaves = "".join(
        stroke(f"M400 520Q{(400 + x) / 2:g} 400 {x} {y + 70}", LEAF.dark, 8)
        + turned(
            path(
                f"M{x} {y + 80}q-92-20-74-104q30-52 74-66q44 14 74 66q18 84-74 104z",
                LEAF.base if n % 2 else LEAF.light,
            )
            + stroke(
                f"M{x} {y + 80}V{y - 70}M{x} {y + 40}l-46-30M{x} {y + 40}l46-30M{x} {y}l-40-30M{x} {y}l40-30",
                LEAF.dark,
                4,
            ),
            angle,
            x,
            y,
        )
        for n, (x, y, angle) in enumerate(stems)
    )
    return (
        shadow(400, 656, 150)
        + leaves
        + path("M300 500H500L476 640Q472 656 454 656H346Q328 656 324 640Z", "#f4f0e8", light="round")
        + rect(288, 484, 224, 40, "#eadfca", r=10, light="round")
    )


def parasol(look: Look) -> str:
    """Open, on its foot."""
    main, accent = look.main, look.accent
    panels = "".join(
        path(f"M400 120Q{x1} 150 {x1} 330L{x2} 330Q{x2} 150 400 120Z", main.base if n % 2 else accent.base)
        for n, (x1, x2) in enumerate(((90, 190), (190, 300), (300, 400), (400, 500), (500, 610), (610, 710)))
    )
    scallops = "".join(
        path(f"M{x1} 328H{x2}Q{(x1 + x2) / 2:g} 376 {x1} 328Z", main.dark if n % 2 else accent.dark)
        for n, (x1, x2) in enumerate(((90, 190), (190, 300), (300, 400), (400, 500), (500, 610), (610, 710)))
    )
    return (
        shadow(400, 658, 170)
        + rect(391, 130, 18, 510, WALNUT.base, light="round")
        + panels
        + scallops
        + ellipse(400, 114, 12, 16, WALNUT.dark)
        + path("M290 656Q290 628 400 628T510 656Z", WALNUT.dark)
    )
