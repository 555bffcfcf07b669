"""The log of a whole session: who did what, and no secret in it (A14).

ASVS 16.2.1, 16.2.5, 16.3.2 to 16.3.4, 16.4.1.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from flask import Flask

from app.services.invitations import invite_first_administrator
from app.services.people import get_user
from app.services.recovery import make_link_code
from app.transaction import with_transaction
from tests.support.authenticator import Json
from tests.support.clients import InProcessBrowser
from tests.support.people import (
    begin_sign_up,
    finish_sign_up,
    hand_over,
    json_of,
    new_phone,
    sign_up,
    token_of,
)
from tests.support.story import Secrets, tell_story

CANARY = "canary-4711"


class Log:
    """What an application writes, a line an event."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self) -> list[Json]:
        """Give the events since the last time this was asked."""
        written = self.stream.getvalue().splitlines()
        self.stream.seek(0)
        self.stream.truncate()
        return [json.loads(line) for line in written]

    def of(self, event: str) -> list[Json]:
        return [line for line in self.lines() if line["event"] == event]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield Log()
    root.handlers = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def logged(make_app: Callable[..., Flask], log: Log) -> Flask:
    """Give an application that logs all it can."""
    app = make_app(LOG_LEVEL="DEBUG", LOG_FORMAT="json", LOG_QUERIES="1")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(log.stream)
    return app


def test_every_request_is_one_line_that_says_whose_it_is(logged: Flask, log: Log) -> None:
    for label, answer in tell_story(lambda: InProcessBrowser(logged)):
        (line,) = log.of("request")
        assert line["request_id"] == answer.headers["X-Request-Id"]
        assert (line["method"], line["path"]) == (answer.request.method, answer.request.path)
        assert (line["status"], line["endpoint"]) == (answer.status_code, label.partition(" ")[0])
        assert line["duration_ms"] >= 0
        anonymous = "(anonymous)" in label or line["endpoint"].startswith("system.")
        begins = line["endpoint"] in {"auth.begin_registration", "auth.begin_authentication"}
        named = {name for name in ("user_id", "session_id") if len(line.get(name, "")) == 36}
        assert named == (set() if anonymous or begins else {"user_id", "session_id"}), label


def test_what_is_logged_between_two_requests_is_nobodys(logged: Flask, log: Log) -> None:
    sign_up(InProcessBrowser(logged))
    log.lines()

    logging.getLogger("gunicorn.error").warning("Invalid request from ip=203.0.113.7")

    (line,) = log.lines()
    assert line["event"].startswith("Invalid request")
    assert line.keys().isdisjoint({"user_id", "session_id", "request_id"})


def test_session_keeps_its_id_in_the_log_when_its_token_is_swapped(logged: Flask, log: Log) -> None:
    client = InProcessBrowser(logged)
    sign_up(client)
    log.lines()

    client.get("/api/auth/session")
    (reading,) = log.of("request")
    client.delete("/api/auth/session")
    (ending,) = log.of("request")

    assert reading["session_id"] == ending["session_id"]
    assert reading["user_id"] == ending["user_id"]


def test_no_secret_is_in_any_line(logged: Flask, log: Log) -> None:
    secrets, lines = Secrets(), []

    for _ in tell_story(lambda: InProcessBrowser(logged), secrets):
        lines += log.lines()

    assert {line["event"] for line in lines} >= {"request", "query"}
    assert len(secrets) > 20
    text = json.dumps(lines, ensure_ascii=False)
    assert [secret for secret in secrets if secret in text] == []
    assert "auth.finish_registration" in text


def test_no_secret_of_a_link_is_in_any_line(logged: Flask, log: Log) -> None:
    client = InProcessBrowser(logged)
    with logged.app_context():
        invitation = with_transaction(invite_first_administrator)
    user_id = sign_up(client, invitation=invitation).user["id"]
    with logged.app_context():
        code = with_transaction(lambda s: make_link_code(s, user=get_user(s, user_id)))
    refused = client.post("/api/auth/recovery", json={"code": CANARY})
    assert client.post("/api/auth/recovery", json={"code": code}).status_code == 200

    text = json.dumps(log.lines())

    assert refused.status_code == 403
    assert [secret for secret in (invitation, code, CANARY) if secret in text] == []


@pytest.mark.parametrize(
    "cookie", [f"openbadges_session_8000={CANARY}", f"openbadges_browser_8000=x; x={CANARY}"]
)
def test_refused_cookie_is_logged_without_its_value(logged: Flask, log: Log, cookie: str) -> None:
    InProcessBrowser(logged, use_cookies=False).get("/api/auth/session", headers={"Cookie": cookie})

    lines = log.lines()

    (refused,) = [line for line in lines if line["event"] == "refused"]
    assert (refused["code"], refused["status"]) == ("cookie_refused", 400)
    assert refused["reason"].startswith("malformed")
    assert CANARY not in json.dumps(lines)


def test_refusal_is_logged_with_code_and_reason(logged: Flask, log: Log) -> None:
    client = InProcessBrowser(logged)
    client.post("/api/auth/authentication", json={"credential": {}})
    client.sec_fetch_site = "cross-site"
    client.post("/api/auth/authentication/options", json={})
    client.get("/api/auth/session")

    refused = [(line["code"], line["reason"]) for line in log.of("refused")]

    assert refused == [
        ("challenge_unusable", "no readable challenge"),
        ("cross_site_request", "Sec-Fetch-Site is cross-site"),
        ("not_signed_in", None),
    ]


def test_failed_and_successful_ceremonies_are_told_apart(logged: Flask, log: Log) -> None:
    client, phone = InProcessBrowser(logged), new_phone()
    refused = finish_sign_up(client, phone, json_of(begin_sign_up(client)), flags=0x41)
    (line,) = log.of("refused")
    assert (refused.status_code, line["code"]) == (400, "attestation_rejected")
    assert line["reason"]

    sign_up(client, phone)

    assert log.of("refused") == []


@pytest.mark.parametrize("ending", ["%0a", "%0d%0a", "%e2%80%a8", "%c2%85", "%22%2c%22x"])
def test_path_cannot_forge_a_line(logged: Flask, log: Log, ending: str) -> None:
    InProcessBrowser(logged).get(f"/api/x{ending}" + '%7b"event": "forged"%7d')

    assert [line["event"] for line in log.lines()] == ["request"]


def test_client_cannot_forge_whose_request_it_is(logged: Flask, log: Log) -> None:
    client = hand_over(InProcessBrowser(logged), "obs_" + "A" * 43)

    client.get("/api/auth/session", headers={"X-Request-Id": "forged-0123456789"})

    for line in log.lines():
        assert line["request_id"] != "forged-0123456789"
        assert "session_id" not in line
    assert token_of(client) == "obs_" + "A" * 43


def test_crash_is_logged_with_its_cause_and_its_request(logged: Flask, log: Log) -> None:
    @logged.get("/api/crash")
    def crash() -> str:
        raise RuntimeError(CANARY)

    answer = InProcessBrowser(logged).get("/api/crash")

    error, request = log.lines()
    assert (error["event"], error["level"]) == ("unexpected_error", "error")
    assert f"RuntimeError: {CANARY}" in error["exception"]
    assert error["request_id"] == request["request_id"] == answer.headers["X-Request-Id"]
    assert request["status"] == 500
