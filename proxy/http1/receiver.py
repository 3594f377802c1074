"""Who gets a response, and what they may ask of the connection that brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxy.http1.head import ResponseHead
    from proxy.http1.message import Headers
    from proxy.http1.tunnel import Tunnel


class Inflow(Protocol):
    """What a receiver may ask of the connection."""

    @property
    def was_stale(self) -> bool:
        """Whether it had served before and then broke without one byte of answer."""
        ...

    def pause(self) -> None:
        """The receiver has enough: read no more from the socket."""
        ...

    def resume(self) -> None:
        """The receiver has taken what there was: read from the socket again."""
        ...

    def hand_to(self, receiver: Receiver) -> None:
        """From now on another gets the response."""
        ...

    def close(self) -> None:
        """The response is of no interest any more."""
        ...

    async def upload_stopped(self) -> None:
        """Waits until nobody pulls from the request's body any more."""
        ...


class Receiver(Protocol):
    """Told of one response as it comes; must not raise.

    In order: ``informed`` for each 1xx, ``begin`` with the final head, ``arrived`` as the body comes,
    ``end``. Or ``fail``, once, in place of what is missing then.
    """

    def informed(self, head: ResponseHead) -> None:
        """A 1xx response but 101."""
        ...

    def begin(self, head: ResponseHead, chunks: list[bytes], inflow: Inflow) -> None:
        """The final head. ``chunks`` is where the body's bytes will be, to be taken out."""
        ...

    def arrived(self, size: int) -> None:
        """``size`` more bytes are in ``chunks``; 0 where the head came alone."""
        ...

    def end(self, trailers: Headers, *, keep_inflow: bool) -> None:
        """The body has arrived whole, its last bytes are in ``chunks``.

        Args:
            trailers: its trailer fields.
            keep_inflow: an upload has yet to be stopped; else the connection is not the response's any more.
        """
        ...

    def switched(self, tunnel: Tunnel) -> None:
        """It was a 101, and there will be no body: the connection is a tunnel now."""
        ...

    def fail(self, error: BaseException, *, discard: bool) -> None:
        """There is no complete end.

        Args:
            error: why.
            discard: what is in ``chunks`` must not be passed on. Bytes after the body's end must stop the
                message before its last byte was passed on, or it would look complete.
        """
        ...
