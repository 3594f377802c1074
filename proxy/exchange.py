"""One request and its answer, as far as both have to do with us: the page's journey, step by step.

The request says what is asked for and by whom; the response's head whether the body is rewritten; the
body holds the slots. What the shop says to us alone is heard on the way.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from proxy import coding, surrogate
from proxy.events import Context, has_event, page_event, page_of, said, said_user
from proxy.headers import OUTCOME, SAID_BY_SHOP, personal, uncached, unsaid, value_of, values_of
from proxy.identity import cookie_values
from proxy.judge import judge
from proxy.models import Page, Visitor
from proxy.rewriting import Rewriting
from proxy.views import view_id
from proxy.witness import Witness

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from proxy.core import Core
    from proxy.headers import Client, Headers
    from proxy.identity import Identity
    from proxy.judge import Asking
    from proxy.personalize import PageView

INTRODUCED = b"x-datacue-visitor"
"""Request field in which an edge introduces a visitor without a cookie."""

NOT_FOUND = 404
BODILESS = frozenset({204, 304})


class Shy:
    """Targets whose last answer was no page view: a redirect, a 304, or a shop that speaks for itself.

    Their event waits for the response's head instead of leaving with the request, so that it is not
    counted twice. Bounded; the oldest is forgotten first.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._targets: dict[bytes, None] = {}

    def __contains__(self, target: bytes) -> bool:
        return target in self._targets

    def note(self, target: bytes, *, shy: bool) -> None:
        """Remembers or forgets a target."""
        if not shy:
            self._targets.pop(target, None)
        elif target not in self._targets:
            if len(self._targets) >= self._size:
                del self._targets[next(iter(self._targets))]
            self._targets[target] = None


def outcome(what: str, kind: str, page: Page | None) -> bytes:
    """The value of ``X-DataCue``: what became of a page of this kind, and how we know what it is."""
    return _outcome(what, kind, page.why if page is not None and page.why else "none")


@lru_cache(maxsize=1024)  # a few outcomes, ten kinds, as many reasons as there are rules
def _outcome(what: str, kind: str, why: str) -> bytes:
    return f"{what}; page={kind}; why={why}".encode()


class Asker(NamedTuple):
    """What a request's fields say of who asks, whatever is asked for.

    Attributes:
        headers: the fields.
        context: where from.
        view: the ID that an edge gave the page view.
        cookies: what may name the visitor.
    """

    headers: Headers
    context: Context
    view: str
    cookies: list[bytes]

    @classmethod
    def of(cls, core: Core, client: Client, headers: Headers) -> Asker:
        """Reads the fields."""
        return cls(
            headers,
            Context.of(client.ip, value_of(headers, b"user-agent")),
            view_id(headers),
            core.cookie.values(headers, secure=client.scheme == "https"),
        )


def view_of(core: Core, asker: Asker, target: bytes, visitor: Visitor, started: float) -> PageView:
    """The page view of a request.

    Args:
        core: see ``Core``.
        asker: who asks.
        target: path, question mark and query.
        visitor: whom the cookie names.
        started: when the request came, on our clock.
    """
    if visitor.user_id is not None and core.capture.left(asker.headers):
        visitor = Visitor(visitor.anonymous_id)
    view = core.personalizer.view(visitor, asker.context, started)
    # Fragments of this page belong to this page view.
    view.name, view.address = asker.view, target.rstrip(b"?").decode("latin-1")
    return view


class Exchange:
    """One request and its answer.

    The request decides ``page`` (what is asked for, if that can be known), the response's head whether
    the body is rewritten, and the body holds the slots.
    """

    def __init__(  # noqa: PLR0913  what one request is made of
        self,
        core: Core,
        shy: Shy,
        scope: Scope,
        client: Client,
        send: Send,
        asked: Asking,
        page: Page | None,
        ignored: str | None,
        *,
        late: bool = False,
        begun: tuple[Identity, PageView] | None = None,
    ) -> None:
        self.core = core
        self.shy = shy
        self.scope = scope
        self.received: Headers = scope["headers"]
        self.client = client
        self.send = send
        self.ignored = ignored
        self.late = late  # whether nothing may begin before the response's head has come
        self.secure = client.scheme == "https"
        self.started = core.clock()
        self.identity: Identity | None = None
        self.view: PageView | None = None
        if begun is not None:  # without us; it goes on with us
            self.identity, self.view = begun
        self.page = page
        self.body: Rewriting | None = None
        self.spoke = False  # whether the shop's own words said what this page view is
        self.candidate = asked.page and (ignored is None or ignored == "head")
        self.accept_encoding: bytes | None = None  # what the client asked for, before we narrow it
        self.left = inf  # bytes of the answer's body still to come, where it says how many they are
        self.named = False  # whether the shop's own words said who the visitor is
        self.personal = False  # whether the app inside, or the shop's word, was about the visitor
        self.said: set[str] = set()  # types of the events that the shop's own words told
        self.witness: Witness | None = None
        if self.candidate:
            self._open(asked)
        if self.ignored in {None, "rule"} and core.capture.cares(scope["method"], page=asked.page):
            self.witness = Witness(core.capture, self)

    def watched(self, receive: Receive) -> Receive:
        """The request's body, watched where it may say what the visitor does."""
        return receive if self.witness is None else self.witness.watch(receive)

    def known(self) -> bool:
        """Whether the visitor came with our cookie."""
        return self.core.cookie.known(self.scope["headers"], secure=self.secure) is not None

    def complain(self, what: str) -> None:
        """Counts a failure of ours, and says so."""
        self.core.metrics.failures("proxy", what)

    def _open(self, asked: Asking) -> None:
        """A page may come: where it is known which, its event leaves together with the request."""
        scope = self.scope
        self.accept_encoding = b",".join(values_of(scope["headers"], b"accept-encoding")) or None
        headers = coding.narrowed(scope["headers"])
        if self.core.announcing.going_on:
            headers = surrogate.announced(headers)
        self.scope = {**scope, "headers": headers}
        if self.ignored is None:
            view = self.open_view()
            if not (asked.conditional or self.late or self.target in self.shy):
                self._begin(view)

    @property
    def target(self) -> bytes:
        """Path and query, as they were asked for."""
        return b"%b?%b" % (self.scope["raw_path"], self.scope["query_string"])

    def open_view(self) -> PageView:
        """The page view; made at the first call, with the visitor that the cookie says."""
        if self.view is None:
            core = self.core
            asker = Asker.of(core, self.client, self.received)
            self.identity = core.cookie.of(asker.cookies)
            if self.late and self._peer_trusted and not self.known():
                self._meet_newcomer(self.identity)
            self.view = view_of(core, asker, self.target, self.identity.visitor, self.started)
        return self.view

    def _meet_newcomer(self, identity: Identity) -> None:
        """An edge that keeps shells has asked us already who a visitor without a cookie is."""
        introduction = value_of(self.received, INTRODUCED)
        visitor = self.core.cookie.introduced(introduction) if introduction else None
        if visitor is not None:
            self.identity = identity._replace(visitor=visitor)

    def _begin(self, view: PageView) -> None:
        """Starts the page view's event where the page is known well enough to make one."""
        page = self.page
        if page is not None and (has_event(page) or page.kind in {"checkout", "order"}):
            view.begin(page)

    # -- the response -----------------------------------------------------------------------------

    async def on_message(self, message: Message) -> None:
        """Takes what the shop sends."""
        if self.body is not None:
            await self.body.on_message(message)
        elif message["type"] == "http.response.start":
            await self._on_start(message)
        else:
            if self.view is not None and self._is_last(message):
                await self.view.settle()
            await self.send(message)

    def _is_last(self, message: Message) -> bool:
        """Whether the answer's last byte leaves with this message: it may be full before the shop says so."""
        if message["type"] != "http.response.body":
            return False
        self.left -= len(message.get("body", b""))
        return self.left <= 0 or not message.get("more_body", False)

    async def _on_start(self, message: Message) -> None:
        # In lower case as ASGI asks for, whatever the app inside sends: Django's names are capitalized.
        headers: Headers = [(bytes(name).lower(), bytes(value)) for name, value in message["headers"]]
        stripped = headers
        if not SAID_BY_SHOP.isdisjoint([name for name, _ in headers]):
            self._listen(headers)
            stripped = unsaid(headers)
        status = message["status"]
        if self.witness is not None:
            await self.witness.heard(status, headers)
        verdict = judge(status, headers)
        bypass = self.ignored or ("request" if not self.candidate else verdict.bypass)
        if bypass == "head" and not verdict.bypass:
            stripped = personal(stripped)  # as GET would, without its body or its event
        if bypass:
            await self._pass(message, stripped, bypass, redirected=bool(verdict.bypass))
            return
        view = self.open_view()
        if status == NOT_FOUND and not self.spoke:
            self._not_found(view)
        elif not self.spoke:
            self.shy.note(self.target, shy=False)
        self._begin(view)
        fields = personal(stripped)
        if surrogate.asks_for_esi(headers) and self.esi_in_front:
            fields.append(surrogate.UNKEPT)
        self.body = Rewriting(self, view, message, headers, fields, verdict.coding, verdict.content_type)

    @property
    def esi_in_front(self) -> bool:
        """Whether a proxy in front of us, which we trust, processes ESI."""
        return self._peer_trusted and surrogate.capable(self.received)

    def processes_esi(self, headers: Headers) -> bool:
        """Whether the page's ESI is for us to process: it asks for that, and nobody else will do it."""
        return self.core.announcing.wanted and surrogate.asks_for_esi(headers) and not self.esi_in_front

    @property
    def _peer_trusted(self) -> bool:
        return (self.scope["client"][0] if self.scope.get("client") else "") in self.core.trusted

    def _not_found(self, view: PageView) -> None:
        """The shop's 404 page, whatever its address promised."""
        self.page = Page("404", why="status")
        if view.begun:
            self.shy.note(self.target, shy=True)
            view.restart(self.page)

    async def _pass(self, message: Message, headers: Headers, bypass: str, *, redirected: bool) -> None:
        """The answer goes on as it is."""
        kind = self.page.kind if self.page is not None else "unknown"
        if self.candidate and redirected and self.view is not None and self.view.begun:
            self.shy.note(self.target, shy=True)
        if bypass != "request":
            self.core.metrics.pages(kind, f"bypass:{bypass}")
        if self.ignored in {"gpc", "dnt", "consent"} and cookie_values(
            self.scope["headers"], self.core.cookie.name(secure=self.secure)
        ):
            headers = uncached(headers)
            headers.append(self.core.cookie.remove_cookie(secure=self.secure))
            gone = self.core.cookie.known(self.scope["headers"], secure=self.secure)
            if gone is not None:
                await self.core.capture.withdraw(gone.visitor.anonymous_id)
        elif self.identity is not None and self.view is not None and self._renamed():
            headers = uncached(headers)
            headers.append(self.core.cookie.set_cookie(self.view.visitor, secure=self.secure))
        self.tell(headers, f"bypass:{bypass}", kind)
        self.left = _length(message["status"], headers)
        if self.view is not None and not self.left:
            await self.view.settle()  # the head is all there is: a redirect after a form, mostly
        await self.send({**message, "headers": headers})

    def _renamed(self) -> bool:
        """Whether the shop named the user of a visitor whom we know already (a login's redirect)."""
        assert self.identity is not None
        assert self.view is not None
        return not self.identity.renew and self.view.visitor.user_id != self.identity.visitor.user_id

    def remember(self, fields: Headers) -> None:
        """Adds the cookie where it is new, old, or names another user now: as the head leaves."""
        assert self.identity is not None
        assert self.view is not None
        if self.identity.renew or self._renamed():
            fields.append(self.core.cookie.set_cookie(self.view.visitor, secure=self.secure))

    def tell(self, fields: Headers, became: str, kind: str) -> None:
        """What became of the page, for trusted callers."""
        if self.client.trusted:
            fields.append((OUTCOME, outcome(became, kind, self.page)))

    # -- the shop's words -------------------------------------------------------------------------

    def _listen(self, headers: Headers) -> None:
        """Reads ``X-DataCue-User`` and ``X-DataCue-Event``: a mistake in them never stops the page."""
        if self.ignored is not None:
            return
        log = self.core.log
        for value in values_of(headers, b"x-datacue-user")[:1]:
            try:
                user_id, profile = said_user(value)
            except (TypeError, ValueError) as error:
                log.warning("X-DataCue-User is ignored", error=str(error))
            else:
                self.named = True
                self.identify(user_id, profile)
        for value in values_of(headers, b"x-datacue-event"):
            events, complaints = said(value)
            for complaint in complaints:
                log.warning("an event of the shop is ignored", error=complaint)
            for event in events:
                self.track(event)

    def show(self) -> PageView:
        """The app inside puts a widget into its page by itself: so the page's view begins now."""
        view, self.personal = self.open_view(), True
        if self.late:
            self._begin(view)
        return view

    def identify(self, user_id: str | None, profile: dict[str, Any] | None) -> None:
        """The shop says who the visitor is."""
        self.personal = True
        view = self.open_view()
        view.visitor = Visitor(view.visitor.anonymous_id, user_id, profile)

    def track(self, event: dict[str, Any]) -> None:
        """The shop says what happened; a page view of its own wins over what we would have found."""
        self.personal = True
        view = self.open_view()
        page = page_of(event)
        self.said.add(event["type"])
        if page is None:
            view.track(event)
            return
        # From now on this target's event waits for the shop's word.
        self.spoke = True
        self.shy.note(self.target, shy=True)
        if not view.begun:
            self.page = page
            view.begin(page)
        elif view.page is not None and page_event(view.page) != page_event(page):
            view.restart(page)


def _length(status: int, headers: Headers) -> float:
    """Bytes of an answer's body (RFC 9112, 6.3); infinite where only its end will tell."""
    if status in BODILESS:
        return 0
    length = value_of(headers, b"content-length") or b""
    return int(length) if length.isdigit() else inf
