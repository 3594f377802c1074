"""One page of the shop: in turn, allowed, from the shop's own origin, bounded, and again where that helps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import httpx

from proxy import coding
from proxy.api.transport import agent, no_cookies
from proxy.crawl import robots
from proxy.errors import ConnectFailed, ConnectionLost, PeerError, ResponseTimeout, UnexpectedAnswer
from proxy.headers import retry_after, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from proxy.crawl.pace import Pace
    from proxy.headers import Headers

AGENT: Final = "datacue-proxy"
"""Our product token: what a robots.txt calls us (RFC 9309, 2.2.1)."""

ROBOTS_SECONDS: Final = 86_400.0
"""For so long a robots.txt may be relied on (RFC 9309, 2.4)."""

MAX_REDIRECTS: Final = 5
"""Redirects that are followed for one page (RFC 9309, 2.3.1.2 has as many)."""

MAX_ATTEMPTS: Final = 4
"""Times that a page is asked for, before it counts as failed."""

FIRST_REST: Final = 2.0
"""Seconds that the shop is left alone after its first failure; each further one of a page doubles them."""

MAX_REST: Final = 600.0
"""Seconds that are waited for a shop that asks for a rest. Who asks for more is left alone for now."""

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 30.0
"""Without a byte."""

PAGE_SECONDS: Final = 120.0
"""For one answer altogether: 50 MiB of sitemap pass at 4 Mbit/s."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LATER: Final = frozenset({429, 500, 502, 503, 504})
"""Answers that say nothing of the page, but of the shop's condition."""

Reason = Literal["robots", "elsewhere", "redirects", "size", "coding", "address"]


class NotFetched(Exception):
    """A page that isn't, or can't be, looked at; asking again would change nothing.

    Args:
        reason: one word, for figures.
        message: what is wrong, without the page's address.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CrawlStopped(Exception):
    """Going on makes no sense now; a later run takes up where this one ends."""


class Fetched(NamedTuple):
    """An answer of the shop.

    Attributes:
        url: where it came from, redirects followed.
        headers: raw, names in lower case.
        body: decoded.
    """

    url: httpx.URL
    status: int
    headers: Headers
    body: bytes


def crawl_client(connections: int) -> httpx.AsyncClient:
    """A client that keeps no cookies, follows nothing by itself and ignores the environment.

    Args:
        connections: to the shop, at most.
    """
    return httpx.AsyncClient(
        cookies=no_cookies(),
        trust_env=False,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        headers={
            "User-Agent": f"{agent().decode()} (catalogue crawler)",
            "Accept": "text/html, application/xml;q=0.9, */*;q=0.1",
            "Accept-Encoding": ", ".join(name.decode() for name in coding.SUPPORTED),
            # Where the way to the shop leads through our own proxy, we are no visitor.
            "Sec-GPC": "1",
        },
    )


def origin_of(url: httpx.URL) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454, 4)."""
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


class Fetcher:
    """Asks one shop for pages.

    Args:
        client: see ``crawl_client``.
        home: an address of the shop; nothing of another origin is asked for.
        pace: gives turns.
        dice: spreads retries. now: unix seconds, to read a ``Retry-After`` that is a date.

    Attributes:
        robots: what we may ask for; as long as it wasn't read, everything.
    """

    def __init__(
        self, client: httpx.AsyncClient, home: str, pace: Pace, *, dice: Random, now: Callable[[], float]
    ) -> None:
        self._client = client
        self._origin = origin_of(address(home))
        self._pace = pace
        self._dice = dice
        self._now = now
        self.robots = robots.Robots()
        self._robots_until = 0.0

    @property
    def origin(self) -> str:
        """The shop's, as people write it."""
        scheme, host, port = self._origin
        standard = port == (443 if scheme == "https" else 80)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}{'' if standard else f':{port}'}"

    def is_home(self, url: httpx.URL) -> bool:
        """Whether an address is of the shop's origin."""
        return origin_of(url) == self._origin

    async def read_robots(self) -> None:
        """Learns what we may ask for, and how often.

        Raises:
            CrawlStopped: nobody can tell, so nothing may be asked for (RFC 9309, 2.3.1.4).
        """
        self._robots_until = self._now() + ROBOTS_SECONDS
        try:
            answer = await self.get(f"{self.origin}/robots.txt", limit=robots.MAX_ROBOTS, cut=True)
        except PeerError as error:
            raise CrawlStopped(f"robots.txt can't be read, so nothing may be asked for: {error}") from None
        except NotFetched as error:
            raise CrawlStopped(f"robots.txt can't be read, so nothing may be asked for: it {error}") from None
        # Any other answer than a success: there is none, and nothing is forbidden (RFC 9309, 2.3.1.3).
        found = robots.parse(answer.body, AGENT) if httpx.codes.is_success(answer.status) else robots.Robots()
        self.robots = found
        if found.delay is not None:
            self._pace.slow_down(found.delay)

    async def refresh_robots(self) -> None:
        """Reads robots.txt anew where a day has passed; meanwhile other fetches rely on what is known.

        Raises:
            CrawlStopped: see ``read_robots``.
        """
        if self._now() >= self._robots_until:
            await self.read_robots()

    async def get(
        self, url: str, *, limit: int, conditions: Sequence[tuple[bytes, bytes]] = (), cut: bool = False
    ) -> Fetched:
        """Asks for a page, with redirects followed and retries made.

        Args:
            url: its address.
            limit: of the decoded body, in bytes.
            conditions: fields such as If-None-Match.
            cut: whether a longer body is cut, instead of refused.

        Raises:
            NotFetched: it isn't asked for, or its answer can't be used.
            PeerError: the shop failed, every time that it was asked.
            CrawlStopped: the shop asks to be left alone for long.
        """
        target = address(url)
        for _ in range(MAX_REDIRECTS + 1):
            self._check(target)
            answer = await self._insist(target, limit, conditions, cut=cut)
            location = value_of(answer.headers, b"location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            target = address(location.decode("utf-8", "replace"), base=target)
        raise NotFetched("redirects", f"redirects more than {MAX_REDIRECTS} times")

    def _check(self, target: httpx.URL) -> None:
        if not self.is_home(target):
            scheme, host, _ = origin_of(target)
            raise NotFetched("elsewhere", f"leads to another origin, {scheme}://{host}")
        if not self.robots.allows(target.raw_path):
            raise NotFetched("robots", "is disallowed by robots.txt")

    async def _insist(
        self, target: httpx.URL, limit: int, conditions: Sequence[tuple[bytes, bytes]], *, cut: bool
    ) -> Fetched:
        attempt = 0
        while True:
            attempt += 1
            wait = FIRST_REST * 2 ** (attempt - 1) * self._dice.uniform(0.5, 1)
            await self._pace.turn()
            failure: PeerError
            try:
                answer = await self._once(target, limit, conditions, cut=cut)
            except PeerError as error:
                failure = error
            else:
                if answer.status not in _LATER:
                    return answer
                asked = retry_after(value_of(answer.headers, b"retry-after") or b"", self._now())
                wait = wait if asked is None else asked
                failure = UnexpectedAnswer(f"answers {answer.status}", "shop", answer.status, asked)
            if wait > MAX_REST:
                minutes = round(wait / 60)
                raise CrawlStopped(f"the shop asks to be left alone for {minutes} minutes or more")
            self._pace.rest(wait)
            if attempt == MAX_ATTEMPTS:
                raise failure

    async def _once(
        self, target: httpx.URL, limit: int, conditions: Sequence[tuple[bytes, bytes]], *, cut: bool
    ) -> Fetched:
        request = self._client.build_request("GET", target, headers=[*conditions])
        try:
            async with asyncio.timeout(PAGE_SECONDS):
                response = await self._client.send(request, stream=True)
                try:
                    headers = [(name.lower(), value) for name, value in response.headers.raw]
                    body = await _decoded(response, headers, limit, cut=cut)
                finally:
                    await response.aclose()
        except httpx.ConnectError as error:
            raise ConnectFailed(f"can't be reached: {error}", "shop") from None
        except (httpx.TimeoutException, TimeoutError):
            raise ResponseTimeout("does not answer in time", "shop") from None
        except httpx.HTTPError as error:
            raise ConnectionLost(f"breaks off: {error or type(error).__name__}", "shop") from None
        return Fetched(target, response.status_code, headers, body)


def address(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """An http(s) address, without fragment.

    Args:
        url: as written.
        base: what it is relative to.

    Raises:
        NotFetched: it is no address that can be asked.
    """
    try:
        found = (base.join(url) if base is not None else httpx.URL(url)).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError):
        found = httpx.URL()
    if found.scheme not in {"http", "https"} or not found.host or found.userinfo:
        raise NotFetched("address", "is no http:// or https:// address")
    return found


async def _decoded(response: httpx.Response, headers: Headers, limit: int, *, cut: bool) -> bytes:
    """The body, unpacked piece by piece: what a few bytes stand for may be a lot."""
    named = coding.coding_of(value_of(headers, b"content-encoding"))
    if named is None:
        raise NotFetched("coding", "has a content coding that we don't know")
    decoder = coding.decoder(named)
    body = bytearray()
    try:
        async for data in response.aiter_raw():
            for piece in decoder.decode(data):
                body += piece
                if len(body) > limit:
                    if cut:
                        return bytes(body[:limit])
                    raise NotFetched("size", f"is larger than {limit >> 10} KiB")
        decoder.close()
    except coding.CodingError as error:
        raise NotFetched("coding", f"can't be decoded: {error}") from None
    return bytes(body)
