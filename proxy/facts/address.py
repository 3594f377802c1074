"""What addresses say: a page's own, its query, and the links and photos that it names."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from msgspec import Struct

from proxy.facts.values import scrub

MAX_URL: Final = 2_048
"""Characters of a link or photo: the shortest limit among browsers and CDNs."""

MAX_PARAMETERS: Final = 100
"""Parameters of a query that are read; shops' longest filters stay below."""

MAX_VALUE: Final = 512
"""Characters of a search term, or of any field taken from a request; more is cut."""

SEARCH_PARAMETERS: Final = (
    "q", "query", "s", "search", "search_query", "searchterm", "term", "keyword", "keywords", "text",
)  # fmt: skip
"""Names under which shops send a search term, the commonest first."""

_CAMPAIGN: Final = re.compile(
    r"utm_.+|(?:g|fb|ms|d|tt|y)cl(?:k)?id|gclsrc|[gw]braid|mc_[ce]id|_g[al]|srsltid|igshid|ref|source|campaign"
)
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f\\<>"]')
_SCHEMES: Final = frozenset({"http", "https"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class PageAddress(Struct, frozen=True):
    """Where a page stands."""

    scheme: str
    host: str
    """Lower case, with its port."""
    path: str
    query: str

    @property
    def link(self) -> str:
        """The page's path and query, without what advertisements add."""
        kept = [pair for pair in self.query.split("&") if pair and not is_campaign(pair.partition("=")[0])]
        return f"{self.path}?{'&'.join(kept)}" if kept else self.path

    @property
    def term(self) -> str | None:
        """The search term in the query."""
        return search_term(parameters(self.query.encode("utf-8", "replace")))

    def is_at(self, link: str | None) -> bool:
        """Whether a link leads to this page; origin, query and trailing slash don't count."""
        return link is not None and urlsplit(link).path.rstrip("/") == self.path.rstrip("/")

    def resolve(self, value: Any) -> str | None:
        """A URL that the page names: path-absolute on the page's own host, else absolute http(s).

        Returns:
            None for other schemes, credentials, and characters that parsers of URLs disagree about.
        """
        if not isinstance(value, str):
            return None
        url = value.strip()
        if not 0 < len(url) <= MAX_URL or _UNSAFE.search(url):
            return None
        try:
            parts = urlsplit(urljoin(f"{self.scheme}://{self.host}{self.path}", url.replace(" ", "%20")))
        except ValueError:  # a bracket that opens no IPv6 address
            return None
        if parts.scheme not in _SCHEMES or not parts.netloc or "@" in parts.netloc:
            return None
        path = parts.path or "/"
        relative = f"{path}?{parts.query}" if parts.query else path
        if parts.netloc.lower() != self.host:
            return f"{parts.scheme}://{parts.netloc}{relative}"
        return None if relative.startswith("//") else relative

    def product_link(self, value: Any) -> str:
        """The link of the page's product: what the page says, or its own address.

        A canonical address on another host but with this page's path means this page: the shop is
        reached under another name than it knows.
        """
        link = self.resolve(value)
        if link is None or (not link.startswith("/") and self.is_at(link)):
            return self.link
        return link


def page_address(url: str) -> PageAddress:
    """Reads a page's URL; what is missing or unreadable is made up, so that links still resolve."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("/")
    path = parts.path if parts.path.startswith("/") else "/"
    scheme = parts.scheme if parts.scheme in _SCHEMES else "http"
    host = parts.netloc.lower() or "shop.invalid"
    return PageAddress(scheme, scrub(host), scrub(path), scrub(parts.query))


def is_campaign(parameter: str) -> bool:
    """Whether a query parameter is an advertisement's, so that it changes nothing on the page."""
    return _CAMPAIGN.fullmatch(parameter) is not None


def clean(value: str) -> str:
    """A field as it goes into an event: without control characters, trimmed, at most `MAX_VALUE` long."""
    return _CONTROL.sub(" ", value).strip()[:MAX_VALUE].rstrip()


def parameters(query: bytes) -> dict[str, str]:
    """The query's parameters, decoded as forms are (WHATWG URL, 5.1), cleaned; the first non-empty wins."""
    found: dict[str, str] = {}
    for pair in query.split(b"&", MAX_PARAMETERS)[:MAX_PARAMETERS]:
        name, _, value = pair.partition(b"=")
        key = _form_text(name)
        if key and not found.get(key):
            found[key] = clean(_form_text(value))
    return found


def search_term(found: dict[str, str]) -> str | None:
    """The search term among a query's parameters."""
    return next((found[name] for name in SEARCH_PARAMETERS if found.get(name)), None)


def _form_text(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")
