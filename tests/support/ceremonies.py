"""A relying party with fixed challenges, for tests of ceremonies without a server."""

from datetime import timedelta

from app.errors import AssertionRejected, AttestationRejected
from app.relying_party import RegisteredCredential, RelyingParty, StoredKey, VerifiedAssertion
from tests.support.authenticator import Json

ORIGIN = "https://id.example.org"
RP = RelyingParty(rp_id="example.org", name="Example", origin=ORIGIN)
CHALLENGE = bytes(range(200, 232))
USER_HANDLE = bytes(range(64))
TIMEOUT = timedelta(minutes=5)


def creation_options() -> Json:
    return RP.registration_options(
        user_handle=USER_HANDLE,
        user_name="ada@example.org",
        display_name="Ada",
        challenge=CHALLENGE,
        exclude=[],
        timeout=TIMEOUT,
    )


def request_options() -> Json:
    return RP.authentication_options(challenge=CHALLENGE, allow=[], timeout=TIMEOUT)


def register(credential: Json) -> RegisteredCredential:
    return RP.finish_registration(credential=credential, challenge=CHALLENGE)


def stored(registered: RegisteredCredential) -> StoredKey:
    return StoredKey(
        credential_id=registered.credential_id,
        public_key=registered.public_key,
        user_handle=USER_HANDLE,
        backup_eligible=registered.backup_eligible,
    )


def authenticate(
    credential: Json, key: StoredKey, *, user_handle_required: bool = True
) -> VerifiedAssertion:
    return RP.finish_authentication(
        credential=credential,
        challenge=CHALLENGE,
        stored=key,
        user_handle_required=user_handle_required,
    )


def attestation_refusal(credential: Json) -> str | None:
    """The reason for which a registration is refused; None when it is accepted."""
    try:
        register(credential)
    except AttestationRejected as refusal:
        return refusal.reason
    return None


def assertion_refusal(
    credential: Json, key: StoredKey, *, user_handle_required: bool = True
) -> str | None:
    """The reason for which an authentication is refused; None when it is accepted."""
    try:
        authenticate(credential, key, user_handle_required=user_handle_required)
    except AssertionRejected as refusal:
        return refusal.reason
    return None
