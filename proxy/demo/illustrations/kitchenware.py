"""Things to cook in and eat from."""

from __future__ import annotations

from proxy.demo.illustrations.canvas import (
    BLACK,
    Look,
    ellipse,
    lying,
    path,
    rect,
    shadow,
    stroke,
    turned,
)


def cutlery(look: Look) -> str:
    """0 everyday, 1 slender, 2 wooden servers."""
    accent = look.accent
    napkin = turned(
        lying(252, 168, 330, 500)
        + rect(240, 150, 330, 500, accent.light, r=10)
        + stroke("M262 172H548V628H262Z", accent.base, 3)
        + stroke("M405 150V650", accent.base, 2, opacity=0.5),
        -6,
        400,
        400,
    )
    return napkin + (_tableware, _tableware, _servers)[look.style](look)


def _servers(look: Look) -> str:
    main, accent = look.main, look.accent
    return (
        _handle(296, 380, 12, main.base, main.dark)
        + ellipse(296, 268, 46, 78, main.base)
        + ellipse(296, 262, 32, 58, main.dark)
        + _handle(400, 380, 12, main.base, main.dark)
        + path("M358 190h84l6 150q-48 30-96 0z", main.base)
        + stroke("M382 206v110M400 206v116M418 206v110", main.dark, 7)
        + _handle(504, 380, 12, main.base, main.dark)
        + path("M462 330V220Q462 186 504 186T546 220V330Q504 366 462 330Z", main.base)
        + stroke("M486 210V190M504 210V188M522 210V190", accent.light, 9)
    )


def _tableware(look: Look) -> str:
    main = look.main
    slim = 9 if look.style else 13
    fork = _handle(290, 350, slim, main.base, main.dark) + path(
        "M254 160V270Q254 330 290 350Q326 330 326 270V160Q320 150 314 160V250H304V160"
        "Q298 150 292 160V250H282V160Q276 150 270 160V250H264V160Z",
        main.base,
    )
    knife = _handle(400, 380, slim + 2, main.base, main.dark) + path(
        "M388 390V170Q388 144 406 144Q434 210 428 320Q426 372 414 390Z", main.light
    )
    spoon = (
        _handle(510, 340, slim, main.base, main.dark)
        + ellipse(510, 250, 50, 96, main.base)
        + ellipse(510, 246, 36, 76, main.dark)
        + ellipse(504, 236, 22, 54, main.base)
    )
    return fork + knife + spoon


def _handle(x: float, top: float, half: float, color: str, dark: str) -> str:
    return path(
        f"M{x - 6} {top}Q{x - half} 520 {x - half} 640Q{x} 676 {x + half} 640Q{x + half} 520 {x + 6} {top}Z",
        color,
        light="round",
    ) + stroke(f"M{x} {top + 120}V630", dark, 2, opacity=0.4)


def pan(look: Look) -> str:
    """0 skillet, 1 sauté pan."""
    main, accent = look.main, look.accent
    deep = 120 if look.style else 66
    rim, belly = 500 - deep / 2, 560 + deep / 3
    body = (
        shadow(330, 610, 250, 22)
        + path(
            f"M90 {rim}Q100 {belly} 180 600H480Q560 {belly} 570 {rim}Z",
            main.base,
            light="round",
        )
        + ellipse(330, rim, 240, 62, main.light)
        + ellipse(330, rim + 2, 222, 52, main.dark if look.style == 0 else accent.base)
        + ellipse(330, rim + 12, 190, 38, BLACK.base if look.style == 0 else accent.light)
    )
    y = rim - 20
    handle = path(
        f"M560 {y}L590 {y - 16}L740 {y - 76}Q776 {y - 80} 770 {y - 50}L600 {y + 26}Z",
        main.base if look.style == 0 else BLACK.light,
    ) + ellipse(742, y - 62, 10, 7, "#f4f0e8")
    if look.style:
        return handle + body + "".join(ellipse(x, y + 6, 6, 6, accent.dark) for x in (548, 560))
    egg = ellipse(310, 478, 96, 24, "#fbf7ee") + ellipse(322, 470, 34, 14, "#e9a83a")
    herbs = stroke("M400 486l16-8M424 478l10 8M226 470l-14 4", "#5f8a54", 6)
    return handle + body + egg + herbs


def pot(look: Look) -> str:
    """A casserole with its lid."""
    main, knob = look.main, look.accent
    steam = "M330 180q-24-34 0-66t0-64M400 170q-24-34 0-66t0-64M470 180q-24-34 0-66t0-64"
    return (
        shadow(400, 650, 290)
        + stroke(steam, "#fff", 9, opacity=0.55)
        + stroke("M150 440Q90 440 94 476T156 500M650 440Q710 440 706 476T644 500", main.dark, 26)
        + path("M150 390H650V560Q650 646 556 646H244Q150 646 150 560Z", main.base, light="round")
        + stroke("M156 470H644", main.dark, 3, opacity=0.4)
        + path("M134 392Q150 270 400 262T666 392Q400 418 134 392Z", main.light)
        + path("M128 384H672V404Q400 430 128 404Z", main.dark)
        + rect(384, 240, 32, 30, knob.dark, light="round")
        + ellipse(400, 232, 40, 20, knob.base)
    )


def kettle(look: Look) -> str:
    """0 whistling, 1 teapot."""
    main, accent = look.main, look.accent
    if look.style == 0:
        return (
            shadow(390, 652, 240)
            + path("M560 440Q640 420 690 330L720 346Q690 470 580 540Z", main.dark)
            + path(
                "M180 620Q150 400 300 340H480Q630 400 600 620Q590 646 560 646H220Q190 646 180 620Z",
                main.base,
                light="round",
            )
            + stroke("M250 360Q240 190 390 190T530 360", BLACK.base, 16)
            + stroke("M310 206Q390 172 470 206", accent.base, 30)
            + ellipse(390, 344, 100, 26, main.dark)
            + ellipse(390, 334, 92, 22, main.light)
            + ellipse(390, 304, 22, 22, accent.base)
            + stroke("M230 460Q232 420 262 398", "#fff", 12, opacity=0.5)
        )
    return (
        shadow(390, 652, 230)
        + stroke("M250 380Q180 180 390 180T530 380", accent.base, 18)
        + stroke("M262 260l30 14M310 206l20 26M450 206l-16 26M512 262l-30 14", accent.dark, 6)
        + path("M580 500Q650 480 668 400L706 392Q700 540 590 590Z", main.base)
        + ellipse(390, 520, 220, 132, main.base, light="round")
        + path("M260 640H520Q500 656 390 656T260 640Z", main.dark)
        + ellipse(390, 402, 116, 26, main.dark)
        + path("M286 398Q300 350 390 350T494 398Q390 420 286 398Z", main.light)
        + ellipse(390, 342, 20, 18, main.base)
        + stroke("M190 540Q390 600 590 540", accent.base, 4, opacity=0.5)
    )


def plates(look: Look) -> str:
    """A stack, and one that leans behind it."""
    main, accent = look.main, look.accent
    stack = "".join(
        ellipse(330, 620 - 26 * n, 230 - 4 * n, 40, main.dark)
        + ellipse(330, 612 - 26 * n, 230 - 4 * n, 38, main.base)
        for n in range(5)
    )
    return (
        shadow(400, 652, 310)
        + ellipse(470, 400, 226, 226, accent.base)
        + ellipse(470, 400, 214, 214, main.base)
        + ellipse(470, 404, 146, 146, main.light)
        + stroke("M470 262a142 142 0 0 1 0 284", accent.light, 4, opacity=0.6)
        + stack
        + ellipse(330, 506, 158, 22, main.light)
        + stroke("M100 508Q330 566 560 508", accent.base, 5)
        + path("M560 600h140l-16 44q-54 16-108 0z", accent.base, light="round")
        + ellipse(630, 600, 70, 16, main.light)
    )


def bowl(look: Look) -> str:
    """0 a pair of ramen bowls, 1 a salad bowl."""
    main, accent = look.main, look.accent
    if look.style == 0:
        chopsticks = stroke("M300 380L700 250M320 396L712 282", "#85573a", 11)
        return (
            shadow(400, 652, 260)
            + path("M190 520Q200 630 300 640V652H500V640Q600 630 610 520Z", main.light, light="round")
            + ellipse(400, 516, 214, 46, accent.dark)
            + path("M170 400Q184 556 300 574V592H500V574Q616 556 630 400Z", main.base, light="round")
            + stroke("M184 450Q400 520 616 450", accent.base, 7)
            + ellipse(400, 400, 230, 56, accent.base)
            + ellipse(400, 404, 206, 45, "#d9a35a")
            + stroke("M260 404q30-18 60 0t60 0t60 0t60 0M290 420q30-14 60 0t60 0t60 0", "#f3dca8", 9)
            + ellipse(330, 396, 42, 15, "#fbf7ee")
            + ellipse(330, 394, 20, 8, "#e9a83a")
            + stroke("M440 388l26 8M470 384l14 14", "#5f8a54", 8)
            + chopsticks
        )
    leaves = "".join(
        turned(path(f"M{x} 440q-50-56 0-120q50 64 0 120z", color), angle, x, 440)
        for x, angle, color in (
            (260, -34, "#6f9a5c"),
            (340, -12, "#87b06b"),
            (420, 8, "#5f8a54"),
            (500, 28, "#87b06b"),
            (550, 48, "#6f9a5c"),
        )
    )
    return (
        shadow(400, 652, 250)
        + stroke("M560 420L690 200M590 430L730 240", look.main.light, 18)
        + leaves
        + "".join(ellipse(x, 410, 30, 28, "#c64a35") for x in (300, 392, 468))
        + path("M140 420Q150 600 300 640H500Q650 600 660 420Q400 476 140 420Z", main.base, light="round")
        + stroke("M170 500Q400 556 630 500M200 560Q400 610 600 560", main.dark, 3, opacity=0.5)
        + stroke("M140 420Q400 476 660 420", main.light, 10)
        + stroke("M250 444l30 5", accent.light, 4)
    )


def mug(look: Look) -> str:
    """With something hot in it."""
    main, accent = look.main, look.accent
    steam = "M330 240q-26-36 0-70t0-70M410 230q-26-36 0-70t0-70"
    return (
        shadow(390, 652, 210)
        + stroke(steam, "#fff", 10, opacity=0.6)
        + stroke("M540 400Q670 390 660 480T530 570", main.dark, 38)
        + stroke("M540 396Q664 388 654 476T530 562", main.base, 26)
        + path("M210 310H550V570Q550 650 470 650H290Q210 650 210 570Z", main.base, light="round")
        + path(
            "M210 520Q290 490 380 516T550 500V570Q550 650 470 650H290Q210 650 210 570Z",
            accent.base,
            light="round",
        )
        + ellipse(380, 310, 170, 40, main.light)
        + ellipse(380, 314, 150, 31, "#5b3a26")
        + ellipse(360, 310, 70, 12, "#8a5c3d")
    )
