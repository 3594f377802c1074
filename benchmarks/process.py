"""Servers as processes: started in a folder of their own, ended whatever happens, their CPU time read."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

START_SECONDS = 60.0
"""For a server to listen; Python on a busy machine needs some."""

STOP_SECONDS = 10.0
"""Between asking a server to end and killing it."""

TICK = 1 / os.sysconf("SC_CLK_TCK")


class StartFailed(Exception):
    """A server did not come up; the message holds the end of its log."""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Server:
    """A server, its children included, from start to end.

    Args:
        command: what to run.
        port: where it listens on 127.0.0.1.
        folder: its own: working directory and log.
        environment: more variables.

    Raises:
        StartFailed: at entry, when it doesn't listen in time.
    """

    def __init__(
        self, command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = list(command)
        self.port = port
        self.folder = folder
        self.environment = environment or {}
        self.log = folder / "log"

    def __enter__(self) -> Self:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("DATACUE_")}
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C reaches us alone, and we end the server with its children.
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**clean, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._until_listening()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _until_listening(self) -> None:
        end = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        said = self.log.read_text(errors="replace")[-2000:]
        raise StartFailed(f"{self.command[0]} did not come up:\n{said}")

    def _stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None and number == signal.SIGTERM:
                continue
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue

    def cpu_seconds(self) -> float:
        """User and system time so far of the process, its children and the children it has lost."""
        return sum(_cpu_ticks(fields) for fields in _tree(self.process.pid)) * TICK


def _cpu_ticks(fields: list[str]) -> int:
    return sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime (proc_pid_stat(5))


def _stat(path: Path) -> list[str]:
    """Fields of /proc/PID/stat from ``state`` on; the name before it may hold anything."""
    return (path / "stat").read_text().rpartition(")")[2].split()


def _tree(root: int) -> Iterator[list[str]]:
    """The stat fields of a process and all that descend from it."""
    stats: dict[int, list[str]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                stats[int(path.name)] = _stat(path)
            except OSError:
                continue  # it ended meanwhile
    wanted = [root]
    for pid in wanted:
        if pid in stats:
            yield stats[pid]
            wanted += [child for child, fields in stats.items() if int(fields[1]) == pid]
