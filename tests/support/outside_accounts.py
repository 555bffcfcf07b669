"""A provider without a network, and people who come back from it with an account of theirs.

It stands in where the question is what the service does with what a provider said; what it may
believe is asked of real and of hostile providers elsewhere.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from app.config import Settings
from app.config.oauth import ProviderKind, ProviderSettings
from app.errors import GrantInvalid, IdentityRejected, ProviderUnavailable
from app.identity_providers import ExternalIdentity, ProviderTokens, RedeemedCode
from tests.support.clients import Browser
from tests.support.people import json_of
from tests.support.variables import ORIGIN

AT_PROVIDER = "https://provider.example/authorize"


def provider_settings(name: str = "github", **changes: object) -> ProviderSettings:
    values: dict[str, object] = {
        "name": name,
        "kind": ProviderKind.GITHUB if name == "github" else ProviderKind.OPENID,
        "label": "GitHub" if name == "github" else name.capitalize(),
        "icon": "key",
        "issuer": f"https://{name}.example",
        "client_id": f"client-at-{name}",
        "client_secret": "not a secret",
        "scopes": ("openid",),
    }
    return ProviderSettings(**(values | changes))  # type: ignore[arg-type]


@dataclass(kw_only=True)
class QuietProvider:
    """Believes whatever the test says: a code is the name of an account in ``accounts``."""

    settings: ProviderSettings
    accounts: dict[str, ExternalIdentity] = field(default_factory=dict)
    asked: list[Mapping[str, object]] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    is_away: bool = False

    def authorization_url(self, **asked: object) -> str:
        if self.is_away:
            raise ProviderUnavailable
        self.asked.append(asked)
        return f"{AT_PROVIDER}?{urlencode({'state': str(asked['state'])})}"

    def new_budget(self) -> None:
        """Take as long as the test does."""

    def require_issuer(self, iss: str | None, **_bound: object) -> None:
        if iss not in {None, self.settings.issuer}:
            raise IdentityRejected

    def redeem(self, *, code: str, **_bound: object) -> RedeemedCode:
        if code not in self.accounts:
            raise GrantInvalid
        tokens = ProviderTokens(access_token=f"access-{code}", refresh_token=f"refresh-{code}")
        return RedeemedCode(identity=self.accounts[code], tokens=tokens)

    def revoke(self, *, token: str, **_bound: object) -> bool:
        if self.is_away:
            raise ProviderUnavailable
        self.revoked.append(token)
        return True

    def add(self, code: str = "ada", **claims: object) -> ExternalIdentity:
        """Give somebody an account there; ``code`` is the code they come back with."""
        values = {"subject": f"subject-{code}", "name": code.capitalize()} | claims
        self.accounts[code] = ExternalIdentity(
            provider=self.settings.name,
            issuer=self.settings.issuer,
            **values,  # type: ignore[arg-type]
        )
        return self.accounts[code]


@contextmanager
def switched_on(app: Flask, *providers: QuietProvider, **changes: object) -> Iterator[None]:
    """Let the application have these providers and no others; other settings may change, too."""
    settings: Settings = app.extensions["openbadges"]
    service = replace(
        settings.service,
        providers=tuple(one.settings for one in providers),
        **changes,  # type: ignore[arg-type]
    )
    before = dict(app.extensions)
    app.extensions["openbadges"] = replace(settings, service_or_problem=service)
    app.extensions["identity_providers"] = {one.settings.name: one for one in providers}
    try:
        yield
    finally:
        app.extensions.clear()
        app.extensions.update(before)


def begin(client: Browser, provider: str = "github", **query: str) -> str:
    """Begin to sign in there; gives the state that the provider is handed."""
    answer = client.get(f"/api/oauth/{provider}/authorize", query_string=query)
    assert answer.status_code == 303, answer.text
    return state_in(answer.headers["Location"])


def state_in(location: str) -> str:
    assert location.startswith(AT_PROVIDER), location
    (state,) = parse_qs(urlsplit(location).query)["state"]
    return state


def come_back(client: Browser, state: str, provider: str = "github", **query: str) -> TestResponse:
    """Come back from the provider with an answer, as a browser does."""
    return client.get(
        f"/api/oauth/{provider}/callback",
        query_string={"state": state, **query},
        headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    )


def sign_in_with(client: Browser, code: str = "ada", provider: str = "github") -> TestResponse:
    """Go to the provider and back."""
    return come_back(client, begin(client, provider), provider, code=code)


def link_with(client: Browser, code: str = "ada", provider: str = "github") -> TestResponse:
    """Link an account there to the one signed in to."""
    begun = client.post(f"/api/oauth/{provider}/link", json={})
    assert begun.status_code == 200, begun.text
    return come_back(client, state_in(json_of(begun)["location"]), provider, code=code)


def refused(answer: TestResponse) -> str:
    """Give the code of the refusal whose page the answer leads to."""
    assert answer.status_code == 303, answer.text
    location = urlsplit(answer.headers["Location"])
    assert location.path == "/sign-in/refused", answer.headers["Location"]
    (code,) = parse_qs(location.query)["code"]
    return code


def went_on(answer: TestResponse, path: str = "/account") -> bool:
    """Tell whether the answer leads on to a page, as after a success."""
    location = answer.headers.get("Location", "")
    return answer.status_code == 303 and location.removeprefix(ORIGIN).startswith(path)


def linked(client: Browser) -> list[Mapping[str, object]]:
    listed = client.get("/api/oauth/accounts")
    assert listed.status_code == 200, listed.text
    items: list[Mapping[str, object]] = json_of(listed)["items"]
    return items
