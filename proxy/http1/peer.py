"""Whose server it is, and how its failures are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from proxy.errors import PeerError, Source
    from proxy.http1.origin import Origin

_Error = TypeVar("_Error", bound="PeerError")


class Peer:
    """The far end, for error messages: they name it and what happened, and no visitor's data.

    Args:
        origin: where it is.
        source: whose it is.
    """

    __slots__ = ("_name", "_source")

    def __init__(self, origin: Origin, source: Source) -> None:
        self._name = str(origin)
        self._source = source

    def failed(self, kind: type[_Error], what: str) -> _Error:
        """An error of ``kind`` that says ``what`` happened at this peer."""
        return kind(f"{self._source} {self._name}: {what}", self._source)
