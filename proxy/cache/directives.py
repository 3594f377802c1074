"""What caches are told: ``Cache-Control``, and the dates beside it (RFC 9111, 5)."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from proxy.headers import value_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.headers import Headers

LONGEST = 2**31
"""Seconds: what is longer means this (RFC 9111, 1.2.2)."""

DIGITS = 12
"""Of a number of seconds that are read; more than the longest has."""

_DIRECTIVE = re.compile(
    rb"""[\s,]*([!#$%&'*+.^_`|~0-9a-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?[ \t]*(?=,|\Z)"""
)


class Unreadable(ValueError):
    """A list of directives that is no such list: nothing that it holds can be relied on."""


def directives(headers: Headers, name: bytes = b"cache-control") -> dict[bytes, bytes | None]:
    """Directives by lower-case name, with their argument or None.

    Of a directive that stands twice the smaller argument counts: the more cautious one (RFC 9111, 4.2.1).

    Raises:
        Unreadable: a value doesn't follow the grammar.
    """
    found: dict[bytes, bytes | None] = {}
    for value in values_of(headers, name):
        text = value.strip().lower()
        at = 0
        while at < len(text.rstrip(b", \t")):
            match = _DIRECTIVE.match(text, at)
            if match is None:
                raise Unreadable(value.decode("latin-1"))
            at = match.end()
            directive, quoted, token = match.groups()
            argument = quoted if quoted is not None else token
            if directive in found and found[directive] is not None and argument is not None:
                argument = min(found[directive] or b"", argument, key=lambda one: (len(one), one))
            found[directive] = argument
    return found


def for_everybody(headers: Headers) -> bool:
    """Whether an answer says in so many words that shared caches may keep it, whoever asked.

    ``max-age`` alone is said by shops that think of the browser's cache: as with ``Authorization`` (RFC 9111,
    3.5), that is too little where the request could have told who somebody is.
    """
    try:
        given = directives(headers)
    except Unreadable:
        return False
    return b"public" in given or b"s-maxage" in given


def seconds(given: Mapping[bytes, bytes | None], name: bytes) -> int | None:
    """A directive's argument in seconds; None where it is absent, 0 where it is no number of them.

    What can't be read is stale: no freshness can be had from it (RFC 9111, 4.2.1).
    """
    if name not in given:
        return None
    argument = given[name] or b""
    return min(int(argument[:DIGITS]), LONGEST) if argument.isdigit() else 0


def date_of(headers: Headers, name: bytes) -> float | None:
    """A date field as unix seconds, or None (RFC 9110, 5.6.7)."""
    value = value_of(headers, name)
    if value is None:
        return None
    try:
        return parsedate_to_datetime(value.decode("latin-1").strip()).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
