"""Page views that several workers share: the fragments of one page may come to any of them.

One worker is responsible for a visitor: it makes the calls, and the others ask it. Where it has gone, the
next in line is; where nobody answers, each helps itself. Before it makes a page view, it asks the others
whether the page itself came to one of them, and began it there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec
from msgspec import Struct

from proxy.calls import Call, Pending
from proxy.errors import MalformedResponse, PeerError
from proxy.events import page_event
from proxy.models import Page, Recommendations
from proxy.views import SIBLING_SECONDS, Asked, Seen, Views, group_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.metrics import Metrics
    from proxy.personalize import PageView, Personalizer
    from proxy.views import Group

GRACE = 1.0
"""Seconds beyond a fragment's deadline in which a neighbour must have answered: it may be writing the event
to its disk. Only a worker that hangs takes longer; then we do it ourselves, and the event may count twice."""

HELD_SECONDS = 0.25
"""For the neighbours to say whether they have a page view: they look it up, and only one that is very busy
takes longer. Then the page view may count twice."""


class Question(Struct, frozen=True):
    """What one worker asks another.

    Attributes:
        asked: what the fragment's request knows.
        left: seconds until its deadline.
        name: of the worker that asks.
        what: ``held``: whether the page view is there. ``look``: what it was answered; ``join``: the same, if
            it is there.
    """

    asked: Asked
    left: float
    name: str
    what: Literal["held", "look", "join"]


class Answer(Struct, frozen=True, omit_defaults=True):
    """What the other says.

    Attributes:
        held: whether the page view is there.
        page, recommendations, outcome: as in `Seen`.
    """

    held: bool = False
    page: Page | None = None
    recommendations: Recommendations | None = None
    outcome: str = "unknown"


class Others(Protocol):
    """The workers of this machine: see `Neighbours`."""

    name: str

    def all(self) -> list[str]:
        """Those who live, ourselves among them."""

    def responsible(self, key: bytes) -> list[str]:
        """The same, in the order in which they are responsible for a key."""

    async def ask(self, name: str, question: bytes, seconds: float) -> bytes:
        """What one of them answers."""


Key = tuple["Group", Page | None, str]
"""For what is searched: a visitor's view, the page, and its address."""

_question = msgspec.json.Decoder(Question)
_answer = msgspec.json.Decoder(Answer)


class SharedViews(Views):
    """The page views of the last few seconds, of all workers of a machine.

    Args:
        personalizer: makes the calls.
        window: as in `Views`.
        clock: as in `Views`.
        metrics: where is counted whom a fragment was shared with, and who failed.
    """

    def __init__(
        self, personalizer: Personalizer, *, window: float, clock: Callable[[], float], metrics: Metrics
    ) -> None:
        super().__init__(personalizer, window=window, clock=clock)
        self._deadline = personalizer.deadline
        self._metrics = metrics
        self._searches: dict[Key, asyncio.Future[None]] = {}
        self.others: Others | None = None

    async def look(self, asked: Asked, started: float) -> Seen:
        """The answer to a page view, from the worker that is responsible for its visitor."""
        others = self.others
        if others is None or self.holds(asked):
            return await super().look(asked, started)
        for name in others.responsible(asked.visitor.anonymous_id.encode()):
            if name == others.name:
                break
            try:
                answer = await self._ask(
                    others, name, Question(asked, self._left(started), others.name, "look")
                )
            except PeerError as error:
                self._metrics.failures("proxy", type(error).__name__)
            except TimeoutError:
                self._metrics.failures("proxy", "WorkerTimeout")
            else:
                return Seen(answer.page, answer.recommendations, answer.outcome)
        return await super().look(asked, started)

    async def enter(self, asked: Asked, started: float) -> PageView | None:
        """The page view that a request belongs to, or makes, unless another worker has it."""
        if self.others is not None and not self.holds(asked):
            await self._searched(self.others, asked, started)
        return await super().enter(asked, started)

    async def serve(self, message: bytes) -> bytes:
        """Answers another worker.

        Raises:
            ValueError: it speaks another version's language.
        """
        question = _question.decode(message)
        asked = question.asked
        search = self._searches.get(_key(asked))
        if (
            question.what == "held"
            and search is not None
            and self.others
            and self.others.name < question.name
        ):
            # Both look for it, while a worker comes or goes: the first in the alphabet makes it.
            await asyncio.shield(search)
        if question.what != "look" and not self.holds(asked):
            return msgspec.json.encode(Answer())
        if question.what == "held":
            return msgspec.json.encode(Answer(held=True))
        started = self._clock() - self._deadline + question.left
        seen = await super().look(asked, started)
        return msgspec.json.encode(Answer(True, seen.page, seen.answer, seen.outcome))

    def _left(self, started: float) -> float:
        return max(0.0, started + self._deadline - self._clock())

    @staticmethod
    async def _ask(others: Others, name: str, question: Question) -> Answer:
        held = question.what == "held"
        seconds = min(HELD_SECONDS, question.left) if held else question.left + GRACE
        answer = await others.ask(name, msgspec.json.encode(question), seconds)
        try:
            return _answer.decode(answer)
        except msgspec.DecodeError as error:  # of another version, while workers are replaced
            raise MalformedResponse(f"worker {name}: {error}", "proxy") from None

    async def _searched(self, others: Others, asked: Asked, started: float) -> None:
        """Looks for a page view at all other workers, once for all requests that miss it now."""
        key = _key(asked)
        search = self._searches.get(key)
        if search is not None:
            await asyncio.shield(search)
            return
        search = self._searches[key] = asyncio.get_running_loop().create_future()
        try:
            await self._search(others, asked, started)
        finally:
            del self._searches[key]
            search.set_result(None)

    async def _search(self, others: Others, asked: Asked, started: float) -> None:
        names = [name for name in others.all() if name != others.name]
        held = Question(asked, self._left(started), others.name, "held")
        answers = await asyncio.gather(
            *[self._ask(others, name, held) for name in names], return_exceptions=True
        )
        for name, found in zip(names, answers, strict=True):
            if not (isinstance(found, Answer) and found.held):
                continue
            try:
                answer = await self._ask(
                    others, name, Question(asked, self._left(started), others.name, "join")
                )
            except (PeerError, TimeoutError):
                continue
            if answer.page is not None:
                self._adopt(asked, answer.page, answer.recommendations)
                return

    def _adopt(self, asked: Asked, page: Page, recommendations: Recommendations | None) -> None:
        """Remembers what another worker's page view was answered; if it wasn't yet, only for a moment."""
        view = self._personalizer.view(asked.visitor, asked.context, self._clock())
        pending = Pending(page_event(page) or {}, asked.visitor, asked.context, view.now())
        view.name, view.address = asked.view, asked.address
        view.join(page, Call.elsewhere(self._personalizer, pending, recommendations), view.deadline)
        self.add(view, self._window if recommendations is not None else SIBLING_SECONDS)


def _key(asked: Asked) -> Key:
    return group_of(asked.visitor, asked.view), asked.page, asked.address
