"""An HTTP/1.1 client for the hot path: the shop and the events endpoint.

Reading order: ``origin``, ``limits``, ``message`` (what goes out), ``head`` and ``framing`` (what comes
in, without I/O), ``receiver`` (who gets it), ``response`` (a task does), ``tunnel``, ``upload``,
``connection`` (the protocol), ``pool``.

It forwards and nothing else: no cookie jar, no redirects, no environment proxies, no content decoding.
"""

from __future__ import annotations

from proxy.http1.head import ResponseHead
from proxy.http1.limits import Limits, Timeouts
from proxy.http1.message import Answer, Fields, Headers, Request, request_line, serialize_fields
from proxy.http1.origin import Origin
from proxy.http1.pool import Pool
from proxy.http1.receiver import Inflow, Receiver
from proxy.http1.response import Response
from proxy.http1.tunnel import Tunnel

__all__ = [
    "Answer",
    "Fields",
    "Headers",
    "Inflow",
    "Limits",
    "Origin",
    "Pool",
    "Receiver",
    "Request",
    "Response",
    "ResponseHead",
    "Timeouts",
    "Tunnel",
    "request_line",
    "serialize_fields",
]
