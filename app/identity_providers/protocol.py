"""What the ways of speaking to a provider have in common."""

from collections.abc import Iterator
from typing import Protocol

from .limits import Budget
from .metadata import Metadata
from .token_endpoint import TokenAnswer, TokenEndpoint
from .values import ExternalIdentity, Finding


class ProviderProtocol(Protocol):
    """OpenID Connect, or GitHub's own."""

    issuers: tuple[str, ...]
    """As authorization responses may name the provider (RFC 9207)."""
    token_endpoint: TokenEndpoint

    def metadata(self, budget: Budget, /) -> Metadata:
        """Return what holds of the provider now; raises ProviderUnavailable."""

    def identify(
        self, answer: TokenAnswer, metadata: Metadata, *, nonce: str | None, budget: Budget
    ) -> ExternalIdentity:
        """Say who the tokens are about; raises IdentityRejected and ProviderUnavailable."""

    def findings(self) -> Iterator[Finding]:
        """Try what can be tried without a person."""
