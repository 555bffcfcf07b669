"""Authentication ceremonies: sign in, step up, and recover (WebAuthn §7.2).

Each finishing method takes a challenge that was consumed, and committed, before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.config import ServiceSettings
from app.errors import AccountDisabled, AssertionRejected
from app.models import Credential, Purpose, User
from app.relying_party import RelyingParty, StoredKey
from app.services import credentials, recovery
from app.services.challenges import Binding, ConsumedChallenge, issue_challenge
from app.services.devices import Device
from app.services.sessions import (
    ActiveSession,
    Authentication,
    OpenedSession,
    RenewedSession,
    describe_session,
    open_session,
    renew_session,
)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A session and the token for its cookie, where that is to be set."""

    active: ActiveSession
    token: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AuthenticationCeremonies:
    """Begins and finishes authentication ceremonies for one relying party."""

    relying_party: RelyingParty
    settings: ServiceSettings

    def begin(self, session: Session, *, binding: Binding) -> Mapping[str, object]:
        """Give the options for a sign-in that needs no user name: they name no credential."""
        challenge = issue_challenge(
            session,
            purpose=Purpose.AUTHENTICATION,
            binding=binding,
            ttl=self.settings.challenge_ttl,
        )
        return self.relying_party.authentication_options(
            challenge=challenge, allow=[], timeout=self.settings.challenge_ttl
        )

    def finish(
        self,
        session: Session,
        *,
        challenge: ConsumedChallenge,
        credential: Mapping[str, object],
        device: Device,
        replaces: str | None,
    ) -> SignedIn:
        """Sign in whoever owns the passkey.

        Raises ``AssertionRejected``, the same for an unknown passkey, somebody else's and a bad
        signature, and ``AccountDisabled`` once the passkey proved whose account it is.
        """
        used, user = self._verify(
            session, challenge=challenge, credential=credential, user_handle_required=True
        )
        opened = open_session(
            session,
            user=user,
            authentication=Authentication(method="passkey", authenticator_id=used.id),
            device=device,
            settings=self.settings,
            replaces=replaces,
        )
        return signed_in(opened, user)

    def begin_step_up(
        self, session: Session, *, binding: Binding, active: ActiveSession
    ) -> Mapping[str, object]:
        """Give the options with which the person signed in shows again that they are here."""
        challenge = issue_challenge(
            session,
            purpose=Purpose.REAUTHENTICATION,
            binding=binding,
            ttl=self.settings.challenge_ttl,
        )
        known = credentials.list_credentials(session, user_id=active.person.id)
        allow = [
            (one.credential_id, tuple(one.transports))
            for one in known
            if one.quarantined_at is None
        ]
        return self.relying_party.authentication_options(
            challenge=challenge, allow=allow, timeout=self.settings.challenge_ttl
        )

    def finish_step_up(
        self,
        session: Session,
        *,
        challenge: ConsumedChallenge,
        credential: Mapping[str, object],
        active: ActiveSession,
        replaces: str | None,
    ) -> SignedIn:
        """Swap the session's token, where the passkey is one of the person signed in.

        Raises ``AssertionRejected`` (somebody else's passkey is no proof), ``AccountDisabled``,
        and ``NotSignedIn`` where the session ended meanwhile.
        """
        used, user = self._verify(
            session,
            challenge=challenge,
            credential=credential,
            user_handle_required=False,
            owner_id=active.person.id,
        )
        renewed = renew_session(
            session,
            session_id=active.id,
            user=user,
            authentication=Authentication(method="passkey", authenticator_id=used.id),
            settings=self.settings,
            replaces=replaces,
        )
        return signed_in(renewed, user)

    def recover(
        self, session: Session, *, code: str, device: Device, replaces: str | None
    ) -> SignedIn:
        """Open a session that can enrol a passkey and nothing else.

        The code is used up in this unit of work. Raises ``RecoveryCodeUnusable``.
        """
        user = recovery.redeem_code(session, code=code)
        opened = open_session(
            session,
            user=user,
            authentication=Authentication(method="recovery_code"),
            device=device,
            settings=self.settings,
            purpose="enrol",
            replaces=replaces,
        )
        return signed_in(opened, user)

    def _verify(
        self,
        session: Session,
        *,
        challenge: ConsumedChallenge,
        credential: Mapping[str, object],
        user_handle_required: bool,
        owner_id: str | None = None,
    ) -> tuple[Credential, User]:
        stored, user = self._find(session, credential)
        if owner_id is not None and (user.id != owner_id or challenge.user_id != owner_id):
            raise AssertionRejected(reason="the passkey is another person's")
        assertion = self.relying_party.finish_authentication(
            credential=credential,
            challenge=challenge.challenge,
            stored=StoredKey(
                credential_id=stored.credential_id,
                public_key=stored.public_key,
                user_handle=user.webauthn_id,
                backup_eligible=stored.backup_eligible,
            ),
            user_handle_required=user_handle_required,
        )
        # What follows tells something about the account, and only its owner gets so far.
        if user.disabled_at is not None:
            raise AccountDisabled
        credentials.record_use(
            session,
            credential=stored,
            assertion=assertion,
            issuers=self.settings.open_issuers,
        )
        return stored, user

    def _find(self, session: Session, credential: Mapping[str, object]) -> tuple[Credential, User]:
        credential_id = self.relying_party.credential_id_of(credential)
        if credential_id is None:
            raise AssertionRejected(reason="no readable credential id")
        found = credentials.find_credential(session, credential_id)
        if found is not None:
            return found
        signal = None
        if credentials.is_removal_on_record(session, credential_id):
            signal = self.relying_party.unknown_credential(credential_id)
        raise AssertionRejected(reason="unknown credential", signal=signal)


def signed_in(opened: OpenedSession | RenewedSession, user: User) -> SignedIn:
    """Tell who is signed in now, and the token for the cookie."""
    return SignedIn(active=describe_session(opened.session, user), token=opened.token)
