"""The public side: an HTTP/1.1 server protocol for uvicorn that refuses what could be read in two ways.

In reading order: ``limits`` (how much, how long), ``head`` and ``body`` (bytes in, a request out, no I/O),
``answer`` (a response's head), ``reply`` (a response on its way), ``deadline`` (one timer a connection),
``exchange`` (one request as the ASGI app sees it), ``protocol`` (the connection).

What an app finds in its scope beyond ASGI's ``http``:

- ``scope["datacue.target"]``: the request target in origin-form, byte for byte as it was sent.
- ``scope["datacue.on_disconnect"]``: given a function, it is called when the client goes before its answer is
  whole.
- ``scope["extensions"]["datacue.informational"]``: it may send ``{"type": "datacue.informational",
  "status": 103, "headers": [...]}`` before ``http.response.start``.
- ``scope["extensions"]["datacue.tunnel"]``: the client asks for an upgrade. Answered with status 101, the
  exchange becomes a tunnel: bodies of ``http.response.body`` go out as they are, ``receive`` yields the
  client's bytes as ``http.request``, ``more_body: False`` where it has stopped sending.

``send`` raises :class:`Disconnected` when the client is gone. An app that raises after
``http.response.start`` has the response cut so that no client takes it for complete.
"""

from __future__ import annotations

from proxy.edge.answer import InvalidResponse, Template
from proxy.edge.exchange import Disconnected
from proxy.edge.head import REASONS, Head, Reason
from proxy.edge.limits import EdgeLimits
from proxy.edge.protocol import EdgeProtocol, hardened
from proxy.edge.reply import Connection, Reply

__all__ = [
    "REASONS",
    "Connection",
    "Disconnected",
    "EdgeLimits",
    "EdgeProtocol",
    "Head",
    "InvalidResponse",
    "Reason",
    "Reply",
    "Template",
    "hardened",
]
