"""Each rule of WebAuthn L3 §7.2 broken alone, through HTTP: nobody is signed in.

Step-up ends in the same place, so a few rules are seen to hold there as well. Each misdeed is
followed by the same ceremony done properly. `WA-A17` is ASVS 6.3.3: the passkey is both factors.
"""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.authenticator import AT, BE, BS, OMIT, SYNCED, UP, UV, Twists, encode
from tests.support.clients import Browser
from tests.support.people import is_signed_in, refusal, sign_in, sign_up, step_up, token_of
from tests.support.tables import contents

UNUSABLE, REJECTED = (400, "challenge_unusable"), (401, "assertion_rejected")
OTHER = encode(bytes(32))

# Without readable client data there is no challenge to look up, so nothing is verified at all.
UNREADABLE: dict[str, Twists] = {
    "A8 not UTF-8": {"client_data_json": b'{"type": "\xff"}'},
    "A9 not JSON": {"client_data_json": b"{"},
    "A11 another challenge": {"client_data": {"challenge": OTHER}},
    "A11 no challenge": {"client_data": {"challenge": OMIT}},
    "X1 no response": {"members": {"response": OMIT}},
}
HOSTILE: dict[str, Twists] = {
    "A10 type": {"client_data": {"type": "webauthn.create"}},
    "A12 origin": {"client_data": {"origin": "https://evil.test"}},
    "A12 other port": {"client_data": {"origin": "http://localhost:8001"}},
    "A13 crossOrigin": {"client_data": {"crossOrigin": True}},
    "A14 topOrigin": {"client_data": {"topOrigin": "https://evil.test"}},
    "A10 bytes after the authenticator data": {"after_authenticator_data": b"\0"},
    "A10 attested credential data": {"flags": SYNCED | AT},
    "A15 RP id": {"rp_id_hash": bytes(32)},
    "A16 no user presence": {"flags": UV | BE | BS},
    "A17 no user verification": {"flags": UP | BE | BS},
    "A18 BS without BE": {"flags": UP | UV | BS},
    "A19 no longer eligible for backup": {"flags": UP | UV},
    "A21 signature": {"signature": b"junk"},
    "A6 handle of nobody": {"user_handle": bytes(64)},
    "A5 unknown credential": {"credential_id": bytes(32)},
    "CVE-2026-0723 rawId": {"members": {"rawId": OTHER}},
    "X1 no signature": {"response": {"signature": OMIT}},
    "X2 junk in base64url": {"response": {"authenticatorData": "AA\nAA"}},
}
CASES = [
    *(pytest.param(twists, UNUSABLE, id=f"WA-{name}") for name, twists in UNREADABLE.items()),
    *(pytest.param(twists, REJECTED, id=f"WA-{name}") for name, twists in HOSTILE.items()),
]
NAMELESS: dict[str, Twists] = {
    "WA-A6 null": {"user_handle": None},
    "WA-A6 absent": {"response": {"userHandle": OMIT}},
}


@pytest.mark.parametrize(("twists", "expected"), CASES)
def test_sign_in_that_breaks_a_rule_is_refused(
    app: Flask,
    client: Browser,
    new_client: Callable[[], Browser],
    twists: Twists,
    expected: tuple[int, str],
) -> None:
    person, other = sign_up(client), new_client()
    before = contents(app)

    assert refusal(sign_in(other, person.phone, **twists)) == expected

    assert contents(app) == before
    assert not is_signed_in(other)
    assert sign_in(other, person.phone).status_code == 200


@pytest.mark.parametrize(("twists", "expected"), [CASES[2], *CASES[6::4]])
def test_step_up_that_breaks_a_rule_is_refused(
    app: Flask, client: Browser, twists: Twists, expected: tuple[int, str]
) -> None:
    person = sign_up(client)
    token, before = token_of(client), contents(app)

    assert refusal(step_up(client, person.phone, **twists)) == expected

    assert contents(app) == before
    assert token_of(client) == token
    assert step_up(client, person.phone).status_code == 200


@pytest.mark.parametrize("twists", NAMELESS.values(), ids=NAMELESS)
def test_sign_in_without_a_user_handle_is_refused(
    app: Flask, client: Browser, new_client: Callable[[], Browser], twists: Twists
) -> None:
    person, other = sign_up(client), new_client()
    before = contents(app)

    assert refusal(sign_in(other, person.phone, **twists)) == REJECTED

    assert contents(app) == before
    assert sign_in(other, person.phone).status_code == 200


@pytest.mark.parametrize("twists", NAMELESS.values(), ids=NAMELESS)
def test_step_up_needs_no_user_handle_since_its_options_name_the_passkeys(
    client: Browser, twists: Twists
) -> None:
    """Security keys leave it out then (WA-A6)."""
    person = sign_up(client)

    assert step_up(client, person.phone, **twists).status_code == 200
