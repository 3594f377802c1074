"""An HTTP status that says no, as the error that it is, with the vendor's words made short and plain."""

from __future__ import annotations

import html
import re
from http import HTTPStatus
from typing import Any, Final

import msgspec

from proxy.api.call import DONE, Answer
from proxy.api.errors import (
    Elsewhere,
    NotFound,
    Refused,
    Rejected,
    Throttled,
    TooLarge,
    Unauthorized,
    VendorFailed,
)
from proxy.headers import retry_after
from proxy.logs import CREDENTIAL

MAX_MESSAGE: Final = 300
"""Characters of the vendor's words that an error carries: one line for a terminal, or for a file of
failed items."""

MAX_READ: Final = 64 << 10
"""Bytes of an error page that are looked at for a sentence."""

MAX_DEPTH: Final = 3
"""Lists and objects around a sentence: ``{"errors": [{"message": …}]}`` has three."""

MAX_SENTENCES: Final = 5
"""Of a list; more don't fit into a line."""

_SAYS: Final = ("error", "message", "errors", "detail", "title")
"""Fields in which APIs say what is wrong; the guide documents none."""

_UNSEEN: Final = re.compile(
    r"<(script|style|head)\b.*?(?:</\1\s*>|$)|<!--.*?(?:-->|$)", re.DOTALL | re.IGNORECASE
)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")

_CLASSES: Final[dict[int, type[Refused]]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    410: NotFound,
    413: TooLarge,
    429: Throttled,
}


def refusal(answer: Answer, request: str, now: float) -> Refused | None:
    """The error that an answer stands for; None for a 2xx.

    Args:
        answer: what came.
        request: the call's name.
        now: unix seconds, to read a ``Retry-After`` that is a date.
    """
    if answer.status in DONE:
        return None
    kind = _CLASSES.get(answer.status)
    if kind is None:
        kind = {3: Elsewhere, 4: Rejected}.get(answer.status // 100, VendorFailed)
    wait = retry_after(answer.retry_after, now) if answer.retry_after else None
    return kind(words(answer), request, answer.status, wait)


def words(answer: Answer) -> str:
    """What an answer says, of JSON, of an HTML error page or of plain text; or what its status means."""
    body = answer.body[:MAX_READ]
    said = ""
    try:
        said = sentence(msgspec.json.decode(answer.body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = body.decode("utf-8", "replace")
        if "html" in answer.content_type or text.lstrip()[:1] == "<":
            titled = _TITLE.search(text)
            text = titled[1] if titled else _UNSEEN.sub(" ", text)
            text = html.unescape(_TAG.sub(" ", text))
        said = text
    return plain(said) or _meaning(answer.status)


def sentence(document: Any, depth: int = 0) -> str:
    """What a JSON document says is wrong, wherever it says it."""
    if isinstance(document, str):
        return document
    if depth == MAX_DEPTH:
        return ""
    if isinstance(document, list):
        return "; ".join(filter(None, (sentence(member, depth + 1) for member in document[:MAX_SENTENCES])))
    if isinstance(document, dict):
        for field in _SAYS:
            if said := sentence(document.get(field), depth + 1):
                return said
    return ""


def plain(text: str) -> str:
    """One short line, fit for a terminal: no control characters, nothing that looks like a credential."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:MAX_READ])
    line = CREDENTIAL.sub(r"\1 …", " ".join(shown.split()))
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"


def _meaning(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
