"""``GET {prefix}/fragments/{widget}``: one widget as HTML, for an edge, a template or htmx to include.

Whatever happens, the page that includes it must stand: where there is nothing to say, and where anything
fails, the answer is 200 with nothing in it, or what ``fallback`` asks for instead:

``fallback=keep``   204, on which htmx keeps what the element holds
``fallback=error``  503 with nothing in it, so that ESI's ``onerror`` and ``alt`` come into play

Why there is nothing, ``X-DataCue`` says to trusted callers, and the metric ``fragments`` to the operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy import coding
from proxy.classify import not_counted
from proxy.events import Context
from proxy.exchange import outcome
from proxy.fragments.answers import AS_SAID, NO_CONTENT, NOT_FOUND, OK, PERSONAL, READING, only, text
from proxy.fragments.asker import client_of, looking, peer_of
from proxy.fragments.wanted import address_of, wanted, widget_of
from proxy.headers import OUTCOME, value_of, values_of
from proxy.models import Page, Slot
from proxy.views import Asked, view_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Scope, Send

    from proxy.core import Core
    from proxy.fragments.wanted import Fallback
    from proxy.headers import Headers
    from proxy.models import Widget

UNAVAILABLE = 503
NOTHING: dict[Fallback, int] = {"empty": OK, "keep": NO_CONTENT, "error": UNAVAILABLE}

HTML = (b"content-type", b"text/html; charset=utf-8")
NO_ROBOTS = (b"x-robots-tag", b"noindex")
FIELDS: Headers = [HTML, PERSONAL, AS_SAID, NO_ROBOTS]

IDENTITY = b"identity"


async def include(opened: Callable[[], Awaitable[Core]], rest: str, scope: Scope, send: Send) -> None:
    """Serves one fragment.

    Args:
        opened: opens what pages need, at first need.
        rest: of the path, behind ``fragments/``.
        scope: of the request.
        send: towards whoever asks.
    """
    if scope["method"] not in READING:
        await only(send, *sorted(READING))
        return
    if "/" in rest:
        await text(send, NOT_FOUND, "There is nothing here.", NO_ROBOTS)
        return
    fragment = Fragment(scope)
    try:
        core = await opened()
        await fragment.fill(core, core.clock())
        fragment.tell(core)
    except Exception as error:  # noqa: BLE001  nothing was sent yet, and a page of somebody else waits for it
        fragment.fail(error)
    await fragment.serve(send)


class Fragment:
    """One request for a widget, and what becomes of it."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.headers: Headers = scope["headers"]
        self.widget: Widget | None = None
        self.fallback: Fallback = "empty"
        self.page: Page | None = None
        self.outcome = "failed"
        self.html = b""
        self.told: Headers = []
        self._core: Core | None = None

    async def fill(self, core: Core, started: float) -> None:
        """Finds the HTML, or why there is none.

        Args:
            core: see ``Core``.
            started: when the request came, on the core's clock.
        """
        self._core = core
        scope, headers = self.scope, self.headers
        client = client_of(core, scope)
        self.widget = widget_of(scope["raw_path"], f"{core.prefix}/fragments/".encode())
        trusted = peer_of(scope) in core.trusted
        address = address_of(headers, client, trusted=trusted, prefix=core.prefix)
        want = wanted(scope["query_string"], address, view_id(headers), core.classifier)
        self.fallback, self.page = want.fallback, want.page
        if self.widget is None:
            self.outcome = "bypass:widget"
            return
        ignored = not_counted(scope["method"], headers, core.consent, core.privacy_signals)
        if ignored is not None:
            self.outcome = f"bypass:{ignored}"
            return
        visitor = looking(core, scope, client, want.said)
        if visitor is None:
            self.outcome = "bypass:visitor"
            return
        context = Context.of(client.ip, value_of(headers, b"user-agent"))
        asked = Asked(visitor, context, want.page, want.view, address.decode("latin-1"), want.counts)
        seen = await core.views.look(asked, started)
        self.page, self.outcome = seen.page or want.page, seen.outcome
        if seen.page is not None and seen.answer is not None:
            slot = Slot(self.widget, index=want.place)
            # Each brings the stylesheet: which of them the including side keeps, we can't know.
            html = core.personalizer.renderer.slot(slot, seen.page, seen.answer, utf8=True, first=True)
            self.html, self.outcome = html or b"", "empty" if html is None else "hit"
        elif seen.outcome == "unknown" and want.wrong:
            self.outcome = f"bypass:{want.wrong}"

    def tell(self, core: Core) -> None:
        """Counts what became of it, and tells trusted callers."""
        core.metrics.fragments(self.widget or "", self.outcome)
        if client_of(core, self.scope).trusted:
            kind = self.page.kind if self.page is not None else "unknown"
            self.told.append((OUTCOME, outcome(self.outcome, kind, self.page)))

    def fail(self, error: Exception) -> None:
        """A bug of ours, or a core that can't be opened."""
        self.html = b""
        if self._core is not None:
            self._core.metrics.failures("proxy", "fragment")
            self._core.log.warning("a bug in datacue-proxy; a fragment stays empty", exc_info=error)

    async def serve(self, send: Send) -> None:
        """Answers."""
        status = OK if self.html or self.scope["method"] == "HEAD" else NOTHING[self.fallback]
        fields = [*FIELDS, *self.told]
        body = self.html
        if self.html and (given := self._coding()) != IDENTITY:
            encoder = coding.encoder(given)
            body = encoder.encode(body) + encoder.finish()
            fields.append((b"content-encoding", given))
        if self.scope["method"] != "HEAD" and status != NO_CONTENT:
            fields.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    def _coding(self) -> bytes:
        """How the HTML travels.

        What an edge includes has the headers of the page's own request, its ``Accept-Encoding`` as well;
        an edge that pastes bytes into bytes must get them plain.
        """
        if value_of(self.headers, b"sec-fetch-dest") == b"document":
            return IDENTITY
        asked = b",".join(values_of(self.headers, b"accept-encoding")) or None
        return coding.negotiate(asked) or IDENTITY
