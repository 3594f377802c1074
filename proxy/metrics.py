"""Counters and histograms, by name, with bounded vocabularies for every label.

One object a process, made by the assembly and handed to whoever counts. With several workers
prometheus-client keeps the figures in shared files, and the admin address adds them up at scrape.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bucket edges, in seconds: from a loopback answer to the vendor's timeout."""

REFRESH_SECONDS = 1.0
"""Between two looks at a worker's figures: as late as a scrape of several workers may be."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Tally:
    """A labelled counter that counts in a dict, and tells Prometheus when somebody looks: 0.1 µs a count."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._counts: dict[tuple[str, ...], float] = {}

    def __call__(self, *labels: str, amount: float = 1.0) -> None:
        """Counts once (or ``amount``) under these label values, in the counter's label order."""
        self._counts[labels] = self._counts.get(labels, 0.0) + amount

    def once(self, labels: tuple[str, ...]) -> None:
        """Counts once; for what is counted with every page."""
        counts = self._counts
        counts[labels] = counts.get(labels, 0.0) + 1.0

    def tell(self) -> None:
        """Hands on what was counted since the last time."""
        counts, self._counts = self._counts, {}
        for labels, amount in counts.items():
            self._counter.labels(*labels).inc(amount)


class _Histogram(Histogram):
    """A histogram that takes many observations at once."""

    def add(self, counts: Sequence[int], total: float) -> None:
        """Takes what was counted elsewhere: how many fell into each bucket, and their sum."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            bucket.inc(count)
        self._sum.inc(total)


class Timing:
    """A histogram of seconds that counts in a list, and tells Prometheus when somebody looks."""

    def __init__(self, histogram: _Histogram) -> None:
        self._histogram = histogram
        self._counts = [0] * (len(SECONDS) + 1)
        self._total = 0.0

    def __call__(self, seconds: float) -> None:
        """Observes a duration."""
        self._counts[bisect_left(SECONDS, seconds)] += 1
        self._total += seconds

    def tell(self) -> None:
        """Hands on what was observed since the last time."""
        counts, self._counts = self._counts, [0] * (len(SECONDS) + 1)
        total, self._total = self._total, 0.0
        self._histogram.add(counts, total)


class _Elsewhere:
    """A tally that somebody else keeps, by (event, priority); told as far as it has grown."""

    def __init__(self, counter: Counter, tally: Mapping[Any, int]) -> None:
        self._counter = counter
        self._tally = tally
        self._told: dict[Any, int] = {}

    def tell(self) -> None:
        """Hands on what was counted since the last time."""
        for key, times in list(self._tally.items()):
            event, priority = key
            grown = times - self._told.get(key, 0)
            self._counter.labels(event, priority.name.lower() if priority is not None else "").inc(grown)
            self._told[key] = times


class Metrics:
    """Everything that is counted.

    Outcomes of a page: ``rewritten``, ``untouched`` (no slot in it), ``bypass:<reason>``.
    Outcomes of a slot: ``hit``, ``empty`` (nothing to say), ``late`` (deadline), ``down`` (breaker
    open), ``error`` (the vendor failed), ``unknown`` (a page of unknown kind), ``failed`` (a
    template of the operator's). All but ``hit`` keep the shop's content.
    Outcomes of a fragment: those of a slot, and ``bypass:<reason>``.
    Outcomes of an event: ``acknowledged``, ``stored`` (in the outbox), ``refused`` (4xx), ``lost``.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._tallies: list[Tally | Timing] = []
        self._gauges: dict[str, tuple[Gauge, Callable[[], float]]] = {}
        self._counters: dict[str, Counter] = {}
        self._elsewhere: dict[str, _Elsewhere] = {}
        self.pages = self._tally("pages", "Pages by kind and what became of them.", ["page", "outcome"])
        self.slots = self._tally("slots", "Slots by widget and what became of them.", ["widget", "outcome"])
        self.fragments = self._tally(
            "fragments", "Fragments by widget and what became of them.", ["widget", "outcome"]
        )
        self.events = self._tally("events", "Events by type and what became of them.", ["type", "outcome"])
        self.refused = self._tally("refused_requests", "Requests refused at the edge.", ["reason"])
        self.failures = self._tally("failures", "Failures by whose they are.", ["source", "error"])
        self.bailed = self._tally("bailed_pages", "Pages given up and passed on raw.", ["reason"])
        self.learned = self._tally("learned_products", "Products read from pages.", ["outcome"])
        self.page_cache = self._tally(
            "page_cache", "Requests of the page cache, and what became of them.", ["outcome"]
        )
        self.vendor_seconds = self._timing("vendor_seconds", "Duration of calls to DataCue.")
        self.upstream_seconds = self._timing("upstream_seconds", "Time until the shop's response began.")
        self.wait_seconds = self._timing("slot_wait_seconds", "Time that pages waited for recommendations.")

    def _tally(self, name: str, text: str, labels: Sequence[str]) -> Tally:
        tally = Tally(Counter(f"datacue_{name}", text, labels, registry=self.registry))
        self._tallies.append(tally)
        return tally

    def _timing(self, name: str, text: str) -> Timing:
        timing = Timing(_Histogram(f"datacue_{name}", text, buckets=SECONDS, registry=self.registry))
        self._tallies.append(timing)
        return timing

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Registers a figure that is read at scrape: pool sizes, cache bytes, the breaker's state.

        A second time, what is read changes: an embedding app may close and open again.
        """
        if name in self._gauges:
            gauge, _ = self._gauges[name]
        else:
            gauge = Gauge(f"datacue_{name}", text, registry=self.registry, multiprocess_mode="livesum")
        self._gauges[name] = gauge, read

    def count(self, name: str, text: str, tally: Mapping[Any, int]) -> None:
        """Registers figures that are counted elsewhere, by (event, priority), and read at scrape."""
        counter = self._counters.get(name)
        if counter is None:
            labels = ["event", "priority"]
            counter = Counter(f"datacue_{name}", text, labels, registry=self.registry)
            self._counters[name] = counter
        self._elsewhere[name] = _Elsewhere(counter, tally)

    def refresh(self) -> None:
        """Brings Prometheus' figures up to now."""
        for tally in self._tallies:
            tally.tell()
        for elsewhere in self._elsewhere.values():
            elsewhere.tell()
        for gauge, read in self._gauges.values():
            gauge.set(read())

    async def keep_fresh(self) -> None:
        """Refreshes the shared files of several workers, which nobody asks before they are read."""
        while True:
            self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    def expose(self) -> bytes:
        """This process's figures in Prometheus' text format."""
        self.refresh()
        return generate_latest(self.registry)


def expose_all(folder: str) -> bytes:
    """The figures of every worker, added up, from the folder that they share."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # prometheus-client has none
    return generate_latest(registry)
