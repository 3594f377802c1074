"""Which banners to show: Thompson sampling over Beta posteriors, one arm a banner.

Each banner that is returned counts as an impression, each click as a reward; a draw from every
banner's posterior ranks them, so what is uncertain is tried as often as it may be the best (Chapelle
and Li, NIPS 2011). The visitor's liking for a banner's category shifts the prior, not the evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.engine.catalog import slug
from proxy.engine.wire import answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

WIDE: Final = 3
"""Main banners in an answer: the largest stock layout shows three."""
NARROW: Final = 4
"""Sub banners in an answer: stock layouts show two, the guide's sample three; the fourth is spare."""
PRIOR_CLICKS: Final = 1.0
PRIOR_MISSES: Final = 19.0
"""An unknown banner is clicked once in twenty times: worth trying beside known ones."""
AFFINITY_CLICKS: Final = 4.0
"""Prior clicks that a visitor adds to banners of the one category that they only look at."""
_ORDER: Final = ("main", "sub", "sub", "main", "sub", "main", "sub")
"""Whose turn it is to choose: both kinds get categories of their own while there are few."""

Fields = dict[str, Any]


class Banner:
    """One banner and what it has earned."""

    __slots__ = ("banner_id", "card", "category", "clicks", "fields", "impressions")

    def __init__(self, banner_id: str, fields: Fields, impressions: int, clicks: int) -> None:
        self.banner_id = banner_id
        self.impressions = impressions
        self.clicks = clicks
        self.describe(fields)

    def describe(self, fields: Fields) -> None:
        """Set what the banner shows."""
        self.fields = fields
        self.card = answers.banner_card(self.banner_id, fields)
        levels = (fields.get(f"category_{level}") for level in (1, 2, 3, 4))
        self.category = tuple(slug(level) for level in levels if level)


class Banners:
    """All banners.

    Args:
        random: the source of draws; seeded, it makes the choice repeatable.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self.by_id: dict[str, Banner] = {}
        self.changed: set[str] = set()
        """Banners whose counters differ from the store's."""

    def put(self, banner_id: str, fields: Fields, impressions: int = 0, clicks: int = 0) -> None:
        """Create a banner, or describe it anew; what it has earned stays."""
        known = self.by_id.get(banner_id)
        if known is None:
            self.by_id[banner_id] = Banner(banner_id, fields, impressions, clicks)
        else:
            known.describe(fields)

    def drop(self, banner_id: str) -> None:
        """Forget a banner."""
        self.by_id.pop(banner_id, None)
        self.changed.discard(banner_id)

    def click(self, banner_id: str) -> None:
        """Reward a banner."""
        self.by_id[banner_id].clicks += 1
        self.changed.add(banner_id)

    def show(self, banners: Iterable[Banner]) -> None:
        """Count an impression of each."""
        for banner in banners:
            banner.impressions += 1
            self.changed.add(banner.banner_id)

    def choose(self, affinity: Mapping[str, float]) -> tuple[list[Banner], list[Banner]]:
        """Main and sub banners for one page, the best first.

        Args:
            affinity: share of the visitor's interest by category slug, adding up to one at most.
        """
        waiting: dict[str, list[Banner]] = {"main": [], "sub": []}
        for _draw, _id, banner in sorted(
            ((self._draw(banner, affinity), banner.banner_id, banner) for banner in self.by_id.values()),
            key=lambda each: each[:2],
        ):
            waiting[banner.fields["type"]].append(banner)  # the best last, to be popped
        chosen: dict[str, list[Banner]] = {"main": [], "sub": []}
        for turn in _ORDER:
            other = {
                banner.category for banner in chosen["sub" if turn == "main" else "main"] if banner.category
            }
            while waiting[turn]:
                banner = waiting[turn].pop()
                if banner.category not in other:
                    chosen[turn].append(banner)
                    break
        return chosen["main"], chosen["sub"]

    def _draw(self, banner: Banner, affinity: Mapping[str, float]) -> float:
        liking = max((affinity.get(level, 0.0) for level in banner.category), default=0.0)
        misses = max(0, banner.impressions - banner.clicks)
        return self._random.betavariate(
            PRIOR_CLICKS + AFFINITY_CLICKS * liking + banner.clicks,
            PRIOR_MISSES + misses,
        )
