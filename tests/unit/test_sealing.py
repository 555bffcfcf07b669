"""Sealed values open in their place, with their key, whole; and nowhere else.

ASVS 11.2.1, 11.2.2, and 11.3.1 to 11.3.4.
"""

import base64
import re
import secrets
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from app.services.sealing import Place, Sealer, Unsealable, prefix_of

KEY, OTHER = secrets.token_bytes(32), secrets.token_bytes(32)
SEALER = Sealer([KEY])
PLACE = Place(table="oauth_providers", column="access_token", row="0199")
SECRET = "gho_a-token2"  # noqa: S105 - made up
SEALED = SEALER.seal(SECRET, place=PLACE)
FORMAT = r"v1\.[0-9a-f]{16}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{22,}"


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def opens(sealed: str, *, place: Place = PLACE, sealer: Sealer = SEALER) -> bool:
    try:
        return sealer.open(sealed, place=place) == SECRET
    except Unsealable:
        return False


@given(st.text())
def test_what_was_sealed_is_opened(secret: str) -> None:
    sealed = SEALER.seal(secret, place=PLACE)

    assert re.fullmatch(FORMAT, sealed)
    assert SEALER.open(sealed, place=PLACE) == secret


def test_lone_surrogate_is_sealed_like_any_text() -> None:
    assert SEALER.open(SEALER.seal("\ud800", place=PLACE), place=PLACE) == "\ud800"


def test_sealed_value_is_what_the_format_says() -> None:
    """Read by the primitives alone: HKDF-SHA256, AES-256-GCM, and what it is bound to."""
    version, key_id, nonce, ciphertext = SEALED.split(".")

    def derive(info: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(KEY)

    assert (version, key_id) == ("v1", derive(b"openbadges-system sealing v1 key id", 8).hex())
    bound_to = f"oauth_providers|access_token|0199|{key_id}|v1".encode()
    cipher = AESGCM(derive(b"openbadges-system sealing v1", 32))
    assert cipher.decrypt(decoded(nonce), decoded(ciphertext), bound_to) == SECRET.encode()


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, row="0198"),
        replace(PLACE, column="refresh_token"),
        replace(PLACE, table="oauth_sessions"),
        replace(PLACE, row=""),
    ],
    ids=["row", "column", "table", "no row"],
)
def test_value_that_was_moved_is_refused(elsewhere: Place) -> None:
    with pytest.raises(Unsealable, match="another place"):
        SEALER.open(SEALED, place=elsewhere)

    assert opens(SEALED, place=replace(PLACE))


def test_place_cannot_be_told_in_two_ways() -> None:
    for odd in ({"table": "a|b"}, {"column": "a|b"}, {"row": "a|b"}):
        with pytest.raises(ValueError, match="no bar"):
            replace(PLACE, **odd)


def test_flipped_bit_is_refused_wherever_it_is() -> None:
    """Also one that base64url leaves unused, as there are in this value's last character."""
    assert len(decoded(SEALED.split(".")[3])) % 3 == 1
    raw = SEALED.encode()
    flipped = [
        (raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]).decode("latin-1")
        for at in range(len(raw))
        for bit in range(8)
    ]

    assert [one for one in flipped if opens(one)] == []
    assert opens(SEALED)


def test_value_that_was_cut_off_or_prolonged_is_refused() -> None:
    cut = [SEALED[:end] for end in range(len(SEALED))] + [SEALED[at:] for at in range(1, 30)]
    prolonged = [SEALED + more for more in ("A", "AAAA", "=", "==", "\n", " ", ".", ".AAAA")]

    assert [one for one in [*cut, *prolonged] if opens(one)] == []


SPOILT = {
    "nothing": "",
    "not sealed": SECRET,
    "other version": "v2" + SEALED[2:],
    "version in capitals": "V1" + SEALED[2:],
    "other separator": SEALED.replace(".", ":"),
    "key id that is none": SEALED.replace(SEALED[3:19], SEALED[3:19].upper() + "G"),
    "letter with an accent": SEALED[:-1] + "é",
    "digit of another script": SEALED[:-1] + "٣",
    "NUL": SEALED[:-1] + "\0",
    "half a surrogate pair": SEALED[:-1] + "\ud800",
    "full-width version": SEALED.replace("v1", "\uff561"),
    "blank before": " " + SEALED,
    "ciphertext too short": SEALED[:20] + "A" * 16 + "." + "A" * 21,
    "ciphertext of an impossible length": SEALED[:20] + "A" * 16 + "." + "A" * 25,
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_what_is_not_of_the_format_is_refused(spoilt: str) -> None:
    with pytest.raises(Unsealable):
        SEALER.open(spoilt, place=PLACE)


@given(st.text())
def test_no_text_is_more_than_refused(text: str) -> None:
    with pytest.raises(Unsealable):
        SEALER.open(text, place=PLACE)


def test_old_key_is_read_and_the_newest_seals() -> None:
    """ASVS 13.3.4."""
    rotated = Sealer([OTHER, KEY])
    sealed = rotated.seal(SECRET, place=PLACE)

    assert opens(SEALED, sealer=rotated)
    assert opens(sealed, sealer=Sealer([OTHER]))
    assert sealed.startswith(prefix_of(rotated.key_ids[0]))
    assert rotated.key_ids == (*Sealer([OTHER]).key_ids, *SEALER.key_ids)


def test_removed_key_is_told_by_its_id() -> None:
    with pytest.raises(Unsealable, match=f"no key {SEALER.key_ids[0]}"):
        Sealer([OTHER]).open(SEALED, place=PLACE)

    assert opens(SEALED, sealer=Sealer([OTHER, KEY]))


def test_value_under_another_keys_name_is_refused() -> None:
    """Both keys are known; the one that the value names is not the one that sealed it."""
    both = Sealer([OTHER, KEY])
    renamed = SEALED.replace(both.key_ids[1], both.key_ids[0])

    assert not opens(renamed, sealer=both)
    assert opens(SEALED, sealer=both)


def test_no_nonce_comes_twice_in_ten_thousand() -> None:
    """ASVS 11.3.4: nor is one text ever sealed to the same value twice."""
    sealed = [SEALER.seal(SECRET, place=PLACE) for _ in range(10_000)]

    assert len({one.split(".")[2] for one in sealed}) == len(sealed)
    assert len({one.split(".")[3] for one in sealed}) == len(sealed)
    assert {len(decoded(one.split(".")[2])) for one in sealed} == {12}


def test_neither_the_sealer_nor_its_refusals_show_a_key_or_a_secret() -> None:
    shown = [repr(SEALER), str(SEALER), repr(vars(SEALER))]
    for wrong in (SEALED[:-1], SEALED[:-2] + "AA", SECRET):
        with pytest.raises(Unsealable) as refusal:
            SEALER.open(wrong, place=replace(PLACE, row="other"))
        shown.append(repr(refusal.value))

    forms = [SECRET, KEY.hex(), repr(KEY)[2:-1], base64.urlsafe_b64encode(KEY).decode()[:40]]
    assert [form for form in forms for one in shown if form in one] == []
