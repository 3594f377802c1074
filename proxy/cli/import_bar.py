"""How far ``datacue-proxy import`` is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

LINE_SECONDS: Final = 15.0
"""Between two lines that say how far it is, where there is no terminal for a bar."""


Unit = Literal["bytes", "items"]


class Bar:
    """A bar on a terminal, now and then a line elsewhere.

    Args:
        console: where it is shown.
        what: is done.
        total: how much there is, if that is known.
        unit: of it.
    """

    def __init__(self, console: Console, what: str, total: int | None, *, unit: Unit) -> None:
        self._console = console
        self._what = what
        self._total = total
        self._unit = unit
        self._said = time.monotonic()
        self._progress: Progress | None = None
        if console.is_terminal and not console.quiet:
            count = (MofNCompleteColumn(),) if unit == "items" else (TaskProgressColumn(),)
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                *count,
                TextColumn("{task.fields[errors]}{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=console,
                transient=unit == "bytes",
            )
            self._task = self._progress.add_task(what, total=total, errors="", rate="")

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Shows no more."""
        if self._progress is not None:
            self._progress.stop()

    def after(self, before: int) -> Callable[[int], None]:
        """Shows how far one of several is; so much was done before it."""
        return lambda done: self.show(before + done)

    def show(self, done: int, errors: int = 0) -> None:
        """Shows how far it is."""
        if self._progress is None:
            now = time.monotonic()
            if now - self._said >= LINE_SECONDS:
                self._said = now
                of = f" of {self._total:,}" if self._total else ""
                self._console.print(f"{self._what}: {done:,}{of} {self._unit}, {errors:,} errors")
            return
        speed = self._progress.tasks[0].speed if self._unit == "items" else None
        self._progress.update(
            self._task,
            completed=done,
            errors=f"{errors:,} errors" if self._unit == "items" else "",
            rate=f" · {speed:,.0f}/s" if speed else "",
        )
