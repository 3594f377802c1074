"""The start: every index rebuilt from the store, in bulk.

Millions of events come in as columns and are cut into sessions by sorting; only what has to be a Python
object becomes one.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from proxy.engine.recommender import recommender as weights
from proxy.engine.recommender.sessions import SESSION_GAP, SESSION_LENGTH
from proxy.engine.wire.events import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from proxy.engine.catalog import Catalog
    from proxy.engine.recommender.banners import Banners
    from proxy.engine.recommender.recommender import Recommender
    from proxy.engine.store.records import Records

_ROW: Final = np.dtype([("time", "f8"), ("visitor", "i8"), ("kind", "i1"), ("item", "i4")])
_decode: Final = msgspec.json.Decoder().decode


def load_catalog(records: Records, catalog: Catalog, banners: Banners) -> None:
    """Products, categories and banners."""
    for _item, product_id in records.numbered():
        catalog.add(product_id)
    for category_id, fields in records.documents("categories"):
        catalog.categories.put(category_id, fields)
    touched: dict[int, None] = {}
    for item, variant_id, told, learned in records.variants():
        catalog.restore(catalog.products[item], variant_id, told, learned)
        touched[item] = None
    for item in touched:
        catalog.refresh(catalog.products[item])
    for banner_id, fields, impressions, clicks in records.banners():
        banners.put(banner_id, fields, impressions, clicks)


def load_behaviour(records: Records, catalog: Catalog, recommender: Recommender) -> None:
    """What visitors did: sessions, carts, orders, popularity."""
    for product in catalog.products:
        recommender.describe(product)
    events = np.fromiter(records.item_events(), _ROW)
    _count(events, recommender)
    _cut_sessions(events[events["kind"] == Kind.PRODUCT], recommender)
    del events
    carts: dict[int, set[int]] = {}
    for time, visitor, cart in records.carts():
        items = [line[0] for line in _decode(cart)]
        recommender.cart(visitor, items, time)
        for item in set(items) - carts.get(visitor, set()):
            recommender.popularity.add(item, weights.CART, time)
        carts[visitor] = set(items)
    for order_id, time, _user_id, status, lines in records.orders():
        if status == "completed":
            items = [line[0] for line in lines]
            recommender.order(order_id, items, time)
            for item in sorted(set(items)):
                recommender.popularity.add(item, weights.ORDER, time)


def _count(events: NDArray[Any], recommender: Recommender) -> None:
    weight = np.zeros(max(Kind) + 1)
    for kind, value in weights.WEIGHTS.items():
        weight[kind] = value
    recommender.popularity.add_many(events["item"].astype(np.int64), weight[events["kind"]], events["time"])


def _cut_sessions(views: NDArray[Any], recommender: Recommender) -> None:
    if not len(views):
        return
    views = views[np.lexsort((views["time"], views["visitor"]))]
    visitor, time, item = views["visitor"], views["time"], views["item"]
    begins = np.ones(len(views), bool)
    begins[1:] = (visitor[1:] != visitor[:-1]) | (time[1:] - time[:-1] > SESSION_GAP)
    kept = begins.copy()
    kept[1:] |= item[1:] != item[:-1]  # a reload says nothing new
    visitor, time, item, begins = visitor[kept], time[kept], item[kept], begins[kept]
    starts = np.flatnonzero(begins)
    stops = np.append(starts[1:], len(item))
    ends = time[stops - 1]
    open_since = float(time.max()) - SESSION_GAP
    for at in np.argsort(ends, kind="stable").tolist():
        held: array[int] = array("i")
        held.frombytes(item[starts[at] : min(stops[at], starts[at] + SESSION_LENGTH)].tobytes())
        end = float(ends[at])
        recommender.sessions.add(held, end, int(visitor[starts[at]]) if end > open_since else None)
