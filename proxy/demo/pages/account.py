"""Who the visitor is: register, log in, log out, and what they ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from proxy.demo.forms import Field, Form, check_email, errors_of, read_form
from proxy.demo.rendering import render, see_other
from proxy.demo.sessions import Visit, visit_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from proxy.demo.state import Account

_EMAIL = Field("email", "E-mail", "email", "email", check=check_email)
LOGIN = (
    _EMAIL,
    Field("password", "Password", "password", "current-password"),
)
REGISTER = (
    Field("name", "Name", autocomplete="name"),
    _EMAIL,
    Field("password", "Password", "password", "new-password", "At least 8 characters.", least=8),
)


def _form_page(request: Request, template: str, form: Form, errors: dict[str, str]) -> Response:
    fields = LOGIN if template == "login.html" else REGISTER
    values = {name: value for name, value in form.items() if name != "password"}
    status = 422 if errors else 200
    return render(request, template, status=status, fields=fields, values=values, errors=errors, json_ld=[])


def _welcome(visit: Visit, account: Account, notice: str) -> Response:
    session = visit.session
    for product in reversed(session.wishlist.products):
        account.wishlist.add(product)
    session.wishlist = account.wishlist
    session.account = account
    session.notice = notice
    visit.renew()
    return see_other("/account")


async def login(request: Request) -> Response:
    """``GET`` and ``POST /login``: email, password."""
    if request.method != "POST":
        return (
            see_other("/account")
            if visit_of(request).session.account
            else _form_page(request, "login.html", {}, {})
        )
    form = await read_form(request)
    errors = errors_of(LOGIN, form)
    if not errors:
        account = await run_in_threadpool(visit_of(request).store.login, form["email"], form["password"])
        if account:
            return _welcome(visit_of(request), account, f"Welcome back, {account.name}.")
        errors = {"password": "This e-mail and password don't belong together."}
    return _form_page(request, "login.html", form, errors)


async def register(request: Request) -> Response:
    """``GET`` and ``POST /register``: name, email, password."""
    if request.method != "POST":
        return (
            see_other("/account")
            if visit_of(request).session.account
            else _form_page(request, "register.html", {}, {})
        )
    form = await read_form(request)
    errors = errors_of(REGISTER, form)
    if not errors:
        account = await run_in_threadpool(
            visit_of(request).store.register, form["email"], form["name"], form["password"]
        )
        if account:
            return _welcome(visit_of(request), account, f"Welcome, {account.name}.")
        errors = {"email": "There is an account with this address: please log in."}
    return _form_page(request, "register.html", form, errors)


async def logout(request: Request) -> Response:
    """``POST /logout``."""
    await read_form(request)
    visit = visit_of(request)
    visit.leave()
    visit.session.notice = "You are logged out. See you soon."
    return see_other("/")


async def account(request: Request) -> Response:
    """``GET /account``: for customers only."""
    if not visit_of(request).session.account:
        return see_other("/login")
    return render(request, "account.html", json_ld=[])


ROUTES = [
    Route("/login", login, methods=["GET", "POST"]),
    Route("/register", register, methods=["GET", "POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/account", account),
]
