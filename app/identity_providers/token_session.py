"""Authlib's OAuth 2.0 session, where its habits are not ours."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus

import requests
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]

from app.config.oauth import ProviderSettings

from .metadata import BASIC, Metadata
from .token_answer import read_answer


class TokenSession(OAuth2Session):  # type: ignore[misc] # Authlib ships no types
    """Authlib's session, with its answers read by our own rules, and kept as they came."""

    answer: dict[str, object]
    """What the token endpoint said last."""

    def __init__(self, settings: ProviderSettings, metadata: Metadata) -> None:
        super().__init__(
            settings.client_id,
            settings.client_secret,
            token_endpoint_auth_method=metadata.token_auth_method,
            revocation_endpoint_auth_method=metadata.token_auth_method,
        )
        self.register_client_auth_method((BASIC, authenticate_by_basic))

    def parse_response_token(self, response: requests.Response) -> dict[str, object]:
        """Read a token response; raises OAuthError and ProviderUnavailable."""
        self.answer = read_answer(response)
        if "error" in self.answer:
            raise OAuthError(error=self.answer["error"])
        # Authlib would do arithmetic with members that may be anything.
        self.token: dict[str, object] = {}
        return self.token


def authenticate_by_basic(
    client: Any,  # noqa: ANN401 - Authlib's
    _method: str,
    url: str,
    headers: dict[str, str],
    body: str,
) -> tuple[str, dict[str, str], str]:
    """Form-encode identifier and secret before they are joined (RFC 6749, section 2.3.1).

    Authlib leaves that out, so that a colon or a per cent sign would be read as something else.
    """
    credentials = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(credentials.encode('ascii')).decode('ascii')}"
    return url, headers, body
