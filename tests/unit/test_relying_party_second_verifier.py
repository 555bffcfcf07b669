"""Another implementation of the relying party (Yubico's fido2) agrees with ours.

It checks less, so agreement is asked where both have an opinion: honest ceremonies, and the
violations that it knows of.
"""

from typing import Literal

import pytest
from fido2.attestation.base import Attestation, InvalidAttestation
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestationObject,
    AttestedCredentialData,
    PublicKeyCredentialRpEntity,
)

from tests.support.authenticator import (
    AT,
    BE,
    EDDSA,
    ES256,
    RS256,
    SYNCED,
    UP,
    UV,
    Authenticator,
    Json,
    Twists,
    encode,
)
from tests.support.ceremonies import (
    CHALLENGE,
    ORIGIN,
    RP,
    assertion_refusal,
    attestation_refusal,
    creation_options,
    register,
    request_options,
    stored,
)

ALGORITHMS = {"EdDSA": EDDSA, "ES256": ES256, "RS256": RS256}
STATE = {"challenge": encode(CHALLENGE), "user_verification": "required"}


def verify_statement(attestation: AttestationObject, client_data_hash: bytes) -> None:
    verifier = Attestation.for_type(attestation.fmt)()
    verifier.verify(attestation.att_stmt, attestation.auth_data, client_data_hash)


SECOND = Fido2Server(
    PublicKeyCredentialRpEntity(id=RP.rp_id, name=RP.name),
    attestation=AttestationConveyancePreference.DIRECT,
    verify_origin=lambda origin: origin == ORIGIN,
    verify_attestation=verify_statement,
)
"""Answer to look at attestation statements, which it ignores otherwise."""


def second_registers(credential: Json) -> AttestedCredentialData | None:
    try:
        return SECOND.register_complete(STATE, credential).credential_data
    except (ValueError, InvalidAttestation):
        return None


def second_authenticates(credential: Json, registered: AttestedCredentialData) -> bool:
    try:
        SECOND.authenticate_complete(STATE, [registered], credential)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("attestation", ["none", "packed"])
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_both_accept_the_same_ceremonies(
    algorithm: int, attestation: Literal["none", "packed"]
) -> None:
    authenticator = Authenticator(origin=ORIGIN, algorithm=algorithm, attestation=attestation)
    created = authenticator.create(creation_options())

    ours = register(created)
    theirs = second_registers(created)

    assert theirs is not None
    assert theirs.credential_id == ours.credential_id
    assertion = authenticator.get(request_options())
    assert assertion_refusal(assertion, stored(ours)) is None
    assert second_authenticates(assertion, theirs)


SHARED_RULES: dict[str, Twists] = {
    "challenge": {"client_data": {"challenge": encode(bytes(32))}},
    "origin": {"client_data": {"origin": "https://evil.test"}},
    "type": {"client_data": {"type": "webauthn.other"}},
    "RP id hash": {"rp_id_hash": bytes(32)},
    "signature": {"signature": b"junk"},
}


@pytest.mark.parametrize(
    "twists",
    [
        *SHARED_RULES.values(),
        {"flags": AT | UV | BE},
        {"flags": AT | UP | BE},
    ],
    ids=[*SHARED_RULES, "UP", "UV"],
)
def test_both_refuse_the_same_registrations(twists: Twists) -> None:
    authenticator = Authenticator(origin=ORIGIN, attestation="packed")

    credential = authenticator.create(creation_options(), **twists)

    assert attestation_refusal(credential)
    assert second_registers(credential) is None


@pytest.mark.parametrize(
    "twists",
    [
        *SHARED_RULES.values(),
        {"flags": SYNCED & ~UP},
        {"flags": SYNCED & ~UV},
    ],
    ids=[*SHARED_RULES, "UP", "UV"],
)
def test_both_refuse_the_same_assertions(twists: Twists) -> None:
    authenticator = Authenticator(origin=ORIGIN)
    created = authenticator.create(creation_options())
    ours, theirs = stored(register(created)), second_registers(created)
    assert theirs is not None

    credential = authenticator.get(request_options(), **twists)

    assert assertion_refusal(credential, ours)
    assert not second_authenticates(credential, theirs)
