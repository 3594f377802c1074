"""Reads literals out of JavaScript, runs nothing.

``window.datacueConfig = {...}`` is written by templates and by hand: unquoted keys, single quotes,
trailing commas, comments, functions, calls. What stands there as a literal is read; whatever would
have to be run is left out, and its neighbours are still read.

One pass, without going back (see `tokens`); depth is bounded.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from proxy.facts.tokens import CLOSERS, END, OPENERS, Tokens
from proxy.facts.values import scrub

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SCRIPT: Final = 256 * 1024
"""Characters of a script that are read: 100 variants with descriptions take about 100 KiB."""

MAX_DEPTH: Final = 24
"""Nesting that is read; deeper values are left out. An order's line items are at depth 4."""

MAX_PATH: Final = 4
"""Keys in ``datacueConfig.a.b = ...``; real ones have one."""

MAX_NUMBER: Final = 40
"""Characters of a number literal; the longest double has 25."""

CONFIG: Final = "datacueConfig"

_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,8})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL
)
_SPACES: Final = re.compile(r"\s*+")
_SURROGATE: Final = re.compile(r"\\u[dD]")

_SINGLE: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_CONTINUED: Final = frozenset({"\n", "\r", "\r\n", "\u2028", "\u2029"})
_CONSTANTS: Final = {"true": True, "false": False, "null": None, "undefined": None}
_NEGATED: Final = {"0": True, "1": False, "true": False, "false": True}
_ENDS: Final = frozenset({",", ")", "]", "}", ";", ""})
_MAX_POINT: Final = 0x10FFFF


class _Unreadable:
    """The one value that stands for what would have to be run."""


_UNREADABLE: Final = _Unreadable()


def read_config(script: str) -> dict[str, Any]:
    """What a script assigns to ``datacueConfig``, several assignments merged in order.

    Args:
        script: the text of a script; only `MAX_SCRIPT` characters are read.

    Returns:
        JSON values by key; empty where nothing is readable. Never raises.
    """
    reader = _Reader(script[:MAX_SCRIPT])
    config: dict[str, Any] = {}
    while reader.kind != END:
        if reader.is_config():
            reader.assignment(config)
        elif reader.word in {"assign", "extend"}:
            reader.extension(config)
        else:
            reader.advance()
    return config


def read_literal(text: str) -> Any:
    """A literal with whatever JavaScript allows in it; None where it isn't readable. Never raises."""
    value = _Reader(text[:MAX_SCRIPT]).value(0)
    return None if value is _UNREADABLE else value


def holds_surrogate(text: str) -> bool:
    """Whether an escape may stand for half a character: the standard decoder lets lone halves through."""
    return _SURROGATE.search(text) is not None


class _Reader(Tokens):
    __slots__ = ("_plain",)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._plain = not holds_surrogate(text)

    def is_config(self) -> bool:
        """Whether the current word is the name ``datacueConfig``, or its string after a bracket."""
        if self.kind == "string":
            return self.before == "[" and self._string() == CONFIG
        return self.word == CONFIG

    def assignment(self, config: dict[str, Any]) -> None:
        """From the name on: ``= value``, ``.key = value``, ``["key"] = value``; anything else is left."""
        path = self._path()
        if self.word not in {"=", "||=", "??="} or len(path) > MAX_PATH:
            return
        value = self._json()
        if value is _UNREADABLE:
            self.advance()
            value = self.value(0)
        if value is not _UNREADABLE:
            _assign(config, path, value)

    def extension(self, config: dict[str, Any]) -> None:
        """``Object.assign(window.datacueConfig, {...})``, and jQuery's ``extend`` alike."""
        self.advance()
        if self.word != "(":
            return
        self.advance()
        while self.kind == "name" and self.word != CONFIG:
            self.advance()
            if self.word != ".":
                return
            self.advance()
        if self.word == CONFIG:
            for value in self._arguments(0):
                _assign(config, (), value)

    def value(self, depth: int) -> Any:
        """One expression, or `_UNREADABLE`; leaves the cursor behind it.

        At depth 0, a statement, the next word may belong to the next line, where no semicolon is
        needed: what can't be read isn't skipped.
        """
        left = self._sum(depth)
        while self.word in {"||", "??"} and left is not _UNREADABLE:
            if left is not None and (self.word == "??" or left not in ("", 0, False)):
                if depth:
                    self._skip()
                return left
            self.advance()
            left = self._sum(depth)
        if self.word in _ENDS or (depth == 0 and self.kind != "mark"):
            return left
        if depth:
            self._skip()
        return _UNREADABLE

    def _sum(self, depth: int) -> Any:
        value = self._operand(depth)
        if self.word != "+":
            return value
        parts = [value]
        while self.word == "+":
            self.advance()
            parts.append(self._operand(depth))
        return "".join(parts) if all(isinstance(part, str) for part in parts) else _UNREADABLE

    def _operand(self, depth: int) -> Any:
        kind, word = self.kind, self.word
        if word in OPENERS and kind == "mark":
            return self._bracketed(word, depth)
        if kind == "name":
            return self._named(depth)
        if word in _ENDS:
            return _UNREADABLE
        value: Any = (
            self._string() if kind == "string" else _number(word) if kind == "number" else _UNREADABLE
        )
        self.advance()
        if word == "!":
            value = _NEGATED.get(self.word, _UNREADABLE)
            self.advance()
        elif word == "-" and self.kind == "number":
            read = _number(self.word)
            value = read if read is _UNREADABLE else -read
            self.advance()
        return value

    def _bracketed(self, opener: str, depth: int) -> Any:
        if depth >= MAX_DEPTH:
            self._leave()
            return _UNREADABLE
        if opener == "{":
            return self._object(depth)
        if opener == "[":
            return [item for item in self._list("]", depth) if item is not _UNREADABLE]
        items = list(self._list(")", depth))
        return items[0] if len(items) == 1 else _UNREADABLE

    def _named(self, depth: int) -> Any:
        """A constant, a call that only carries a literal, or something to run."""
        word = self.word
        if word in _CONSTANTS:
            self.advance()
            return _CONSTANTS[word]
        names = [word]
        self.advance()
        while self.word == ".":
            self.advance()
            names.append(self.word)
            self.advance()
        if self.word == "(" and depth < MAX_DEPTH:
            if names[-2:] == ["Object", "assign"]:
                merged: dict[str, Any] = {}
                for value in self._arguments(depth):
                    _assign(merged, (), value)
                return merged
            if names[-2:] == ["JSON", "parse"]:
                values = list(self._arguments(depth))
                return _parsed(values[0]) if values else _UNREADABLE
        return None if names[-1] == CONFIG else _UNREADABLE  # `datacueConfig || {}`: the empty one so far

    def _arguments(self, depth: int) -> list[Any]:
        return [value for value in self._list(")", depth) if value is not _UNREADABLE]

    def _list(self, closer: str, depth: int) -> Iterator[Any]:
        """The values up to the closer, from the opener (or a name before the first comma) on."""
        self.advance()
        while self.word not in {closer, ""}:
            if self.word in _ENDS:
                self.advance()
            else:
                yield self.value(depth + 1)
        self.advance()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.advance()
        while self.word not in {"}", ""}:
            if self.word in _ENDS:
                self.advance()
                continue
            spread = self.word == "..."
            key = self._key(depth)
            if spread:
                _assign(found, (), self.value(depth + 1))
            elif self.word == ":":
                self.advance()
                value = self.value(depth + 1)
                if isinstance(key, str) and value is not _UNREADABLE:
                    found[key] = value
            else:  # a method, a getter, a shorthand
                self._skip()
        self.advance()
        return found

    def _key(self, depth: int) -> Any:
        if self.word == "[" and depth < MAX_DEPTH:
            computed = list(self._list("]", depth))
            return computed[0] if len(computed) == 1 else _UNREADABLE
        if self.word in OPENERS:  # a template's braces
            self._leave()
            return _UNREADABLE
        key = self._string() if self.kind == "string" else self.word
        self.advance()
        return key

    def _path(self) -> tuple[str, ...]:
        """The keys after the name: ``.options.term`` and ``["options"]["term"]`` are both two."""
        path: list[str] = []
        if self.kind == "string":  # window["datacueConfig"]
            self.advance()
        self.advance()
        while self.word in {".", "["}:
            bracket = self.word == "["
            self.advance()
            key = self._string() if self.kind == "string" else self.word
            if not isinstance(key, str) or (bracket and self.kind != "string"):
                break
            path.append(key)
            self.advance()
            if bracket:
                self.advance()
        return tuple(path)

    def _json(self) -> Any:
        """The object after an equals sign, where it is plain JSON: fifty times as fast."""
        start = _SPACES.match(self.text, self.at)
        if start is None or not self._plain or not self.text.startswith("{", start.end()):
            return _UNREADABLE
        try:
            value, end = _JSON.raw_decode(self.text, start.end())
        except (ValueError, RecursionError):
            return _UNREADABLE
        self.goto(end, "}")
        return value

    def _string(self) -> Any:
        word = self.word
        if word[0] == "`" and "${" in word:
            return _UNREADABLE
        body = word[1:-1] if len(word) > 1 and word[-1] == word[0] else word[1:]
        if "\\" not in body:
            return body
        return scrub(_ESCAPE.sub(_unescaped, body))

    def _skip(self) -> None:
        """Goes to where this expression ends: a comma, semicolon or closer of the bracket around it."""
        while self.word not in _ENDS:
            if self.word in OPENERS:
                self._leave()
            else:
                self.advance()

    def _leave(self) -> None:
        """From an opener to behind its closer."""
        depth = 0
        while self.kind != END:
            if self.kind == "mark":
                depth += (self.word in OPENERS) - (self.word in CLOSERS)
            self.advance()
            if depth == 0:
                return


_JSON: Final = json.JSONDecoder(strict=False)


def _parsed(value: Any) -> Any:
    """``JSON.parse`` of a string literal."""
    if not isinstance(value, str) or holds_surrogate(value):
        return _UNREADABLE
    try:
        return _JSON.decode(value)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _assign(config: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Sets a key, or merges an object: ``if (!window.datacueConfig) datacueConfig = {}`` must not wipe it."""
    if not path:
        if isinstance(value, dict):
            config.update(value)
        return
    for key in path[:-1]:
        inner = config.get(key)
        if not isinstance(inner, dict):
            inner = config[key] = {}
        config = inner
    config[path[-1]] = value


def _number(word: str) -> Any:
    if len(word) > MAX_NUMBER:
        return _UNREADABLE
    digits = word.rstrip("n") if word[-1] == "n" else word
    try:
        return int(digits, 0)
    except ValueError:
        pass
    try:
        return float(digits)
    except ValueError:  # "0x", "1__0"
        return _UNREADABLE


def _unescaped(match: re.Match[str]) -> str:
    point = match[1] or match[2] or match[3]
    if point is not None:
        code = int(point, 16)
        return chr(code) if code <= _MAX_POINT else "\ufffd"
    return "" if match[4] in _CONTINUED else _SINGLE.get(match[4], match[4])
