"""schemathesis asks everything that the description allows, and much that it doesn't."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from requests.auth import AuthBase, _basic_auth_str
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from proxy.engine import create_engine
from proxy.engine.openapi import description

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, SECRET = "key-1", "secret-1"
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]

schema = schemathesis.openapi.from_dict(description())


class Signed(AuthBase):
    """Signs the raw body, or sends the key alone to the events endpoint."""

    def __call__(self, request: Any) -> Any:
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        events = not request.path_url.startswith("/v1")
        password = "" if events else hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        request.headers["authorization"] = _basic_auth_str(KEY, password)
        return request


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine behind a real server, on a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_engine(
        tmp_path_factory.mktemp("engine") / "engine.db",
        api_key=KEY,
        api_secret=SECRET,
        clock=time.time,
        seed=1,
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Connections that stay open, for thousands of requests."""
    with requests.Session() as session:
        session.trust_env = False  # there is no proxy before a loopback address
        yield session


# Beside the 90 cases for each operation that the description itself names.
@schema.parametrize()
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_breaks_the_engine_or_its_description(
    case: schemathesis.Case, address: str, session: requests.Session
) -> None:
    case.call_and_validate(base_url=address, session=session, auth=Signed(), checks=CHECKS)
