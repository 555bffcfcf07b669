"""The log of a whole session: who did what, and nothing that was sent by mistake (A14).

ASVS 16.2.1, 16.2.5, 16.3.2 to 16.3.4, 16.4.1.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from flask import Flask

from app.identifiers import new_id
from app.services.tokens import new_code, new_secret, new_session_token
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
from tests.support.story import tell_story

CANARY = "canary-4711"
TYPED = new_code().lower().replace("-", "%20")


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


BEGINNINGS = {
    "auth.begin_registration",
    "auth.begin_authentication",
    "oauth.list_providers",
    "oauth.authorize",
    "handover.start",
    "handover.send_file",
}
"""What somebody asks before anybody knows who they are."""
NAMELESS = {"auth.verify", "handover.callback (refused)"}
"""What the session gate answers by itself, and a code that leads to nobody."""


def test_every_request_is_one_line_that_says_whose_it_is(logged: Flask, log: Log) -> None:
    for label, answer in tell_story(lambda: InProcessBrowser(logged)):
        (line,) = log.of("request")
        assert line["request_id"] == answer.headers["X-Request-Id"]
        assert (line["method"], line["path"]) == (answer.request.method, answer.request.path)
        assert (line["status"], line["endpoint"]) == (answer.status_code, label.partition(" ")[0])
        assert line["duration_ms"] >= 0
        anonymous = "(anonymous)" in label or line["endpoint"].startswith("system.")
        begins = line["endpoint"] in BEGINNINGS or label in NAMELESS
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


@pytest.mark.parametrize(
    "secret",
    [new_session_token(), new_secret(), new_code(), TYPED],
    ids=["session token", "link", "code", "code as typed"],
)
@pytest.mark.parametrize("address", ["/sign-up/{}", "/static/{}", "/{}/account"])
def test_what_is_pasted_into_the_address_is_masked(
    logged: Flask, log: Log, address: str, secret: str
) -> None:
    InProcessBrowser(logged).get(address.format(secret))

    (request,) = log.of("request")
    assert (request["path"], request["status"]) == (address.format("<masked>"), 404)


def test_id_in_the_address_is_not_masked(logged: Flask, log: Log) -> None:
    path = f"/api/auth/sessions/{new_id()}"

    InProcessBrowser(logged).delete(path)

    assert [line["path"] for line in log.of("request")] == [path]


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
