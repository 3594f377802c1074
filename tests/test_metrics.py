"""Figures that are counted beside Prometheus say what Prometheus would have said."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from proxy.metrics import SECONDS, Metrics

DURATIONS = st.lists(
    st.one_of(st.sampled_from(SECONDS), st.floats(min_value=0, max_value=100, allow_nan=False)), max_size=30
)


def samples(text, name):
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.decode().splitlines()
        if line.startswith(name) and "_created" not in line
    }


@settings(max_examples=50)
@given(st.lists(DURATIONS, min_size=1, max_size=3))
def test_durations_fall_into_the_buckets_that_prometheus_would_choose(scrapes):
    metrics, registry = Metrics(), CollectorRegistry()
    plain = Histogram("datacue_vendor_seconds", "The same.", buckets=SECONDS, registry=registry)
    for durations in scrapes:
        for duration in durations:
            metrics.vendor_seconds(duration)
            plain.observe(duration)
        ours = samples(metrics.expose(), "datacue_vendor_seconds")
        theirs = samples(generate_latest(registry), "datacue_vendor_seconds")
        assert ours.keys() == theirs.keys()
        assert all(abs(ours[key] - theirs[key]) < 1e-6 for key in ours)
