"""Passkeys: listed, added, renamed, removed, and watched for copies."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app import clock
from app.errors import (
    AssertionRejected,
    CloneSuspected,
    CredentialAlreadyRegistered,
    NotFound,
)
from app.models import Credential, RemovedCredential, User
from app.relying_party import (
    RegisteredCredential,
    RelyingParty,
    VerifiedAssertion,
    default_name,
)
from app.services import ways_in
from app.services.conflicts import conflicts
from app.services.session_ends import end_sessions_opened_by
from app.services.tokens import hash_secret

MOST_CREDENTIALS = 50
"""How many a person may add; recovery may bring more."""
_MOST_LISTED = 100

Signal = Mapping[str, object]
"""A call of the WebAuthn Signal API, for the page to make."""


def list_credentials(
    session: Session, *, user_id: str, after: str | None = None, limit: int = _MOST_LISTED
) -> Sequence[Credential]:
    """List the person's passkeys in the order in which they were added, past the id ``after``."""
    query = (
        select(Credential).where(Credential.user_id == user_id).order_by(Credential.id).limit(limit)
    )
    return session.scalars(query if after is None else query.where(Credential.id > after)).all()


def count_credentials(session: Session, *, user_id: str) -> int:
    """Count the person's passkeys, quarantined ones as well."""
    query = select(func.count()).select_from(Credential).where(Credential.user_id == user_id)
    return session.scalars(query).one()


def add_credential(
    session: Session,
    *,
    user: User,
    registered: RegisteredCredential,
    rp_id: str,
    name: str | None,
) -> Credential:
    """Store a passkey for the person.

    Raises ``CredentialAlreadyRegistered``, whoever's it is (WebAuthn §7.1 step 26).
    """
    credential = Credential(
        user_id=user.id,
        credential_id=registered.credential_id,
        rp_id=rp_id,
        public_key=registered.public_key,
        sign_count=registered.sign_count,
        transports=list(registered.transports),
        aaguid=registered.aaguid,
        backup_eligible=registered.backup_eligible,
        backed_up=registered.backed_up,
        name=name or default_name(registered.aaguid),
    )
    taken = {"uq_webauthn_credentials_credential_id": CredentialAlreadyRegistered}
    with conflicts(session, taken):
        session.add(credential)
    return credential


def find_credential(session: Session, credential_id: bytes) -> tuple[Credential, User] | None:
    """Find a passkey by its credential id, with its owner, who is locked until the unit ends.

    Else a session might be opened with the lifetimes of a role that was just taken away or given.
    """
    query = (
        select(Credential, User)
        .join(User, User.id == Credential.user_id)
        .where(Credential.credential_id == credential_id)
        .with_for_update(key_share=True, of=User)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else (found[0], found[1])


def is_removal_on_record(session: Session, credential_id: bytes) -> bool:
    """Tell whether its owner removed this passkey; a missing row alone says nothing."""
    return session.get(RemovedCredential, hash_secret(credential_id)) is not None


def find_other_rp_id(session: Session, rp_id: str) -> str | None:
    """Find a relying party id, other than this one, that stored passkeys were made for."""
    # The two ends of the index: comparing every row would read them all at each start.
    first = select(func.min(Credential.rp_id)).scalar_subquery()
    last = select(func.max(Credential.rp_id)).scalar_subquery()
    found = {one for one in session.execute(select(first, last)).one() if one is not None}
    return next(iter(found - {rp_id}), None)


def rename_credential(session: Session, *, user_id: str, row_id: str, name: str) -> Credential:
    """Give a passkey of this person another name. Raises ``NotFound``."""
    credential: Credential | None = session.scalar(
        update(Credential)
        .where(Credential.id == row_id, Credential.user_id == user_id)
        .values(name=name)
        .returning(Credential)
    )
    if credential is None:
        raise NotFound
    return credential


def remove_credential(
    session: Session, *, user_id: str, row_id: str, issuers: Collection[str]
) -> None:
    """Remove a passkey of this person and keep its removal on record.

    Identities of ``issuers`` open the account as well. Raises ``NotFound``, and ``LastWayIn``
    where nothing else opens it.
    """
    ways_in.require_another(session, user_id=user_id, without=row_id, issuers=issuers)
    removed = session.scalar(
        delete(Credential)
        .where(Credential.id == row_id, Credential.user_id == user_id)
        .returning(Credential.credential_id)
    )
    if removed is None:
        raise NotFound
    session.merge(RemovedCredential(hash=hash_secret(removed)))


def record_use(
    session: Session,
    *,
    credential: Credential,
    assertion: VerifiedAssertion,
    issuers: Collection[str],
) -> None:
    """Store what a verified assertion says of its passkey (WebAuthn §7.2 steps 22 and 24).

    The sign count of a passkey that is synced, or that never counts, is only recorded. One that
    is bound to its device has to advance: otherwise a copy may exist, and ``CloneSuspected`` is
    raised and remembered. Raises ``AssertionRejected`` where the passkey is quarantined, or was
    removed since it was looked up.
    """
    counts = not credential.backup_eligible and (
        credential.sign_count > 0 or assertion.sign_count > 0
    )
    # One statement, so that neither a removal nor a quarantine comes between look and use.
    statement = update(Credential).where(
        Credential.id == credential.id, Credential.quarantined_at.is_(None)
    )
    if counts:
        statement = statement.where(Credential.sign_count < assertion.sign_count)
    recorded = session.scalar(
        statement.values(
            sign_count=assertion.sign_count,
            backed_up=assertion.backed_up,
            last_used_at=clock.now(),
        ).returning(Credential.id)
    )
    if recorded is None:
        _suspect_clone(session, _lock_anew(session, credential), issuers)
        raise CloneSuspected(reason="the sign count did not advance")


def accepted_credentials_signal(
    session: Session, *, relying_party: RelyingParty, user_id: str
) -> Signal:
    """Tell the password manager which passkeys are still good. Raises ``NotFound``."""
    query = (
        select(User.webauthn_id, Credential.credential_id)
        .outerjoin(Credential, Credential.user_id == User.id)
        .where(User.id == user_id)
    )
    rows = session.execute(query).all()
    if not rows:
        raise NotFound
    accepted = [row.credential_id for row in rows if row.credential_id is not None]
    return relying_party.all_accepted_credentials(rows[0].webauthn_id, accepted)


def person_signal(*, relying_party: RelyingParty, user: User) -> Signal:
    """Tell the password manager under which name to show this person."""
    return relying_party.current_user_details(
        user.webauthn_id, name=user.email or user.name, display_name=user.name
    )


def _lock_anew(session: Session, credential: Credential) -> Credential:
    """Read the passkey again behind a lock, and refuse it where that alone explains it."""
    ways_in.lock_person(session, credential.user_id)
    query = select(Credential).where(Credential.id == credential.id)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise AssertionRejected(reason="removed meanwhile")
    if found.quarantined_at is not None:
        sentence = "That passkey was blocked, because a copy of it may exist. Use another one."
        raise AssertionRejected(sentence, reason="quarantined")
    return found


def _suspect_clone(session: Session, credential: Credential, issuers: Collection[str]) -> None:
    # Kept although the sign-in is refused: the owner reads of it on the account page. Blocked
    # only where that locks nobody out.
    now = clock.now()
    credential.clone_suspected_at = now
    others = ways_in.count_ways_in(
        session, credential.user_id, issuers=issuers, without=credential.id
    )
    if others > 0:
        credential.quarantined_at = now
        end_sessions_opened_by(session, authenticator_id=credential.id)
    session.flush()
