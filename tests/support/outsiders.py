"""The outside parties of a served service: two that speak as GitHub does, and one that lies.

They run in the process of the tests; what somebody is there for is arranged by setting their
``account`` or ``person`` before the visit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import Identity
from tests.support.clients import Browser
from tests.support.github_peer import GitHubAccount, GitHubPeer, github_peer
from tests.support.hostile_provider import HostileProvider, hostile_provider
from tests.support.people import Person, json_of
from tests.support.provider_visits import sent_back
from tests.support.units import run_unit

_ids = count(1)


@dataclass(frozen=True, kw_only=True)
class Outsiders:
    """Providers by the names that the service knows them by."""

    github: GitHubPeer
    ghe: GitHubPeer
    hostile: HostileProvider

    def variables(self) -> dict[str, str]:
        """Give the variables that switch them on."""
        return {
            "OAUTH_PROVIDERS": "github,ghe,hostile",
            **self.github.variables("github", store_tokens="1"),
            **self.ghe.variables("ghe", kind="github", issuer="https://ghe.example.org"),
            **self.hostile.variables("hostile"),
        }


@contextmanager
def outsiders() -> Iterator[Outsiders]:
    """Run all of them until the block ends."""
    with github_peer() as github, github_peer() as ghe, hostile_provider() as hostile:
        yield Outsiders(github=github, ghe=ghe, hostile=hostile)


def somebody() -> GitHubAccount:
    """Give an account that nobody here has seen yet, without any address."""
    number = next(_ids)
    return GitHubAccount(id=number, login=f"somebody-{number}", name=f"Somebody {number}")


def linked_account(app: Flask, person: Person) -> str:
    """Link somebody's account at GitHub behind the service's back; gives the row's id."""
    identity = Identity(
        user_id=person.user["id"],
        provider="github",
        issuer="https://github.com",
        provider_id=str(next(_ids)),
    )

    def add(session: Session) -> str:
        session.add(identity)
        return identity.id

    return run_unit(app, add)


def visit(peer: GitHubPeer, account: GitHubAccount, location: str) -> str:
    """Go where the service sends somebody; gives the path and query they are sent back to."""
    peer.account = account
    return path_of(sent_back(location))


def path_of(url: str) -> str:
    """Give the path and query of a URL of ours."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def to_sign_in(client: Browser, provider: str = "github") -> str:
    """Begin to sign in; gives the address at the provider."""
    begun = client.get(f"/api/oauth/{provider}/authorize")
    assert begun.status_code == 303, begun.text
    return begun.headers["Location"]


def to_link(client: Browser, provider: str = "github") -> str:
    """Begin to link an account; gives the address at the provider."""
    return _begun(client.post(f"/api/oauth/{provider}/link", json={}))


def to_step_up(client: Browser, provider: str = "github") -> str:
    """Begin a step-up; gives the address at the provider."""
    return _begun(client.post(f"/api/oauth/{provider}/reauthenticate", json={}))


def _begun(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    location: str = json_of(answer)["location"]
    return location


def sign_in_at(client: Browser, peer: GitHubPeer, account: GitHubAccount) -> TestResponse:
    """Sign in with an account, all the way."""
    return client.get(visit(peer, account, to_sign_in(client)))
