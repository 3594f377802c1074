"""What the outbox's tests share: records, stores to hold to the contract, and time that jumps."""

from __future__ import annotations

import asyncio
import itertools
import selectors
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from proxy.outbox import Folder, Outbox, Priority, Record
from proxy.outbox.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

EPOCH = 1_800_000_000.0

PATIENCE = 30.0
"""Seconds for which a thread may be at work without a word: then it is dead, and its test would never end."""

LOOK = 0.05
"""Seconds between two looks at a thread at work."""


@pytest.fixture
def new_record() -> Callable[..., Record]:
    """Makes records with ids r0, r1, …, each a second later than the one before."""
    numbers = itertools.count()

    def make(
        visitor: str = "v",
        *,
        priority: Priority = Priority.VIEW,
        created: float | None = None,
        size: int = 20,
    ) -> Record:
        number = next(numbers)
        when = EPOCH + number if created is None else created
        return Record(f"r{number}", visitor, priority, when, b'"' + b"x" * (size - 2) + b'"')

    return make


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens the store under test, the same data at every call; every store joins ``params``."""
    opened: list[Any] = []

    def open_sqlite(**limits: Any) -> SQLiteStore:
        store = SQLiteStore(tmp_path / "contract.sqlite3", **limits)
        opened.append(store)
        return store

    yield {"sqlite": open_sqlite}[request.param]
    for store in opened:
        store.close()


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock to it, unless a real thread is at work."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.looks = 0
        self.busy: Callable[[], bool] = lambda: False

    def select(self, timeout: float | None = None) -> list[Any]:
        if ready := super().select(0):
            self.looks = 0
            return ready
        if self.busy():
            self.looks += 1
            assert self.looks < PATIENCE / LOOK, "the thread never answers"
            return super().select(LOOK)
        if timeout is None:  # only a thread could wake us
            return super().select(1.0)
        self.now += max(timeout, 0.0)
        return []


class _CountingExecutor(ThreadPoolExecutor):
    """Knows whether its threads are at work."""

    def __init__(self) -> None:
        super().__init__(max_workers=2)
        self.pending = 0

    def submit(self, *args: Any, **options: Any) -> Future[Any]:
        self.pending += 1
        future = super().submit(*args, **options)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: Future[Any]) -> None:
        self.pending -= 1


class VirtualTime:
    """Runs coroutines on a loop whose hours pass at once; threads take the time that they take."""

    def __init__(self) -> None:
        self._selector = _JumpingSelector()
        self._executor = _CountingExecutor()
        self.loop = asyncio.SelectorEventLoop(self._selector)
        self.loop.set_default_executor(self._executor)
        self.loop.time = lambda: self._selector.now  # type: ignore[method-assign]  # the seam that asyncio offers

    def wall(self) -> float:
        """Unix seconds, moving with the loop."""
        return EPOCH + self._selector.now

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._selector.now

    def watch(self, outbox: Outbox) -> None:
        """Hold time still while this outbox's thread is at work."""
        self._selector.busy = lambda: not outbox.idle or self._executor.pending > 0

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
                return runner.run(main)
        finally:
            self._selector.close()


@pytest.fixture
def virtual_time() -> Callable[[], VirtualTime]:
    return VirtualTime


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "outbox")
