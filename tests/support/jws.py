"""JSON web signatures made by hand, the wrong ones as well (RFC 7515, RFC 7518).

Nothing of the library that the service checks them with: two readings of the standards meet.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256, sha384, sha512
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A key pair of a provider."""

    algorithm: str
    private: PrivateKey = field(repr=False)
    kid: str

    def public_jwk(self, **members: object) -> dict[str, object]:
        """Give the public key as a JWK, with members added or, where None, left out."""
        jwk = {**_public_members(self.private), "kid": self.kid, "use": "sig"}
        return {k: v for k, v in {**jwk, "alg": self.algorithm, **members}.items() if v is not None}

    def public_pem(self) -> bytes:
        """Give the public key as a PEM, which some libraries took for an HMAC key."""
        form = PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(Encoding.PEM, form)

    def certificate(self) -> bytes:
        """Give a certificate for the public key, signed with the key itself, as a PEM."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.kid)])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, self.private.public_key())
        builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1))
        signed = builder.not_valid_after(now + timedelta(days=1)).sign(self.private, SHA256())
        return signed.public_bytes(Encoding.PEM)

    def sign(self, claims: object, *, header: Mapping[str, object] | None = None) -> str:
        """Sign claims; a header's members are added to the honest one or, where None, left out."""
        honest = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        members = {k: v for k, v in {**honest, **(header or {})}.items() if v is not None}
        signed = signing_input(members, claims)
        return f"{signed}.{encode(signature(self.algorithm, self.private, signed.encode()))}"


@cache
def signing_key(algorithm: str, number: int = 0, *, bits: int = 2048) -> SigningKey:
    """Make a key once for all tests of a process; other numbers give other keys."""
    private: PrivateKey
    if algorithm in {"RS256", "PS256"}:
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    elif algorithm == "EdDSA":
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        private = ec.generate_private_key(
            {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1}[algorithm]()
        )
    return SigningKey(algorithm=algorithm, private=private, kid=f"{algorithm}-{number}-{bits}")


def signature(algorithm: str, private: PrivateKey, signed: bytes) -> bytes:
    """Sign bytes as RFC 7518 section 3 has it."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(signed)
    if isinstance(private, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
        scheme = pss if algorithm == "PS256" else padding.PKCS1v15()
        return private.sign(signed, scheme, SHA256())
    hashed = SHA384() if algorithm == "ES384" else SHA256()
    size = (private.curve.key_size + 7) // 8
    r, s = decode_dss_signature(private.sign(signed, ec.ECDSA(hashed)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def hmac_signed(key: bytes, claims: object, **header: object) -> str:
    """Sign claims with HS256."""
    signed = signing_input({"alg": "HS256", "typ": "JWT", **header}, claims)
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), sha256))}"


def signing_input(header: Mapping[str, object], claims: object) -> str:
    """Give what a signature is made over (RFC 7515 section 5.1)."""
    return f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"


def encode(raw: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token: str) -> dict[str, Any]:
    """Read a token's claims without any check."""
    claims: dict[str, Any] = json.loads(decode(token.split(".")[1]))
    return claims


def half_hash(text: str, algorithm: str) -> str:
    """Give the left half of the algorithm's hash: an ``at_hash`` (OpenID Core 3.1.3.6)."""
    hashing = {"ES384": sha384, "EdDSA": sha512}.get(algorithm, sha256)
    digest = hashing(text.encode()).digest()
    return encode(digest[: len(digest) // 2])


def random_text() -> str:
    """Give a code or a token that nobody can guess."""
    return secrets.token_urlsafe(24)


def _public_members(private: PrivateKey) -> dict[str, str]:
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.public_key().public_numbers()
        return {"kty": "RSA", "n": _as_text(numbers.n), "e": _as_text(numbers.e)}
    if isinstance(private, ed25519.Ed25519PrivateKey):
        point = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(point)}
    size = (private.curve.key_size + 7) // 8
    at = private.public_key().public_numbers()
    curve = {256: "P-256", 384: "P-384"}[private.curve.key_size]
    return {"kty": "EC", "crv": curve, "x": _as_text(at.x, size), "y": _as_text(at.y, size)}


def _as_text(number: int, size: int = 0) -> str:
    return encode(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))
