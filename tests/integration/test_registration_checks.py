"""Each rule of WebAuthn L3 §7.1 broken alone, through HTTP: no account comes of it.

The unit tests of the relying party know many more ways; here each requirement, named by its id,
is seen to reach the route (CVE-2026-8830). The misdeed is followed by the same
ceremony done properly.
"""

from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from tests.support.authenticator import (
    AT,
    BE,
    BS,
    ES256,
    OMIT,
    UP,
    UV,
    Authenticator,
    Twists,
    cose_key_of,
    encode,
    new_private_key,
    octets,
)
from tests.support.clients import Browser
from tests.support.people import (
    begin_sign_up,
    finish_sign_up,
    is_signed_in,
    json_of,
    new_phone,
    refusal,
    sign_up,
)
from tests.support.tables import contents
from tests.support.variables import ORIGIN

UNUSABLE, REJECTED = (400, "challenge_unusable"), (400, "attestation_rejected")
OTHER_CHALLENGE = encode(bytes(32))
EC_KEY = cose_key_of(new_private_key(ES256))
P384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
P384_KEY = {1: 2, 3: -7, -1: 2, -2: P384.x.to_bytes(48), -3: P384.y.to_bytes(48)}
SHORT_ED_KEY = {1: 1, 3: -8, -1: 6, -2: bytes(5)}


def rsa_key(*, bits: int = 2048, exponent: int = 65537) -> dict[Any, object]:
    return {1: 3, 3: -257, -1: octets((1 << (bits - 1)) + 1), -2: octets(exponent)}


# Without readable client data there is no challenge to look up, so nothing is verified at all.
UNREADABLE: dict[str, Twists] = {
    "R5 not UTF-8": {"client_data_json": b'{"type": "\xff"}'},
    "R6 not JSON": {"client_data_json": b"{"},
    "R8 another challenge": {"client_data": {"challenge": OTHER_CHALLENGE}},
    "R8 no challenge": {"client_data": {"challenge": OMIT}},
    "X2 client data padded": {"response": {"clientDataJSON": "e30="}},
}
HOSTILE: dict[str, Twists] = {
    "R7 type": {"client_data": {"type": "webauthn.get"}},
    "R9 origin": {"client_data": {"origin": "https://evil.test"}},
    "R9 other port": {"client_data": {"origin": "http://localhost:8001"}},
    "R10 crossOrigin": {"client_data": {"crossOrigin": True}},
    "R11 topOrigin": {"client_data": {"topOrigin": "https://evil.test"}},
    "R13 bytes after the attestation object": {"after_attestation_object": b"\0"},
    "R13 bytes after the authenticator data": {"after_authenticator_data": b"\0"},
    "R14 RP id": {"rp_id_hash": bytes(32)},
    "R15 no user presence": {"flags": AT | UV | BE | BS},
    "R16 no user verification": {"flags": AT | UP | BE | BS},
    "R17 BS without BE": {"flags": AT | UP | UV | BS},
    "R20 alg not offered": {"cose_key": {**rsa_key(), 3: -37}},
    "R20 ES256 of P-384": {"cose_key": P384_KEY},
    "R20 ES256 off the curve": {"cose_key": {**EC_KEY, -3: bytes(32)}},
    "R20 EdDSA of five bytes": {"cose_key": SHORT_ED_KEY},
    "R20 RSA of 1024 bits": {"cose_key": rsa_key(bits=1024)},
    "R20 RSA with e = 1": {"cose_key": rsa_key(exponent=1)},
    "R21 format": {"attestation": {"fmt": "fido-u2f"}},
    "R22 statement": {"attestation": {"attStmt": {"x5c": [b"x"]}}},
    "R25 id of 15 bytes": {"credential_id": bytes(15)},
    "R25 id of 1024 bytes": {"credential_id": bytes(1024)},
    "R25 another id attested": {"attested_id": bytes(32)},
    "CVE-2026-0723 rawId": {"members": {"rawId": OTHER_CHALLENGE}},
    "X1 no response": {"response": {"attestationObject": OMIT}},
    "X2 junk in base64url": {"response": {"attestationObject": "o2Nm\nbXRk"}},
}
CASES = [
    *(pytest.param(twists, UNUSABLE, id=f"WA-{name}") for name, twists in UNREADABLE.items()),
    *(pytest.param(twists, REJECTED, id=f"WA-{name}") for name, twists in HOSTILE.items()),
]


@pytest.mark.parametrize(("twists", "expected"), CASES)
def test_registration_that_breaks_a_rule_makes_no_account(
    app: Flask, client: Browser, twists: Twists, expected: tuple[int, str]
) -> None:
    before = contents(app)
    options = json_of(begin_sign_up(client))

    assert refusal(finish_sign_up(client, new_phone(), options, **twists)) == expected

    assert contents(app) == before
    assert not is_signed_in(client)
    sign_up(client)


def test_attestation_signed_by_another_key_makes_no_account(app: Flask, client: Browser) -> None:
    """WA-R22."""
    phone = Authenticator(origin=ORIGIN, attestation="packed")
    before = contents(app)
    options = json_of(begin_sign_up(client))

    assert refusal(finish_sign_up(client, phone, options, cose_key=EC_KEY)) == REJECTED

    assert contents(app) == before
    sign_up(client, phone)


@pytest.mark.parametrize(
    "twists",
    [
        pytest.param({"response": {"transports": ["usb", "telepathy"]}}, id="WA-R27 transports"),
        pytest.param({"extensions": cbor2.dumps({"credProtect": 2})}, id="WA-R28 extensions"),
    ],
)
def test_what_no_rule_forbids_makes_an_account(client: Browser, twists: Twists) -> None:
    options = json_of(begin_sign_up(client))

    assert finish_sign_up(client, new_phone(), options, **twists).status_code == 201


@pytest.mark.parametrize("twists", [{"flags": AT | UP | BE | BS}, {"cose_key": rsa_key(bits=1024)}])
def test_refusal_does_not_say_which_rule_was_broken(client: Browser, twists: Twists) -> None:
    options = json_of(begin_sign_up(client))

    problem = json_of(finish_sign_up(client, new_phone(), options, **twists))

    assert problem == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "That passkey could not be accepted. Please try again, or use another device.",
        "code": "attestation_rejected",
    }
