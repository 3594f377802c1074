"""Which shop software answers, by what its pages and headers give away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.checking import Visit


class Platform(NamedTuple):
    """A shop software.

    Attributes:
        name: as people call it.
        preset: the rules that ship for it; None: there are none.
        marks: patterns, each of which tells by itself.
    """

    name: str
    preset: str | None
    marks: re.Pattern[bytes]


def _marks(*patterns: str) -> re.Pattern[bytes]:
    return re.compile("|".join(patterns).encode(), re.IGNORECASE)


PLATFORMS: Final = (
    Platform("the demo shop", "demo", _marks(r"<title>[^<]*Oak &amp; Linen</title>")),
    Platform("WooCommerce", "woocommerce", _marks(r"/plugins/woocommerce/", r'class="[^"]*\bwoocommerce\b')),
    Platform(
        "Magento 2",
        "magento",
        _marks(r"/static/version\d+/frontend/", "text/x-magento-init", "data-mage-init", "x-magento-"),
    ),
    Platform("Magento 1", None, _marks("/skin/frontend/", "/js/varien/", r"Mage\.Cookies")),
    Platform(
        "PrestaShop",
        "prestashop",
        _marks(r"var prestashop\s*=", "/modules/ps_", 'content="prestashop', "powered-by: prestashop"),
    ),
    Platform(
        "OpenCart",
        "opencart",
        _marks(r"index\.php\?route=(?:product|common)/", "catalog/view/(?:theme|javascript)/"),
    ),
    Platform("django-oscar", "oscar", _marks("/oscar/js/oscar/", r"oscar\.init\(\)", "/oscar/css/")),
    Platform("Shopify", None, _marks(r"cdn\.shopify\.com", "/cdn/shop/", r"Shopify\.theme", "x-shopid:")),
    Platform("Shopware", None, _marks("/bundles/storefront/", "/theme/[0-9a-f]{32}/", "shopware")),
    Platform("Saleor", None, _marks("saleor")),
    Platform("Solidus", None, _marks("solidus")),
    Platform("Spree", None, _marks("spree")),
    Platform("Sylius", None, _marks("sylius")),
    Platform("a Django shop", None, _marks("csrfmiddlewaretoken", "set-cookie: csrftoken=")),
    Platform("a Rails shop", None, _marks('name="csrf-param"', "x-runtime:")),
    Platform("a Laravel shop", None, _marks("set-cookie: (?:laravel_session|xsrf-token)=")),
)
"""The surest first: a WooCommerce page may mention Shopify, hardly the other way round."""


def detect(visits: Iterable[Visit]) -> Platform | None:
    """The software behind some pages; None where nothing gives it away."""
    said = b"\n".join(
        b"\n".join([visit.page, *(b"%b: %b" % field for field in visit.headers)]) for visit in visits
    )
    return next((platform for platform in PLATFORMS if platform.marks.search(said)), None)
