"""The embedded engine: answers as DataCue does, with a recommender of its own over one SQLite file.

In reading order: `wire` (what travels), `auth`, `store` (the record), `catalog` and `visitors` (the
record in memory), `recommender` (indexes), `page` and `compose` (what an answer shows), `shop` (record
and memory), `recording` and `resources` (what happens, what is told), `engine` (all of it without
HTTP), `rest` and `app` (the doors). Nothing here knows the proxy, and the proxy's client shares no
code with it: both follow the guide by themselves.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from proxy.engine.app import create_app
from proxy.engine.auth import Credentials
from proxy.engine.store.database import StoreUnusable, backup

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

__all__ = ["StoreUnusable", "backup", "create_engine"]


def create_engine(
    data: str | Path,
    *,
    api_key: str,
    api_secret: str,
    clock: Callable[[], float] = time.time,
    seed: int | None = None,
) -> ASGIApp:
    """The engine as an ASGI application: events at ``/``, the REST API at ``/v1``, ``/healthz``.

    Nothing is opened before the ASGI lifespan starts, or before the first request where there is none.

    Args:
        data: the SQLite file; made if missing. One engine a file.
        api_key: the key that events and REST calls carry.
        api_secret: the secret that signs REST calls.
        clock: Unix seconds; tests bring their own.
        seed: makes every draw repeatable.

    Raises:
        StoreUnusable: from the lifespan's startup, when the file can't be used.
    """
    return create_app(data, Credentials(api_key, api_secret), clock, seed)
