"""Identities by OpenID Connect Core 1.0: an ID token, and UserInfo for what it leaves out."""

from collections.abc import Iterator, Mapping

from app.config.oauth import ProviderSettings
from app.errors import IdentityRejected, ProviderUnavailable

from .findings import check_openid
from .id_token import IDTokenVerifier, authentication_time
from .kept import Monotonic
from .keys import KeySource
from .limits import Budget
from .metadata import Metadata, MetadataSource, read_object
from .outbound import Outbound
from .refusal import require
from .text import LONGEST_ADDRESS, LONGEST_NAME, plain_or_none
from .token_endpoint import TokenAnswer, TokenEndpoint
from .values import Claims, ExternalIdentity, Finding


class OpenIDProtocol:
    """How an OpenID provider is spoken to."""

    def __init__(
        self, settings: ProviderSettings, outbound: Outbound, *, monotonic: Monotonic
    ) -> None:
        self._settings = settings
        self._outbound = outbound
        self._metadata = MetadataSource(settings, outbound, monotonic)
        self._keys = KeySource(self._metadata, outbound, monotonic=monotonic)
        self._verifier = IDTokenVerifier(settings, self._keys)
        self.issuers: tuple[str, ...] = (settings.issuer,)
        self.token_endpoint = TokenEndpoint(settings, outbound)

    def metadata(self, budget: Budget) -> Metadata:
        """Return what holds of the provider now; raises ProviderUnavailable."""
        return self._metadata.get(budget)

    def identify(
        self, answer: TokenAnswer, metadata: Metadata, *, nonce: str | None, budget: Budget
    ) -> ExternalIdentity:
        """Say who the tokens are about; raises IdentityRejected and ProviderUnavailable."""
        access_token = answer.tokens.access_token
        claims = self._verifier.verify(
            answer.id_token, nonce=nonce, access_token=access_token, budget=budget
        )
        further: Claims = {}
        url = metadata.userinfo_endpoint
        if url is not None and not ("email" in claims and "name" in claims):
            further = self._ask_userinfo(url, access_token, budget)
            # Otherwise it could be about anybody (section 5.3.2).
            require(further.get("sub") == claims["sub"], "UserInfo is about somebody else")
        return self._identity(claims, further)

    def findings(self) -> Iterator[Finding]:
        """Try what can be tried without a person."""
        limits = self._outbound.limits
        return check_openid(self._settings, self, self._keys, limits)

    def _ask_userinfo(self, url: str, access_token: str, budget: Budget) -> Mapping[str, object]:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {access_token}"}
        response = self._outbound.get(url, budget=budget, headers=headers)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if response.ok and kind != "application/json":
            # A signed answer (application/jwt) is sent to clients that registered for it.
            raise ProviderUnavailable(reason="its UserInfo is not JSON")
        return read_object(response, "UserInfo")

    def _identity(self, claims: Claims, further: Claims) -> ExternalIdentity:
        subject = claims["sub"]
        if not isinstance(subject, str):
            raise IdentityRejected(reason="the subject is no text")
        # The address and whether it is verified belong together, so both are of one source.
        source = claims if "email" in claims else further
        email = plain_or_none(source.get("email"), LONGEST_ADDRESS)
        proved = source.get("email_verified") is True and self._settings.trusts_email
        both = {**further, **claims}
        return ExternalIdentity(
            provider=self._settings.name,
            issuer=self._settings.issuer,
            subject=subject,
            email=email,
            email_verified=email is not None and proved,
            name=plain_or_none(both.get("name"), LONGEST_NAME),
            username=plain_or_none(both.get("preferred_username"), LONGEST_NAME),
            authenticated_at=authentication_time(claims),
        )
