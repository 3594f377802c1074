"""nginx in its roles: the shop, the events endpoint, the proxy, and the includer of a file or of fragments.

One worker process each, logs off, connections kept alive on both sides: as its documentation advises
for a proxy, and nothing exotic. ``tcp_nopush`` stays off: with it, a page with an include waits 40 ms for
the client's delayed acknowledgement.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.answers import choices, locations
from benchmarks.page import PAGES, PUBLIC_PATH
from benchmarks.process import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FRAME = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  types {{ text/html html; }}
  charset utf-8;
  client_body_temp_path {folder}/tmp;
  proxy_temp_path {folder}/tmp;
  fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp;
  scgi_temp_path {folder}/tmp;
  {inside}
}}
"""
"""What every nginx here has."""

SERVER = """
server {{
  listen 127.0.0.1:{port} backlog=2048;
  root {folder}/html;
  {inside}
}}
"""

UPSTREAM = "upstream shop {{ server 127.0.0.1:{shop}; keepalive 64; keepalive_requests 1000000000; }}"

FORWARD = """
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
"""


def binary() -> str | None:
    """nginx, where there is one; distributions keep it out of a user's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def server(folder: Path, inside: str, port: int) -> Server:
    """nginx with a configuration of one's own in its ``http``."""
    found = binary()
    assert found is not None, "the caller looks for nginx first"
    for part in (folder, folder / "tmp", folder / "html"):
        part.mkdir(parents=True, exist_ok=True)
        part.chmod(0o755)  # the worker may run as another user
    (folder / "tmp").chmod(0o777)
    config = folder / "nginx.conf"
    config.write_text(FRAME.format(folder=folder, inside=inside))
    return Server([found, "-c", str(config), "-e", str(folder / "error.log")], port, folder)


def _nginx(folder: Path, outside: str, inside: str) -> Server:
    """nginx with one server: what stands beside it, and what in it."""
    port = free_port()
    return server(folder, outside + SERVER.format(folder=folder, port=port, inside=inside), port)


def shop(folder: Path, pages: Mapping[str, bytes] = PAGES) -> Server:
    """The shop: its product pages, by name, are files that are kept open."""
    made = _nginx(
        folder,
        "open_file_cache max=100 inactive=1h; open_file_cache_valid 1h;",
        "location /product/ { try_files $uri.html =404; }\n"
        f"location = {PUBLIC_PATH} {{ add_header Cache-Control 'public, max-age=3600';"
        " try_files /product/1.html =404; }",
    )
    files = folder / "html" / "product"
    files.mkdir(parents=True, exist_ok=True)
    for name, page in pages.items():
        (files / f"{name}.html").write_bytes(page)
    return made


def events(folder: Path) -> Server:
    """The events endpoint: answers from memory."""
    return _nginx(folder, f"default_type application/json; {choices()}", locations())


def forwarding(folder: Path, shop_port: int) -> Server:
    """``proxy_pass``, connections to the shop kept."""
    return _nginx(
        folder, UPSTREAM.format(shop=shop_port), f"location / {{ proxy_pass http://shop; {FORWARD} }}"
    )


def including(folder: Path, shop_port: int, widgets: bytes) -> Server:
    """``proxy_pass`` and ``ssi on``; the one include is a static file of ours."""
    made = _nginx(
        folder,
        UPSTREAM.format(shop=shop_port) + " open_file_cache max=100 inactive=1h; open_file_cache_valid 1h;",
        f"location / {{ ssi on; proxy_pass http://shop; {FORWARD} }}\nlocation = /widgets.html {{ }}",
    )
    (folder / "html" / "widgets.html").write_bytes(widgets)
    return made


def composing(folder: Path, shop_port: int, fragments_port: int) -> Server:
    """``ssi on`` for the shop's pages; what they include is ours, asked for with one view id a page."""
    upstreams = UPSTREAM.format(shop=shop_port) + (
        f"upstream datacue {{ server 127.0.0.1:{fragments_port};"
        " keepalive 64; keepalive_requests 1000000000; }"
    )
    fragments = (
        "location /_datacue/ { proxy_pass http://datacue; "
        f"{FORWARD} proxy_set_header X-DataCue-View $request_id; proxy_set_header Accept-Encoding ''; }}"
    )
    pages = f"location / {{ ssi on; proxy_pass http://shop; {FORWARD} }}"
    return _nginx(folder, upstreams, f"{pages}\n{fragments}")
