"""Options and signals have the shape of the W3C dictionaries; look-ups of unproved values."""

import json
from datetime import timedelta
from typing import Any

import pytest
from webauthn.helpers import parse_authentication_options_json, parse_registration_options_json

from app.relying_party import RelyingParty, default_name
from tests.support.authenticator import Authenticator, ExcludedCredentialError, Json, encode
from tests.support.ceremonies import (
    CHALLENGE,
    ORIGIN,
    RP,
    USER_HANDLE,
    creation_options,
    request_options,
)

KNOWN = [(b"k" * 16, ("internal", "hybrid")), (b"l" * 20, ())]
KNOWN_JSON = [
    {"type": "public-key", "id": encode(b"k" * 16), "transports": ["internal", "hybrid"]},
    {"type": "public-key", "id": encode(b"l" * 20)},
]


def test_registration_options_are_creation_options_json() -> None:
    """PublicKeyCredentialCreationOptionsJSON (WebAuthn L3 §5.1.8)."""
    options = RP.registration_options(
        user_handle=USER_HANDLE,
        user_name="ada@example.org",
        display_name="Ada",
        challenge=CHALLENGE,
        exclude=KNOWN,
        timeout=timedelta(seconds=90, milliseconds=1),
    )

    assert options == {
        "rp": {"id": "example.org", "name": "Example"},
        "user": {"id": encode(USER_HANDLE), "name": "ada@example.org", "displayName": "Ada"},
        "challenge": encode(CHALLENGE),
        "pubKeyCredParams": [
            {"type": "public-key", "alg": -8},
            {"type": "public-key", "alg": -7},
            {"type": "public-key", "alg": -257},
        ],
        "timeout": 90_001,
        "excludeCredentials": KNOWN_JSON,
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def test_authentication_options_are_request_options_json() -> None:
    """PublicKeyCredentialRequestOptionsJSON (WebAuthn L3 §5.1.9)."""
    options = RP.authentication_options(
        challenge=CHALLENGE, allow=KNOWN, timeout=timedelta(minutes=5)
    )

    assert options == {
        "challenge": encode(CHALLENGE),
        "timeout": 300_000,
        "rpId": "example.org",
        "allowCredentials": KNOWN_JSON,
        "userVerification": "required",
    }


def test_usernameless_options_allow_no_credential_by_name() -> None:
    assert request_options()["allowCredentials"] == []


def test_another_reader_understands_the_options() -> None:
    creation = parse_registration_options_json(json.dumps(creation_options()))
    request = parse_authentication_options_json(json.dumps(request_options()))

    assert creation.challenge == request.challenge == CHALLENGE
    assert creation.user.id == USER_HANDLE


def test_excluded_credential_keeps_its_authenticator_from_making_another() -> None:
    authenticator = Authenticator(origin=ORIGIN)
    authenticator.create(creation_options())
    known = authenticator.credentials[RP.rp_id][0].id

    with pytest.raises(ExcludedCredentialError):
        authenticator.create({**creation_options(), "excludeCredentials": [{"id": encode(known)}]})


def test_signals_name_the_method_and_its_argument() -> None:
    """WebAuthn L3 §5.1.10."""
    assert RP.unknown_credential(b"k" * 16) == {
        "method": "signalUnknownCredential",
        "options": {"rpId": "example.org", "credentialId": encode(b"k" * 16)},
    }
    assert RP.all_accepted_credentials(USER_HANDLE, [b"k" * 16, b"l" * 20]) == {
        "method": "signalAllAcceptedCredentials",
        "options": {
            "rpId": "example.org",
            "userId": encode(USER_HANDLE),
            "allAcceptedCredentialIds": [encode(b"k" * 16), encode(b"l" * 20)],
        },
    }
    assert RP.current_user_details(USER_HANDLE, "ada@example.org", "Ada") == {
        "method": "signalCurrentUserDetails",
        "options": {
            "rpId": "example.org",
            "userId": encode(USER_HANDLE),
            "name": "ada@example.org",
            "displayName": "Ada",
        },
    }


def test_claims_of_a_response_can_be_looked_up() -> None:
    authenticator = Authenticator(origin=ORIGIN)
    attestation = authenticator.create(creation_options())
    assertion = authenticator.get(request_options())
    own = authenticator.credentials[RP.rp_id][0]

    assert RelyingParty.challenge_of(attestation) == CHALLENGE
    assert RelyingParty.challenge_of(assertion) == CHALLENGE
    assert RelyingParty.credential_id_of(assertion) == own.id


def with_client_data(client_data: bytes) -> Json:
    return {"response": {"clientDataJSON": encode(client_data)}}


@pytest.mark.parametrize(
    "credential",
    [
        None,
        [],
        {},
        {"response": 5},
        {"response": {"clientDataJSON": "e30=", "userHandle": "AA=="}, "id": "AA==", "rawId": "A"},
        {"id": "AAAA", "rawId": "AAAB", "type": "public-key"},
        {"id": "AAAA", "rawId": "AAAA", "type": "other"},
        with_client_data(b"\xff"),
        with_client_data(b"{}"),
        with_client_data(b'{"challenge": 5}'),
        with_client_data(b'{"challenge": "AA=="}'),
        with_client_data(b"[" * 20_000),
    ],
)
def test_unreadable_claims_are_none(credential: Any) -> None:  # noqa: ANN401
    """WA-X1: what is looked up before anything is verified fails on nothing."""
    assert RelyingParty.challenge_of(credential) is None
    assert RelyingParty.credential_id_of(credential) is None


@pytest.mark.parametrize(
    ("aaguid", "name"),
    [
        ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager"),
        ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password"),
        ("ffffffff-ffff-ffff-ffff-ffffffffffff", "Passkey"),
        ("", "Passkey"),
        (None, "Passkey"),
    ],
)
def test_passkey_is_named_after_its_make(aaguid: str | None, name: str) -> None:
    assert default_name(aaguid) == name
