"""One line an event, in JSON or for people; nothing that is logged can forge a line.

ASVS 16.2.2, 16.2.4, 16.4.1.
"""

import io
import json
import logging
import re
import secrets
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from app.config import LogSettings
from app.logs import configure_logging

QUIET = ("alembic", "authlib", "charset_normalizer", "joserfc", "requests", "urllib3")
FORGED = 'x\n{"event": "forged"}\r\n2026-01-01T00:00:00Z [info] forged\u2028\x85\x1b[2J'


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger, and put it back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    quiet = {name: logging.getLogger(name).level for name in QUIET}
    structlog.contextvars.clear_contextvars()  # of the last request of another test
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)
    structlog.contextvars.clear_contextvars()


def log_to_text(
    root: logging.Logger, form: Literal["json", "text"], level: str = "INFO"
) -> io.StringIO:
    configure_logging(LogSettings(level=level, format=form))
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)
    return written


def test_event_is_one_json_object_with_time_level_and_request(root: logging.Logger) -> None:
    written = log_to_text(root, "json")
    structlog.contextvars.bind_contextvars(request_id="r-1")

    structlog.get_logger("app.tests").info("signed_in", user_id="u-1")

    line = json.loads(written.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {
        "event": "signed_in",
        "level": "info",
        "logger": "app.tests",
        "request_id": "r-1",
        "user_id": "u-1",
    }


def test_libraries_write_the_same_lines(root: logging.Logger) -> None:
    written = log_to_text(root, "json")
    structlog.contextvars.bind_contextvars(request_id="r-1")

    logging.getLogger("gunicorn.error").warning("worker %s is gone", 7)

    line = json.loads(written.getvalue())
    assert (line["event"], line["logger"]) == ("worker 7 is gone", "gunicorn.error")
    assert (line["level"], line["request_id"]) == ("warning", "r-1")


def test_exception_is_told_in_the_same_line(root: logging.Logger) -> None:
    written = log_to_text(root, "json")

    structlog.get_logger("app.tests").error("unexpected_error", exc_info=RuntimeError(FORGED))

    (line,) = written.getvalue().splitlines()
    assert "RuntimeError" in json.loads(line)["exception"]


def test_value_cannot_forge_a_json_line(root: logging.Logger) -> None:
    written = log_to_text(root, "json")

    structlog.get_logger("app.tests").info("request", path=FORGED)
    logging.getLogger("library").info(FORGED)

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["request", FORGED]
    assert written.getvalue().isascii()


def test_value_cannot_forge_a_line_for_people(root: logging.Logger) -> None:
    written = log_to_text(root, "text")

    structlog.get_logger("app.tests").info("request", path=FORGED, short="\x1b]0;x\a")
    logging.getLogger("library").info(FORGED)

    line, foreign = written.getvalue().splitlines()
    assert "request" in line
    assert r"x\n{" in line
    assert r"x\n{" in foreign
    assert "\x1b" not in line + foreign


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 3), ("INFO", 2), ("ERROR", 1)])
def test_level_is_the_lowest_that_is_written(root: logging.Logger, level: str, lines: int) -> None:
    written = log_to_text(root, "json", level)

    logger = structlog.get_logger("app.tests")
    logger.debug("one")
    logger.info("two")
    logger.error("three")

    assert len(written.getvalue().splitlines()) == lines


@pytest.mark.parametrize("noisy", ["sqlalchemy.engine.Engine", "alembic.runtime.migration"])
def test_rows_and_migrations_are_not_logged_by_libraries(root: logging.Logger, noisy: str) -> None:
    written = log_to_text(root, "json", "DEBUG")

    logging.getLogger(noisy).info("Row ('secret',)")
    logging.getLogger(noisy).debug("Row ('secret',)")
    assert written.getvalue() == ""

    logging.getLogger(noisy).warning("something is wrong")
    assert json.loads(written.getvalue())["level"] == "warning"


@pytest.mark.parametrize(
    ("library", "loudest"),
    [
        ("authlib.integrations.base_client.sync_app", logging.INFO),
        ("charset_normalizer", logging.INFO),
        ("joserfc", logging.INFO),
        ("requests", logging.INFO),
        # A warning of it repeats the lines of an answer that are no headers.
        ("urllib3.connectionpool", logging.WARNING),
        ("urllib3.util.retry", logging.WARNING),
    ],
)
def test_what_passes_between_us_and_providers_is_not_logged_by_libraries(
    root: logging.Logger, library: str, loudest: int
) -> None:
    """Such as "Using code_verifier: …" and "GET /userinfo?access_token=…". ASVS 16.2.5."""
    written = log_to_text(root, "json", "DEBUG")

    for level in range(logging.DEBUG, loudest + 1, logging.DEBUG):
        logging.getLogger(library).log(level, "a secret")
    assert written.getvalue() == ""

    logging.getLogger(library).error("something is wrong")
    assert json.loads(written.getvalue())["level"] == "error"


def test_quiet_library_is_no_louder_than_the_log(root: logging.Logger) -> None:
    written = log_to_text(root, "json", "CRITICAL")

    for name in QUIET:
        logging.getLogger(name).error("something is wrong")

    assert written.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "text"])
def test_traceback_shows_no_variables(root: logging.Logger, form: Literal["json", "text"]) -> None:
    """ASVS 16.5.1."""
    written, canary = log_to_text(root, form), secrets.token_hex(8)

    def fail(secret: str) -> None:
        raise RuntimeError(f"{len(secret)} characters")

    try:
        fail(canary)
    except RuntimeError as error:
        structlog.get_logger("app.tests").error("unexpected_error", exc_info=error)

    assert "RuntimeError: 16 characters" in written.getvalue()
    assert canary not in written.getvalue()
