"""Signing in with an outside account, and showing again through it that it is you.

Each method takes what a provider said once all of it was checked; none of them calls a provider.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.config import ProviderSettings, Registration, ServiceSettings
from app.errors import (
    AccountDisabled,
    AccountExists,
    AddressTaken,
    PasskeyRequired,
    ReauthenticationStale,
    RegistrationByInvitation,
    RegistrationClosed,
    ServiceError,
    WrongIdentity,
)
from app.identity_providers import ExternalIdentity, RedeemedCode
from app.models import Identity, User
from app.services import identities, people, ways_in
from app.services.address_proofs import free_address
from app.services.addresses import Address
from app.services.authentication import SignedIn, signed_in
from app.services.devices import Device
from app.services.external_claims import name_of, proved_address
from app.services.invitations import Grant, redeem_for_proved_address
from app.services.sealing import Sealer
from app.services.sessions import (
    OUTSIDE,
    ActiveSession,
    Authentication,
    open_session,
    renew_session,
)
from app.services.tokens import new_user_handle

_CLOCK_SKEW = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class OutsideSignIn:
    """Signs people in by what one provider says of them."""

    provider: ProviderSettings
    settings: ServiceSettings
    sealer: Sealer

    def sign_in(
        self, session: Session, *, redeemed: RedeemedCode, device: Device, replaces: str | None
    ) -> SignedIn:
        """Sign in whoever the identity belongs to; a new one gets a new account.

        Raises ``AccountDisabled``, ``AccountExists`` where the provider's address is proved for
        somebody here, ``RegistrationClosed`` and ``RegistrationByInvitation``.
        """
        external = redeemed.identity
        found = identities.find_identity(session, external) or self._sign_up(session, external)
        identity, user = found
        if user.disabled_at is not None:
            raise AccountDisabled
        self._record_use(session, identity, user, redeemed)
        opened = open_session(
            session,
            user=user,
            authentication=_authentication(identity, external),
            device=device,
            settings=self.settings,
            replaces=replaces,
        )
        return signed_in(opened, user)

    def step_up(
        self,
        session: Session,
        *,
        redeemed: RedeemedCode,
        active: ActiveSession,
        begun_at: datetime,
        replaces: str | None,
    ) -> SignedIn:
        """Swap the session's token, where the identity is one of the person signed in.

        Weaker than a passkey, so a person who has one uses it; weaker still where the provider
        does not say when it last asked, which the session remembers. Raises ``WrongIdentity``,
        ``PasskeyRequired``, ``ReauthenticationStale`` and ``NotSignedIn``.
        """
        external = redeemed.identity
        found = identities.find_identity(session, external)
        if found is None or found[1].id != active.person.id:
            raise WrongIdentity(reason="not an identity of the person signed in")
        identity, user = found
        if ways_in.has_passkey(session, user.id):
            raise PasskeyRequired
        told = external.authenticated_at
        if told is not None and told < begun_at - _CLOCK_SKEW:
            raise ReauthenticationStale(reason="auth_time is before the request")
        self._record_use(session, identity, user, redeemed)
        renewed = renew_session(
            session,
            session_id=active.id,
            user=user,
            authentication=_authentication(identity, external),
            settings=self.settings,
            replaces=replaces,
        )
        return signed_in(renewed, user)

    def _record_use(
        self, session: Session, identity: Identity, user: User, redeemed: RedeemedCode
    ) -> None:
        identities.record_use(
            session,
            identity,
            user,
            redeemed=redeemed,
            sealer=self.sealer,
            keeps_tokens=self.provider.store_tokens,
        )

    def _sign_up(self, session: Session, external: ExternalIdentity) -> tuple[Identity, User]:
        try:
            with session.begin_nested():
                return self._create(session, external)
        except ServiceError as refusal:
            # Another callback may have been first with this identity, and have taken what it
            # needs: the address, or the invitation.
            found = identities.find_identity(session, external)
            if found is not None:
                return found
            if isinstance(refusal, AddressTaken):
                raise AccountExists from refusal
            raise

    def _create(self, session: Session, external: ExternalIdentity) -> tuple[Identity, User]:
        address = proved_address(external)
        if address is not None:
            free_address(session, address)
        grant = self._leave(session, address)
        user = people.add_user(
            session,
            address=address,
            is_proved=True,
            name=name_of(external, label=self.provider.label),
            webauthn_id=new_user_handle(),
            role=grant.role,
            groups=grant.groups,
        )
        return identities.add_identity(session, user=user, external=external), user

    def _leave(self, session: Session, address: Address | None) -> Grant:
        if self.settings.registration is Registration.CLOSED:
            raise RegistrationClosed
        grant = redeem_for_proved_address(session, address=address) if address else None
        if grant is not None:
            return grant
        if self.settings.registration is Registration.INVITE:
            raise RegistrationByInvitation
        return Grant(role="user", groups=[])


def _authentication(identity: Identity, external: ExternalIdentity) -> Authentication:
    return Authentication(
        method=f"{OUTSIDE}{identity.provider}",
        authenticator_id=identity.id,
        auth_time=external.authenticated_at,
    )
