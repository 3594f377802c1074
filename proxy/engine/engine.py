"""The engine without HTTP: a shop, what happens in it, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.engine.recording import Recorder
from proxy.engine.resources import Resources
from proxy.engine.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Engine:
    """One shop's engine: ``events`` are recorded, ``resources`` are changed inside `Shop.writing`.

    Args:
        data: the store's file.
        clock: Unix seconds.
        seed: makes every draw repeatable; None draws anew.

    Raises:
        StoreUnusable: see `Database`.
    """

    def __init__(self, data: str | Path, clock: Callable[[], float], seed: int | None = None) -> None:
        self.shop = Shop(data, clock, seed)
        self.events = Recorder(self.shop)
        self.resources = Resources(self.shop)
        self.writing = self.shop.writing
        self.close = self.shop.close
