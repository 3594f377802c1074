"""HTML of widgets as text for a terminal."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

from rich.text import Text

_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SPACE: Final = re.compile(r"\s+")


def readable(html: str) -> Text:
    """Titles in bold, a line for each item, prices and links as they are."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Text] = [Text()]
        self._item = 0
        self._heading = False
        self._struck = 0
        self._class = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "li":
            self._item += 1
            self._lines.append(Text("  • "))
        elif tag in _HEADINGS:
            self._heading = True
            self._lines += [Text(), Text()]
        elif tag == "s":
            self._struck += 1
        elif tag in {"img", "span"}:
            # What a screen reader would say: stars, and what a banner shows.
            self._say(
                found.get("alt") or found.get("aria-label") or "", style="yellow" if tag == "span" else ""
            )
            if tag == "img" and "datacue-banner" not in self._class and not self._item and found.get("alt"):
                self._lines.append(Text("  • "))
        elif tag == "p" and self._item:
            self._gap()
        if tag == "a":
            self._class = found.get("class") or ""
            if not self._item:
                self._lines.append(Text("  • "))

    def handle_endtag(self, tag: str) -> None:
        if tag == "li":
            self._item -= 1
        elif tag in _HEADINGS:
            self._heading = False
            self._lines.append(Text())
        elif tag == "s":
            self._struck -= 1

    def handle_data(self, data: str) -> None:
        text = _SPACE.sub(" ", data)
        if text.strip():
            self._say(text.strip(), style="bold" if self._heading else "strike dim" if self._struck else "")

    def _say(self, text: str, style: str) -> None:
        if text:
            line = self._lines[-1]
            if line.plain and not line.plain.endswith((" ", "  • ")):
                line.append(" ")
            line.append(text, style=style)

    def _gap(self) -> None:
        line = self._lines[-1]
        if line.plain.strip() not in {"", "•"}:
            line.append("  ")

    def text(self) -> Text:
        """All of it, without empty lines at both ends and without bullets that hold nothing."""
        lines = [line for line in self._lines if line.plain.strip() != "•"]
        kept: list[Text] = []
        for line in lines:
            if line.plain.strip() or (kept and kept[-1].plain.strip()):
                kept.append(line)
        while kept and not kept[-1].plain.strip():
            kept.pop()
        return Text("\n").join(kept)
