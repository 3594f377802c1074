"""One request as the ``[[capture]]`` rules see it: watches, and says to the page view what was done.

A form is judged when the head of its answer comes, a page when its last byte does. Only who has our cookie
already is watched: a form that comes from nowhere would count for a visitor who never comes again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from proxy.capture import Deed, Memory, Told, WatchedBody, read_view, said_order, tell
from proxy.classify.rules import readable_path
from proxy.events import timestamp
from proxy.facts import read_facts
from proxy.facts.address import page_address, parameters
from proxy.headers import value_of
from proxy.locate import FactSelectors
from proxy.remember import Recent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Receive, Scope

    from proxy.capture import EventName, FormRule, Rules, UserCookie, ViewRule
    from proxy.carts import Carts
    from proxy.classify import Classifier
    from proxy.headers import Headers
    from proxy.models import Page, PageKind, RawFacts, Visitor
    from proxy.personalize import PageView

NOBODY: Final = "no-user"
"""Whose order it is, where nobody is logged in: as the vendor's own plugins say it."""

STATELESS: Final[frozenset[EventName]] = frozenset(
    {"cart", "wishlist.add", "wishlist.remove", "login", "order"}
)
"""Deeds that can be told without what was known before."""


TELLING: Final[frozenset[PageKind]] = frozenset({"checkout", "order"})
"""Kinds of pages that say something without a rule, too."""

MAX_JUDGED: Final = 512
"""Addresses of which is remembered whether a rule looks at them."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What capturing needs, opened once.

    Attributes:
        rules: the operator's, then the preset's.
        carts: what is remembered of visitors.
        user_cookie: where the shop says who is logged in; None: nowhere.
        currency: of prices that name none.
        calls: whether orders and sign-ups can be sent: there is a secret to sign them with.
        judged: pages that ``watches`` was asked for.
        selectors: made of the rules' own, by the page rule and the capture rules that they are for.
    """

    rules: Rules
    carts: Carts
    user_cookie: UserCookie | None
    currency: str
    calls: bool
    classifier: Classifier
    selectors: dict[tuple[FactSelectors | None, tuple[str, ...]], FactSelectors] = field(default_factory=dict)
    judged: Recent[tuple[bytes, bytes, PageKind], bool] = field(default_factory=lambda: Recent(MAX_JUDGED))

    def cares(self, method: str, *, page: bool) -> bool:
        """Whether a request may say something; most can't, and cost nothing.

        Args:
            method: of the request.
            page: whether its answer may be a page.
        """
        return page or self.user_cookie is not None or (method != "GET" and method in self.rules.methods)

    def watches(self, raw_path: bytes, query: bytes, page: Page) -> bool:
        """Whether a rule looks at a page that is asked for with GET and is what its address says.

        The same questions that a ``Witness`` asks. Who is logged in is another one: its answer's head says.

        Args:
            raw_path: of the request, as it came.
            query: of the request.
            page: what it asks for.
        """
        if page.kind in TELLING:
            return True
        if self.rules.none:
            return False
        key = raw_path, query, page.kind
        judged = self.judged.get(key)
        if judged is None:
            path, said = readable_path(raw_path), parameters(query)
            judged = bool(self.rules.forms("GET", path, said) or self.rules.views(path, said, page.kind))
            self.judged.keep(key, judged)
        return judged

    def speaks(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a response says who is logged in."""
        return self.user_cookie is not None and self.user_cookie.said(headers)[0]

    def left(self, headers: Headers) -> bool:
        """Whether the shop's login cookie has gone from a request."""
        return self.user_cookie is not None and not self.user_cookie.there(headers)

    async def withdraw(self, visitor: str) -> None:
        """Forgets the cart of a visitor who no longer agrees to be known."""
        if not self.rules.none:
            with suppress(OSError):  # it is forgotten by age, then
                await self.carts.update(visitor, lambda _: Told(Memory()))


class Watched(Protocol):
    """What a witness needs of the exchange that it looks at."""

    scope: Scope
    said: set[str]
    named: bool

    def known(self) -> bool:
        """Whether the visitor came with our cookie."""

    def open_view(self) -> PageView:
        """The page view."""

    def identify(self, user_id: str | None, profile: dict[str, Any] | None) -> None:
        """Says who the visitor is."""

    def complain(self, what: str) -> None:
        """Counts a failure of ours."""


class Witness:
    """Watches one request and its answer.

    Args:
        capture: what it goes by.
        exchange: what it looks at.
    """

    __slots__ = ("_body", "_capture", "_exchange", "_forms", "_parameters", "_path", "_views")

    def __init__(self, capture: Capture, exchange: Watched) -> None:
        self._capture = capture
        self._exchange = exchange
        scope = exchange.scope
        self._path, self._parameters = "", dict[str, str]()
        if not capture.rules.none:
            self._path = readable_path(scope["raw_path"].partition(b"?")[0])
            self._parameters = parameters(scope["query_string"])
        self._forms = capture.rules.forms(scope["method"], self._path, self._parameters)
        self._views: list[tuple[ViewRule, dict[str, str]]] = []
        self._body: WatchedBody | None = None

    def watch(self, receive: Receive) -> Receive:
        """The request's ``receive``, watched where a rule wants to know what is in its body."""
        if any(rule.reads_body for rule, _ in self._forms):
            self._body = WatchedBody(receive, self._exchange.scope["headers"])
            return self._body
        return receive

    # -- forms ------------------------------------------------------------------------------------

    async def heard(self, status: int, headers: Headers) -> None:
        """The head of the answer is there: did the form do what it asked for, and who is logged in now?

        Args:
            status: of the answer.
            headers: of the answer, with what the shop says to us.
        """
        capture, exchange = self._capture, self._exchange
        if value_of(headers, b"x-datacue-off") is not None:
            return
        spoke, user_id = capture.user_cookie.said(headers) if capture.user_cookie else (False, None)
        holding = [
            (rule, address)
            for rule, address in self._forms
            if rule.success.holds(status, headers, exchange.scope["raw_path"])
        ]
        if not (spoke or holding) or not exchange.known():
            return
        deeds = self._deeds(holding)
        before = exchange.open_view().visitor
        named = self._name(deeds, spoke=spoke, user_id=user_id)
        now = exchange.open_view().visitor
        if spoke and now.user_id is not None and now.user_id != before.user_id:
            # The cookie changed hands: that is a login, whatever form it came from.
            deeds.setdefault("login", Deed("login"))
        signup = deeds.get("signup")
        if signup is not None:
            self._sign_up(signup, now)
        await self._tell(list(deeds.values()), named=named)

    def _deeds(self, holding: Sequence[tuple[FormRule, dict[str, str]]]) -> dict[EventName, Deed]:
        """What was done, the first rule of each event that holds; what the shop says itself is left out."""
        form = self._body.form() if self._body is not None else {}
        deeds: dict[EventName, Deed] = {}
        for rule, address in holding:
            if rule.event in deeds or rule.event.partition(".")[0] in self._exchange.said:
                continue
            fields = rule.read(address, form)
            if fields is not None:
                deeds[rule.event] = Deed(rule.event, fields)
        return deeds

    def _name(self, deeds: Mapping[EventName, Deed], *, spoke: bool, user_id: str | None) -> bool:
        """Says who the visitor is from now on; whether that is known.

        The shop's ``X-DataCue-User`` has the first word and its cookie the second; then comes the form.
        """
        exchange = self._exchange
        view = exchange.open_view()
        if exchange.named:
            return view.visitor.user_id is not None
        if not spoke:
            entered = [deed for name in ("login", "signup") if (deed := deeds.get(name))]
            if not entered and "logout" not in deeds:
                return False
            user_id = next((found for deed in entered if (found := _entered(deed)) is not None), None)
        if user_id != view.visitor.user_id:
            exchange.identify(user_id, view.visitor.profile if user_id is not None else None)
        return user_id is not None

    def _sign_up(self, deed: Deed, visitor: Visitor) -> None:
        """Guide, "Create User"."""
        user_id = visitor.user_id or _entered(deed)
        if not self._capture.calls or user_id is None:
            return
        view = self._exchange.open_view()
        told = {
            name: deed.fields[name]
            for name in ("email", "title", "first_name", "last_name")
            if deed.fields.get(name)
        }
        view.call(
            "POST /users",
            {
                "user_id": user_id,
                "anonymous_id": visitor.anonymous_id,
                **told,
                "timestamp": timestamp(view.now()),
            },
        )

    # -- pages ------------------------------------------------------------------------------------

    def selectors(self, page: Page | None, own: FactSelectors | None) -> FactSelectors | None:
        """What is selected in a page: what its ``[[pages]]`` rule wants, and what ours do."""
        capture = self._capture
        self._views = capture.rules.views(
            self._path, self._parameters, page.kind if page is not None else None
        )
        wanted = [rule for rule, _ in self._views if rule.selectors]
        if not wanted:
            return own
        key = (own, tuple(rule.name for rule in wanted))
        found = capture.selectors.get(key)
        if found is None:
            more = [selector for rule in wanted for selector in rule.selectors]
            found = capture.selectors[key] = (own or FactSelectors({})).joined(more)
        return found

    def looks(self, page: Page | None) -> bool:
        """Whether a page may show something; most can't."""
        kind = page.kind if page is not None else None
        return kind != "404" and (bool(self._views) or kind in TELLING)

    async def seen(self, page: Page | None, facts: RawFacts, *, charset: str, url: str) -> None:
        """A page has passed: what did it show?

        Args:
            page: what it turned out to be.
            facts: as it was cut out.
            charset: of the page.
            url: of the page.
        """
        if not self.looks(page):
            return
        kind = page.kind if page is not None else None
        # A kind that the page told itself brings rules that nothing was selected for, but that need nothing.
        views = {
            rule.event: (rule, f) for rule, f in self._capture.rules.views(self._path, self._parameters, kind)
        }
        views.update({rule.event: (rule, fields) for rule, fields in self._views})
        deeds = {
            event: read_view(rule, fields, facts, charset=charset, page_of=self._page_of)
            for event, (rule, fields) in views.items()
            if event not in self._exchange.said
        }
        if kind == "order" or "order" in deeds:
            known = read_facts(facts, charset=charset, page_url=url)
            said = said_order(facts, known.order, charset=charset, page=page_address(url))
            order = _order(deeds.get("order"), said)
            if order is not None:
                deeds["order"] = order
        await self._tell(list(deeds.values()), named=False)

    def _page_of(self, link: str) -> Page | None:
        try:
            parts = urlsplit(link)
        except ValueError:  # a bracket that opens no IPv6 address
            return None
        return self._capture.classifier.from_request(parts.path, parts.query.encode("utf-8", "replace"))

    # -- telling ----------------------------------------------------------------------------------

    async def named(self) -> None:
        """A page said who the visitor is, who was nobody before: they have logged in."""
        if "login" not in self._exchange.said:
            await self._tell([Deed("login")], named=True)

    async def _tell(self, deeds: Sequence[Deed], *, named: bool) -> None:
        capture, exchange = self._capture, self._exchange
        if not deeds:
            return
        view = exchange.open_view()
        story = partial(tell, deeds=deeds, currency=capture.currency, named=named)
        try:
            told: Told = await capture.carts.update(view.visitor.anonymous_id, story)
        except OSError:
            exchange.complain("carts")
            told = tell(
                Memory(), [d for d in deeds if d.event in STATELESS], currency=capture.currency, named=named
            )
        for event in told.events:
            view.track(event)
        if capture.calls:
            for order in told.orders:
                owner = view.visitor.user_id or NOBODY
                view.call("POST /orders", {"user_id": owner, "timestamp": timestamp(view.now()), **order})


def _entered(deed: Deed) -> str | None:
    """Who filled in a form. Addresses are the same in capitals, to every shop."""
    found = deed.fields.get("user_id") or deed.fields.get("email")
    if not found:
        return None
    return found.lower() if "@" in found else found


def _order(selected: Deed | None, said: Deed | None) -> Deed | None:
    """An order as rules found it; what they left open the page may say by itself."""
    if selected is None or not selected.fields.get("order_id"):
        return said
    if said is None or said.fields["order_id"] != selected.fields["order_id"]:
        return selected
    return Deed("order", selected.fields, selected.lines or said.lines, said.details)
