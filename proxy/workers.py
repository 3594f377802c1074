"""Several workers: one shared listening socket, a process a worker, and a parent that keeps them.

The parent binds the socket and hands it down, so nothing that waits in its queue is lost when a worker
goes; ``accepting.py`` says who takes what. SIGHUP replaces the workers one by one (they read the settings
anew); SIGTERM ends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from proxy.accepting import PLACE_BYTES, Shares
from proxy.admin import create_admin
from proxy.errors import SettingsError
from proxy.metrics import expose_all
from proxy.server import SHUTDOWN_SECONDS, admin_server, admin_token

if TYPE_CHECKING:
    import socket

    from proxy.logs import Log
    from proxy.settings import Settings

WORKER = "DATACUE_WORKER"
"""In a worker's environment: what it inherits, as numbers (see ``Inherited``)."""

START_SECONDS = 90.0
"""For a worker to serve: the first one waits for the engine to read its record."""

UNUSABLE = 2
"""A worker's exit code when trying again is of no use: the settings, or what they name, can't be used."""

RESTART_SECONDS = 1.0
"""Between two tries to replace a worker that died."""

LAST_SECONDS = 5.0
"""For a worker to close what it has opened, after its requests have ended or were cut."""


class Inherited(NamedTuple):
    """What a worker has from its parent.

    Attributes:
        listener: descriptor of the shared socket.
        pipe: descriptor of the way to the parent.
        shares: descriptor of what says how many connections each worker holds.
        place: this worker's in there.
    """

    listener: int
    pipe: int
    shares: int
    place: int


class Worker:
    """One process that serves.

    Attributes:
        ready: done when it serves (True), or has ended before.
        place: its number among those who share the connections; None once it is given back.
        successor: what serves in its stead after a reload.
    """

    def __init__(self, process: asyncio.subprocess.Process, ready: asyncio.Task[bool], place: int) -> None:
        self.process = process
        self.ready = ready
        self.place: int | None = place
        self.successor: Worker | None = None
        self._kill: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Asks it to end what is in flight and go; one that hangs is killed."""
        if self.process.returncode is None and self._kill is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            loop = asyncio.get_running_loop()
            self._kill = loop.call_later(SHUTDOWN_SECONDS + LAST_SECONDS, self.process.kill)

    async def ended(self) -> None:
        """Waits for its end."""
        await self.process.wait()
        if self._kill is not None:
            self._kill.cancel()


class Workers:
    """The parent of the workers.

    Args:
        command: what a worker runs: our own command line.
        listener: the shared socket.
    """

    def __init__(self, settings: Settings, command: list[str], listener: socket.socket, log: Log) -> None:
        self._settings = settings
        self._command = command
        self._listener = listener
        self._log = log
        self._workers: list[Worker] = []
        self._stopping = False
        self._stopped = asyncio.Event()
        self._served = False
        self._stack = contextlib.ExitStack()
        self._metrics_folder = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix="datacue-metrics-", ignore_cleanup_errors=True)
        )
        # While workers are replaced, there are two in the place of one.
        self._places = set(range(2 * settings.workers))
        with tempfile.TemporaryFile() as file:
            file.truncate(PLACE_BYTES * len(self._places))
            self._shared = os.dup(file.fileno())
        self._stack.callback(os.close, self._shared)
        self._shares = Shares(self._shared)
        self._shares.clear()

    async def run(self, admin: socket.socket) -> None:
        """Serves until SIGTERM or SIGINT.

        Raises:
            SettingsError: no worker has ever served, and one has said that the settings can't be used.
        """
        loop = asyncio.get_running_loop()
        stopped = self._stopped
        reloads: set[asyncio.Task[None]] = set()

        def reload() -> None:
            if reloads:
                self._log.warning("a reload is under way: send SIGHUP again when it has ended")
            else:
                task = loop.create_task(self._reload())
                reloads.add(task)
                task.add_done_callback(reloads.discard)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        loop.add_signal_handler(signal.SIGHUP, reload)
        panel = admin_server(
            create_admin(
                expose=lambda: expose_all(self._metrics_folder),
                ready=self._why_not_ready,
                token=admin_token(self._settings),
            )
        )
        serving = loop.create_task(panel.serve(sockets=[admin]))
        keepers = [loop.create_task(self._keep()) for _ in range(self._settings.workers)]
        try:
            await stopped.wait()
        finally:
            self._stopping = True
            # Who comes when the workers have closed theirs is refused, not left waiting.
            self._listener.close()
            panel.should_exit = True
            for task in reloads:
                task.cancel()
            for worker in self._workers:
                worker.stop()
            ended = await asyncio.gather(*keepers, serving, *reloads, return_exceptions=True)
            await asyncio.gather(*map(self._ended, self._workers))  # whom a reload had just started
            self._stack.close()
        for error in ended:
            if isinstance(error, SettingsError):
                raise error

    def _why_not_ready(self) -> str:
        serving = sum(w.ready.done() and w.process.returncode is None for w in self._workers)
        return "" if serving and not self._stopping else "no worker serves"

    async def _keep(self) -> None:
        """Keeps one worker: starts another when it dies, goes on with its successor when it is replaced."""
        worker = await self._start()
        while True:
            await self._ended(worker)
            self._served |= await worker.ready or any(
                w.ready.done() and w.ready.result() for w in self._workers
            )
            if worker.process.returncode == UNUSABLE and not self._served:
                self._stopped.set()
                raise SettingsError("workers", "none can start", "See its line above.")
            if worker.successor is not None:
                worker = worker.successor
                continue
            self._workers.remove(worker)
            if not self._stopping:
                self._log.warning("a worker died and is started again", status=worker.process.returncode)
                await asyncio.sleep(RESTART_SECONDS)
            if self._stopping:
                return
            worker = await self._start()

    async def _start(self) -> Worker:
        reader, writer = os.pipe()
        place = self._places.pop()
        given = Inherited(self._listener.fileno(), writer, self._shared, place)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            pass_fds=given[:3],
            env={
                **os.environ,
                WORKER: ",".join(map(str, given)),
                "PROMETHEUS_MULTIPROC_DIR": self._metrics_folder,
            },
        )
        os.close(writer)
        worker = Worker(process, asyncio.get_running_loop().create_task(_told(reader)), place)
        self._workers.append(worker)
        if self._stopping:  # meanwhile
            worker.stop()
        return worker

    async def _ended(self, worker: Worker) -> None:
        """Waits for a worker's end, and takes back what it had."""
        await worker.ended()
        if worker.place is not None:  # two may wait
            self._shares.leave(worker.place)
            self._places.add(worker.place)
            worker.place = None
        self._forget_gauges(worker.process.pid)

    def _forget_gauges(self, pid: int) -> None:
        """What a dead worker held (connections, bytes) is held no more; what it counted stays."""
        for path in Path(self._metrics_folder).glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)

    async def _reload(self) -> None:
        """Replaces the workers one by one: a new one serves before its predecessor is asked to go."""
        self._log.info("reloading the workers")
        for old in list(self._workers):
            new = await self._start()
            if not await self._serves(new):
                self._log.warning("the new worker did not start; the old ones go on")
                await self._dismiss(new)
                return
            if old.process.returncode is not None:  # it has died meanwhile, and its keeper starts another
                await self._dismiss(new)
                continue
            old.successor = new
            self._workers.remove(old)
            old.stop()
            await self._ended(old)
        self._log.info("reloaded")

    async def _serves(self, worker: Worker) -> bool:
        """Whether a worker comes to serve."""
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(worker.ready), START_SECONDS)
        return False

    async def _dismiss(self, worker: Worker) -> None:
        """Ends a worker that nobody keeps."""
        worker.stop()
        await self._ended(worker)
        self._workers.remove(worker)


async def _told(reader: int) -> bool:
    """Whether the worker said that it serves; False when it ended without a word."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reader, "rb", 0)
    )
    try:
        return await stream.read(1) == b"1"
    finally:
        transport.close()


def own_command() -> list[str]:
    """The command line that started us, for a worker to run again."""
    return [sys.executable, "-m", "proxy", *sys.argv[1:]]


def inherited() -> Inherited | None:
    """In a worker: what it has from its parent."""
    text = os.environ.pop(WORKER, None)
    return None if text is None else Inherited(*map(int, text.split(",")))
