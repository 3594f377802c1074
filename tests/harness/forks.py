"""Processes of the product that begin with its modules read already: half a second less for each of a thousand starts.

``python -m harness.forks`` reads the modules once for a whole test run, and forks for every command that is asked of
it: each has its own memory, folder, environment, outputs, signals and exit code, as if it had been started by itself.
What lies before its first line of ours is tested where processes are started by ``execve``: ``tests/test_bad_input.py``,
``tests/test_wheel.py``, ``tests/cli/test_style.py``, the workers and the engine of whatever runs here.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MOST_BYTES = 1 << 20
"""A command line and its environment."""

READ_BEFORE = (
    "proxy.__main__", "proxy.server", "proxy.workers", "proxy.cli.run", "proxy.cli.checking", "proxy.cli.asking",
    "proxy.cli.previewing", "proxy.cli.importing", "proxy.cli.crawling", "proxy.cli.forget", "proxy.cli.outbox",
    "rich.progress",
)  # fmt: skip


class Forked:
    """What ``asyncio.create_subprocess_exec`` would return."""

    def __init__(self, told):
        self.returncode = None
        self.pid = None
        self.stdin = self.stdout = self.stderr = None
        self._told = told
        self._news = b""
        self._begun = asyncio.Event()
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(told, self._hear)

    def _hear(self):
        """Its pid comes at its beginning, its exit code at its end."""
        more = os.read(self._told, 100)
        self._news += more
        pid, *code = self._news.split()
        self.pid = int(pid)
        self._begun.set()
        if not more:
            asyncio.get_running_loop().remove_reader(self._told)
            os.close(self._told)
            self.returncode = int(code[0]) if code else -signal.SIGKILL
            self._ended.set()

    async def begun(self):
        await self._begun.wait()
        return self

    async def wait(self):
        await self._ended.wait()
        return self.returncode

    async def communicate(self, given=None):
        if self.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self.stdin.write(given or b"")
                await self.stdin.drain()
            self.stdin.close()
        out, err = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return out, err

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


async def start(arguments, *, folder, environment, stdin=None, stdout=None, stderr=None):
    """``datacue-proxy`` with these arguments; ``stdin`` and the others as ``create_subprocess_exec`` takes them.

    An input that isn't said is empty, an output that isn't said is ours.
    """
    loop = asyncio.get_running_loop()
    ours, theirs = [], []
    for number, asked in enumerate((stdin, stdout, stderr)):
        if asked == asyncio.subprocess.PIPE:
            reader, writer = os.pipe()
            theirs.append(writer if number else reader)
            ours.append(reader if number else writer)
        else:
            theirs.append(os.dup(number) if number and asked is None else os.open(os.devnull, os.O_RDWR))
            ours.append(None)
    told, telling = os.pipe()
    message = json.dumps([list(arguments), str(folder), environment]).encode()
    socket.send_fds(_source(), [message], [*theirs, telling])
    for descriptor in (*theirs, telling):
        os.close(descriptor)
    process = Forked(told)
    if ours[0] is not None:
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(ours[0], "wb", 0)
        )
        process.stdin = asyncio.StreamWriter(transport, protocol, None, loop)
    process.stdout, process.stderr = [
        None if descriptor is None else await _reader(descriptor) for descriptor in ours[1:]
    ]
    return await process.begun()


async def _reader(descriptor):
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader


@functools.cache
def _source():
    """The socket to the process that forks; made when it is first needed, ended with us."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.forks", str(its.fileno())],
        pass_fds=[its.fileno()], stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
    )  # fmt: skip
    its.close()

    @atexit.register
    def end():
        mine.close()
        process.wait()

    return mine


def _serve(control):
    """Forks for whatever is asked, until whoever asks is gone."""
    for name in READ_BEFORE:
        importlib.import_module(name)
    gc.freeze()
    died, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    telling = {}
    while True:
        ready, _, _ = select.select([control, died], [], [])
        if died in ready:
            os.read(died, 4096)
            while telling and (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                with contextlib.suppress(BrokenPipeError):
                    os.write(telling[pid], b"%d" % os.waitstatus_to_exitcode(status))
                os.close(telling.pop(pid))
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, MOST_BYTES, 4)
            if not message:
                return
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                for descriptor in (died, wake, *telling.values()):
                    os.close(descriptor)
                _become(*json.loads(message), descriptors)
            telling[pid] = descriptors.pop()
            with contextlib.suppress(BrokenPipeError):
                os.write(telling[pid], b"%d " % pid)
            for descriptor in descriptors:
                os.close(descriptor)


def _become(arguments, folder, environment, descriptors):
    """Runs the command, and ends with it."""
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["datacue-proxy", *arguments]
    sys.path[:] = [entry for entry in sys.path if entry != str(TESTS)]
    from proxy.__main__ import main

    main()
    sys.exit()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
