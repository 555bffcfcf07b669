"""Registration: what is accepted, and each rule of WebAuthn L3 §7.1 broken alone.

The test ids name, as `R10`, the requirements WA-R5 to WA-R11, WA-R13 to WA-R28, WA-X1, WA-X2 and
WA-X6. What is nested or refers to itself: CVE-2025-68131, CVE-2026-26209.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.errors import AttestationRejected
from tests.support.authenticator import (
    AT,
    BE,
    BS,
    DEVICE_BOUND,
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
    cose_key_of,
    encode,
    new_private_key,
    octets,
)
from tests.support.ceremonies import (
    CHALLENGE,
    ORIGIN,
    RP,
    attestation_refusal,
    creation_options,
    register,
    request_options,
)
from tests.support.hostile_responses import (
    Case,
    hostile_base64url,
    hostile_client_data,
    hostile_shapes,
    refused,
)

ALGORITHMS = {"EdDSA": EDDSA, "ES256": ES256, "RS256": RS256}
EC_KEY = cose_key_of(new_private_key(ES256))
ED_KEY = cose_key_of(new_private_key(EDDSA))
RSA_KEY = cose_key_of(new_private_key(RS256))
X, Y, N, E = -2, -3, -1, -2


@pytest.mark.parametrize("flags", [SYNCED, SYNCED & ~BS, DEVICE_BOUND], ids=hex)
@pytest.mark.parametrize("attestation", ["none", "packed"])
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_every_offered_algorithm_and_format_is_accepted(
    algorithm: int, attestation: Literal["none", "packed"], flags: int
) -> None:
    authenticator = Authenticator(
        origin=ORIGIN, algorithm=algorithm, attestation=attestation, flags=flags, counting=True
    )

    registered = register(authenticator.create(creation_options()))

    (credential,) = authenticator.credentials[RP.rp_id]
    assert registered.credential_id == credential.id
    assert cbor2.loads(registered.public_key) == credential.cose_key
    assert registered.sign_count == 1
    assert registered.backup_eligible is bool(flags & BE)
    assert registered.backed_up is bool(flags & BS)
    assert registered.transports == ("hybrid", "internal")
    assert registered.aaguid is None


def rsa_key(bits: int) -> dict[int, object]:
    return {**RSA_KEY, N: octets((1 << (bits - 1)) + 1)}


HARMLESS: dict[str, Twists] = {
    "R5 byte order mark": {
        "client_data_json": b"\xef\xbb\xbf"
        + json.dumps(
            {"type": "webauthn.create", "challenge": encode(CHALLENGE), "origin": ORIGIN}
        ).encode()
    },
    "R6 members of the future": {"client_data": {"other_keys_can_be_added_here": {"a": [1]}}},
    "R10 crossOrigin absent": {"client_data": {"crossOrigin": OMIT}},
    "tokenBinding supported": {"client_data": {"tokenBinding": {"status": "supported"}}},
    "tokenBinding text": {"client_data": {"tokenBinding": "unused"}},
    "R20 smallest RSA": {"cose_key": rsa_key(2048)},
    "R20 largest RSA": {"cose_key": rsa_key(4096)},
    "R25 shortest id": {"credential_id": bytes(16)},
    "R25 longest id": {"credential_id": bytes(1023)},
    "R27 no transports": {"response": {"transports": OMIT}},
    "R28 extension outputs": {"extensions": cbor2.dumps({"credProtect": 2, "x": [1.5, None]})},
    "R28 client extension outputs": {"members": {"clientExtensionResults": {"credProps": 7}}},
    "unknown attachment": {"members": {"authenticatorAttachment": "implant"}},
    "lying copy of the key": {"response": {"publicKeyAlgorithm": -7777, "publicKey": "?"}},
    "RFU flags": {"flags": SYNCED | AT | 0x22},
}


@pytest.mark.parametrize("twists", HARMLESS.values(), ids=HARMLESS)
def test_what_no_rule_forbids_is_accepted(twists: Twists) -> None:
    credential = Authenticator(origin=ORIGIN).create(creation_options(), **twists)

    assert attestation_refusal(credential) is None


def ec_key(curve: ec.EllipticCurve, name: int) -> dict[int, object]:
    point = ec.generate_private_key(curve).public_key().public_numbers()
    size = (curve.key_size + 7) // 8
    return {**EC_KEY, -1: name, X: point.x.to_bytes(size), Y: point.y.to_bytes(size)}


def key(name: str, rule: str, cose_key: Mapping[Any, object] | bytes) -> Case:
    return refused(f"R20 {name}", rule, cose_key=cose_key)


LOW_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
]
EC_BYTES = cbor2.dumps(EC_KEY)
"""a5 01 02 03 26 …: kty is EC2, alg is ES256."""

HOSTILE_KEYS = [
    key("EdDSA over P-256", "EdDSA key is not on Ed25519", {**ED_KEY, -1: 1}),
    key("EdDSA of type EC2", "EdDSA key is not on Ed25519", {**ED_KEY, 1: 2}),
    key("EdDSA of 5 bytes", "EdDSA key is not 32 bytes", {**ED_KEY, X: bytes(5)}),
    key("EdDSA of 33 bytes", "EdDSA key is not 32 bytes", {**ED_KEY, X: bytes(33)}),
    key("EdDSA off the curve", "not a point of large order", {**ED_KEY, X: b"\x02" + bytes(31)}),
    key("EdDSA y too large", "not a point of large order", {**ED_KEY, X: b"\xf0" + b"\xff" * 31}),
    *(
        key(f"EdDSA low order {n}", "not a point of large order", {**ED_KEY, X: bytes.fromhex(x)})
        for n, x in enumerate(LOW_ORDER)
    ),
    key("EdDSA with y", "EdDSA key has other parameters", {**ED_KEY, Y: bytes(32)}),
    key("EdDSA x a number", "parameter of a wrong type", {**ED_KEY, X: 9}),
    key("ES256 over P-384", "ES256 coordinate is not 32", {**ec_key(ec.SECP384R1(), 2), -1: 1}),
    key("ES256 of P-384", "ES256 key is not on P-256", ec_key(ec.SECP384R1(), 2)),
    key("ES256 of type RSA", "ES256 key is not on P-256", {**EC_KEY, 1: 3}),
    key("ES256 off the curve", "not a point of its curve", {**EC_KEY, Y: bytes(31) + b"\x07"}),
    key("ES256 at infinity", "not a point of its curve", {**EC_KEY, X: bytes(32), Y: bytes(32)}),
    key("ES256 short x", "ES256 coordinate is not 32", {**EC_KEY, X: bytes(31)}),
    key("ES256 long y", "ES256 coordinate is not 32", {**EC_KEY, Y: bytes(33)}),
    key("ES256 compressed", "parameter of a wrong type", {**EC_KEY, Y: True}),
    key("ES256 with key ops", "ES256 key has other parameters", {**EC_KEY, 4: 1}),
    key("ES256 without y", "ES256 key has other parameters", {1: 2, 3: -7, -1: 1, -2: bytes(32)}),
    key("RS256 of 2047 bits", "RS256 modulus has a wrong size", rsa_key(2047)),
    key("RS256 of 4097 bits", "RS256 modulus has a wrong size", rsa_key(4097)),
    key("RS256 e is 1", "RS256 exponent is not 65537", {**RSA_KEY, E: b"\x01"}),
    key("RS256 e is 3", "RS256 exponent is not 65537", {**RSA_KEY, E: b"\x03"}),
    key("RS256 of type EC2", "RS256 key is not of type RSA", {**RSA_KEY, 1: 2}),
    key("RS256 with primes", "RS256 key has other parameters", {**RSA_KEY, -4: bytes(8)}),
    key("ES512", "algorithm was not offered", {**ec_key(ec.SECP521R1(), 3), 3: -36}),
    key("PS256", "algorithm was not offered", {**RSA_KEY, 3: -37}),
    key("RS1", "algorithm was not offered", {**RSA_KEY, 3: -65535}),
    key("ML-DSA-44", "algorithm was not offered", {1: 7, 3: -48, -1: bytes(1312)}),
    key("alg absent", "algorithm was not offered", {1: 2, -1: 1, X: bytes(32), Y: bytes(32)}),
    key("alg a float", "parameter of a wrong type", {**EC_KEY, 3: -7.0}),
    key("kty true", "parameter of a wrong type", {**ED_KEY, 1: True}),
    key("label true", "parameter of a wrong type", {True: 2, 3: -7, -1: 1, -2: b"", -3: b""}),
    key("label text", "parameter of a wrong type", {**EC_KEY, "x": 1}),
    key("not a map", "credential key is not a map", cbor2.dumps([EC_KEY])),
    key("number", "credential key is not a map", b"\x04"),
    key("uncompressed point", "bytes follow the authenticator data", b"\x04" + bytes(64)),
    key("X6 label twice", "CBOR cannot be decoded", b"\xa6\x01\x02" + EC_BYTES[1:]),
    key("X6 label twice, longer", "CBOR cannot be decoded", b"\xa6\x18\x01\x02" + EC_BYTES[1:]),
    key("X6 label twice, true", "CBOR cannot be decoded", b"\xa6\xf5\x02" + EC_BYTES[1:]),
    key("longer form", "not in its shortest form", b"\xa5\x01\x18\x02" + EC_BYTES[3:]),
    key("indefinite map", "indefinite", b"\xbf" + EC_BYTES[1:] + b"\xff"),
    key("tagged", "CBOR has a tag", b"\xc2" + EC_BYTES),
    key("cut off", "CBOR ends early", EC_BYTES[:-1]),
    key("absent", "CBOR ends early", b""),
    key("R13 a byte after it", "bytes follow the authenticator data", EC_BYTES + b"\x00"),
]

HIDDEN = b"\xa1\x61x\xf9\x3c\x00"
"""An extension map that is nine bytes longer when encoded again, so that bytes hide behind it."""

HOSTILE_STRUCTURES = [
    refused("R13 bytes after", "follow the attestation object", after_attestation_object=b"\0"),
    refused("R13 item after", "follow the attestation object", after_attestation_object=b"\xa0"),
    refused("R13 not a map", "attestation object is not a map", attestation_object=b"\x80"),
    refused("R13 empty", "CBOR ends early", attestation_object=b""),
    refused("R13 deep", "nested too deeply", attestation={"x": [[[[[[[[]]]]]]]]}),
    refused("R13 wide", "too many items", attestation={"x": [0] * 65}),
    refused("R13 shared reference", "CBOR has a tag", attestation={"x": cbor2.CBORTag(28, [])}),
    refused("R13 no authData", "not a byte string", attestation={"authData": OMIT}),
    refused("R13 text authData", "not a byte string", attestation={"authData": "x" * 200}),
    refused("R13 short authData", "data is too short", attestation={"authData": bytes(54)}),
    refused("R13 bytes after authData", "follow the auth", after_authenticator_data=b"\0"),
    refused(
        "R13 bytes hidden after extensions",
        "bytes follow the authenticator data",
        extensions=HIDDEN,
        after_authenticator_data=b"12345",
    ),
    refused("R13 extensions list", "extensions are not a map", extensions=b"\x80"),
    refused("R13 extensions cut off", "CBOR ends early", extensions=b"\xa1\x01"),
    refused("R13 AT not set", "attested credential data is missing", flags=SYNCED),
    refused("R14 RP id hash of another", "Unexpected RP ID hash", rp_id_hash=bytes(32)),
    refused("R15 no user presence", "User presence was required", flags=AT | UV | BE | BS),
    refused("R16 no user verification", "User verification is required", flags=AT | UP | BE | BS),
    refused("R17 BS without BE", "InvalidBackupFlags", flags=AT | UP | UV | BS),
    refused("R25 no id", "too short or too long", credential_id=b""),
    refused("R25 id of 15 bytes", "too short or too long", credential_id=bytes(15)),
    refused("R25 id of 1024 bytes", "too short or too long", credential_id=bytes(1024)),
    refused("R25 id of 60000 bytes", "too short or too long", credential_id=bytes(60_000)),
    refused("R25 another id attested", "not the attested one", attested_id=bytes(32)),
    refused("R27 transports text", "transports are not a list", response={"transports": "usb"}),
]

FOREIGN_FORMATS: tuple[object, ...] = (
    *("tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "None", ""),
    *(5, []),
)

HOSTILE_STATEMENTS = [
    *(
        refused(f"R21 format {fmt}", "format was not asked for", attestation={"fmt": fmt})
        for fmt in FOREIGN_FORMATS
    ),
    refused("R21 no format", "format was not asked for", attestation={"fmt": OMIT}),
    refused("R22 none, yet signed", "none has a statement", attestation={"fmt": "none"}),
    refused("R22 no statement", "not by the credential itself", attestation={"attStmt": OMIT}),
    refused("R22 empty statement", "not by the credential itself", attestation={"attStmt": {}}),
    refused("R22 list statement", "not by the credential itself", attestation={"attStmt": []}),
    refused(
        "R22 certificate",
        "not by the credential itself",
        attestation={"attStmt": {"alg": ES256, "sig": b"x", "x5c": [b"x"]}},
    ),
    refused(
        "R22 other algorithm",
        "did not equal attestation statement alg",
        attestation={"attStmt": {"alg": EDDSA, "sig": b"x"}},
    ),
    refused(
        "R22 signature is text",
        "signature is not a byte string",
        attestation={"attStmt": {"alg": ES256, "sig": "x"}},
    ),
    refused("R22 signature is junk", "Could not verify attestation", signature=b"junk"),
    refused("R22 no signature", "missing signature", signature=b""),
    refused("R22 another key", "Could not verify attestation", cose_key=EC_KEY),
]


@pytest.mark.parametrize(
    ("twists", "rule"),
    [
        *hostile_client_data("webauthn.create"),
        *hostile_shapes(),
        *hostile_base64url("response", ("clientDataJSON", "attestationObject")),
        *HOSTILE_STRUCTURES,
        *HOSTILE_KEYS,
    ],
)
def test_registration_that_breaks_one_rule_is_refused(twists: Twists, rule: str) -> None:
    authenticator = Authenticator(origin=ORIGIN)
    assert attestation_refusal(authenticator.create(creation_options())) is None

    with pytest.raises(AttestationRejected) as refusal:
        register(authenticator.create(creation_options(), **twists))

    assert rule in (refusal.value.reason or "")


@pytest.mark.parametrize(("twists", "rule"), HOSTILE_STATEMENTS)
def test_attestation_statement_that_does_not_hold_is_refused(twists: Twists, rule: str) -> None:
    authenticator = Authenticator(origin=ORIGIN, attestation="packed")
    assert attestation_refusal(authenticator.create(creation_options())) is None

    with pytest.raises(AttestationRejected) as refusal:
        register(authenticator.create(creation_options(), **twists))

    assert rule in (refusal.value.reason or "")


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(lambda text: text + "=", id="padded"),
        pytest.param(lambda text: text[:9] + "\n" + text[9:], id="new line inside"),
        pytest.param(lambda text: text[:-1] + chr(ord(text[-1]) + 1), id="spare bits"),
    ],
)
def test_credential_id_in_another_spelling_is_refused(spelling: Callable[[str], str]) -> None:
    """WA-X2: one credential, one text; else a removed or taken id comes back as a new one."""
    authenticator = Authenticator(origin=ORIGIN)
    credential = authenticator.create(creation_options(), credential_id=bytes(32))
    assert attestation_refusal(credential) is None

    text = spelling(credential["id"])
    respelt = {**credential, "id": text, "rawId": text}

    assert "id is not" in (attestation_refusal(respelt) or "")


@pytest.mark.parametrize("credential", [None, [], "credential", 5, {}, {"response": {}}])
def test_what_is_no_credential_is_refused(credential: Json) -> None:
    assert attestation_refusal(credential)


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        (["usb", "nfc"], ("nfc", "usb")),
        (["usb", "usb"], ("usb",)),
        (["telepathy", "internal", 5, None, ["usb"], {}], ("internal",)),
        (["<script>", "cable", "USB"], ()),
        ([], ()),
        (None, ()),
    ],
)
def test_only_known_transports_are_kept(claimed: object, kept: tuple[str, ...]) -> None:
    """WA-R27."""
    credential = Authenticator(origin=ORIGIN).create(
        creation_options(), response={"transports": claimed}
    )

    assert register(credential).transports == kept


def test_aaguid_is_told_as_text() -> None:
    aaguid = bytes.fromhex("ea9b8d664d011d213ce4b6b48cb575d4")
    credential = Authenticator(origin=ORIGIN, aaguid=aaguid).create(creation_options())

    assert register(credential).aaguid == "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"


def test_response_to_another_challenge_is_refused() -> None:
    """WA-R8: the same response is good for the challenge that it answers and for no other."""
    credential = Authenticator(origin=ORIGIN).create(creation_options())
    assert attestation_refusal(credential) is None

    with pytest.raises(AttestationRejected):
        RP.finish_registration(credential=credential, challenge=CHALLENGE[::-1])


def test_assertion_does_not_pass_for_a_registration() -> None:
    authenticator = Authenticator(origin=ORIGIN)
    attestation = authenticator.create(creation_options())
    assertion = authenticator.get(request_options())

    assert attestation_refusal(attestation) is None
    assert attestation_refusal(assertion)


def test_reason_is_short_and_printable() -> None:
    """The library quotes the client; the log shall not suffer from it."""
    origin = "https://evil.test/\n\ud800" + "x" * 5000
    credential = Authenticator(origin=ORIGIN).create(
        creation_options(), client_data={"origin": origin}
    )

    reason = attestation_refusal(credential)

    assert reason
    assert reason.isascii()
    assert reason.isprintable()
    assert len(reason) <= 200
