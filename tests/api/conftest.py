"""The embedded engine as a process, a vendor that answers what it is told to, and clients of both."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import signal
import ssl
import subprocess
import sys
import threading
from contextlib import asynccontextmanager

import httpx
import pytest
import stamina
from harness.peers import Peer, reply
from harness.process import environment

from proxy.api import DataCueClient, SyncDataCueClient

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""No trust store is read where no TLS is spoken: that takes longer than most tests."""
KEY, SECRET = "test-key", "canary-3f9c-secret"


class Engine:
    """``datacue-proxy engine``, emptied for every test."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "proxy", "engine", "--listen", "127.0.0.1:0", "--data", "engine.sqlite"],
            cwd=folder,
            env=environment(DATACUE_API_KEY=KEY, DATACUE_API_SECRET=SECRET),
            stderr=subprocess.PIPE,
        )
        said = b""
        while (found := re.search(rb"http://[\d.:]+", said)) is None:
            line = self.process.stderr.readline()
            assert line, said
            said += line
        self.url = found[0].decode()
        self._reader = threading.Thread(target=self.process.stderr.read)
        self._reader.start()

    def ask(self, method, path, body=b""):
        """A signed request, written here and not by what is tested."""
        proof = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        url = f"{self.url}/v1{path}"
        with httpx.Client(timeout=60, transport=httpx.HTTPTransport(verify=PLAIN)) as client:
            answer = client.request(method, url, content=body, auth=(KEY, proof))
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self._reader.join()
        self.process.stderr.close()


@pytest.fixture(scope="session")
def running_engine(tmp_path_factory):
    engine = Engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.stop()


@pytest.fixture
def engine(running_engine):
    running_engine.ask("DELETE", "/clients")
    return running_engine


@pytest.fixture
async def client(engine):
    """A client of the engine."""
    async with DataCueClient(KEY, SECRET, api_url=f"{engine.url}/v1", events_url=f"{engine.url}/") as client:
        yield client


@pytest.fixture
def plain_client(engine):
    """The same, without await."""
    with SyncDataCueClient(KEY, SECRET, api_url=f"{engine.url}/v1", events_url=f"{engine.url}/") as client:
        yield client


class Fake(Peer):
    """A vendor whose answers, one after the other, the test decides; the last one is given forever."""

    def __init__(self):
        super().__init__()
        self.says = [reply(b"", 204)]
        self.answers["*"] = self._next

    async def _next(self, seen, writer):
        told = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if callable(told):
            await told(seen, writer)
        else:
            writer.write(told)

    def say(self, *answers):
        self.says = list(answers)

    def say_json(self, document, status=200):
        self.say(reply(json.dumps(document).encode(), status, content_type="application/json"))

    @property
    def bodies(self):
        return [json.loads(seen.body) if seen.body else None for seen in self.seen]

    @asynccontextmanager
    async def client(self, **more):
        urls = {"api_url": f"{self.url}/v1", "events_url": f"{self.url}/"}
        async with DataCueClient(KEY, SECRET, **{**urls, **more}) as client:
            yield client


@pytest.fixture
async def fake():
    peer = await Fake().start()
    yield peer
    await peer.stop()


@pytest.fixture
def no_waits():
    """Retries as ever, but at once."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield
