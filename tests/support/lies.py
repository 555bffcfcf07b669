"""Every lie that a hostile provider can tell; ``BY_NAME["sig-none"]`` finds one.

``tests.support.lies_claimed.REAUTHENTICATION_LIES`` are told only where a person is to prove
again who they are.
"""

from collections.abc import Mapping

from tests.support import lies_announced, lies_answered, lies_claimed, lies_keyed, lies_signed
from tests.support.lie import HONEST, Lie

CERTIFICATION_PLAN = (
    "client-test",
    "invalid-iss",
    "missing-sub",
    "invalid-aud",
    "missing-iat",
    "kid-absent-single-jwks",
    "kid-absent-multiple-jwks",
    "sig-rs256",
    "sig-none",
    "invalid-sig-rs256",
    "userinfo-invalid-sub",
    "nonce-invalid",
    "scope-userinfo-claims",
    "client-secret-basic",
)
"""The modules of the OpenID Foundation's plan for basic relying parties."""

LIES: tuple[Lie, ...] = (
    HONEST,
    *lies_claimed.LIES,
    *lies_signed.LIES,
    *lies_keyed.LIES,
    *lies_announced.LIES,
    *lies_answered.LIES,
)
"""All of them, the honest answer first: the control beside every refusal."""

BY_NAME: Mapping[str, Lie] = {lie.name: lie for lie in LIES}
"""Every lie by its name."""
