"""proxy.py's reverse proxy plugin: every path goes to the shop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from proxy.http import Url
from proxy.http.server import ReverseProxyBasePlugin

if TYPE_CHECKING:
    import re

    from proxy.http.parser import HttpParser

SHOP_URL = os.environ.get("SHOP_URL", "http://127.0.0.1:8080").encode()


class ReverseProxy(ReverseProxyBasePlugin):
    """One route for every path."""

    def routes(self) -> list[str]:
        """Path patterns."""
        return [r"/.*"]

    def handle_route(self, request: HttpParser, pattern: re.Pattern[str]) -> Url:
        """Where a request goes."""
        del pattern
        return Url.from_bytes(SHOP_URL + (request.path or b"/"))
