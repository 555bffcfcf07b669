"""Lies in what a well-signed ID token says (OpenID Core sections 2, 3.1.3.6 and 3.1.3.7)."""

import time

from tests.support.jws import random_text
from tests.support.lie import Bend, Lie, Teller, Told, says

DAY = 24 * 60 * 60


def _claims(name: str, covers: str, bend: Bend, *, accepted: bool = False) -> Lie:
    expected = None if accepted else "identity_rejected"
    return Lie(name=name, covers=(covers,), claims=bend, expected=expected)


def _issuer(name: str, covers: str, form: str) -> Lie:
    return _claims(name, covers, lambda teller, told: {**told, "iss": form.format(teller.issuer)})


def _audience(*others: str, ours: bool = True, azp: str | None = None) -> Bend:
    def bend(teller: Teller, told: Told) -> Told:
        audience = [*([teller.client_id] if ours else []), *others]
        return {**told, "aud": audience, **({"azp": azp.format(teller.client_id)} if azp else {})}

    return bend


def _at(claim: str, offset: int) -> Bend:
    return lambda _, told: {**told, claim: int(time.time()) + offset}


def _nonce_not_supported(_: Teller, told: Told) -> Told:
    return {**told, "nonce_supported": False, "nonce": random_text()}


ISSUERS = (
    _issuer("invalid-iss", "invalid-iss", "https://issuer.example"),
    _issuer("iss-longer", "CVE-2026-75509", "{}.issuer.example"),
    _issuer("iss-with-slash", "CVE-2026-75509", "{}/"),
    _claims("iss-shorter", "CVE-2026-75509", lambda t, told: {**told, "iss": t.issuer[:-1]}),
    _claims("iss-upper-case", "CVE-2026-75509", lambda t, told: {**told, "iss": t.issuer.upper()}),
    _claims("iss-list", "CVE-2026-75509", lambda t, told: {**told, "iss": [t.issuer]}),
    _claims("iss-missing", "invalid-iss", says(iss=None)),
)
SUBJECTS = (
    _claims("missing-sub", "missing-sub", says(sub=None)),
    _claims("sub-empty", "missing-sub", says(sub="")),
    _claims("sub-300-characters", "missing-sub", says(sub="9" * 300)),
    _claims("sub-number", "CVE-2025-61783", says(sub=248289761001)),
    _claims("sub-list", "CVE-2025-61783", says(sub=["248289761001"])),
)
AUDIENCES = (
    _claims("invalid-aud", "invalid-aud", says(aud="another-client")),
    _claims("aud-missing", "CVE-2026-55669", says(aud=None)),
    _claims("aud-list-of-ours", "client-test", _audience(), accepted=True),
    _claims("aud-and-azp-of-ours", "client-test", _audience(azp="{}"), accepted=True),
    _claims("aud-extra", "CVE-2026-55669", _audience("another-client")),
    _claims("aud-extra-with-our-azp", "CVE-2026-55669", _audience("another-client", azp="{}")),
    _claims("aud-list-foreign", "CVE-2026-55669", _audience("another-client", ours=False)),
    _claims(
        "aud-foreign-with-our-azp", "CVE-2026-55669", _audience("another", ours=False, azp="{}")
    ),
    _claims("aud-longer", "CVE-2026-75509", lambda t, told: {**told, "aud": f"{t.client_id}-2"}),
    _claims("azp-foreign", "CVE-2026-55669", says(azp="another-client")),
)
TIMES = (
    _claims("expired", "CVE-2026-55669", _at("exp", -DAY)),
    _claims("exp-missing", "CVE-2026-55669", says(exp=None)),
    _claims("exp-text", "CVE-2026-75509", says(exp="4102444800")),
    _claims("exp-true", "CVE-2026-75509", says(exp=True)),
    _claims("exp-infinite", "CVE-2026-75509", says(exp=float("inf"))),
    _claims("missing-iat", "missing-iat", says(iat=None)),
    _claims("iat-text", "missing-iat", says(iat="1700000000")),
    _claims("iat-in-the-future", "missing-iat", _at("iat", DAY)),
    _claims("iat-in-the-past", "missing-iat", _at("iat", -365 * DAY)),
    _claims("nbf-in-the-future", "CVE-2026-55669", _at("nbf", DAY)),
)
BINDINGS = (
    _claims("nonce-invalid", "nonce-invalid", says(nonce="a-nonce-of-nobody")),
    _claims("nonce-missing", "nonce-invalid", says(nonce=None)),
    _claims("nonce-empty", "nonce-invalid", says(nonce="")),
    _claims("nonce-list", "CVE-2026-75509", lambda _, told: {**told, "nonce": [told["nonce"]]}),
    _claims("nonce-not-supported", "CVE-2026-114617", _nonce_not_supported),
    _claims(
        "nonce-not-supported-nor-sent", "CVE-2026-114617", says(nonce=None, nonce_supported=False)
    ),
    _claims("at-hash-wrong", "CVE-2026-55669", says(at_hash="AAAAAAAAAAAAAAAAAAAAAA")),
    _claims("at-hash-number", "CVE-2026-55669", says(at_hash=1)),
    _claims("at-hash-missing", "client-test", says(at_hash=None), accepted=True),
)
LIES = (*ISSUERS, *SUBJECTS, *AUDIENCES, *TIMES, *BINDINGS)
"""All of them."""

REAUTHENTICATION_LIES = (
    Lie(
        name="auth-time-old",
        covers=("GHSA-97r5-pg8x-p63p",),
        claims=_at("auth_time", -DAY),
        expected="reauthentication_stale",
    ),
    Lie(
        name="auth-time-missing",
        covers=("GHSA-97r5-pg8x-p63p",),
        claims=says(auth_time=None),
        # Taken at its word, which the session remembers as the weaker proof that it is.
        expected=None,
    ),
)
"""What matters only where the service asked to authenticate the person again."""
