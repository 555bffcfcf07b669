"""Authorization requests: begun in one browser at one provider, consumed once.

Like a challenge, a state is consumed in a unit of work of its own, before anything that came with
it is believed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy.orm import Session

from app import clock
from app.errors import AuthorizationRequestUnusable
from app.models import AuthorizationPurpose, AuthorizationRequest
from app.services.challenges import Binding
from app.services.sealing import Place, Sealer, Unsealable
from app.services.sessions import hold_session
from app.services.sweeping import sweep_expired
from app.services.tokens import hash_secret, new_secret

STATE_TTL = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class RequestSecrets:
    """What makes one authorization request unlike any other: 256 random bits each.

    ``code_verifier`` is 43 characters (RFC 7636 section 4.1), ``nonce`` OpenID Core's.
    """

    state: str = field(repr=False, default_factory=new_secret)
    nonce: str = field(repr=False, default_factory=new_secret)
    code_verifier: str = field(repr=False, default_factory=new_secret)


@dataclass(frozen=True, kw_only=True)
class Audience:
    """At which provider a request is made, and where its answer is awaited."""

    provider: str
    issuer: str
    redirect_uri: str


@dataclass(frozen=True, kw_only=True)
class ConsumedRequest:
    """A request that was ours, in time, and is gone now."""

    purpose: AuthorizationPurpose
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    return_to: str | None
    begun_at: datetime


def store_request(
    session: Session,
    *,
    purpose: AuthorizationPurpose,
    audience: Audience,
    request_secrets: RequestSecrets,
    return_to: str | None,
    binding: Binding,
    sealer: Sealer,
) -> None:
    """Remember a request until its answer comes; sweeps a few expired ones away.

    Raises ``NotSignedIn`` where it is bound to a session that has ended.
    """
    if binding.session_id is not None:
        hold_session(session, session_id=binding.session_id)
    state_hash = hash_secret(request_secrets.state)
    now = clock.now()
    session.add(
        AuthorizationRequest(
            state_hash=state_hash,
            purpose=purpose,
            provider=audience.provider,
            issuer=audience.issuer,
            nonce=sealer.seal(request_secrets.nonce, place=_place(state_hash, "nonce")),
            code_verifier=sealer.seal(
                request_secrets.code_verifier, place=_place(state_hash, "code_verifier")
            ),
            redirect_uri=audience.redirect_uri,
            return_to=return_to,
            browser_hash=binding.browser_hash,
            user_id=binding.user_id,
            session_id=binding.session_id,
            created_at=now,
            expires_at=now + STATE_TTL,
        )
    )
    sweep_expired(
        session, key=AuthorizationRequest.state_hash, expires_at=AuthorizationRequest.expires_at
    )


def consume_request(
    session: Session, *, state: str, audience: Audience, binding: Binding, sealer: Sealer
) -> ConsumedRequest:
    """Take the request away, in one statement that names all it must be good for.

    One that a session began is good in that session and for its person alone. Raises
    ``AuthorizationRequestUnusable``, whatever the cause.
    """
    consumed = session.scalar(
        delete(AuthorizationRequest)
        .where(*_is_good(hash_secret(state), audience, binding))
        .returning(AuthorizationRequest)
    )
    if consumed is None:
        raise AuthorizationRequestUnusable(reason="unknown, used, expired or bound to another")
    return ConsumedRequest(
        purpose=consumed.purpose,
        nonce=_open(consumed, "nonce", sealer),
        code_verifier=_open(consumed, "code_verifier", sealer),
        redirect_uri=consumed.redirect_uri,
        return_to=consumed.return_to,
        begun_at=consumed.created_at,
    )


def _is_good(
    state_hash: bytes, audience: Audience, binding: Binding
) -> tuple[ColumnElement[bool], ...]:
    request = AuthorizationRequest
    return (
        request.state_hash == state_hash,
        request.provider == audience.provider,
        request.issuer == audience.issuer,
        request.browser_hash == binding.browser_hash,
        or_(request.session_id.is_(None), request.session_id == binding.session_id),
        or_(request.user_id.is_(None), request.user_id == binding.user_id),
        request.expires_at > clock.now(),
    )


def _place(state_hash: bytes, column: str) -> Place:
    return Place(table="oauth_sessions", column=column, row=state_hash.hex())


def _open(consumed: AuthorizationRequest, column: str, sealer: Sealer) -> str:
    try:
        return sealer.open(getattr(consumed, column), place=_place(consumed.state_hash, column))
    except Unsealable as error:
        raise AuthorizationRequestUnusable(reason=f"its {column} cannot be opened") from error
