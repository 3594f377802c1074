"""Logs: structlog, one line an event, for people on a terminal and as JSON elsewhere.

Secrets never reach them: settings hold them as ``SecretStr``, and the processor below blanks what
looks like a credential under any key.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

CREDENTIAL = re.compile(r"(?i)\b(basic|bearer)\s+[a-z0-9+/=._~-]{8,}")
"""An Authorization value, wherever an error message quotes it."""

SECRET_KEYS = frozenset({"api_key", "api_secret", "secret_keys", "admin_token", "authorization", "cookie"})


class Log(Protocol):
    """The part of structlog's logger that we use."""

    def info(self, event: str, **fields: Any) -> Any:
        """Something worth knowing."""

    def warning(self, event: str, **fields: Any) -> Any:
        """Something that someone should look at."""


class StandardError:
    """Writes lines to what standard error is at the moment.

    A line that can't be written (the disk is full, nobody reads any more) is lost, and nothing else is:
    whoever logs is in the middle of delivering a page or an event.
    """

    _one = threading.Lock()

    def __init__(self, *_names: str) -> None:
        """All loggers, whatever their names, write to the same place."""

    def msg(self, line: str) -> None:
        """Writes the line at once."""
        with self._one, contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def blank_secrets(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blanks credentials in every value of a log line."""
    for key, value in fields.items():
        if key in SECRET_KEYS:
            fields[key] = "…"
        elif isinstance(value, str):
            fields[key] = CREDENTIAL.sub(r"\1 …", value)
    return fields


def configure(level: str, form: Literal["auto", "console", "json"]) -> Log:
    """Sets up structlog, and the standard library's log for the libraries that use it; to standard error."""
    people = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        blank_secrets,
    ]
    last: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if people
        else structlog.processors.JSONRenderer()
    )
    threshold = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=StandardError,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
    return cast("Log", structlog.get_logger())
