"""What a value is that can't be what its field holds."""

from __future__ import annotations

from typing import Final

SHOWN: Final = 60
"""Characters of a value that a reason repeats."""


class Unusable(Exception):
    """A value that can't be what its field holds; says why, as "… is no amount of money"."""


def shown(value: object) -> str:
    """A value, as reasons repeat it."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
