"""Counters and histograms, by name, with bounded vocabularies for every label.

One object a process, made by the assembly and handed to whoever counts. With several workers
prometheus-client keeps the figures in shared files, and the admin address adds them up at scrape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bucket edges, in seconds: from a loopback answer to the vendor's timeout."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Tally:
    """A labelled counter whose children are looked up once: about 0.3 µs a count."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._children: dict[tuple[str, ...], Callable[[float], None]] = {}

    def __call__(self, *labels: str, amount: float = 1.0) -> None:
        """Counts once (or ``amount``) under these label values, in the counter's label order."""
        count = self._children.get(labels)
        if count is None:
            count = self._children[labels] = self._counter.labels(*labels).inc
        count(amount)


class _Counted(Collector):
    """A tally of somebody else's, as a counter. With several workers each shows its own alone."""

    def __init__(self, name: str, text: str, tally: Mapping[Any, int]) -> None:
        self._name = name
        self._text = text
        self._tally = tally

    def collect(self) -> Iterable[CounterMetricFamily]:
        """The figures now."""
        family = CounterMetricFamily(self._name, self._text, labels=["event", "priority"])
        for (event, priority), times in list(self._tally.items()):
            family.add_metric([event, priority.name.lower() if priority is not None else ""], times)
        yield family


class Metrics:
    """Everything that is counted.

    Outcomes of a page: ``rewritten``, ``untouched`` (no slot in it), ``bypass:<reason>``.
    Outcomes of a slot: ``hit``, ``empty`` (nothing to say), ``late`` (deadline), ``down`` (breaker
    open), ``error`` (the vendor failed), ``unknown`` (a page of unknown kind), ``failed`` (a
    template of the operator's). All but ``hit`` keep the shop's content.
    Outcomes of an event: ``acknowledged``, ``stored`` (in the outbox), ``refused`` (4xx), ``lost``.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._counted: dict[str, Collector] = {}
        self.pages = self._tally("pages", "Pages by kind and what became of them.", ["page", "outcome"])
        self.slots = self._tally("slots", "Slots by widget and what became of them.", ["widget", "outcome"])
        self.events = self._tally("events", "Events by type and what became of them.", ["type", "outcome"])
        self.refused = self._tally("refused_requests", "Requests refused at the edge.", ["reason"])
        self.failures = self._tally("failures", "Failures by whose they are.", ["source", "error"])
        self.bailed = self._tally("bailed_pages", "Pages given up and passed on raw.", ["reason"])
        self.learned = self._tally("learned_products", "Products read from pages.", ["outcome"])
        self.vendor_seconds = self._histogram("vendor_seconds", "Duration of calls to DataCue.").observe
        self.upstream_seconds = self._histogram(
            "upstream_seconds", "Time until the shop's response began."
        ).observe
        self.wait_seconds = self._histogram(
            "slot_wait_seconds", "Time that pages waited for recommendations."
        ).observe

    def _tally(self, name: str, text: str, labels: Sequence[str]) -> Tally:
        return Tally(Counter(f"datacue_{name}", text, labels, registry=self.registry))

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"datacue_{name}", text, buckets=SECONDS, registry=self.registry)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Registers a figure that is read at scrape: pool sizes, cache bytes, the breaker's state.

        A second time, what is read changes: an embedding app may close and open again.
        """
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = Gauge(f"datacue_{name}", text, registry=self.registry, multiprocess_mode="livesum")
            self._gauges[name] = gauge
        gauge.set_function(read)

    def count(self, name: str, text: str, tally: Mapping[Any, int]) -> None:
        """Registers figures that are counted elsewhere, by (event, priority), and read at scrape."""
        if name in self._counted:
            self.registry.unregister(self._counted[name])
        self._counted[name] = _Counted(f"datacue_{name}", text, tally)
        self.registry.register(self._counted[name])

    def expose(self) -> bytes:
        """This process's figures in Prometheus' text format."""
        return generate_latest(self.registry)


def expose_all(folder: str) -> bytes:
    """The figures of every worker, added up, from the folder that they share."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # prometheus-client has none
    return generate_latest(registry)
