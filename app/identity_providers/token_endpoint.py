"""The token endpoint (RFC 6749, sections 4.1.3, 5 and 6) and the revocation endpoint (RFC 7009)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import requests
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]

from app import clock
from app.config.oauth import ProviderSettings
from app.errors import GrantInvalid, ProviderUnavailable

from .limits import Budget
from .metadata import Metadata
from .outbound import Outbound
from .token_session import TokenSession
from .values import ProviderTokens

LONGEST_LIFE = timedelta(days=3650)

# Beside that of RFC 6749, section 5.2, those of GitHub.
INVALID_GRANTS = frozenset({"invalid_grant", "bad_verification_code", "bad_refresh_token"})

_TOKEN = re.compile(r"[!-~]{1,16384}")  # VSCHAR (RFC 6749, appendix A.12), but the blank
_ERROR = re.compile(r"[a-z_]{1,40}")
_DIGITS = re.compile(r"[0-9]{1,12}")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class TokenAnswer:
    """What the token endpoint gave; the ID token has not been verified."""

    tokens: ProviderTokens
    id_token: object = field(repr=False, default=None)


class TokenRefusal(Exception):
    """The token endpoint answered with an error; the message is its code."""


class TokenEndpoint:
    """Exchanges grants for tokens at one provider, and takes tokens back."""

    def __init__(self, settings: ProviderSettings, outbound: Outbound) -> None:
        self._settings = settings
        self._outbound = outbound

    def redeem(
        self,
        metadata: Metadata,
        budget: Budget,
        *,
        code: str,
        code_verifier: str,
        redirect_uri: str,
    ) -> TokenAnswer:
        """Exchange an authorization code.

        Raises GrantInvalid where the provider does not take it, and ProviderUnavailable.
        """

        def exchange(session: TokenSession) -> None:
            session.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=code_verifier,
                redirect_uri=redirect_uri,
            )

        return _read_tokens(_granted(lambda: self._answer(exchange, metadata, budget)))

    def refresh(self, metadata: Metadata, budget: Budget, *, refresh_token: str) -> TokenAnswer:
        """Exchange a refresh token; raises as `redeem` does."""

        def exchange(session: TokenSession) -> None:
            session.refresh_token(metadata.token_endpoint, refresh_token=refresh_token)

        return _read_tokens(_granted(lambda: self._answer(exchange, metadata, budget)))

    def try_code(self, metadata: Metadata, budget: Budget, *, code: str) -> str:
        """Present a code that was never issued, and return the error that it is refused with.

        Raises ProviderUnavailable, also where it is not refused.
        """

        def exchange(session: TokenSession) -> None:
            session.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=code,
                redirect_uri="https://client.invalid/callback",
            )

        try:
            self._answer(exchange, metadata, budget)
        except TokenRefusal as refusal:
            return str(refusal)
        raise ProviderUnavailable(reason="its token endpoint takes a code that was never issued")

    def revoke(self, metadata: Metadata, budget: Budget, *, token: str) -> bool:
        """Revoke a token; False where the provider has no endpoint for it.

        Raises ProviderUnavailable.
        """
        url = metadata.revocation_endpoint
        if url is None:
            return False
        with (
            TokenSession(self._settings, metadata) as session,
            self._outbound.protected(session, budget),
        ):
            response = session.revoke_token(url, token=token)
        if response.status_code != requests.codes.ok:
            reason = f"its revocation endpoint answers with status {response.status_code}"
            raise ProviderUnavailable(reason=reason)
        return True

    def _answer(
        self, exchange: Callable[[TokenSession], None], metadata: Metadata, budget: Budget
    ) -> dict[str, object]:
        with (
            TokenSession(self._settings, metadata) as session,
            self._outbound.protected(session, budget),
        ):
            try:
                exchange(session)
            except OAuthError as error:
                code = str(error.error)
                known = code if _ERROR.fullmatch(code) else "an error that is none of OAuth's"
                # Without its cause, whose text is the provider's: it may repeat the request.
                raise TokenRefusal(known) from None
            answer: dict[str, object] = session.answer
            return answer


def _granted(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except TokenRefusal as refusal:
        reason = f"its token endpoint answers {refusal}"
        if str(refusal) in INVALID_GRANTS:
            raise GrantInvalid(reason=reason) from refusal
        raise ProviderUnavailable(reason=reason) from refusal


def _read_tokens(answer: dict[str, object]) -> TokenAnswer:
    access_token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
    kind = answer.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProviderUnavailable(reason="its token is not of the type bearer")
    if not isinstance(access_token, str) or not _TOKEN.fullmatch(access_token):
        raise ProviderUnavailable(reason="it gave no access token that can be used")
    # Some write an empty one for none.
    if refresh_token in (None, ""):
        refresh_token = None
    elif not isinstance(refresh_token, str) or not _TOKEN.fullmatch(refresh_token):
        raise ProviderUnavailable(reason="it gave no refresh token that can be used")
    life = _life(answer.get("expires_in"))
    return TokenAnswer(
        tokens=ProviderTokens(
            access_token=access_token,
            refresh_token=refresh_token,
            expires_at=None if life is None else clock.now() + life,
        ),
        id_token=answer.get("id_token"),
    )


def _life(expires_in: object) -> timedelta | None:
    """Read the lifetime; None where it is unknown. Some write the number as text."""
    if isinstance(expires_in, str) and _DIGITS.fullmatch(expires_in):
        expires_in = int(expires_in)
    if not isinstance(expires_in, int) or isinstance(expires_in, bool) or expires_in <= 0:
        return None
    return timedelta(seconds=min(expires_in, LONGEST_LIFE.total_seconds()))
