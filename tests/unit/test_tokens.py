"""Opaque secrets: their form, their randomness, and the hashes that are kept of them.

ASVS 6.5.2, 6.6.3, 7.2.2, 7.2.3, 11.4.1.
"""

import hashlib
import re
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.tokens import (
    hash_code,
    hash_secret,
    is_session_token,
    new_code,
    new_secret,
    new_session_token,
)

MANY = 300
GOOD = "obs_" + "Az09-_" * 7 + "A"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_secret_is_256_bits_in_base64url() -> None:
    secrets = {new_secret() for _ in range(MANY)}

    assert len(secrets) == MANY
    assert {len(urlsafe_b64decode(secret + "=")) for secret in secrets} == {32}


def test_session_token_has_the_form_that_finds_it_anywhere() -> None:
    token = new_session_token()

    assert re.fullmatch(r"obs_[A-Za-z0-9_-]{43}", token)
    assert is_session_token(token)
    assert is_session_token(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        *("", "obs_", GOOD[:-1], GOOD + "A", GOOD[4:], "obp_" + GOOD[4:], GOOD.upper()),
        *(GOOD + "\n", " " + GOOD, GOOD[:-1] + "=", GOOD[:-1] + "é", GOOD[:-1] + "٣", f'"{GOOD}"'),
    ],
)
def test_what_is_not_of_that_form_is_no_session_token(text: str) -> None:
    assert not is_session_token(text)


def test_secret_is_kept_as_its_sha256() -> None:
    assert hash_secret("abc") == hash_secret(b"abc") == hashlib.sha256(b"abc").digest()
    assert hash_secret("abc") != hash_secret("abd")


def test_any_text_has_a_hash() -> None:
    """It may come from a client, lone surrogates and all."""
    assert len(hash_secret("\ud800é")) == 32


def test_code_is_125_bits_that_a_person_can_copy() -> None:
    codes = {new_code() for _ in range(MANY)}

    assert len(codes) == MANY
    assert {len(code.replace("-", "")) for code in codes} == {25}
    assert {[len(group) for group in code.split("-")] == [5] * 5 for code in codes} == {True}
    assert {character for code in codes for character in code} == {*ALPHABET, "-"}


@given(st.text(ALPHABET, min_size=25, max_size=25), st.data())
def test_code_has_one_hash_however_it_is_typed(code: str, data: st.DataObject) -> None:
    def typed(character: str) -> str:
        spellings = [character, character.lower(), *{"0": "oO", "1": "iIlL"}.get(character, "")]
        between = data.draw(st.sampled_from(["", "-", " ", " - "]))
        spelling: str = data.draw(st.sampled_from(spellings))
        return spelling + between

    assert hash_code(" " + "".join(typed(character) for character in code)) == hash_code(code)


@given(st.text(ALPHABET, min_size=25, max_size=25), st.text(ALPHABET, min_size=25, max_size=25))
def test_two_codes_have_two_hashes(one: str, other: str) -> None:
    assert (hash_code(one) == hash_code(other)) is (one == other)
