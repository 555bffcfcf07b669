"""A7, F13: sixteen sign up with one address, in all its spellings, and one account comes of it.

Two addresses that differ in a dot, or in anything else that is theirs, stay two.
"""

import random
import unicodedata
from collections.abc import Callable
from functools import partial

import pytest
from werkzeug.test import TestResponse

from app.models import Credential, User
from tests.conftest import NewTally
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    begin_sign_up,
    finish_sign_up,
    json_of,
    new_phone,
    refusal,
    sign_up,
)
from tests.support.presenters import PRESENTERS, a_crowd, the_one
from tests.support.tables import count

SUBJECT = "Ways in"
TAKEN, INVALID = (409, "address_taken"), (422, "invalid_address")


def spellings(number: int) -> list[str]:
    """Give ways to write one address: case, composition, and both forms of its domain."""
    address = f"zoë.straße{number}@bücher.example"
    return [
        address,
        address.upper(),
        address.title(),
        unicodedata.normalize("NFD", address),
        unicodedata.normalize("NFD", address.upper()),
        address.replace("ß", "ẞ"),
        address.replace("ß", "ss"),
        address.replace("bücher", "xn--bcher-kva"),
        address.replace("@bücher.example", "@XN--BCHER-KVA.Example"),
        f"zoë.straße{number}@BÜCHER.EXAMPLE",
    ]


COMPATIBLE = {
    "a full-width at sign": lambda address: address.replace("@", "\N{FULLWIDTH COMMERCIAL AT}"),
    "a full-width letter": lambda address: address.replace(
        "z", "\N{FULLWIDTH LATIN SMALL LETTER Z}"
    ),
    "a ligature": lambda address: address.replace("st", "\N{LATIN SMALL LIGATURE ST}"),
    "a mathematical letter": lambda address: address.replace("a", "\N{MATHEMATICAL BOLD SMALL A}"),
    "a superscript": lambda address: address.replace("s", "\N{MODIFIER LETTER SMALL S}"),
    "a full-width dot": lambda address: address.replace(".", "\N{FULLWIDTH FULL STOP}"),
}
"""Spellings that NFKC makes the same; a page or a mail program may take them for the address."""


def whole_sign_up(browser: Browser, address: str) -> Callable[[], TestResponse]:
    def sign_up() -> TestResponse:
        begun = begin_sign_up(browser, email=address)
        if begun.status_code != 200:
            return begun
        return finish_sign_up(browser, new_phone(), json_of(begun))

    return sign_up


def begun_sign_up(browser: Browser, address: str) -> Callable[[], TestResponse]:
    options = json_of(begin_sign_up(browser, email=address))
    return partial(finish_sign_up, browser, new_phone(), options)


@pytest.mark.parametrize("race", ["from the beginning", "to the end"])
def test_all_spellings_of_one_address_make_one_account(
    deployment: Deployment, new_tally: NewTally, race: str
) -> None:
    """Those who lose are told that the address is taken, and have left nothing behind."""
    tally = new_tally(SUBJECT, f"sixteen sign-ups with one address, {race}")
    chance = random.Random(7)  # noqa: S311 - which spellings, not a secret
    crowd = a_crowd(deployment.browser)
    for number in range(trials(50)):
        written = chance.choices(spellings(number), k=PRESENTERS)
        before = count(deployment.app, User), count(deployment.app, Credential)
        enter = whole_sign_up if race == "from the beginning" else begun_sign_up
        racing = [enter(*one) for one in zip(crowd, written, strict=True)]

        answers = at_once(racing)

        with tally.trial():
            the_one(crowd, answers, TAKEN)
            after = count(deployment.app, User), count(deployment.app, Credential)
            assert after == (before[0] + 1, before[1] + 1)
            sign_up(deployment.browser(), email=f"zoë.strase{number}@bücher.example")


@pytest.mark.parametrize("respell", COMPATIBLE.values(), ids=COMPATIBLE)
def test_look_alike_that_nfkc_would_make_the_address_is_refused_beside_it(
    deployment: Deployment, new_tally: NewTally, respell: Callable[[str], str]
) -> None:
    tally = new_tally(SUBJECT, "sign-ups beside spellings that NFKC would make the same")
    crowd = a_crowd(deployment.browser)
    for number in range(trials(20)):
        address = f"zoë.straße{number}@bücher.example"
        assert unicodedata.normalize("NFKC", respell(address)) == address != respell(address)
        written = [address, respell(address)] * (PRESENTERS // 2)

        answers = at_once([whole_sign_up(*one) for one in zip(crowd, written, strict=True)])

        with tally.trial():
            the_one(crowd[::2], answers[::2], TAKEN)
            assert {refusal(answer) for answer in answers[1::2]} == {INVALID}


DIFFERENT = [
    ("zoe.b@example.org", "zoeb@example.org"),
    ("z.oeb@example.org", "zo.eb@example.org"),
    ("zoe@example.org", "zoe+tag@example.org"),
    ("zoë@example.org", "zoe@example.org"),
    ("zoe@a.example.org", "zoe.a@example.org"),
]


@pytest.mark.parametrize("pair", DIFFERENT, ids=" and ".join)
def test_addresses_that_differ_in_a_dot_are_two_accounts(
    deployment: Deployment, new_tally: NewTally, pair: tuple[str, str]
) -> None:
    tally = new_tally(SUBJECT, "sign-ups with two addresses that differ in little")
    crowd = a_crowd(deployment.browser)
    for number in range(trials(10)):
        written = [f"{number}{address}" for address in pair] * (PRESENTERS // 2)
        before = count(deployment.app, User)

        answers = at_once([whole_sign_up(*one) for one in zip(crowd, written, strict=True)])

        with tally.trial():
            for turn in (0, 1):
                owner = the_one(crowd[turn::2], answers[turn::2], TAKEN)
                told = json_of(owner.get("/api/auth/session"))["user"]
                assert told["email"] == written[turn]
            assert count(deployment.app, User) - before == 2
