"""Sessions as their owner sees them, and further sign-ins of the same person."""

from sqlalchemy import select

from app.models import UserSession
from tests.conftest import Transaction
from tests.support.authenticator import Json
from tests.support.clients import Browser
from tests.support.people import Person, json_of, sign_in


def listed(client: Browser) -> list[Json]:
    answer = client.get("/api/auth/sessions")
    assert answer.status_code == 200, answer.text
    items: list[Json] = json_of(answer)["items"]
    return items


def sign_in_again(person: Person, client: Browser) -> str:
    """Sign the same person in somewhere else and give the session's id."""
    answer = sign_in(client, person.phone)
    assert answer.status_code == 200, answer.text
    return str(json_of(answer)["session"]["id"])


def only_row(transaction: Transaction) -> UserSession:
    with transaction() as session:
        return session.scalars(select(UserSession)).one()
