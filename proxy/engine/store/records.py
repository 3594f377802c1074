"""What is written and read: one method a fact. Callers hold the transaction (`Database.transaction`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.engine.store.database import Database

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode

Fields = dict[str, Any]
KEYED: Final = {"categories": "category_id", "users": "user_id", "orders": "order_id"}
"""Tables by one id; all but orders hold one JSON document."""
TABLES: Final = ("items", "variants", "categories", "banners", "users", "orders", "visitors", "events")


class Records:
    """The store's vocabulary over a `Database`."""

    def __init__(self, database: Database) -> None:
        self._run = database.connection.execute

    # Products.

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Every numbered product, by number."""
        return iter(self._run("SELECT item, product_id FROM items ORDER BY item"))

    def add_item(self, item: int, product_id: str) -> None:
        """Number a product."""
        self._run("INSERT INTO items VALUES (?, ?)", (item, product_id))

    def variants(self) -> Iterator[tuple[int, str, Fields | None, Fields | None]]:
        """Every variant: item, variant id, told and learned fields."""
        for item, variant_id, told, learned in self._run(
            "SELECT item, variant_id, told, learned FROM variants"
        ):
            yield item, variant_id, _document(told), _document(learned)

    def put_variant(self, item: int, variant_id: str, told: Fields | None, learned: Fields | None) -> None:
        """Create or replace a variant; without either layer it is deleted."""
        if told is None and learned is None:
            self._run("DELETE FROM variants WHERE item = ? AND variant_id = ?", (item, variant_id))
        else:
            self._run(
                "REPLACE INTO variants VALUES (?, ?, ?, ?)", (item, variant_id, _text(told), _text(learned))
            )

    # Categories and users: an id and a document.

    def documents(self, table: str) -> Iterator[tuple[str, Fields]]:
        """Every document of ``categories`` or ``users``."""
        for key, data in self._run(f"SELECT {KEYED[table]}, data FROM {table}"):  # noqa: S608  # from KEYED
            yield key, _decode(data)

    def document(self, table: str, key: str) -> Fields | None:
        """One document."""
        sql = f"SELECT data FROM {table} WHERE {KEYED[table]} = ?"  # noqa: S608  # names from KEYED
        found = self._run(sql, (key,)).fetchone()
        return None if found is None else _decode(found[0])

    def put_document(self, table: str, key: str, data: Fields) -> None:
        """Create or replace a document."""
        self._run(f"REPLACE INTO {table} VALUES (?, ?)", (key, _text(data)))  # noqa: S608  # callers name tables

    def drop_document(self, table: str, key: str) -> None:
        """Delete a document."""
        self._run(f"DELETE FROM {table} WHERE {KEYED[table]} = ?", (key,))  # noqa: S608  # names from KEYED

    def keys(self, table: str) -> list[str]:
        """Every id of a table."""
        sql = f"SELECT {KEYED[table]} FROM {table} ORDER BY 1"  # noqa: S608  # names from KEYED
        return [str(row[0]) for row in self._run(sql)]

    def wipe(self) -> None:
        """Delete everything."""
        for table in TABLES:
            self._run(f"DELETE FROM {table}")  # noqa: S608  # names from TABLES

    # Banners.

    def banners(self) -> Iterator[tuple[str, Fields, int, int]]:
        """Every banner: id, fields, impressions, clicks."""
        for key, data, impressions, clicks in self._run("SELECT * FROM banners ORDER BY banner_id"):
            yield key, _decode(data), impressions, clicks

    def put_banner(self, banner_id: str, data: Fields) -> None:
        """Create or replace a banner; what it has earned stays."""
        self._run(
            "INSERT INTO banners (banner_id, data) VALUES (?, ?) "
            "ON CONFLICT DO UPDATE SET data = excluded.data",
            (banner_id, _text(data)),
        )

    def drop_banner(self, banner_id: str) -> None:
        """Delete a banner and what it has earned."""
        self._run("DELETE FROM banners WHERE banner_id = ?", (banner_id,))

    def count_banner(self, banner_id: str, impressions: int, clicks: int) -> None:
        """Set a banner's counters."""
        self._run(
            "UPDATE banners SET impressions = ?, clicks = ? WHERE banner_id = ?",
            (impressions, clicks, banner_id),
        )

    # Orders.

    def orders(self) -> Iterator[tuple[str, float, str | None, str, list[list[Any]]]]:
        """Every order by time: id, time, user, state, cart lines as stored."""
        for order_id, time, user_id, status, cart in self._run(
            "SELECT order_id, time, user_id, status, cart FROM orders ORDER BY time, order_id",
        ):
            yield order_id, time, user_id, status, _decode(cart)

    def order(self, order_id: str) -> tuple[float, str | None, str, list[list[Any]]] | None:
        """One order: time, user, state, cart lines."""
        found = self._run(
            "SELECT time, user_id, status, cart FROM orders WHERE order_id = ?", (order_id,)
        ).fetchone()
        return None if found is None else (found[0], found[1], found[2], _decode(found[3]))

    def put_order(
        self, order_id: str, time: float, user_id: str | None, status: str, cart: list[list[Any]]
    ) -> None:
        """Create or replace an order; a cart line is [item, variant, quantity, unit price]."""
        self._run(
            "REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", (order_id, time, user_id, status, _text(cart))
        )

    def forget_buyer(self, user_id: str) -> None:
        """Take a user's name off the orders."""
        self._run("UPDATE orders SET user_id = NULL WHERE user_id = ?", (user_id,))

    def drop_order(self, order_id: str) -> None:
        """Delete an order."""
        self._run("DELETE FROM orders WHERE order_id = ?", (order_id,))

    # Visitors and events.

    def visitor(self, name: str) -> int | None:
        """The number of a visitor, if it was ever seen."""
        found = self._run("SELECT visitor FROM visitors WHERE name = ?", (name,)).fetchone()
        return None if found is None else int(found[0])

    def add_visitor(self, name: str) -> int:
        """Number a visitor."""
        row: Any = self._run("INSERT INTO visitors (name) VALUES (?) RETURNING visitor", (name,)).fetchone()
        return int(row[0])

    def add_event(
        self,
        time: float,
        visitor: int,
        kind: int,
        item: int | None,
        detail: str | None,
        fingerprint: int | None,
    ) -> bool:
        """Append an event; False if one with its fingerprint is stored already."""
        added = self._run(
            "INSERT OR IGNORE INTO events (time, visitor, kind, item, detail, fingerprint) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING event",
            (time, visitor, kind, item, detail, fingerprint),
        ).fetchone()
        return added is not None

    def events_of(self, visitor: int, limit: int) -> list[tuple[float, int, int | None, str | None]]:
        """A visitor's last events, oldest first: time, kind, item, detail."""
        sql = (
            "SELECT time, kind, item, detail FROM events "
            "WHERE visitor = ? ORDER BY time DESC, event DESC LIMIT ?"
        )
        found: list[Any] = self._run(sql, (visitor, limit)).fetchall()
        return found[::-1]

    def last_cart(self, visitor: int) -> tuple[float, str] | None:
        """A visitor's cart as it stood last: time, lines as JSON."""
        sql = (
            "SELECT time, detail FROM events WHERE visitor = ? AND kind IN (7, 12) "
            "ORDER BY time DESC, event DESC LIMIT 1"
        )
        found: tuple[float, str] | None = self._run(sql, (visitor,)).fetchone()
        return found

    def item_events(self) -> Iterator[tuple[float, int, int, int]]:
        """Every event about one product, in order of arrival: time, visitor, kind, item."""
        sql = "SELECT time, visitor, kind, item FROM events WHERE item IS NOT NULL ORDER BY event"
        found: Iterator[Any] = iter(self._run(sql))
        return found

    def carts(self) -> Iterator[tuple[float, int, str]]:
        """Every state of every cart, in order of arrival: time, visitor, lines as JSON."""
        sql = "SELECT time, visitor, detail FROM events WHERE kind IN (7, 12) ORDER BY event"
        found: Iterator[Any] = iter(self._run(sql))
        return found

    def claim(self, anonymous: int, visitor: int) -> None:
        """What an anonymous visitor did was done by another one."""
        self._run("UPDATE events SET visitor = ? WHERE visitor = ?", (visitor, anonymous))

    def forget_visitor(self, name: str) -> None:
        """Erase a visitor: name and events."""
        self._run("DELETE FROM events WHERE visitor = (SELECT visitor FROM visitors WHERE name = ?)", (name,))
        self._run("DELETE FROM visitors WHERE name = ?", (name,))


def _text(value: object) -> str | None:
    return None if value is None else _encode(value).decode()


def _document(text: str | None) -> Fields | None:
    return None if text is None else _decode(text)
