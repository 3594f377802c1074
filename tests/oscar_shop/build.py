"""``python -m oscar_shop.build FOLDER``: the shop's database and pictures, made once."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path

import django


def main(folder):
    os.environ["OSCAR_SHOP_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "oscar_shop.settings"
    django.setup()

    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction

    # The tables as the models have them: oscar's 80 migrations of empty tables would take most of the time.
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    with transaction.atomic():
        stock(Path(folder) / "media")


def stock(media):
    """Puts the goods on the shelves."""
    from oscar.apps.address.models import Country
    from oscar.apps.catalogue.categories import create_from_breadcrumbs
    from oscar.apps.catalogue.models import Product, ProductCategory, ProductClass, ProductImage
    from oscar.apps.partner.models import Partner, StockRecord

    from oscar_shop.goods import GOODS
    from oscar_shop.pictures import draw

    Country.objects.create(
        iso_3166_1_a2="GB",
        iso_3166_1_a3="GBR",
        iso_3166_1_numeric="826",
        printable_name="United Kingdom",
        name="United Kingdom",
        is_shipping_country=True,
    )
    goods = ProductClass.objects.create(name="Goods", track_stock=True, requires_shipping=True)
    partner = Partner.objects.create(name="Hollyhock", code="hollyhock")
    (media / "goods").mkdir(parents=True)
    for trail, products in GOODS.items():
        category = create_from_breadcrumbs(trail)
        for one in products:
            product = Product.objects.create(
                title=one.name,
                product_class=goods,
                description=f"<p>{category.name}: {one.name}, as we use it in our own garden.</p>",
            )
            ProductCategory.objects.create(product=product, category=category)
            StockRecord.objects.create(
                product=product,
                partner=partner,
                partner_sku=f"H-{product.pk:03}",
                price_currency="GBP",
                price=Decimal(one.price),
                num_in_stock=one.stock,
            )
            picture = f"goods/{product.slug}.png"
            draw(trail, one.colour).save(media / picture)
            ProductImage.objects.create(product=product, original=picture)


if __name__ == "__main__":
    main(sys.argv[1])
