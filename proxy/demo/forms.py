"""What was typed: reading a posted form within limits, and checking its fields.

Only ``application/x-www-form-urlencoded``: the shop has no uploads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.exceptions import HTTPException

from proxy.demo.sessions import visit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

MAX_FORM_BYTES = 16 * 1024
"""A posted form; the longest, the checkout's, is under 2 KB."""

MAX_FORM_FIELDS = 40
"""Fields in one form."""

CSRF_FIELD = "csrf_token"

_EMAIL = re.compile(r"[^\s@,;<>()\"]+@[^\s@,;<>()\"]+\.[^\s@.,;<>()\"]+")

Form = dict[str, str]


class Field(Struct, frozen=True):
    """An input of a form, with what is asked of its value."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "off"
    hint: str = ""
    least: int = 1
    """Fewest characters; 0 makes it optional."""
    most: int = 100
    """Most characters."""
    check: Callable[[str], str] | None = None
    """Says what is wrong with a value, or nothing."""

    def error(self, value: str) -> str:
        """What is wrong with a value, in the customer's words; empty if nothing is."""
        if not value:
            return f"Please fill in your {self.label.lower()}." if self.least else ""
        if len(value) < self.least:
            return f"{self.label} needs at least {self.least} characters."
        if len(value) > self.most:
            return f"{self.label} can have at most {self.most} characters."
        return self.check(value) if self.check else ""


def check_email(value: str) -> str:
    """Something@somewhere.something; only a letter sent there would tell more."""
    return "" if _EMAIL.fullmatch(value) else "This doesn't look like an e-mail address: name@example.com"


def errors_of(fields: tuple[Field, ...], form: Form) -> dict[str, str]:
    """What is wrong, by field name; empty if all is well."""
    found = {field.name: field.error(form.get(field.name, "")) for field in fields}
    return {name: error for name, error in found.items() if error}


def one_line(text: str) -> str:
    """What was typed, as one line of printable characters: no NUL, no turned writing direction."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


async def read_form(request: Request) -> Form:
    """The posted form: the last value of each field, in one line (but for passwords).

    Raises:
        HTTPException: 415 not a form, 413 too large, 400 not UTF-8 or too many fields, 403 not sent
            from a page of this session.
    """
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError as error:
        raise HTTPException(400) from error
    form = {name: value if "password" in name else one_line(value) for name, value in pairs}
    if not visit_of(request).owns_token(form.get(CSRF_FIELD, "")):
        raise HTTPException(403)
    return form
