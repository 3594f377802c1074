"""What one page needs: the collaborators that the assembly opens once and the doors share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from proxy.classify import Classifier
    from proxy.clicks import ClickLinks
    from proxy.facts import ProductFacts
    from proxy.headers import TrustedProxies
    from proxy.identity import VisitorCookie
    from proxy.locate import FactSelectors, Plan
    from proxy.logs import Log
    from proxy.metrics import Metrics
    from proxy.models import RawFacts
    from proxy.personalize import Personalizer
    from proxy.shell import Shells
    from proxy.surrogate import Announcing
    from proxy.views import Views
    from proxy.witness import Capture


class Learner(Protocol):
    """Takes the products that pages show, for the embedded engine's catalogue."""

    def knows(self, facts: RawFacts) -> bool:
        """Whether a page that said the very same was learned already."""

    def learn(self, facts: RawFacts, products: Sequence[ProductFacts]) -> None:
        """Hands the products of a page over, without waiting."""


@dataclass(frozen=True, slots=True)
class Core:
    """Opened by ``lifespan.py``, used by every door.

    Attributes:
        clicks: makes and reads the widgets' links.
        consent: the cookie and value that grant personalization; None where none is asked for.
        privacy_signals: whether Sec-GPC and DNT deny it.
        fact_selectors: by the index of the ``[[pages]]`` rule that has them.
        capture: the rules by which forms and pages become events.
        announcing: whether the shop is told that we process ESI.
        shells: makes pages that shared caches may keep.
        learner: None where the vendor keeps the catalogue.
        clock: seconds, monotonic.
    """

    classifier: Classifier
    plan: Plan
    fact_selectors: Mapping[str, FactSelectors]
    cookie: VisitorCookie
    clicks: ClickLinks
    personalizer: Personalizer
    views: Views
    trusted: TrustedProxies
    consent: tuple[str, str] | None
    privacy_signals: bool
    prefix: str
    capture: Capture
    announcing: Announcing
    shells: Shells
    learner: Learner | None
    metrics: Metrics
    log: Log
    clock: Callable[[], float]
