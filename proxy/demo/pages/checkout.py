"""Paying and being thanked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Route

from proxy.demo import structured
from proxy.demo.forms import Field, check_email, errors_of, read_form
from proxy.demo.rendering import render, see_other
from proxy.demo.sessions import visit_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PAYMENTS = (("invoice", "Invoice, 30 days"), ("delivery", "On delivery"), ("transfer", "Bank transfer"))


def _check_postcode(value: str) -> str:
    plain = value.replace(" ", "").replace("-", "")
    return "" if plain.isalnum() else "A postcode has letters and digits only."


def _check_payment(value: str) -> str:
    return "" if value in dict(PAYMENTS) else "Please choose how to pay."


PAYMENT = Field("payment", "Way to pay", check=_check_payment)
ADDRESS = (
    Field("name", "Full name", autocomplete="name"),
    Field("email", "E-mail", "email", "email", "We send the confirmation here.", check=check_email),
    Field("street", "Street and number", autocomplete="street-address"),
    Field("postcode", "Postcode", autocomplete="postal-code", least=3, most=12, check=_check_postcode),
    Field("city", "City", autocomplete="address-level2"),
    Field(
        "note", "Note for the courier", hint="Optional: the door code, the nice neighbour.", least=0, most=300
    ),
)


async def checkout(request: Request) -> Response:
    """``GET`` and ``POST /checkout``: name, email, street, postcode, city, note, payment."""
    visit = visit_of(request)
    if not visit.session.cart.lines:
        return see_other("/cart")
    known = visit.session.account
    values = {"name": known.name, "email": known.email} if known else {}
    values["payment"] = PAYMENTS[0][0]
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = await read_form(request)
        errors = errors_of((*ADDRESS, PAYMENT), values)
        if not errors:
            address = {field.name: values.get(field.name, "") for field in (*ADDRESS, PAYMENT)}
            order = visit.store.place(visit.write(), address)
            return see_other(f"/order/{order.order_id}")
    return render(
        request,
        "checkout.html",
        status=422 if errors else 200,
        fields=ADDRESS,
        payments=PAYMENTS,
        values=values,
        errors=errors,
        json_ld=[structured.checkout()],
    )


async def order(request: Request) -> Response:
    """``GET /order/{id}``: only for who placed it."""
    visit = visit_of(request)
    found = visit.store.order(request.path_params["order_id"], visit.session)
    if found is None:
        raise HTTPException(404)
    return render(
        request,
        "order.html",
        order=found,
        payment=dict(PAYMENTS)[found.address["payment"]],
        json_ld=[structured.order_node(found)],
    )


ROUTES = [
    Route("/checkout", checkout, methods=["GET", "POST"]),
    Route("/order/{order_id}", order),
]
