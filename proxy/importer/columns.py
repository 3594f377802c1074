"""Which column of a file is which field: by its name, by what it is usually called, or as the user says."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from proxy.errors import SettingsError
from proxy.importer.guide import CATEGORY, GUIDE, LINE
from proxy.importer.record import BARE, RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from proxy.importer.guide import Resource, Spec

Row = dict[str, Any]
"""Field to value, not read yet; what is empty isn't there."""

_CATALOGUE: Final = {
    CATEGORY: "category_path category_name product_category product_type google_product_category",
    "photo_url": "image image_url image_link image_src photo picture picture_url main_image thumbnail",
    "link": "url product_url product_link permalink page_url",
}

ALIASES: Final[dict[Resource, dict[str, str]]] = {
    "products": {
        "product_id": "sku id item_id product_sku item_group_id product_code handle",
        "variant_id": "variant_sku variation_id variant",
        "name": "title product_name product_title item_name",
        "brand": "manufacturer manufacturer_name vendor brand_name",
        "description": "body body_html long_description short_description",
        "color": "colour",
        "price": "sale_price unit_price current_price price_incl_tax",
        "full_price": "regular_price list_price compare_at_price rrp msrp old_price",
        "stock": "quantity qty stock_quantity inventory inventory_quantity num_in_stock in_stock_quantity",
        "available": "availability in_stock is_available active enabled status published",
        **_CATALOGUE,
    },
    "categories": {
        "category_id": "id slug code handle",
        "name": "title category category_name",
        "link": _CATALOGUE["link"],
    },
    "users": {
        "user_id": "id customer_id customer_number uid username user_login",
        "email": "email_address user_email customer_email mail e_mail",
        "first_name": "firstname given_name forename name full_name display_name billing_first_name",
        "last_name": "lastname surname family_name billing_last_name",
        "title": "salutation social_title prefix",
        "email_subscriber": "newsletter accepts_email_marketing accepts_marketing subscribed is_subscribed",
        "timestamp": "created_at created date_created date_joined user_registered registration date_added",
        "profile.sex": "gender sex",
        "profile.location": "city location billing_city",
        "profile.segment": "group segment customer_group role",
    },
    "orders": {
        "order_id": "id order_number order number order_no increment_id reference",
        "user_id": "customer_id customer uid user customer_email email billing_email email_address",
        "timestamp": "created_at created date order_date date_created date_placed purchased_on invoicedate",
        "order_status": "status state",
        "product_id": "sku item_sku line_sku product item_id product_sku stockcode",
        "variant_id": "variation_id variant variant_sku",
        "quantity": "qty item_quantity line_quantity qty_ordered",
        "unit_price": "price item_price line_price product_price unitprice",
    },
    "banners": {
        "banner_id": "id code",
        "name": "title",
        **_CATALOGUE,
    },
}
"""What fields are usually called, normalized; the earlier name wins."""

SHOWN_COLUMNS: Final = 40
"""Columns that a message names."""

SHOWN_NAME: Final = 60
"""Characters of a column's name that a message shows: what isn't a table may have one of a megabyte."""

NOT_NAME: Final = re.compile(r"[^0-9a-z]+")
PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")


def normalized(name: str) -> str:
    """A column's name without the ways in which names are written: ``Product ID`` is product_id."""
    return NOT_NAME.sub("_", name.strip().casefold()).strip("_")


def listed(columns: Sequence[str]) -> str:
    """Columns, for a message: the first of many, each within bounds."""
    names = [name if len(name) <= SHOWN_NAME else f"{name[: SHOWN_NAME - 1]}…" for name in columns]
    more = len(names) - SHOWN_COLUMNS
    return ", ".join(names[:SHOWN_COLUMNS]) + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says about columns.

    Attributes:
        map: column to field; "" leaves the column out.
        fill: field to the text that it has where the file has none; ``{column}`` in it is replaced.
    """

    map: dict[str, str] = field(default_factory=dict)
    fill: dict[str, str] = field(default_factory=dict)


def read_wishes(resource: Resource, maps: Sequence[str], fills: Sequence[str]) -> Wishes:
    """Reads ``--map COLUMN=FIELD`` and ``--set FIELD=TEXT``.

    Raises:
        SettingsError: one of them is none, or there is no such field.
    """
    spec = GUIDE[resource]
    wishes = Wishes()
    for given in maps:
        column, equals, target = (part.strip() for part in given.rpartition("="))
        if not equals or not column:
            raise SettingsError("--map", f"{given!r} names no column and field", "Write --map COLUMN=FIELD.")
        if target:
            _check(spec, "--map", target)
        wishes.map[column] = target
    for given in fills:
        target, equals, text = given.partition("=")
        if not equals or not text:
            raise SettingsError("--set", f"{given!r} names no field and text", "Write --set FIELD=TEXT.")
        _check(spec, "--set", target.strip())
        wishes.fill[target.strip()] = text
    return wishes


def _check(spec: Spec, option: str, target: str) -> None:
    if not spec.knows(target):
        names = [*spec.fields, *spec.pseudo]
        near = difflib.get_close_matches(target, names, n=1)
        mend = f"Did you mean {near[0]}?" if near else f"Fields: {', '.join(names)}."
        raise SettingsError(option, f"there is no field {target!r}", mend)


def _check_placeholders(fill: Mapping[str, str], columns: Sequence[str]) -> None:
    """Every ``{column}`` of ``--set`` is there; where nothing has columns, nothing is filled either."""
    for target, text in fill.items():
        for name in PLACEHOLDER.findall(text):
            if columns and name not in columns and '"' not in name:  # with quotes it is JSON: extra={"a": 1}
                near = difflib.get_close_matches(name, columns, n=1)
                mend = f"Did you mean {{{near[0]}}}?" if near else f"Columns: {listed(columns)}."
                raise SettingsError("--set", f"there is no column {name!r} for {target}", mend)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds which field.

    Attributes:
        plan: (column, field), one for each field.
        unused: columns that no field is taken from.
    """

    plan: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]

    def row(self, fields: Mapping[str, Any], *, keep_null: bool = False) -> Row:
        """The row of a record; ``keep_null`` for updates, in which null clears a field."""
        found = {}
        for column, target in self.plan:
            if column in fields:
                value = fields[column]
                if (value is not None or keep_null) and value != "":
                    found[target] = value
        return found


def find_columns(
    resource: Resource, names: Iterable[str], wishes: Wishes, *, only_wishes: bool = False
) -> Columns:
    """Finds the fields' columns: as the user says, by the guide's names, then by usual ones.

    Args:
        resource: whose fields.
        names: of the columns.
        wishes: what the user says; a column that isn't there is a mistake.
        only_wishes: whether nothing else counts, since the file is a known export.

    Raises:
        SettingsError: there is no such column.
    """
    spec = GUIDE[resource]
    columns = [name for name in names if name not in RESERVED]
    for wished in wishes.map:
        if wished not in columns:
            near = difflib.get_close_matches(wished, columns, n=1)
            mend = f"Did you mean {near[0]!r}?" if near else f"Columns: {listed(columns)}."
            raise SettingsError("--map", f"there is no column {wished!r}", mend)
    _check_placeholders(wishes.fill, columns)
    taken: dict[str, str] = {target: column for column, target in wishes.map.items() if target}
    free = [] if only_wishes else [column for column in columns if column not in wishes.map]
    for column in free:
        if spec.knows(column):
            taken.setdefault(column, column)
    for column in free:
        if spec.knows(normalized(column)) and column not in taken.values():
            taken.setdefault(normalized(column), column)
    if BARE in free:
        taken.setdefault(spec.ids[0], BARE)
    by_name = {normalized(column): column for column in reversed(free)}
    for target, aliases in ALIASES[resource].items():
        for alias in aliases.split():
            column = by_name.get(alias, "")
            if column and column not in taken.values():
                taken.setdefault(target, column)
    if CATEGORY in spec.pseudo and not {CATEGORY, "category_1"} & taken.keys():
        for name in ("categories", "main_category"):  # later clients' names for what the guide has levels for
            if name in taken and name not in wishes.map.values():
                taken[CATEGORY] = taken.pop(name)
                break
    order = {name: place for place, name in enumerate((*spec.fields, *spec.pseudo))}
    taken = dict(sorted(taken.items(), key=lambda one: order.get(one[0], len(order))))
    plan = tuple((column, target) for target, column in taken.items())
    used = set(taken.values()) | set(wishes.map)
    unused = () if only_wishes else tuple(column for column in columns if column not in used)
    return Columns(plan, unused)


def known_name(resource: Resource, name: str) -> bool:
    """Whether a column's name says what it is: for telling the header from the rest."""
    plain = normalized(name)
    return name in RESERVED or GUIDE[resource].knows(plain) or plain in _USUAL[resource]


_USUAL: Final = {
    resource: {alias for names in aliases.values() for alias in names.split()}
    for resource, aliases in ALIASES.items()
}


def filled(row: Row, fill: Mapping[str, str], fields: Mapping[str, Any]) -> None:
    """Puts in what the user wants where the file has nothing."""
    for target, text in fill.items():
        value = row.get(target)
        if value is None or value == "":
            row[target] = PLACEHOLDER.sub(lambda name: str(fields.get(name[1], name[0])), text)


def is_line(columns: Columns) -> bool:
    """Whether rows are lines of orders."""
    return any(target in LINE for _, target in columns.plan) and not any(
        target == "cart" for _, target in columns.plan
    )
