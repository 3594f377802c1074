"""The search engine that oscar wants beside it, for one shelf of goods: a haystack backend over the database.

Haystack's own "simple" backend ignores which field a filter is about, so it never lists a category.
"""

from __future__ import annotations

import json

from haystack.backends import BaseEngine
from haystack.backends.simple_backend import SimpleSearchBackend, SimpleSearchQuery
from haystack.models import SearchResult

ORDERS = {"price": "stockrecords__price", "title_exact": "title", "date_created": "date_created"}


class Query(SimpleSearchQuery):
    """Writes its filters down as JSON: (field, value) pairs that must all hold."""

    def build_query(self):
        return json.dumps(list(self._leaves(self.query_filter)))

    def _leaves(self, node):
        for child in node.children:
            if hasattr(child, "children"):
                yield from self._leaves(child)
            else:
                field = child[0].partition("__")[0]
                yield field, getattr(child[1], "query_string", child[1])


class Backend(SimpleSearchBackend):
    """Finds products by category and by words of their title."""

    def search(self, query_string, start_offset=0, end_offset=None, sort_by=None, **_):
        from oscar.apps.catalogue.models import Product

        found = Product.objects.browsable().order_by("pk")
        for field, value in json.loads(query_string):
            if field == "category":
                found = found.filter(categories__in=value)
            elif field == "content":
                for word in value.split():
                    found = found.filter(title__icontains=word)
        for written in sort_by or ():
            order = ORDERS.get(written.lstrip("-"))
            if order:
                found = found.order_by(("-" if written.startswith("-") else "") + order)
        return {"hits": found.count(), "results": [_result(one) for one in found[start_offset:end_offset]]}


def _result(product):
    result = SearchResult("catalogue", "product", product.pk, 0)
    result._model = type(product)
    result._object = product
    return result


class Engine(BaseEngine):
    """What the settings name."""

    backend = Backend
    query = Query
