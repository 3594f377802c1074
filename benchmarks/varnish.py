"""Varnish as a composer: the shop's page with ESI, its fragments from us, nothing cached.

Pages and fragments both pass: what is compared is the composing. One view id a page goes along.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.process import Server, free_port

if TYPE_CHECKING:
    from pathlib import Path

VCL = """
vcl 4.1;
backend shop {{ .host = "127.0.0.1"; .port = "{shop}"; }}
backend datacue {{ .host = "127.0.0.1"; .port = "{fragments}"; }}

sub vcl_recv {{
  if (req.esi_level == 0) {{ set req.http.X-DataCue-View = req.xid; }}
  if (req.url ~ "^/_datacue/") {{ set req.backend_hint = datacue; }}
  else {{ set req.backend_hint = shop; }}
  unset req.http.Accept-Encoding;
  return (pass);
}}

sub vcl_backend_response {{
  if (bereq.url ~ "^/product/") {{ set beresp.do_esi = true; }}
}}
"""


def binary() -> str | None:
    """varnishd, where there is one; distributions keep it out of a user's PATH."""
    return shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin")


def composing(folder: Path, shop_port: int, fragments_port: int) -> Server:
    """``do_esi`` for the shop's pages; what they include is ours."""
    return server(folder, VCL.format(shop=shop_port, fragments=fragments_port))


def server(folder: Path, text: str) -> Server:
    """Varnish with a VCL of one's own."""
    found = binary()
    assert found is not None, "the caller looks for varnishd first"
    folder.mkdir()
    port = free_port()
    vcl = folder / "default.vcl"
    vcl.write_text(text)
    command = [found, "-F", "-n", str(folder / "work"), "-a", f"127.0.0.1:{port}", "-f", str(vcl)]
    command += ["-s", "malloc,64m", "-p", "thread_pools=1", "-p", "thread_pool_min=50"]
    return Server(command, port, folder)
