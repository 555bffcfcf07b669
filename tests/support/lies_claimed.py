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
    _issuer("iss-longer", "row 25", "{}.issuer.example"),
    _issuer("iss-with-slash", "row 25", "{}/"),
    _claims("iss-shorter", "row 25", lambda t, told: {**told, "iss": t.issuer[:-1]}),
    _claims("iss-upper-case", "row 25", lambda t, told: {**told, "iss": t.issuer.upper()}),
    _claims("iss-list", "row 25", lambda t, told: {**told, "iss": [t.issuer]}),
    _claims("iss-missing", "invalid-iss", says(iss=None)),
)
SUBJECTS = (
    _claims("missing-sub", "missing-sub", says(sub=None)),
    _claims("sub-empty", "missing-sub", says(sub="")),
    _claims("sub-300-characters", "missing-sub", says(sub="9" * 300)),
    _claims("sub-number", "row 53", says(sub=248289761001)),
    _claims("sub-list", "row 53", says(sub=["248289761001"])),
)
AUDIENCES = (
    _claims("invalid-aud", "invalid-aud", says(aud="another-client")),
    _claims("aud-missing", "row 37", says(aud=None)),
    _claims("aud-list-of-ours", "client-test", _audience(), accepted=True),
    _claims("aud-and-azp-of-ours", "client-test", _audience(azp="{}"), accepted=True),
    _claims("aud-extra", "row 37", _audience("another-client")),
    _claims("aud-extra-with-our-azp", "row 37", _audience("another-client", azp="{}")),
    _claims("aud-list-foreign", "row 37", _audience("another-client", ours=False)),
    _claims("aud-foreign-with-our-azp", "row 37", _audience("another", ours=False, azp="{}")),
    _claims("aud-longer", "row 25", lambda t, told: {**told, "aud": f"{t.client_id}-2"}),
    _claims("azp-foreign", "row 37", says(azp="another-client")),
)
TIMES = (
    _claims("expired", "row 37", _at("exp", -DAY)),
    _claims("exp-missing", "row 37", says(exp=None)),
    _claims("exp-text", "row 25", says(exp="4102444800")),
    _claims("exp-true", "row 25", says(exp=True)),
    _claims("exp-infinite", "row 25", says(exp=float("inf"))),
    _claims("missing-iat", "missing-iat", says(iat=None)),
    _claims("iat-text", "missing-iat", says(iat="1700000000")),
    _claims("iat-in-the-future", "missing-iat", _at("iat", DAY)),
    _claims("iat-in-the-past", "missing-iat", _at("iat", -365 * DAY)),
    _claims("nbf-in-the-future", "row 37", _at("nbf", DAY)),
)
BINDINGS = (
    _claims("nonce-invalid", "nonce-invalid", says(nonce="a-nonce-of-nobody")),
    _claims("nonce-missing", "nonce-invalid", says(nonce=None)),
    _claims("nonce-empty", "nonce-invalid", says(nonce="")),
    _claims("nonce-list", "row 25", lambda _, told: {**told, "nonce": [told["nonce"]]}),
    _claims("nonce-not-supported", "row 23", _nonce_not_supported),
    _claims("nonce-not-supported-nor-sent", "row 23", says(nonce=None, nonce_supported=False)),
    _claims("at-hash-wrong", "row 37", says(at_hash="AAAAAAAAAAAAAAAAAAAAAA")),
    _claims("at-hash-number", "row 37", says(at_hash=1)),
    _claims("at-hash-missing", "client-test", says(at_hash=None), accepted=True),
)
LIES = (*ISSUERS, *SUBJECTS, *AUDIENCES, *TIMES, *BINDINGS)
"""All of them."""

REAUTHENTICATION_LIES = (
    Lie(
        name="auth-time-old",
        covers=("row 54",),
        claims=_at("auth_time", -DAY),
        expected="reauthentication_stale",
    ),
    Lie(
        name="auth-time-missing",
        covers=("row 54",),
        claims=says(auth_time=None),
        expected="reauthentication_stale",
    ),
)
"""What matters only where the service asked to authenticate the person again."""
