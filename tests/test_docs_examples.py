"""What README and docs show is run, and what they name exists."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness.apps import serving
from harness.peers import page, product
from harness.wire import ask

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def vendor_answers(vendor, tmp_path, monkeypatch):
    """A DataCue that recommends product 1, named by the environment as an operator would."""
    vendor.recommendations = {"related_product_skus": [product(1)], "recent_product_skus": [product(2)]}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATACUE_API_KEY", "test-key")
    monkeypatch.setenv("DATACUE_EVENTS_URL", f"{vendor.url}/")
    return vendor


def example(path, index):
    names = {"__name__": "example"}
    code = blocks(path, "python")[index]
    exec(compile(code, f"{path.name}-{index}", "exec", dont_inherit=True), names)  # noqa: S102  ours, from docs/
    return names["app"]


async def test_the_readme_s_fastapi_shop_shows_recommendations(vendor_answers):
    async with serving(example(README, 0)) as address:
        got = await ask(address, "/product/p1")
    assert b"<h1>Product p1</h1>" in got.body
    assert b"Product 1" in got.body
    assert vendor_answers.events[0]["event"]["product_id"] == "p1"


async def test_the_embedding_page_s_starlette_shop_shows_recommendations(vendor_answers):
    async with serving(example(ROOT / "docs" / "embedding.md", 0)) as address:
        got = await ask(address, "/product/p1")
    assert b"Product 1" in got.body


async def test_the_embedding_page_s_calls_identify_and_track(vendor_answers):
    async with serving(example(ROOT / "docs" / "embedding.md", 1)) as address:
        login = await ask(address, "/login", method="POST")
        account = await ask(address, "/account", cookie=login.cookie() or None)
    assert login.status == 303
    assert b"Product 2" in account.body
    sent = [event["event"]["type"] for event in vendor_answers.events]
    assert sent == ["login", "pageview"]
    assert vendor_answers.events[0]["user"]["user_id"] == "u1"


async def test_the_handle_is_there_under_a_server_without_state(vendor_answers):
    app = example(README, 0)

    async def stateless(scope, receive, send):
        scope.pop("state", None)  # as servers have it that know the ASGI specification before 2.4
        await app(scope, receive, send)

    async with serving(stateless) as address:
        assert b"Product 1" in (await ask(address, "/product/p1")).body


async def test_the_embedding_page_s_django_shop_is_personalized(vendor_answers, tmp_path):
    code = blocks(ROOT / "docs" / "embedding.md", "python")[2]
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "settings.py").write_text(
        "SECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'shop.urls'\n"
    )
    (tmp_path / "shop" / "urls.py").write_text(
        "from django.http import HttpResponse\nfrom django.urls import path\n\n\n"
        "def home(request):\n"
        "    request.scope['state']['datacue'].identify('u7')\n"
        "    return HttpResponse('<p>home</p><div data-dc-products=\"related\"></div>')\n\n\n"
        "urlpatterns = [path('', home)]\n"
    )
    (tmp_path / "asgi.py").write_text(code)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        command = [sys.executable, "-m", "uvicorn", "asgi:application", "--fd", str(listener.fileno())]
        server = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, pass_fds=[listener.fileno()],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        )  # fmt: skip
        try:
            got = await asyncio.wait_for(ask(listener.getsockname()[:2], "/"), 60)
        finally:
            server.terminate()
            await server.wait()
    assert b"Product 1" in got.body
    assert vendor_answers.events[0]["event"] == {"type": "pageview", "subtype": "home"}


async def test_the_readme_s_placeholder_keeps_the_shop_s_content_or_is_filled(run_proxy, shop, vendor):
    placeholder, _ = blocks(README, "html")
    shop.answers["*"] = shop_page = page_reply(placeholder)
    proxy = await run_proxy()
    vendor.recommendations = {"related_product_skus": [product(1)]}
    filled = await ask(proxy.address, "/")
    vendor.recommendations = {}
    kept = await ask(proxy.address, "/")
    assert b"Product 1" in filled.body
    assert b"The shop's own content." not in filled.body
    assert kept.body == shop_page.partition(b"\r\n\r\n")[2]


async def test_what_the_readme_says_a_shop_may_say_is_heard(run_proxy, shop, vendor):
    said = dict(re.findall(r"`(X-DataCue-\w+): (.+?)`", README.read_text()))
    assert said.keys() == {"X-DataCue-Event", "X-DataCue-User", "X-DataCue-Off"}
    shop.answers["/login"] = page_reply(
        "in", *(f"{k}: {v}" for k, v in said.items() if not k.endswith("Off"))
    )
    shop.answers["/off"] = page_reply("off", f"X-DataCue-Off: {said['X-DataCue-Off']}")
    proxy = await run_proxy()
    login = await ask(proxy.address, "/login")
    off = await ask(proxy.address, "/off")
    assert not [name for name, _ in login.headers + off.headers if name.startswith("x-datacue-")]
    assert [event["event"] for event in vendor.events] == [{"type": "login"}]
    assert vendor.events[0]["user"]["user_id"] == "u1"
    assert off.get("x-datacue").startswith("bypass:off")


async def test_what_the_readme_says_of_curl_is_so(run_proxy, shop):
    shop.answers["*"] = page_reply("home")
    proxy = await run_proxy()
    curl = await ask(proxy.address, "/", user_agent="curl/8.5.0")
    posing = await ask(proxy.address, "/", user_agent="Mozilla/5.0")
    assert curl.get("x-datacue").startswith("bypass:bot; ")
    assert curl.get("set-cookie") is None
    assert posing.get("set-cookie")


def page_reply(markup, *headers):
    body = page(markup)
    lines = ["HTTP/1.1 200 OK", "content-type: text/html", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


# -- what is named exists -----------------------------------------------------------------------------


def anchors(path):
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_every_page_of_the_documentation_is_in_its_index():
    index = (ROOT / "docs" / "README.md").read_text()
    for path in (ROOT / "docs").glob("*.md"):
        assert f"]({path.name})" in index or path.name == "README.md"


@pytest.fixture(scope="module")
def targets():
    done = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=20)
    return dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", done.stdout, flags=re.MULTILINE))


def test_make_help_lists_every_target_for_people(targets):
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(phony[1].split()) == targets.keys()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(path, targets):
    assert set(re.findall(r"`?make ([a-z]+)`", path.read_text())) <= targets.keys()


def documented_metrics():
    return re.findall(r"^\| `(datacue_\w+)` ", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)


async def test_the_metrics_in_the_documentation_are_the_ones_there_are(run_proxy):
    proxy = await run_proxy()
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    there = set(re.findall(r"^# TYPE (\S+) ", figures, re.MULTILINE))
    assert {name for name in there if not name.endswith("_created")} == set(documented_metrics())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
async def test_every_metric_that_is_named_is_one(path):
    text = path.read_text()
    named = set(re.findall(r"`(datacue_[a-z_]+)[`{]", text)) if "/metrics" in text else set()
    assert named <= set(documented_metrics())
