from __future__ import annotations

from proxy import http1


def test_the_package_offers_what_others_build_against() -> None:
    assert http1.__all__ == [
        "Answer",
        "Fields",
        "Headers",
        "Inflow",
        "Limits",
        "Origin",
        "Pool",
        "Receiver",
        "Request",
        "Response",
        "ResponseHead",
        "Timeouts",
        "Tunnel",
        "request_line",
        "serialize_fields",
    ]
    assert all(hasattr(http1, name) for name in http1.__all__)
