"""What an embedding app finds at ``request.state.datacue``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from proxy.events import check
from proxy.models import Slot

if TYPE_CHECKING:
    from proxy.exchange import Exchange


class Handle:
    """What an embedding app finds at ``request.state.datacue``.

    For a visitor who isn't personalized (a bot, no consent) it is there as well, and does nothing.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def identify(self, user_id: str | None, profile: dict[str, Any] | None = None) -> None:
        """Says who the visitor is: later events, and later visits, carry the id. None: logged out."""
        if self._exchange.ignored is None:
            self._exchange.named = True
            self._exchange.identify(user_id, profile)

    def track(self, event: dict[str, Any]) -> None:
        """Sends one event of the API guide, as ``{"type": "login"}``.

        Raises:
            ValueError, TypeError: the guide knows no such event; the message names the field.
        """
        event = check(event)
        if self._exchange.ignored is None:
            self._exchange.track(event)

    async def widget(self, widget: str) -> Markup:
        """The HTML of a widget, for a template to put where it likes; empty where there is none.

        Waits for the recommendations, up to the page's deadline. The page's kind must be known: by a
        rule, or because ``track`` was given its page view.

        Raises:
            ValueError: there is no such widget.
        """
        slot = msgspec.convert({"widget": widget}, Slot)
        if self._exchange.ignored is not None:
            return Markup()
        html = await self._exchange.show().slot(slot, utf8=True)
        return Markup(html.decode()) if html is not None else Markup()  # noqa: S704  rendered by our templates
