"""Every lie of the hostile provider is really told, and its broken answers are really broken."""

import contextlib
import socket
import time
from collections.abc import Callable

import pytest
import requests

from app.errors import ServiceError
from tests.support import broken_answers
from tests.support.lie import HONEST, Lie, Teller, Told
from tests.support.lies import CERTIFICATION_PLAN, LIES
from tests.support.lies_claimed import REAUTHENTICATION_LIES
from tests.support.loopback_http import Answer, Question, answering, as_json

ALL = (*LIES, *REAUTHENTICATION_LIES)
PATIENCE_SECONDS = 0.5


def departures(lie: Lie) -> set[str]:
    """Tell where a lie says something else than an honest provider would."""
    teller = Teller(issuer="http://issuer.example", issued=[])
    samples: dict[str, Told] = {
        "metadata": teller.metadata(),
        "authorization": {"code": "a", "state": "b", "iss": teller.issuer},
        "tokens": dict.fromkeys(
            ("access_token", "id_token", "token_type", "expires_in", "refresh_token"), "x"
        ),
        "claims": dict.fromkeys(
            ("iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "at_hash"), "x"
        ),
        "id_token": {"sub": "x", "nonce": "y"},
        "userinfo": dict.fromkeys(("sub", "email", "email_verified", "name"), "x"),
        "keys": {"keys": [teller.key.public_jwk()]},
    }
    return {
        hook
        for hook, told in samples.items()
        if getattr(lie, hook)(teller, dict(told)) != getattr(HONEST, hook)(teller, told)
    }


@pytest.mark.parametrize("lie", ALL, ids=str)
def test_every_lie_departs_from_the_truth(lie: Lie) -> None:
    assert bool(departures(lie)) is (lie is not HONEST)


def test_lies_cover_the_certification_plan_and_each_has_a_name_of_its_own() -> None:
    covered = {one for lie in LIES for one in lie.covers}

    assert covered >= set(CERTIFICATION_PLAN)
    assert len({lie.name for lie in ALL}) == len(ALL)


def test_refusals_that_lies_expect_are_codes_of_the_service() -> None:
    codes = {one.code for one in ServiceError.__subclasses__()}

    assert {lie.expected for lie in ALL if not lie.accepts} <= codes


def asked(origin: str) -> tuple[bytes, bool]:
    """Read up to a megabyte for half a second: what came, and whether the answer had ended."""
    received = b""
    port = int(origin.rpartition(":")[2])
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: peer\r\n\r\n")
        while (left := give_up_at - time.monotonic()) > 0 and len(received) < 2**20:
            connection.settimeout(left)
            with contextlib.suppress(TimeoutError):
                piece = connection.recv(65_536)
                if not piece:
                    return received, True
                received += piece
    return received, False


@pytest.mark.parametrize(
    ("answer", "least", "ends"),
    [
        (broken_answers.html, 1, True),
        (broken_answers.hanging_up, 0, True),
        (broken_answers.cut_short, 20, True),
        (broken_answers.silent, 0, False),
        (broken_answers.dribbling, 2, False),
        (broken_answers.dribbling_headers, 20, False),
        (broken_answers.endless, 2**20, False),
        (broken_answers.huge, 2**20, False),
        (broken_answers.huge_unannounced, 2**20, False),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_broken_answers_are_broken(answer: Callable[[], Answer], least: int, *, ends: bool) -> None:
    with answering(lambda _: answer()) as origin:
        received, ended = asked(origin)

    assert (len(received) >= least, ended) == (True, ends)
    assert least or not received


def test_gzip_bomb_unpacks_to_a_thousand_times_its_size() -> None:
    bomb = broken_answers.gzip_bomb()
    assert isinstance(bomb.body, bytes)
    assert len(bomb.body) * 900 < broken_answers.HUGE

    with (
        answering(lambda _: bomb) as origin,
        requests.get(origin, stream=True, timeout=5) as answer,
    ):
        assert answer.raw.read(2**20, decode_content=True) == b" " * 2**20


def test_a_party_that_fails_itself_is_told_at_the_end() -> None:
    def answer(question: Question) -> Answer:
        return as_json({"of": question.query["name"]})

    with answering(answer) as origin:
        assert requests.get(f"{origin}?name=x", timeout=5).json() == {"of": "x"}

    with (
        pytest.raises(ExceptionGroup),
        answering(answer) as origin,
        contextlib.suppress(requests.ConnectionError),
    ):
        requests.get(origin, timeout=5)
