"""Where a pool connects to: one scheme, host and port."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9._~-]+")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._~-]+)?")
_PRINTABLE = re.compile(r"[!-~\xa1-\U0010ffff]+")
_PATH = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Origin:
    """The far end of every connection of one pool (RFC 6454, 4; RFC 9110, 4.2).

    Attributes:
        scheme: ``http`` or ``https``.
        host: name or address, without brackets; an international name in its ASCII form.
        port: 1 to 65535.
        path: what the URL has after the authority, without a final slash; ``""`` for none. The pool
            ignores it: a request's target is sent as it is given.
        uds: connect over this Unix socket instead; host and port still name the origin.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    uds: str | None = None

    @classmethod
    def parse(cls, url: str, *, uds: str | None = None) -> Origin:
        """Reads an operator's URL.

        Raises:
            ValueError: with one clear sentence that says what is wrong.
        """
        if "@" in url.partition("//")[2].partition("/")[0]:
            raise ValueError("the URL must not carry a user name or password")  # nor may the message
        if not _PRINTABLE.fullmatch(url):
            raise ValueError(f"{url!r} has a space or control character in it")
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise ValueError(f"{url!r} is not a URL: {error}") from error
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError(f"{url!r} must begin with http:// or https://")
        if parts.query or parts.fragment or "?" in url or "#" in url:
            raise ValueError(f"{url!r} must end with its path: no query, no fragment")
        host = _host(parts.hostname or "", url)
        try:
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{url!r} has no valid port: it must be a number from 1 to 65535") from error
        if port == 0 or parts.netloc.endswith(":"):
            raise ValueError(f"{url!r} has no valid port: it must be a number from 1 to 65535")
        if not _PATH.fullmatch(parts.path):
            raise ValueError(f"{url!r} has a path that is not percent-encoded")
        return cls(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], parts.path.rstrip("/"), uds)

    @property
    def authority(self) -> bytes:
        """The ``Host`` field's value: no default port, IPv6 in brackets (RFC 9110, 7.2)."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host  # no zone (RFC 6874, 1)
        return (host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}").encode("ascii")

    def __str__(self) -> str:
        where = f"{self.scheme}://{self.authority.decode('ascii')}"
        return f"{where} (socket {self.uds})" if self.uds else where


def _host(host: str, url: str) -> str:
    """The host in ASCII, or a ValueError."""
    if not host:
        raise ValueError(f"{url!r} names no host")
    if ":" in host:
        if not _IPV6.fullmatch(host):
            raise ValueError(f"{url!r} has no valid IPv6 address")
        return host.replace("%25", "%")
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{url!r} has no valid host name: {error}") from error
    if not _HOST.fullmatch(host):
        raise ValueError(f"{url!r} has no valid host name")
    return host
