"""JavaScript's tokens, one by one.

One pass, without going back: every pattern is possessive and matches unclosed strings and comments up
to their end, so that no input is scanned twice. The number of tokens is bounded.
"""

from __future__ import annotations

import re
from typing import Final

MAX_TOKENS: Final = 20_000
"""Tokens that are read; it bounds the time to some tens of milliseconds. Plain JSON isn't counted."""

OPENERS: Final = frozenset("([{")
CLOSERS: Final = frozenset(")]}")

END: Final = "end"
"""The kind of what comes after the last token."""

_TOKEN: Final = re.compile(
    r"""
    (?P<space> [\s\ufeff]++ | //[^\n\r\u2028\u2029]*+ | /\*(?:[^*]++|\*(?!/))*+(?:\*/)?+ | <!--[^\n\r]*+ )
  | (?P<string> "(?:[^"\\\n\r]++|\\.)*+"?+ | '(?:[^'\\\n\r]++|\\.)*+'?+ | `(?:[^`\\]++|\\.)*+`?+ )
  | (?P<number> 0[xXoObB][0-9a-fA-F_]++n?+
              | (?: [0-9][0-9_]*+(?:\.[0-9_]*+)?+ | \.[0-9][0-9_]*+ ) (?:[eE][+-]?[0-9]++)?+ n?+ )
  | (?P<name> [A-Za-z_$\u0080-\U0010ffff][\w$]*+ )
  | (?P<mark> \.\.\. | \?\. | => | [=!]==?+ | (?:\|\||&&|\?\?)=?+ | [-+*/%<>&|^]=?+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n\r]++|\\.|\[(?:[^\]\\\n\r]++|\\.)*+\]?+)*+/?+\w*+", re.DOTALL)
_BEFORE_REGEX: Final = frozenset({
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do",
})  # fmt: skip


class Tokens:
    """A cursor over a script.

    Attributes:
        text: the script.
        at: where the current token ends.
        kind: the current token's: ``name``, ``string``, ``number``, ``regex``, ``mark`` or `END`.
        word: its text.
        before: the text of the one before it.
    """

    __slots__ = ("_left", "at", "before", "kind", "text", "word")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.before = ""
        self.kind = "mark"
        self.word = ""
        self._left = MAX_TOKENS
        self.advance()

    def advance(self) -> None:
        """Goes to the next token; past the last one, or beyond the limit, to the end."""
        text, at, left = self.text, self.at, self._left
        self.before, ended = self.word, self._ends_value()
        while left > 0:
            match = _TOKEN.match(text, at)
            if match is None:
                break
            left -= 1
            kind = match.lastgroup or "mark"
            if kind != "space":
                if match[0] in {"/", "/="} and not ended:
                    match, kind = _REGEX.match(text, at) or match, "regex"
                self.kind, self.word, self.at, self._left = kind, match[0], match.end(), left
                return
            at = match.end()
        self.kind, self.word, self.at, self._left = END, "", len(text), 0

    def _ends_value(self) -> bool:
        """Whether the current token ends a value, so that a slash after it divides."""
        if self.kind == "mark":
            return self.word in CLOSERS
        return not (self.kind == "name" and self.word in _BEFORE_REGEX)

    def goto(self, at: int, word: str) -> None:
        """Goes to the token after a part that was read by other means and ended with a mark."""
        self.at, self.kind, self.word = at, "mark", word
        self.advance()
