"""Sixteen who present one value at the same moment, and what became of it."""

from collections.abc import Callable, Sequence
from functools import partial

from werkzeug.test import TestResponse

from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.crowds import at_once
from tests.support.people import SESSION_COOKIE, refusal

PRESENTERS = 16


def a_crowd(new_client: Callable[[], Browser]) -> list[Browser]:
    """Open sixteen browsers."""
    return [new_client() for _ in range(PRESENTERS)]


def the_one(
    crowd: Sequence[Browser], answers: Sequence[TestResponse], *refusals: tuple[int, str]
) -> Browser:
    """Give the one browser that was let in, after seeing that all others were refused so."""
    let_in = [one for one, answer in zip(crowd, answers, strict=True) if answer.status_code < 300]
    assert len(let_in) == 1, f"{len(let_in)} were let in"
    refused = {refusal(answer) for answer in answers if answer.status_code >= 300}
    assert refused <= set(refusals), refused
    return let_in[0]


def cookies_in(answers: Sequence[TestResponse]) -> int:
    """Count the sessions that were given out."""
    return sum(
        cookie.startswith(f"{SESSION_COOKIE}=obs_")
        for answer in answers
        for cookie in answer.headers.getlist("Set-Cookie")
    )


def present(crowd: Sequence[Browser], path: str, body: Json) -> list[TestResponse]:
    return at_once([partial(browser.post, path, json=body) for browser in crowd])
