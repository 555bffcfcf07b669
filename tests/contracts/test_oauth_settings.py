"""Identity providers are settings: complete and consistent, or the boot ends with one sentence."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from app.config import ProviderSettings, load_settings
from app.config.oauth import ProviderKind
from app.errors import SettingsError
from tests.support.boots import POSTGRESQL, PRODUCTION
from tests.support.provider_boots import (
    GITHUB,
    MICROSOFT,
    MICROSOFT_ISSUER,
    RIGHT_PROVIDERS,
    SCHOOL,
    SECRET,
    WRONG_PROVIDERS,
    named,
    read,
    refusal,
)


def test_nobody_is_on_offer_unless_set(tmp_path: Path) -> None:
    assert read(tmp_path, {}) == ()


def test_two_variables_are_enough_for_github(tmp_path: Path) -> None:
    assert read(tmp_path, GITHUB) == (
        ProviderSettings(
            name="github",
            kind=ProviderKind.GITHUB,
            label="GitHub",
            icon="github",
            issuer="https://github.com",
            client_id="hub",
            client_secret=SECRET,
            scopes=("read:user", "user:email"),
            authorization_endpoint="https://github.com/login/oauth/authorize",
            token_endpoint="https://github.com/login/oauth/access_token",  # noqa: S106 (a URL)
            userinfo_endpoint="https://api.github.com/user",
            emails_endpoint="https://api.github.com/user/emails",
        ),
    )


def test_github_enterprise_server_is_github_at_its_issuer(tmp_path: Path) -> None:
    issuer = "https://github.example.org"
    environ = {**named("ghe", GITHUB), "OAUTH_GHE_KIND": "github", "OAUTH_GHE_ISSUER": issuer}

    github, ghe = read(tmp_path, {**environ, **GITHUB, "OAUTH_PROVIDERS": "github,ghe"})

    assert github.issuer == "https://github.com"
    assert (ghe.name, ghe.kind, ghe.label, ghe.icon) == ("ghe", "github", "Ghe", "github")
    assert ghe.issuer == issuer
    assert ghe.scopes == github.scopes
    assert ghe.authorization_endpoint == f"{issuer}/login/oauth/authorize"
    assert ghe.token_endpoint == f"{issuer}/login/oauth/access_token"
    assert ghe.userinfo_endpoint == f"{issuer}/api/v3/user"
    assert ghe.emails_endpoint == f"{issuer}/api/v3/user/emails"
    assert ghe.revocation_endpoint is None


def test_any_openid_provider_needs_its_issuer_alone(tmp_path: Path) -> None:
    """Row 24: the issuer stays as written, since it is compared as text."""
    assert read(tmp_path, SCHOOL) == (
        ProviderSettings(
            name="school",
            kind=ProviderKind.OPENID,
            label="School",
            icon="openid",
            issuer="https://login.school.example/",
            client_id="badges",
            client_secret=SECRET,
            scopes=("openid", "profile", "email"),
        ),
    )


@pytest.mark.parametrize(
    ("name", "label", "issuer"),
    [
        ("google", "Google", "https://accounts.google.com"),
        ("gitlab", "GitLab", "https://gitlab.com"),
    ],
)
def test_ready_made_openid_provider_is_found_by_its_metadata(
    tmp_path: Path, name: str, label: str, issuer: str
) -> None:
    (provider,) = read(tmp_path, named(name, GITHUB))

    assert (provider.label, provider.icon, provider.issuer) == (label, name, issuer)
    assert provider.is_openid
    assert provider.scopes == ("openid", "profile", "email")
    assert provider.authorization_endpoint is provider.emails_endpoint is None
    assert provider.trusts_email


def test_addresses_from_microsoft_are_not_trusted(tmp_path: Path) -> None:
    """Row 53: whoever runs a tenant writes its people's addresses."""
    (provider,) = read(tmp_path, MICROSOFT)

    assert (provider.label, provider.issuer) == ("Microsoft", MICROSOFT_ISSUER)
    assert not provider.trusts_email


def test_everything_may_be_said(tmp_path: Path) -> None:
    endpoint = "https://login.school.example:8443/oauth/x?tenant=a@b"
    endpoints = {
        name: f"{endpoint}&{name}"
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
            "revocation_endpoint",
        )
    }
    environ = {f"OAUTH_SCHOOL_{name.upper()}": url for name, url in endpoints.items()} | {
        "OAUTH_SCHOOL_LABEL": "Städtische Schule",
        "OAUTH_SCHOOL_ICON": "school",
        "OAUTH_SCHOOL_SCOPES": "email, openid https://scopes.example/read",
        "OAUTH_SCHOOL_STORE_TOKENS": "1",
    }

    (provider,) = read(tmp_path, {**SCHOOL, **environ})

    assert (provider.label, provider.icon) == ("Städtische Schule", "school")
    assert provider.scopes == ("email", "openid", "https://scopes.example/read")
    assert {name: getattr(provider, name) for name in endpoints} == endpoints
    assert provider.store_tokens


def test_endpoints_that_are_set_win_over_those_of_github(tmp_path: Path) -> None:
    mails, revocation = "https://api.example.org/mails", "https://api.example.org/revoke"
    environ = {
        "OAUTH_GITHUB_EMAILS_ENDPOINT": mails,
        "OAUTH_GITHUB_REVOCATION_ENDPOINT": revocation,
    }

    (provider,) = read(tmp_path, {**GITHUB, **environ})

    assert (provider.emails_endpoint, provider.revocation_endpoint) == (mails, revocation)
    assert provider.userinfo_endpoint == "https://api.github.com/user"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", ["github", "gitlab", "school", "zoo"]),
        ("zoo gitlab", ["zoo", "gitlab"]),
        ("school,github", ["school", "github"]),
    ],
)
def test_buttons_stand_in_the_order_of_the_names(
    tmp_path: Path, order: str, expected: list[str]
) -> None:
    zoo = {**named("zoo", SCHOOL), "OAUTH_ZOO_ISSUER": "https://zoo.example"}
    environ = {**zoo, **SCHOOL, **named("gitlab", GITHUB), **GITHUB, "OAUTH_PROVIDERS": order}

    providers = read(tmp_path, environ)

    assert [provider.name for provider in providers] == expected
    # A database driver would store a member of an enumeration in its own way.
    assert {type(provider.name) for provider in providers} == {str}
    assert {type(provider.icon) for provider in providers} == {str}


def test_variables_of_a_provider_left_out_are_not_read(tmp_path: Path) -> None:
    environ = {**GITHUB, "OAUTH_PROVIDERS": "github", "OAUTH_SCHOOL_LABLE": "x"}

    assert [provider.name for provider in read(tmp_path, environ)] == ["github"]


@pytest.mark.parametrize("order", ["", "school", "school_b", "school,school_b,school_b_client"])
def test_one_name_may_begin_like_another(tmp_path: Path, order: str) -> None:
    environ = dict(SCHOOL)
    for name in ("school_b", "school_b_client"):
        issuer = {f"OAUTH_{name.upper()}_ISSUER": f"https://{name.replace('_', '-')}.example"}
        environ |= {**named(name, SCHOOL), **issuer}

    providers = read(tmp_path, {**environ, "OAUTH_PROVIDERS": order})

    expected = order.split(",") if order else ["school", "school_b", "school_b_client"]
    assert [provider.name for provider in providers] == expected
    labels = {"school": "School", "school_b": "School b", "school_b_client": "School b client"}
    assert [provider.label for provider in providers] == [labels[name] for name in expected]


@pytest.mark.parametrize(
    ("environ", "variable", "words"), WRONG_PROVIDERS.values(), ids=WRONG_PROVIDERS.keys()
)
def test_wrong_provider_is_refused(
    tmp_path: Path, environ: dict[str, str], variable: str, words: str
) -> None:
    sentence = refusal(tmp_path, environ)

    assert sentence.startswith(f"OAUTH_{variable} ")
    assert words in sentence


@pytest.mark.parametrize("environ", RIGHT_PROVIDERS.values(), ids=RIGHT_PROVIDERS.keys())
def test_right_neighbour_is_read(tmp_path: Path, environ: dict[str, str]) -> None:
    assert len(read(tmp_path, environ)) == 1


def test_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "secret").chmod(0o600)
    environ = {"OAUTH_GITHUB_CLIENT_ID": "hub", "OAUTH_GITHUB_CLIENT_SECRET_FILE": "secret"}

    assert read(tmp_path, environ) == read(tmp_path, GITHUB)


def test_a_command_needs_no_provider(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": POSTGRESQL, "OAUTH_PROVIDERS": "github"}

    settings = load_settings({**PRODUCTION, **environ}, folder=tmp_path)

    assert settings.database.kind == "postgresql"
    with pytest.raises(SettingsError, match="OAUTH_GITHUB_CLIENT_ID is missing"):
        _ = settings.service


def test_providers_are_frozen_and_print_no_secret(tmp_path: Path) -> None:
    (provider,) = read(tmp_path, GITHUB)

    assert SECRET not in repr(load_settings({**PRODUCTION, **GITHUB}, folder=tmp_path))
    with pytest.raises(FrozenInstanceError):
        provider.issuer = "https://a.example"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("stray", "sentence"),
    [
        ("OAUTH_PROVIDER", "OAUTH_PROVIDER is unknown: write OAUTH_PROVIDERS"),
        ("OAUTH_SCHOL_LABEL", "OAUTH_SCHOL_LABEL is of no provider whose client id is set"),
        ("OAUTH_GITLAB_ISSUER", "OAUTH_GITLAB_ISSUER is of no provider whose client id is set"),
    ],
)
def test_a_variable_of_no_provider_is_a_typing_error(
    tmp_path: Path, stray: str, sentence: str
) -> None:
    assert refusal(tmp_path, {**SCHOOL, stray: "school"}).startswith(sentence)
    assert [one.name for one in read(tmp_path, {**SCHOOL, "OAUTH_TOKEN": "another's"})] == [
        "school"
    ]
