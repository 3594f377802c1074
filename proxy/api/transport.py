"""The two ways to wait: httpx, asynchronously or not, around the same calls, answers and errors."""

from __future__ import annotations

import asyncio
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, TypeVar

import httpx
import stamina

from proxy.api.call import Answer, Call
from proxy.api.credentials import Target, checked_url
from proxy.api.errors import BadAnswer
from proxy.api.failures import failure
from proxy.api.refusals import refusal
from proxy.api.retry import pause, waits

T = TypeVar("T")

CONNECT_SECONDS: Final = 10.0
"""For TCP and TLS: three lost packets, each sent again after twice the time, are through by then."""

READ_SECONDS: Final = 30.0
"""Without a byte. A batch of 500 is answered only when it is stored, so the wait is before the first."""

WRITE_SECONDS: Final = 30.0
"""Until the network takes the next piece of a body of up to 5 MiB."""

POOL_SECONDS: Final = 120.0
"""For a connection to become free: whoever starts many calls at once waits for his own."""

CALL_SECONDS: Final = 180.0
"""For one attempt altogether, so that an answer that drips in, byte by byte, ends, too."""

TIMEOUT: Final = httpx.Timeout(
    connect=CONNECT_SECONDS, read=READ_SECONDS, write=WRITE_SECONDS, pool=POOL_SECONDS
)

CONNECTIONS: Final = 16
"""At once to one host; further calls wait for their turn."""

MAX_ANSWER: Final = 64 << 20
"""Bytes of an answer, unpacked: the ids of a million products are some 20 MB."""

NO_CONTENT: Final = 204


class Transport:
    """What both transports share: the request of a call, and the error of a failure.

    Args:
        target: who is called.
    """

    def __init__(self, target: Target) -> None:
        self._credentials = target.credentials
        self._api_url = checked_url("api_url", target.api_url).rstrip("/")
        self._events_url = checked_url("events_url", target.events_url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._api_url})"

    def _request(self, call: Call[Any]) -> httpx.Request:
        """A request with exactly the body that is signed."""
        if call.path is None:
            url, proof = self._events_url, self._credentials.bare()
        else:
            url, proof = self._api_url + call.path, self._credentials.signed(call.body)
        headers = [
            (b"Authorization", proof),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),  # answers are small, and nothing can be blown up
            (b"User-Agent", AGENT),
        ]
        if call.body:
            headers.append((b"Content-Type", b"application/json"))
        return httpx.Request(call.method, url, headers=headers, content=call.body or None)

    def _result(self, call: Call[T], answer: Answer) -> T:
        error = refusal(self._credentials.blanked(answer), call.name, time.time())
        if error is not None:
            raise error
        return call.read(answer, call.name)


class AsyncTransport(Transport):
    """Calls that are awaited."""

    def __init__(self, client: httpx.AsyncClient, target: Target, retries: int) -> None:
        super().__init__(target)
        self._client = client
        self._again = stamina.AsyncRetryingCaller(**waits(retries))

    async def send(self, call: Call[T]) -> T:
        """Makes a call, again where that is safe, and returns what its answer says.

        Raises:
            ApiError: whose failure it is, and whether the call may be made again.
        """
        return await self._again(pause(repeatable=call.repeatable), self._attempt, call)

    async def _attempt(self, call: Call[T]) -> T:
        return self._result(call, await self._once(call))

    async def _once(self, call: Call[Any]) -> Answer:
        body = bytearray()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                response = await self._client.send(self._request(call), stream=True)
                try:
                    if not is_bare(response):
                        async for piece in response.aiter_bytes():
                            take(body, piece, call, response.status_code)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
            raise failure(error, call) from None
        return answer_of(response, bytes(body))

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._client.aclose()


class SyncTransport(Transport):
    """Calls that return when they are done."""

    def __init__(self, client: httpx.Client, target: Target, retries: int) -> None:
        super().__init__(target)
        self._client = client
        self._again = stamina.RetryingCaller(**waits(retries))

    def send(self, call: Call[T]) -> T:
        """Makes a call, as `AsyncTransport.send` does.

        Raises:
            ApiError: whose failure it is, and whether the call may be made again.
        """
        return self._again(pause(repeatable=call.repeatable), self._attempt, call)

    def _attempt(self, call: Call[T]) -> T:
        return self._result(call, self._once(call))

    def _once(self, call: Call[Any]) -> Answer:
        body = bytearray()
        end = time.monotonic() + CALL_SECONDS
        try:
            response = self._client.send(self._request(call), stream=True)
            try:
                if not is_bare(response):
                    for piece in response.iter_bytes():
                        take(body, piece, call, response.status_code)
                        if time.monotonic() > end:
                            raise TimeoutError
            finally:
                response.close()
        except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
            raise failure(error, call) from None
        return answer_of(response, bytes(body))

    def close(self) -> None:
        """Closes every connection."""
        self._client.close()


def agent() -> bytes:
    """How we introduce ourselves."""
    try:
        return b"datacue-proxy/" + version("datacue-proxy").encode()
    except PackageNotFoundError:  # a checkout
        return b"datacue-proxy"


AGENT: Final = agent()


def no_cookies() -> CookieJar:
    """A jar that keeps none: a REST API has no sessions."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def is_bare(response: httpx.Response) -> bool:
    """Whether an answer can't have a body (RFC 9110, 15.3.5).

    What stands there all the same is not read, so that the connection is closed with it: left in it,
    it would be taken for the head of the next answer.
    """
    return response.status_code == NO_CONTENT and (
        response.headers.get("content-length", "0") != "0" or "transfer-encoding" in response.headers
    )


def take(body: bytearray, piece: bytes, call: Call[Any], status: int) -> None:
    """Adds a piece to an answer's body.

    Raises:
        BadAnswer: it grows too long.
    """
    body += piece
    if len(body) > MAX_ANSWER:
        raise BadAnswer(f"{status} with more than {MAX_ANSWER >> 20} MiB", call.name, status)


def answer_of(response: httpx.Response, body: bytes) -> Answer:
    """What our own code sees of an answer."""
    return Answer(
        response.status_code,
        body,
        response.headers.get("content-type", "").partition(";")[0].strip().lower(),
        response.headers.get("retry-after", "").encode("latin-1", "replace"),
    )
