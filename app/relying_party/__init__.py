"""WebAuthn, and the only package that knows the libraries for it.

`RelyingParty` offers begin and finish for registration and authentication in the specification's
words (Web Authentication Level 3). It makes every check of §7.1 and §7.2 that needs no database,
also those that py_webauthn leaves to its caller, and refuses with AttestationRejected or
AssertionRejected whatever does not hold.
"""

from .credential_names import default_name
from .relying_party import RelyingParty
from .values import RegisteredCredential, StoredKey, VerifiedAssertion

__all__ = [
    "RegisteredCredential",
    "RelyingParty",
    "StoredKey",
    "VerifiedAssertion",
    "default_name",
]
