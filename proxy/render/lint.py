"""What a widget template must not do, so that catalogue data stays data (promise 27).

Autoescaping protects text and quoted attribute values, and nothing else: an unquoted attribute, a
script or a style has rules of its own. Inline scripts and styles also break shops whose
Content-Security-Policy forbids them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import Environment, TemplateSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VALUE = "\ue000"  # stands for a {{ }} in the masked source: a private-use character, never in HTML we lint
_TAG = re.compile(
    rf"""<(?P<name>[a-z{_VALUE}][^\s/>"'=]*)(?P<attributes>(?:"[^"]*"|'[^']*'|[^>"'])*)>""", re.IGNORECASE
)
_TAG_START = re.compile(rf"<!--.*?-->|<(?=[a-z{_VALUE}])", re.IGNORECASE | re.DOTALL)
_ATTRIBUTE = re.compile(r"""(?P<name>[^\s=/"']+)(?:\s*=\s*(?P<value>"[^"]*"|'[^']*'|[^\s"']+))?""")
_SCHEME = re.compile(r"""["']?\s*(javascript|vbscript|data)\s*:""", re.IGNORECASE)

_environment = Environment(autoescape=True)


def lint_templates(folder: Path) -> list[str]:
    """Problems of every ``*.html`` below the folder, as ``widgets/product.html:12: what is wrong``."""
    problems: list[str] = []
    for file in sorted(folder.rglob("*.html")):
        name = file.relative_to(folder).as_posix()
        try:
            source = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}:1: can't be read as UTF-8 text: {error}")
            continue
        problems += [f"{name}:{line}: {problem}" for line, problem in lint_source(source)]
    return problems


def lint_source(source: str) -> list[tuple[int, str]]:
    """(line, problem) pairs of one template, in the order of lines."""
    try:
        _environment.parse(source)
    except TemplateSyntaxError as error:
        return [(error.lineno, str(error.message))]
    masked, problems = _mask(source)
    return sorted([*problems, *_lint_html(masked)])


def _mask(source: str) -> tuple[str, list[tuple[int, str]]]:
    """The template's HTML with its expressions masked, line by line in place; and what those do wrong."""
    html: list[str] = []
    problems: list[tuple[int, str]] = []
    words: list[str] = []  # of the expression or statement that is open
    for line, kind, text in _environment.lex(source):
        if kind == "data":
            html.append(text)
            continue
        html.append("\n" * text.count("\n"))
        if kind in {"variable_begin", "block_begin"}:
            words = []
        elif kind == "variable_end":
            # The heading's tag name is ours, never data.
            html.append("h2" if words == ["heading"] else _VALUE)
        elif kind not in {"whitespace", "block_end"}:
            words.append(text)
            problems += [(line, problem) for problem in _unescaped(words)]
    return "".join(html), problems


def _unescaped(words: list[str]) -> Iterator[str]:
    """Judges the newest word of an expression by the ones before it."""
    *before, word = words
    last = before[-1] if before else ""
    if word == "safe" and last in {"|", "filter"}:
        yield "`safe` switches escaping off: pass plain values"
    if word == "autoescape" and not before:
        yield "escaping is not the template's choice: leave `autoescape` out"


def _lint_html(html: str) -> Iterator[tuple[int, str]]:
    at = 0
    while found := _TAG_START.search(html, at):
        line = html.count("\n", 0, found.start()) + 1
        if found[0] != "<":
            at = found.end()
            continue
        tag = _TAG.match(html, found.start())
        if tag is None:
            yield line, "this tag never ends: look for a missing quote or `>`"
            return
        at = tag.end()
        name = tag["name"].lower()
        if _VALUE in name:
            yield line, "the name of a tag can't come from data"
        if name in {"script", "style"}:
            yield line, f"no inline <{name}>: put it into a file of the `static` folder"
        for attribute in _ATTRIBUTE.finditer(tag["attributes"]):
            offset = tag.start("attributes") + attribute.start()
            place = html.count("\n", 0, offset) + 1
            for problem in _lint_attribute(attribute["name"].lower(), attribute["value"] or ""):
                yield place, problem


def _lint_attribute(name: str, value: str) -> Iterator[str]:
    if _VALUE in name:
        yield "the name of an attribute can't come from data"
    if name.startswith("on"):
        yield f"no inline handler `{name}`: a strict Content-Security-Policy forbids it"
    if name in {"style", "srcdoc"}:
        yield f"no `{name}` attribute: use a class and the stylesheet"
    if _VALUE in value and value[0] not in "\"'":
        yield f"quote the value of `{name}`: a space in the data would start another attribute"
    if _SCHEME.match(value):
        yield f"no `javascript:`, `vbscript:` or `data:` in `{name}`"
