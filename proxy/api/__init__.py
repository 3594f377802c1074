"""The REST API for a shop's programs: `DataCueClient`, and `SyncDataCueClient` for scripts.

::

    async with DataCueClient(api_key, api_secret) as client:
        await client.products.create(Product(product_id="p1", name="Sofa", price=Decimal("329.00")))
        async for result in client.batch.create("products", rows):    # any iterable, sync or async
            if not result.ok:
                print(result.index, result.ids, result.error)

The batch API, on which ``import`` builds::

    client.batch.create(kind, items)     # kind: "products", "categories", "users", "orders", "banners"
    client.batch.update(kind, items)     # not orders
    client.batch.delete(kind, items)     # ids, (product_id, variant_id), or items
    client.batch.cancel(orders)
    client.batch.retry(batch_result)

Each returns a run that sends nothing before it is iterated. ``async for result in run`` gives one
`ItemResult` (``index``, ``ids``, ``item``, ``error``, ``ok``, ``retryable``) for each item, in the items'
order, while ``concurrency`` (an argument of the client) batches are under way. ``await run`` gives a
`BatchResult` (``total``, ``done``, ``failed``). In `SyncDataCueClient`: ``for result in run`` and
``run.collect()``. A run raises `ApiError` only where every further batch would fail alike
(`Unauthorized`, `NotFound`, `Elsewhere`, `Untrusted`); whatever the iterable raises comes after the
results of what was sent before.

In reading order: ``errors``, ``values``, ``items``, ``kinds`` (what is sent), ``call``, ``refusals`` (one
call, without I/O), ``resources`` (every verb, once), ``statuses``, ``chunks`` (batches, without I/O),
``credentials``, ``retry``, ``failures``, ``transport`` (the two ways to wait), ``runs``, ``batch``,
``client``.
"""

from proxy.api.chunks import MAX_BODY, MAX_ITEMS, ItemResult
from proxy.api.client import DataCueClient, Overview, ProductCounts, SyncDataCueClient
from proxy.api.errors import (
    ApiError,
    BadAnswer,
    Elsewhere,
    InvalidInput,
    ItemRefused,
    NoAnswer,
    NoStatus,
    NotFound,
    NotSent,
    Refused,
    Rejected,
    Throttled,
    TooLarge,
    Unauthorized,
    Untrusted,
    VendorFailed,
)
from proxy.api.items import NO_VARIANTS, Banner, CartLine, Category, Order, Product, User
from proxy.api.kinds import KINDS, Kind, KindName, read_item
from proxy.api.runs import AsyncRun, BatchResult, Run
from proxy.api.values import NO_USER

__all__ = [
    "KINDS",
    "MAX_BODY",
    "MAX_ITEMS",
    "NO_USER",
    "NO_VARIANTS",
    "ApiError",
    "AsyncRun",
    "BadAnswer",
    "Banner",
    "BatchResult",
    "CartLine",
    "Category",
    "DataCueClient",
    "Elsewhere",
    "InvalidInput",
    "ItemRefused",
    "ItemResult",
    "Kind",
    "KindName",
    "NoAnswer",
    "NoStatus",
    "NotFound",
    "NotSent",
    "Order",
    "Overview",
    "Product",
    "ProductCounts",
    "Refused",
    "Rejected",
    "Run",
    "SyncDataCueClient",
    "Throttled",
    "TooLarge",
    "Unauthorized",
    "Untrusted",
    "User",
    "VendorFailed",
    "read_item",
]
