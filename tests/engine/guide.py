"""The guide's samples, read out of its Markdown: one tolerant reader for four languages' literals.

Mended on the way, because as printed they could not run:

* commas missing between fields (Python, Node, PHP: products, orders, batches) are read as if there;
* a brace too many after each order of the Python batch is passed over;
* the Node sample of "Create User" posts to ``/v1/banners``: it is sent to ``/v1/users``;
* ``url`` literals that open with a backtick and close with a quote are read up to either;
* samples that send the key and secret bare, a raw digest, or a form (PHP, and all of "Update User",
  "Batch Update" and "Batch Delete") are signed as the guide's text says: hex HMAC over the JSON body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(array\s*\()|(=>|[{}\[\]():,])|([^\s{}\[\]():,=]+))"""
)
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_CLOSING = {"{": "}", "[": "]", "(": ")"}


class Sample(NamedTuple):
    language: str
    section: str
    method: str
    path: str
    document: Any

    def __str__(self) -> str:
        return f"{self.language}-{self.section}"


def read_samples(guide: Path) -> list[Sample]:
    """Every sample that sends something, in the guide's order."""
    text = guide.read_text(encoding="utf-8")
    samples = []
    for block in _BLOCK.finditer(text):
        language, code = block.groups()
        if " only event" in code:
            continue
        section = re.findall(r"^##+ (.+)$", text[: block.start()], re.MULTILINE)[-1:]
        sample = _read(language.replace("javascript--", ""), (section or ["Introduction"])[0], code)
        if sample is not None:
            samples.append(sample)
    return samples


def read_answers(guide: Path) -> list[dict[str, Any]]:
    """The JSON that the guide shows as answers to pageviews."""
    blocks = (
        code for language, code in _BLOCK.findall(guide.read_text(encoding="utf-8")) if language == "json"
    )
    return [literal(code) for code in blocks if "recent_product_skus" in code]


def _read(language: str, section: str, code: str) -> Sample | None:
    if language == "browser":
        found = re.search(r"\.track\(", code)
        return Sample(language, section, "POST", "/", literal(code[found.end() :])) if found else None
    url = re.search(r"""url\s*=\s*["'`]https://api\.datacue\.co/v1([^"'`]*)["'`]""", code)
    relative = re.search(r"axios\.\w+\('(/[^']*)'", code)
    if language not in {"python", "node", "php"} or not (url or relative):
        return None
    path = (url or relative).group(1)  # type: ignore[union-attr]  # one of the two matched
    path = re.sub(r"\$\{\w+\}|:\w+", "x1", path)
    if section == "Create User":
        path = "/users"
    custom = re.search(r'CUSTOMREQUEST, "(\w+)"', code)
    called = re.search(r"(?:requests|axios)\.(post|put|delete)\(", code)
    method = (custom.group(1) if custom else called.group(1) if called else "post").upper()
    data = re.search(r"^(?:const |\$)?(?:data|newUser) = ", code, re.MULTILINE)
    return Sample(language, section, method, path, literal(code[data.end() :]) if data else None)


def literal(text: str) -> Any:
    """The literal that a text begins with: JSON, JavaScript, Python or PHP."""
    return _Reader(text).value()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = self._split(text)
        self._next: tuple[str, str] = next(self._tokens)

    @staticmethod
    def _split(text: str) -> Any:
        at = 0
        while found := _TOKEN.match(text, at):
            at = found.end()
            quoted, opened, mark, word = found.groups()
            yield (
                ("text", quoted[1:-1])
                if quoted
                else ("mark", "(" if opened else mark)
                if not word
                else ("word", word)
            )
        yield ("end", "")

    def _take(self) -> tuple[str, str]:
        taken, self._next = self._next, next(self._tokens, ("end", ""))
        return taken

    def value(self) -> Any:
        kind, found = self._take()
        if kind == "mark" and found in _CLOSING:
            return self._members(_CLOSING[found])
        if kind == "word" and found in _WORDS:
            return _WORDS[found]
        if kind == "word" and re.fullmatch(r"-?\d+(\.\d+)?", found):
            return float(found) if "." in found else int(found)
        assert kind in {"text", "word"}, found
        return found

    def _members(self, closing: str) -> Any:
        values: list[Any] = []
        named: dict[str, Any] = {}
        while self._next != ("mark", closing):
            assert self._next[0] != "end"
            if self._next[1] in {",", "}"} and self._next[0] == "mark":
                self._take()
                continue
            value = self.value()
            if self._next in {("mark", ":"), ("mark", "=>")}:
                self._take()
                named[value] = self.value()
            else:
                values.append(value)
        self._take()
        return named if named or closing == "}" else values
