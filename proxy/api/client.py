"""The client's two faces: the same calls, awaited or plain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypedDict

import httpx
from msgspec import Struct

from proxy.api import values
from proxy.api.batch import CONCURRENCY, AsyncBatch, SyncBatch
from proxy.api.call import Answer, Call, encode, reads
from proxy.api.credentials import Credentials, Target
from proxy.api.errors import InvalidInput
from proxy.api.resources import (
    Banners,
    Bound,
    Categories,
    Operation,
    Orders,
    Products,
    TransportT,
    Users,
)
from proxy.api.retry import RETRIES
from proxy.api.transport import (
    CONNECTIONS,
    NO_CONTENT,
    TIMEOUT,
    AsyncTransport,
    SyncTransport,
    no_cookies,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from http.cookiejar import CookieJar
    from types import TracebackType

API_URL: Final = "https://api.datacue.co/v1"
EVENTS_URL: Final = "https://events.datacue.co/"
STAGING_API_URL: Final = "https://staging-api.datacue.co/v1"
STAGING_EVENTS_URL: Final = "https://staging-events.datacue.co/"


class ProductCounts(Struct, frozen=True):
    """How many products there are, and how many variants they have together."""

    products: int = 0
    variants: int = 0


class Overview(Struct, frozen=True):
    """What the vendor has of this shop (``GET /overview``, later than the guide)."""

    products: ProductCounts
    categories: int = 0
    orders: int = 0
    users: int = 0


_OVERVIEW: Final = reads(Overview)
_ANSWERED: Final = reads(dict[str, Any])


def _recommendations(answer: Answer, name: str) -> dict[str, Any] | None:
    return None if answer.status == NO_CONTENT else _ANSWERED(answer, name)


class _Face(Bound[TransportT]):
    """What both faces can do."""

    def __init__(self, transport: TransportT) -> None:
        super().__init__(transport)
        self.products: Products[TransportT] = Products(transport)
        self.categories: Categories[TransportT] = Categories(transport)
        self.users: Users[TransportT] = Users(transport)
        self.orders: Orders[TransportT] = Orders(transport)
        self.banners: Banners[TransportT] = Banners(transport)

    @Operation
    def overview(self) -> Call[Overview]:
        """How much of everything there is; also the way to check credentials."""
        return Call("GET", "/overview", b"", _OVERVIEW, repeatable=True)

    @Operation
    def events(
        self,
        event: Mapping[str, Any],
        *,
        user: Mapping[str, Any],
        context: Mapping[str, Any] | None = None,
        timestamp: datetime | str | None = None,
    ) -> Call[dict[str, Any] | None]:
        """Tells of one event (guide, "Browser Events"), such as of history that browsers didn't send.

        Args:
            event: ``{"type": "pageview", "subtype": "home"}`` and so on.
            user: ``{"user_id": …}`` or ``{"anonymous_id": …}``, with ``profile``.
            context: ``ip`` and ``user_agent``; without it DataCue takes those of this call.
            timestamp: when it happened, with a time zone; now, if not given.

        Returns:
            The recommendations as the guide shows them; None for events that have none (204).
        """
        document = {"user": values.mapping(user, "user"), "event": values.mapping(event, "event")}
        if context is not None:
            document["context"] = values.mapping(context, "context")
        if timestamp is not None:
            document["timestamp"] = values.moment(timestamp, "timestamp")
        return Call("POST", None, encode(document), _recommendations, repeatable=False)


class DataCueClient(_Face[AsyncTransport]):
    """The REST API of DataCue, or of the embedded engine, with ``await``.

    Args:
        api_key: and api_secret: from DataCue's dashboard, or the engine's.
        api_url: of the REST API with ``/v1``; DataCue's if not given.
        events_url: of the events endpoint; DataCue's if not given.
        staging: whether the URLs that aren't given are those of DataCue's staging systems.
        timeout: of each step of a call, in seconds; see ``transport.py`` for the usual ones.
        retries: times that a call is made again, where that is safe (``retry.py``).
        concurrency: batches of one run under way at once.
        transport: another way to the server, such as ``httpx.AsyncHTTPTransport(uds=…)``.

    Raises:
        InvalidInput: a URL or a credential can't be one.
    """

    def __init__(  # noqa: PLR0913  keyword-only ones name themselves at the call
        self,
        api_key: str,
        api_secret: str,
        *,
        api_url: str | None = None,
        events_url: str | None = None,
        staging: bool = False,
        timeout: httpx.Timeout | float = TIMEOUT,
        retries: int = RETRIES,
        concurrency: int = CONCURRENCY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        target = _target(Credentials(api_key, api_secret), api_url, events_url, staging=staging)
        settings = _settings(target, timeout, max(CONNECTIONS, concurrency))
        client = httpx.AsyncClient(transport=transport, **settings)
        super().__init__(AsyncTransport(client, target, _counted(retries)))
        self.batch: AsyncBatch = AsyncBatch(self._transport, concurrency)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._transport.aclose()


class SyncDataCueClient(_Face[SyncTransport]):
    """`DataCueClient` for scripts, without ``await``. Batches go one after the other.

    Args:
        api_key: and all the others: see `DataCueClient`.
    """

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        *,
        api_url: str | None = None,
        events_url: str | None = None,
        staging: bool = False,
        timeout: httpx.Timeout | float = TIMEOUT,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        target = _target(Credentials(api_key, api_secret), api_url, events_url, staging=staging)
        client = httpx.Client(transport=transport, **_settings(target, timeout, CONNECTIONS))
        super().__init__(SyncTransport(client, target, _counted(retries)))
        self.batch: SyncBatch = SyncBatch(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self._transport.close()


def _target(
    credentials: Credentials, api_url: str | None, events_url: str | None, *, staging: bool
) -> Target:
    return Target(
        credentials,
        api_url or (STAGING_API_URL if staging else API_URL),
        events_url or (STAGING_EVENTS_URL if staging else EVENTS_URL),
    )


class _Settings(TypedDict):
    """How httpx behaves, awaited or not."""

    cookies: CookieJar
    trust_env: bool
    follow_redirects: bool
    verify: bool
    timeout: httpx.Timeout | float
    limits: httpx.Limits


def _settings(target: Target, timeout: httpx.Timeout | float, connections: int) -> _Settings:
    return _Settings(
        cookies=no_cookies(),
        trust_env=False,  # no proxies, no .netrc: a signed call goes where it is told to
        follow_redirects=False,
        verify=target.is_encrypted,
        timeout=timeout,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


def _counted(retries: int) -> int:
    if retries < 0:
        raise InvalidInput("retries", f"expected 0 or more, got {retries}")
    return retries
