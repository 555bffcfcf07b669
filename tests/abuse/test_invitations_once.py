"""F13: sixteen present one invitation at the same moment to four workers: one account comes of it.

ASVS 2.3.4, 6.4.1, 15.4.2; CVE-2026-73431.
"""

from collections.abc import Callable
from functools import partial
from typing import Unpack

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Credential, Role, User
from app.services.addresses import parse_address
from app.services.invitations import invite, invite_first_administrator
from tests.conftest import NewTally
from tests.support.authenticator import Json, Twists
from tests.support.clients import Browser
from tests.support.counts import trials
from tests.support.crowds import at_once, both_at_once
from tests.support.deployments import Deployment
from tests.support.people import (
    ADDRESS,
    begin_sign_up,
    finish_sign_up,
    json_of,
    new_phone,
    refusal,
    sign_up,
)
from tests.support.presenters import a_crowd, the_one
from tests.support.tables import change, count
from tests.support.units import run_unit

SUBJECT = "Once means once"
UNUSABLE = (403, "invitation_unusable")


def signing_up(
    browser: Browser, options: Json, **twists: Unpack[Twists]
) -> Callable[[], TestResponse]:
    return partial(finish_sign_up, browser, new_phone(), options, **twists)


def invitation(app: Flask, address: str, role: Role) -> str:
    return run_unit(app, lambda s: invite(s, address=parse_address(address), role=role))


def first_link(app: Flask, _address: str, _role: Role) -> str:
    change(app, User, role="user")
    return run_unit(app, invite_first_administrator)


@pytest.mark.parametrize(
    ("make", "role", "values"),
    [
        (invitation, "user", trials(40)),
        (invitation, "admin", trials(30)),
        (first_link, "admin", trials(30)),
    ],
)
def test_one_invitation_opens_one_account(
    deployment: Deployment,
    new_tally: NewTally,
    make: Callable[[Flask, str, Role], str],
    role: Role,
    values: int,
) -> None:
    tally = new_tally(SUBJECT, f"sixteen with one {make.__name__}, {role}".replace("_", " "))
    app, crowd = deployment.app, a_crowd(deployment.browser)
    for number in range(values):
        address = f"ada{number}@example.org"
        token, prefix = make(app, address, role), "" if make is invitation else "{}."
        begun = [
            json_of(begin_sign_up(one, email=prefix.format(at) + address, invitation=token))
            for at, one in enumerate(crowd)
        ]
        before = count(app, User), count(app, Credential)

        answers = at_once(
            [signing_up(one, options) for one, options in zip(crowd, begun, strict=True)]
        )

        with tally.trial():
            winner = the_one(crowd, answers, UNUSABLE)
            assert (count(app, User), count(app, Credential)) == (before[0] + 1, before[1] + 1)
            assert json_of(winner.get("/api/auth/session"))["user"]["role"] == role
            again = make(app, f"alone.{address}", role)
            alone = sign_up(deployment.browser(), email=f"alone.{address}", invitation=again)
            assert alone.user["role"] == role


def test_link_made_while_the_first_administrator_signs_up_makes_no_second_one(
    deployment: Deployment, new_tally: NewTally
) -> None:
    """ASVS 6.3.2: either the old link is void, or the new one is of no use.

    The command looks for an administrator before it makes a link, and one may come in between.
    """
    tally = new_tally(SUBJECT, "a first link used at once with the making of the next")
    app = deployment.app
    for number in range(trials(50)):
        browser, address = deployment.browser(), f"ada{number}@example.org"
        old = first_link(app, address, "admin")
        options = json_of(begin_sign_up(browser, email=address, invitation=old))

        answer, new = both_at_once(
            signing_up(browser, options), partial(run_unit, app, invite_first_administrator)
        )

        with tally.trial():
            if answer.status_code == 201:
                later = begin_sign_up(deployment.browser(), email="eve@example.org", invitation=new)
                assert refusal(later) == UNUSABLE
            else:
                assert refusal(answer) == UNUSABLE
                sign_up(browser, email=address, invitation=new)
            too_late = run_unit(app, invite_first_administrator)
            refused = begin_sign_up(
                deployment.browser(), email="eve@example.org", invitation=too_late
            )
            assert refusal(refused) == UNUSABLE
            alone = first_link(app, address, "admin")
            person = sign_up(
                deployment.browser(), email=f"alone{number}@example.org", invitation=alone
            )
            assert person.user["role"] == "admin"


def test_one_credential_id_belongs_to_one_person(
    deployment: Deployment, new_tally: NewTally
) -> None:
    """WA-R26: registered by sixteen people at the same moment."""
    tally = new_tally(SUBJECT, "sixteen with one credential id")
    app, crowd = deployment.app, a_crowd(deployment.browser)
    for number in range(trials(20)):
        begun = [
            json_of(begin_sign_up(one, email=f"{number}.{at}.{ADDRESS}"))
            for at, one in enumerate(crowd)
        ]
        same = b"the same for everybody" + number.to_bytes(2)
        before = count(app, User)

        answers = at_once(
            [
                signing_up(one, options, credential_id=same)
                for one, options in zip(crowd, begun, strict=True)
            ]
        )

        with tally.trial():
            the_one(crowd, answers, (409, "credential_already_registered"))
            assert count(app, User) - before == 1
            other = json_of(begin_sign_up(crowd[0], email=f"{number}.alone.{ADDRESS}"))
            assert signing_up(crowd[0], other)().status_code == 201
