"""DataCue's credentials and address, tried with the one call that changes nothing: the overview."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import httpx

from proxy.checking.model import Finding
from proxy.checking.network import clocks, reach
from proxy.errors import SettingsError
from proxy.http1 import Origin
from proxy.signing import authorization

if TYPE_CHECKING:
    from proxy.settings import Settings

SECONDS: Final = 10.0
"""For the overview."""

KINDS: Final = ("categories", "products", "orders", "users")


async def check_datacue(settings: Settings) -> list[Finding]:
    """What stands between us and DataCue.

    Raises:
        SettingsError: an address can't be used.
    """
    if settings.embedded_engine:
        state = settings.state_dir / "engine.sqlite"
        known = f"its data is {state}" if state.exists() else "it knows nothing yet: pages or `crawl` fill it"
        return [Finding("datacue", "ok", "api_key", f"none, so the embedded engine answers; {known}")]
    findings: list[Finding] = []
    for key in ("events_url", "api_url"):
        findings += await reach(_origin(key, getattr(settings, key)), key, "datacue")
    if any(finding.level == "problem" and finding.about == "api_url" for finding in findings):
        return findings
    return findings + await _overview(settings)


def _origin(key: str, url: str) -> Origin:
    try:
        return Origin.parse(url)
    except ValueError as error:
        raise SettingsError(key, str(error), "Write http://host:port.") from None


async def _overview(settings: Settings) -> list[Finding]:
    """``GET /overview``, signed (every plugin of the vendor's checks credentials so)."""
    if settings.api_key is None or settings.api_secret is None:
        text = "not set: the key can't be tried without an event, and orders and sign-ups can't be sent"
        return [Finding("datacue", "hint", "api_secret", text, "Set DATACUE_API_SECRET, or try with --ask.")]
    signed = authorization(settings.api_key.get_secret_value(), settings.api_secret.get_secret_value(), b"")
    url = f"{settings.api_url.rstrip('/')}/overview"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client:
            answer = await client.get(url, headers={"Authorization": signed.decode()})
    except httpx.HTTPError as error:
        text = f"GET {url} fails: {error or type(error).__name__}"
        return [Finding("datacue", "problem", "api_url", text, "Look at the network's way out.")]
    heard = [(name.lower(), value) for name, value in answer.headers.raw]
    found = list(clocks([("DataCue", heard, time.time())], "datacue"))
    if answer.status_code in {401, 403}:
        text = f"DataCue refuses them ({answer.status_code})"
        mend = "Copy both from DataCue's dashboard, without spaces; the secret belongs to this key."
        return [Finding("datacue", "problem", "api_key, api_secret", text, mend), *found]
    if answer.status_code != httpx.codes.OK:
        text = f"GET {url} answers {answer.status_code}: {answer.text[:80].strip()}"
        return [Finding("datacue", "problem", "api_url", text, "Leave api_url out, or mend it."), *found]
    return [Finding("datacue", "ok", "api_key, api_secret", _counts(answer)), *found]


def _counts(answer: httpx.Response) -> str:
    try:
        counts: dict[str, Any] = answer.json()
    except ValueError:
        return "accepted"
    if isinstance(products := counts.get("products"), dict):
        counts["products"] = products.get("products")
    told = [f"{counts[kind]:,} {kind}" for kind in KINDS if isinstance(counts.get(kind), int)]
    return f"accepted; DataCue knows {', '.join(told)}" if told else "accepted"
