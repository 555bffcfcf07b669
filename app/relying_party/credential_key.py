"""Credential public keys in COSE form (RFC 9053 §7, RFC 8230 §4; WebAuthn L3 §5.8.5, §6.5.1.1).

The library looks at a key's parameters only when it verifies a signature, and not at all of them:
it registers P-384 keys for ES256, points off the curve, and RSA with e = 1.
"""

from collections.abc import Callable, Mapping

from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography

from . import cbor, ed25519
from .violation import Violation, require

KTY, ALG, CRV, X, Y = 1, 3, -1, -2, -3
N, E = -1, -2

OKP, EC2, RSA = 1, 2, 3
CURVE_P256, CURVE_ED25519 = 1, 6
EDDSA, ES256, RS256 = -8, -7, -257

COORDINATE = 32
"""Bytes."""

SMALLEST_RSA, LARGEST_RSA = 2048, 4096
"""Bits. No authenticator makes larger keys, and every verification would pay for them."""

PUBLIC_EXPONENT = b"\x01\x00\x01"

Key = Mapping[int, int | bytes]


def check_credential_key(raw: bytes) -> None:
    """Refuse a key that is not of one of the offered kinds (§7.1 step 20), or not valid.

    A key has the parameters of its type and no others (§6.5.1), in the very bytes that the library
    stores. Raises Violation.
    """
    key = _decode(raw)
    check = CHECKS.get(key.get(ALG))
    if check is None:
        raise Violation("algorithm was not offered")
    check(key, raw)


def _decode(raw: bytes) -> Key:
    key, _ = cbor.decode_item(raw)
    if not isinstance(key, dict):
        raise Violation("credential key is not a map")
    # Python takes True for 1 and -7.0 for -7; the next verifier need not.
    plain = all(type(label) is int and type(value) in (int, bytes) for label, value in key.items())
    require(plain, "credential key has a parameter of a wrong type")
    require(cbor.encode(key) == raw, "credential key is not in its shortest form")
    return key


def _check_eddsa(key: Key, _: bytes) -> None:
    require(key.keys() == {KTY, ALG, CRV, X}, "EdDSA key has other parameters than its own")
    require((key[KTY], key[CRV]) == (OKP, CURVE_ED25519), "EdDSA key is not on Ed25519")
    point = _octets(key[X])
    require(len(point) == COORDINATE, "EdDSA key is not 32 bytes")
    require(ed25519.is_sound(point), "EdDSA key is not a point of large order")


def _check_es256(key: Key, raw: bytes) -> None:
    require(key.keys() == {KTY, ALG, CRV, X, Y}, "ES256 key has other parameters than its own")
    require((key[KTY], key[CRV]) == (EC2, CURVE_P256), "ES256 key is not on P-256")
    sizes = {len(_octets(key[X])), len(_octets(key[Y]))}
    require(sizes == {COORDINATE}, "ES256 coordinate is not 32 bytes")
    try:
        decoded_public_key_to_cryptography(decode_credential_public_key(raw))
    except ValueError as error:
        raise Violation("ES256 key is not a point of its curve") from error


def _check_rs256(key: Key, _: bytes) -> None:
    require(key.keys() == {KTY, ALG, N, E}, "RS256 key has other parameters than its own")
    require(key[KTY] == RSA, "RS256 key is not of type RSA")
    modulus = int.from_bytes(_octets(key[N]))
    require(SMALLEST_RSA <= modulus.bit_length() <= LARGEST_RSA, "RS256 modulus has a wrong size")
    require(key[E] == PUBLIC_EXPONENT, "RS256 exponent is not 65537")


def _octets(parameter: int | bytes) -> bytes:
    if isinstance(parameter, int):
        raise Violation("credential key has a parameter of a wrong type")
    return parameter


CHECKS: Mapping[object, Callable[[Key, bytes], None]] = {
    EDDSA: _check_eddsa,
    ES256: _check_es256,
    RS256: _check_rs256,
}

ALGORITHMS = (EDDSA, ES256, RS256)
"""COSE algorithm identifiers offered, the preferred one first."""
