"""The exports of well-known shops: told by their columns, and turned into the guide's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.errors import SettingsError
from proxy.importer.platforms import magento, opencart, prestashop, shopify, woocommerce
from proxy.importer.platforms.platform import Index, Platform, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.importer.guide import Resource

PLATFORMS: Final = (
    *woocommerce.EXPORTS, *shopify.EXPORTS, *prestashop.EXPORTS, *opencart.EXPORTS, *magento.EXPORTS,
)  # fmt: skip

NAMES: Final = tuple(dict.fromkeys(platform.name for platform in PLATFORMS))


def find_platform(resource: Resource, names: Iterable[str], asked: str | None) -> Platform | None:
    """The export that a file is.

    Args:
        resource: what it should hold.
        names: its columns.
        asked: the platform, "none", or None for whichever it looks like.

    Raises:
        SettingsError: there is no such platform, or the file isn't such an export.
    """
    if asked == "none":
        return None
    columns = frozenset(names)
    for platform in PLATFORMS:
        if platform.resource == resource and asked in {None, platform.name} and platform.fits(columns):
            return platform
    if asked is None:
        return None
    exports = [platform for platform in PLATFORMS if platform.name == asked]
    if not exports:
        raise SettingsError(
            "--platform", f"{asked!r} is none that we know", f"Write one of {', '.join(NAMES)}."
        )
    for platform in exports:
        if platform.resource == resource:
            missing = ", ".join(sorted(platform.signature - columns))
            raise SettingsError(
                "--platform", f"an export of {asked} has also {missing}", "See docs/import.md."
            )
    known = ", ".join(platform.resource for platform in exports)
    raise SettingsError("--platform", f"of {asked} we know {known} only", "Say --map COLUMN=FIELD instead.")


__all__ = ["NAMES", "PLATFORMS", "Index", "Platform", "Skipped", "find_platform"]
