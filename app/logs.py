"""One log for everything: a line an event, JSON in production, UTC, the request's id in each."""

import logging
import sys

import structlog
from structlog.typing import Processor

from app.config import LogSettings


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
    # Its lines repeat what migrations/env.py prints.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _escape_control_characters(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    # A terminal would act upon them. The renderer escapes every value, but not the message.
    message = str(event.get("event", ""))
    if not message.isprintable():
        event["event"] = message.encode("unicode_escape").decode("ascii")
    return event
