"""The embedded engine's process: one for all workers of a state folder, whoever starts first.

Whoever gets the lock runs the engine as a child that listens on a unix socket in the state folder and
talks HTTP as DataCue does; the others use its socket, and take over when the lock becomes free. The
child ends when its standard input closes, so it never outlives its owner, not even a killed one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from proxy.errors import SettingsError

if TYPE_CHECKING:
    from proxy.logs import Log

LONGEST_SOCKET_PATH = 100
"""Bytes of a unix socket's address that every system takes (Linux has 108, others 104)."""

START_TIMEOUT = 60.0
"""Seconds that the engine may take to be ready: it reads its whole record (5 million events at most)."""

RESTART_SECONDS = 1.0
"""Between two tries to start an engine that died, or to take over the lock."""

UNUSABLE = 2
"""The engine's exit code when trying again is of no use: its file can't be used."""

STOP_SECONDS = 10.0
"""For the engine to write down what it was told, before it is killed."""


class EngineKeys(NamedTuple):
    """The embedded engine's credentials: made once, never shown."""

    api_key: str
    api_secret: str


def private_file(path: Path, make: str) -> str:
    """A file that only we can read, with ``make`` as its content if it isn't there yet.

    Raises:
        SettingsError: the state folder can't be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            # Written aside and linked into place: two workers that start together see one whole file.
            descriptor, aside = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(make)
            try:
                os.link(aside, path)
            finally:
                Path(aside).unlink()
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        problem = f"can't be used: {error}"
        raise SettingsError("state_dir", problem, "Name a folder that this user may write to.") from None


def engine_keys(state_dir: Path) -> EngineKeys:
    """The embedded engine's key and secret; made at the first start.

    Raises:
        SettingsError: the state folder can't be used.
    """
    text = private_file(state_dir / "engine.keys", f"{secrets.token_hex(8)} {secrets.token_hex(32)}")
    api_key, _, api_secret = text.partition(" ")
    return EngineKeys(api_key, api_secret)


def socket_path(state_dir: Path) -> str:
    """Where the engine of this state folder listens."""
    path = str(state_dir.resolve() / "engine.sock")
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"datacue-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise SettingsError("state_dir", f"{folder} belongs to somebody else", "Use a shorter path.")
    return str(folder / "engine.sock")


class EngineHost:
    """Keeps an engine running for this state folder, here or in another worker.

    Args:
        state_dir: holds the lock, the socket, the keys and the engine's data.
    """

    def __init__(self, state_dir: Path, log: Log) -> None:
        self._state_dir = state_dir
        self._log = log
        self._lock: int | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._started = False
        self.keys = engine_keys(state_dir)
        self.socket = socket_path(state_dir)

    async def start(self) -> None:
        """Returns when the engine answers.

        Raises:
            SettingsError: it can't be started.
        """
        self._keeper = asyncio.get_running_loop().create_task(self._keep())
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT
        while not await self._answers():
            if self._keeper.done():
                await self._keeper
            if asyncio.get_running_loop().time() > deadline:
                problem = f"the embedded engine was not ready within {START_TIMEOUT:.0f} s"
                raise SettingsError("state_dir", problem, "See its messages above.")
            await asyncio.sleep(0.02)
        self._started = True

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(self.socket)
        except OSError:
            return False
        writer.close()
        return True

    async def _keep(self) -> None:
        """Owns the lock and the child, or waits for the lock; for as long as this worker lives."""
        while True:
            if self._lock is None and not self._take_lock():
                await asyncio.sleep(RESTART_SECONDS)
                continue
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "proxy",
                "engine",
                "--listen",
                f"unix:{self.socket}",
                "--data",
                str(self._state_dir / "engine.sqlite"),
                "--until-stdin-closes",
                stdin=asyncio.subprocess.PIPE,
                # The keys travel in the environment: a command line is there for everybody to read.
                env={
                    **os.environ,
                    "DATACUE_API_KEY": self.keys.api_key,
                    "DATACUE_API_SECRET": self.keys.api_secret,
                },
            )
            status = await self._child.wait()
            self._child = None
            if status == UNUSABLE and not self._started:
                raise SettingsError("state_dir", "the embedded engine can't start", "See its line above.")
            self._log.warning("the embedded engine ended and is started again", status=status)
            await asyncio.sleep(RESTART_SECONDS)

    def _take_lock(self) -> bool:
        descriptor = os.open(self._state_dir / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    async def aclose(self) -> None:
        """Ends the child, if it is ours: its standard input closes, and it writes down what it knows."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        child = self._child
        if child is not None and child.returncode is None:
            assert child.stdin is not None
            child.stdin.close()
            try:
                await asyncio.wait_for(child.wait(), STOP_SECONDS)
            except TimeoutError:
                child.kill()
                await child.wait()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
