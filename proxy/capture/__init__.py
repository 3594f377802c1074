"""What visitors do, seen from outside: forms that they send and pages that they get → the guide's events.

Pure: no I/O and no clock. In reading order: ``model`` (nouns), ``form`` and ``body`` (what was posted),
``success`` (what the answer means), ``rules`` (``[[capture]]``, compiled), ``view`` (what pages show),
``cart`` and ``story`` (what it amounts to), ``users`` (the shop's login cookie), ``presets`` (rules for
well-known shops). ``docs/capture.md`` tells it to operators.
"""

from __future__ import annotations

from proxy.capture.body import WatchedBody
from proxy.capture.model import EVENT_NAMES, Deed, EventName, Line, Memory, Told
from proxy.capture.rules import FormRule, Rules, ViewRule, compile_capture
from proxy.capture.story import tell
from proxy.capture.users import UserCookie, user_cookie
from proxy.capture.view import read_view, said_order

__all__ = [
    "EVENT_NAMES",
    "Deed",
    "EventName",
    "FormRule",
    "Line",
    "Memory",
    "Rules",
    "Told",
    "UserCookie",
    "ViewRule",
    "WatchedBody",
    "compile_capture",
    "read_view",
    "said_order",
    "tell",
    "user_cookie",
]
