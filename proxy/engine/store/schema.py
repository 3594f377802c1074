"""The tables, as a list of steps: a file made by any earlier version is brought up to date when opened."""

from __future__ import annotations

from typing import Final

# Append, never edit: a step that was released has been run on users' files.
MIGRATIONS: Final[tuple[str, ...]] = (
    # 1: what the guide sends. Items and visitors are numbered, so that millions of events stay small.
    """
    CREATE TABLE items (item INTEGER PRIMARY KEY, product_id TEXT NOT NULL UNIQUE);
    CREATE TABLE variants (
        item INTEGER NOT NULL, variant_id TEXT NOT NULL,
        told TEXT, learned TEXT,
        PRIMARY KEY (item, variant_id)
    ) WITHOUT ROWID;
    CREATE TABLE categories (category_id TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE banners (
        banner_id TEXT PRIMARY KEY, data TEXT NOT NULL,
        impressions INTEGER NOT NULL DEFAULT 0, clicks INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE users (user_id TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE orders (
        order_id TEXT PRIMARY KEY, time REAL NOT NULL, user_id TEXT, status TEXT NOT NULL, cart TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE visitors (visitor INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE events (
        event INTEGER PRIMARY KEY,
        time REAL NOT NULL, visitor INTEGER NOT NULL, kind INTEGER NOT NULL,
        item INTEGER, detail TEXT, fingerprint INTEGER
    );
    CREATE INDEX events_of_visitor ON events (visitor, time);
    CREATE UNIQUE INDEX events_once ON events (fingerprint) WHERE fingerprint IS NOT NULL;
    """,
)
