"""Looks at a shop as the running proxy would, and changes nothing: for ``check`` and ``init``.

In reading order: ``model`` (what is found), ``rehearsal`` (one page through the whole journey, without its
consequences), ``looking`` (links and forms of a page), ``pages`` (a rehearsed page, told), ``rules`` (which
rules came to nothing), ``exploring`` (finds pages worth a look), ``network`` (addresses, certificates,
clocks), ``datacue`` (credentials), ``checkup`` (all together).
"""

from __future__ import annotations

from proxy.checking.checkup import check_up
from proxy.checking.exploring import explore
from proxy.checking.looking import Form, Seen, look
from proxy.checking.model import Finding, PageReport, Report, SlotReport
from proxy.checking.rehearsal import Notes, Rehearsal, Visit, open_rehearsed_shop

__all__ = [
    "Finding",
    "Form",
    "Notes",
    "PageReport",
    "Rehearsal",
    "Report",
    "Seen",
    "SlotReport",
    "Visit",
    "check_up",
    "explore",
    "look",
    "open_rehearsed_shop",
]
