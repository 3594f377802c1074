"""The request's body on its way out: the only task that an exchange may have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Outflow(Protocol):
    """What an upload needs of its connection."""

    def write(self, data: bytes) -> None:
        """Sends, or keeps until the socket takes it."""
        ...

    def write_chunk(self, data: bytes) -> None:
        """Sends one chunk of a chunked body, at least 1 byte."""
        ...

    async def may_go_on(self) -> None:
        """Waits until the socket takes more."""
        ...

    def upload_done(self) -> None:
        """The request's last byte is written."""
        ...


async def upload(
    outflow: Outflow,
    body: bytes | AsyncIterator[bytes],
    length: int | None,
    continued: asyncio.Future[bool] | None,
    patience: float,
) -> None:
    """Sends a request's body as fast as the peer takes it; cancelled when nobody wants the rest.

    Args:
        outflow: the connection; its head is written.
        body: the bytes, or where they come from: closed at the end if it is a generator. What it
            raises goes to the response's reader as it is.
        length: what the head says; None sends chunks.
        continued: True when the peer said 100 Continue, False when its final response came first and
            the body is not wanted; None without expectation.
        patience: seconds to wait for that before the body goes out anyway.

    Raises:
        ValueError: the body is not as long as the head says.
    """
    try:
        if continued is not None and not await _wanted(continued, patience):
            return
        if isinstance(body, bytes):
            outflow.write(body)
        elif length is None:
            await _send_chunks(outflow, body)
        else:
            await _send_exactly(outflow, body, length)
        outflow.upload_done()
    finally:
        if isinstance(body, AsyncGenerator):
            await body.aclose()


async def _wanted(continued: asyncio.Future[bool], patience: float) -> bool:
    await asyncio.wait((continued,), timeout=patience)
    return continued.result() if continued.done() else True


async def _send_chunks(outflow: Outflow, body: AsyncIterator[bytes]) -> None:
    async for piece in body:
        if piece:  # an empty chunk would be the last
            outflow.write_chunk(piece)
            await outflow.may_go_on()
    outflow.write(b"0\r\n\r\n")


async def _send_exactly(outflow: Outflow, body: AsyncIterator[bytes], length: int) -> None:
    left = length
    while left:
        # Not one step beyond the last byte: the peer may answer before the source says it is over.
        piece = await anext(body, None)
        if piece is None:
            raise ValueError(f"the request's body ended {left} bytes short of its {length}")
        if len(piece) > left:
            raise ValueError(f"the request's body is longer than its {length} bytes")
        left -= len(piece)
        if piece:
            outflow.write(piece)
            await outflow.may_go_on()
