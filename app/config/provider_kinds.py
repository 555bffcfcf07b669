"""The kinds of identity providers, and what is ready-made for each: data, no code of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

ICONS = ("github", "google", "gitlab", "microsoft", "openid", "school", "building", "key")
OPENID_SCOPES = ("openid", "profile", "email")
GITHUB_ISSUER = "https://github.com"


class ProviderKind(StrEnum):
    """What a provider speaks; all but GitHub are OpenID providers. Each has an icon of its name."""

    GITHUB = "github"
    GOOGLE = "google"
    GITLAB = "gitlab"
    MICROSOFT = "microsoft"
    OPENID = "openid"


@dataclass(frozen=True, kw_only=True)
class ReadyMade:
    """What need not be set for a provider of one kind; None where the operator must say it."""

    label: str | None = None
    issuer: str | None = None
    scopes: tuple[str, ...] = OPENID_SCOPES
    trusts_email: bool = True


READY_MADE: Mapping[ProviderKind, ReadyMade] = {
    ProviderKind.GITHUB: ReadyMade(
        label="GitHub", issuer=GITHUB_ISSUER, scopes=("read:user", "user:email")
    ),
    ProviderKind.GOOGLE: ReadyMade(label="Google", issuer="https://accounts.google.com"),
    ProviderKind.GITLAB: ReadyMade(label="GitLab", issuer="https://gitlab.com"),
    # Each tenant is an issuer of its own, and its administrators may write any address.
    ProviderKind.MICROSOFT: ReadyMade(label="Microsoft", trusts_email=False),
    ProviderKind.OPENID: ReadyMade(),
}
READY_MADE_NAMES = tuple(kind.value for kind in READY_MADE if kind is not ProviderKind.OPENID)


def github_endpoints(issuer: str) -> Mapping[str, str]:
    """Return the endpoints of GitHub, or of the GitHub Enterprise Server at `issuer`.

    No revocation endpoint is among them: GitHub's own is not the one of RFC 7009.
    """
    api = "https://api.github.com" if issuer == GITHUB_ISSUER else f"{issuer}/api/v3"
    return {
        "authorization_endpoint": f"{issuer}/login/oauth/authorize",
        "token_endpoint": f"{issuer}/login/oauth/access_token",
        "userinfo_endpoint": f"{api}/user",
        "emails_endpoint": f"{api}/user/emails",
    }
