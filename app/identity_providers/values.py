"""What an identity provider told, once all of it was checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ExternalIdentity:
    """Somebody as their identity provider knows them: (issuer, subject), and nothing else."""

    provider: str
    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    """True only where the provider said so and its word is taken for it."""
    name: str | None = None
    username: str | None = None
    authenticated_at: datetime | None = None
    """When they last authenticated there, where the provider tells (OpenID Core ``auth_time``)."""


@dataclass(frozen=True, kw_only=True)
class ProviderTokens:
    """Tokens of a token response (RFC 6749 section 5.1)."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False, default=None)
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RedeemedCode:
    """What an authorization code was good for."""

    identity: ExternalIdentity
    tokens: ProviderTokens


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of what ``flask oauth check`` tries at a provider."""

    works: bool
    sentence: str


Claims = Mapping[str, object]
