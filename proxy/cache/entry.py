"""A page that is kept: whether it is meant for a request, and whether it may be used for it (RFC 9111, 4)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from proxy.cache.directives import Unreadable, date_of, directives, for_everybody, seconds
from proxy.headers import value_of, values_of

if TYPE_CHECKING:
    from proxy.cache.storable import Lifetime
    from proxy.headers import Headers

OVERHEAD = 1024
"""Bytes that an entry counts for beside its own."""

OK, NOT_MODIFIED = 200, 304

NOT_UPDATED = frozenset({b"content-length", b"content-encoding", b"content-type", b"content-range"})
"""What a 304 doesn't change: it describes bytes that it doesn't bring (RFC 9111, 3.2)."""

OURS = (b"datacue=", b"__host-datacue=")
"""Cookies that say nothing to the shop."""

OVERRIDING = (b"x-forwarded-", b"x-original-", b"x-rewrite-", b"x-http-", b"x-envoy-", b"x-base-")
OVERRIDES = frozenset(
    {
        b"x-host",
        b"x-scheme",
        b"x-url-scheme",
        b"x-method-override",
        b"front-end-https",
        b"x-script-name",
        b"script-name",
        b"x-proxy-host",
        b"x-backend-host",
        b"x-real-host",
        b"x-request-uri",
        b"surrogate-capability",
    }
)
"""Request fields (and how their names begin) that say something else than the request's own line, and that
frameworks follow without a word in ``Vary``. Whoever sends one would have their page kept for all."""

PARTS = frozenset({b"x-requested-with", b"x-pjax", b"x-inertia", b"hx-request", b"hx-target", b"turbo-frame"})
"""Request fields in which scripts ask for a part of a page under its own address; just so."""

CHOOSING = OVERRIDES | PARTS

IN_KEY = frozenset({b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-for", b"x-forwarded-port"})
"""Those that the shop hears from us: of the key, of one visitor, or not at all."""

Use = Literal["fresh", "stale", "validate"]
"""As it is; as it is, while it is asked for anew; or only once the shop said that it still holds."""

Vary = tuple[tuple[bytes, bytes], ...]


class Entry:
    """One answer.

    Attributes:
        headers: end-to-end, as they came (and as a 304 changed them).
        vary: request fields and the values for which it was chosen.
        arrived: on our clock.
    """

    __slots__ = ("_names", "arrived", "body", "headers", "lifetime", "vary")

    def __init__(self, headers: Headers, body: bytes, vary: Vary, lifetime: Lifetime, arrived: float) -> None:
        self.headers = headers
        self.body = body
        self.vary = vary
        self._names = frozenset(name for name, _ in vary)
        self.lifetime = lifetime
        self.arrived = arrived

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        fields = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.body) + fields + sum(len(value) for _, value in self.vary) + OVERHEAD

    def age(self, clock: float) -> float:
        """Seconds since it was made (RFC 9111, 4.2.3)."""
        return self.lifetime.age + max(0.0, clock - self.arrived)

    def is_stale(self, clock: float) -> bool:
        """Whether somebody who asks the shop now makes it fresh for others, who had better wait."""
        lifetime = self.lifetime
        usable = lifetime.fresh + (0.0 if lifetime.strict else lifetime.while_revalidate)
        return not lifetime.validated and self.age(clock) >= usable

    def meant_for(self, asked: Headers) -> bool:
        """Whether a request's fields are those that it was chosen by, and no others (RFC 9111, 4.1)."""
        if not self._names.issuperset([name for name, _ in asked if _chooses(name)]):
            return False
        return all(chosen_by(asked, name) == value for name, value in self.vary)

    def use(self, asked: Headers, clock: float) -> Use:
        """What may be done with it for a request (RFC 9111, 4.2 and 5.2.1; RFC 5861)."""
        lifetime, age = self.lifetime, self.age(clock)
        try:
            wanted = directives(asked)
        except Unreadable:
            wanted = {}
        if not wanted and value_of(asked, b"cache-control") is None:
            if b"no-cache" in (value_of(asked, b"pragma") or b"").lower():
                return "validate"
            if age < lifetime.fresh and not lifetime.validated:
                return "fresh"
        if b"no-cache" in wanted or lifetime.validated:
            return "validate"
        oldest = seconds(wanted, b"max-age")
        if oldest is not None and age > oldest:
            return "validate"
        left = lifetime.fresh - age
        if left > 0 and left >= (seconds(wanted, b"min-fresh") or 0):
            return "fresh"
        if lifetime.strict or b"min-fresh" in wanted:
            return "validate"
        if b"max-stale" in wanted and (
            wanted[b"max-stale"] is None or -left <= (seconds(wanted, b"max-stale") or 0)
        ):
            return "fresh"
        return "stale" if -left < lifetime.while_revalidate else "validate"

    def may_replace_an_error(self, clock: float) -> bool:
        """Whether it may be used though the shop failed (RFC 5861, 4)."""
        lifetime = self.lifetime
        return not lifetime.strict and self.age(clock) - lifetime.fresh < lifetime.on_error

    def conditions(self) -> Headers:
        """What asks the shop whether it still holds (RFC 9111, 4.3.1)."""
        found: Headers = []
        etag, modified = value_of(self.headers, b"etag"), value_of(self.headers, b"last-modified")
        if etag is not None:
            found.append((b"if-none-match", etag))
        if modified is not None:
            found.append((b"if-modified-since", modified))
        return found

    def known_to(self, asked: Headers) -> bool:
        """Whether the client's own conditions say that it has this already (RFC 9110, 13.1)."""
        tags = values_of(asked, b"if-none-match")
        if tags:
            ours = value_of(self.headers, b"etag")
            theirs = {tag.strip().removeprefix(b"W/") for value in tags for tag in value.split(b",")}
            return b"*" in theirs or (ours is not None and ours.removeprefix(b"W/") in theirs)
        since = date_of(asked, b"if-modified-since")
        modified = date_of(self.headers, b"last-modified")
        return since is not None and modified is not None and modified <= since

    def response(self, method: str, asked: Headers, clock: float) -> tuple[int, Headers, bytes]:
        """Status, fields and body that answer a request; 304 where the client has the page already."""
        headers = [field for field in self.headers if field[0] != b"age"]
        headers.append((b"age", b"%d" % self.age(clock)))
        if self.known_to(asked):
            fields = [field for field in headers if field[0] not in {b"content-length", b"content-type"}]
            return NOT_MODIFIED, fields, b""
        return OK, headers, b"" if method == "HEAD" else self.body

    def is_another(self, headers: Headers) -> bool:
        """Whether a 304 speaks of another version than this (RFC 9111, 4.3.4).

        Servers that compress weaken the tags of what they compress, and of no 304.
        """
        ours, theirs = value_of(self.headers, b"etag"), value_of(headers, b"etag")
        if ours is None or theirs is None:
            return False
        return ours.removeprefix(b"W/") != theirs.removeprefix(b"W/")

    def freshened(self, headers: Headers, lifetime: Lifetime, arrived: float) -> Entry:
        """The same page with what a 304 says of it (RFC 9111, 4.3.4)."""
        new = [field for field in headers if field[0] not in NOT_UPDATED]
        gone = {b"age", b"date", *(name for name, _ in new)}  # those of the old answer say nothing of the new
        kept = [field for field in self.headers if field[0] not in gone]
        return Entry([*kept, *new], self.body, self.vary, lifetime, arrived)


def chosen_by(asked: Headers, name: bytes) -> bytes:
    """What a request says in a field, for comparison: lists joined, space around their members gone."""
    values = values_of(asked, name)
    if name == b"cookie":
        every = [pair.strip() for value in values for pair in value.split(b";")]
        return b"; ".join(pair for pair in every if pair and not pair.lower().startswith(OURS))
    return b",".join(part.strip() for value in values for part in value.split(b","))


def vary_of(headers: Headers, asked: Headers) -> Vary:
    """Which request fields an answer was chosen by, with their values.

    Cookies are, too, where the shop hasn't said that the page is for everybody (`for_everybody`); and so are
    what overrides the request's line or asks for a part, and what is understood where the page is compressed.
    """
    names = {
        name.strip().lower()
        for value in values_of(headers, b"vary")
        for name in value.split(b",")
        if name.strip()
    }
    if not for_everybody(headers):
        names.add(b"cookie")
    if value_of(headers, b"content-encoding") is not None:
        names.add(b"accept-encoding")
    names |= {name for name, _ in asked if _chooses(name)}
    return tuple((name, chosen_by(asked, name)) for name in sorted(names))


@lru_cache(maxsize=512)  # browsers of the world send a few dozen names
def _chooses(name: bytes) -> bool:
    """Whether a request field chooses the answer though nothing names it."""
    return name in CHOOSING or (name.startswith(OVERRIDING) and name not in IN_KEY)
