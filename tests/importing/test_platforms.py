"""Exports of well-known shops, in the shape in which these write them."""

from __future__ import annotations

import pytest

from proxy.errors import SettingsError

WOO = """ID,Type,SKU,Name,Published,"Is featured?","Visibility in catalog","Short description",Description,"In stock?",Stock,"Sale price","Regular price",Categories,Tags,Images,Parent,Position,"Attribute 1 name","Attribute 1 value(s)"
10,simple,mug,"Mug",1,0,visible,,"<p>A <b>mug</b>.</p>",1,,,12.50,"Kitchen, Kitchen > Cups\\, mugs",,"https://shop.example/mug.jpg, https://shop.example/mug-2.jpg",,0,,
13,variation,hoodie-blue,"Hoodie - Blue",1,0,visible,,,1,4,39,45,,,,hoodie,1,Color,Blue
11,variable,hoodie,"Hoodie",1,0,visible,,Warm,1,,,,Clothing > Hoodies,,https://shop.example/hoodie.jpg,,0,Color,"Blue, Red"
14,variation,hoodie-red,"Hoodie - Red",1,0,visible,,,0,,,45,,,https://shop.example/red.jpg,id:11,2,Color,Red
15,simple,secret,"Secret",-1,0,visible,,,1,,,9,Kitchen,,,,0,,
"""

SHOPIFY = """Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Image Position,Variant Image,Status
tee,Classic Tee,<p>Soft.</p>,Acme,Apparel > Shirts,,,true,Size,S,TEE-S,shopify,3,20.00,25.00,https://cdn.example/tee.jpg,1,,active
tee,,,,,,,,,M,TEE-M,shopify,0,20.00,,https://cdn.example/tee-2.jpg,2,https://cdn.example/m.jpg,
tee,,,,,,,,,,,,,,,https://cdn.example/tee-3.jpg,3,,
mug,Mug,A mug,Acme,,Cups,,true,Title,Default Title,,,,9.00,,https://cdn.example/mug.jpg,1,,active
old,Old mug,A mug,Acme,,Cups,,false,Title,Default Title,,,,9.00,,https://cdn.example/mug.jpg,1,,archived
new,New mug,A mug,Acme,,Cups,,false,Title,Default Title,,,,9.00,,https://cdn.example/mug.jpg,1,,draft
"""

SHOPIFY_ORDERS = """Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at
#1001,ada@example.com,paid,2026-09-03 10:15:00 -0400,USD,47.00,2026-09-03 10:14:00 -0400,2,Classic Tee - S,20.00,TEE-S,
#1001,ada@example.com,,,,,2026-09-03 10:14:00 -0400,1,Mug,9.00,MUG,
#1002,bo@example.com,refunded,,USD,9.00,2026-09-10 09:00:00 -0400,1,Mug,9.00,MUG,
"""

SHOPIFY_CUSTOMERS = """Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,Phone,Total Spent,Total Orders,Note,Tax Exempt,Tags
'9013808660771,Ada,Lovelace,ada@example.com,yes,London,,9.00,1,,no,
'9013808660772,,,bo@example.com,no,,,0.00,0,,no,
"""

PRESTA = """"Product ID";"Image";"Name";"Reference";"Category";"Price (tax excl.)";"Price (tax incl.)";"Quantity";"Status";"Position"
1;"http://shop.example/1-small_default/tee.jpg";"Printed tee";"demo_1";"Men";"19,12 €";"23,90 €";300;1;1
2;"http://shop.example/2-small_default/mug.jpg";"Mug";"demo_2";"Home";"9,90 €";"11,88 €";0;0;2
"""

PRESTA_CUSTOMERS = """ID;"Social title";"First name";"Last name";"Email address";Group;Sales;Enabled;Newsletter;"Partner offers";Registration;"Last visit"
2;Mrs.;Ada;Lovelace;ada@example.com;Customer;"€10.00";1;1;0;"2026-03-01 10:00:00";"2026-03-02 10:00:00"
"""

OPENCART = """product_id,name(en-gb),categories,sku,upc,location,quantity,model,manufacturer,image_name,shipping,price,points,date_added,status,description(en-gb)
42,Apple Cinema 30",\"20,28\",,,,990,Product 15,Apple,catalog/demo/cinema.jpg,yes,100.0000,400,2009-02-03,true,"<p>The 30-inch</p>"
"""

MAGENTO = """sku,store_view_code,attribute_set_code,product_type,categories,product_websites,name,description,short_description,weight,product_online,visibility,price,special_price,url_key,base_image,additional_attributes,qty,is_in_stock,configurable_variations
WH01-S,,Top,simple,"Default Category/Women,Default Category/Women/Tops",base,Hoodie-S,<p>Warm</p>,,1,1,Not Visible Individually,54.0000,,hoodie-s,/w/h/wh01.jpg,"color=Blue,size=S",12.0000,1,
WH01,,Top,configurable,"Default Category/Women/Tops",base,Hoodie,<p>Warm</p>,,1,1,"Catalog, Search",,,hoodie,/w/h/parent.jpg,,0.0000,1,"sku=WH01-S,size=S,color=Blue|sku=WH01-M,size=M,color=Blue"
24-MB01,,Bag,simple,"Default Category/Gear/Bags",base,Duffle,A bag,,1,1,"Catalog, Search",34.0000,30.0000,duffle,/m/b/mb01.jpg,manufacturer=Joust,100.0000,1,
24-MB01,de,,,,,Tasche,,,,,,,,,,,,,
PART,,Bag,simple,,base,Strap,,,1,1,Not Visible Individually,1.0000,,strap,,,5.0000,1,
"""

MAGENTO_CUSTOMERS = """email,_website,_store,confirmation,created_at,firstname,gender,lastname,prefix
ada@example.com,base,default,,"2026-03-01 10:00:00",Ada,Female,Lovelace,Ms.
"""


def read(file, text, resource="products"):
    found = file(text, resource)
    items = list(found.items())
    assert not [item.reason for item in items if item.reason]
    return found, [item.document for item in items]


def ids(documents):
    return [(document["product_id"], document["variant_id"]) for document in documents]


def test_woocommerce_products_and_variations(file):
    found, (mug, blue, red) = read(file, WOO)
    assert found.platform.title == "woocommerce's export of products"
    assert ids([mug, blue, red]) == [("10", "no-variants"), ("11", "13"), ("11", "14")]
    assert (mug["category_1"], mug["category_2"], mug["description"]) == ("Kitchen", "Cups, mugs", "A mug.")
    assert (mug["photo_url"], mug["stock"], mug["link"]) == (
        "https://shop.example/mug.jpg", 999, "/?post_type=product&p=10",
    )  # fmt: skip
    assert (blue["category_1"], blue["photo_url"]) == ("Clothing", "https://shop.example/hoodie.jpg")
    assert (str(blue["price"]), str(blue["full_price"]), blue["color"], blue["stock"]) == (
        "39",
        "45",
        "Blue",
        4,
    )
    assert (red["available"], red["stock"], red["photo_url"]) == (False, 0, "https://shop.example/red.jpg")
    assert found.shape.skipped == {"products that are sold as their variations": 1, "drafts": 1}


def test_shopify_products_share_what_their_first_row_says(file):
    found, (small, medium, mug, old) = read(file, SHOPIFY)
    assert ids([small, medium, mug, old]) == [
        ("tee", "TEE-S"), ("tee", "TEE-M"), ("mug", "no-variants"), ("old", "no-variants"),
    ]  # fmt: skip
    assert (medium["name"], medium["category_2"], medium["size"]) == ("Classic Tee", "Shirts", "M")
    assert (medium["photo_url"], medium["stock"], medium["link"]) == (
        "https://cdn.example/m.jpg",
        0,
        "/products/tee",
    )
    assert (mug["category_1"], mug["stock"], mug["available"]) == ("Cups", 999, True)
    assert old["available"] is False
    assert found.shape.skipped == {"further pictures": 1, "drafts": 1}


def test_shopify_orders_are_their_rows(file):
    _, (first, second) = read(file, SHOPIFY_ORDERS, "orders")
    assert (first["order_id"], first["user_id"], first["timestamp"]) == (
        "#1001", "ada@example.com", "2026-09-03T14:14:00Z",
    )  # fmt: skip
    assert [(line["product_id"], line["quantity"]) for line in first["cart"]] == [("TEE-S", 2), ("MUG", 1)]
    assert second["order_status"] == "cancelled"


def test_shopify_customers_are_known_as_in_orders(file):
    _, (ada, bo) = read(file, SHOPIFY_CUSTOMERS, "users")
    assert (ada["user_id"], ada["email_subscriber"], ada["profile"]) == (
        "ada@example.com", True, {"location": "London"},
    )  # fmt: skip
    assert bo["first_name"] == "bo"


def test_prestashop_products(file):
    _, (tee, mug) = read(file, PRESTA)
    assert (tee["product_id"], str(tee["price"]), tee["category_1"], tee["stock"]) == (
        "1",
        "23.90",
        "Men",
        300,
    )
    assert tee["link"] == "/index.php?controller=product&id_product=1"
    assert (tee["available"], mug["available"]) == (True, False)


def test_prestashop_customers(file):
    _, [ada] = read(file, PRESTA_CUSTOMERS, "users")
    assert ada == {
        "user_id": "2", "email": "ada@example.com", "title": "Mrs.", "first_name": "Ada", "last_name": "Lovelace",
        "email_subscriber": True, "timestamp": "2026-03-01T10:00:00Z", "profile": {"segment": "Customer"},
    }  # fmt: skip


def test_opencart_products(file):
    _, [screen] = read(file, OPENCART.replace('Cinema 30"', "Cinema"))
    assert (screen["name"], screen["brand"], screen["category_1"]) == ("Apple Cinema", "Apple", "20")
    assert (screen["photo_url"], str(screen["price"])) == ("/image/catalog/demo/cinema.jpg", "100.00")
    assert screen["link"] == "/index.php?route=product/product&product_id=42"


def test_magento_children_are_their_parents_variants_wherever_it_stands(file):
    found, (small, duffle) = read(file, MAGENTO)
    assert ids([small, duffle]) == [("WH01", "WH01-S"), ("24-MB01", "no-variants")]
    assert (small["name"], small["link"], small["size"]) == ("Hoodie", "/hoodie.html", "S")
    assert (small["category_1"], small["category_2"], small["stock"]) == ("Women", "Tops", 12)
    assert (str(duffle["price"]), str(duffle["full_price"]), duffle["brand"]) == ("30.00", "34.00", "Joust")
    assert duffle["photo_url"] == "/media/catalog/product/m/b/mb01.jpg"
    assert sum(found.shape.skipped.values()) == 3


def test_magento_customers(file):
    _, [ada] = read(file, MAGENTO_CUSTOMERS, "users")
    assert (ada["user_id"], ada["first_name"], ada["profile"]) == (
        "ada@example.com",
        "Ada",
        {"sex": "Female"},
    )


def test_the_user_can_say_that_it_is_no_export(file):
    with pytest.raises(SettingsError, match="has no column for"):
        file(MAGENTO, platform="none")


@pytest.mark.parametrize(
    ("platform", "resource", "line"),
    [
        ("shopware", "products", "is none that we know"),
        ("opencart", "users", "we know products only"),
        ("shopify", "products", "has also Body"),
    ],
)
def test_a_platform_that_can_not_be_is_refused(file, platform, resource, line):
    with pytest.raises(SettingsError, match=line):
        file(WOO, resource, platform=platform)


def test_columns_of_an_export_can_be_named_anew(file):
    from proxy.importer import read_wishes

    found = file(WOO, wishes=read_wishes("products", ["SKU=product_id"], ["link=/shop/{SKU}"]))
    assert next(found.items()).document["product_id"] == "mug"


def test_shopify_orders_find_their_products_by_the_export_of_these(file):
    from proxy.importer import read_catalogue

    catalogue = read_catalogue(file(SHOPIFY, verb="update"))
    text = SHOPIFY_ORDERS.replace(",Mug,9.00,MUG,", ",Mug,9.00,,")
    first, second = [item.document for item in file(text, "orders", catalogue=catalogue).items()]
    assert ids(first["cart"]) == [("tee", "TEE-S"), ("mug", "no-variants")]
    assert ids(second["cart"]) == [("mug", "no-variants")]


def test_orders_of_any_shop_find_their_products_by_sku(file):
    from proxy.importer import read_catalogue

    catalogue = read_catalogue(file(WOO, verb="update"))
    text = "order_id,user_id,sku,quantity,price\n1,u1,hoodie-blue,1,39\n1,u1,elsewhere,1,2\n"
    [order] = [item.document for item in file(text, "orders", catalogue=catalogue).items()]
    assert ids(order["cart"]) == [("11", "13"), ("elsewhere", "no-variants")]


def test_what_a_shop_with_several_locations_counts_elsewhere_is_not_sold_out(file):
    lines = [line.split(",") for line in SHOPIFY.splitlines()]
    place = lines[0].index("Variant Inventory Qty")
    without = "\n".join(",".join(line[:place] + line[place + 1 :]) for line in lines)
    assert {document["stock"] for document in read(file, without)[1]} == {999}


def test_woocommerce_line_breaks_are_blanks(file):
    _, [mug, *_] = read(file, WOO.replace("<p>A <b>mug</b>.</p>", "<p>A mug</p>\\n\\nof C:\\\\new"))
    assert mug["description"].split("of")[0].split() == ["A", "mug"]
    assert "\\\\new" in mug["description"]


def test_the_time_that_mysql_writes_for_never_is_none(file):
    _, [ada] = read(file, PRESTA_CUSTOMERS.replace("2026-03-01 10:00:00", "0000-00-00 00:00:00"), "users")
    assert "timestamp" not in ada


def test_orders_of_several_rows_are_cancelled_once_each(file):
    items = list(file(SHOPIFY_ORDERS, "orders", "delete").items())
    assert [(item.document, item.reason) for item in items] == [
        ({"order_id": "#1001"}, ""), ({"order_id": "#1002"}, ""),
    ]  # fmt: skip
