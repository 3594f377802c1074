"""The one gate between catalogue data and ``href``, ``src`` or ``Location``."""

from __future__ import annotations

import re
from urllib.parse import quote

URL_LIMIT = 2048
"""Characters of a URL: what every browser, CDN and proxy on the way still carries."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"(https?:)?//([^/?#]*)", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"([a-z0-9._~-]+|\[[0-9a-f:.]+\])(:[0-9]{0,5})?", re.ASCII | re.IGNORECASE)
_REFUSED = re.compile("[\x00-\x1f\x7f\\\\]")
_KEPT = "!#$%&'()*+,/:;=?@[]~-._"  # as the URL standard's path and query percent-encode sets leave it
_CLEAN = re.compile(
    r"(?:(?:(?:https?:)?//[A-Za-z0-9._~-]+(?::[0-9]{0,5})?(?=[/?#]|\Z))|/(?!/))[A-Za-z0-9"
    + re.escape(_KEPT)
    + r"]*",
    re.ASCII,
)
"""Nearly every URL of a catalogue: nothing in it is refused, and nothing would be encoded."""


def safe_url(value: object) -> str | None:
    r"""An http(s) or relative URL in printable ASCII, or None.

    It reads the way browsers do (WHATWG URL Standard, 4.4), and refuses whatever they would mend:

    - surrounding white space goes; a control character anywhere else (browsers delete tabs and line
      ends, so ``java\tscript:`` runs) or a backslash (browsers read ``/``) is refused;
    - a scheme other than http or https is refused, and these need ``//`` and a host;
    - ``//host/path`` is allowed: it takes the page's scheme, which is http or https;
    - credentials (``user@host``) are refused: nobody sells that way, and they disguise the host;
    - white space within, quotes, angle brackets and non-ASCII are percent-encoded as UTF-8, hosts
      by IDNA, so that the URL means the same on a page in any charset.
    """
    if not isinstance(value, str):
        return None
    if len(value) <= URL_LIMIT and _CLEAN.fullmatch(value):
        return value
    text = value.strip(" \t\r\n\f")
    if not text or len(text) > URL_LIMIT or _REFUSED.search(text):
        return None
    found = _AUTHORITY.match(text)
    if found:
        host = _ascii_host(found[2])
        if host is None:
            return None
        start = f"{found[1] or ''}//{host}"
        rest = text[found.end() :]
    elif _SCHEME.match(text):
        return None
    else:
        start, rest = "", text
    try:
        return start + quote(rest, safe=_KEPT)
    except UnicodeEncodeError:  # a lone surrogate
        return None


def _ascii_host(host: str) -> str | None:
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return host if _HOST.fullmatch(host) else None
