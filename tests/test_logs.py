"""Logs: where their lines go, and what a line that can't be written costs."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
import structlog

from proxy import logs


@pytest.fixture(autouse=True)
def as_before():
    yield
    structlog.reset_defaults()


def test_a_line_goes_to_what_standard_error_is_by_then(monkeypatch):
    log = logs.configure("info", "json")
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    log.info("one", path="/")
    first.close()
    monkeypatch.setattr(sys, "stderr", second)
    log.warning("two")
    assert json.loads(second.getvalue()) | {"timestamp": ""} == {
        "event": "two",
        "level": "warning",
        "timestamp": "",
    }


def test_loggers_with_names_write_to_the_same_place(monkeypatch):
    logs.configure("info", "json")
    monkeypatch.setattr(sys, "stderr", lines := io.StringIO())
    structlog.get_logger("proxy.outbox.relay").error("one")
    assert json.loads(lines.getvalue())["event"] == "one"


def test_a_line_is_written_at_once(monkeypatch, tmp_path):
    log = logs.configure("info", "json")
    with (tmp_path / "log").open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        log.info("one")
        assert json.loads((tmp_path / "log").read_text())["event"] == "one"


@pytest.mark.parametrize("why", ["closed", "full"])
def test_a_line_that_cannot_be_written_stops_nobody(monkeypatch, why):
    log = logs.configure("info", "json")
    stream = Path("/dev/full").open("w")  # noqa: SIM115 -- its close fails, too
    if why == "closed":
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    log.info("one")
    log.warning("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", again := io.StringIO())
        log.info("three")
        assert "three" in again.getvalue()
    if why == "full":
        with pytest.raises(OSError, match="No space"):
            stream.close()


def test_what_is_not_of_the_level_is_not_written(monkeypatch):
    log = logs.configure("warning", "json")
    monkeypatch.setattr(sys, "stderr", lines := io.StringIO())
    log.info("one")
    assert not lines.getvalue()


@pytest.mark.parametrize("key", sorted(logs.SECRET_KEYS))
def test_secrets_are_blanked(monkeypatch, key):
    log = logs.configure("info", "json")
    monkeypatch.setattr(sys, "stderr", lines := io.StringIO())
    log.info("one", error="refused: Authorization: Basic c2VjcmV0OnNlY3JldA==", **{key: "hush"})
    assert "hush" not in lines.getvalue()
    assert "c2VjcmV0" not in lines.getvalue()
