"""Attestation object and authenticator data, byte by byte (WebAuthn L3 §6.1, §6.5).

The library finds the end of an item by encoding it again, which lets bytes hide behind an item
that was not in its shortest form. Here every byte is accounted for.
"""

from dataclasses import dataclass

from . import cbor
from .violation import Violation, require

ATTESTED, EXTENSIONS = 0x40, 0x80
"""Flags AT and ED."""

FLAGS_AT, COUNT_END, LENGTH_AT, ID_AT = 32, 37, 53, 55
"""Offsets: rpIdHash, flags, signCount; then aaguid, credentialIdLength, credentialId."""

SHORTEST_ID, LONGEST_ID = 16, 1023
"""Bytes (§4 "Credential ID", §7.1 step 25)."""


@dataclass(frozen=True, kw_only=True)
class AttestedCredential:
    """Attested credential data (§6.5.1), as it stands in the bytes."""

    credential_id: bytes
    public_key: bytes


def read_attestation_object(raw: bytes) -> AttestedCredential:
    """Take the attestation object apart, refusing left-over bytes and statements not asked for.

    Attestation "none" was asked for, so a client leaves either no statement or the credential's
    own signature (§5.1.3). Certificates would mean a chain that nobody checks. Raises Violation.
    """
    attestation, end = cbor.decode_item(raw)
    require(end == len(raw), "bytes follow the attestation object")
    if not isinstance(attestation, dict):
        raise Violation("attestation object is not a map")
    _check_statement(attestation.get("fmt"), attestation.get("attStmt"))
    authenticator_data = attestation.get("authData")
    if not isinstance(authenticator_data, bytes):
        raise Violation("authenticator data is not a byte string")
    return _read_attested_credential(authenticator_data)


def check_assertion_data(data: bytes) -> None:
    """Refuse authenticator data of an assertion that holds more than it may; raises Violation."""
    require(len(data) >= COUNT_END, "authenticator data is too short")
    require(not data[FLAGS_AT] & ATTESTED, "assertion carries attested credential data")
    _check_rest(data, COUNT_END)


def _check_statement(fmt: object, statement: object) -> None:
    if fmt == "none":
        require(statement == {}, "attestation none has a statement")
        return
    require(fmt == "packed", "attestation format was not asked for")
    if not isinstance(statement, dict) or statement.keys() != {"alg", "sig"}:
        raise Violation("packed attestation is not by the credential itself")
    require(isinstance(statement["sig"], bytes), "attestation signature is not a byte string")


def _read_attested_credential(data: bytes) -> AttestedCredential:
    require(len(data) >= ID_AT, "authenticator data is too short")
    require(data[FLAGS_AT] & ATTESTED, "attested credential data is missing")
    id_length = int.from_bytes(data[LENGTH_AT:ID_AT])
    require(SHORTEST_ID <= id_length <= LONGEST_ID, "credential id is too short or too long")
    key_at = ID_AT + id_length
    _, key_end = cbor.decode_item(data, key_at)
    _check_rest(data, key_end)
    return AttestedCredential(credential_id=data[ID_AT:key_at], public_key=data[key_at:key_end])


def _check_rest(data: bytes, start: int) -> None:
    end = start
    if data[FLAGS_AT] & EXTENSIONS:
        extensions, end = cbor.decode_item(data, start)
        require(isinstance(extensions, dict), "authenticator extensions are not a map")
    require(end == len(data), "bytes follow the authenticator data")
