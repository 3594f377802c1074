"""The operator's ``[[pages]]`` rules, compiled."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import re2
from msgspec import Struct

from proxy.errors import SettingsError
from proxy.facts import FACT_NAMES
from proxy.facts.address import clean
from proxy.models import PAGE_KINDS, Page, PageKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PAGE_FIELDS: Final = ("product_id", "variant_id", "category_name", "term")
"""The fields of an event that a rule can fill; other names in braces only match."""

MAX_PATTERN: Final = 1_000
"""Characters of a path pattern: nobody writes more by hand."""

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_NAME: Final = re.compile(r"([a-z_][a-z0-9_]*)(\*?)")


class PageRule(Struct, frozen=True):
    """One ``[[pages]]`` entry, compiled by `compile_rule`."""

    kind: PageKind
    why: str
    prefix: str
    """What every matching path starts with; spares most rules a closer look."""
    path: Any
    """The compiled pattern over a readable path's bytes; None: any path. (re2 has no types.)"""
    captured: tuple[str, ...]
    """The event fields that its groups hold."""
    query: tuple[tuple[str, str, bool], ...]
    """(event field, parameter, required)."""
    demanded: tuple[tuple[str, str], ...]
    """(parameter, value) that must be there."""
    fields: tuple[tuple[str, str], ...]
    """(event field, constant)."""

    def match(self, path: str, parameters: Mapping[str, str]) -> Page | None:
        """The page, if the rule matches.

        Args:
            path: readable, see `readable_path`.
            parameters: of the query, decoded.
        """
        if not path.startswith(self.prefix):
            return None
        if any(parameters.get(name) != value for name, value in self.demanded):
            return None
        found = dict(self.fields)
        for field, parameter, required in self.query:
            value = parameters.get(parameter)
            if value:
                found[field] = value
            elif required:
                return None
        if self.path is not None:
            match = self.path.fullmatch(path.encode())
            if match is None:
                return None
            found |= zip(self.captured, map(segment_text, match.groups()), strict=True)
        known = {name: found[name] for name in PAGE_FIELDS if found.get(name)}
        return Page(kind=self.kind, why=self.why, **known)


def compile_rule(
    index: int,
    *,
    path: str | None,
    query: Mapping[str, str] | None,
    kind: str,
    fields: Mapping[str, str] | None,
    facts: Iterable[str] = (),
) -> PageRule:
    """Compiles a ``[[pages]]`` entry.

    Args:
        index: its place in the settings, from 0; for messages and `Page.why`.
        path: the path pattern: ``{name}`` is one path segment or part of one, ``{name*}`` the rest
            across slashes, all else is literal; a slash at the end doesn't matter.
        query: event field = parameter, which must be there and not empty; ``"parameter?"`` may be
            missing; ``"parameter=value"`` must have that value.
        kind: one of `PAGE_KINDS`.
        fields: event field = constant.
        facts: names of the facts that the rule selects, to be checked; the locator reads them.

    Raises:
        SettingsError: names ``pages[<index>].<key>``, the problem and the mend.
    """
    here = f"pages[{index}]"
    read, demanded = compile_query(f"{here}.query", query or {})
    if path is None and not read and not demanded:
        raise SettingsError(
            f"{here}.path",
            "the rule has neither path nor query",
            'Add a path such as "/product/{product_id}".',
        )
    for fact in facts:
        check_name(f"{here}.facts", fact, FACT_NAMES)
    pattern, captured = (None, ()) if path is None else compile_path(f"{here}.path", path)
    return PageRule(
        kind=_kind(here, kind),
        why=f"rule:{index}",
        prefix=_readable(path.partition("{")[0].rstrip("/")) if path is not None else "",
        path=pattern,
        captured=captured,
        query=read,
        demanded=demanded,
        fields=_constants(here, fields or {}),
    )


def readable_path(raw: bytes) -> str:
    """A request's path as patterns match it: decoded, but an encoded slash parts no segments.

    ``%2F`` stays as it is and ``%`` becomes ``%25``, so that nothing is ambiguous; `segment_text`
    takes them back.
    """
    if b"%" not in raw:
        return raw.decode("utf-8", "replace")
    return _readable(raw.decode("utf-8", "replace"))


def _segment(raw: str) -> str:
    return unquote(raw).replace("%", "%25").replace("/", "%2F")


def segment_text(captured: bytes) -> str:
    """What a group of a path pattern holds, as a field of an event."""
    return clean(captured.decode().replace("%2F", "/").replace("%25", "%"))


def _kind(here: str, kind: str) -> PageKind:
    for known in PAGE_KINDS:
        if kind == known:
            return known
    raise SettingsError(
        f"{here}.kind",
        f'"{kind[:40]}" is no page kind',
        f"{guess(kind, PAGE_KINDS)}Write one of: {', '.join(PAGE_KINDS)}.",
    )


def compile_path(key: str, path: str, fields: Sequence[str] = PAGE_FIELDS) -> tuple[Any, tuple[str, ...]]:
    """A path pattern, compiled, and the fields that its groups hold; `segment_text` reads them.

    Args:
        key: of the setting, for messages.
        path: the pattern, as in `compile_rule`.
        fields: the names that are wanted; other names in braces only match.

    Raises:
        SettingsError: names the key, the problem and the mend.
    """
    _check_path(key, path)
    pattern, at, names, end = "", 0, list[str](), -1
    trimmed = path.rstrip("/")
    for placeholder in _PLACEHOLDER.finditer(trimmed):
        name = _NAME.fullmatch(placeholder[1])
        if name is None:
            raise SettingsError(
                key,
                f'"{placeholder[0]}" is no placeholder',
                "Write {name} for one path segment, {name*} for the rest; names are of a-z, 0-9 and _.",
            )
        if name[1] in names:
            raise SettingsError(
                key, f"{{{name[1]}}} stands there twice", "Give each placeholder a name of its own."
            )
        if placeholder.start() == end:
            raise SettingsError(
                key,
                f"nothing parts {placeholder[0]} from the placeholder before it",
                "Put a character between them.",
            )
        names.append(name[1])
        pattern += _literal(trimmed[at : placeholder.start()])
        pattern += f"({'' if name[1] in fields else '?:'}{'.*' if name[2] else '[^/]+'})"
        at = end = placeholder.end()
    options = re2.Options()
    options.dot_nl = True
    compiled = re2.compile(f"{pattern}{_literal(trimmed[at:])}/?".encode(), options)
    return compiled, tuple(name for name in names if name in fields)


def _check_path(key: str, path: str) -> None:
    rest = _PLACEHOLDER.sub("", path)
    if not path.startswith("/"):
        raise SettingsError(key, f'"{path[:80]}" doesn\'t start with a slash', f'Write "/{path[:80]}".')
    if len(path) > MAX_PATTERN:
        raise SettingsError(key, f"longer than {MAX_PATTERN} characters", "Shorten it with {name*}.")
    if "?" in rest or "#" in rest:
        raise SettingsError(
            key,
            f'"{path[:80]}" has a query or fragment',
            'Write the path alone, and query = { term = "q" } beside it.',
        )
    if "{" in rest or "}" in rest:
        raise SettingsError(key, f'a brace in "{path[:80]}" isn\'t closed or opened', "Write {name}.")


def _readable(text: str) -> str:
    return "/".join(_segment(part) for part in text.split("/"))


def _literal(text: str) -> str:
    escaped: str = re2.escape(_readable(text))
    return escaped


def compile_query(
    here: str, query: Mapping[str, str]
) -> tuple[tuple[tuple[str, str, bool], ...], tuple[tuple[str, str], ...]]:
    """``query`` as ((field, parameter, required), ...) and the demanded ((parameter, value), ...)."""
    read: list[tuple[str, str, bool]] = []
    demanded: list[tuple[str, str]] = []
    for field, written in query.items():
        parameter, equals, value = written.partition("=")
        name = parameter.removesuffix("?")
        if not name:
            raise SettingsError(
                f"{here}.{field}",
                "no parameter is named",
                f'Write {field} = "parameter", as in term = "q".',
            )
        if equals:
            demanded.append((parameter, clean(value)))
        else:
            read.append((field, name, name == parameter))
    return tuple(read), tuple(demanded)


def _constants(here: str, fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for field in fields:
        check_name(f"{here}.fields", field, PAGE_FIELDS)
    return tuple((field, clean(value)) for field, value in fields.items())


def check_name(key: str, name: str, known: Sequence[str]) -> None:
    """Raises SettingsError for a name that isn't among those known, with a guess at what was meant."""
    if name not in known:
        raise SettingsError(
            f"{key}.{name}", "no such name", f"{guess(name, known)}Write one of: {', '.join(known)}."
        )


def guess(written: str, known: Sequence[str]) -> str:
    """What was probably meant, as a sentence; empty where nothing comes near."""
    near = get_close_matches(written, known, n=1)
    return f'Did you mean "{near[0]}"? ' if near else ""
