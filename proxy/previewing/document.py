"""A widget in a page of its own: stylesheet and pictures inside, so that one file shows it anywhere."""

from __future__ import annotations

import base64
import re
from html import escape
from typing import TYPE_CHECKING, Final

from proxy.previewing.samples import picture

if TYPE_CHECKING:
    from proxy.previewing.showing import Shown

_SRC: Final = re.compile(r'(?<=\ssrc=")(/[^"]+)(?=")')

FRAME: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{base}<style>
{stylesheet}
</style>
<style>
body {{ margin: 0; padding: clamp(12px, 3vw, 32px); font: 16px/1.5 system-ui, sans-serif; }}
.note {{ margin: 0; color: #6b7280; }}
.wrong {{ margin: 0; padding: 16px 20px; border-left: 4px solid #dc2626; border-radius: 4px;
  background: #fef2f2; color: #7f1d1d; font: 14px/1.6 ui-monospace, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def document(
    shown: Shown, *, title: str, stylesheet: str, language: str, base: str | None = None, inline: bool = True
) -> str:
    """A whole HTML page.

    Args:
        shown: the widget.
        title: of the page.
        stylesheet: the widgets' CSS.
        language: of its texts, as ``en-US``.
        base: where its relative links and pictures lead; None: nowhere else.
        inline: whether the samples' pictures become part of the page.
    """
    if shown.problem:
        body = f'<p class="wrong">{escape(shown.problem)}</p>'
    elif not shown.html:
        body = '<p class="note">There is nothing to show: what the shop put here stays.</p>'
    else:
        body = _SRC.sub(lambda found: _inlined(found[1]), shown.html) if inline else shown.html
    return FRAME.format(
        language=escape(language.replace("_", "-")),
        title=escape(title),
        base=f'<base href="{escape(base)}">\n' if base else "",
        # An end tag within CSS would end the element.
        stylesheet=stylesheet.replace("</", "<\\/"),
        body=body,
    )


def _inlined(path: str) -> str:
    svg = picture(path)
    if svg is None:
        return path
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
