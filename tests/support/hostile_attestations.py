"""Attestation objects whose bytes were changed after the authenticator had written them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cbor2

from tests.support.authenticator import Json
from tests.support.hostile_bytes import head, indefinite, repeated

MANY = {str(number): None for number in range(65)}
ID_LENGTH = slice(53, 55)
"""Where authenticator data say how long the credential id is (WebAuthn L3 §6.5.1)."""


@dataclass(frozen=True)
class InSigned:
    """Changes the bytes of an attestation object so that they no longer mean the same."""

    change: Callable[[bytes], bytes]

    def __call__(self, honest: bytes) -> bytes:
        bent = self.change(honest)
        try:
            same = cbor2.loads(bent) == cbor2.loads(honest)
        except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError):
            return bent
        return bent + b"\0" if same else bent


@dataclass(frozen=True)
class InAuthenticatorData:
    """Changes the authenticator data inside an attestation object that nothing signs."""

    change: Callable[[bytes], bytes]

    def __call__(self, honest: bytes) -> bytes:
        attestation = cbor2.loads(honest)
        return cbor2.dumps({**attestation, "authData": self.change(attestation["authData"])})


@dataclass(frozen=True)
class IdLength:
    """Says that the credential id is of another length than it is."""

    length: int

    def __call__(self, honest: bytes) -> bytes:
        return honest[: ID_LENGTH.start] + self.length.to_bytes(2) + honest[ID_LENGTH.stop :]


def _with_data(honest: bytes, written: bytes) -> bytes:
    """Put other bytes in the place of the authenticator data, which come last, and their head."""
    at = honest.index(cbor2.loads(honest)["authData"])
    return honest[: at - 2] + written


RESPELT: Mapping[str, Callable[[bytes, Json], bytes]] = {
    "indefinite": lambda _, items: indefinite(items),
    "a name twice": lambda _, items: repeated(items, "fmt"),
    "data twice": lambda _, items: repeated(items, "authData"),
    "tagged": lambda honest, _: b"\xd9\xd9\xf7" + honest,
    "data in chunks": lambda honest, items: _with_data(
        honest, b"\x5f" + cbor2.dumps(items["authData"]) + b"\xff"
    ),
    "data without end": lambda honest, items: _with_data(
        honest, head(2, 2**64 - 1, 8) + items["authData"]
    ),
    "data as text": lambda honest, items: _with_data(
        honest, head(3, len(items["authData"]), 2) + items["authData"]
    ),
    "names as bytes": lambda _, items: cbor2.dumps(
        {name.encode(): value for name, value in items.items()}
    ),
    "a list": lambda _, items: cbor2.dumps([*items.values()]),
    "in a list": lambda honest, _: b"\x81" + honest,
    "twice": lambda honest, _: honest * 2,
    "many names": lambda _, items: cbor2.dumps({**items, **MANY}),
    "deep": lambda _, items: cbor2.dumps({**items, "x": [[[[[[[[[]]]]]]]]]}),
}


@dataclass(frozen=True)
class Respelt:
    """Writes an attestation object in a form that authenticators may not use (CTAP2 §8)."""

    how: str

    def __call__(self, honest: bytes) -> bytes:
        return RESPELT[self.how](honest, cbor2.loads(honest))
