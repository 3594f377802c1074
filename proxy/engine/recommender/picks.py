"""What every index returns: items with a score and the reason for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Pick(NamedTuple):
    """One recommended item, and why.

    ``score`` compares picks of one method only; ``support`` counts the observations behind it:
    sessions, orders, shared terms or events.
    """

    item: int
    score: float
    method: str
    support: float


def ranked(scores: Mapping[int, float], support: Mapping[int, float], method: str, limit: int) -> list[Pick]:
    """The best of the scored items; ties go to the lower number, so that equal inputs rank equally."""
    return [Pick(item, scores[item], method, support.get(item, 0.0)) for item in best(scores, limit)]


def best(scores: Mapping[int, float], limit: int) -> list[int]:
    """The items of the highest scores, the best first; ties go to the lower number."""
    items = sorted(scores)
    items.sort(key=scores.__getitem__, reverse=True)  # stable, and without a Python call per item
    return items[:limit]


def blended(parts: Iterable[tuple[float, Mapping[int, float]]]) -> dict[int, float]:
    """Weighted sum of scores, each part scaled to a greatest score of one."""
    total: dict[int, float] = {}
    for weight, scores in parts:
        greatest = max(scores.values(), default=0.0)
        if greatest <= 0.0 or weight <= 0.0:
            continue
        factor = weight / greatest
        for item, score in scores.items():
            total[item] = total.get(item, 0.0) + factor * score
    return total
