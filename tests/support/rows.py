"""Rows for tests of the data layer, each complete; what is not said is made up."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.models import (
    Application,
    AuthorizationRequest,
    Base,
    Challenge,
    Credential,
    HandoverCode,
    Identity,
    Invitation,
    RecoveryCode,
    RemovedCredential,
    User,
    UserSession,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def a_hash() -> bytes:
    return secrets.token_bytes(32)


def a_user(
    *, email_canonical: str | None = None, webauthn_id: bytes | None = None, name: str = "Ada"
) -> User:
    return User(
        email=email_canonical,
        email_canonical=email_canonical,
        name=name,
        webauthn_id=webauthn_id or secrets.token_bytes(64),
    )


def a_credential(user: User, *, credential_id: bytes | None = None) -> Credential:
    return Credential(
        user_id=user.id,
        credential_id=credential_id or a_hash(),
        rp_id="localhost",
        public_key=b"key",
        sign_count=0,
        transports=["internal"],
        backup_eligible=True,
        backed_up=False,
        name="Passkey",
    )


def an_application(
    application_id: str | None = None,
    *,
    origins: Sequence[str] | None = None,
    allowed_groups: Sequence[str] = (),
    header_map: Mapping[str, str] | None = None,
) -> Application:
    application_id = application_id or f"app-{secrets.token_hex(4)}"
    return Application(
        id=application_id,
        name=application_id.title(),
        origins=list(origins or [f"https://{application_id}.example.org"]),
        allowed_groups=list(allowed_groups),
        header_map=dict(header_map or {}),
    )


def a_session(
    user: User,
    *,
    token_hash: bytes | None = None,
    parent: UserSession | None = None,
    application: Application | None = None,
) -> UserSession:
    return UserSession(
        user_id=user.id,
        token_hash=token_hash or a_hash(),
        parent_id=parent.id if parent else None,
        application_id=application.id if application else None,
        authenticated_at=NOON,
        authenticated_with="passkey",
        last_seen_at=NOON,
        idle_seconds=60,
        idle_expires_at=LATER,
        expires_at=LATER,
        device="Firefox on Linux",
    )


def a_challenge(
    user: User | None = None,
    *,
    session: UserSession | None = None,
    hash_: bytes | None = None,
) -> Challenge:
    return Challenge(
        hash=hash_ or a_hash(),
        purpose="authentication",
        user_id=user.id if user else None,
        session_id=session.id if session else None,
        browser_hash=b"browser",
        expires_at=LATER,
    )


def an_identity(
    user: User,
    *,
    provider: str = "github",
    issuer: str = "https://github.com",
    subject: str | None = None,
) -> Identity:
    return Identity(
        user_id=user.id,
        provider=provider,
        issuer=issuer,
        provider_id=subject or secrets.token_hex(8),
    )


def an_authorization_request(
    user: User | None = None,
    *,
    session: UserSession | None = None,
    state_hash: bytes | None = None,
) -> AuthorizationRequest:
    return AuthorizationRequest(
        state_hash=state_hash or a_hash(),
        purpose="link",
        provider="github",
        issuer="https://github.com",
        nonce=None,
        code_verifier="v1.key.nonce.ciphertext",
        redirect_uri="https://id.example.org/api/oauth/github/callback",
        browser_hash=b"browser",
        user_id=user.id if user else None,
        session_id=session.id if session else None,
        expires_at=LATER,
    )


def a_handover_code(
    session: UserSession, application: Application, *, code_hash: bytes | None = None
) -> HandoverCode:
    return HandoverCode(
        code_hash=code_hash or a_hash(),
        application_id=application.id,
        session_id=session.id,
        browser_hash=b"browser",
        origin=application.origins[0],
        return_to="/",
        expires_at=LATER,
    )


def an_invitation(creator: User | None = None, *, token_hash: bytes | None = None) -> Invitation:
    return Invitation(
        token_hash=token_hash or a_hash(),
        email_canonical=None,
        role="user",
        created_by=creator.id if creator else None,
        expires_at=LATER,
    )


def a_recovery_code(user: User, *, code_hash: bytes | None = None) -> RecoveryCode:
    return RecoveryCode(user_id=user.id, code_hash=code_hash or a_hash())


def a_removed_credential(*, hash_: bytes | None = None) -> RemovedCredential:
    return RemovedCredential(hash=hash_ or a_hash())


def everything_of(user: User) -> list[Base]:
    """Make one row in every table that belongs to the person, and an application; parents first."""
    session, application = a_session(user), an_application()
    return [
        user,
        a_credential(user),
        session,
        application,
        a_session(user, parent=session, application=application),
        a_handover_code(session, application),
        a_challenge(user, session=session),
        an_identity(user),
        an_authorization_request(user, session=session),
        an_invitation(user),
        a_recovery_code(user),
    ]
