"""Where a page can be personalized, and what it says about itself: bytes in, bytes and openings out.

The page is never parsed into a tree nor written out again. Its bytes pass as they are; only ranges that are
certain are cut out and offered for filling.

In reading order: ``markup`` (how HTML is spelled), ``tokens``, ``elements`` (which are open), ``selectors``,
``placeholders`` (what asks for a slot), ``plan`` (all that is looked for), ``marks`` (what was found and how
certain it is), ``gather`` (facts), ``walk`` (what tokens mean), ``page`` (bytes in, bytes out), ``memory``
(what equal bytes gave before), ``splicer`` (the outside); and before all of them, for pages that ask for it,
``esi``.

A page without a needle costs one search. With some, it is read up to the last of them. With selectors that
ask for ancestors, every tag is read until each rule has found its element.
"""

from __future__ import annotations

from proxy.locate.esi import EsiProcessor
from proxy.locate.marks import LOOK_AHEAD, Opening
from proxy.locate.plan import FactSelector, FactSelectors, Plan, Position, SlotRule, split_fact
from proxy.locate.selectors import Selector, SelectorError, parse_selector
from proxy.locate.splicer import Splicer

__all__ = [
    "LOOK_AHEAD",
    "EsiProcessor",
    "FactSelector",
    "FactSelectors",
    "Opening",
    "Plan",
    "Position",
    "Selector",
    "SelectorError",
    "SlotRule",
    "Splicer",
    "parse_selector",
    "split_fact",
]
