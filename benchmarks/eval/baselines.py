"""What anyone would try first: popularity, association rules, plain VMIS-kNN; each in a few lines."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.eval.data import Order, Session


def best(scores: dict[int, float], without: Sequence[int], size: int) -> list[int]:
    hidden = set(without)
    ranked = sorted((item for item in scores if item not in hidden), key=lambda item: (-scores[item], item))
    return ranked[:size]


class PopularItems:
    name = "popularity"

    def __init__(self, groups: Sequence[Session | Order]) -> None:
        counts = Counter(item for group in groups for item in group.items)
        self._ranked = [item for item, _ in counts.most_common(1_000)]

    def next(self, items: list[int], _times: list[float], size: int) -> list[int]:
        return [item for item in self._ranked if item != items[-1]][:size]

    def partners(self, items: list[int], size: int) -> list[int]:
        hidden = set(items)
        return [item for item in self._ranked if item not in hidden][:size]


LONGEST = 200
"""Products of an order that rules are made of; a wholesaler's thousand lines make a million pairs."""


class AssociationRules:
    """P(b|a): from the last item of a session, or summed over a basket."""

    name = "association rules"

    def __init__(self, groups: Sequence[Session | Order]) -> None:
        self._pairs: dict[int, Counter[int]] = defaultdict(Counter)
        self._counts: Counter[int] = Counter()
        for group in groups:
            distinct = set(group.items)
            if len(distinct) > LONGEST:
                continue
            self._counts.update(distinct)
            for item in distinct:
                self._pairs[item].update(distinct)

    def next(self, items: list[int], _times: list[float], size: int) -> list[int]:
        return best(dict(self._pairs.get(items[-1], {})), items[-1:], size)

    def partners(self, items: list[int], size: int) -> list[int]:
        scores: dict[int, float] = defaultdict(float)
        for item in items:
            for other, count in self._pairs.get(item, {}).items():
                scores[other] += count / self._counts[item]
        return best(scores, items, size)


class PlainVmis:
    """VMIS-kNN as published (Kersbergen et al., SIGMOD 2022): m = 500, k = 100."""

    name = "VMIS-kNN, plain"

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions
        self._holding: dict[int, list[int]] = defaultdict(list)
        for number, session in enumerate(sessions):
            for item in dict.fromkeys(session.items):
                self._holding[item].append(number)

    def next(self, items: list[int], _times: list[float], size: int) -> list[int]:
        query = list(dict.fromkeys(reversed(items)))[:9]
        similar: dict[int, float] = defaultdict(float)
        shared: dict[int, int] = {}
        for place, item in enumerate(query):
            for number in self._holding.get(item, ())[-500:]:
                similar[number] += (len(query) - place) / len(query)
                shared.setdefault(number, place + 1)
        scores: dict[int, float] = defaultdict(float)
        neighbours = sorted(similar, key=lambda number: (-similar[number], -number))[:100]
        for number in neighbours:
            match = max(0.0, 1.0 - 0.1 * shared[number])
            for item in set(self._sessions[number].items):
                idf = math.log(len(self._sessions) / len(self._holding[item]))
                scores[item] += similar[number] * match * idf
        return best(scores, items[-1:], size)
