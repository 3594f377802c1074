"""A page of the shop → its products: read as the proxy reads a page that passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy import charset
from proxy.classify import products_of
from proxy.events import page_of, said
from proxy.facts import read_facts
from proxy.headers import value_of, values_of
from proxy.learning import product_fields
from proxy.locate import Splicer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.classify import Classifier
    from proxy.crawl.fetch import Fetched
    from proxy.headers import Headers
    from proxy.locate import FactSelectors, Plan
    from proxy.models import Page

HTML = b"text/html"


class PageReader:
    """Reads pages under the operator's rules.

    Args:
        classifier: says what a page is.
        plan: what to look for in it.
        fact_selectors: by the ``[[pages]]`` rule that has them.
    """

    def __init__(
        self, classifier: Classifier, plan: Plan, fact_selectors: Mapping[str, FactSelectors]
    ) -> None:
        self._classifier = classifier
        self._plan = plan
        self._fact_selectors = fact_selectors

    def products(self, fetched: Fetched) -> list[dict[str, Any]]:
        """The products of a page in the REST API's words; none where it is no product's page."""
        content_type = value_of(fetched.headers, b"content-type") or b""
        if content_type.partition(b";")[0].strip().lower() != HTML:
            return []
        if value_of(fetched.headers, b"x-datacue-off") is not None:
            return []
        if not charset.ascii_compatible(content_type, fetched.body):
            return []
        path, _, query = fetched.url.raw_path.partition(b"?")
        asked = self._classifier.from_request(path, query)
        splicer = Splicer(self._plan, self._fact_selectors.get(asked.why if asked is not None else ""))
        splicer.feed(fetched.body)
        splicer.close()
        # As browsers assume where nothing is said.
        encoding = charset.sniff(content_type, fetched.body) or "windows-1252"
        facts = read_facts(splicer.facts, charset=encoding, page_url=str(fetched.url))
        page = _said(fetched.headers) or self._classifier.from_facts(asked, facts)
        if page is None:
            return []
        read = (product_fields(product) for product in products_of(page, facts))
        return [fields for fields in read if fields is not None]


def _said(headers: Headers) -> Page | None:
    """The page view that the shop itself names."""
    for value in values_of(headers, b"x-datacue-event"):
        for event in said(value)[0]:
            page = page_of(event)
            if page is not None:
                return page
    return None
