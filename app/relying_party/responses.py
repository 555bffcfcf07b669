"""The credential as JSON: Registration- and AuthenticationResponseJSON (WebAuthn L3 §5.1).

Everything here comes from the client. Copies of values that are also inside signed bytes
(publicKey, publicKeyAlgorithm, authenticatorData of a registration) and client extension results
are not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from . import base64url
from .client_data import challenge_in, read_client_data
from .violation import Violation, require

TRANSPORTS = ("ble", "hybrid", "internal", "nfc", "smart-card", "usb")
"""The values of AuthenticatorTransport (§5.8.4) that may be stored and sent out again."""


@dataclass(frozen=True, kw_only=True)
class RegistrationResponse:
    """What navigator.credentials.create() answered."""

    credential_id: bytes
    client_data_json: bytes
    attestation_object: bytes
    transports: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AuthenticationResponse:
    """What navigator.credentials.get() answered."""

    credential_id: bytes
    client_data_json: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def read_registration_response(credential: object) -> RegistrationResponse:
    """Read the members that count, or raise Violation."""
    response = read_response(credential)
    return RegistrationResponse(
        credential_id=read_credential_id(credential),
        client_data_json=_octets(response, "clientDataJSON"),
        attestation_object=_octets(response, "attestationObject"),
        transports=_transports(response),
    )


def read_authentication_response(credential: object) -> AuthenticationResponse:
    """Read the members that count, or raise Violation."""
    response = read_response(credential)
    return AuthenticationResponse(
        credential_id=read_credential_id(credential),
        client_data_json=_octets(response, "clientDataJSON"),
        authenticator_data=_octets(response, "authenticatorData"),
        signature=_octets(response, "signature"),
        user_handle=read_user_handle(credential),
    )


def read_response(credential: object) -> Mapping[str, object]:
    return _object(_object(credential, "credential").get("response"), "response")


def read_credential_id(credential: object) -> bytes:
    """The id, of a public-key credential whose two spellings of it agree; raises Violation."""
    members = _object(credential, "credential")
    require(members.get("type") == "public-key", "credential is not of type public-key")
    require(members.get("id") == members.get("rawId"), "id and rawId differ")
    return _octets(members, "id")


def read_challenge(credential: object) -> bytes:
    """The challenge inside the client data, whether it was ever issued or not; raises Violation."""
    return challenge_in(read_client_data(_octets(read_response(credential), "clientDataJSON")))


def read_user_handle(credential: object) -> bytes | None:
    """The user handle, None where the authenticator gave none (absent or null)."""
    response = read_response(credential)
    return None if response.get("userHandle") is None else _octets(response, "userHandle")


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Violation(f"{name} is not an object")
    return value


def _octets(members: Mapping[str, object], name: str) -> bytes:
    return base64url.decode(members.get(name), name)


def _transports(response: Mapping[str, object]) -> tuple[str, ...]:
    """Hints for later ceremonies; unknown ones are dropped, as §5.8.4 asks."""
    claimed = response.get("transports")
    if claimed is None:
        return ()
    if not isinstance(claimed, list):
        raise Violation("transports are not a list")
    return tuple(transport for transport in TRANSPORTS if transport in claimed)
