"""Authentication: what is accepted, and each rule of WebAuthn L3 §7.2 broken alone.

The test ids name, as `A13`, the requirements WA-A5 to WA-A23 and WA-X1, WA-X2.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import cbor2
import pytest

from app.errors import AssertionRejected
from app.relying_party import RegisteredCredential, StoredKey
from tests.support.authenticator import (
    AT,
    BE,
    BS,
    DEVICE_BOUND,
    ED,
    EDDSA,
    ES256,
    OMIT,
    RS256,
    SYNCED,
    UP,
    UV,
    Authenticator,
    Json,
    Twists,
    encode,
    new_private_key,
)
from tests.support.ceremonies import (
    CHALLENGE,
    ORIGIN,
    RP,
    USER_HANDLE,
    assertion_refusal,
    authenticate,
    creation_options,
    register,
    request_options,
    stored,
)
from tests.support.hostile_responses import (
    hostile_base64url,
    hostile_client_data,
    hostile_shapes,
    refused,
)

ALGORITHMS = {"EdDSA": EDDSA, "ES256": ES256, "RS256": RS256}


def enrolled(authenticator: Authenticator) -> RegisteredCredential:
    return register(authenticator.create(creation_options()))


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(origin=ORIGIN)


@pytest.fixture
def key(authenticator: Authenticator) -> StoredKey:
    return stored(enrolled(authenticator))


@pytest.mark.parametrize("flags", [SYNCED, SYNCED & ~BS, DEVICE_BOUND], ids=hex)
@pytest.mark.parametrize("attestation", ["none", "packed"])
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_assertion_of_every_offered_algorithm_is_accepted(
    algorithm: int, attestation: Literal["none", "packed"], flags: int
) -> None:
    authenticator = Authenticator(
        origin=ORIGIN, algorithm=algorithm, attestation=attestation, flags=flags, counting=True
    )
    key = stored(enrolled(authenticator))

    verified = authenticate(authenticator.get(request_options()), key)

    assert verified.sign_count == 2
    assert verified.backed_up is bool(flags & BS)


HARMLESS: dict[str, Twists] = {
    "A9 members of the future": {"client_data": {"other_keys_can_be_added_here": {"a": [1]}}},
    "A13 crossOrigin absent": {"client_data": {"crossOrigin": OMIT}},
    "tokenBinding supported": {"client_data": {"tokenBinding": {"status": "supported"}}},
    "tokenBinding text": {"client_data": {"tokenBinding": "unused"}},
    "A22 the count is judged elsewhere": {"sign_count": 0xFFFFFFFF},
    "A23 extension outputs": {"extensions": cbor2.dumps({"appid": True})},
    "A23 client extension outputs": {"members": {"clientExtensionResults": {"appid": 7}}},
    "BS may change": {"flags": SYNCED & ~BS},
    "RFU flags": {"flags": SYNCED | 0x22},
    "unknown attachment": {"members": {"authenticatorAttachment": "implant"}},
}


@pytest.mark.parametrize("twists", HARMLESS.values(), ids=HARMLESS)
def test_what_no_rule_forbids_is_accepted(
    authenticator: Authenticator, key: StoredKey, twists: Twists
) -> None:
    assert assertion_refusal(authenticator.get(request_options(), **twists), key) is None


HIDDEN = b"\xa1\x61x\xf9\x3c\x00"
"""An extension map that is six bytes longer when encoded again, so that bytes hide behind it."""

HOSTILE_ASSERTIONS = [
    refused("A5 another credential", "not the one on record", credential_id=bytes(32)),
    refused("A6 another user", "user handle is not the owner's", user_handle=bytes(64)),
    refused("A6 part of the handle", "is not the owner's", user_handle=USER_HANDLE[:-1]),
    refused("A6 empty handle", "user handle is not the owner's", user_handle=b""),
    refused("A6 handle null", "user handle is missing", user_handle=None),
    refused("A6 handle absent", "user handle is missing", response={"userHandle": OMIT}),
    refused("A6 X2 handle padded", "is not base64url", response={"userHandle": "AA=="}),
    refused("A6 X1 handle a number", "is not base64url", response={"userHandle": 0}),
    refused("A10 no bytes", "data is too short", response={"authenticatorData": ""}),
    refused("A10 36 bytes", "data is too short", response={"authenticatorData": encode(bytes(36))}),
    refused("A10 bytes after", "bytes follow the auth", after_authenticator_data=b"\0"),
    refused(
        "A10 bytes hidden after extensions",
        "bytes follow the authenticator data",
        extensions=HIDDEN,
        after_authenticator_data=b"12345",
    ),
    refused("A10 extensions list", "extensions are not a map", extensions=b"\x80"),
    refused("A10 extensions tagged", "CBOR has a tag", extensions=b"\xa1\x61x\xd8\x23\x61("),
    refused("A10 no extensions", "CBOR ends early", flags=SYNCED | ED),
    refused("A10 AT set", "carries attested credential data", flags=SYNCED | AT),
    refused("A15 RP id hash of another", "Unexpected RP ID hash", rp_id_hash=bytes(32)),
    refused("A16 no user presence", "User was not present", flags=UV | BE | BS),
    refused("A17 no user verification", "User verification is required", flags=UP | BE | BS),
    refused("A18 BS without BE", "InvalidBackupFlags", flags=UP | UV | BS),
    refused("A19 BE gone", "backup eligibility is not the one on record", flags=UP | UV),
    refused("A21 no signature", "Could not verify authentication signature", signature=b""),
    refused("A21 junk", "Could not verify authentication signature", signature=b"junk"),
]


@pytest.mark.parametrize(
    ("twists", "rule"),
    [
        *hostile_client_data("webauthn.get"),
        *hostile_shapes(),
        *hostile_base64url("response", ("clientDataJSON", "authenticatorData", "signature")),
        *HOSTILE_ASSERTIONS,
    ],
)
def test_assertion_that_breaks_one_rule_is_refused(
    authenticator: Authenticator, key: StoredKey, twists: Twists, rule: str
) -> None:
    assert assertion_refusal(authenticator.get(request_options()), key) is None

    with pytest.raises(AssertionRejected) as refusal:
        authenticate(authenticator.get(request_options(), **twists), key)

    assert rule in (refusal.value.reason or "")


def test_device_bound_key_that_becomes_eligible_for_backup_is_refused() -> None:
    """WA-A19."""
    authenticator = Authenticator(origin=ORIGIN, flags=DEVICE_BOUND)
    key = stored(enrolled(authenticator))
    assert assertion_refusal(authenticator.get(request_options()), key) is None

    refusal = assertion_refusal(authenticator.get(request_options(), flags=SYNCED), key)

    assert refusal == "backup eligibility is not the one on record"


@pytest.mark.parametrize(
    ("user_handle", "refusal"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param(USER_HANDLE, None, id="the owner's"),
        pytest.param(bytes(64), "user handle is not the owner's", id="another's"),
    ],
)
def test_user_handle_may_be_absent_only_where_the_credential_was_named(
    authenticator: Authenticator,
    key: StoredKey,
    user_handle: bytes | None,
    refusal: str | None,
) -> None:
    """WA-A6, for step-up: security keys leave it out when credentials are allowed by id."""
    credential = authenticator.get(request_options(), user_handle=user_handle)

    assert assertion_refusal(credential, key, user_handle_required=False) == refusal


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_signature_by_another_key_is_refused(algorithm: int) -> None:
    """WA-A21."""
    authenticator = Authenticator(origin=ORIGIN, algorithm=algorithm)
    key = stored(enrolled(authenticator))
    assert assertion_refusal(authenticator.get(request_options()), key) is None

    authenticator.credentials[RP.rp_id][0].private_key = new_private_key(algorithm)

    assert assertion_refusal(authenticator.get(request_options()), key)


@pytest.mark.parametrize("member", ["clientDataJSON", "authenticatorData"])
def test_signed_part_of_another_assertion_is_refused(
    authenticator: Authenticator, key: StoredKey, member: str
) -> None:
    """WA-A20, WA-A21: the signature covers both, so neither can be exchanged."""
    first = authenticator.get(request_options(), sign_count=5)
    second = authenticator.get(
        request_options(), sign_count=6, client_data={"extra_member": "to tell them apart"}
    )
    assert assertion_refusal(first, key) is None
    assert assertion_refusal(second, key) is None

    mixed = {**first, "response": {**first["response"], member: second["response"][member]}}

    assert "signature" in (assertion_refusal(mixed, key) or "")


def test_response_to_another_challenge_is_refused(
    authenticator: Authenticator, key: StoredKey
) -> None:
    """WA-A11: the same response is good for the challenge that it answers and for no other."""
    credential = authenticator.get(request_options())
    assert assertion_refusal(credential, key) is None

    with pytest.raises(AssertionRejected):
        RP.finish_authentication(
            credential=credential, challenge=CHALLENGE[::-1], stored=key, user_handle_required=True
        )


def test_registration_does_not_pass_for_an_assertion(authenticator: Authenticator) -> None:
    attestation = authenticator.create(creation_options())
    key = stored(register(attestation))

    assert assertion_refusal(authenticator.get(request_options()), key) is None
    assert assertion_refusal(attestation, key)


@pytest.mark.parametrize("credential", [None, [], "credential", 5, {}, {"response": {}}])
def test_what_is_no_credential_is_refused(key: StoredKey, credential: Json) -> None:
    assert assertion_refusal(credential, key)


def without_parameter(key: bytes, label: int) -> bytes:
    parameters: dict[int, object] = cbor2.loads(key)
    return cbor2.dumps({name: value for name, value in parameters.items() if name != label})


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: b"", id="IndexError: empty"),
        pytest.param(lambda _: b"\x01", id="TypeError: a number"),
        pytest.param(lambda key: without_parameter(key, 1), id="KeyError: no kty"),
        pytest.param(lambda key: key[:-1] + bytes([key[-1] ^ 1]), id="ValueError: off the curve"),
        pytest.param(lambda key: key[:-1], id="WebAuthnException: cut off"),
    ],
)
def test_spoilt_key_on_record_refuses_instead_of_failing(
    authenticator: Authenticator, key: StoredKey, spoil: Callable[[bytes], bytes]
) -> None:
    """WA-X1: a bad row denies, it does not break the service."""
    credential = authenticator.get(request_options())
    assert assertion_refusal(credential, key) is None

    spoilt = replace(key, public_key=spoil(key.public_key))

    assert assertion_refusal(credential, spoilt)
