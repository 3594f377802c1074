"""The data: bol.com click sessions (Serenade) and UCI Online Retail orders."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Session(NamedTuple):
    items: list[int]
    times: list[float]


class Order(NamedTuple):
    time: float
    items: list[int]


def read_sessions(path: Path) -> list[Session]:
    """SessionId, ItemId, Time with tabs; sessions by their last click, clicks by time."""
    clicks: dict[str, list[tuple[float, int]]] = defaultdict(list)
    with gzip.open(path, "rt") as lines:
        next(lines)
        for line in lines:
            session, item, time = line.split("\t")
            clicks[session].append((float(time), int(item)))
    found = []
    for each in clicks.values():
        each.sort(key=lambda click: click[0])
        found.append(Session([item for _, item in each], [time for time, _ in each]))
    return sorted(found, key=lambda session: session.times[-1])


def read_orders(path: Path, numbers: dict[str, int]) -> list[Order]:
    """order_id, time, user_id, product_id, quantity, unit_price; new products are given numbers."""
    orders: dict[str, Order] = {}
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            time = datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp()
            order = orders.setdefault(row["order_id"], Order(time, []))
            number = numbers.setdefault(row["product_id"], len(numbers))
            if number not in order.items:
                order.items.append(number)
    return sorted(orders.values(), key=lambda order: order.time)
