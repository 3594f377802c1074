"""``python -m benchmarks.includes``: fragments a second, and a page of three of them composed by others.

nginx and Varnish run the configurations of docs/include, so what is measured is what is advised. The page is
the same for all four, 31 KB, and no cache keeps it; the vendor answers from memory. Each page view makes one
call to the vendor, whoever composes the page.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import load, nginx, varnish
from benchmarks.answers import SAME
from benchmarks.process import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
WIDGETS = ("banners", "related", "similar")
VISITORS = 200
CONNECTIONS = 16
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,*/*;q=0.8",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
}
CARD = b'<li class="datacue-rec"'
CARDS = 16
"""In the page's two lists."""

STUBS = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/tmp;
  proxy_temp_path {folder}/tmp;
  fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp;
  scgi_temp_path {folder}/tmp;
  {inside}
}}
"""
"""What every nginx here has; the vendor's, the shop's and the composer's differ inside."""

SETTINGS = """
upstream = "http://127.0.0.1:{shop}"
events_url = "http://127.0.0.1:{vendor}/"
api_key = "benchmark"
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin}"
state_dir = "{folder}/state"
log_level = "warning"
deadline = 5  # waiting isn't what is measured
{more}
[[pages]]
path = "/{{where}}/{{product_id}}"
kind = "product"
"""


@dataclass
class Row:
    """Who is measured, and what came of it: requests a second, milliseconds."""

    title: str
    server: Server
    path: str
    cards: int
    rates: list[float]
    p99s: list[float]


def block(page: str, language: str) -> str:
    """The first block of a language in a page of docs/include."""
    text = (ROOT / "docs" / "include" / page).read_text()
    found = re.search(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/include/{page} has no {language}"
    return found[1]


def page_of(tag: str) -> str:
    """A page with three slots in 31 KB; ``tag`` is what stands in one, with ``WIDGET`` for its name."""
    text = "<p>Oak, linen and warm light, for a home that you stay in.</p>\n" * 160
    slots = "".join(f"<section>{tag.replace('WIDGET', widget)}</section>\n{text}" for widget in WIDGETS)
    return f"<!doctype html>\n<html><head><title>Oak sofa</title></head><body>\n{slots}</body></html>\n"


PAGES = {
    "ssi": page_of('<!--# include virtual="/_datacue/fragments/WIDGET" -->'),
    "esi": page_of('<esi:include src="/_datacue/fragments/WIDGET"/>'),
    "own": page_of("<div data-dc-products='WIDGET'></div>").replace(
        "data-dc-products='banners'", "data-dc-banners"
    ),
}


def nginx_server(folder: Path, inside: str, port: int) -> Server:
    """nginx with something in its ``http``."""
    for part in (folder, folder / "tmp"):
        part.mkdir(parents=True)
        part.chmod(0o777)  # the worker may run as another user
    config = folder / "nginx.conf"
    config.write_text(STUBS.format(folder=folder, inside=inside))
    return Server([nginx.binary() or "", "-c", str(config), "-e", str(folder / "error.log")], port, folder)


def shop_of(folder: Path) -> Server:
    """The shop: a page for each way of including, from files."""
    port = free_port()
    (folder / "files").mkdir(parents=True)
    folder.chmod(0o755)
    places = []
    for name, page in PAGES.items():
        (folder / "files" / f"{name}.html").write_text(page)
        places.append(f"location /{name}/ {{ root {folder}/files; try_files /{name}.html =404; }}")
    inside = f"default_type text/html; server {{ listen 127.0.0.1:{port}; {' '.join(places)} }}"
    return nginx_server(folder / "nginx", inside, port)


def vendor(folder: Path) -> Server:
    """The events endpoint, from memory."""
    port = free_port()
    inside = f"default_type application/json; server {{ listen 127.0.0.1:{port}; return 200 '{SAME}'; }}"
    return nginx_server(folder, inside, port)


def proxy(folder: Path, shop: Server, events: Server, more: str = "") -> Server:
    """Ours, as its user runs it."""
    folder.mkdir()
    port = free_port()
    config = folder / "datacue.toml"
    ports = {"shop": shop.port, "vendor": events.port, "port": port, "admin": free_port()}
    config.write_text(SETTINGS.format(**ports, folder=folder, more=more))
    command = [sys.executable, "-m", "proxy", "run", "--config", str(config)]
    return Server(command, port, folder, {"PYTHONPATH": str(ROOT)})


def behind_nginx(folder: Path, shop: Server, ours: Server) -> Server:
    """docs/include/nginx.md."""
    port = free_port()
    config = block("nginx.md", "nginx").replace("127.0.0.1:8080", f"127.0.0.1:{shop.port}")
    config = config.replace("127.0.0.1:8000", f"127.0.0.1:{ours.port}").replace(
        "/var/cache/nginx", str(folder / "cache")
    )
    (folder / "cache").mkdir(parents=True)
    (folder / "cache").chmod(0o777)
    return nginx_server(folder / "nginx", config.replace("listen 80;", f"listen 127.0.0.1:{port};"), port)


def behind_varnish(folder: Path, shop: Server, ours: Server) -> Server:
    """docs/include/varnish.md."""
    folder.mkdir()
    port = free_port()
    vcl = folder / "default.vcl"
    text = block("varnish.md", "vcl").replace('"8080"', f'"{shop.port}"')
    vcl.write_text(text.replace('"8000"', f'"{ours.port}"'))
    command = [
        varnish.binary() or "",
        "-F",
        "-n",
        str(folder / "work"),
        "-f",
        str(vcl),
        "-s",
        "malloc,64m",
        "-T",
        "none",
    ]
    command += ["-a", f"127.0.0.1:{port}", "-j", "none", "-p", "thread_pools=1", "-p", "thread_pool_min=50"]
    return Server(command, port, folder)


def cookies(ours: Server) -> Iterator[str]:
    """New visitors."""
    for _ in range(VISITORS):
        connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=20)
        connection.request("GET", "/_datacue/visitor", headers=BROWSER)
        cookie = connection.getresponse().headers["set-cookie"]
        connection.close()
        yield cookie.partition(";")[0]


def measure(row: Row, visitors: Path, seconds: float) -> dict[str, float]:
    """One round of wrk, every request another visitor's."""
    command = [load.wrk() or "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout", "10s"]
    for name, value in BROWSER.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(load.SCRIPT), f"http://127.0.0.1:{row.server.port}{row.path}", "--", str(visitors)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if found["errors"]:
        raise SystemExit(f"{row.title}: {found['errors']:.0f} requests failed under load")
    return found


def check(row: Row, cookie: str) -> None:
    """Whether it answers as it should, before anything is timed."""
    connection = http.client.HTTPConnection("127.0.0.1", row.server.port, timeout=20)
    connection.request("GET", row.path, headers={**BROWSER, "Cookie": cookie})
    body = connection.getresponse().read()
    connection.close()
    if body.count(CARD) != row.cards:
        raise SystemExit(f"{row.title}: {body.count(CARD)} products, not {row.cards}")


def run(folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Everybody in turn, several times over."""
    folder.chmod(0o755)
    with ExitStack() as stack:
        enter = stack.enter_context
        events = enter(vendor(folder / "vendor"))
        shop = enter(shop_of(folder / "shop"))
        ours = enter(proxy(folder / "ours", shop, events, "view_window = 0"))
        kept = enter(proxy(folder / "kept", shop, events, "view_window = 60"))
        fragment = "/_datacue/fragments/related?product_id=1"
        rows = [
            Row("a fragment of a page view that is known", kept, fragment, CARDS // 2, [], []),
            Row("a fragment, each a page view", ours, fragment, CARDS // 2, [], []),
            Row("page, three slots: this proxy", ours, "/own/1", CARDS, [], []),
        ]
        composed = enter(behind_nginx(folder / "nginx", shop, kept))
        rows.append(Row("page, three includes: nginx", composed, "/ssi/1", CARDS, [], []))
        if varnish.binary() is not None:
            composed = enter(behind_varnish(folder / "varnish", shop, kept))
            rows.append(Row("page, three includes: Varnish", composed, "/esi/1", CARDS, [], []))
        for_each = {}
        for server in (ours, kept):
            for_each[server.port] = server.folder / "visitors"
            for_each[server.port].write_text("".join(f"{cookie}\n" for cookie in cookies(server)))
        for number in range(rounds + 1):
            for row in rows:
                visitors = for_each.get(row.server.port, kept.folder / "visitors")
                check(row, visitors.read_text().partition("\n")[0])
                found = measure(row, visitors, seconds)
                if number:  # the first round warms up
                    row.rates.append(found["requests"] / found["seconds"])
                    row.p99s.append(found["p99"])
        return rows


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.includes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="includes-") as name:
        rows = run(Path(name), given.rounds, given.seconds)
    print("| | requests/s | p99 ms |\n|---|---|---|")
    for row in rows:
        print(f"| {row.title} | {median(row.rates):,.0f} | {median(row.p99s):.1f} |")


if __name__ == "__main__":
    main()
