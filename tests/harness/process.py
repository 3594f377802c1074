"""The product as its user runs it: a process, its address, its end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

from harness import forks

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def without_settings():
    """Our variables, but for anybody's settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith("DATACUE_")}


def environment(**more):
    """What a process of the product gets: no settings but these, and this tree to import from."""
    return {**without_settings(), "PYTHONPATH": str(ROOT), **more}


class Proxy:
    """``datacue-proxy run`` (or another command) as a process of its own.

    Args:
        folder: where its settings, state and log go. command: what to run. toml: its settings.
        environment: more variables.
    """

    def __init__(self, folder, toml="", *arguments, environment=None):
        self.folder = folder
        self.toml = toml
        self.arguments = arguments
        self.environment = environment or {}
        self.process = None
        self.log = b""

    async def start(self):
        config = self.folder / "datacue.toml"
        head = [
            'listen = "127.0.0.1:0"',
            'admin_listen = "127.0.0.1:0"',
            f'state_dir = "{self.folder}/state"',
        ]
        if "log_format" not in self.toml:
            head.append('log_format = "json"')
        config.write_text("\n".join([*head, self.toml]))
        self.process = await forks.start(
            ["run", "--config", str(config), *self.arguments],
            folder=self.folder,
            environment=environment(**self.environment),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await asyncio.wait_for(self._until("serving"), START_SECONDS)
        except (TimeoutError, EOFError):
            raise AssertionError(f"the proxy did not start:\n{self.log.decode()}") from None
        self._drain = asyncio.get_running_loop().create_task(self._keep_log())
        return self

    async def _until(self, event):
        while True:
            line = await self.process.stderr.readline()
            if not line:
                raise EOFError
            self.log += line
            if f'"event": "{event}"'.encode() in line:
                self.address = self._port(line, b"at")
                self.admin = self._port(line, b"admin")
                return

    @staticmethod
    def _port(line, key):
        found = re.search(rb'"%b": "http://([^:"]+):(\d+)"' % key, line)
        return found[1].decode(), int(found[2])

    async def _keep_log(self):
        while line := await self.process.stderr.readline():
            self.log += line

    @property
    def url(self):
        host, port = self.address
        return f"http://{host}:{port}"

    async def stop(self, number=signal.SIGTERM):
        """Ends it, and returns its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        code = await asyncio.wait_for(self.process.wait(), 40)
        await self._drain
        return code

    def memory(self):
        """Resident bytes now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def peak_memory(self):
        """Resident bytes at their highest."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024
