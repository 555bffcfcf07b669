"""Identities by GitHub, which speaks OAuth 2.0 and has no ID tokens: its REST API tells."""

from collections.abc import Iterator

import requests

from app.config.oauth import ProviderSettings
from app.errors import IdentityRejected, ProviderUnavailable

from .documents import parse_json
from .findings import check_github
from .limits import Budget
from .metadata import POST, Metadata, configured_metadata, read_object
from .outbound import Outbound
from .text import LONGEST_ADDRESS, LONGEST_NAME, plain_or_none
from .token_endpoint import TokenAnswer, TokenEndpoint
from .values import ExternalIdentity, Finding

_NO_ADDRESSES = (requests.codes.forbidden, requests.codes.not_found)
"""What the list of addresses answers where the person did not agree to `user:email`."""


class GitHubProtocol:
    """How GitHub, or a GitHub Enterprise Server, is spoken to."""

    def __init__(self, settings: ProviderSettings, outbound: Outbound) -> None:
        self._settings = settings
        self._outbound = outbound
        # It names its authorization server in responses, which is not the issuer people are
        # known by here: there is no other issuer for those who signed in before it did so.
        self.issuers: tuple[str, ...] = (f"{settings.issuer}/login/oauth", settings.issuer)
        self.token_endpoint = TokenEndpoint(settings, outbound)

    def metadata(self, _budget: Budget) -> Metadata:
        """Return the endpoints that are configured; raises ProviderUnavailable if none are."""
        return configured_metadata(self._settings, token_auth_method=POST)

    def identify(
        self,
        answer: TokenAnswer,
        metadata: Metadata,
        *,
        nonce: str | None,  # noqa: ARG002 - there is no ID token that could hold it
        budget: Budget,
    ) -> ExternalIdentity:
        """Say who the tokens are about; raises IdentityRejected and ProviderUnavailable."""
        if metadata.userinfo_endpoint is None:
            raise ProviderUnavailable(reason="its userinfo endpoint is not configured")
        access_token = answer.tokens.access_token
        user = read_object(self._ask(metadata.userinfo_endpoint, access_token, budget), "user")
        number = user.get("id")
        if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**63:
            raise IdentityRejected(reason="the user has no id")
        # The public address of a user is whatever they wrote there, so it is not taken.
        email = self._find_proved_address(access_token, budget)
        return ExternalIdentity(
            provider=self._settings.name,
            issuer=self._settings.issuer,
            subject=str(number),
            email=email,
            email_verified=email is not None and self._settings.trusts_email,
            name=plain_or_none(user.get("name"), LONGEST_NAME),
            username=plain_or_none(user.get("login"), LONGEST_NAME),
        )

    def findings(self) -> Iterator[Finding]:
        """Try what can be tried without a person."""
        return check_github(self, self._outbound.limits)

    def _find_proved_address(self, access_token: str, budget: Budget) -> str | None:
        url = self._settings.emails_endpoint
        if url is None:
            return None
        response = self._ask(url, access_token, budget)
        if response.status_code in _NO_ADDRESSES:
            return None
        if response.status_code != requests.codes.ok:
            reason = f"its list of addresses has status {response.status_code}"
            raise ProviderUnavailable(reason=reason)
        try:
            entries = parse_json(response.content)
        except ValueError as error:
            raise ProviderUnavailable(reason="its list of addresses is no JSON") from error
        if not isinstance(entries, list):
            raise ProviderUnavailable(reason="its list of addresses is no list")
        return _primary_address(entries)

    def _ask(self, url: str, access_token: str, budget: Budget) -> requests.Response:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {access_token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return self._outbound.get(url, budget=budget, headers=headers)


def _primary_address(entries: list[object]) -> str | None:
    for entry in entries:
        match entry:
            case {"primary": True, "verified": True, "email": email}:
                return plain_or_none(email, LONGEST_ADDRESS)
    return None
