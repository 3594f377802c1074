"""What importing costs: ``client.batch`` beside the guide's sample in a loop, against the embedded engine.

Run it by hand: ``python -m benchmarks.rest_client [--rounds 5]``. The engine runs as a process; everybody
creates products of the same size, in turn, in processes of their own, each round in another order;
printed are medians. Then the peak memory of a process that imports 10,000 and 200,000 rows.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.process import Server, free_port
from proxy.api import DataCueClient, SyncDataCueClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY, SECRET = "bench-key", "bench-secret"
ROWS = {"guide": 1_000, "guide-16": 1_000, "sync": 20_000, "async": 20_000}
"""Products of a round: as many as take each of them a second or two."""

NAMES = {
    "guide": "the guide's sample in a loop (httpx, one request each)",
    "guide-16": "the same with 16 at once",
    "sync": "SyncDataCueClient.batch",
    "async": "DataCueClient.batch",
}
MEMORY_ROWS = (10_000, 200_000)


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Products with every field of the guide's sample, made as they are read, as from a file."""
    for number in range(count):
        yield {
            "product_id": f"p{number}",
            "variant_id": "v1",
            "category_1": "men",
            "category_2": "jeans",
            "category_3": "skinny",
            "name": f"cool jeans {number}",
            "brand": "zara",
            "description": "very fashionable jeans " * 5,
            "color": "blue",
            "size": "M",
            "price": "25000.00",
            "stock": 5,
            "extra": {"extra_feature": "details"},
            "photo_url": "https://cdn.example/image.png",
            "link": f"/product/p{number}",
            "owner_id": "user_id_3",
        }


def sample(product: dict[str, Any]) -> tuple[bytes, tuple[str, str]]:
    """The guide's Python sample, mended where it could not run: the body and its credentials."""
    payload = json.dumps(product).encode()
    checksum = hmac.new(SECRET.encode(), payload, hashlib.sha256)
    return payload, (KEY, checksum.hexdigest())


def guide(url: str, count: int) -> None:
    """One request after the other, over one kept connection."""
    with httpx.Client() as client:
        for product in rows(count):
            payload, auth = sample(product)
            answer = client.post(
                f"{url}/v1/products", content=payload, headers={"Content-type": "application/json"}, auth=auth
            )
            assert answer.status_code == httpx.codes.CREATED, answer.text


def guide_16(url: str, count: int) -> None:
    """The same, 16 under way at once."""

    async def main() -> None:
        source = rows(count)
        async with httpx.AsyncClient() as client:

            async def work() -> None:
                for product in source:
                    payload, auth = sample(product)
                    answer = await client.post(
                        f"{url}/v1/products",
                        content=payload,
                        headers={"Content-type": "application/json"},
                        auth=auth,
                    )
                    assert answer.status_code == httpx.codes.CREATED, answer.text

            await asyncio.gather(*(work() for _ in range(16)))

    asyncio.run(main())


def plain_batch(url: str, count: int) -> None:
    """Our client, without await."""
    with SyncDataCueClient(KEY, SECRET, api_url=f"{url}/v1", events_url=url) as client:
        done = sum(result.ok for result in client.batch.create("products", rows(count)))
    assert done == count


def async_batch(url: str, count: int) -> None:
    """Our client."""

    async def main() -> int:
        async with DataCueClient(KEY, SECRET, api_url=f"{url}/v1", events_url=url) as client:
            return sum([result.ok async for result in client.batch.create("products", rows(count))])

    assert asyncio.run(main()) == count


CONTESTANTS: dict[str, Callable[[str, int], None]] = {
    "guide": guide,
    "guide-16": guide_16,
    "sync": plain_batch,
    "async": async_batch,
}


def measure(name: str, url: str, count: int) -> dict[str, float]:
    """A contestant in a process of its own: its seconds, without the start, and its peak memory."""
    command = [sys.executable, "-m", "benchmarks.rest_client", "--contestant", name, url, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def contest(name: str, url: str, count: int) -> None:
    """What that process does."""
    began = time.perf_counter()
    CONTESTANTS[name](url, count)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": took, "peak": peak}))


def main() -> None:
    """Rounds, then memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest_client", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--contestant", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contestant:
        name, url, count = given.contestant
        contest(name, url, int(count))
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "proxy", "engine", "--listen", f"127.0.0.1:{port}"]
    keys = ["--api-key", KEY, "--api-secret", SECRET]
    root = str(Path(__file__).resolve().parents[1])
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Server([*command, *keys], port, Path(folder), {"PYTHONPATH": root}),
    ):
        rates: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
        measure("async", url, max(ROWS.values()))  # from here on everybody replaces what is there
        for _ in range(given.rounds):
            for name in random.sample(list(CONTESTANTS), len(CONTESTANTS)):
                rates[name].append(ROWS[name] / measure(name, url, ROWS[name])["seconds"])
        base = statistics.median(rates["guide"])
        print("| creating products | products a second | quartiles | of the guide's loop |")
        print("|---|---:|---:|---:|")
        for name, found in rates.items():
            low, middle, high = statistics.quantiles(found, n=4)
            print(f"| {NAMES[name]} | {middle:,.0f} | {low:,.0f} to {high:,.0f} | {middle / base:.1f} |")
        print()
        for name in ("sync", "async"):
            peaks = [measure(name, url, count)["peak"] for count in MEMORY_ROWS]
            told = ", ".join(
                f"{peak:.0f} MiB for {count:,} rows" for peak, count in zip(peaks, MEMORY_ROWS, strict=True)
            )
            print(f"peak memory of {NAMES[name]}: {told} ({peaks[1] / peaks[0]:.2f} times)")


if __name__ == "__main__":
    main()
