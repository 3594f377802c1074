"""PHP and Python as docs/include has them: a page that asks for its fragments itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from harness.docs import example, examples
from harness.edges import Nginx, Php, PhpFpm, Server, pointed, required
from harness.includes import DATACUE, FALLBACK, anonymous_id, authority, people
from harness.peers import reply
from harness.wire import ask

PATIENT = "deadline = 2\nvendor_timeout = 2\n"
SECONDS = "4"
"""In place of the documented 0.6 seconds: a busy machine may take its time."""


def helper(page, language, proxy):
    """The documented helper, pointed at this test's proxy."""
    text = example(page, language, "## The helper")
    ours = {
        "php": {DATACUE: authority(proxy.address), "DATACUE_SECONDS = 0.6": f"DATACUE_SECONDS = {SECONDS}"},
        "python": {
            '("127.0.0.1", 8000)': f'("127.0.0.1", {proxy.address[1]})',
            "SECONDS = 0.6": f"SECONDS = {SECONDS}",
        },
    }
    return pointed(text, ours[language])


@pytest.fixture
def folder(tmp_path):
    there = tmp_path / "shop"
    there.mkdir()
    return there


@pytest.fixture
async def running():
    """Starts servers, and ends them with the test."""
    servers = []

    async def run(server):
        servers.append(server)
        return await server.start()

    yield run
    for server in reversed(servers):
        await server.stop()


class Wsgi(Server):
    """A documented WSGI app under the standard library's server."""

    def __init__(self, folder, app):
        super().__init__(folder)
        self.app = app

    def prepare(self):
        serve = (
            "import socketserver, sys, wsgiref.simple_server as s; from importlib import import_module\n"
            "class Server(socketserver.ThreadingMixIn, s.WSGIServer): daemon_threads = True\n"
            "module, name = sys.argv[1].split(':')\n"
            "app = getattr(import_module(module), name)\n"
            "s.make_server('127.0.0.1', int(sys.argv[2]), app, Server).serve_forever()\n"
        )
        (self.folder / "serve.py").write_text(serve)
        command = [sys.executable, "serve.py", self.app, str(self.port)]
        return command, {"DJANGO_SETTINGS_MODULE": "shop_settings"}


async def told_and_filled(address, target, vendor):
    """A first visit and a second one: each is told once, and filled for the same visitor."""
    first = await ask(address, target)
    second = await ask(address, target, cookie=first.cookie())
    who = anonymous_id(first.cookie())
    for got in (first, second):
        assert got.status == 200
        assert people(got.body) == {who}
        assert b"rel for" in got.body
        assert b"rec for" in got.body
        assert FALLBACK.encode() not in got.body
        assert got.get("cache-control") == "private, no-store"
    assert not [value for value in second.all("set-cookie") if "datacue" in value]
    assert vendor.pageviews() == [(who, "p1")] * 2
    return first.cookie()


async def stands(address, target, cookie=None):
    """A page whose fragments can't be had."""
    got = await ask(address, target, cookie=cookie)
    assert got.status == 200
    assert b"<h1>Oak sofa</h1>" in got.body
    assert got.body.count(FALLBACK.encode()) == 1
    assert not people(got.body)


async def ails(address, target, cookie, proxy, vendor):
    """DataCue stalls, then we are frozen, then gone: the page stands all the same."""

    async def stalled(seen, writer):
        await asyncio.sleep(60)

    vendor.answers["*"] = stalled
    await stands(address, target, cookie)
    vendor.answers["*"] = reply(b"no", 500)
    await stands(address, target, cookie)
    await proxy.stop()
    await stands(address, target, cookie)
    await stands(address, target)


async def test_a_php_page_is_filled_told_once_and_stands(run_proxy, folder, running, vendor):
    proxy = await run_proxy(PATIENT)
    (folder / "datacue.php").write_text(helper("include/php.md", "php", proxy))
    (folder / "sofa.php").write_text(example("include/php.md", "php", "## A page"))
    server = await running(Php(folder))
    cookie = await told_and_filled(server.address, "/sofa.php", vendor)
    await ails(server.address, "/sofa.php", cookie, proxy, vendor)
    assert "Warning" not in server.log
    assert "Fatal" not in server.log


async def test_php_fpm_behind_nginx_knows_the_visitors_address_and_scheme(run_proxy, folder, running, vendor):
    proxy = await run_proxy(PATIENT)
    (folder / "datacue.php").write_text(helper("include/php.md", "php", proxy))
    (folder / "sofa.php").write_text(example("include/php.md", "php", "## A page"))
    fpm = await running(PhpFpm(folder))
    (folder / "nginx").mkdir()
    config = (
        "server { listen 80; location / {"
        f" include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {folder}$fastcgi_script_name;"
        f" fastcgi_param HTTPS on; fastcgi_param REMOTE_ADDR 198.51.100.7; fastcgi_pass {authority(fpm.address)}; }} }}"
    )
    front = await running(Nginx(folder / "nginx", config, {}))
    got = await ask(front.address, "/sofa.php")
    [cookie] = got.all("set-cookie")
    assert cookie.startswith("__Host-datacue=")
    assert "Secure" in cookie
    assert people(got.body) == {anonymous_id(cookie)}
    assert vendor.events[0]["context"]["ip"] == "198.51.100.7"


WORDPRESS = """<?php
// The few functions of WordPress and WooCommerce that the example calls, as they behave.
$hooks = []; $shortcodes = [];
function add_action($name, $call, $priority = 10) { global $hooks; $hooks[$name][$priority][] = $call; }
function remove_action($name, $call, $priority = 10) {
    global $hooks;
    $hooks[$name][$priority] = array_filter($hooks[$name][$priority] ?? [], fn ($one) => $one !== $call);
}
function do_action($name) {
    global $hooks;
    $calls = $hooks[$name] ?? []; ksort($calls);
    foreach ($calls as $group) { foreach ($group as $call) { $call(); } }
}
function add_shortcode($name, $call) { global $shortcodes; $shortcodes[$name] = $call; }
function get_the_ID() { return 7; }
function woocommerce_output_related_products() { echo '<p>What everybody sees</p>'; }
add_action('woocommerce_after_single_product_summary', 'woocommerce_output_related_products', 20);
require __DIR__ . '/mu-plugins/datacue-fragments.php';
do_action('template_redirect');
echo '<!doctype html><title>x</title><h1>Oak sofa</h1>';
do_action('woocommerce_after_single_product_summary');
echo $shortcodes['datacue'](['widget' => 'recent', 'page' => 'product', 'product_id' => '7']);
"""


async def test_the_wordpress_plugin_fills_the_product_page_or_leaves_its_related_products(
    run_proxy, folder, running, vendor
):
    proxy = await run_proxy(PATIENT)
    (folder / "mu-plugins" / "datacue").mkdir(parents=True)
    (folder / "mu-plugins" / "datacue" / "datacue.php").write_text(helper("include/php.md", "php", proxy))
    plugin = example("include/php.md", "php", "## WordPress and WooCommerce")
    (folder / "mu-plugins" / "datacue-fragments.php").write_text(plugin)
    (folder / "index.php").write_text(WORDPRESS)
    server = await running(Php(folder))
    got = await ask(server.address, "/")
    who = anonymous_id(got.cookie())
    assert people(got.body) == {who}
    assert FALLBACK.encode() not in got.body
    assert vendor.pageviews() == [(who, "7")]
    await proxy.stop()
    await stands(server.address, "/")


def test_what_php_can_t_run_here_is_php_all_the_same(tmp_path):
    for number, code in enumerate(examples("include/php.md", "php")):
        file = tmp_path / f"{number}.php"
        file.write_text(code)
        subprocess.run([required("php"), "-l", str(file)], check=True, capture_output=True, timeout=30)


async def test_a_jinja_page_under_wsgi_is_filled_told_once_and_stands(run_proxy, folder, running, vendor):
    proxy = await run_proxy(PATIENT)
    (folder / "datacue.py").write_text(helper("include/python.md", "python", proxy))
    (folder / "sofa.py").write_text(example("include/python.md", "python", "## Jinja"))
    server = await running(Wsgi(folder, "sofa:app"))
    cookie = await told_and_filled(server.address, "/sofa", vendor)
    await ails(server.address, "/sofa", cookie, proxy, vendor)


DJANGO_SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop_urls"
INSTALLED_APPS = ["shop"]
MIDDLEWARE = ["shop.middleware.datacue"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
              "OPTIONS": {"context_processors": ["django.template.context_processors.request"]}}]
"""
DJANGO_URLS = """
from django.shortcuts import render
from django.urls import path

urlpatterns = [path("sofa/", lambda request: render(request, "sofa.html"))]
"""
DJANGO_WSGI = """
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
"""


async def test_a_django_page_under_wsgi_is_filled_told_once_and_stands(run_proxy, folder, running, vendor):
    proxy = await run_proxy(PATIENT)
    middleware, tags = examples("include/python.md", "python", "## Django")[:2]
    files = {
        "datacue.py": helper("include/python.md", "python", proxy),
        "shop/__init__.py": "",
        "shop/middleware.py": middleware,
        "shop/templatetags/__init__.py": "",
        "shop/templatetags/datacue_tags.py": tags,
        "shop/templates/sofa.html": example("include/python.md", "django"),
        "shop_settings.py": DJANGO_SETTINGS,
        "shop_urls.py": DJANGO_URLS,
        "shop_wsgi.py": DJANGO_WSGI,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    server = await running(Wsgi(folder, "shop_wsgi:application"))
    cookie = await told_and_filled(server.address, "/sofa/", vendor)
    await ails(server.address, "/sofa/", cookie, proxy, vendor)
