"""Names, addresses, certificates and clocks: whether the shop can be reached, and whom it is."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from proxy.checking.model import Finding
from proxy.headers import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.checking.model import Section
    from proxy.headers import Headers
    from proxy.http1 import Origin

MAX_SKEW: Final = 60.0
"""Seconds that clocks may differ: an event's timestamp, and a log's, are still of use."""

EXPIRES_SOON: Final = 14.0
"""Days before a certificate's end from which somebody should have renewed it."""

TLS_SECONDS: Final = 10.0
"""For a connection and its handshake."""


async def reach(origin: Origin, key: str, section: Section) -> list[Finding]:
    """Resolves a name, connects, and shakes hands where that is TLS.

    Args:
        origin: of whom.
        key: the setting that names it.
        section: of the report.
    """
    where = f"{origin.host}:{origin.port}"
    try:
        async with asyncio.timeout(TLS_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                origin.host, origin.port, type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError) as error:
        text = f"{origin.host} has no address: {getattr(error, 'strerror', None) or 'no answer in time'}"
        return [Finding(section, "problem", key, text.lower(), "Mend the host name, or write its address.")]
    addresses = [*dict.fromkeys(info[4][0] for info in found)]
    context = ssl.create_default_context() if origin.scheme == "https" else None
    try:
        async with asyncio.timeout(TLS_SECONDS):
            _, writer = await asyncio.open_connection(
                origin.host, origin.port, ssl=context, server_hostname=origin.host if context else None
            )
    except ssl.SSLCertVerificationError as error:
        return [_untrusted(origin, key, section, error)]
    except (ssl.SSLError, ConnectionResetError) as error:
        text = f"{where} doesn't speak TLS: {getattr(error, 'reason', None) or error}"
        mend = f"Write http://{where} if it listens without TLS."
        return [Finding(section, "problem", key, text, mend)]
    except (OSError, TimeoutError) as error:
        reason = (getattr(error, "strerror", None) or "no answer in time").lower()
        mend = (
            "Start the shop, or mend its address." if section == "shop" else "Look at the network's way out."
        )
        return [Finding(section, "problem", key, f"{where} can't be reached: {reason}", mend)]
    findings = [Finding(section, "ok", key, f"{where} answers ({', '.join(map(str, addresses[:3]))})")]
    certificate: dict[str, Any] | None = writer.get_extra_info("peercert")
    if certificate:
        findings.append(_expiry(certificate, key, section))
    writer.close()
    return findings


def _untrusted(origin: Origin, key: str, section: Section, error: ssl.SSLCertVerificationError) -> Finding:
    reason = error.verify_message or str(error)
    mends = {
        "expired": "Renew the certificate.",
        "self": "Put its issuer into this machine's trust store, or SSL_CERT_FILE.",
        "mismatch": "Write the name that the certificate is for.",
        "not valid for": "Write the name that the certificate is for.",
        "issuer": "Put its issuer into this machine's trust store, or SSL_CERT_FILE.",
    }
    mend = next((mend for word, mend in mends.items() if word in reason.lower()), "Mend the certificate.")
    text = f"the certificate of {origin.host} isn't trusted: {reason.rstrip('.')}"
    return Finding(section, "problem", key, text, mend)


def _expiry(certificate: dict[str, Any], key: str, section: Section) -> Finding:
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    left = (end - datetime.now(UTC)).total_seconds() / 86_400
    text = f"its certificate is valid until {end:%Y-%m-%d}"
    if left < EXPIRES_SOON:
        return Finding(section, "problem", key, f"{text}, {left:.0f} days from now", "Renew the certificate.")
    return Finding(section, "ok", key, text)


def clocks(heard: Sequence[tuple[str, Headers, float]], section: Section) -> Iterator[Finding]:
    """Compares our clock with others'.

    Args:
        heard: (who, its answer's headers, our clock at that moment in unix seconds).
        section: of the report.
    """
    for who, headers, now in heard:
        skew = skew_of(headers, now)
        if skew is None:
            continue
        if abs(skew) > MAX_SKEW:
            text = f"this machine's clock is {_span(skew)} {'ahead of' if skew > 0 else 'behind'} {who}'s"
            yield Finding(section, "problem", "clock", text, "Set it by NTP: events carry its time.")
        else:
            yield Finding(section, "ok", "clock", f"agrees with {who}'s to {max(1, round(abs(skew)))} s")


def skew_of(headers: Headers, now: float) -> float | None:
    """Seconds that our clock is ahead of a ``Date`` field; None where there is none."""
    try:
        return now - parsedate_to_datetime((value_of(headers, b"date") or b"").decode("latin-1")).timestamp()
    except (TypeError, ValueError):
        return None


def _span(seconds: float) -> str:
    seconds = abs(seconds)
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
