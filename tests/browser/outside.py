"""The service beside two providers, and what people do on their way there and back."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.steps import expect_account, rows
from tests.browser.visitors import Visitor
from tests.support.github_peer import GitHubPeer, github_peer
from tests.support.oidc_peer import OidcPeer, oidc_peer
from tests.support.servers import Server, running_server
from tests.support.variables import DEVELOPMENT


@dataclass(frozen=True, kw_only=True)
class Outside:
    """A service, and the providers that it knows as Example and GitHub."""

    server: Server
    example: OidcPeer
    """A certified one, with a page to log in and one to consent; the service keeps its tokens."""
    github: GitHubPeer
    """One without pages, which departs from the standards as GitHub does."""


@contextmanager
def outside_service(
    database: Mapping[str, str], folder: Path, *, workers: int = 2
) -> Iterator[Outside]:
    """Serve a new database, and run both providers, until the block ends."""
    with oidc_peer(folder / "provider.log") as example, github_peer() as github:
        providers = {**example.variables(store_tokens="1"), **github.variables()}
        variables = {**DEVELOPMENT, **database, **providers}
        with running_server(variables, folder / "service.log", workers=workers) as server:
            example.allow_redirect_uris(f"{server.origin}/api/oauth/example/callback")
            yield Outside(server=server, example=example, github=github)


def new_login(prefix: str = "ada") -> str:
    """Give a login name at Example that nobody has used yet."""
    return f"{prefix}-{secrets.token_hex(6)}"


def address_at_example(login: str) -> str:
    return f"{login}@example.org"


def continue_with(visitor: Visitor, label: str, *, page: str = "/sign-in") -> None:
    """Leave a page of ours by its link to a provider."""
    visitor.page.goto(page)
    visitor.page.get_by_role("link", name=f"Continue with {label}").click()


def log_in(visitor: Visitor, login: str) -> None:
    """Answer Example's question who it is."""
    visitor.page.get_by_label("Login name").fill(login)
    visitor.press("Continue")


def allow(visitor: Visitor) -> None:
    """Consent at Example, as it asks for once."""
    expect(visitor.page.get_by_role("heading", name="Allow access")).to_be_visible()
    visitor.press("Allow")


def sign_in_by_example(visitor: Visitor, login: str, *, page: str = "/sign-in") -> None:
    """Go there from a page of ours and come back signed in."""
    continue_with(visitor, "Example", page=page)
    log_in(visitor, login)
    allow(visitor)
    expect_account(visitor)


def sign_in_by_github(visitor: Visitor) -> None:
    continue_with(visitor, "GitHub")
    expect_account(visitor)


def link_example(visitor: Visitor, login: str) -> None:
    """Link an account there on the account page; what comes of it is the test's."""
    visitor.press("Link Example")
    log_in(visitor, login)
    allow(visitor)


def linked(visitor: Visitor) -> Locator:
    """Give the accounts elsewhere that the account page lists."""
    return rows(visitor, "identities")


def expect_refusal(visitor: Visitor, heading: str, *, words: str = "") -> None:
    """See the page of refusals, and nothing of the round trip in its address."""
    visitor.page.wait_for_url("**/sign-in/refused?**")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(visitor.page.get_by_role("main")).to_contain_text(words)
    assert "state=" not in visitor.page.url
