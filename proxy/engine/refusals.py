"""What the engine says no to: each refusal names the field, the value and the expectation.

::

    Refused             status, error
    ├── FieldRefused    400: also field, value, expected
    └── MethodRefused   405: also what is allowed
"""

from __future__ import annotations

from typing import Any

SHOWN_VALUE = 80
"""Characters of a refused value that are repeated in the answer: enough to find it in a feed."""


class Refused(Exception):
    """A request, or one item of a batch, that the engine does not carry out.

    Args:
        status: the HTTP status that says so.
        error: one sentence for whoever sent it.
    """

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error

    def as_json(self) -> dict[str, Any]:
        """The answer's body, or its part of a 207's status entry."""
        return {"error": self.error}


class FieldRefused(Refused):
    """A field that is missing, or whose value can't be what the guide asks for.

    Args:
        field: the field's path as the sender wrote it: ``cart[1].quantity``.
        value: what came; None where nothing did.
        expected: what the field holds, as a noun: ``a number``.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = _shown(value)
        self.expected = expected
        came = "nothing" if value is None else repr(self.value)
        super().__init__(400, f"Please specify a valid {field}: expected {expected}, got {came}")

    def as_json(self) -> dict[str, Any]:
        """The refusal with its three parts apart, for programs."""
        return {"error": self.error, "field": self.field, "value": self.value, "expected": self.expected}


class MethodRefused(Refused):
    """A method that a path doesn't have (RFC 9110, 15.5.6).

    Args:
        allowed: the methods that it has.
    """

    def __init__(self, *allowed: str) -> None:
        self.allow = ", ".join(sorted(allowed))
        super().__init__(405, f"Allowed here: {self.allow}")


def _shown(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else f"{type(value).__name__} {value!r}"
    return text if len(text) <= SHOWN_VALUE else text[: SHOWN_VALUE - 1] + "…"
