"""Registration ceremonies: sign up, and enrol another passkey (WebAuthn §7.1).

Each finishing method takes a challenge that was consumed, and committed, before.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.config import Registration, ServiceSettings
from app.errors import (
    NotFound,
    NotSignedIn,
    RegistrationByInvitation,
    RegistrationClosed,
    TooManyCredentials,
)
from app.models import Credential, Purpose, User
from app.relying_party import RelyingParty
from app.services import credentials, invitations, people
from app.services.addresses import Address, parse_address
from app.services.challenges import Binding, ConsumedChallenge, issue_challenge
from app.services.devices import Device
from app.services.invitations import Grant
from app.services.session_ends import end_session
from app.services.sessions import (
    ActiveSession,
    Authentication,
    describe_session,
    open_session,
)
from app.services.tokens import new_user_handle
from app.services.ways_in import lock_person


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """A new passkey, the session of its owner, and the token where that is a new session's."""

    credential: Credential
    active: ActiveSession
    token: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RegistrationCeremonies:
    """Begins and finishes registration ceremonies for one relying party."""

    relying_party: RelyingParty
    settings: ServiceSettings

    def begin(
        self, session: Session, *, binding: Binding, email: str, name: str, invitation: str | None
    ) -> Mapping[str, object]:
        """Give the options with which a browser makes the passkey of a new account.

        Raises ``InvalidAddress``, ``AddressTaken``, ``RegistrationClosed``,
        ``RegistrationByInvitation`` and ``InvitationUnusable``.
        """
        address = parse_address(email)
        invitation_hash = self._require_leave(session, invitation=invitation, address=address)
        people.require_free_address(session, address)
        user_handle = new_user_handle()
        challenge = issue_challenge(
            session,
            purpose=Purpose.REGISTRATION,
            binding=binding,
            ttl=self.settings.challenge_ttl,
            payload={
                "email": address.written,
                "name": name,
                "user_handle": _to_text(user_handle),
                "invitation_hash": _to_text(invitation_hash) if invitation_hash else None,
            },
        )
        return self.relying_party.registration_options(
            user_handle=user_handle,
            user_name=address.written,
            display_name=name,
            challenge=challenge,
            exclude=[],
            timeout=self.settings.challenge_ttl,
        )

    def finish(
        self,
        session: Session,
        *,
        challenge: ConsumedChallenge,
        credential: Mapping[str, object],
        credential_name: str | None,
        device: Device,
        replaces: str | None,
    ) -> Enrolled:
        """Create the account, its passkey and its first session, all or none.

        The invitation is consumed here, so that a cancelled ceremony burns none. Raises
        ``AttestationRejected``, ``AddressTaken``, ``CredentialAlreadyRegistered``,
        ``InvitationUnusable``, ``RegistrationClosed`` and ``RegistrationByInvitation``.
        """
        registered = self.relying_party.finish_registration(
            credential=credential, challenge=challenge.challenge
        )
        payload = challenge.payload
        address = parse_address(payload["email"] or "")
        grant = self._redeem_leave(session, payload.get("invitation_hash"), address)
        user = people.add_user(
            session,
            address=address,
            name=payload["name"] or "",
            webauthn_id=_to_bytes(payload["user_handle"] or ""),
            role=grant.role,
            groups=grant.groups,
        )
        added = credentials.add_credential(
            session,
            user=user,
            registered=registered,
            rp_id=self.relying_party.rp_id,
            name=credential_name,
        )
        return self._sign_in(session, user=user, credential=added, device=device, replaces=replaces)

    def begin_enrolment(
        self, session: Session, *, binding: Binding, active: ActiveSession
    ) -> Mapping[str, object]:
        """Give the options with which a browser adds a passkey to the account signed in to.

        Raises ``TooManyCredentials``, before a device makes a passkey that nobody can use.
        """
        user = people.get_user(session, active.person.id)
        known = credentials.list_credentials(session, user_id=user.id)
        _require_room(active, held=len(known))
        challenge = issue_challenge(
            session, purpose=Purpose.ENROLMENT, binding=binding, ttl=self.settings.challenge_ttl
        )
        return self.relying_party.registration_options(
            user_handle=user.webauthn_id,
            user_name=user.email or user.name,
            display_name=user.name,
            challenge=challenge,
            exclude=[(one.credential_id, tuple(one.transports)) for one in known],
            timeout=self.settings.challenge_ttl,
        )

    def finish_enrolment(
        self,
        session: Session,
        *,
        challenge: ConsumedChallenge,
        credential: Mapping[str, object],
        credential_name: str | None,
        active: ActiveSession,
        device: Device,
    ) -> Enrolled:
        """Add the passkey to the account that the challenge was made for, and to no other.

        A recovery session has done its work then: it ends, and a full one takes its place.
        Raises ``AttestationRejected``, ``CredentialAlreadyRegistered``, ``TooManyCredentials`` and
        ``NotSignedIn``.
        """
        registered = self.relying_party.finish_registration(
            credential=credential, challenge=challenge.challenge
        )
        if challenge.user_id != active.person.id:
            raise NotSignedIn
        user = lock_person(session, active.person.id)
        _require_room(active, held=credentials.count_credentials(session, user_id=user.id))
        added = credentials.add_credential(
            session,
            user=user,
            registered=registered,
            rp_id=self.relying_party.rp_id,
            name=credential_name,
        )
        if active.purpose != "enrol":
            return Enrolled(credential=added, active=active, token=None)
        try:
            end_session(session, user_id=user.id, session_id=active.id)
        except NotFound as error:
            # It has enrolled its one passkey already, or expired and was swept away.
            raise NotSignedIn from error
        return self._sign_in(session, user=user, credential=added, device=device)

    def _require_leave(
        self, session: Session, *, invitation: str | None, address: Address
    ) -> bytes | None:
        self._require_open(invited=invitation is not None)
        if invitation is None:
            return None
        return invitations.require_invitation(session, token=invitation, address=address)

    def _redeem_leave(
        self, session: Session, invitation_hash: str | None, address: Address
    ) -> Grant:
        self._require_open(invited=invitation_hash is not None)
        if invitation_hash is None:
            return Grant(role="user", groups=[])
        return invitations.redeem_invitation(
            session, token_hash=_to_bytes(invitation_hash), address=address
        )

    def _require_open(self, *, invited: bool) -> None:
        if self.settings.registration is Registration.CLOSED:
            raise RegistrationClosed
        if self.settings.registration is Registration.INVITE and not invited:
            raise RegistrationByInvitation

    def _sign_in(
        self,
        session: Session,
        *,
        user: User,
        credential: Credential,
        device: Device,
        replaces: str | None = None,
    ) -> Enrolled:
        opened = open_session(
            session,
            user=user,
            authentication=Authentication(method="passkey", authenticator_id=credential.id),
            device=device,
            settings=self.settings,
            replaces=replaces,
        )
        active = describe_session(opened.session, user)
        return Enrolled(credential=credential, active=active, token=opened.token)


def _require_room(active: ActiveSession, *, held: int) -> None:
    # Whoever lost all of them can remove none, and still has to get back in.
    if active.purpose == "full" and held >= credentials.MOST_CREDENTIALS:
        raise TooManyCredentials


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


def _to_bytes(text: str) -> bytes:
    return urlsafe_b64decode(text)
