"""One log for everything: a line an event, JSON in production, UTC, the request's id in each."""

import logging
import sys

import structlog
from structlog.typing import Processor

from app.config import LogSettings

_QUIET = {
    # Its lines repeat what migrations/env.py prints.
    "alembic": logging.WARNING,
    # Those that speak with identity providers may repeat what no log may hold: Authlib code
    # verifiers, urllib3 addresses with their queries and, in warnings, lines of answers that it
    # cannot read. The rest of them say nothing of use.
    "authlib": logging.WARNING,
    "charset_normalizer": logging.WARNING,
    "joserfc": logging.WARNING,
    "requests": logging.WARNING,
    "urllib3": logging.ERROR,
}
"""From which level on libraries are listened to, however low that of the log is."""


def configure_logging(settings: LogSettings) -> None:
    """Send the project's events and every library's messages through one formatter to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderers: list[Processor] = (
        [structlog.processors.JSONRenderer()]
        if settings.format == "json"
        else [
            _escape_control_characters,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), sort_keys=False, repr_native_str=True
            ),
        ]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))


def _escape_control_characters(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    # A terminal would act upon them. The renderer escapes every value, but not the message.
    message = str(event.get("event", ""))
    if not message.isprintable():
        event["event"] = message.encode("unicode_escape").decode("ascii")
    return event
