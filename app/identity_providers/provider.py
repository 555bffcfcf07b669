"""One identity provider, as the services see it.

The libraries it takes to speak to a provider are loaded when one is first spoken to, so that a
service without providers starts without them (docs/performance.md).
"""

from __future__ import annotations

import hashlib
import threading
import time
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app.errors import IdentityRejected

from .limits import Budget, Limits
from .values import RedeemedCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.config.oauth import ProviderSettings

    from .kept import Monotonic
    from .protocol import ProviderProtocol
    from .values import Finding, ProviderTokens


class IdentityProvider:
    """Signs people in by authorization codes (RFC 6749, section 4.1); for many threads at once.

    It keeps the provider's metadata and keys, so there is one for each provider and process.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        *,
        limits: Limits | None = None,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self.settings = settings
        self._limits = limits or Limits()
        self._monotonic = monotonic
        self._loading = threading.Lock()
        self._loaded: ProviderProtocol | None = None

    def authorization_url(
        self,
        *,
        state: str,
        nonce: str | None,
        code_verifier: str,
        redirect_uri: str,
        reauthenticates: bool = False,
    ) -> str:
        """Return where to send the person (RFC 6749, section 4.1.1), always with PKCE.

        An OpenID provider is asked to authenticate the person again where `reauthenticates`.
        Raises ProviderUnavailable.
        """
        parameters = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "code_challenge": _code_challenge(code_verifier),
            "code_challenge_method": "S256",
        }
        if self.settings.is_openid:
            parameters |= {"nonce": nonce} if nonce else {}
            parameters |= {"max_age": "0", "prompt": "login"} if reauthenticates else {}
        metadata = self._protocol.metadata(self.new_budget())
        return _with_query(metadata.authorization_endpoint, parameters)

    def new_budget(self) -> Budget:
        """Give the time that one answer of the provider's may take, for all that it needs."""
        return Budget(self._limits.operation_seconds)

    def require_issuer(self, iss: str | None, *, budget: Budget | None = None) -> None:
        """Check the `iss` of an authorization response (RFC 9207, section 2.4).

        Raises IdentityRejected where it is another provider's, or is missing although the
        provider promised it, and ProviderUnavailable where its promise cannot be looked up.
        """
        if iss is not None:
            if iss not in self._protocol.issuers:
                raise IdentityRejected(reason="the authorization response is of another issuer")
        elif self._protocol.metadata(budget or self.new_budget()).announces_iss:
            raise IdentityRejected(reason="the authorization response does not name its issuer")

    def redeem(
        self,
        *,
        code: str,
        nonce: str | None,
        code_verifier: str,
        redirect_uri: str,
        budget: Budget | None = None,
    ) -> RedeemedCode:
        """Exchange the code, and find out whom it is about, within the budget's ten seconds.

        Raises GrantInvalid where the provider does not take the code, IdentityRejected where what
        it says of the person does not hold, and ProviderUnavailable.
        """
        budget = budget or self.new_budget()
        metadata = self._protocol.metadata(budget)
        answer = self._protocol.token_endpoint.redeem(
            metadata, budget, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri
        )
        identity = self._protocol.identify(answer, metadata, nonce=nonce, budget=budget)
        return RedeemedCode(identity=identity, tokens=answer.tokens)

    def refresh(self, *, refresh_token: str) -> ProviderTokens:
        """Exchange the refresh token; where the answer holds none, the old one stays good.

        Raises GrantInvalid where the provider does not take it, and ProviderUnavailable.
        """
        budget = self.new_budget()
        metadata = self._protocol.metadata(budget)
        endpoint = self._protocol.token_endpoint
        return endpoint.refresh(metadata, budget, refresh_token=refresh_token).tokens

    def revoke(self, *, token: str, budget: Budget | None = None) -> bool:
        """Revoke the token (RFC 7009); False where the provider has no endpoint for it.

        Several may share one budget of ten seconds. Raises ProviderUnavailable.
        """
        budget = budget or self.new_budget()
        metadata = self._protocol.metadata(budget)
        return self._protocol.token_endpoint.revoke(metadata, budget, token=token)

    def check(self) -> Iterator[Finding]:
        """Try what can be tried without a person; a provider's trouble is a finding."""
        return self._protocol.findings()

    @property
    def _protocol(self) -> ProviderProtocol:
        with self._loading:
            if self._loaded is None:
                from .loading import load_protocol  # noqa: PLC0415 - see above

                self._loaded = load_protocol(self.settings, self._limits, self._monotonic)
            return self._loaded


def _code_challenge(code_verifier: str) -> str:
    """Make the S256 challenge (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _with_query(url: str, parameters: dict[str, str]) -> str:
    """Add the parameters to whatever query stands there (RFC 6749, section 3.1)."""
    parts = urlsplit(url)
    standing = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in standing if name not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*kept, *parameters.items()])))
