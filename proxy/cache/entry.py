"""A page that is kept: whether it is meant for a request, and whether it may be used for it (RFC 9111, 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from proxy.cache.directives import Unreadable, date_of, directives, seconds
from proxy.headers import value_of, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.cache.storable import Lifetime
    from proxy.headers import Headers

OVERHEAD = 1024
"""Bytes that an entry counts for beside its own."""

NOT_UPDATED = frozenset({b"content-length", b"content-encoding", b"content-type", b"content-range"})
"""What a 304 doesn't change: it describes bytes that it doesn't bring (RFC 9111, 3.2)."""

OURS = (b"datacue=", b"__host-datacue=")
"""Cookies that say nothing to the shop."""

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

    __slots__ = ("arrived", "body", "headers", "lifetime", "vary")

    def __init__(self, headers: Headers, body: bytes, vary: Vary, lifetime: Lifetime, arrived: float) -> None:
        self.headers = headers
        self.body = body
        self.vary = vary
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

    def meant_for(self, asked: Headers) -> bool:
        """Whether the request's fields are those that it was chosen by (RFC 9111, 4.1)."""
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

    def freshened(self, headers: Headers, lifetime: Lifetime, arrived: float) -> Entry:
        """The same page with what a 304 says of it (RFC 9111, 4.3.4)."""
        new = [field for field in headers if field[0] not in NOT_UPDATED]
        names = {name for name, _ in new}
        kept = [field for field in self.headers if field[0] not in names and field[0] != b"age"]
        return Entry([*kept, *new], self.body, self.vary, lifetime, arrived)


def chosen_by(asked: Headers, name: bytes) -> bytes:
    """What a request says in a field, for comparison: lists joined, space around their members gone."""
    values = values_of(asked, name)
    if name == b"cookie":
        every = [pair.strip() for value in values for pair in value.split(b";")]
        return b"; ".join(pair for pair in every if pair and not pair.lower().startswith(OURS))
    return b",".join(part.strip() for value in values for part in value.split(b","))


def vary_of(headers: Headers, asked: Headers) -> Vary:
    """Which request fields an answer was chosen by, with their values."""
    names: Sequence[bytes] = sorted(
        {
            name.strip().lower()
            for value in values_of(headers, b"vary")
            for name in value.split(b",")
            if name.strip()
        }
    )
    return tuple((name, chosen_by(asked, name)) for name in names)
