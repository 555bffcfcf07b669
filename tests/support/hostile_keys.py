"""Credential public keys (COSE_Key) that no relying party may store: each must be refused."""

from collections.abc import Mapping
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import strategies as st

from tests.support.authenticator import EDDSA, ES256, OMIT, RS256, bent, cose_key_of, octets
from tests.support.hostile_bytes import head, hostile_items, indefinite, repeated

Key = Mapping[Any, object]

KTY, ALG, CRV, X, Y = 1, 3, -1, -2, -3
N, E = -1, -2
P = 2**255 - 19

HONEST: dict[int, Key] = {
    EDDSA: cose_key_of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))),
    ES256: cose_key_of(ec.derive_private_key(4711, ec.SECP256R1())),
    RS256: {KTY: 3, ALG: RS256, N: octets((1 << 2047) + 1), E: octets(65537)},
}
P384 = cose_key_of(ec.derive_private_key(4711, ec.SECP256R1())) | {
    CRV: 2,
    X: bytes(range(48)),
    Y: bytes(range(48)),
}
ALGORITHMS = (-7, -8, -257, -35, -36, -37, -39, -47, -50, -65535, -258, 0, 5, -9, -19, -48, 2**63)

# Points of Edwards25519 whose order divides eight, and encodings of no point (RFC 8032 §5.1.3).
SMALL_ORDER = (
    bytes(32),
    (1).to_bytes(32, "little"),
    (P - 1).to_bytes(32, "little"),
    (P).to_bytes(32, "little"),
    (P + 1).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    (2).to_bytes(32, "little"),
    b"\xff" * 32,
)

WRONG_TYPES: tuple[object, ...] = (
    None,
    True,
    1.0,
    -7.0,
    "1",
    "",
    [],
    {},
    [b"\0" * 32],
    cbor2.undefined,
    cbor2.CBORSimpleValue(99),
)


def _changed(algorithm: int, label: int, value: object) -> bytes:
    """Give a key with one parameter changed, or left out."""
    key = HONEST[algorithm]
    labels = list(key)
    changed = bent(key, {labels[label % len(labels)]: value})
    return cbor2.dumps(changed)


def _resized(algorithm: int, label: int, size: int) -> bytes:
    """Give a key whose byte strings are of another size."""
    key = dict(HONEST[algorithm])
    strings = [one for one, value in key.items() if isinstance(value, bytes)]
    chosen = strings[label % len(strings)]
    value = key[chosen]
    assert isinstance(value, bytes)
    key[chosen] = (value * (size // len(value) + 1))[:size]
    return cbor2.dumps(key)


def _of_other_algorithm(algorithm: int, other: int) -> bytes:
    return cbor2.dumps({**HONEST[algorithm], ALG: other})


def _on_other_curve(algorithm: int, curve: int) -> bytes:
    return cbor2.dumps({**HONEST[algorithm], CRV: curve})


def _of_other_type(algorithm: int, kind: int) -> bytes:
    return cbor2.dumps({**HONEST[algorithm], KTY: kind})


def _with_more(algorithm: int, label: object) -> bytes:
    return cbor2.dumps({**HONEST[algorithm], label: b"more"})


def _wide(algorithm: int, width: int) -> bytes:
    """Give a key whose map says its length in more bytes than it needs."""
    encoded = cbor2.dumps(HONEST[algorithm])
    return head(5, len(HONEST[algorithm]), width) + encoded[1:]


algorithms = st.sampled_from([EDDSA, ES256, RS256])
labels = st.integers(0, 4)
WRONG_POINTS = tuple(
    cbor2.dumps({**HONEST[ES256], X: x, Y: y})
    for x, y in [(bytes(32), bytes(32)), (b"\xff" * 32, b"\xff" * 32), (bytes(range(32)),) * 2]
)
WRONG_RSA = tuple(
    cbor2.dumps({**HONEST[RS256], N: octets((1 << bits - 1) + 1), E: octets(exponent)})
    for bits, exponent in [(1024, 65537), (2047, 65537), (4097, 65537), (2048, 1), (2048, 3)]
)

hostile_keys: st.SearchStrategy[bytes] = st.one_of(
    st.builds(_changed, algorithms, labels, st.sampled_from([OMIT, *WRONG_TYPES])),
    st.builds(_resized, algorithms, labels, st.sampled_from([0, 1, 5, 31, 33, 48, 57, 128, 600])),
    st.builds(
        _of_other_algorithm, st.just(EDDSA), st.sampled_from(ALGORITHMS).filter(EDDSA.__ne__)
    ),
    st.builds(
        _of_other_algorithm, st.just(ES256), st.sampled_from(ALGORITHMS).filter(ES256.__ne__)
    ),
    st.builds(
        _of_other_algorithm, st.just(RS256), st.sampled_from(ALGORITHMS).filter(RS256.__ne__)
    ),
    st.builds(_on_other_curve, st.just(EDDSA), st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, -1])),
    st.builds(_on_other_curve, st.just(ES256), st.sampled_from([0, 2, 3, 4, 5, 6, 7, 8, -1])),
    st.builds(_of_other_type, algorithms, st.sampled_from([0, 4, 5, 6, -1, 2**32])),
    st.builds(_with_more, algorithms, st.sampled_from([2, 4, 5, -4, -70001, 0, "x", b"1", "1"])),
    st.builds(_wide, algorithms, st.sampled_from([1, 2, 4, 8])),
    algorithms.map(lambda algorithm: indefinite(HONEST[algorithm])),
    st.builds(lambda algorithm: repeated(HONEST[algorithm], ALG), algorithms),
    st.sampled_from([cbor2.dumps({**HONEST[EDDSA], X: point}) for point in SMALL_ORDER]),
    st.sampled_from([*WRONG_POINTS, *WRONG_RSA, cbor2.dumps(P384)]),
    st.builds(
        lambda algorithm, end: cbor2.dumps(HONEST[algorithm])[:end], algorithms, st.integers(0, 41)
    ),
    hostile_items,
)
