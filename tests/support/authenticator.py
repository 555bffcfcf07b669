"""A software authenticator with a browser around it: answers the service's options like a phone.

    authenticator = Authenticator(origin="https://id.example.org")
    credential = authenticator.create(client.post("/api/auth/registration/options", …).json)
    assertion = authenticator.get(client.post("/api/auth/authentication/options", …).json)

It keeps its credentials by RP id; `copy.deepcopy` makes the clone that sign counts are to betray.
Keyword arguments of `create` and `get` (`Twists`) bend one detail each. What is signed is signed
after bending, so that nothing but the bent detail is wrong.
"""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, Unpack

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

EDDSA, ES256, RS256 = -8, -7, -257

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
SYNCED = UP | UV | BE | BS
DEVICE_BOUND = UP | UV

OMIT = object()
"""As a member's value: leave the member out."""

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
Json = dict[str, Any]


class Twists(TypedDict, total=False):
    """What can be bent; each replaces the honest value."""

    client_data: Mapping[str, object]  # members to add, replace or OMIT
    client_data_json: bytes
    rp_id_hash: bytes
    flags: int  # all of them
    sign_count: int
    credential_id: bytes  # wherever it stands
    attested_id: bytes  # in the attested credential data alone
    cose_key: Mapping[Any, object] | bytes
    extensions: bytes  # authenticator extension outputs, encoded
    after_authenticator_data: bytes
    attestation: Mapping[str, object]  # members of the attestation object
    attestation_object: bytes
    after_attestation_object: bytes
    signature: bytes
    user_handle: bytes | None
    response: Mapping[str, object]  # members of the response's JSON
    members: Mapping[str, object]  # members of the credential's JSON


@dataclass(kw_only=True)
class Credential:
    """A discoverable credential with its private key."""

    id: bytes
    user_handle: bytes
    user_name: str
    algorithm: int
    private_key: PrivateKey
    sign_count: int = 0

    @property
    def cose_key(self) -> dict[int, object]:
        return cose_key_of(self.private_key)


class ExcludedCredentialError(Exception):
    """The options exclude a credential of this authenticator (InvalidStateError in browsers)."""


@dataclass(kw_only=True)
class Authenticator:
    """Makes and uses passkeys on one origin; flags, format and sign counts are its nature."""

    origin: str
    algorithm: int = ES256
    attestation: Literal["none", "packed"] = "none"
    counting: bool = False  # else the sign count stays 0, as with synced passkeys
    flags: int = SYNCED
    aaguid: bytes = bytes(16)
    transports: tuple[str, ...] = ("hybrid", "internal")
    credentials: dict[str, list[Credential]] = field(default_factory=dict)

    def create(self, options: Json, **twists: Unpack[Twists]) -> Json:
        """Answer PublicKeyCredentialCreationOptionsJSON with RegistrationResponseJSON."""
        own = self.credentials.setdefault(options["rp"]["id"], [])
        excluded = {decode(each["id"]) for each in options.get("excludeCredentials", [])}
        if any(credential.id in excluded for credential in own):
            raise ExcludedCredentialError
        assert self.algorithm in {each["alg"] for each in options["pubKeyCredParams"]}
        credential = Credential(
            id=twists.get("credential_id", os.urandom(32)),
            user_handle=decode(options["user"]["id"]),
            user_name=options["user"]["name"],
            algorithm=self.algorithm,
            private_key=new_private_key(self.algorithm),
        )
        own.append(credential)
        client_data = self._client_data("webauthn.create", options["challenge"], twists)
        attested = self._attested_credential_data(credential, twists)
        data = self._authenticator_data(options["rp"]["id"], credential, twists, attested=attested)
        attestation = self._attestation_object(credential, data, client_data, twists)
        return self._credential(
            credential,
            twists,
            clientDataJSON=encode(client_data),
            attestationObject=encode(attestation),
            authenticatorData=encode(data),
            publicKeyAlgorithm=credential.algorithm,
            transports=list(self.transports),
        )

    def get(
        self, options: Json, *, credential: Credential | None = None, **twists: Unpack[Twists]
    ) -> Json:
        """Answer PublicKeyCredentialRequestOptionsJSON with AuthenticationResponseJSON.

        Takes the newest credential that the options allow, unless told which.
        """
        credential = credential or self.allowed(options)[-1]
        client_data = self._client_data("webauthn.get", options["challenge"], twists)
        data = self._authenticator_data(options["rpId"], credential, twists)
        signature = sign(credential.private_key, data + hashlib.sha256(client_data).digest())
        handle = twists.get("user_handle", credential.user_handle)
        return self._credential(
            credential,
            twists,
            clientDataJSON=encode(client_data),
            authenticatorData=encode(data),
            signature=encode(twists.get("signature", signature)),
            userHandle=None if handle is None else encode(handle),
        )

    def allowed(self, options: Json) -> list[Credential]:
        """The credentials that may answer these request options, oldest first."""
        allowed = {decode(each["id"]) for each in options.get("allowCredentials", [])}
        own = self.credentials.get(options["rpId"], [])
        return [credential for credential in own if not allowed or credential.id in allowed]

    def _client_data(self, kind: str, challenge: str, twists: Twists) -> bytes:
        honest = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        client_data = bent(honest, twists.get("client_data", {}))
        return twists.get("client_data_json", json.dumps(client_data).encode())

    def _authenticator_data(
        self, rp_id: str, credential: Credential, twists: Twists, *, attested: bytes = b""
    ) -> bytes:
        credential.sign_count += 1 if self.counting else 0
        extensions = twists.get("extensions", b"")
        flags = self.flags | (AT if attested else 0) | (ED if extensions else 0)
        return b"".join(
            (
                twists.get("rp_id_hash", hashlib.sha256(rp_id.encode()).digest()),
                twists.get("flags", flags).to_bytes(),
                twists.get("sign_count", credential.sign_count).to_bytes(4),
                attested,
                extensions,
                twists.get("after_authenticator_data", b""),
            )
        )

    def _attested_credential_data(self, credential: Credential, twists: Twists) -> bytes:
        credential_id = twists.get("attested_id", credential.id)
        key = twists.get("cose_key", credential.cose_key)
        key = key if isinstance(key, bytes) else cbor2.dumps(key)
        return self.aaguid + len(credential_id).to_bytes(2) + credential_id + key

    def _attestation_object(
        self, credential: Credential, data: bytes, client_data: bytes, twists: Twists
    ) -> bytes:
        statement: dict[str, object] = {}
        if self.attestation == "packed":
            signature = sign(credential.private_key, data + hashlib.sha256(client_data).digest())
            signature = twists.get("signature", signature)
            statement = {"alg": credential.algorithm, "sig": signature}
        honest = {"fmt": self.attestation, "attStmt": statement, "authData": data}
        attestation = bent(honest, twists.get("attestation", {}))
        encoded = twists.get("attestation_object", cbor2.dumps(attestation))
        return encoded + twists.get("after_attestation_object", b"")

    def _credential(self, credential: Credential, twists: Twists, **response: object) -> Json:
        credential_id = encode(twists.get("credential_id", credential.id))
        honest = {
            "id": credential_id,
            "rawId": credential_id,
            "type": "public-key",
            "response": bent(response, twists.get("response", {})),
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }
        return bent(honest, twists.get("members", {}))


def new_private_key(algorithm: int) -> PrivateKey:
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def cose_key_of(private_key: PrivateKey) -> dict[int, object]:
    """The public half as a COSE_Key map in canonical order."""
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: EDDSA, -1: 6, -2: private_key.public_key().public_bytes_raw()}
    if isinstance(private_key, rsa.RSAPrivateKey):
        numbers = private_key.public_key().public_numbers()
        return {1: 3, 3: RS256, -1: octets(numbers.n), -2: octets(numbers.e)}
    point = private_key.public_key().public_numbers()
    return {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}


def sign(private_key: PrivateKey, message: bytes) -> bytes:
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        return private_key.sign(message)
    if isinstance(private_key, rsa.RSAPrivateKey):
        return private_key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return private_key.sign(message, ec.ECDSA(hashes.SHA256()))


def bent(honest: Mapping[str, object], changes: Mapping[str, object]) -> Json:
    return {name: value for name, value in {**honest, **changes}.items() if value is not OMIT}


def octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
