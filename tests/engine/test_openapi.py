"""The description of the API, for programs and for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine.conftest import Shop


async def test_every_described_path_is_there(shop: Shop) -> None:
    document = (await shop.http.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        if not path.startswith("/v1"):
            continue
        for method in operations:
            answer = await shop.rest(
                method.upper(), re.sub(r"\{\w+\}", "x", path)[3:], None if method == "get" else {}
            )
            assert answer.status_code not in {404, 405}, (method, path)
            assert str(answer.status_code) in operations[method]["responses"], (
                method,
                path,
                answer.status_code,
            )


async def test_every_reference_leads_somewhere(shop: Shop) -> None:
    text = (await shop.http.get("/openapi.json")).text
    schemas = (await shop.http.get("/openapi.json")).json()["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(schemas)


async def test_the_page_needs_no_other_server_and_no_script(shop: Shop) -> None:
    page = await shop.http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/batch/products" in page.text
    assert not re.findall(r"(?:src|href)=\"(?!/openapi\.json|#)", page.text)
    assert "<script" not in page.text
