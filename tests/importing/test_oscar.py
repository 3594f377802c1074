"""A real shop's catalogue and history, by the script of the docs: exported, imported, recommended."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from harness.engine import engine
from harness.process import ROOT
from oscar_shop import goods
from oscar_shop.process import built, environment

SHOPPING = """
import django
django.setup()
from django.contrib.auth import get_user_model
from oscar.apps.basket.models import Basket
from oscar.apps.catalogue.models import Product
from oscar.apps.checkout.calculators import OrderTotalCalculator
from oscar.apps.order.utils import OrderCreator
from oscar.apps.partner.strategy import Selector
from oscar.apps.shipping.methods import Free

for number in range(20):
    user = get_user_model().objects.create_user(f"u{number}", f"u{number}@example.com", "x", first_name="Ada")
    basket = Basket.objects.create(owner=user)
    basket.strategy = Selector().strategy()
    for title in ("Garden twine", "Seed tray") if number % 2 else ("Clay saucer", "Terracotta pot"):
        basket.add_product(Product.objects.get(title=title), 1)
    charge = Free().calculate(basket)
    total = OrderTotalCalculator().calculate(basket, charge)
    OrderCreator().place_order(
        basket=basket, total=total, shipping_method=Free(), shipping_charge=charge, user=user, order_number=f"{1000 + number}"
    )
    basket.submit()
"""


@pytest.fixture
def exported(request, tmp_path):
    """What the script of the docs writes of a shop with twenty customers."""
    shop = tmp_path / "shop"
    shutil.copytree(built(request.config.cache.mkdir("oscar")), shop)
    env = {**environment(), "OSCAR_SHOP_FOLDER": str(shop), "DJANGO_SETTINGS_MODULE": "oscar_shop.settings"}
    subprocess.run([sys.executable, "-c", SHOPPING], env=env, check=True)
    script = ROOT / "docs" / "examples" / "oscar_export.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "exported")], env=env, check=True)
    return tmp_path / "exported"


async def test_what_oscar_exports_is_imported_and_recommended(command, exported, tmp_path):
    for kind, count in (("products", 36), ("users", 20), ("orders", 20)):
        code, _, err = await command(kind, exported / f"{kind}.jsonl")
        assert (code, f"{count} created." in err) == (0, True), err
    names = {
        good.name: number for number, good in enumerate((g for of in goods.GOODS.values() for g in of), 1)
    }
    async with engine(tmp_path / ".datacue") as view:
        seen = await view(subtype="product", product_id=str(names["Seed tray"]))
        home = await view({"user_id": "u1@example.com"}, subtype="home")
    twine = seen["related_product_skus"][0]
    assert (twine["name"], twine["price"], twine["category_1"]) == ("Garden twine", 4.25, "Garden")
    assert twine["link"] == f"/catalogue/garden-twine_{names['Garden twine']}/"
    assert twine["photo_url"].startswith("/media/goods/garden-twine")
    assert home["related_product_skus"]
