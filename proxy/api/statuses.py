"""A batch's answer, item by item (guide, "Batch": 207 with a ``status`` list).

The guide promises a status per item, and its own samples name users by ``product_id``. So statuses are
matched by order where that is possible, and by id where it is not; an item of which nothing can be read
is nobody's success.
"""

from __future__ import annotations

from collections import defaultdict, deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from proxy.api.call import DONE
from proxy.api.errors import ApiError, BadAnswer, ItemRefused, NoStatus
from proxy.api.refusals import plain, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.api.call import Answer

Ids = tuple[str, ...]
"""An item's ids: of a product, also its variant's."""

ID_FIELDS: Final = ("product_id", "user_id", "order_id", "banner_id", "category_id")


def read_statuses(answer: Answer, name: str) -> list[Any]:
    """The list of statuses in a batch's answer: below ``status``, or the whole document.

    Raises:
        BadAnswer: there is none, so that nobody knows of any item.
    """
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        document = None
    found = document.get("status") if isinstance(document, dict) else document
    if isinstance(found, list):
        return found
    said = f"{answer.status} without a status per item"
    raise BadAnswer(said, name, answer.status)


def match(statuses: Sequence[Any], items: Sequence[Ids], request: str) -> list[ApiError | None]:
    """What became of each item: None for done.

    Args:
        statuses: as they came.
        items: the ids of what was sent, in its order.
        request: the call's name, for errors.
    """
    ordered = in_order(statuses, items)
    return [
        NoStatus("the answer says nothing of it", request) if status is None else judge(status, request)
        for status in ordered
    ]


def in_order(statuses: Sequence[Any], items: Sequence[Ids]) -> list[Any]:
    """The statuses in the items' order; None where there is none for an item."""
    named = [names(status) for status in statuses]
    items = [alike(item) for item in items]
    if len(statuses) == len(items) and all(
        not name or fits(name, item) for name, item in zip(named, items, strict=True)
    ):
        return list(statuses)
    known: defaultdict[Ids, deque[Any]] = defaultdict(deque)
    for name, status in zip(named, statuses, strict=True):
        if name:
            known[name].append(status)
    found = []
    for item in items:
        waiting = known.get(item) or known.get(item[:1])
        found.append(waiting.popleft() if waiting else None)
    return found


def names(status: object) -> Ids:
    """The ids that a status names, under whatever kind's field, spelled alike; none if it names none."""
    if not isinstance(status, dict):
        return ()
    for field in ID_FIELDS:
        if isinstance(status.get(field), str | int):
            told = (status[field], status.get("variant_id"))
            return alike([str(name) for name in told if isinstance(name, str | int)])
    return ()


def alike(ids: Sequence[str]) -> Ids:
    """Ids without what a vendor may make of them when it stores them: blanks around, and letters' case."""
    return tuple(name.strip().casefold() for name in ids)


def fits(name: Ids, item: Ids) -> bool:
    """Whether a status's ids may be an item's: one of them may leave the variant out."""
    return all(ours == theirs for ours, theirs in zip(item, name, strict=False))


def judge(status: object, request: str) -> ApiError | None:
    """What a status says: None for OK."""
    word = status.get("status") if isinstance(status, dict) else status
    if isinstance(word, int):
        word = _in_words(word)
    word = word.strip().lower() if isinstance(word, str) else ""
    if word == "ok":
        return None
    if word == "error":
        said = plain(sentence(status)) if isinstance(status, dict) else ""
        return ItemRefused(said or "refused without a reason", request)
    return NoStatus("the answer has no readable status of it", request)


def _in_words(status: int) -> str:
    """An HTTP status, which some give an item instead of a word; "" for what is none, as true."""
    if status in DONE:
        return "ok"
    return "error" if status >= HTTPStatus.BAD_REQUEST else ""
