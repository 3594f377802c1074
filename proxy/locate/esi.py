"""A page's ESI markup, carried out but for its includes: bytes in, bytes out.

Only for a page that asks for it (``Surrogate-Control: content="ESI/1.0"``), and that nobody in front of us
will process. ``<esi:remove>`` goes with its content, ``<!--esi ... -->`` gives its content free,
``<esi:comment>`` goes, of ``<esi:try>`` the attempt stays. Includes stay, for the locator; so does, byte for
byte, whatever else is ESI, and whatever doesn't end within LOOK_AHEAD.

What stands in raw text (scripts, styles, text areas), in ordinary comments and in attributes isn't markup
here, as it is none for a browser. Processors differ there, so no shop can rely on it.

Source: ESI Language Specification 1.0, https://www.w3.org/TR/esi-lang.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.locate.marks import LOOK_AHEAD
from proxy.locate.markup import MAX_TAG, RAW_TEXT, TAG, attributes, resolve
from proxy.locate.placeholders import esi as our_include
from proxy.locate.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ENDLESS = 16
"""Elements and comments without an end in one page; beyond, the rest passes as it came. Each is looked for
through LOOK_AHEAD, and a page of nothing else would keep the loop busy for minutes."""

MAX_DEPTH = 8
"""``<!--esi -->`` in each other; the specification has no use for a second one."""

_RAW = RAW_TEXT | {b"plaintext"}
_COMMENT = b"<!--esi"
_COMMENT_START = re.compile(rb"<!--esi(?=[ \t\n\r\f])")
_COMMENT_MARK = re.compile(rb"<!--|-->")
_REMOVE_END = re.compile(rb"</esi:remove[ \t\n\r\f]*+>")
_TRY_END = re.compile(rb"</esi:try[ \t\n\r\f]*+>")
_ATTEMPT = re.compile(rb"\s*+<esi:attempt\s*+>", re.IGNORECASE)
_BETWEEN = re.compile(rb"</esi:attempt\s*+>\s*+<esi:except\s*+>", re.IGNORECASE)
_EXCEPT_END = re.compile(rb"</esi:except\s*+>\s*+", re.IGNORECASE)
_INCLUDE = re.compile(rb"<esi:include(?=[ \t\n\r\f/>])([^>]*+)", re.IGNORECASE)
_ONE_INCLUDE = re.compile(rb"\s*<esi:include([^>]*?)/?>\s*(?:</esi:include\s*>\s*)?", re.IGNORECASE)
_SSI = b"<!--#"
_UNQUOTABLE = re.compile(rb"[\"\\]|--")

_SLASH = 0x2F
_WAIT = -1
_PASS = -2


class EsiProcessor:
    """Carries out the ESI markup of one page.

    Args:
        prefix: of our URLs: includes of its fragments are ours.

    Attributes:
        foreign: whether an include was seen that isn't ours, and that nobody will resolve.
    """

    def __init__(self, prefix: bytes, depth: int = 0) -> None:
        self.foreign = False
        self._prefix = prefix
        self._depth = depth
        self._tokens = Tokens()
        self._held = b""
        self._over = False
        self._endless = 0
        self._elements: dict[bytes, Callable[[int], tuple[int, bytes]]] = {
            b"esi:remove": self._remove,
            b"esi:try": self._try,
        }

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the page; give what may go on."""
        return self._go(data, final=False)

    def close(self) -> bytes:
        """The page is over; give the rest."""
        return self._go(b"", final=True)

    def rest(self) -> bytes:
        """All that has come and not gone on, as it came."""
        held, self._held = self._held, b""
        return held

    def _go(self, data: bytes, *, final: bool) -> bytes:
        raw = self._held = self._held + data
        if self._over:
            return self.rest()
        tokens = self._tokens
        tokens.raw, tokens.low, tokens.final = raw, raw.lower(), final
        out: list[bytes] = []
        i = done = 0
        while i < len(raw):
            if self._endless > MAX_ENDLESS:
                self._over = True
                i = len(raw)
                break
            end, instead = self._next(i)
            if end == _WAIT:
                if len(raw) - i > max(MAX_TAG, LOOK_AHEAD):
                    self._over = True  # a tag without end
                    i = len(raw)
                break
            if instead is not None:
                out += [raw[done:i], instead]
                done = end
            i = end
        out.append(raw[done:i])
        self._held = raw[i:]
        return b"".join(out)

    def _next(self, i: int) -> tuple[int, bytes | None]:
        """What stands there: its end, and what to put in its place (None: nothing else)."""
        tokens = self._tokens
        low = tokens.low
        if tokens.state == b"data":
            if low.startswith(_COMMENT, i) or (not tokens.final and _COMMENT.startswith(low[i : i + 7])):
                found = self._comment(i)
                if found[0] != _PASS:
                    return found
            tag = TAG.match(low, i)
            if tag is not None:
                return self._tag(tag)
        token = tokens.next(i, foreign=False)
        return (_WAIT, None) if token is None else (token.end, None)

    def _tag(self, tag: re.Match[bytes]) -> tuple[int, bytes | None]:
        end, name = tag.end(), tag[2]
        if name == b"esi:comment":
            return end, b""
        if not tag[1]:
            if name in _RAW:
                self._tokens.enter(name)
            elif name == b"esi:include":
                self._see(self._tokens.raw[tag.end(2) : end - 1])
            elif name in self._elements:
                found = self._elements[name](end)
                return (end, None) if found[0] == _PASS else found
        return end, None

    def _see(self, tag: bytes) -> bool:
        """Whether an include is ours."""
        ours = our_include(attributes(tag), self._prefix) is not None
        self.foreign = self.foreign or not ours
        return ours

    def _end(self, pattern: re.Pattern[bytes], start: int) -> re.Match[bytes] | int:
        """Where something ends that began; _WAIT where that must still come, _PASS where it won't."""
        low = self._tokens.low
        match = pattern.search(low, start, start + LOOK_AHEAD)
        if match is not None:
            return match
        if not self._tokens.final and len(low) - start < LOOK_AHEAD:
            return _WAIT
        self._endless += 1
        return _PASS

    def _remove(self, start: int) -> tuple[int, bytes]:
        if self._tokens.low[start - 2] == _SLASH:
            return start, b""
        end = self._end(_REMOVE_END, start)
        return (end, b"") if isinstance(end, int) else (end.end(), b"")

    def _comment(self, i: int) -> tuple[int, bytes]:
        """``<!--esi ... -->``; an ordinary comment in it ends before it does."""
        tokens = self._tokens
        if _COMMENT_START.match(tokens.low, i) is None:
            torn = len(tokens.low) - i <= len(_COMMENT) and not tokens.final
            return (_WAIT if torn else _PASS), b""
        start = at = i + len(_COMMENT)
        depth = 1
        while depth:
            mark = self._end(_COMMENT_MARK, at)
            if isinstance(mark, int):
                return mark, b""
            if mark.end() - start > LOOK_AHEAD:
                self._endless += 1
                return _PASS, b""
            at = mark.end()
            depth += 1 if mark[0] == b"<!--" else -1
        return at, self._inside(tokens.raw[start : at - len("-->")])

    def _try(self, start: int) -> tuple[int, bytes]:
        """The attempt: our fragments never fail. If it is nothing but one, ``except`` is its fallback."""
        end = self._end(_TRY_END, start)
        if isinstance(end, int):
            return end, b""
        parts = _parts(self._tokens.raw[start : end.start()])
        if parts is None:
            return _PASS, b""
        attempt, otherwise = parts
        ours = [self._see(found[1]) for found in _INCLUDE.finditer(attempt)]
        if not all(ours):
            return _PASS, b""
        one = _ONE_INCLUDE.fullmatch(attempt)
        found = attributes(one[1]) if one is not None else {}
        url = resolve(found.get(b"src", b""))
        if one is None or b"alt" in found or _UNQUOTABLE.search(url) or _SSI in otherwise:
            return end.end(), self._inside(attempt)
        block = b'<!--#block name="except" -->%b<!--#endblock --><!--#include virtual="%b" stub="except" -->'
        return end.end(), block % (self._inside(otherwise), url)

    def _inside(self, content: bytes) -> bytes:
        """The same for what has become markup of the page."""
        if self._depth >= MAX_DEPTH:
            return content
        inner = EsiProcessor(self._prefix, self._depth + 1)
        done = inner.feed(content) + inner.close()
        self.foreign = self.foreign or inner.foreign
        return done


def _parts(content: bytes) -> tuple[bytes, bytes] | None:
    """What stands in the attempt and in the exception of an ``<esi:try>`` that holds one of each."""
    attempt = _ATTEMPT.match(content)
    between = _BETWEEN.search(content, attempt.end()) if attempt is not None else None
    if attempt is None or between is None:
        return None
    end = _EXCEPT_END.search(content, between.end())
    if end is None or end.end() < len(content):
        return None
    return content[attempt.end() : between.start()], content[between.end() : end.start()]
