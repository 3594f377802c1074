"""Server-side personalization for any shop, without JavaScript.

In reading order, one page's journey:

``errors``, ``models``        what can go wrong, and the nouns that travel
``settings``                  what can be set
``edge``, ``server``          a request comes in, or is refused
``middleware``                the journey: request, response, body
``judge``, ``headers``        may it be a page view, may it be rewritten, what becomes of its fields
``classify``, ``facts``       what kind of page it is
``identity``                  who asks
``events``, ``vendor``        what happened, and the call that says so
``upstream``, ``http1``       the shop is asked meanwhile
``rewriting``, ``locate``     its bytes come, and slots open in them
``coding``, ``charset``       where the shop compresses, and how it spells
``personalize``, ``breaker``  order, deadline, fallback
``widgets``, ``render``       recommendations become HTML
``clicks``                    its links say what was clicked
``outbox``                    what was not acknowledged is kept
``learning``                  what the page said about its product goes to the engine
``fragments``, ``admin``      what we serve ourselves
``core``, ``lifespan``, ``embedding``, ``workers``, ``cli``  opened once, assembled, run
``engine``, ``demo``          neighbours: they know nothing of the above
"""

from proxy.embedding import PersonalizationMiddleware
from proxy.errors import ProxyError, SettingsError

__all__ = ["PersonalizationMiddleware", "ProxyError", "SettingsError"]
