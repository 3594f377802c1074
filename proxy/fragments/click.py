"""``GET {prefix}/click/{token}``: says what was clicked, and redirects where the token says.

The redirect's head goes out at once, so the browser is on its way while the event goes to DataCue or to
the outbox; the last byte waits for that (design, decision 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.fragments.answers import AS_SAID, FOUND, NOT_FOUND, PERSONAL, READING, TEXT, only, text
from proxy.fragments.asker import client_of, view_of, visitor_of

if TYPE_CHECKING:
    from starlette.types import Scope, Send

    from proxy.core import Core

NO_ROBOTS = (b"x-robots-tag", b"noindex, nofollow")


async def click(core: Core, token: str, scope: Scope, send: Send) -> None:
    """Serves one click.

    Whatever isn't exactly a token of ours is a plain 404: there is nowhere that a guess could lead.
    """
    clicked = core.clicks.read(token)
    if clicked is None:
        await text(send, NOT_FOUND, "This link leads nowhere.", NO_ROBOTS)
        return
    if scope["method"] not in READING:
        await only(send, *sorted(READING))
        return
    client = client_of(core, scope)
    visitor = visitor_of(core, scope, client)
    view = None
    if visitor is not None:
        view = view_of(core, scope, client, visitor)
        view.track(clicked.event)
    target = clicked.target.encode("ascii")
    headers = [
        (b"location", target),
        (b"content-type", TEXT),
        (b"content-length", b"%d" % len(target)),
        PERSONAL,
        NO_ROBOTS,
        AS_SAID,
    ]
    await send({"type": "http.response.start", "status": FOUND, "headers": headers})
    if view is not None:
        await view.settle()
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else target})
