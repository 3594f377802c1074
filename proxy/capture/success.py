"""What in a response says that a form did what it asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from proxy.classify.rules import compile_path, readable_path
from proxy.errors import SettingsError
from proxy.headers import value_of, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.headers import Headers

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
ACCEPTED: Final = frozenset(range(200, 400))
KEYS: Final = ("status", "location", "not_location", "cookie")


class Success(Struct, frozen=True):
    """A rule's ``success``, compiled: all that it says must hold."""

    statuses: frozenset[int] = REDIRECTS
    to: tuple[Any, ...] = ()
    """Path patterns, one of which the redirect leads to. (re2 has no types.)"""
    away_from: tuple[Any, ...] = ()
    """Path patterns, none of which the redirect leads to."""
    cookies: tuple[bytes, ...] = ()
    """Names, one of which the response sets."""
    moves: bool = False
    """Whether a redirect to the form's own address is no success: a login that starts over."""

    def holds(self, status: int, headers: Headers, asked: bytes) -> bool:
        """Judges a response's head.

        Args:
            status: of the response.
            headers: of the response.
            asked: the path that was asked for.
        """
        if status not in self.statuses:
            return False
        if self.cookies and not any(
            _sets(value) in self.cookies for value in values_of(headers, b"set-cookie")
        ):
            return False
        if status not in REDIRECTS:
            return not self.to
        path = _target(value_of(headers, b"location"), asked)
        if self.moves and path.rstrip("/") == readable_path(asked).rstrip("/"):
            return False
        if any(pattern.fullmatch(path.encode()) for pattern in self.away_from):
            return False
        return not self.to or any(pattern.fullmatch(path.encode()) for pattern in self.to)


def compile_success(key: str, given: dict[str, Any], *, moves: bool) -> Success:
    """Compiles a rule's ``success``.

    Args:
        key: of the setting, for messages.
        given: ``status`` (a number, ``"2xx"``, or a list of them), ``location`` and ``not_location``
            (path patterns, one or several), ``cookie`` (a name, or several).
        moves: whether a redirect back to the form's own address is no success.

    Raises:
        SettingsError: names the key, the problem and the mend.
    """
    for name in given:
        if name not in KEYS:
            raise SettingsError(f"{key}.{name}", "no such name", f"Write one of: {', '.join(KEYS)}.")
    to, away = (
        tuple(compile_path(f"{key}.{name}", text, ())[0] for text in _texts(f"{key}.{name}", given.get(name)))
        for name in ("location", "not_location")
    )
    cookies = tuple(name.encode() for name in _texts(f"{key}.cookie", given.get("cookie")))
    default = ACCEPTED if cookies and not (to or away) else REDIRECTS
    statuses = _statuses(f"{key}.status", given["status"]) if "status" in given else default
    return Success(statuses, to, away, cookies, moves=moves and not (to or away or "status" in given))


def _texts(key: str, given: Any) -> Sequence[str]:
    listed = [] if given is None else given if isinstance(given, list) else [given]
    if not all(isinstance(text, str) and text for text in listed):
        raise SettingsError(
            key, f"is neither a text nor a list of texts (it is {given!r})", "Put it in quotes."
        )
    return listed


def _statuses(key: str, given: Any) -> frozenset[int]:
    found: set[int] = set()
    for one in given if isinstance(given, list) else [given]:
        text = str(one)
        if text in {"2xx", "3xx"}:
            found |= {status for status in ACCEPTED if status // 100 == int(text[0])}
        elif text.isascii() and text.isdigit() and 200 <= int(text[:4]) <= 499:  # noqa: PLR2004  final statuses of answers
            found.add(int(text))
        else:
            raise SettingsError(key, f"{text[:40]!r} is no status", 'Write 303, "2xx" or "3xx", or a list.')
    return frozenset(found)


def _sets(cookie: bytes) -> bytes:
    return cookie.partition(b";")[0].partition(b"=")[0].strip()


def _target(location: bytes | None, asked: bytes) -> str:
    """Where a redirect leads, as a readable path; its host isn't looked at."""
    try:
        text = (location or b"").decode("utf-8", "replace")
        return (
            readable_path(urlsplit(urljoin(asked.decode("latin-1"), text)).path.encode("utf-8", "replace"))
            or "/"
        )
    except ValueError:  # a bracket that opens no IPv6 address
        return ""
