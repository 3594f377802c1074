"""The page as tokens, each with its place: WHATWG's tokenizer, as far as finding tags needs it.

Long things (comments, raw text) come in pieces as they arrive, so nothing has to be kept for them. Only a
tag has to be whole. The state between two tokens is all that there is to remember.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from proxy.locate.markup import (
    COMMENT_END,
    EMPTY_COMMENT,
    LONGEST_RAW_EVENT,
    MAX_TAG,
    RAW_END,
    SCRIPT_EVENT,
    SCRIPT_START,
    TAG,
)

Kind = Literal["text", "directive", "other"]
"""``text`` is the text of ordinary elements, ``directive`` a whole ``<!--#include`` or ``<!--#block``; raw
text, comments and the like are ``other``."""

MAX_DIRECTIVE = 4 * 1024
"""Bytes of an SSI comment. It holds one URL; servers allow 8 KiB for a whole request line."""

_DIRECTIVES = (b"include", b"block")
_SPACES = 8
"""White space after ``<!--#`` that nginx allows; nobody writes more than one."""

_TORN = b"torn"
_LESS_THAN = 0x3C
_HASH = 0x23
_CDATA = b"<![CDATA["


class Token(NamedTuple):
    """One step through the page, from where it was asked for to ``end``."""

    kind: Kind
    end: int


class Tokens:
    """Cuts tokens from a buffer and remembers the state between them.

    Attributes:
        state: ``data``, ``comment``, ``bogus`` (to the next ``>``), ``cdata``, ``plaintext``, the name of the
            raw text element that is open, or ``torn``: the page has ended within a tag.
        raw: the bytes at hand, as they came.
        low: the same in lower case.
        final: whether the page ends with them.
    """

    def __init__(self) -> None:
        self.state = b"data"
        self.raw = b""
        self.low = b""
        self.final = False
        self._script: Literal["plain", "escaped", "double"] = "plain"

    def enter(self, element: bytes) -> None:
        """Go on in the text of a raw text element or ``plaintext``, whose start tag was the last token."""
        self.state = element
        self._script = "plain"

    def next(self, i: int, *, foreign: bool) -> Token | None:
        """The token at ``i``, which lies before the end of the buffer and begins no whole tag.

        Whole tags are for the caller to match, wherever the state is ``data``. At the end tag of a raw text
        element there is a token of no length, which leads to that state.

        Args:
            i: where the token starts.
            foreign: whether the element that is open is SVG or MathML: CDATA sections exist only there.

        Returns:
            The token, or None where more must come before it can be told. In the final buffer, never None.
        """
        if self.state == b"data":
            if self.low[i] != _LESS_THAN:
                end = self.low.find(b"<", i)
                return Token("text", len(self.low) if end < 0 else end)
            token = self._markup(i, foreign=foreign)
        elif self.state == b"script":
            token = self._in_script(i)
        elif self.state in RAW_END:
            token = self._in_raw_text(i)
        else:
            token = self._in_other(i)
        if token is None and self.final:
            self.state = _TORN
            return Token("other", len(self.low))
        return token

    def _markup(self, i: int, *, foreign: bool) -> Token | None:
        """What starts with ``<`` and is no whole tag (13.2.5.6, tag open state)."""
        rest = self.low[i + 1 : i + len(_CDATA)]
        if rest.startswith(b"!--"):
            return self._comment(i)
        if rest[:1].isalpha() or (rest[:1] == b"/" and rest[1:2].isalpha()):
            return None
        if rest in {b"", b"!", b"!-", b"/"}:
            return Token("text", i + 1) if self.final and not rest else None
        if foreign and _CDATA.startswith(self.raw[i : i + len(_CDATA)]):
            if len(rest) < len(_CDATA) - 1:
                return None
            self.state = b"cdata"
            return Token("other", i + len(_CDATA))
        if rest[:1] in {b"!", b"?", b"/"}:
            self.state = b"bogus"  # a doctype, too, and `</>`, which is nothing: each ends at its first `>`
            return Token("other", i + 2)
        return Token("text", i + 1)

    def _comment(self, i: int) -> Token | None:
        low = self.low
        empty = EMPTY_COMMENT.match(low, i)
        if empty is not None:
            return Token("other", empty.end())
        arrived = len(low) - i
        if arrived < len("<!--->"):
            return None
        if self._directive(i + len("<!--")):
            end = COMMENT_END.search(low, i + len("<!--"), i + MAX_DIRECTIVE)
            if end is not None:
                return Token("directive", end.end())
            if arrived < MAX_DIRECTIVE:
                return None
        self.state = b"comment"
        return Token("other", i + len("<!--"))

    def _directive(self, i: int) -> bool:
        """Whether a comment's text is, or may turn out to be, a directive that is ours to read."""
        if self.low[i] != _HASH:
            return False
        word = self.low[i + 1 : i + 1 + _SPACES + max(map(len, _DIRECTIVES))].lstrip()
        return any(word.startswith(name) or name.startswith(word) for name in _DIRECTIVES)

    def _in_script(self, i: int) -> Token | None:
        """The script data states (13.2.5.4, .15 to .31)."""
        event = (SCRIPT_START if self._script == "plain" else SCRIPT_EVENT).search(self.low, i)
        while event is not None and self._script == "double" and event[0] == b"<script":
            event = SCRIPT_EVENT.search(self.low, event.end())
        if event is None:
            return self._keeping(i, LONGEST_RAW_EVENT)
        what = event[0]
        if what == b"<!--":
            self._script = "escaped"
            return Token("other", event.start() + len("<!"))  # its dashes count for `-->`, as in `<!-->`
        if what == b"-->":
            self._script = "plain"
        elif what == b"<script":
            self._script = "double"
        elif self._script == "double":
            self._script = "escaped"
        else:
            return self._raw_end(i, event.start())
        return Token("other", event.end())

    def _in_raw_text(self, i: int) -> Token | None:
        """The RAWTEXT and RCDATA states (13.2.5.2, .3, .9 to .14)."""
        end = RAW_END[self.state].search(self.low, i)
        return self._keeping(i, LONGEST_RAW_EVENT) if end is None else self._raw_end(i, end.start())

    def _raw_end(self, i: int, at: int) -> Token | None:
        if at > i:
            return Token("other", at)
        tag = TAG.match(self.low, i)
        if tag is None or tag.end() - i > MAX_TAG:
            return None
        self.state = b"data"
        return Token("other", i)

    def _in_other(self, i: int) -> Token | None:
        """Comments, CDATA sections and what ends at the next ``>``; plaintext never ends."""
        low = self.low
        if self.state == b"comment":
            match = COMMENT_END.search(low, i)
            end, keep = -1 if match is None else match.end(), len("--!")
        elif self.state == b"cdata":
            end, keep = low.find(b"]]>", i) + len("]]>"), len("]]")
            end = -1 if end < len("]]>") + i else end
        elif self.state == b"bogus":
            end, keep = low.find(b">", i) + 1, 0
            end = end or -1
        else:
            end, keep = -1, 0
        if end < 0:
            return self._keeping(i, keep)
        self.state = b"data"
        return Token("other", end)

    def _keeping(self, i: int, keep: int) -> Token | None:
        """Pass all but the last bytes, with which something may begin."""
        end = len(self.low) - keep
        return Token("other", end) if end > i else None
