"""Who asks: a signed cookie with a random id; the basket itself stays in the shop.

A visitor who only looks around costs no memory: the session is stored on the first write. The CSRF
token is a signature of the session id, so it needs no memory either.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, cast

from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request

from proxy.demo.state import Session, Store

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "shop_session"
COOKIE_SECONDS = 7 * 24 * 3600
"""As long as the shop remembers an untouched basket."""


class Visit:
    """One request's view of its session.

    Args:
        store: where sessions are kept.
        csrf: signs form tokens.
        session_id: from a genuine cookie, or None.
    """

    def __init__(self, store: Store, csrf: Signer, session_id: str | None) -> None:
        self.store = store
        self._csrf = csrf
        known = store.session(session_id) if session_id else None
        self.session = known or Session()
        self.session_id = session_id or secrets.token_urlsafe(16)
        self.new_cookie = False
        """Whether the response must carry the cookie."""
        self._came_with_cookie = session_id is not None

    @property
    def csrf_token(self) -> str:
        """What a form of this session must send along."""
        self.new_cookie = self.new_cookie or not self._came_with_cookie
        return self._csrf.get_signature(self.session_id).decode()

    def owns_token(self, token: str) -> bool:
        """Whether a form's token was made for this session."""
        return self._came_with_cookie and self._csrf.verify_signature(self.session_id.encode(), token)

    def write(self) -> Session:
        """The session, kept from now on."""
        self.store.keep(self.session_id, self.session)
        return self.session

    def renew(self) -> None:
        """A new id for the same session: whoever knew the old one stays outside."""
        self.store.forget(self.session_id)
        self.session_id = secrets.token_urlsafe(16)
        self.new_cookie = True
        self.write()

    def leave(self) -> None:
        """Forget the session and begin an empty one."""
        self.session = Session()
        self.renew()

    def take_notice(self) -> str:
        """What was to be said on this page; said once."""
        notice, self.session.notice = self.session.notice, ""
        return notice


def visit_of(request: Request) -> Visit:
    """The visit that :class:`SessionMiddleware` put on the request."""
    return cast("Visit", request.state.visit)


class SessionMiddleware:
    """Reads the cookie, and sets it when a page needs one.

    Args:
        app: the shop.
        store: where sessions are kept.
        secret: signs cookies and form tokens.
    """

    def __init__(self, app: ASGIApp, store: Store, secret: str) -> None:
        self._app = app
        self._store = store
        self._cookies = Signer(secret, salt="shop.session", digest_method=hashlib.sha256)
        self._csrf = Signer(secret, salt="shop.csrf", digest_method=hashlib.sha256)

    def _session_id(self, cookie: str | None) -> str | None:
        try:
            return self._cookies.unsign(cookie).decode() if cookie else None
        except BadSignature:
            return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = Visit(self._store, self._csrf, self._session_id(HTTPConnection(scope).cookies.get(COOKIE)))
        scope.setdefault("state", {})["visit"] = visit

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and visit.new_cookie:
                value = self._cookies.sign(visit.session_id).decode()
                cookie = f"{COOKIE}={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax"
                secure = "; Secure" if scope["scheme"] == "https" else ""
                MutableHeaders(scope=message).append("set-cookie", cookie + secure)
            await send(message)

        await self._app(scope, receive, send_with_cookie)
