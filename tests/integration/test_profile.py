"""My own record: what I may change about myself, and what I may not (A18).

ASVS 8.2.3, 15.3.1, 15.3.3; CVE-2026-27946.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app.models import User
from tests.conftest import Transaction
from tests.support.clients import Browser
from tests.support.people import BROWSER_COOKIE, json_of, refusal, sign_up, token_of
from tests.support.tables import contents

ME = "/api/users/me"


def test_person_reads_their_own_record(client: Browser, new_client: Callable[[], Browser]) -> None:
    sign_up(new_client(), email="eve@example.org")
    person = sign_up(client)

    mine = json_of(client.get(ME))

    assert mine == person.user
    assert set(mine) == {"id", "email", "email_verified", "name", "role", "locale", "created_at"}
    assert mine["email"] == "ada@example.org"


CHANGES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "name": ({"name": "Ada King"}, {"name": "Ada King"}),
    "spaces around the name": ({"name": "  Ada King "}, {"name": "Ada King"}),
    "name in composed form": ({"name": "Zoe\u0308"}, {"name": "Zo\u00eb"}),
    "name of another script": ({"name": "王芳"}, {"name": "王芳"}),
    "longest name": ({"name": "x" * 100}, {"name": "x" * 100}),
    "locale": ({"locale": "pt-BR"}, {"locale": "pt-BR"}),
    "locale with a script": ({"locale": "zh-Hant"}, {"locale": "zh-Hant"}),
    "no locale": ({"locale": None}, {"locale": None}),
    "no name": ({"name": None}, {}),
    "both": ({"name": "A", "locale": "de"}, {"name": "A", "locale": "de"}),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize(("sent", "changed"), CHANGES.values(), ids=CHANGES)
def test_person_changes_name_and_locale(
    client: Browser, sent: dict[str, object], changed: dict[str, object]
) -> None:
    sign_up(client)
    before = json_of(client.patch(ME, json={"locale": "fr"}))["user"]

    answer = client.patch(ME, json=sent)

    assert answer.status_code == 200
    assert json_of(answer)["user"] == before | changed
    assert json_of(client.get(ME)) == before | changed


def test_change_tells_password_managers_the_new_name(client: Browser) -> None:
    person = sign_up(client)

    (signal,) = json_of(client.patch(ME, json={"name": "Ada King"}))["signals"]

    assert signal["method"] == "signalCurrentUserDetails"
    assert signal["options"]["displayName"] == "Ada King"
    assert signal["options"]["name"] == "ada@example.org"
    assert signal["options"]["rpId"] == "localhost"
    assert person.credential.user_handle != b""


REFUSED: dict[str, dict[str, object]] = {
    "an empty name": {"name": ""},
    "a name of spaces": {"name": "   "},
    "a name too long": {"name": "x" * 101},
    "a name too long once it is normal": {"name": "\ufb2c" * 99},
    "a name that is no text": {"name": 7},
    "a line break in the name": {"name": "Ada\nKing"},
    "a direction override in the name": {"name": "Ada\u202egniK"},
    "a zero-width space in the name": {"name": "Ada\u200bKing"},
    "no language": {"locale": "klingon"},
    "an underscore in the locale": {"locale": "pt_BR"},
    "a line break behind the locale": {"locale": "de\n"},
    "an empty locale": {"locale": ""},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_is_no_name_or_locale_is_refused(
    app: Flask, client: Browser, body: dict[str, object]
) -> None:
    sign_up(client)
    before = contents(app)

    answer = client.patch(ME, json=body)

    assert refusal(answer) == (422, "invalid_body")
    assert [fault["field"] for fault in json_of(answer)["errors"]] == list(body)
    assert contents(app) == before


@pytest.mark.parametrize(
    "field",
    sorted(
        {*(column.key for column in User.__table__.columns), "email_verified", "user_id"}
        - {"name", "locale"}
    ),
)
@pytest.mark.parametrize("value", ["admin", None, True, ["x"]], ids=str)
def test_no_other_field_can_be_set(app: Flask, client: Browser, field: str, value: object) -> None:
    sign_up(client)
    before = contents(app)

    answer = client.patch(ME, json={"name": "Mallory", field: value})

    assert refusal(answer) == (422, "invalid_body")
    assert contents(app) == before


def test_change_is_mine_alone(
    client: Browser, new_client: Callable[[], Browser], transaction: Transaction
) -> None:
    sign_up(new_client(), email="eve@example.org")
    sign_up(client)

    assert client.patch(ME, json={"name": "Ada King"}).status_code == 200

    with transaction() as session:
        names = session.execute(select(User.email_canonical, User.name)).all()
    assert sorted(map(tuple, names)) == [
        ("ada@example.org", "Ada King"),
        ("eve@example.org", "Ada"),
    ]


def test_name_is_shown_as_text(client: Browser) -> None:
    sign_up(client)
    assert client.patch(ME, json={"name": "<script>alert(1)</script>"}).status_code == 200

    page = client.get("/account").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert token_of(client, BROWSER_COOKIE) not in page
