"""Whatever holds a secret does not show it, neither to a log nor in a traceback.

ASVS 13.3.1, 14.2.1, 16.2.5, 16.5.1.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import NoReturn

import pytest
import structlog

from app import clock
from app.blueprints.oauth.round_trips import Finished
from app.blueprints.oauth.schemas import CallbackQuery
from app.config import DatabaseSettings, Environment, ServiceSettings, Settings, load_settings
from app.config.variables import Secret
from app.identity_providers import (
    ExternalIdentity,
    IdentityProvider,
    IdentityProviders,
    ProviderTokens,
    RedeemedCode,
)
from app.identity_providers.token_endpoint import TokenAnswer
from app.services.authentication import SignedIn
from app.services.authorization_requests import ConsumedRequest, RequestSecrets
from app.services.identities import Unlinked
from app.services.provider_tokens import AccessTokens
from app.services.sealing import Sealer
from app.services.sessions import OpenedSession, RenewedSession
from tests.support.outside_accounts import provider_settings
from tests.support.rows import a_session, a_user, an_authorization_request, an_identity
from tests.support.variables import DEVELOPMENT


def tokens(canary: str) -> ProviderTokens:
    return ProviderTokens(access_token=canary, refresh_token=canary)


def service(canary: str) -> ServiceSettings:
    return ServiceSettings(
        environment=Environment.PRODUCTION,
        public_origin="https://id.example.org",
        rp_id="id.example.org",
        secret_keys=(canary.encode(),),
        providers=(provider_settings(client_secret=canary),),
    )


def database(canary: str) -> DatabaseSettings:
    url = f"postgresql+psycopg://app:{canary}@db.example/badges"
    return DatabaseSettings(kind="postgresql", url=url, migration_url=url)


def loaded(canary: str) -> Settings:
    key = urlsafe_b64encode(canary.encode()[:32]).decode()
    given = {
        "SECRET_KEYS": key,
        "OAUTH_GITHUB_CLIENT_ID": "client",
        "OAUTH_GITHUB_CLIENT_SECRET": canary,
    }
    settings = load_settings({**DEVELOPMENT, **given})
    assert settings.service.secret_keys == (canary.encode()[:32],)
    return settings


def redeemed(canary: str) -> RedeemedCode:
    identity = ExternalIdentity(provider="github", issuer="https://github.com", subject="1")
    return RedeemedCode(identity=identity, tokens=tokens(canary))


def consumed(canary: str) -> ConsumedRequest:
    return ConsumedRequest(
        purpose="sign_in",
        nonce=canary,
        code_verifier=canary,
        redirect_uri="https://id.example.org/callback",
        return_to=None,
        begun_at=clock.now(),
    )


def under_way(canary: str) -> object:
    row = an_authorization_request()
    row.nonce = row.code_verifier = canary
    return row


def linked(canary: str) -> object:
    row = an_identity(a_user(), provider="github")
    row.access_token = row.refresh_token = canary
    return row


def signed_in(canary: str) -> SignedIn:
    return SignedIn(active=None, token=canary)  # type: ignore[arg-type] # it is not looked at


def access_tokens(canary: str) -> AccessTokens:
    providers = IdentityProviders((provider_settings(client_secret=canary),))
    return AccessTokens(in_unit=None, providers=providers, sealer=sealer(canary))  # type: ignore[arg-type] # not called


def sealer(canary: str) -> Sealer:
    return Sealer([canary.encode()])


HOLDERS: Mapping[str, Callable[[str], object]] = {
    "settings of a provider": lambda canary: provider_settings(client_secret=canary),
    "settings of the service": service,
    "settings of the database": database,
    "all settings, as loaded": loaded,
    "secret as found": lambda canary: Secret(canary, "environment"),
    "secrets of a request": lambda canary: RequestSecrets(
        state=canary, nonce=canary, code_verifier=canary
    ),
    "request under way": under_way,
    "request that is consumed": consumed,
    "callback": lambda canary: CallbackQuery(state=canary, code=canary),
    "tokens": tokens,
    "token answer": lambda canary: TokenAnswer(tokens=tokens(canary), id_token=canary),
    "redeemed code": redeemed,
    "identity": linked,
    "unlinked identity": lambda canary: Unlinked(issuer="https://github.com", tokens=[canary]),
    "sign-in": signed_in,
    "finished round trip": lambda canary: Finished(
        location="/account", signed_in=signed_in(canary)
    ),
    "opened session": lambda canary: OpenedSession(session=a_session(a_user()), token=canary),
    "renewed session": lambda canary: RenewedSession(session=a_session(a_user()), token=canary),
    "sealer": sealer,
    "provider": lambda canary: IdentityProvider(provider_settings(client_secret=canary)),
    "providers": lambda canary: IdentityProviders((provider_settings(client_secret=canary),)),
    "access tokens": access_tokens,
}


def fail_with(holder: object) -> NoReturn:
    raise RuntimeError(f"cannot use {holder} of {holder!r}", holder)


def traceback_with(holder: object) -> str:
    """Give what a log tells of a failure whose message names the holder."""
    try:
        fail_with(holder)
    except RuntimeError as error:
        event = structlog.processors.format_exc_info(None, "error", {"exc_info": error})
    return str(event["exception"])


@pytest.mark.parametrize("make", HOLDERS.values(), ids=HOLDERS.keys())
def test_holder_of_a_secret_does_not_show_it(make: Callable[[str], object]) -> None:
    canary = secrets.token_hex(24)
    holder = make(canary)

    shown = f"{holder!r} {holder} {traceback_with(holder)}"

    encoded = urlsafe_b64encode(canary.encode()[:30]).decode()
    assert "RuntimeError" in shown
    for form in (canary[:32], canary.encode()[:32].hex(), encoded):
        assert form not in shown


def test_the_same_search_finds_what_is_shown() -> None:
    """The control: a holder that hides nothing."""
    canary = secrets.token_hex(24)

    shown = traceback_with(asdict(tokens(canary)))

    assert canary in shown
