"""What a hostile authenticator may sign or attest, beside what a hostile browser may send.

`hostile_cases` is everything together, for one kind of ceremony.
"""

from collections.abc import Callable
from typing import Any

import cbor2
from hypothesis import strategies as st

from app.models import Purpose
from tests.support.authenticator import AT, BE, BS, ED, OMIT, UP, UV
from tests.support.hostile_attestations import (
    RESPELT,
    IdLength,
    InAuthenticatorData,
    InSigned,
    Respelt,
)
from tests.support.hostile_bytes import Cut, bends, hostile_items, parts
from tests.support.hostile_ceremonies import (
    CREATING,
    REJECTED,
    UNUSABLE,
    Case,
    Cases,
    InBytes,
    Kinds,
    Spoil,
    read_members,
    refused,
    wrong_body,
    wrong_client_data,
    wrong_json,
    wrong_text,
)
from tests.support.hostile_keys import hostile_keys

HONEST_ID_BYTES = 32

_NEVER_HONEST = [flags for flags in range(256) if not flags & UP or not flags & UV or flags & ED]
_INELIGIBLE = [UP | UV | BS, UP | UV | BS | AT]
CREATING_FLAGS = [*_NEVER_HONEST, *_INELIGIBLE, UP | UV, UP | UV | BE | BS]
ASSERTING_FLAGS = [*_NEVER_HONEST, *_INELIGIBLE, UP | UV, UP | UV | BE | AT]

FORMATS = ("packed", "tpm", "android-key", "fido-u2f", "apple", "compound", "NONE", "none\0", "")
STATEMENTS: tuple[object, ...] = (
    {"alg": -7, "sig": b"x"},
    {"alg": -7, "sig": "x"},
    {"x5c": [b"x"]},
    {"alg": -7},
    {},
)
CBOR_VALUES: tuple[object, ...] = (
    OMIT,
    None,
    True,
    1,
    -7.0,
    "x",
    b"",
    b"x",
    [],
    [1],
    {"a": 1},
    cbor2.undefined,
)

SIGNATURES = (
    *(b"", b"\0", bytes(64), b"\xff" * 64, bytes(256), b"\xff" * 256, bytes(9000)),
    # DER of r and s: both zero, both one, both negative; too long, without end.
    *(bytes.fromhex("3006020100020100"), bytes.fromhex("3006020101020101")),
    *(bytes.fromhex("30060201ff0201ff"), b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 40),
)


def _bent_bytes(purpose: Purpose, name: str, *, self_signed: bool = False) -> Cases:
    """Bend what was signed; bent client data may lose the challenge."""

    def case(change: Callable[[bytes], bytes]) -> Case:
        refusals = {REJECTED[purpose]} | ({UNUSABLE} if name == "clientDataJSON" else set())
        return Case(
            refusals=frozenset(refusals),
            spoil=Spoil(name, InBytes(change)),
            self_signed=self_signed,
        )

    return (bends.map(InSigned) if name == "attestationObject" else bends).map(case)


def _wrong_attestation(purpose: Purpose) -> Kinds:
    def attestation(**members: object) -> Case:
        return refused(purpose, twists={"attestation": members})

    def spoilt(change: Callable[[bytes], bytes]) -> Case:
        return refused(purpose, spoil=Spoil("attestationObject", InBytes(change)))

    cuts = st.builds(Cut, parts)
    lengths = st.integers(0, 2**16 - 1).filter(HONEST_ID_BYTES.__ne__)
    return (
        st.sampled_from([*FORMATS, *CBOR_VALUES]).map(lambda fmt: attestation(fmt=fmt)),
        st.sampled_from(CBOR_VALUES).map(lambda value: attestation(attStmt=value)),
        st.sampled_from(CBOR_VALUES).map(lambda value: attestation(authData=value)),
        st.sampled_from(STATEMENTS).map(lambda one: attestation(fmt="packed", attStmt=one)),
        hostile_items.map(lambda item: refused(purpose, twists={"attestation_object": item})),
        st.sampled_from([*map(Respelt, RESPELT)]).map(spoilt),
        cuts.map(spoilt),
        cuts.map(InAuthenticatorData).map(spoilt),
        lengths.map(IdLength).map(InAuthenticatorData).map(spoilt),
        _bent_bytes(purpose, "attestationObject", self_signed=True),
        _bent_bytes(purpose, "clientDataJSON", self_signed=True),
    )


def _twisted(purpose: Purpose, name: str, values: st.SearchStrategy[Any]) -> Cases:
    """Bend what the twist of this name bends."""
    return values.map(lambda value: refused(purpose, twists={name: value}))


def _wrong_data(purpose: Purpose) -> Kinds:
    """Authenticator data with one thing wrong, attested or signed as it is."""
    more = st.binary(min_size=1, max_size=9)
    sizes = st.sampled_from([0, 1, 15, 16, 33, 1023, 1024, 5000]).map(bytes)
    common = (
        _twisted(purpose, "rp_id_hash", st.binary(max_size=33)),
        _twisted(purpose, "extensions", hostile_items.filter(bool)),
        _twisted(purpose, "after_authenticator_data", more),
    )
    if purpose in CREATING:
        return (
            *common,
            _twisted(purpose, "flags", st.sampled_from(CREATING_FLAGS)),
            _twisted(purpose, "attested_id", sizes),
            _twisted(purpose, "credential_id", st.sampled_from([0, 1, 15, 1024, 9000]).map(bytes)),
            _twisted(purpose, "after_attestation_object", more),
            *[_twisted(purpose, "cose_key", hostile_keys)] * 5,
        )
    return (
        *common,
        _twisted(purpose, "flags", st.sampled_from(ASSERTING_FLAGS)),
        _twisted(purpose, "credential_id", sizes),
        _twisted(purpose, "user_handle", st.binary(max_size=65)),
        _twisted(purpose, "signature", st.sampled_from(SIGNATURES)),
    )


def hostile_cases(purpose: Purpose) -> Kinds:
    """Everything that this kind of ceremony must refuse."""
    names = ("clientDataJSON", "id", *read_members(purpose))
    return (
        *(
            _wrong_attestation(purpose)
            if purpose in CREATING
            else [_bent_bytes(purpose, name) for name in names]
        ),
        *_wrong_data(purpose),
        *wrong_client_data(purpose),
        *wrong_json(purpose),
        *wrong_text(purpose),
        *wrong_body(purpose),
    )
