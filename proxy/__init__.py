"""Server-side personalization for any shop, without JavaScript.

In reading order, one page's journey:

``errors``, ``models``          what can go wrong, and the nouns that travel
``settings``                    what can be set
``listening``, ``serving``      addresses, and uvicorn's server on them
``accepting``                   which of several workers takes the next connection
``edge``, ``server``            a request comes in, or is refused
``middleware``                  who has to do with us, and who passes by
``judge``, ``headers``          may it be a page view, may it be rewritten, what becomes of its fields
``classify``, ``facts``         what kind of page it is
``identity``                    who asks
``exchange``                    the page view, from the request to the response's head
``shelling``, ``shell``         or a page for everybody, which a shared cache may keep
``surrogate``                   what caches and proxies in front say of ESI
``events``, ``vendor``          what happened, and the call that says so
``upstream``, ``http1``         the shop is asked meanwhile
``cache``                       or what it called public is still kept
``forwarding``, ``relay``       what that means, and the short way for whoever passes by
``swift``, ``known``            and the short way for a page that came before
``finished``                    or came with the same recommendations
``rewriting``, ``locate``       its bytes come, and slots open in them
``includes``                    which page an include is about
``coding``, ``charset``         where the shop compresses, and how it spells
``personalize``, ``breaker``    order, deadline, fallback
``calls``                       one event on its way, and what becomes of it
``widgets``, ``links``          recommendations at our boundary, decoded and checked
``answers``                     or were read before
``render``, ``wording``         they become HTML
``turn``                        what is written in one turn of the loop goes out at its end
``remember``                    and what was worked out before isn't worked out again
``clicks``                      their links say what was clicked
``witness``, ``capture``        what forms and pages say that the visitor did
``carts``                       what is in whose cart
``views``                       which requests belong to one page view
``sharing``, ``neighbours``     and which of them came to other workers
``outbox``, ``keeping``         what was not acknowledged is kept
``learning``, ``signing``       what the page said about its product goes to the engine
``fragments``, ``admin``        what we serve ourselves
``core``, ``prepared``, ``lifespan``  settings become values, and are opened once, for all of the above
``embedding``, ``handle``       inside an ASGI shop
``journal``                     what a long run has done, so that it can go on
``importer``                    a shop's exports, read, checked and sent
``workers``, ``cli``, ``crawl`` run from a command line
``checking``                    a page rehearsed: what would become of it, without consequences
``setup``                       settings proposed, out of what a shop shows
``previewing``                  widgets as they would look, without a shop
``api``                         a shop's own programs and ``import`` speak to the REST API
``engine``, ``engine_host``, ``demo``  neighbours: the first and the last know nothing of the above
"""

from typing import TYPE_CHECKING, Any

from proxy.errors import ProxyError, SettingsError

if TYPE_CHECKING:
    from proxy.embedding import PersonalizationMiddleware

__all__ = ["PersonalizationMiddleware", "ProxyError", "SettingsError"]


def __getattr__(name: str) -> Any:
    """The middleware, when it is asked for."""
    if name == "PersonalizationMiddleware":
        from proxy.embedding import PersonalizationMiddleware  # noqa: PLC0415  users of proxy.api needn't load it

        return PersonalizationMiddleware
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
