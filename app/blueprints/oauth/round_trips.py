"""Round trips to a provider: begun with a request that is remembered, finished by its answer.

No provider is called inside a unit of work; the state is consumed in one of its own, before
anything that came with it is believed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from flask import g, url_for

from app.blueprints import current
from app.blueprints.oauth.schemas import CallbackQuery
from app.blueprints.step_up import require_step_up
from app.errors import (
    AuthorizationDenied,
    AuthorizationRequestUnusable,
    GrantInvalid,
    IdentityRejected,
    ProviderUnavailable,
)
from app.extensions import db
from app.identity_providers import IdentityProvider, RedeemedCode
from app.models import AuthorizationPurpose
from app.services import identities
from app.services.authentication import SignedIn
from app.services.authorization_requests import (
    Audience,
    ConsumedRequest,
    RequestSecrets,
    consume_request,
    store_request,
)
from app.services.sessions import hold_session
from app.transaction import with_transaction

_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
_DENIALS = {"access_denied", "consent_required", "interaction_required", "login_required"}


@dataclass(frozen=True, kw_only=True)
class Finished:
    """Where the person goes on, and the session that a sign-in opened or a step-up renewed."""

    location: str
    signed_in: SignedIn | None = None


def begin(
    provider: IdentityProvider, *, purpose: AuthorizationPurpose, return_to: str | None
) -> str:
    """Remember a new authorization request; gives the address at the provider.

    All but a sign-in are bound to the session. Raises ``ProviderUnavailable``, ``NotSignedIn``.
    """
    is_bound = purpose != "sign_in"
    binding = current.binding(to_session=is_bound)
    made, audience = RequestSecrets(), _audience(provider)
    location = provider.authorization_url(
        state=made.state,
        nonce=made.nonce,
        code_verifier=made.code_verifier,
        redirect_uri=audience.redirect_uri,
        reauthenticates=purpose == "step_up",
    )

    with_transaction(
        lambda session: store_request(
            session,
            purpose=purpose,
            audience=audience,
            request_secrets=made,
            return_to=return_to,
            binding=binding,
            sealer=current.sealer(),
        )
    )
    return location


def finish(provider: IdentityProvider, answer: CallbackQuery) -> Finished:
    """Take the provider's answer and do what it was awaited for.

    Raises ``AuthorizationRequestUnusable``, ``AuthorizationDenied``, ``IdentityRejected``,
    ``ProviderUnavailable``, and what the outcome refuses.
    """
    if _STATE.fullmatch(answer.state) is None:
        raise AuthorizationRequestUnusable(reason="not a state that we made")
    binding = current.binding(to_session=current.find_session() is not None)
    consumed = with_transaction(
        lambda session: consume_request(
            session,
            state=answer.state,
            audience=_audience(provider),
            binding=binding,
            sealer=current.sealer(),
        )
    )
    g.return_to = consumed.return_to
    redeemed = _redeem(provider, answer, consumed)
    outcome = _OUTCOMES[consumed.purpose]
    return with_transaction(lambda _session: outcome(provider, consumed, redeemed))


def _audience(provider: IdentityProvider) -> Audience:
    name = provider.settings.name
    path = url_for("oauth.receive_callback", provider=name)
    return Audience(
        provider=name,
        issuer=provider.settings.issuer,
        redirect_uri=f"{current.settings().public_origin}{path}",
    )


def _redeem(
    provider: IdentityProvider, answer: CallbackQuery, consumed: ConsumedRequest
) -> RedeemedCode:
    budget = provider.new_budget()
    provider.require_issuer(answer.iss, budget=budget)
    if answer.error is not None:
        _refuse(answer.error)
    if not answer.code:
        raise IdentityRejected(reason="neither a code nor an error")
    try:
        return provider.redeem(
            code=answer.code,
            nonce=consumed.nonce,
            code_verifier=consumed.code_verifier,
            redirect_uri=consumed.redirect_uri,
            budget=budget,
        )
    except GrantInvalid as error:
        raise IdentityRejected(reason="the provider does not take the code") from error


def _refuse(error: str) -> NoReturn:
    """Raise the refusal for an error response (RFC 6749 section 4.1.2.1)."""
    reason = re.sub(r"[^a-z_]", "?", error[:40])
    if error in _DENIALS:
        raise AuthorizationDenied(reason=reason)
    raise ProviderUnavailable(reason=f"the provider says {reason}")


def _sign_in(
    provider: IdentityProvider, consumed: ConsumedRequest, redeemed: RedeemedCode
) -> Finished:
    signed_in = current.outside_sign_in(provider).sign_in(
        db.session(),
        redeemed=redeemed,
        device=current.device(),
        replaces=current.session_token(),
    )
    return Finished(location=_on(consumed), signed_in=signed_in)


def _link(
    provider: IdentityProvider, consumed: ConsumedRequest, redeemed: RedeemedCode
) -> Finished:
    active = current.active_session()
    hold_session(db.session(), session_id=active.id)
    # A passkey may have been added since, which is then what it takes to change the ways in.
    require_step_up(active, at=consumed.begun_at)
    identities.link(
        db.session(),
        redeemed=redeemed,
        user_id=active.person.id,
        sealer=current.sealer(),
        keeps_tokens=provider.settings.store_tokens,
    )
    return Finished(location=_on(consumed))


def _step_up(
    provider: IdentityProvider, consumed: ConsumedRequest, redeemed: RedeemedCode
) -> Finished:
    active = current.active_session()
    hold_session(db.session(), session_id=active.id)
    renewed = current.outside_sign_in(provider).step_up(
        db.session(),
        redeemed=redeemed,
        active=active,
        begun_at=consumed.begun_at,
        replaces=current.session_token(),
    )
    return Finished(location=_on(consumed), signed_in=renewed)


def _on(consumed: ConsumedRequest) -> str:
    return consumed.return_to or url_for("pages.show_account")


_Outcome = Callable[[IdentityProvider, ConsumedRequest, RedeemedCode], Finished]
_OUTCOMES: Mapping[AuthorizationPurpose, _Outcome] = {
    "sign_in": _sign_in,
    "link": _link,
    "step_up": _step_up,
}
