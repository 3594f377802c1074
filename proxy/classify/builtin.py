"""What well-known paths mean, where the operator wrote no rule.

Only what can't be mistaken: an event that was sent for the wrong kind of page can't be taken back.
Products and categories are never guessed from a path; the page says it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.facts.address import is_campaign, search_term
from proxy.models import Page, PageKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCALE: Final = r"(?:/[a-z]{2}(?:[-_][A-Za-z]{2})?)?"
_HOME: Final = frozenset({"/", "/index.php", "/index.html", "/index.htm"})
_SAME_HOME: Final = frozenset({"lang", "language", "locale", "country", "currency", "v"})
"""Parameters that leave the home page the home page."""

_SEARCH: Final = re.compile(
    rf"{_LOCALE}/(?:search(?:[-_/]results?)?|catalogsearch/result(?:/index)?|s|suche|recherche|buscar|zoeken|"
    r"cerca|szukaj)(?:\.php|\.html)?/?"
)
_PATHS: Final[dict[PageKind, re.Pattern[str]]] = {
    "cart": re.compile(
        rf"{_LOCALE}/(?:cart|basket|checkout/cart|shopping[-_]cart|warenkorb|panier|carrito|carrello|winkelwagen)/?"
    ),
    "order": re.compile(
        rf"{_LOCALE}/(?:(?:checkout/)?order-confirmation|checkout/(?:onepage/)?success|checkout/thank[-_]you|"
        r"checkout/order-received/[^/]+)/?"
    ),
    "checkout": re.compile(rf"{_LOCALE}/(?:checkout(?:/onepage)?|kasse)/?"),
}
WHY: Final = "path"


def page_of(path: str, parameters: Mapping[str, str]) -> Page | None:
    """The page that a path and query mean by custom.

    Args:
        path: readable, see `rules.readable_path`.
        parameters: of the query, decoded.
    """
    term = search_term(dict(parameters)) if _SEARCH.fullmatch(path) else None
    if path in _HOME:
        if all(is_campaign(name) or name in _SAME_HOME for name in parameters):
            return Page(kind="home", why=WHY)
        term = parameters.get("s")  # WordPress: /?s=term
    if term:
        return Page(kind="search", term=term, why=WHY)
    return next(
        (Page(kind=kind, why=WHY) for kind, pattern in _PATHS.items() if pattern.fullmatch(path)), None
    )
